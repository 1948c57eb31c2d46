"""Lists of what there is, for other programs and for documents."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence

from dse.markdown_table import markdown_rows
from dse.writing import JSON, MARKDOWN

Entry = Mapping[str, str | int | float]
"""What is said of one thing, by the names of columns."""


def print_list(columns: Sequence[str], entries: Sequence[Entry], form: str) -> None:
    """Print entries as JSON, Markdown or CSV."""
    rows = [[entry[name] for name in columns] for entry in entries]
    if form == JSON:
        print(json.dumps(entries, indent=2, ensure_ascii=False))
    elif form == MARKDOWN:
        print(markdown_rows([name.replace("_", " ") for name in columns], rows), end="")
    else:
        csv.writer(sys.stdout, lineterminator="\n").writerows([columns, *rows])
