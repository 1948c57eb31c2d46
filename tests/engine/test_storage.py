"""Searches kept as Optuna studies: what plain Optuna sees, what resuming takes, and what a kill leaves."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest

import dse
from dse.cli import main
from dse.errors import DseError, InputError
from dse.search.desk import LEASE_SECONDS, OwnDesk
from dse.search.driver import search
from dse.search.evaluation import evaluate
from dse.search.plan import SearchPlan, run_plan
from dse.search.searchers import make_searcher
from dse.search.storage import open_storage
from dse.search.study_log import METRICS, describe, open_study
from dse.testing.toys import KIND, SIZES, bowl

SMALL = ("--memory", "sot", "--capacity", "16KB", "--access", "normal", "--no-certificate")


def url_of(kind: str, folder: Path) -> str:
    return f"sqlite:///{folder}/study.db" if kind == "sqlite" else f"journal:///{folder}/study.log"


def plain(kind: str, folder: Path) -> str | optuna.storages.BaseStorage:
    """The storage as a user of plain Optuna opens it."""
    if kind == "sqlite":
        return f"sqlite:///{folder}/study.db"
    backend = optuna.storages.journal.JournalFileBackend(f"{folder}/study.log")
    return optuna.storages.JournalStorage(backend)


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_plain_optuna_opens_a_study(kind: str, tmp_path: Path) -> None:
    status = main([
        "optimize", *SMALL, "--method", "random", "--n-trials", "12", "--constraint", "area<=0.2mm2",
        "--storage", url_of(kind, tmp_path), "--format", "json",
    ])
    assert status == 0
    study = optuna.load_study(study_name="cache-edap-random-s0", storage=plain(kind, tmp_path))
    assert len(study.trials) == 12
    assert study.directions == [optuna.study.StudyDirection.MINIMIZE]
    facts = study.user_attrs["dse"]
    assert facts["memory"] == ["sot"] and facts["capacity"] == [16 << 10] and facts["method"] == "random"
    assert facts["objectives"]["edap"].endswith("* area")
    for trial in study.trials:
        assert trial.state == optuna.trial.TrialState.COMPLETE
        metrics = trial.user_attrs[METRICS]
        edap = (
            (metrics["read_energy"] + metrics["write_energy"]) / 2
            * (metrics["read_latency"] + metrics["write_latency"]) / 2 * metrics["area"]
        )
        assert trial.values == [pytest.approx(edap, rel=1e-12)]
        assert trial.constraints["area<=0.2mm2"] == pytest.approx(metrics["area"] / 0.2e-6 - 1, rel=1e-9)
        assert trial.params["data_bank_rows"] in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
        assert "memory" not in trial.params  # one level is no choice
    feasible = [trial for trial in study.trials if trial.constraints["area<=0.2mm2"] <= 0]
    assert study.best_trial.value == min(trial.value for trial in feasible)


def test_several_objectives_in_plain_optuna(tmp_path: Path) -> None:
    problem = bowl("cost", "size")
    description = describe(problem, "nsga2", 0, {})
    log = open_study(open_storage(str(tmp_path / "s.db")), "two", problem, description, resume=False)
    found = run_plan(problem, SearchPlan("nsga2", 50), log)
    study = optuna.load_study(study_name="two", storage=f"sqlite:///{tmp_path}/s.db")
    assert study.metric_names == ["cost", "size"]
    stored = np.array([trial.values for trial in study.trials])
    np.testing.assert_array_equal(stored, found.history.evaluations.costs)
    assert {tuple(trial.values) for trial in study.best_trials} <= set(map(tuple, stored.tolist()))


def test_values_that_are_no_numbers_are_kept(tmp_path: Path) -> None:
    problem = bowl()
    log = open_study(open_storage(str(tmp_path / "s.log")), "s", problem, {}, resume=False)
    designs = problem.space.sample(3, np.random.default_rng(0))
    evaluations = evaluate(problem, designs)
    evaluations.costs[1] = np.nan
    evaluations.costs[2] = np.inf
    log.add(designs, evaluations)
    history = open_study(open_storage(str(tmp_path / "s.log")), "s", problem, {}, resume=True).history()
    assert history is not None
    np.testing.assert_array_equal(history.designs, designs)


def test_trials_left_half_written_are_ignored(tmp_path: Path) -> None:
    problem = bowl()
    log = open_study(open_storage(str(tmp_path / "s.db")), "s", problem, {}, resume=False)
    run_plan(problem, SearchPlan("random", 20), log)
    study = optuna.load_study(study_name="s", storage=f"sqlite:///{tmp_path}/s.db")
    study.ask()
    study.enqueue_trial({"x": 1})
    history = log.history()
    assert history is not None and len(history) == 20


def test_a_journal_that_ends_in_half_a_line_is_mended(tmp_path: Path) -> None:
    problem, path = bowl(), tmp_path / "s.log"
    run_plan(problem, SearchPlan("random", 20), open_study(open_storage(str(path)), "s", problem, {}, resume=False))
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    again = open_study(open_storage(str(path)), "s", problem, {}, resume=True)
    found = run_plan(problem, SearchPlan("random", 30), again)
    assert found.resumed == 19 and len(found.history) == 30
    final = open_study(open_storage(str(path)), "s", problem, {}, resume=True).history()
    assert final is not None
    np.testing.assert_array_equal(final.designs, found.history.designs)


def test_a_study_that_exists_or_differs_is_refused(tmp_path: Path) -> None:
    problem = bowl()
    storage = open_storage(str(tmp_path / "s.db"))
    description = describe(problem, "random", 0, {"memory": ["sot"]})
    open_study(storage, "s", problem, description, resume=False)
    with pytest.raises(InputError, match="study 's' exists: give --resume"):
        open_study(storage, "s", problem, description, resume=False)
    for part, other in (("memory", ["stt"]), ("seed", 1), ("method", "tpe")):
        with pytest.raises(InputError, match=f"its {part} is"):
            open_study(storage, "s", problem, description | {part: other}, resume=True)
    open_study(storage, "s", problem, description | {"version": "another"}, resume=True)
    smaller = bowl(axes=(*SIZES[:2], replace(SIZES[2], levels=(1, 2, 4)), KIND))
    with pytest.raises(InputError, match="its space is"):
        open_study(storage, "s", smaller, describe(smaller, "random", 0, {"memory": ["sot"]}), resume=True)


@pytest.mark.parametrize(("url", "error"), [
    ("study.txt", InputError), ("nonsense://x", InputError), ("sqlite:////nowhere/at/all.db", DseError),
    ("journal:////nowhere/at/all.log", DseError),
])
def test_bad_storage_is_one_line(url: str, error: type[DseError], tmp_path: Path) -> None:
    with pytest.raises(error) as caught:
        open_storage(url)
    assert "\n" not in str(caught.value) and url.rpartition("/")[2] in str(caught.value)


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.log"
    path.write_text("not a journal\nat all\n")
    with pytest.raises(InputError, match="not a journal"):
        open_storage(str(path))
    assert path.read_text() == "not a journal\nat all\n"


def command(kind: str, folder: Path, method: str, trials: int) -> list[str]:
    return [
        sys.executable, "-m", "dse", "optimize", *SMALL, "--method", method, "--n-trials", str(trials),
        "--storage", url_of(kind, folder), "--study-name", "s", "--resume", "--format", "json",
    ]


def stored(kind: str, folder: Path) -> list[tuple[tuple[str, object], ...]]:
    """Designs of the complete trials."""
    try:
        study = optuna.load_study(study_name="s", storage=plain(kind, folder))
    except (KeyError, ValueError):
        return []
    complete = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    return [tuple(sorted(trial.params.items())) for trial in complete]


def kill_and_resume(kind: str, folder: Path, method: str, trials: int, kills: int, seed: int) -> None:
    """Kill a search at random moments, resume it, and check that nothing stored is ever lost or doubled."""
    moments = random.Random(seed)
    seen: list[tuple[tuple[str, object], ...]] = []
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = 0
    while done < kills and len(seen) < trials:
        process = subprocess.Popen(
            command(kind, folder, method, trials), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            process.wait(moments.uniform(1.5, 6.0))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        _, complaint = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), complaint
        done += process.returncode != 0
        now = stored(kind, folder)
        assert now[: len(seen)] == seen and len(set(now)) == len(now)
        seen = now
    finished = subprocess.run(
        command(kind, folder, method, trials), env=environment, capture_output=True, timeout=600, check=False
    )
    assert finished.returncode == 0, finished.stderr
    final = stored(kind, folder)
    assert final[: len(seen)] == seen
    assert len(final) == trials == len(set(final))
    if method == "exhaustive":
        assert json.loads(finished.stdout)[0]["value"] == best_of_the_first(trials)


def best_of_the_first(trials: int) -> float:
    """What an exhaustive search that nobody interrupts finds within a budget."""
    problem = dse.caches("sot", "16KB", access="normal")
    return float(run_plan(problem, SearchPlan("exhaustive", trials)).history.evaluations.costs.min())


@pytest.mark.parametrize("kind", [pytest.param("sqlite", marks=pytest.mark.slow), "journal"])
def test_kill_and_resume(kind: str, tmp_path: Path) -> None:
    kill_and_resume(kind, tmp_path, "exhaustive", 60 if kind == "sqlite" else 300, kills=1, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "method"), [("sqlite", "exhaustive"), ("journal", "exhaustive"), ("journal", "local")]
)
def test_twenty_kills(kind: str, method: str, tmp_path: Path) -> None:
    kill_and_resume(kind, tmp_path, method, 1500 if kind == "sqlite" else 8000, kills=20, seed=2)


class SlowLog:
    """Takes a hundredth of a second to write a design."""

    def __init__(self) -> None:
        self.parts: list[int] = []

    def add(self, designs: np.ndarray, _: object) -> None:
        self.parts.append(len(designs))
        time.sleep(0.01 * len(designs))


@pytest.mark.parametrize("method", ["exhaustive", "random", "local"])
def test_a_search_stops_among_the_designs_of_an_ask(method: str) -> None:
    problem = dse.caches("sot", "16KB", access="normal")
    log = SlowLog()
    history = search(
        problem, make_searcher(method, problem, 0), 4000, desk=OwnDesk(problem, log),
        stop=lambda: len(log.parts) == 12,
    )
    assert len(history) == sum(log.parts)
    assert max(log.parts) <= LEASE_SECONDS / 0.01
    assert len(log.parts) == 12


def test_termination_saves_what_there_is(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    arguments = command("journal", tmp_path, "local", 20_000)
    process = subprocess.Popen(
        [*arguments[:-2], "--output", str(tmp_path / "run")], env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, start_new_session=True,
    )
    limit = time.monotonic() + 60
    while not stored("journal", tmp_path) and time.monotonic() < limit:
        time.sleep(0.2)
    process.terminate()
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130, complaint
    assert b"interrupted" in complaint and b"Traceback" not in complaint
    assert main(["verify", str(tmp_path / "run")]) == 0
