"""One word per thing: no class name stands twice in the package, and no module of the engine is too long to read."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("dse", "objectives", "spaces", "studies")
LONGEST = 400
"""Lines of a module of the engine."""


def modules(folder: str) -> list[Path]:
    """Modules of a folder at the root; the links inside the package are not followed."""
    links = [path for path in (ROOT / "dse").iterdir() if path.is_symlink()]
    found = (ROOT / folder).rglob("*.py")
    return sorted(path for path in found if not any(path.is_relative_to(link) for link in links))


def test_no_class_name_stands_twice() -> None:
    places = defaultdict(list)
    for folder in FOLDERS:
        for path in modules(folder):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(str(path.relative_to(ROOT)))
    twice = {name: found for name, found in places.items() if len(found) > 1}
    assert len(places) > 100
    assert not twice, "\n".join(f"{name}: {', '.join(found)}" for name, found in sorted(twice.items()))


@pytest.mark.parametrize("path", modules("dse"), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_of_the_engine_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST
