"""Lists of what there is, for other programs and for documents."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dse.markdown_table import markdown_rows
from dse.writing import JSON, MARKDOWN

Entry = Mapping[str, str | int | float | Sequence[str | int | float] | None]
"""What is said of one thing, by the names of columns."""


@dataclass(frozen=True, slots=True)
class Section:
    """Entries of one kind, all with the same `columns`, under a `name` as programs take it."""

    name: str
    columns: Sequence[str]
    entries: Sequence[Entry]


def print_list(columns: Sequence[str], entries: Sequence[Entry], form: str) -> None:
    """Print entries as JSON, Markdown or CSV."""
    rows = [[_cell(entry[name]) for name in columns] for entry in entries]
    if form == JSON:
        print(json.dumps(entries, indent=2, ensure_ascii=False))
    elif form == MARKDOWN:
        print(markdown_rows([_words(name) for name in columns], rows), end="")
    else:
        csv.writer(sys.stdout, lineterminator="\n").writerows([columns, *rows])


def print_sections(sections: Sequence[Section], form: str) -> None:
    """Print entries of several kinds: a JSON object of lists, Markdown tables under headings, or one CSV table."""
    if form == JSON:
        print(json.dumps({one.name: one.entries for one in sections}, indent=2, ensure_ascii=False))
    elif form == MARKDOWN:
        for place, one in enumerate(sections):
            print(("\n" if place else "") + f"## {_words(one.name).capitalize()}\n")
            print_list(one.columns, one.entries, form)
    else:
        columns = list(dict.fromkeys(["section", *(name for one in sections for name in one.columns)]))
        print_list(columns, [
            {name: None for name in columns} | {"section": one.name} | dict(entry)
            for one in sections for entry in one.entries
        ], form)


def _words(name: str) -> str:
    """A name of a program as people write it."""
    return name.replace("_", " ")


def _cell(value: str | int | float | Sequence[str | int | float] | None) -> str | int | float | None:
    """What a table shows of a value: levels one after the other."""
    return value if isinstance(value, str | int | float) or value is None else ", ".join(map(str, value))
