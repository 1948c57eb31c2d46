"""The package list, package data and links of pyproject.toml agree with the tree; imports stay light."""

import fnmatch
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("spaces", "objectives", "studies")
"""Folders of the package that stand beside `dse` rather than in it."""
HEAVY = ("pandas", "pyarrow", "optuna", "pymoo", "sklearn", "matplotlib", "scipy", "typer", "rich")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS: dict[str, Any] = PYPROJECT["tool"]["setuptools"]
IMPORTED = [
    "dse", "dse.batch", "dse.errors", "dse.spaces", "dse.spaces.array.enumeration", "dse.objectives",
    "dse.objectives.cache",
    "dse.objectives.array.hierarchy.array", "dse.objectives.cache.specification",
    "dse.objectives.cache.nvsim_files.configuration", "dse.objectives.cache.baselines.nvsim",
]


def sources(folder: Path) -> list[Path]:
    """Python files below a folder, those of examples aside, links not followed."""
    links = {path for path in folder.iterdir() if path.is_symlink()}
    return [
        path for path in sorted(folder.rglob("*.py")) if not links & set(path.parents) and "data" not in path.parts
    ]


def package_of(folder: Path) -> str:
    """Name of the package in a folder of the repository."""
    parts = folder.relative_to(ROOT).parts
    return ".".join(parts if parts[0] == "dse" else ("dse", *parts))


def folder_of(package: str) -> Path:
    """Folder of a package by pyproject's package-dir."""
    longest = max((name for name in SETUPTOOLS["package-dir"] if f"{package}.".startswith(f"{name}.")), key=len)
    rest = package.removeprefix(longest).strip(".").split(".")
    return ROOT.joinpath(SETUPTOOLS["package-dir"][longest], *filter(None, rest))


def test_every_package_is_listed() -> None:
    found = {package_of(path.parent) for name in ("dse", *FOLDERS) for path in sources(ROOT / name)}
    assert found == set(SETUPTOOLS["packages"])
    assert len(SETUPTOOLS["packages"]) == len(found)


@pytest.mark.parametrize("package", SETUPTOOLS["packages"])
def test_every_listed_package_is_there(package: str) -> None:
    assert (folder_of(package) / "__init__.py").is_file()
    assert package_of(folder_of(package)) == package


def test_package_dirs() -> None:
    assert SETUPTOOLS["package-dir"] == {"dse": "dse"} | {f"dse.{name}": name for name in FOLDERS}


def test_every_data_file_is_packaged() -> None:
    """What stands beside the sources and is no source."""
    unpackaged = []
    for name in ("dse", *FOLDERS):
        links = {path for path in (ROOT / name).iterdir() if path.is_symlink()}
        for path in (ROOT / name).rglob("*"):
            if path.is_dir() or path.is_symlink() or links & set(path.parents) or "__pycache__" in path.parts:
                continue
            if (path.suffix != ".py" or "data" in path.parts) and not is_packaged(path):
                unpackaged.append(str(path.relative_to(ROOT)))
    assert unpackaged == []


def is_packaged(path: Path) -> bool:
    """Whether a pattern of package-data names the file."""
    return any(
        path.is_relative_to(folder_of(package))
        and fnmatch.fnmatch(str(path.relative_to(folder_of(package))), pattern)
        and str(path.relative_to(folder_of(package))).count("/") == pattern.count("/")
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
    )


def test_every_pattern_names_a_file() -> None:
    for package, patterns in SETUPTOOLS["package-data"].items():
        assert package in SETUPTOOLS["packages"]
        for pattern in patterns:
            assert list(folder_of(package).glob(pattern)), f"{package}: {pattern}"


@pytest.mark.parametrize("module", IMPORTED)
def test_imports_are_light(module: str) -> None:
    """A module of the engine imports no library that only some commands need."""
    code = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "dse" in loaded
    assert sorted(set(loaded) & set(HEAVY)) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_links(folder: str) -> None:
    """Type checkers and editors find dse.spaces and the like in place, on every machine."""
    link = ROOT / "dse" / folder
    assert link.is_symlink()
    assert link.readlink() == Path("..") / folder
    assert link.resolve() == ROOT / folder


def test_links_are_tracked_as_links() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    links = [f"dse/{folder}" for folder in FOLDERS]
    listed = subprocess.run(
        ["git", "ls-files", "--stage", "--", *links], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    modes = {line.split("\t")[1]: line.split()[0] for line in listed.splitlines()}
    assert modes == dict.fromkeys(links, "120000")


def test_nothing_imports_the_folders_by_their_own_names() -> None:
    """`import spaces` would find another package of that name where one is installed."""
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line}"
        for name in ("dse", *FOLDERS, "tests")
        for path in sources(ROOT / name)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if line.split(" ")[:1] in (["import"], ["from"]) and line.split()[1].split(".")[0] in FOLDERS
    ]
    assert wrong == []
