"""What notebooks show of results: a line, and the first rows of a table."""

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 10
"""Rows of a table that a notebook shows."""


def notebook_html(thing: object, table: "pd.DataFrame", rows: int = SHOWN) -> str:
    """HTML of a result: what it says of itself in a line, and rows of a table."""
    return f"<p>{escape(repr(thing))}</p>{table.head(rows)._repr_html_()}"  # type: ignore[operator]
