"""Examples that come with the package: files to start from, and commands that work on them (``dse examples``)."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from dse.errors import DseError, InputError
from dse.text import nearest

DATA = files("dse.examples") / "data"
COMPILED = "__pycache__"
"""What Python leaves beside sources of the example of a package."""


@dataclass(frozen=True, slots=True)
class Example:
    """Files to start from, and `commands` to try in the folder that they are written to."""

    name: str
    help: str
    commands: tuple[str, ...]

    def contents(self) -> Mapping[str, bytes]:
        """Contents of its files by their path within the example."""
        return {str(path): source.read_bytes() for path, source in _files(DATA / self.name, PurePosixPath())}


def write_examples(chosen: Iterable[Example], folder: Path) -> list[Path]:
    """Write files of examples into a folder, which is made; none where one of them is there already (InputError)."""
    contents = {folder / path: content for example in chosen for path, content in example.contents().items()}
    for path in contents:
        if path.exists():
            raise InputError("is there already: give another folder with --output", file=path)
    for path, content in contents.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise DseError(f"{path}: cannot be written: {error.strerror}") from None
    return list(contents)


def examples() -> Mapping[str, Example]:
    """All examples by name, in the order of the index."""
    index = tomllib.loads((DATA / "index.toml").read_text(encoding="utf-8"))
    return {name: Example(name, said["help"], tuple(said["try"])) for name, said in index.items()}


def find_example(name: str) -> Example:
    """An example by its name; raises InputError with the nearest one."""
    known = examples()
    if name not in known:
        raise InputError(f"there is no example {name!r}, the nearest is {nearest(name, known)} (see dse examples)")
    return known[name]


def _files(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    """Files below a folder with their paths, by name."""
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_file():
            yield path / entry.name, entry
        elif entry.name != COMPILED:
            yield from _files(entry, path / entry.name)
