"""Columns of records, and the distinct records among them against a sort of whole rows."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse import batch
from dse.batch import Batch, Floats, Ints, distinct


@dataclass(frozen=True, slots=True)
class Rows(Batch):
    """Records of two columns."""

    count: Ints
    size: Floats


ROWS = Rows(np.array([3, 1, 2]), np.array([0.5, 0.25, 0.125]))
records = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, -0.0, 1.5, 1e-300]), st.booleans()), min_size=1)


def test_columns() -> None:
    assert list(ROWS.to_columns()) == ["count", "size"]
    assert ROWS.to_columns()["size"] is ROWS.size
    assert len(ROWS) == 3
    assert len(Rows(np.array([7]), np.zeros(5))) == 5


@pytest.mark.parametrize("rows", [np.array([2, 0]), np.array([True, False, True]), slice(0, 3, 2)])
def test_take(rows: Ints) -> None:
    taken = ROWS.take(rows)
    assert sorted(zip(taken.count.tolist(), taken.size.tolist(), strict=True)) == [(2, 0.125), (3, 0.5)]


def check_distinct(rows: list[tuple[int, float, bool]]) -> int:
    """Check that equal records share a representative; return how many there are."""
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    representatives, numbers = distinct(*columns)
    for column in columns:
        np.testing.assert_array_equal(column[representatives][numbers], column)
    return len(representatives)


@given(records)
def test_distinct(rows: list[tuple[int, float, bool]]) -> None:
    assert check_distinct(rows) == len(set(rows))


@pytest.mark.parametrize("rows", [[(1, 0.0, True), (1, 1.5, False), (1, -0.0, True)], [(2, 0.0, False)]])
def test_records_that_share_a_hash_are_told_apart(
    rows: list[tuple[int, float, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_hash", lambda columns: np.zeros(len(columns[0]), np.uint64))
    assert check_distinct(rows) == len(rows)


def test_many_records_are_few_when_distinct() -> None:
    """Numbers as they come: small integers, and lengths that differ in the last digits."""
    generator = np.random.default_rng(1)
    columns = [generator.integers(0, 64, 20_000), generator.integers(0, 9, 20_000) * 1e-9 + 1e-6]
    assert len(distinct(*columns)[0]) == 64 * 9
