"""Tables of shared records: the same rows as a table that repeats them, whatever they hold and however many."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dse import writing
from dse.joined_table import JoinedTable
from dse.problem import SharedRecords, joined_records
from dse.report.tables import write_fronts
from dse.writing import write_csv, write_joined_csv

WORDS = pd.DataFrame({
    "name": ['a "quoted", one', "two\nlines", "", "record\x1eseparator"], "count": [1, 2**53, 3, -4],
    "value": [0.1, np.nan, 1e-300, np.inf],
})
EMPTY = pd.DataFrame({"missing": [None, None], "held": [None, 2.5]})


def some_table(rows: int, seed: int) -> JoinedTable:
    """A table of random rows that share records."""
    rng = np.random.default_rng(seed)
    own = pd.DataFrame({"cost": rng.random(rows), "same": np.full(rows, 1 / 3), "whole": np.arange(rows)})
    return JoinedTable(((WORDS, rng.integers(4, size=rows)), (EMPTY, rng.integers(2, size=rows))), own)


@pytest.mark.parametrize("name", ["front.csv", "front.csv.gz"])
def test_joined_csv_is_that_of_the_whole_table(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "PART", 7)
    tables = [some_table(40, 1), some_table(1, 2), some_table(7, 3)]
    whole = pd.concat([table.frame() for table in tables], ignore_index=True)
    assert whole.columns.tolist() == tables[0].columns
    (tmp_path / "whole").mkdir()
    (tmp_path / "joined").mkdir()
    write_csv(whole, tmp_path / "whole" / name)
    write_joined_csv(tables, tmp_path / "joined" / name)
    frames = [pd.read_csv(tmp_path / kind / name) for kind in ("whole", "joined")]
    pd.testing.assert_frame_equal(*frames)
    if name.endswith(".csv"):
        joined = (tmp_path / "joined" / name).read_bytes()
        quoted = b'"record\x1eseparator"'
        assert quoted in joined  # so that no row ends there
        assert (tmp_path / "whole" / name).read_bytes() == joined.replace(quoted, quoted.strip(b'"'))


def test_fronts_of_other_columns_leave_them_empty(tmp_path: Path) -> None:
    one, other = some_table(5, 1), JoinedTable(((WORDS, np.array([3, 1])),), pd.DataFrame({"cost": [1.0, 2.0]}))
    write_fronts([one, other], tmp_path / "front.csv")
    found = pd.read_csv(tmp_path / "front.csv")
    assert found.columns.tolist() == one.columns
    assert found["cost"].tolist()[5:] == [1.0, 2.0]
    assert found["whole"].isna().tolist() == [False] * 5 + [True] * 2


def test_records_of_several_sets_keep_their_designs() -> None:
    sets = [
        SharedRecords({"word": np.array(["a", "b"], object)}, np.array([1, 0, 1])),
        SharedRecords({"word": np.array(["c"], object)}, np.array([0, 0])),
    ]
    joined = joined_records(sets, [np.array([4, 0, 2]), np.array([1, 3])])
    assert joined.columns["word"][joined.place].tolist() == ["a", "c", "b", "c", "b"]
