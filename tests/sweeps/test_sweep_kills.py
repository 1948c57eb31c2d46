"""A sweep whose workers and runner are killed again and again ends with the rows of one that nobody disturbed."""

import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import psutil
import pytest
from cluster import Cluster, Command, below, done, living, pool_workers, start, write_sweep

GRACE = 2.0
"""Seconds within which nothing of a killed command lives."""
CLOCKS = 50_000_000
"""Nanoseconds that the clock of files may be behind."""
PATIENCE = 900.0


@dataclass
class Disturbed:
    """A sweep while it is disturbed; `seen`: when each file was written, as first seen."""

    file: Path
    log: Path
    cluster: Cluster | None
    seen: dict[str, int] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.file.with_suffix("")

    def start(self) -> Command:
        where = ["--jobs", "2"] if self.cluster is None else ["--scheduler", self.cluster.address]
        return start(self.file, *where)

    def look(self) -> int:
        """Number of files written; none that was seen was written again."""
        now = {path.name: path.stat().st_mtime_ns for path in self.folder.rglob("*.parquet")}
        assert {name: now.get(name) for name in self.seen} == self.seen
        self.seen = now
        return len(now)

    def kill_runner(self, runner: Command) -> Command:
        """Kill the command; nothing of it lives soon after."""
        children = below(runner.pid)
        runner.kill()
        runner.communicate()
        end = time.monotonic() + GRACE
        while living(children) and time.monotonic() < end:
            time.sleep(0.02)
        assert not living(children)
        return self.start()

    def kill_worker(self, runner: Command, chance: random.Random) -> bool:
        """Kill one that computes; whether there was one."""
        if self.cluster is not None:
            self.cluster.kill_worker(chance.randrange(2))
            self.cluster.start_worker()
            return True
        workers = pool_workers(runner.pid)
        if not workers:
            return False
        try:
            chance.choice(workers).kill()
        except psutil.NoSuchProcess:
            return False
        return True

    def starts(self) -> dict[int, list[int]]:
        """When each case was begun."""
        found: dict[int, list[int]] = {}
        for line in self.log.read_text().splitlines():
            number, when = map(int, line.split())
            found.setdefault(number, []).append(when)
        return found


def disturb(sweep: Disturbed, kills: int, total: int) -> int:
    """Kill workers, two of three times, or the runner, until the sweep is done; returns how many were killed."""
    chance, killed, end = random.Random(3), 0, time.monotonic() + PATIENCE
    runner = sweep.start()
    try:
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.1, 0.8))
            count = sweep.look()
            if runner.poll() is not None:
                _, err = runner.communicate()
                assert runner.returncode == 0, err
                assert count == total
                return killed
            if killed < kills and count:
                if chance.random() < 2 / 3:
                    killed += sweep.kill_worker(runner, chance)
                else:
                    runner = sweep.kill_runner(runner)
                    killed += 1
    finally:
        runner.kill()
        runner.communicate()
    raise AssertionError(f"{sweep.look()} of {total} cases in time")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.mark.parametrize("dask", [False, True], ids=["processes", "dask"])
