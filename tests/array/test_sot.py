"""SOT-MRAM cells: MRAM to the digit where one transistor serves both paths, two MRAM subarrays in one elsewhere."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from sampling import one_in

from dse.errors import InputError
from dse.objectives.array.cells.lines import lines
from dse.objectives.array.cells.resistive import access
from dse.objectives.array.cells.two_path import read_path, write_path
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.signal import SHARP_RAMP
from dse.objectives.array.given.cell import Cell, load_cell, read_cell
from dse.objectives.array.given.technology import load_technology
from dse.objectives.array.hierarchy.array import Fabric, block_bits, evaluate
from dse.objectives.array.hierarchy.subarray import Subarray, subarray
from dse.objectives.array.hierarchy.subarray_timing import subarray_timing
from dse.objectives.cache.nvsim_files.configuration import check_cell, read_configuration
from dse.objectives.cache.specification import specs_by_access
from dse.spaces.array.enumeration import enumerate_array
from dse.spaces.array.mat import MatGeometry, mat_geometry
from dse.spaces.array.spec import ACCESS_TYPES
from dse.spaces.array.wires import BASIC_GLOBAL, BASIC_LOCAL, WireChoice

MRAM = load_cell("sot_deepnvm")
SHARED = replace(MRAM, kind="SOTMRAM")
SEPARATE = replace(
    SHARED, separate_paths=True, access_width_f=1.5, write_access_width_f=4.5, heavy_metal_resistance=1000.0
)
TECHNOLOGY = load_technology(22, "HP", 350)
LOCAL, GLOBAL = (WireChoice(name, "RepeatedNone", False) for name in (BASIC_LOCAL, BASIC_GLOBAL))
WAYS = 16
"""Ways that share a write."""
REFERENCE = Path(__file__).parents[1] / "reference"


def arrays(capacity: int, access: str, cell: Cell):  # type: ignore[no-untyped-def]
    """Data and tag array of a cache."""
    (spec,) = specs_by_access(memory="sot", capacity=capacity, technology=TECHNOLOGY, cell=cell, access=[access])
    return [array for _, array in spec.arrays]


def sample(problem, count: int, seed: int):  # type: ignore[no-untyped-def]
    """Random banks and mats among those whose integers are legal."""
    enumeration = enumerate_array(
        problem.spec, problem.ranges, problem.fabric.route,
        tags_cover_ways=problem.fabric.quirks.tag_columns_cover_ways,
    )
    rng = np.random.default_rng(seed)
    groups = list(enumeration.groups)
    codes = []
    for place in rng.integers(len(groups), size=count):
        group = groups[place]
        position = next(enumeration.legal_mats([group.key])).position
        if len(position):
            codes.append(enumeration.code(rng.choice(group.banks), rng.choice(position)))
    return enumeration.designs(np.array(codes))


@pytest.mark.parametrize(("capacity", "access"), one_in(4, product((512 << 10, 3 << 20), ACCESS_TYPES)))
def test_one_transistor_for_both_paths_is_mram_to_the_digit(capacity: int, access: str) -> None:
    compared = 0
    for problem in arrays(capacity, access, MRAM):
        banks, mats = sample(problem, 400, seed=capacity % 97)
        for local in (LOCAL, replace(LOCAL, type="SemiConservative")):
            one = evaluate(banks, mats, problem.spec, problem.fabric, local, GLOBAL)
            shared = replace(problem.fabric, cell=SHARED)
            other = evaluate(banks, mats, problem.spec, shared, local, GLOBAL)
            assert np.array_equal(one.valid, other.valid)
            compared += int(one.valid.sum())
            for name, values in one.metrics.items():
                assert np.array_equal(values, other.metrics[name], equal_nan=True), name
    assert compared > 100


def subarrays(count: int = 300) -> MatGeometry:
    """Random legal subarrays of a data array."""
    problem = next(iter(arrays(1 << 20, "normal", MRAM)))
    banks, mats = sample(problem, count, seed=5)
    routing = problem.fabric.route(banks, block_bits(banks, mats, problem.spec), problem.spec)
    geometry, kept = mat_geometry(
        routing.address_bits, routing.data_bits, routing.ways, mats, problem.spec, tags_cover_ways=True
    )
    return geometry.take(np.flatnonzero(kept.all(axis=0)))


def circuit(cell: Cell) -> Circuit:
    """A data array's circuit options with NVSim's basic wires."""
    problem = next(iter(arrays(1 << 20, "normal", cell)))
    return Fabric(TECHNOLOGY, cell).circuit(problem.spec, LOCAL)


def read_cell_of(cell: Cell) -> Cell:
    """The MRAM cell with the read transistor of `cell`, whose bitlines carry the read current alone."""
    current = cell.read_power / TECHNOLOGY.vdd
    return replace(MRAM, access_width_f=cell.access_width_f, set_current=current, reset_current=current)


def write_cell_of(cell: Cell) -> Cell:
    """The MRAM cell with the write transistor of `cell` in series with its heavy metal."""
    one = replace(MRAM, access_width_f=cell.write_access_width_f)
    series = cell.heavy_metal_resistance + access(one, TECHNOLOGY).resistance
    return replace(one, resistance_on=series, resistance_off=2 * series)


@pytest.fixture(scope="module")
def both() -> tuple[MatGeometry, Subarray]:
    """Subarrays with separate paths."""
    geometry = subarrays()
    return geometry, subarray(geometry, WAYS, circuit(SEPARATE))


def test_reads_are_those_of_mram_with_the_read_transistor(both: tuple[MatGeometry, Subarray]) -> None:
    geometry, block = both
    options = circuit(read_cell_of(SEPARATE))
    alone = subarray(geometry, WAYS, options)
    ramp = np.full(len(geometry), SHARP_RAMP)
    timing = subarray_timing(block.stages, ramp, circuit(SEPARATE))
    expected = subarray_timing(alone.stages, ramp, options)
    assert np.array_equal(timing.read_latency, expected.read_latency)
    assert np.array_equal(timing.bitline_latency, expected.bitline_latency)
    assert np.array_equal(block.energy.read_energy, alone.energy.read_energy)
    assert np.array_equal(block.energy.cell_read_energy, alone.energy.cell_read_energy)


def test_writes_are_those_of_mram_with_the_write_transistor(both: tuple[MatGeometry, Subarray]) -> None:
    """The pulses and energies of Table I's cell; only circuits that sense are missing from the write path."""
    geometry, block = both
    options = circuit(write_cell_of(SEPARATE))
    alone = subarray(geometry, WAYS, options)
    ramp = np.full(len(geometry), SHARP_RAMP)
    timing = subarray_timing(block.stages, ramp, circuit(SEPARATE))
    expected = subarray_timing(alone.stages, ramp, options)
    assert np.array_equal(timing.write_latency, expected.write_latency)
    assert np.array_equal(timing.set_latency - timing.reset_latency, expected.set_latency - expected.reset_latency)
    assert np.allclose(timing.set_latency - timing.reset_latency, 70e-12, rtol=1e-9, atol=0)
    assert np.array_equal(block.energy.write_energy, alone.energy.write_energy)


