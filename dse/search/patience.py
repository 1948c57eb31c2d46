"""A connection to PostgreSQL that outlives the server: each step is tried again until it is up, for a minute."""

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from dse.errors import DseError, InterruptionError
from dse.notice import notice
from dse.search.storage_url import masked

if TYPE_CHECKING:
    import psycopg

PATIENCE = 60.0
"""Seconds for which a lost connection is tried again."""
CONNECT_SECONDS = 5
PAUSE = 0.1, 0.3
"""Least and most seconds between two tries."""

T = TypeVar("T")


def connect(url: str) -> "psycopg.Connection[Any]":
    """A connection of its own, each statement a transaction unless one is opened."""
    import psycopg
    from sqlalchemy.engine import make_url

    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True, connect_timeout=CONNECT_SECONDS)


class Outage:
    """The loss of a connection, once it comes: waits a moment at each try, and for no longer than `patience` [s]."""

    def __init__(self, url: str, patience: float = PATIENCE, stop: Callable[[], bool] = lambda: False) -> None:
        self._place = masked(url)
        self._patience = patience
        self._stop = stop
        self._since: float | None = None

    def wait(self, error: Exception) -> None:
        """Wait before the next try; the first time, one line on standard error says why.

        Raises DseError where this has lasted too long, InterruptionError where `stop` says so.
        """
        now = time.monotonic()
        if self._since is None:
            self._since = now
            lost = f"connection lost at {time.strftime('%H:%M:%S')} ({first_line(error)})"
            notice(f"{self._place}: {lost}: tried again for {self._patience:g} s")
        if self._stop():
            raise InterruptionError("interrupted while the connection to the storage was lost")
        if now - self._since > self._patience:
            raise DseError(f"--storage {self._place}: no connection for {self._patience:g} s: {first_line(error)}")
        time.sleep(random.uniform(*PAUSE))


class PatientConnection:
    """One connection, opened anew when it is lost."""

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        self._url = url
        self._patience = patience
        self._connection: psycopg.Connection[Any] | None = None

    def call(self, step: "Callable[[psycopg.Connection[Any]], T]", stop: Callable[[], bool] = lambda: False) -> T:
        """What a step gives; it is repeated where the connection is lost, so that repeating it must be harmless.

        Raises DseError where the loss lasts, and for any other refusal of the server; InterruptionError where `stop`
        says so meanwhile.
        """
        import psycopg

        outage = Outage(self._url, self._patience, stop)
        while True:
            try:
                return step(self.opened())
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                self.close()
                outage.wait(error)
            except psycopg.Error as error:
                raise DseError(f"--storage {masked(self._url)}: {first_line(error)}") from None

    def opened(self) -> "psycopg.Connection[Any]":
        """The connection, opened if it is not."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url)
        return self._connection

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def patiently(url: str, step: Callable[[], T]) -> T:
    """What a step of Optuna or SQLAlchemy gives; it is repeated where the connection is lost."""
    import psycopg
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import OperationalError

    outage = Outage(url)
    while True:
        try:
            return step()
        except (StorageInternalError, OperationalError, psycopg.OperationalError) as error:
            outage.wait(error)


def first_line(error: Exception) -> str:
    """What an error says first; where it came of another one, what that one says: the database's own words."""
    text = str(getattr(error.__cause__, "orig", None) or error.__cause__ or error).strip()
    return text.splitlines()[0] if text else type(error).__name__
