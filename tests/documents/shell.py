"""Commands as a reader types them: `dse` and `python` run in this process, others in a shell."""

import importlib
import io
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from dse import registry
from dse.cli import main

SHELL_WORDS = {"|", "||", ">", ">>", "<", ";"}
"""What only a shell understands."""
ROOT = Path(__file__).parents[2]
ASSIGNMENT = re.compile(r"[A-Z_]+=\S*")


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str


def run(command: str, site: Path) -> Ran:
    """Run a command line. What `pip install ./FOLDER` installs goes to the folder `site`, not into our environment."""
    words, environment = shlex.split(command, comments=True), {}
    if "&&" in words:
        place = words.index("&&")
        first = run(shlex.join(words[:place]), site)
        then = run(shlex.join(words[place + 1:]), site) if first.status == 0 else Ran(first.status, "", "")
        return Ran(then.status, first.out + then.out, first.err + then.err)
    while words and ASSIGNMENT.fullmatch(words[0]):
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    with patch.dict(os.environ, environment):
        if words[0] == "dse" and not SHELL_WORDS & set(words):
            return _in_process(lambda: main(words[1:]))
        if words[0] == "python" and words[1].endswith(".py"):
            return _in_process(lambda: _script(words[1:]))
        if words[:2] == ["pip", "install"] and words[2].startswith("./"):
            command = f"{shlex.quote(sys.executable)} -m pip install --quiet --no-deps --target {site} {words[2]}"
        if words[0] == "make":
            command = _made_here(words[1], site.parent / "venv")
        try:
            return _in_shell(command, site)
        finally:
            _forget_packages()


def _made_here(target: str, environment: Path) -> str:
    """A target of the Makefile, in an environment in which everything is installed: ours."""
    environment.mkdir(exist_ok=True)
    (environment / "bin").symlink_to(Path(sys.executable).parent)
    (environment / "installed").touch()
    return f"make --no-print-directory --directory {ROOT} {target} VENV={environment}"


def _forget_packages() -> None:
    """Look anew for what is installed."""
    importlib.invalidate_caches()
    registry._entry_points.cache_clear()


def _in_process(call) -> Ran:  # type: ignore[no-untyped-def]
    """Run a function that returns an exit status."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = call()
    return Ran(status, out.getvalue(), err.getvalue())


def _script(words: list[str]) -> int:
    """Run a script as `python SCRIPT ...` does."""
    with patch.object(sys, "argv", words):
        runpy.run_path(words[0], run_name="__main__")
    return 0


def _in_shell(command: str, site: Path) -> Ran:
    """Run a line in a shell, where `python` and `dse` are those that run this."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True,
        env={**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join([str(site), *sys.path])},
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@contextmanager
def scratch(folder: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    """Within it, a folder is the working directory; packages that `run` installs into what is yielded are found."""
    site, before, path, modules = folder / ".site", Path.cwd(), list(sys.path), set(sys.modules)
    site.mkdir(parents=True)
    os.chdir(folder)
    sys.path.insert(0, str(site))
    _forget_packages()
    try:
        with patch.dict(os.environ, environment):
            yield site
    finally:
        os.chdir(before)
        sys.path[:] = path
        _forget_packages()
        for name in set(sys.modules) - modules:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
                del sys.modules[name]
