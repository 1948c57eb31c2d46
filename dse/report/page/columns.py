"""Columns of a page: numbers and words of designs, packed small enough to travel inside HTML."""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dse.report.units import shown_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class PageColumn:
    """One column (n,) of a page: `values` are words or numbers in SI `unit`; exact ones keep all their digits."""

    name: str
    label: str
    unit: str
    values: np.ndarray
    exact: bool = True


def packed(columns: Sequence[PageColumn], head: dict[str, Any]) -> bytes:
    """The length of a head of JSON [4 bytes], the head with where each column stands, and the columns' bytes."""
    blobs: list[bytes] = []
    described = []
    start = 0
    for column in columns:
        entry, blob = _column(column)
        described.append({**entry, "start": start})
        blobs.append(blob + b"\0" * (-len(blob) % 8))
        start += len(blobs[-1])
    text = json.dumps({**head, "columns": described}, allow_nan=False).encode()
    text += b" " * (-(len(text) + 4) % 8)
    return struct.pack("<I", len(text)) + text + b"".join(blobs)


def _column(column: PageColumn) -> tuple[dict[str, Any], bytes]:
    """What a page knows of a column, and its bytes: words and few different numbers by their place in a list."""
    entry: dict[str, Any] = {"name": column.name, "label": column.label, "unit": column.unit}
    values = column.values
    if values.dtype.kind not in "iufb":
        codes, words = pd.factorize(pd.Series(values).astype(str), sort=False)
        kind = _least_kind(len(words))
        return entry | {"words": list(words), "kind": kind}, codes.astype(f"<{kind}").tobytes()
    numbers = values.astype(float)
    factor, unit = shown_unit(numbers, column.unit)
    entry |= {"factor": factor, "shown": unit}
    different, codes = np.unique(numbers, return_inverse=True)
    if len(different) <= max(256, len(numbers) // 8) and np.isfinite(different).all():
        kind = _least_kind(len(different))
        return entry | {"numbers": different.tolist(), "kind": kind}, codes.astype(f"<{kind}").tobytes()
    kind = "f8" if column.exact else "f4"
    return entry | {"kind": kind}, numbers.astype(f"<{kind}").tobytes()


def _least_kind(count: int) -> str:
    """The shortest type that holds numbers below a count."""
    return "u1" if count <= 1 << 8 else "u2" if count <= 1 << 16 else "u4"
