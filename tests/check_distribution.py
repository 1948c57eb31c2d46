"""Says what a wheel or a source archive lacks, and what it holds beyond what it needs; ends with status 1 where any.

usage: check_distribution.py FILE.whl|FILE.tar.gz ...
"""

import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
SOURCE_ONLY = {"LICENSE", "README.md", "pyproject.toml", "setup.cfg", "PKG-INFO"}
"""What stands beside the packages in a source archive."""


def folder_of(package: str) -> PurePosixPath:
    """Folder of a package in the repository, and in a source archive."""
    for name in ("dse.objectives", "dse.spaces", "dse.studies", package.partition(".")[0]):
        if f"{package}.".startswith(f"{name}."):
            rest = package.removeprefix(name).strip(".").split(".")
            return PurePosixPath(SETUPTOOLS["package-dir"].get(name, name), *filter(None, rest))
    raise ValueError(package)


def needed(*, wheel: bool) -> Iterator[str]:
    """Files of the packages: sources, and what package-data names."""
    for package in SETUPTOOLS["packages"]:
        folder = folder_of(package)
        place = PurePosixPath(*package.split(".")) if wheel else folder
        for pattern in ("*.py", *SETUPTOOLS["package-data"].get(package, ())):
            for path in (ROOT / folder).glob(pattern):
                yield str(place / path.relative_to(ROOT / folder).as_posix())


def held(path: Path) -> set[str]:
    """Files in an archive, but for what describes it."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return {name for name in archive.namelist() if ".dist-info/" not in name}
    with tarfile.open(path) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    return {name for name in names if ".egg-info/" not in name} - SOURCE_ONLY


def complaints(path: Path) -> Iterator[str]:
    """What is wrong with an archive."""
    wanted, found = set(needed(wheel=path.suffix == ".whl")), held(path)
    yield from (f"{path.name}: {name} is missing" for name in sorted(wanted - found))
    yield from (f"{path.name}: {name} is too much" for name in sorted(found - wanted))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("give a wheel or a source archive")
    wrong = [line for name in sys.argv[1:] for line in complaints(Path(name))]
    print("\n".join(wrong or ["complete, and nothing else"]))
    sys.exit(bool(wrong))