@pytest.mark.parametrize(
    ("total", "kills", "seconds"), [(120, 5, 0.05), pytest.param(1000, 50, 0.05, marks=pytest.mark.slow)]
)
def test_a_sweep_survives_the_death_of_workers_and_runner(
    total: int, kills: int, seconds: float, dask: bool, tmp_path: Path, stack: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = tmp_path / "starts"
    monkeypatch.setenv("SLOW_LOG", str(log))
    file = write_sweep(tmp_path, {"seconds": seconds}, {"number": list(range(total))})
    sweep = Disturbed(file, log, stack.enter_context(Cluster(tmp_path)) if dask else None)
    killed = disturb(sweep, kills, total)
    assert killed >= kills
    starts = sweep.starts()
    assert starts.keys() == set(range(total))
    status, _out, _ = done("collect", file, "--output", tmp_path / "all.csv")
    assert status == 0
    rows = pd.read_csv(tmp_path / "all.csv")
    assert rows["number"].tolist() == list(range(total))
    expected = [1 + min((level + number) % 7 for level in range(4)) / 3 for number in range(total)]
    assert rows["value"].tolist() == pytest.approx(expected, rel=1e-15)
    assert rows["error"].isna().all()
    written = {path.name: path.stat().st_mtime_ns for path in sweep.folder.rglob("*.parquet")}
    assert len(written) == total and written == sweep.seen
    last = max(map(max, starts.values()))
    assert last < max(written.values()) + CLOCKS
    again = {number: times for number, times in starts.items() if len(times) > 1}
    assert sum(len(times) - 1 for times in again.values()) <= 4 * killed  # those that were running, at most
    assert not list(sweep.folder.rglob("*.begun"))


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_an_interrupted_sweep_ends_at_once_and_goes_on(number: signal.Signals, tmp_path: Path) -> None:
    file = write_sweep(tmp_path, {"seconds": 0.2}, {"number": list(range(30))})
    runner = start(file, "--jobs", "2")
    while not list(tmp_path.rglob("*.parquet")):
        assert runner.poll() is None
        time.sleep(0.02)
    children = below(runner.pid)
    runner.send_signal(number)
    end = time.monotonic() + GRACE
    _, err = runner.communicate()
    while living(children) and time.monotonic() < end:
        time.sleep(0.02)
    assert not living(children)
    if number == signal.SIGINT:
        assert runner.returncode == 130
        (line,) = [line for line in err.splitlines() if line.startswith("dse: ")]
        assert "the same command goes on" in line
        assert "Traceback" not in err
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    assert 0 < len(before) < 30
    status, out, _ = done(file, "--jobs", "2")
    assert status == 0 and out.startswith("30 of 30 cases are done")
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    assert after.items() >= before.items()


def test_a_killed_scheduler_ends_the_sweep_in_one_line_and_it_goes_on(tmp_path: Path) -> None:
    file = write_sweep(tmp_path, {"seconds": 0.1}, {"number": list(range(20))})
    with Cluster(tmp_path, count=1) as cluster:
        runner = start(file, "--scheduler", cluster.address)
        while not list(tmp_path.rglob("*.parquet")):
            assert runner.poll() is None
            time.sleep(0.02)
        cluster.kill_scheduler()
        _, err = runner.communicate(timeout=60)
        assert runner.returncode == 1
        told = [line for line in err.splitlines() if not line.startswith("cases:")]
        assert len(told) == 1 and "is gone: " in told[0] and "the same command goes on" in told[0], err
    with Cluster(tmp_path, count=1) as cluster:
        status, out, _ = done(file, "--scheduler", cluster.address)
    assert status == 0 and out.startswith("20 of 20 cases are done")


@pytest.mark.parametrize(
    "dask", [pytest.param(False, id="processes"), pytest.param(True, marks=pytest.mark.slow, id="dask")]
)
def test_a_case_that_kills_its_process_is_left_out(dask: bool, tmp_path: Path, stack: ExitStack) -> None:
    file = write_sweep(tmp_path, {}, {"number": [1, 2, 3, 4], "how": ["works", "kills"]})
    where: list[object] = ["--jobs", "2"]
    if dask:
        cluster = stack.enter_context(Cluster(tmp_path))
        where = ["--scheduler", cluster.address]
    runner = start(file, *where)
    while runner.poll() is None:
        if dask:
            for place in [place for place, one in enumerate(cluster.workers) if one.poll() is not None]:
                cluster.kill_worker(place)
                cluster.start_worker()
                break
        time.sleep(0.05)
    out, err = runner.communicate()
    assert runner.returncode == 1
    assert "4 cases were left out" in err and "how=kills: killed the process" in err
    assert "4 of 8 cases are done" in out
    left = pd.read_csv(file.with_suffix("") / "left-out.csv")
    assert sorted(left["number"]) == [1, 2, 3, 4] and set(left["how"]) == {"kills"}
    status, printed, _ = done("collect", file)
    assert status == 0 and len(printed.splitlines()) == 5


def test_two_runs_of_a_sweep_do_not_mix(tmp_path: Path) -> None:
    file = write_sweep(tmp_path, {"seconds": 0.1}, {"number": list(range(30))})
    first = start(file, "--jobs", "1")
    while not list(tmp_path.rglob("*.parquet")):
        time.sleep(0.02)
    status, _, err = done(file)
    assert status == 2 and "another run works on this sweep" in err
    first.kill()
    first.communicate()
