"""NVSim's own search on whole explorations: the same winners with the same figures, and the same counts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dse.objectives.array.evaluation.design import EvaluatedDesign
from dse.objectives.array.hierarchy.array import METRIC_COLUMNS
from dse.objectives.cache.baselines.nvsim import CacheSearch, search_cache
from dse.objectives.cache.nvsim_files.configuration import TARGETS, read_configuration
from dse.objectives.cache.specification import CacheSpec, spec_from_configuration
from dse.spaces.array.organization import BankChoice, MatChoice

REFERENCE = Path(__file__).parents[1] / "reference"
SUMMARY = pd.read_csv(REFERENCE / "best" / "summary.csv").set_index("name")
RELATIVE_TOLERANCE = 1e-12


@pytest.fixture(scope="module", params=SUMMARY.index)
def explored(request: pytest.FixtureRequest) -> tuple[str, CacheSpec, CacheSearch]:
    """Name, specification and search of a whole exploration."""
    spec = spec_from_configuration(read_configuration(REFERENCE / f"{request.param}.cfg"))
    return request.param, spec, search_cache(spec)


def active(choice: BankChoice | MatChoice, level: str) -> np.ndarray:
    """Mats of a bank or subarrays of a mat that an access activates."""
    return getattr(choice, f"active_{level}_rows") * getattr(choice, f"active_{level}_cols")


def compare(row: pd.Series, winner: EvaluatedDesign) -> None:
    """Compare a winner with NVSim's: everything but figures is equal, figures are close."""
    found = winner.to_row()
    context = f"{row.kind} of the {row.memory_type} array"
    assert set(found) == set(row.index) - {"kind"}
    same = [name for name in found if name not in METRIC_COLUMNS]
    assert {name: found[name] for name in same} == {name: row[name] for name in same}, context
    for name in METRIC_COLUMNS:
        assert found[name] == pytest.approx(row[name], rel=RELATIVE_TOLERANCE, abs=0), f"{name} of {context}"


def test_winners(explored: tuple[str, CacheSpec, CacheSearch]) -> None:
    name, _, search = explored
    rows = pd.read_csv(REFERENCE / "best" / f"{name}.csv.gz")
    compared = set()
    for _, row in rows.iterrows():
        array = search[row.memory_type]
        target = row.kind.removeprefix("best_").removeprefix("basic_wire_")
        compare(row, (array.basic if "basic_wire" in row.kind else array.winners)[target])
        compared.add((row.memory_type, row.kind))
    kinds = [f"best_{stage}{target}" for stage in ("basic_wire_", "") for target in TARGETS]
    assert compared == {(array, kind) for array in search for kind in kinds}


def test_counts(explored: tuple[str, CacheSpec, CacheSearch]) -> None:
    name, spec, search = explored
    assert set(search) == {memory_type for memory_type, _ in spec.arrays}
    for memory_type, result in search.items():
        assert result.valid == SUMMARY.loc[name, f"{memory_type}_valid"]
        assert result.tried == SUMMARY.loc[name, f"{memory_type}_tried"]


def test_every_exploration_is_in_the_summary() -> None:
    files = {path.name.removesuffix(".csv.gz") for path in (REFERENCE / "best").glob("*.csv.gz")}
    assert files == set(SUMMARY.index)
    assert len(files) == 8
