"""A family of another package, built and installed, works with every command, searcher and table."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pandas as pd
import pytest

from dse import registry
from dse.cli import main
from dse.search.searchers import EXTRAS, METHODS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "dse" / "examples" / "data" / "family" / "my-family"
SEARCHERS = [name for name, (module, _) in METHODS.items() if name not in EXTRAS]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is installed."""
    pytest.importorskip("pip")
    build = tmp_path_factory.mktemp("build")
    for path in PACKAGE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            target = build / path.relative_to(PACKAGE)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    site = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(build)],
        capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    return site


@contextmanager
def found_in(site: Path) -> Iterator[None]:
    """This process finds the package as it finds every other, for a while."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        patch.setenv("COLUMNS", "200")
        registry._entry_points.cache_clear()
        yield
    registry._entry_points.cache_clear()


def run(site: Path, *arguments: object) -> tuple[int, str, str]:
    """What a command returns and writes."""
    out, err = io.StringIO(), io.StringIO()
    with found_in(site), redirect_stdout(out), redirect_stderr(err):
        status = main([*map(str, arguments)])
    return status, out.getvalue(), err.getvalue()


def python(site: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(site)},
    )


def answer(site: Path, *arguments: object) -> dict[str, object]:
    status, out, err = run(site, "optimize", "--problem", "buffer", "--format", "json", *arguments)
    assert status == 0, err
    (record,) = json.loads(out)
    return dict(record)


def test_it_is_listed_and_shown(installed: Path) -> None:
    status, out, _ = run(installed, "problem", "list")
    assert status == 0 and "buffer" in out and "cache" in out
    status, out, _ = run(installed, "problem", "show", "buffer")
    words = ("throughput", "not negative", "entries", "logarithmic", "--clock", "shortest")
    assert status == 0 and all(word in out for word in words)


def test_its_options_are_the_command_s(installed: Path) -> None:
    status, out, _ = run(installed, "optimize", "--problem", "buffer", "--help")
    assert status == 0 and "--clock" in out and "--memory" not in out
    status, _, err = run(installed, "optimize", "--problem", "buffer", "--memory", "sot")
    assert status == 2 and "--memory" in err and err.count("\n") == 1
    status, _, err = run(installed, "optimize", "--problem", "buffer", "--style", "tree")
    assert status == 2 and "ring" in err
    status, _, err = run(installed, "optimize", "--clock", "2")
    assert status == 2 and "--clock" in err


def test_exact_by_exhaustion(installed: Path) -> None:
    record = answer(installed, "--constraint", "error_rate<=0")
    assert record["certificate"] == "proven by exhaustion" and record["regret"] == 0
    assert record["evaluations"] == 4 * 40 * 4 * 2
    assert record["metrics"]["error_rate"] == 0  # type: ignore[index]
    assert record["baselines"]["shortest"] >= record["value"] and record["unit"] == "J"  # type: ignore[index,operator]
    assert record["design"]["entries"] == 8  # type: ignore[index]


def test_what_is_maximized_and_axes_in_formulas(installed: Path) -> None:
    most = answer(installed, "--objective", "throughput")
    assert most["design"]["port"] == "dual" and most["design"]["pulse"] == 1  # type: ignore[index]
    assert most["value"] == most["metrics"]["bandwidth"]  # type: ignore[index]
    bound = answer(installed, "--objective", "throughput", "--constraint", "entries<=16", "--clock", "2e9")
    assert bound["design"]["entries"] == 16  # type: ignore[index]


@pytest.mark.parametrize("method", SEARCHERS)
def test_every_searcher(installed: Path, method: str) -> None:
    trials = "1280" if method == "exhaustive" else "40"
    record = answer(installed, "--method", method, "--n-trials", trials, "--constraint", "error_rate<=1e-3")
    assert record["method"] == method and record["evaluations"] <= int(trials)  # type: ignore[operator]
    assert record["metrics"]["error_rate"] <= 1e-3  # type: ignore[index]
    assert record["regret"] >= 0 and "proven by exhaustion" in str(record["certificate"])  # type: ignore[operator]


def test_table_for_people(installed: Path) -> None:
    status, out, err = run(installed, "optimize", "--problem", "buffer", "--constraint", "error_rate<=0")
    assert status == 0 and not err
    assert all(word in out for word in ("entries", "pulse", "energy", "by shortest", "proven by exhaustion"))


def test_fronts_and_run_folders(installed: Path, tmp_path: Path) -> None:
    table, figure, folder = tmp_path / "front.csv", tmp_path / "front.png", tmp_path / "run"
    common = ("pareto", "--problem", "buffer", "--objectives", "energy,throughput,error_rate")
    status, out, err = run(installed, *common, "--output", table, "--plot", figure)
    assert status == 0, err
    front = pd.read_csv(table)
    assert len(front) > 10 and {"entries", "throughput", "error_rate"} <= set(front) and figure.stat().st_size > 1000
    assert run(installed, *common, "--output", folder)[0] == 0
    status, out, err = run(installed, "verify", folder)
    assert status == 0 and "agree" in out, err
    searched = (*common, "--method", "nsga2", "--n-trials", "200")
    status, out, err = run(installed, *searched, "--output", tmp_path / "other")
    assert status == 0 and "200 designs evaluated" in out, err
    assert run(installed, "verify", tmp_path / "other")[0] == 0
    status, out, err = run(installed, "explain", "--problem", "buffer", "--design", table, "--row", "3")
    assert status == 0 and "is legal" in out, err


def test_surrogates(installed: Path) -> None:
    code = (
        "import dse\n"
        "from dse.surrogate import by_design, fit, held_out_errors, sampled_designs\n"
        "p = dse.make_problem('buffer', ['energy'])\n"
        "split = by_design(sampled_designs(p, 300, seed=0), 200)\n"
        "errors = held_out_errors(fit(split.training, ['energy', 'bandwidth'], p), split)\n"
        "assert (errors['r2'] > 0.99).all(), errors\n"
    )
    done = python(installed, code)
    assert done.returncode == 0, done.stderr


def test_it_is_sixty_lines() -> None:
    text = (PACKAGE / "src" / "my_family" / "__init__.py").read_text()
    assert sum(bool(line.strip()) for line in text.splitlines()) <= 60


def test_storage_and_resumption(installed: Path, tmp_path: Path) -> None:
    common = ("--method", "tpe", "--storage", tmp_path / "study.log", "--resume", "--n-trials")
    assert answer(installed, *common, "10")["evaluations"] == 10
    assert answer(installed, *common, "20")["evaluations"] == 20


def test_problem_files(installed: Path, tmp_path: Path) -> None:
    file = tmp_path / "problem.toml"
    file.write_text('family = "buffer"\nobjectives = ["throughput"]\n[options]\nclock = 2e9\n')
    status, out, err = run(installed, "optimize", file, "--format", "json")
    assert status == 0 and json.loads(out)[0]["problem"] == "buffer", err
    file.write_text('family = "buffer"\n[options]\nclck = 2e9\n')
    status, _, err = run(installed, "optimize", file)
    assert status == 2 and f"{file}:3: clck" in err and "clock" in err


def test_what_is_infeasible_and_what_is_no_memory(installed: Path, tmp_path: Path) -> None:
    status, _, err = run(installed, "optimize", "--problem", "buffer", "--constraint", "energy<=1e-18J")
    assert status == 3 and "no design of buffer meets energy<=1e-18J" in err
    status, _, err = run(installed, "optimize", "--problem", "buffer", "--output", tmp_path / "best.toml")
    assert status == 2 and "no memory" in err and not list(tmp_path.iterdir())
    status, _, err = run(installed, "optimize", "--problem", "buffer", "--clock", "-1")
    assert status == 2 and "--clock -1" in err and err.count("\n") == 1


def test_in_python(installed: Path) -> None:
    code = (
        "import dse\n"
        "p = dse.make_problem('buffer', ['energy', 'throughput'], entries=['8', '16'])\n"
        "front = dse.front(p)\n"
        "best = dse.optimize(p)\n"
        "assert best.baselines['shortest'].cost >= best.value\n"
        "assert front.to_frame()['energy'].min() == best.value\n"
        "assert len(dse.explore(p, 'surrogate', budget=30)) == 30\n"
        "table = dse.sensitivity(p, {'clock': (5e8, 2e9), 'decay': (2.0, 8.0)}, count=32)\n"
        "assert set(table['parameter']) == {'clock', 'decay'} and (table['total'] == 0).all()\n"
        "limited = dse.make_problem('buffer', ['energy'], ['error_rate<=1e-3'])\n"
        "table = dse.sensitivity(limited, {'clock': (5e8, 2e9), 'decay': (2.0, 3.9)}, count=64)\n"
        "assert table['parameter'][0] == 'decay' and table['total'][0] > 0.9\n"
        "assert table['at_low'][0] < 1 and abs(table['total'][1]) < 0.1\n"
        "print(front)\n"
    )
    done = python(installed, code)
    assert done.returncode == 0 and "proven by exhaustion" in done.stdout, done.stderr