def test_both_paths_take_their_room_and_leak(both: tuple[MatGeometry, Subarray]) -> None:
    """Less than two arrays, since the cells are shared; more than one, since the decoders are not."""
    geometry, block = both
    reading = subarray(geometry, WAYS, circuit(read_cell_of(SEPARATE)))
    writing = subarray(geometry, WAYS, circuit(write_cell_of(SEPARATE)))
    line = lines(geometry, circuit(SEPARATE))
    assert (block.width > reading.width).all()
    assert (block.width < reading.width + writing.width - 0.999 * line.wordline_length).all()
    assert (block.height >= reading.height).all()
    assert (block.height <= reading.height + writing.height - line.bitline_length * (1 - 1e-12)).all()
    assert (block.leakage > reading.leakage).all()
    assert (block.leakage < reading.leakage + writing.leakage).all()


def test_each_path_has_its_own_transistor() -> None:
    wide, narrow = write_path(circuit(SEPARATE)).cell, read_path(circuit(SEPARATE)).cell
    assert (wide.access_width_f, narrow.access_width_f) == (4.5, 1.5)
    assert narrow.set_current == narrow.reset_current == SEPARATE.read_power / TECHNOLOGY.vdd
    assert (wide.set_current, wide.reset_current) == (MRAM.set_current, MRAM.reset_current)


def written(folder: Path, changes: Mapping[str, str]) -> Path:
    """A cell file of SOT-MRAM with some keys changed or added."""
    keys = {"MemCellType": "SOTMRAM", "WriteAccessCMOSWidth (F)": "3", **changes}
    source = (REFERENCE / "cells" / "sot_deepnvm.cell").read_text().splitlines()
    kept = [line for line in source if line.split(":")[0].removeprefix("-") not in keys]
    path = folder / "mine.cell"
    path.write_text("\n".join([*kept, *(f"-{key}: {value}" for key, value in keys.items())]))
    return path


def test_a_cell_file_says_how_the_paths_lie(tmp_path: Path) -> None:
    cell = read_cell(written(tmp_path, {"ResistanceHeavyMetal (ohm)": "800"}))
    assert (cell.kind, cell.separate_paths) == ("SOTMRAM", True)
    assert (cell.access_width_f, cell.write_access_width_f, cell.write_resistance) == (6.0, 3.0, 800.0)
    shared = read_cell(written(tmp_path, {"WordLines": "shared", "WriteAccessCMOSWidth (F)": "6"}))
    assert not shared.separate_paths
    assert shared.write_resistance == shared.resistance_on


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"WordLines": "shared"}, "shared means one transistor for both paths"),
        ({"WordLines": "one"}, "'one' is unknown, the nearest valid word is"),
        ({"MemCellType": "MRAM"}, "-WriteAccessCMOSWidth: belongs to cells of -MemCellType SOTMRAM, this is MRAM"),
        ({"WordLines": "both"}, "expected one of separate, shared"),
    ],
)
def test_contradictory_cells(tmp_path: Path, changes: Mapping[str, str], expected: str) -> None:
    with pytest.raises(InputError) as caught:
        read_cell(written(tmp_path, changes))
    assert expected in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_separate_write_transistor_needs_a_width(tmp_path: Path) -> None:
    path = written(tmp_path, {})
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "WriteAccess" not in line))
    with pytest.raises(InputError, match=r"missing -WriteAccessCMOSWidth \(F\)"):
        read_cell(path)


def test_sensing_at_the_edge_knows_one_path_only(tmp_path: Path) -> None:
    configuration = replace(read_configuration(REFERENCE / "stt_normal_2mb.cfg"), internal_sensing=False)
    with pytest.raises(InputError, match="expected -WordLines: shared"):
        check_cell(configuration, read_cell(written(tmp_path, {})))
