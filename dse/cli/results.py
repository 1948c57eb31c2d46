"""``dse results list`` and ``dse results clear``: answers of exact searches that are kept from one run to the next."""

from datetime import datetime

from rich.markup import escape
from rich.table import Table

from dse.cli.console import make_console
from dse.cli.destination import TABLE
from dse.cli.listing import print_list
from dse.search.kept import VARIABLE, Kept, users_answers


def _kept() -> Kept | None:
    """What is kept; where nothing is, that is said."""
    kept = users_answers()
    if kept is None:
        print(f"nothing is kept: {VARIABLE} says so")
    return kept


def show(form: str) -> None:
    """Print the answers that are kept, used last first, and where."""
    if form != TABLE:
        users = users_answers()
        print_list(("last_used", "seconds", "bytes", "asked"), [] if users is None else [
            {"last_used": datetime.fromtimestamp(one.used).isoformat(timespec="seconds"), "seconds": one.seconds,
             "bytes": one.size, "asked": one.what} for one in users.answers()
        ], form)
        return
    kept = _kept()
    if kept is None:
        return
    answers = kept.answers()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("last used", "took", "bytes", ""):
        table.add_column(heading, overflow="fold")
    for one in answers:
        used = datetime.fromtimestamp(one.used).strftime("%Y-%m-%d %H:%M")
        table.add_row(used, f"{one.seconds:.1f} s", f"{one.size:,}", escape(one.what))
    console = make_console()
    if answers:
        console.print(table)
    size = sum(one.size for one in answers)
    console.print(f"{len(answers)} answers, {size:,} of at most {kept.most:,} bytes, in {kept.folder}", markup=False)


def clear() -> None:
    """Remove all answers that are kept."""
    kept = _kept()
    if kept is not None:
        print(f"removed {kept.clear()} answers from {kept.folder}")
