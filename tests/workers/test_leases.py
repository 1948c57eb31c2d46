"""Leases on a real PostgreSQL: each design once, whoever loses what; and what Optuna reads of it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState
from postgres import Postgres
from sampling import one_in
from slow_problem import Slow, small_bowl, work
from sqlalchemy.pool import NullPool

from dse.errors import DseError
from dse.search.evaluation import evaluate
from dse.search.lease import SCHEMA, Leases
from dse.search.patience import PatientConnection, connect
from dse.search.plan import SearchPlan, run_plan
from dse.search.storage import open_storage
from dse.search.study_log import METRICS, StudyLog, open_study
from dse.spaces.space import code

SIZE = 192


def never() -> bool:
    return False


def log_of(postgres: Postgres, study: str, problem: object = None) -> StudyLog:
    return open_study(open_storage(postgres.url), study, problem or small_bowl(), {"space": "bowl"}, resume=True)


Join = Callable[..., Leases]
"""Makes a worker of a study, which leaves after the test."""


@pytest.fixture
def join(postgres: Postgres) -> Iterator[Join]:
    with ExitStack() as leaving:

        def one(log: StudyLog, grace: float = 15.0, patience: float = 60.0) -> Leases:
            leases = Leases(PatientConnection(postgres.url, patience), log.number, grace=grace)
            leaving.callback(leases.leave)
            return leases

        yield one


def joined(leases: Leases) -> Leases:
    leases.join()
    return leases


def plain(postgres: Postgres, study: str) -> optuna.Study:
    """A study as plain Optuna opens it."""
    storage = optuna.storages.RDBStorage(postgres.url, engine_kwargs={"poolclass": NullPool})
    return optuna.load_study(study_name=study, storage=storage)


def fields(trial: optuna.trial.FrozenTrial) -> tuple[object, ...]:
    """All of a trial that does not depend on when it was written."""
    attributes = str(trial.user_attrs), trial.system_attrs
    return trial.number, trial.state, str(trial.values), trial.params, trial.distributions, *attributes


def test_optuna_reads_what_it_would_have_written(postgres: Postgres, study: str, join: Join) -> None:
    """Several objectives, constraints, infinite and undefined values: the rows of Optuna's own add_trial."""
    problem = small_bowl("cost", "size", limit=9.0)
    log = log_of(postgres, study, problem)
    designs = problem.space.sample(30, np.random.default_rng(0))
    designs = np.unique(designs, axis=0)
    evaluations = evaluate(problem, designs)
    evaluations.costs[1] = np.nan
    evaluations.costs[2] = np.inf, -np.inf
    trials = dict(zip(map(str, code(problem.space.axes, designs)), log.trials(designs, evaluations), strict=True))
    leases = joined(join(log))
    leases.claim(list(trials), len(trials), len(trials), never)
    assert leases.finish(trials, never) == len(trials)
    other = log_of(postgres, f"{study}-plain", problem)
    other.add(designs, evaluations)
    ours, optunas = plain(postgres, study).get_trials(), plain(postgres, f"{study}-plain").get_trials()
    assert list(map(fields, ours)) == list(map(fields, optunas))
    assert {trial.state for trial in ours} == {TrialState.COMPLETE, TrialState.FAIL}
    assert all(trial.datetime_complete is not None for trial in ours)
    study_of_ours = plain(postgres, study)
    study_of_ours.add_trial(replace_number(ours[0]))
    assert [trial.number for trial in plain(postgres, study).get_trials()] == list(range(len(trials) + 1))


def replace_number(trial: optuna.trial.FrozenTrial) -> optuna.trial.FrozenTrial:
    return optuna.create_trial(params=trial.params, distributions=trial.distributions, values=trial.values)


def test_a_claim_is_for_one_worker_within_the_budget(postgres: Postgres, study: str, join: Join) -> None:
    log = log_of(postgres, study)
    one, other = joined(join(log)), joined(join(log))
    assert one.claim(["1", "2", "3"], 2, 4, never) == ["1", "2"]
    assert one.claim(["7"], 2, 4, never) == ["1", "2"], "what is claimed and not done comes first"
    assert other.claim(["1", "2", "3", "4", "5"], 9, 4, never) == ["3", "4"]
    one.leave()
    assert other.claim(["9"], 9, 4, never) == ["3", "4"]
    third = joined(join(log))
    assert third.claim(["1", "8", "9"], 9, 4, never) == ["1", "8"], "what was given back is free"


def test_a_lost_lease_is_taken_over_and_counted_once(postgres: Postgres, study: str, join: Join) -> None:
    problem = small_bowl()
    log = log_of(postgres, study, problem)
    design = problem.space.sample(1, np.random.default_rng(0))
    number = str(code(problem.space.axes, design)[0])
    trials = {number: log.trials(design, evaluate(problem, design))[0]}
    slow, quick = joined(join(log, grace=0.5)), joined(join(log, grace=0.5))
    assert slow.claim([number], 1, 10, never) == [number]
    assert quick.claim([number], 1, 10, never) == []
    time.sleep(0.7)
    assert quick.claim([number], 1, 10, never) == [number]
    assert slow.finish(trials, never) == 0
    assert quick.finish(trials, never) == 1
    assert quick.finish(trials, never) == 0 == slow.finish(trials, never)
    assert len(plain(postgres, study).trials) == 1
    assert list(quick.news(METRICS, -1, never).found) == [number]


