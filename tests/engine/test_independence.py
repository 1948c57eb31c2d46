"""The engine, every searcher and the program's help work where no family can be imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from dse.search.searchers import EXTRAS, METHODS

ROOT = Path(__file__).parents[2]
BLOCK = """
import importlib.abc, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "dse.objectives" or name.startswith("dse.objectives."):
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocked())
"""
ENGINE = ("search", "surrogate", "uncertainty", "report", "testing")


def modules_of(package: str) -> list[str]:
    """Names of the modules of a package of the engine."""
    folder = ROOT / "dse" / package
    paths = sorted(folder.rglob("*.py"))
    return [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]


def run_blocked(code: str) -> subprocess.CompletedProcess[str]:
    """Run code where every import of a family fails."""
    return subprocess.run([sys.executable, "-c", BLOCK + code], cwd=ROOT, capture_output=True, text=True)


def test_the_block_blocks() -> None:
    assert "is blocked" in run_blocked("import dse.objectives.cache.family").stderr


@pytest.mark.parametrize("package", ENGINE)
def test_the_engine_needs_no_family(package: str) -> None:
    done = run_blocked("".join(f"import {name}\n" for name in modules_of(package)))
    assert done.returncode == 0, done.stderr


def test_every_searcher_needs_no_family() -> None:
    known = [name for name in METHODS if name not in EXTRAS]
    done = run_blocked(
        "from importlib import import_module\nfrom dse.search.searchers import METHODS\n"
        f"for name in {known}: import_module('dse.search.searchers.' + METHODS[name][0]).make\n"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", ["--help", "--version", "verify --help", "study --help"])
def test_help_needs_no_family(arguments: str) -> None:
    done = run_blocked(f"from dse.cli import main\nraise SystemExit(main({arguments.split()}))")
    assert done.returncode == 0 and done.stdout and not done.stderr, done.stderr


def test_a_command_s_help_has_its_family_s_options() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dse", "optimize", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert all(word in done.stdout for word in ("--memory", "--n-trials", "--workload", "─ Caches ─"))
