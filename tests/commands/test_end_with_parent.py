"""No process of a command lives for two seconds after the command itself, however that ended."""

import os
import signal
import subprocess
import sys
import time
from importlib.resources import files
from itertools import product
from pathlib import Path

import psutil
import pytest
from sampling import one_in

from dse.parallel import end_with_parent

GRACE = 2.0
"""Seconds within which everything is over."""
PATIENCE = 120.0
"""Seconds within which a command has started its workers, on a busy machine."""
CALIBRATION = files("dse.studies.cache.calibration") / "data"
LARGE = ("--memory", "sram,stt,sot", "--capacity", "8MB", "--jobs", "2")
COMMANDS = {
    "optimize": ("optimize", *LARGE),
    "pareto": ("pareto", *LARGE),
    "study": ("study", "run", "algorithm1-gap", "--jobs", "2"),
    "calibrate": (
        "calibrate", str(CALIBRATION / "deepnvmpp.csv"), str(CALIBRATION / "deepnvmpp.toml"), "--jobs", "2",
    ),
}


def started(arguments: tuple[str, ...], folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "dse", *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, env=os.environ | {"DSE_RESULTS": "off"},
    )


def busy_workers(command: "subprocess.Popen[bytes]", count: int = 2) -> list[psutil.Process]:
    """Workers of a command, once so many of them compute."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert command.poll() is None, "the command ended before it had workers"
        workers = psutil.Process(command.pid).children(recursive=True)
        if sum(one.cpu_times().user > 0.2 for one in workers) >= count:
            return workers
        time.sleep(0.05)
    raise AssertionError("no workers")


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize(("name", "number"), one_in(3, product(COMMANDS, (signal.SIGTERM, signal.SIGKILL))))
def test_no_worker_outlives_its_command(name: str, number: signal.Signals, tmp_path: Path) -> None:
    command = started(COMMANDS[name], tmp_path)
    try:
        workers = busy_workers(command)
        command.send_signal(number)
        end = time.monotonic() + GRACE
        command.wait(GRACE)
        while living(workers) and time.monotonic() < end:
            time.sleep(0.05)
        assert not living(workers)
    finally:
        os.killpg(command.pid, signal.SIGKILL) if command.poll() is None else None
        command.wait()


def test_a_process_that_nobody_started_has_no_parent_to_end_with() -> None:
    with pytest.raises(RuntimeError, match="started by no other"):
        end_with_parent()
