"""Leases on designs: many workers on one study in PostgreSQL, each design evaluated and counted once.

Beside Optuna's tables stand two of our own. A worker claims designs before it evaluates them, says every few seconds
that it lives, and writes what it found together with the end of its claim in one transaction. What is claimed by a
worker that was not seen for some time is taken over; whoever finishes first is counted. The study stays one that
Optuna's tools open: its rows are written as Optuna 5.0 writes them (optuna/storages/_rdb/models.py, schema v3.2.0.a,
which is checked), a batch in a few statements where Optuna takes about ninety for one trial.
"""

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dse.errors import DseError
from dse.search.patience import PatientConnection, connect
from dse.search.storage_url import masked
from dse.search.trial_rows import write_trials

if TYPE_CHECKING:
    import psycopg
    from optuna.trial import FrozenTrial

GRACE = 15.0
"""Seconds without a sign of life after which what a worker claimed is taken over."""
BEATS = 6
"""Signs of life within that time."""
LOCK, CLAIMS = 0x647365, 0x647366
"""Keys of advisory locks: on making tables and studies, and on the claims of one study."""
SCHEMA = "v3.2.0.a", 12
"""Alembic revision and schema version of Optuna's tables that rows are written for."""
TABLES = """
create table if not exists dse_worker (
    worker uuid primary key, study integer not null references studies on delete cascade, place integer not null,
    seen timestamptz not null
);
create table if not exists dse_design (
    study integer not null references studies on delete cascade, code text not null, worker uuid,
    done boolean not null default false, trial integer, primary key (study, code)
);
create index if not exists dse_design_open on dse_design (study) where not done;
create index if not exists dse_design_trial on dse_design (study, trial);
"""
JOIN = """
insert into dse_worker(worker, study, place, seen)
select %(worker)s, %(study)s, min(place), now() from generate_series(0, (select count(*)::int from dse_worker)) place
where place not in (
    select place from dse_worker where study = %(study)s and seen > now() - make_interval(secs => %(grace)s)
)
on conflict (worker) do update set seen = now() returning place
"""
BEAT = "update dse_worker set seen = now() where worker = %s"
ADOPT = """
insert into dse_design(study, code, done) select %s, code, true from unnest(%s::text[]) code on conflict do nothing
"""
MINE = "select code from dse_design where study = %(study)s and worker = %(worker)s and not done limit %(count)s"
CLAIM = """
insert into dse_design(study, code, worker)
select %(study)s, wanted.code, %(worker)s from unnest(%(codes)s::text[]) with ordinality wanted(code, place)
where not exists (select from dse_design known where known.study = %(study)s and known.code = wanted.code)
order by place
limit greatest(0, least(%(count)s, %(budget)s - (select count(*) from dse_design where study = %(study)s)))
on conflict do nothing returning code
"""
STEAL = """
update dse_design set worker = %(worker)s where (study, code) in (
    select study, code from dse_design left join dse_worker using (worker, study)
    where study = %(study)s and not done and (seen is null or seen < now() - make_interval(secs => %(grace)s))
    limit %(count)s for update of dse_design skip locked
) returning code
"""
FINISH = """
update dse_design set done = true where study = %s and worker = %s and not done and code = any(%s) returning code
"""
TRIALS = """
update dse_design set trial = made.trial from unnest(%s::text[], %s::int[]) made(code, trial)
where study = %s and dse_design.code = made.code
"""
NEWS = """
select trial, code, value_json from dse_design join trial_user_attributes on trial_id = trial and key = %s
where study = %s and trial > %s order by trial
"""


@dataclass(frozen=True, slots=True)
class News:
    """Designs that were finished, by their codes, with the attribute that was asked for; the `last` trial of them."""

    found: Mapping[str, Any]
    last: int


@contextmanager
def alone(url: str) -> "Iterator[psycopg.Connection[Any]]":
    """While nobody else makes tables or studies in a database: several first starts would each try."""
    connection = connect(url)
    try:
        connection.execute("select pg_advisory_lock(%s)", (LOCK,))
        yield connection
    finally:
        connection.close()


def make_tables(connection: "psycopg.Connection[Any]", url: str) -> None:
    """Make our tables beside Optuna's; raises DseError where these are of another version than is written here."""
    revision = connection.execute("select version_num from alembic_version").fetchone()
    version = connection.execute("select schema_version from version_info").fetchone()
    if revision is None or version is None or (revision[0], version[0]) != SCHEMA:
        found = "unknown" if revision is None else revision[0]
        raise DseError(
            f"--storage {masked(url)}: its tables are of Optuna's schema {found}, and {SCHEMA[0]} is written here: "
            "give a database of Optuna 5.0"
        )
    connection.execute(TABLES)


