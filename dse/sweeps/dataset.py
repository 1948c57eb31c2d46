"""The folder of a sweep: one Parquet file per case, whole or absent, so that the files say what is left to do."""

import os
import socket
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import DseError, InputError

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX, BEGUN = ".parquet", ".begun"
FILES, LOCK = "cases", ".lock"
MOST_VALUES = 10_000_000
"""Values in a case's file; more is no file of ours."""
READERS = 4


@dataclass(frozen=True, slots=True)
class Dataset:
    """Answers of cases in a folder, by the names of the cases."""

    folder: Path

    def path(self, name: str) -> str:
        """File of a case."""
        return os.path.join(self.folder, FILES, name[:2], f"{name}{SUFFIX}")

    def done(self, name: str) -> bool:
        """Whether a case is done."""
        return os.path.exists(self.path(name))

    def _begun(self, name: str) -> str:
        """File that says that this thread of this process has begun a case, and into which it is written."""
        mark = f".{name}.{socket.gethostname()}.{os.getpid()}.{threading.get_ident()}{BEGUN}"
        return os.path.join(self.folder, FILES, name[:2], mark)

    def begin(self, name: str) -> None:
        """Note that a case is begun."""
        path = self._begun(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666))

    def write(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the answers of a case."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        data = pa.BufferOutputStream()
        names = dict.fromkeys(name for row in rows for name in row)
        pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in names}), data)
        path = self._begun(name)
        try:
            with open(path, "wb") as file:
                file.write(data.getvalue())
            os.replace(path, self.path(name))
        except OSError:
            with suppress(OSError):
                os.unlink(path)
            raise

    def written(self) -> set[str]:
        """Names of the cases that are done."""
        return {name.removesuffix(SUFFIX) for _, name in self._names() if name.endswith(SUFFIX) and name[0] != "."}

    def take_begun(self, of: Collection[str] | None = None) -> set[str]:
        """Names of the cases, of all or some, that were begun and not done; their marks are removed.

        Whoever works on one all the same writes it all the same.
        """
        found = set()
        for folder, file in self._names():
            name = file.split(".")[1] if file.endswith(BEGUN) else ""
            if name and (of is None or name in of):
                Path(folder, file).unlink(missing_ok=True)
                found.add(name)
        return found

    def _names(self) -> Iterator[tuple[str, str]]:
        """Folder and name of every file of cases."""
        top = self.folder / FILES
        for entry in os.scandir(top) if top.is_dir() else ():
            if entry.is_dir():
                yield from ((entry.path, name) for name in os.listdir(entry.path))

    def read(self, names: Iterable[str]) -> "pa.Table":
        """Answers of cases that are done, in order; columns that some of them lack are empty there."""
        import pyarrow as pa

        with ThreadPoolExecutor(READERS) as readers:
            tables = list(readers.map(self._read, names))
        if not tables:
            return pa.table({})
        return pa.concat_tables(tables, promote_options="permissive")

    def _read(self, name: str) -> "pa.Table":
        """Answers of one case. Raises InputError for a file that is none of ours."""
        import pyarrow.parquet as pq
        from pyarrow import ArrowException

        path = self.path(name)
        try:
            with pq.ParquetFile(path) as file:
                if file.metadata.num_rows * file.metadata.num_columns > MOST_VALUES:
                    raise InputError("is too large for a case of a sweep: remove it", file=path)
                return file.read()
        except (OSError, ArrowException, ValueError) as error:
            raise InputError(f"is no case of a sweep, remove it: {str(error).splitlines()[0]}", file=path) from None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within it no other run works on the folder. Raises InputError where one does."""
        try:
            (self.folder / FILES).mkdir(parents=True, exist_ok=True)
            lock = open(self.folder / LOCK, "w", encoding="utf-8")  # noqa: SIM115
        except OSError as error:
            raise DseError(f"{self.folder}: cannot be written: {error.strerror}") from None
        with lock:
            _lock(lock.fileno(), self.folder)
            yield


def _lock(descriptor: int, folder: Path) -> None:
    """Take a lock that ends with this process, where the system has such locks."""
    try:
        from fcntl import LOCK_EX, LOCK_NB, flock
    except ImportError:
        return
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        raise InputError(f"{folder}: another run works on this sweep") from None


def missing(dataset: Dataset, names: Collection[str]) -> list[str]:
    """Names of cases that are not done, in order."""
    done = dataset.written()
    return [name for name in names if name not in done]
