"""What tests of sweeps share: a family that takes its time, commands on it, a Dask cluster, and who lives."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import tomli_w

PACKAGE = Path(__file__).parent / "slow_package"
PATIENCE = 120.0
"""Seconds within which a cluster is up, on a busy machine."""
Command = subprocess.Popen[str]


def environment() -> dict[str, str]:
    """Variables of processes that know the family."""
    return os.environ | {"DSE_RESULTS": "off", "PYTHONPATH": str(PACKAGE), "OMP_NUM_THREADS": "1"}


def write_sweep(folder: Path, options: Mapping[str, Any], grid: Mapping[str, Any]) -> Path:
    path = folder / "sweep.toml"
    path.write_text(tomli_w.dumps({"family": "slow", "options": dict(options), "grid": dict(grid)}))
    return path


def start(*arguments: object) -> Command:
    return subprocess.Popen(
        [sys.executable, "-m", "dse", "sweep", *map(str, arguments)], env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests may run with it ignored
    )


def done(*arguments: object) -> tuple[int, str, str]:
    command = start(*arguments)
    out, err = command.communicate()
    return command.returncode, out, err


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def below(pid: int) -> list[psutil.Process]:
    """Processes that a command has started, and those that these have."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def pool_workers(pid: int) -> list[psutil.Process]:
    """Processes that compute: those that were forked from one that a command has started."""
    try:
        return [worker for one in psutil.Process(pid).children() for worker in one.children()]
    except psutil.NoSuchProcess:
        return []


@dataclass
class Cluster:
    """A Dask scheduler and workers on this machine."""

    folder: Path
    count: int = 2
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    scheduler: "subprocess.Popen[bytes] | None" = None
    address: str = ""

    def __enter__(self) -> "Cluster":
        self.start_scheduler(0)
        for _ in range(self.count):
            self.start_worker()
        return self

    def start_scheduler(self, port: int) -> None:
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        self.scheduler = self._start(
            "dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show",
            "--scheduler-file", str(file),
        )
        end = time.monotonic() + PATIENCE
        while not (file.is_file() and file.stat().st_size):
            assert self.scheduler.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]

    def start_worker(self) -> None:
        self.workers.append(self._start(
            "dask_worker", self.address, "--nworkers", "1", "--nthreads", "1", "--no-nanny", "--no-dashboard",
            "--host", "127.0.0.1", "--local-directory", str(self.folder),
        ))

    def kill_worker(self, place: int) -> None:
        worker = self.workers.pop(place)
        worker.kill()
        worker.wait()

    def kill_scheduler(self) -> None:
        assert self.scheduler is not None
        self.scheduler.kill()
        self.scheduler.wait()

    def _start(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *arguments], env=environment(), cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None:
                process.send_signal(signal.SIGKILL)
                process.wait()
