"""Storages of Optuna by URL or file name, opened so that every refusal is one line that tells no password."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import optuna
from optuna.storages import BaseStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock, JournalStorage

from dse.errors import DseError, InputError
from dse.search.patience import first_line
from dse.search.storage_url import is_shared, masked, postgresql_url, without_templates

LOCK_SECONDS = 5
"""Age at which the lock of a journal counts as left behind by a killed process."""
JOURNAL_SUFFIXES = (".log", ".journal")
DATABASE_SUFFIXES = (".db", ".sqlite", ".sqlite3")
SQLITE = "sqlite:///"
JOURNAL = "journal://"
IN_USE = ".in-use"
"""Ending of the file that says that a process searches in a storage."""


def open_storage(text: str) -> BaseStorage:
    """Storage of a URL or file name; raises InputError where it is neither, DseError where it cannot be opened."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if is_shared(text):
        return _open_shared(postgresql_url(text))
    path = storage_file(text)
    if path is None:
        return _open_database(text)
    if text.startswith(JOURNAL) or (path.endswith(JOURNAL_SUFFIXES) and not text.startswith(SQLITE)):
        return _open_journal(path)
    return _open_database(text if text.startswith("sqlite") else f"{SQLITE}{path}")


def storage_file(text: str) -> str | None:
    """The file that a storage is kept in; None where it is a server's."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        if os.path.splitext(text)[1] in DATABASE_SUFFIXES + JOURNAL_SUFFIXES:
            return text
        raise InputError(
            f"--storage {text}: give sqlite:///FILE.db, journal:///FILE.log, the URL of a database, "
            "or a file that ends in .db, .log or .journal"
        )
    if scheme == "journal":
        return rest.removeprefix("/") if rest.startswith("//") else rest.lstrip("/")
    if scheme.partition("+")[0] == "sqlite":
        return rest.removeprefix("/").partition("?")[0] or None
    return None


def _open_shared(url: str) -> BaseStorage:
    """A database of PostgreSQL with Optuna's tables and ours in it, made by one process at a time."""
    try:
        import psycopg
    except ImportError:
        raise InputError(
            f"--storage {masked(url)}: needs the package psycopg, which is not installed: "
            "pip install 'nvm-dse[postgresql]'"
        ) from None
    from dse.search.lease import alone, make_tables

    try:
        with alone(url) as connection:
            storage = _open_database(url)
            make_tables(connection, url)
            return storage
    except psycopg.ProgrammingError as error:
        raise InputError(f"--storage {masked(url)}: {first_line(error)}") from None
    except psycopg.Error as error:
        raise DseError(f"--storage {masked(url)}: cannot be opened: {first_line(error)}") from None
    except ValueError:
        raise _no_database(url) from None


def _no_database(url: str) -> InputError:
    """A URL that cannot be read; what could not be read is not told: it may be part of a password."""
    return InputError(
        f"--storage {masked(url)}: is no URL of a database: give postgresql+psycopg://USER@HOST:PORT/DATABASE, "
        "sqlite:///FILE.db or journal:///FILE.log"
    )


def _open_database(url: str) -> BaseStorage:
    """A database."""
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    # a connection for each use: what a server that crashed left in a pool would fail later
    options = {"poolclass": NullPool} if is_shared(url) else {}
    try:
        return RDBStorage(without_templates(url), engine_kwargs=options)
    except (ArgumentError, ValueError):
        raise _no_database(url) from None
    except ImportError as error:
        raise InputError(
            f"--storage {masked(url)}: needs the package {error.name or 'of its driver'}, which is not installed"
        ) from None
    except (SQLAlchemyError, optuna.exceptions.OptunaError, RuntimeError) as error:
        raise DseError(f"--storage {masked(url)}: cannot be opened: {first_line(error)}") from None


def _open_journal(path: str) -> BaseStorage:
    """A journal; a line that a killed process left half-written at its end is cut off."""
    lock = JournalFileSymlinkLock(path, grace_period=LOCK_SECONDS)
    try:
        backend = JournalFileBackend(path, lock_obj=lock)
        _cut_torn_line(path, lock)
        return JournalStorage(backend)
    except OSError as error:
        raise DseError(f"--storage {path}: cannot be opened: {error.strerror}") from None
    except ValueError:
        raise InputError(f"--storage {path}: is not a journal of Optuna") from None


def _cut_torn_line(path: str, lock: JournalFileSymlinkLock) -> None:
    """Cut off what follows the last line end of a file."""
    with open(path, "rb") as file:
        data = file.read()
    whole = data.rfind(b"\n") + 1
    if whole == len(data):
        return
    lock.acquire()
    try:
        with open(path, "r+b") as file:
            file.truncate(file.read().rfind(b"\n") + 1)
    finally:
        lock.release()


@contextmanager
def sole_user(text: str) -> Iterator[None]:
    """While this process searches in a storage that is a file; raises InputError where another process does.

    Two processes would evaluate and keep every design twice, and wait for each other's locks.
    """
    path = None if is_shared(text) else storage_file(text)
    if path is None or sys.platform == "win32":
        yield
        return
    import fcntl

    mark = f"{path}{IN_USE}"
    try:
        handle = _marked(mark)
    except BlockingIOError:
        raise InputError(
            f"--storage {text}: another process searches in it, and a file is for one process: several search one "
            "study together in PostgreSQL, --storage postgresql+psycopg://USER@HOST/DATABASE"
        ) from None
    except OSError as error:
        raise DseError(f"--storage {text}: cannot be opened: {error.strerror}") from None
    try:
        yield
    finally:
        os.unlink(mark)
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def _marked(mark: str) -> int:
    """An open file that this process alone has locked, and that still has its name."""
    import fcntl

    while True:
        handle = os.open(mark, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.exists(mark) and os.path.samestat(os.fstat(handle), os.stat(mark)):
                return handle
        except OSError:
            os.close(handle)
            raise
        os.close(handle)