class Leases:
    """What one worker claims of the designs of a study, up to a `budget` of designs of all workers."""

    def __init__(self, connection: PatientConnection, study: int, *, grace: float = GRACE) -> None:
        self._connection = connection
        self._worker = uuid.uuid4()
        self._own: dict[str, Any] = {"study": study, "worker": self._worker, "grace": grace}
        self._study = study

    def join(self) -> int:
        """Become a worker; returns the least number that no other living worker has."""

        def step(connection: "psycopg.Connection[Any]") -> int:
            with connection.transaction():
                self._lock(connection)
                row = connection.execute(JOIN, self._own).fetchone()
                assert row is not None  # there are more places than workers
                return int(row[0])

        return self._connection.call(step)

    def _lock(self, connection: "psycopg.Connection[Any]") -> None:
        """Until the end of the transaction nobody else claims designs of this study."""
        connection.execute("select pg_advisory_xact_lock(%s, %s)", (CLAIMS, self._study))

    def adopt(self, codes: Sequence[str]) -> None:
        """Count designs as done that the study held before there were leases."""
        self._connection.call(lambda connection: connection.execute(ADOPT, (self._study, list(codes))))

    def claim(self, codes: Sequence[str], count: int, budget: int, stop: Callable[[], bool]) -> list[str]:
        """Up to `count` designs to evaluate: of those wanted the first that are free, else what was left behind.

        Repeating it gives what was claimed before and is not done.
        """
        given = {**self._own, "codes": list(codes), "count": count, "budget": budget}

        def step(connection: "psycopg.Connection[Any]") -> list[str]:
            with connection.transaction():
                self._lock(connection)
                for statement in (MINE, CLAIM, STEAL):
                    found = [str(row[0]) for row in connection.execute(statement, given).fetchall()]
                    if found:
                        return found
            return []

        return self._connection.call(step, stop)

    def finish(self, trials: "Mapping[str, FrozenTrial]", stop: Callable[[], bool]) -> int:
        """Write trials of designs by their codes, those whose lease was not lost; returns their number.

        Repeating it is harmless: what is done stays as it is.
        """

        def step(connection: "psycopg.Connection[Any]") -> int:
            with connection.transaction():
                connection.execute("select from studies where study_id = %s for no key update", (self._study,))
                given = self._study, self._worker, list(trials)
                mine = {row[0] for row in connection.execute(FINISH, given).fetchall()}
                counted = [code for code in trials if code in mine]
                if counted:
                    numbers = write_trials(connection, self._study, [trials[code] for code in counted])
                    connection.execute(TRIALS, (counted, numbers, self._study))
                return len(counted)

        return self._connection.call(step, stop)

    def news(self, attribute: str, since: int, stop: Callable[[], bool]) -> News:
        """What all workers finished after the trial `since`.

        Trials are numbered while their study is locked, so that none of a lower number appears later.
        """
        given = attribute, self._study, since
        rows = self._connection.call(lambda connection: connection.execute(NEWS, given).fetchall(), stop)
        return News({code: json.loads(text) for _, code, text in rows}, rows[-1][0] if rows else since)

    def leave(self) -> None:
        """Give back what is claimed and not done, for others to take at once; a lost connection is no matter."""
        import psycopg

        with suppress(psycopg.Error, DseError):
            connection = self._connection.opened()
            connection.execute("delete from dse_design where worker = %s and not done", (self._worker,))
            connection.execute("delete from dse_worker where worker = %s", (self._worker,))
        self._connection.close()

    @contextmanager
    def alive(self, url: str) -> Iterator[None]:
        """Within it, this worker says that it lives, by a thread and a connection of its own."""
        ended = threading.Event()
        every = float(self._own["grace"]) / BEATS
        thread = threading.Thread(target=_beat, args=(url, self._worker, every, ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(timeout=1)
            self.leave()


def _beat(url: str, worker: uuid.UUID, every: float, ended: threading.Event) -> None:
    """Say every few seconds that a worker lives, by the clock of the server; a lost connection is opened anew."""
    import psycopg

    connection: psycopg.Connection[Any] | None = None
    while not ended.wait(every):
        try:
            if connection is None or connection.closed:
                connection = connect(url)
            connection.execute(BEAT, (worker,))
        except psycopg.Error:
            connection = None
    if connection is not None:
        connection.close()
