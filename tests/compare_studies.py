"""Compare the tables of studies with earlier ones, to the last digit.

    python tests/compare_studies.py BEFORE AFTER [--ignore COLUMN ...]

Both are folders of CSV files as ``dse study run`` writes them. Each table of AFTER must be there BEFORE with the same
rows, columns and text, but for columns of time and those to ignore. Says what differs, and exits with status 1 if
anything does. Tables that only BEFORE has are named, and no difference: a study need not be run again.
"""

import argparse
import csv
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

TIMES = ("seconds", "cpu_seconds")
"""Columns that no two runs share."""
MOST_SHOWN = 10
"""Differences of a table that are written out."""

Rows = list[dict[str, str]]


def rows_of(path: Path, ignored: Collection[str]) -> Rows:
    """Rows of a table as text, without the ignored columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: text for name, text in row.items() if name not in ignored} for row in csv.DictReader(file)]


def differences(before: Rows, after: Rows) -> Iterator[str]:
    """What sets two tables apart, cell by cell where they have the same shape."""
    old, new = (list(rows[0]) if rows else [] for rows in (before, after))
    if old != new:
        missing, added = [name for name in old if name not in new], [name for name in new if name not in old]
        yield f"columns differ: {', '.join(missing) or 'none'} gone, {', '.join(added) or 'none'} new"
    if len(before) != len(after):
        yield f"{len(before)} rows before, {len(after)} after"
        return
    for number, (one, other) in enumerate(zip(before, after, strict=True), 2):
        for name in old:
            if name in other and one[name] != other[name]:
                apart = relative(one[name], other[name])
                yield f"line {number}, {name}: {one[name]} before, {other[name]} after{apart}"


def relative(before: str, after: str) -> str:
    """How far two numbers are apart; empty for anything else."""
    try:
        old, new = float(before), float(after)
    except ValueError:
        return ""
    return f" ({new / old - 1:+.1e})" if old else ""


def compare(before: Path, after: Path, ignored: Collection[str]) -> dict[str, list[str]]:
    """Differences by table of `after`."""
    found = {}
    for path in sorted(after.glob("*.csv")):
        earlier = before / path.name
        if not earlier.is_file():
            found[path.name] = ["no such table before"]
            continue
        found[path.name] = list(differences(rows_of(earlier, ignored), rows_of(path, ignored)))
    return found


def main(arguments: list[str]) -> int:
    """Compare two folders as asked on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--ignore", action="append", default=[], metavar="COLUMN")
    given = parser.parse_args(arguments)
    found = compare(given.before, given.after, {*TIMES, *given.ignore})
    if not found:
        parser.error(f"no table in {given.after}")
    for name, apart in found.items():
        print(f"{name}: {f'{len(apart)} differences' if apart else 'the same'}")
        for line in apart[:MOST_SHOWN]:
            print(f"  {line}")
    for name in sorted({path.name for path in given.before.glob("*.csv")} - found.keys()):
        print(f"{name}: not run again")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
