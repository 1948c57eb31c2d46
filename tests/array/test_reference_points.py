"""Every design of the reference points: valid where NVSim accepts it, and every figure as NVSim computes it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.hierarchy.array import METRIC_COLUMNS, Evaluation, evaluate
from dse.objectives.cache.nvsim_files.configuration import read_configuration
from dse.objectives.cache.specification import spec_from_configuration
from dse.spaces.array.organization import BUFFER_DESIGNS, BankChoice, MatChoice
from dse.spaces.array.wires import WireChoice

REFERENCE = Path(__file__).parents[1] / "reference"
POINTS = sorted((REFERENCE / "points").glob("*.csv.gz"))
WIRE_COLUMNS = [f"{side}_{part}" for side in ("local", "global") for part in ("wire_type", "repeater", "low_swing")]
RELATIVE_TOLERANCE = 1e-12
"""A thousandth of what the specification asks for: they agree to the last digit where this was written."""


def evaluate_rows(rows: pd.DataFrame, problem: ArrayChoice) -> Evaluation:
    """Evaluate rows that share their wires."""
    coded = rows.assign(buffer_design=rows.buffer_design.map(BUFFER_DESIGNS.index))
    banks, mats = (
        kind(*(coded[name].to_numpy(np.int64) for name in kind.__dataclass_fields__))
        for kind in (BankChoice, MatChoice)
    )
    local_type, local_repeater, local_swing, global_type, global_repeater, global_swing = rows[WIRE_COLUMNS].iloc[0]
    local = WireChoice(local_type, local_repeater, local_swing == "Yes")
    global_ = WireChoice(global_type, global_repeater, global_swing == "Yes")
    return evaluate(banks, mats, problem.spec, problem.fabric, local, global_)


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.slow)], ids=["sample", "all"])
@pytest.mark.parametrize("path", POINTS, ids=lambda path: path.name.removesuffix(".csv.gz"))
def test_points(path: Path, every: int) -> None:
    """One point in a few always, all of them among the slow tests."""
    configuration = read_configuration(REFERENCE / f"{path.name.removesuffix('.csv.gz')}.cfg")
    arrays = dict(spec_from_configuration(configuration).arrays)
    points = pd.read_csv(path).iloc[::every]
    assert set(points.memory_type) == set(arrays)
    for (memory_type, *_), rows in points.groupby(["memory_type", *WIRE_COLUMNS]):
        result = evaluate_rows(rows, arrays[memory_type])
        valid = rows.valid.to_numpy() == 1
        np.testing.assert_array_equal(result.valid, valid)
        assert np.isnan(list(result.metrics.values()))[:, ~valid].all()
        for name, values in (("block_bits", result.block_bits), ("bank_capacity_bits", result.capacity_bits)):
            np.testing.assert_array_equal(values[valid], rows[name].to_numpy()[valid], err_msg=name)
        assert (rows.associativity == arrays[memory_type].spec.associativity).all()
        for name in METRIC_COLUMNS:
            np.testing.assert_allclose(
                result.metrics[name][valid], rows[name].to_numpy(float)[valid], rtol=RELATIVE_TOLERANCE, atol=0,
                err_msg=name,
            )


def test_every_configuration_with_points_is_tested() -> None:
    assert len(POINTS) == 24


def test_every_figure_of_the_files_is_compared() -> None:
    columns = set(pd.read_csv(POINTS[0], nrows=1).columns)
    other = {*BankChoice.__dataclass_fields__, *MatChoice.__dataclass_fields__, *WIRE_COLUMNS}
    sizes = {"memory_type", "valid", "bank_capacity_bits", "block_bits", "associativity"}
    assert columns == other | sizes | set(METRIC_COLUMNS)
