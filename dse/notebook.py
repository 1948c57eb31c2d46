"""What notebooks show of results: a line, and the first rows of a table."""

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 10
"""Rows of a table that a notebook shows."""
SHOWN_COLUMNS = 20
"""Columns, of the first and last ones."""


def notebook_html(thing: object, table: "pd.DataFrame", rows: int = SHOWN) -> str:
    """HTML of a result: what it says of itself in a line, and rows of a table."""
    shown = table.head(rows).to_html(float_format="{:.5g}".format, max_cols=SHOWN_COLUMNS, notebook=True)
    return f"<p>{escape(repr(thing))}</p>{shown}"
