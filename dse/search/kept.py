"""Answers of exact searches kept on disk, so that none is searched twice: each as it is done, by content.

An answer belongs to what its question holds and to the sources of the package (dse.digest.content_digest): whatever
changes either asks anew. Environment variable DSE_RESULTS names the folder, ``off`` keeps nothing.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from platformdirs import user_cache_path

from dse.digest import UnknownContentError, content_digest
from dse.errors import DseError
from dse.notice import detail, notice

VARIABLE = "DSE_RESULTS"
OFF = "off"
MOST = 256 << 20
"""Bytes that are kept; what was used least recently goes first."""
LARGEST = 64 << 20
"""Bytes of one answer."""
STALE = 24 * 3600.0
"""Seconds after which a temporary file is nobody's."""
FORMAT = 1

T = TypeVar("T")


def array_data(array: np.ndarray) -> list[Any]:
    """An array as JSON data."""
    return [list(array.shape), array.ravel().tolist()]


def array_of(data: Sequence[Any], kind: type) -> np.ndarray:
    """An array of numbers of some kind from JSON data."""
    shape, values = data
    return np.array(values, kind).reshape(shape)


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """How an answer is written as JSON data, and read."""

    write: Callable[[T], Any]
    read: Callable[[Any], T]


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What is known of a kept answer: its file, what was asked, seconds that it took, bytes, time of last use [s]."""

    path: Path
    what: str
    seconds: float
    size: int
    used: float


@dataclass(frozen=True, slots=True)
class Kept:
    """Answers in a folder, at most so many bytes of them; one file each, whole or absent."""

    folder: Path
    most: int = MOST

    def answer(self, what: str, asked: Sequence[object], form: Form[T], compute: Callable[[], T]) -> T:
        """What was answered before to the same question, `asked`, else what is computed now, and kept.

        A question whose content cannot be told, and an answer that cannot be written, are not kept.
        """
        try:
            path = self.folder / f"{content_digest(*asked)}.json"
        except UnknownContentError:
            return compute()
        known = _read(path)
        if known is not None:
            try:
                answer = form.read(known["answer"])
            except (KeyError, TypeError, ValueError):
                pass  # of another format: asked anew
            else:
                _touch(path)
                detail(f"{what}: kept, took {float(known.get('seconds', 0.0)):.2f} s before")
                if parent_process() is None:  # said once, not by every worker
                    notice("answers kept from before are used where nothing changed (dse results)")
                return answer
        start = time.perf_counter()
        answer = compute()
        self._write(path, {
            "format": FORMAT, "what": what, "seconds": time.perf_counter() - start, "answer": form.write(answer),
        })
        return answer

    def _write(self, path: Path, record: dict[str, Any]) -> None:
        """Keep an answer; say so once where that fails, since what was asked is answered all the same."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".tmp")
            try:
                with open(handle, "w", encoding="utf-8") as file:
                    json.dump(record, file)
                os.replace(name, path)
            except BaseException:
                os.unlink(name)
                raise
            self._make_room()
        except OSError as error:
            notice(f"{self.folder}: answers are not kept: {error.strerror}")

    def _make_room(self) -> None:
        """Remove the answers that were used least recently, until what is left fits, and stale temporary files."""
        found = sorted(self._files(), key=lambda one: -one[1].st_mtime)
        left = self.most
        for path, stat in found:
            left -= stat.st_size
            if left < 0 or (path.suffix == ".tmp" and time.time() - stat.st_mtime > STALE):
                path.unlink(missing_ok=True)

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        """Files of the folder, those that are being written too."""
        found = []
        for entry in os.scandir(self.folder) if self.folder.is_dir() else ():
            try:
                if entry.name.endswith((".json", ".tmp")) and entry.is_file(follow_symlinks=False):
                    found.append((Path(entry.path), entry.stat()))
            except FileNotFoundError:
                continue  # another process has removed it
        return found

    def answers(self) -> list[KeptAnswer]:
        """What is kept, used last first."""
        found = []
        for path, stat in sorted(self._files(), key=lambda one: -one[1].st_mtime):
            known = _read(path) if path.suffix == ".json" else None
            if known is not None:
                found.append(KeptAnswer(
                    path=path, what=str(known.get("what", "")), seconds=float(known.get("seconds", 0.0)),
                    size=stat.st_size, used=stat.st_mtime,
                ))
        return found

    def clear(self) -> int:
        """Remove everything; returns how many answers that were."""
        count = 0
        for path, _ in self._files():
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise DseError(f"{path}: cannot be removed: {error.strerror}") from None
            count += path.suffix == ".json"
        return count


def _read(path: Path) -> dict[str, Any] | None:
    """The record in a file; None where there is none that can be understood."""
    try:
        if path.stat().st_size > LARGEST:
            return None
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and record.get("format") == FORMAT else None


def _touch(path: Path) -> None:
    """Note that an answer was used."""
    try:
        os.utime(path)
    except OSError:
        return  # gone, or not ours


def users_answers() -> Kept | None:
    """The answers kept for this user, where the environment says so; None where nothing is kept."""
    named = os.environ.get(VARIABLE)
    if named is None:
        return Kept(user_cache_path("nvm-dse", appauthor=False) / "results")
    return None if named in ("", OFF) else Kept(Path(named))


def kept(what: str, asked: Sequence[object], form: Form[T], compute: Callable[[], T]) -> T:
    """The answer to a question as `Kept.answer` gives it, from what is kept for this user."""
    answers = users_answers()
    return compute() if answers is None else answers.answer(what, asked, form, compute)
