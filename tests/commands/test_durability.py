"""Full disks, closed and full streams, signals: one line and a status, every file whole or absent."""

import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dse.cli import main
from dse.report.run import is_run, read_run
from dse.writing import ABANDONED, exchange_names, prefix_of_temporaries, write_text

ROOT = Path(__file__).parents[2]
SMALL = ["optimize", "--memory", "sot", "--capacity", "16KB", "--access", "normal"]
SEARCH = [*SMALL, "--method", "random", "--n-trials", "40", "--no-certificate"]
PRINTING = ["technology list", " ".join([*SEARCH, "--format", "json"])]
"""Commands that print by rich, and plainly."""
DSE = f"{sys.executable} -m dse"


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """No file may grow beyond some bytes, as where a disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("output", ["run", "x.json", "x.csv", "x.parquet", "x.toml"])
def test_a_full_disk_leaves_no_part_of_a_result(
    output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with full_after(100):
        assert main([*SEARCH, "--output", str(tmp_path / output)]) == 1
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1 and "cannot be written" in complaint and "File too large" in complaint
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_run_that_was_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, kept = str(tmp_path / "run"), ["--storage", str(tmp_path / "s.log"), "--study-name", "s", "--resume"]
    assert main([*SEARCH, *kept, "--output", run]) == 0
    with full_after(30_000):
        assert main([*SEARCH, *kept, "--output", run, "--n-trials", "41"]) == 1
    assert main(["verify", run]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "s.log"]
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(("name", "size"), [
    ("s.db", 10_000), pytest.param("s.db", 250_000, marks=pytest.mark.slow), ("s.log", 100), ("s.log", 20_000),
])
def test_a_full_disk_keeps_what_a_study_has(
    name: str, size: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the search goes on once there is room."""
    kept = ["--storage", str(tmp_path / name), "--study-name", "s", "--resume", "--seed", "3"]
    with full_after(size):
        status = main([*SEARCH, *kept, "--n-trials", "120"])
    complaint = capsys.readouterr().err
    assert status == 1, complaint
    assert complaint.count("\n") == 1 and ("cannot be kept" in complaint or "cannot be opened" in complaint)
    assert main([*SEARCH, *kept, "--n-trials", "20", "--format", "json"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a line of bash does."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("command", PRINTING)
@pytest.mark.parametrize(("where", "status", "reason"), [
    ("> /dev/full", 1, "standard output cannot be written: No space left on device"),
    (">&-", 1, "standard output cannot be written: Bad file descriptor"),
])
def test_output_that_cannot_be_written(command: str, where: str, status: int, reason: str, tmp_path: Path) -> None:
    done = shell(f"{DSE} {command} {where}", tmp_path)
    complaints = [line for line in done.stderr.splitlines() if "optimized: 1 of 1" not in line]
    assert (done.returncode, complaints) == (status, [f"dse: {reason}"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["2> /dev/full", "2>&-"])
def test_remarks_that_cannot_be_written_are_lost(where: str, tmp_path: Path) -> None:
    done = shell(f"{DSE} {' '.join(SEARCH)} --format csv --storage s.log {where}", tmp_path)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 2
    assert shell(f"{DSE} technology show nonsense {where}", tmp_path).returncode == 2


@pytest.mark.parametrize("command", PRINTING)
def test_a_reader_that_has_seen_enough_is_no_failure(command: str, tmp_path: Path) -> None:
    done = shell(f"({DSE} {command}; echo status $? >&2) | true", tmp_path)
    assert [line for line in done.stderr.splitlines() if "optimized: 1 of 1" not in line] == ["status 0"]


def test_an_interrupted_exact_search_says_what_is_left(tmp_path: Path) -> None:
    """A termination ends it at once; what was found before is there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dse", "optimize", "--memory", "sot", "--capacity", "16KB,32MB,64MB", "--jobs", "1",
         "--output", "x.json"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while "proven by bounds, after" not in process.stderr.readline():
        assert process.poll() is None
    process.terminate()
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130, complaint
    last = complaint.splitlines()[-1]
    told = re.fullmatch(r"dse: interrupted: ([0-2]) of 3 problems are answered, the others start again", last)
    assert told is not None, last
    assert [path.name for path in tmp_path.iterdir()] == (["x.json"] if told[1] != "0" else [])


REPLACING = """
import sys
from dataclasses import replace
from pathlib import Path
from dse.report.run import read_run, write_run
folder = Path(sys.argv[1])
run = read_run(folder)
print("ready", flush=True)
for number in range(10**9):
    write_run(folder, replace(run, config={**run.config, "number": number}))
"""


def test_a_run_is_whole_whenever_its_writer_is_killed(tmp_path: Path) -> None:
    if not can_exchange(tmp_path):
        pytest.skip("names cannot be exchanged on this file system")
    folder = tmp_path / "run"
    assert main([*SEARCH, "--output", str(folder)]) == 0
    moments = random.Random(1)
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", REPLACING, str(folder)], env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE, text=True,
        )
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        looked = time.monotonic() + moments.uniform(0.2, 0.6)
        while time.monotonic() < looked:
            assert is_run(folder) or is_run(folder), "a reader finds a run at every moment"
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        read_run(folder)


def test_what_a_killed_writer_left_goes_with_the_next_that_writes(tmp_path: Path) -> None:
    out, run = tmp_path / "out.txt", tmp_path / "run"
    old, older, new = (tmp_path / f"{prefix_of_temporaries(path)}{name}" for path, name in
                       [(out, "a.txt"), (run, "b"), (out, "c.txt")])
    own = tmp_path / ".out.txt.swp"  # of an editor
    older.mkdir()
    for path in (old, older / "front.csv", new, own):
        path.write_text("", encoding="utf-8")
    for path in (old, older, own):
        os.utime(path, (time.time() - 2 * ABANDONED,) * 2)
    write_text(out, "text")
    assert main([*SEARCH, "--output", str(run)]) == 0
    assert sorted(tmp_path.iterdir()) == sorted([new, own, out, run])


def can_exchange(folder: Path) -> bool:
    one, other = folder / "one", folder / "other"
    one.mkdir()
    other.write_text("", encoding="utf-8")
    exchanged = exchange_names(one, other) and one.is_file()
    for path in (one, other):
        path.unlink() if path.is_file() else path.rmdir()
    return exchanged