def test_living_workers_have_places_of_their_own(postgres: Postgres, study: str, join: Join) -> None:
    log = log_of(postgres, study)
    workers = [join(log, grace=0.5) for _ in range(3)]
    assert [worker.join() for worker in workers] == [0, 1, 2]
    workers[1].leave()
    assert join(log, grace=0.5).join() == 1
    time.sleep(0.7)
    assert join(log, grace=0.5).join() == 0


def search_together(postgres: Postgres, study: str, slows: Sequence[Slow], plan: SearchPlan) -> list[int]:
    """Designs in the history of each worker."""
    lengths: list[int] = []

    def one(slow: Slow) -> None:
        lengths.append(len(work(postgres.url, study, slow, plan, grace=3.0).history))

    threads = [threading.Thread(target=one, args=(slow,)) for slow in slows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    return lengths


@pytest.mark.parametrize(("method", "budget"), one_in(2, [
    ("exhaustive", SIZE), ("exhaustive", 100), ("random", SIZE), ("local", 80), ("nsga2", 90), ("tpe", 30),
]))
def test_workers_share_a_study(postgres: Postgres, study: str, method: str, budget: int) -> None:
    slows = [Slow(0.004) for _ in range(3)]
    assert search_together(postgres, study, slows, SearchPlan(method, budget)) == [budget] * 3
    numbers = [number for slow in slows for number in slow.evaluated]
    assert len(numbers) == len(set(numbers)) == budget
    assert sum(1 for slow in slows if slow.evaluated) >= 2
    trials = plain(postgres, study).get_trials()
    assert [trial.number for trial in trials] == list(range(budget))
    assert len({tuple(trial.params.values()) for trial in trials}) == budget
    if budget == SIZE:
        assert plain(postgres, study).best_value == small_bowl().optimum


def test_one_worker_finds_what_a_search_without_a_storage_finds(postgres: Postgres, study: str) -> None:
    plan = SearchPlan("local", 60, seed=3)
    found = work(postgres.url, study, Slow(), plan)
    alone = run_plan(small_bowl(), plan)
    assert set(map(tuple, found.history.designs.tolist())) == set(map(tuple, alone.history.designs.tolist()))
    assert found.history.counts == alone.history.counts


def test_a_study_of_before_goes_on_with_leases(postgres: Postgres, study: str) -> None:
    log = log_of(postgres, study)
    run_plan(small_bowl(), SearchPlan("random", 50), log)
    slow = Slow()
    found = work(postgres.url, study, slow, SearchPlan("random", 120))
    assert (found.resumed, len(found.history), found.own, len(slow.evaluated)) == (50, 120, 70, 70)
    assert len({tuple(trial.params.values()) for trial in plain(postgres, study).trials}) == 120


def test_the_server_crashes(postgres: Postgres, study: str, caplog: pytest.LogCaptureFixture) -> None:
    """Designs are counted once all the same, and one line tells of it."""
    slow = Slow(0.02)
    thread = threading.Thread(target=work, args=(postgres.url, study, slow, SearchPlan("random", 150)))
    thread.start()
    limit = time.monotonic() + 60
    while len(slow.evaluated) < 20 and time.monotonic() < limit:
        time.sleep(0.02)
    postgres.crash()
    thread.join(timeout=60)
    assert not thread.is_alive()
    trials = plain(postgres, study).get_trials()
    assert [trial.number for trial in trials] == list(range(150))
    assert len({tuple(trial.params.values()) for trial in trials}) == 150
    told = [record.message for record in caplog.records if record.name == "dse"]
    assert len(told) == 1 and "connection lost" in told[0] and "tried again for 60 s" in told[0]


def test_a_server_that_stays_away_is_one_line(postgres: Postgres, study: str, join: Join) -> None:
    log = log_of(postgres, study)
    leases = join(log, patience=1.0)
    leases.join()
    postgres.stop()
    try:
        with pytest.raises(DseError, match="no connection for 1 s") as caught:
            leases.claim(["1"], 1, 1, never)
        assert "\n" not in str(caught.value)
    finally:
        postgres.start()
    assert leases.claim(["1"], 1, 1, never) == ["1"]


def fresh_database(postgres: Postgres, name: str) -> str:
    """URL of an empty database."""
    with connect(postgres.url) as connection:
        connection.execute(f'create database "{name}"')
    return postgres.url.rpartition("/")[0] + f"/{name}"


def test_several_first_starts(postgres: Postgres, study: str) -> None:
    url = fresh_database(postgres, study)
    failures: list[Exception] = []

    def start() -> None:
        try:
            open_study(open_storage(url), "s", small_bowl(), {"space": "bowl"}, resume=True)
        except Exception as error:  # whatever it is, the test tells it
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert optuna.get_all_study_names(open_storage(url)) == ["s"]


def test_another_schema_is_refused(postgres: Postgres, study: str) -> None:
    url = fresh_database(postgres, study)
    open_storage(url)
    with connect(url) as connection:
        assert connection.execute("select version_num from alembic_version").fetchone() == (SCHEMA[0],)
        connection.execute("update version_info set schema_version = 13")
    with pytest.raises(DseError, match="schema"):
        open_storage(url)


def test_a_deleted_study_takes_its_leases_along(postgres: Postgres, study: str) -> None:
    work(postgres.url, study, Slow(), SearchPlan("random", 10))
    number = log_of(postgres, study).number
    optuna.delete_study(study_name=study, storage=open_storage(postgres.url))
    with connect(postgres.url) as connection:
        left = connection.execute("select count(*) from dse_design where study = %s", (number,)).fetchone()
    assert left == (0,)
