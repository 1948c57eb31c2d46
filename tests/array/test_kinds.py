"""Kinds of cells: found by their modules, one for every cell, and one more by adding one file."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from dse.errors import InputError
from dse.objectives.array import cells
from dse.objectives.array.given.cell import Cell, load_cell, packaged_cells, read_cell
from dse.objectives.array.given.cell_kinds import cell_kinds, kind_of, memory_types
from dse.objectives.array.given.technology import load_technology
from dse.objectives.array.hierarchy.array import evaluate
from dse.objectives.cache.specification import specs_by_access
from dse.spaces.array.enumeration import enumerate_array

TECHNOLOGY = load_technology(45, "HP", 350)

GAIN_CELL = '''
"""Two-transistor gain cells, which are refreshed: C_cell vdd² over their retention time, per cell."""
from dataclasses import replace

from dse.keyfile import Key, Unit
from dse.keyformat import Number
from dse.objectives.array.given.cell_kind import CellKind
from dse.objectives.array.cells.sram import SRAM, access


def refresh_power(circuit):
    retention = dict(circuit.cell.own)["RetentionTime"]
    return access(circuit.cell, circuit.technology).cap * circuit.technology.vdd**2 / retention


KIND = CellKind(
    memory_types=("eDRAM",),
    serves=lambda cell: cell.kind == "eDRAM",
    required=("AccessCMOSWidth", "RetentionTime"),
    rules=(),
    physics=lambda cell: replace(SRAM, leakage=refresh_power),
    keys=(Key("RetentionTime", Number(0.1, 1e6), (Unit("us", 1e6),)),),
)
'''

GAIN_CELL_FILE = """-MemCellType: eDRAM
-CellArea (F^2): 60
-CellAspectRatio: 1
-AccessCMOSWidth (F): 1.5
-RetentionTime (us): 40
"""


@pytest.fixture
def gain_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cell file of a kind whose module stands in a folder of its own."""
    (tmp_path / "gain_cell.py").write_text(GAIN_CELL)
    monkeypatch.setattr(cells, "__path__", [*cells.__path__, str(tmp_path)])
    path = tmp_path / "edram.cell"
    path.write_text(GAIN_CELL_FILE)
    yield path
    sys.modules.pop(f"{cells.__name__}.gain_cell", None)


def test_memory_types() -> None:
    assert set(memory_types()) == {"SRAM", "MRAM", "SOTMRAM", "PCRAM", "memristor"}
    assert len(memory_types()) == len(set(memory_types()))


@pytest.mark.parametrize(
    ("kind", "access"), [*product(["MRAM", "SOTMRAM", "PCRAM", "memristor"], ["CMOS", "BJT", "diode", "none"])]
)
def test_one_kind_serves_each_cell(kind: str, access: str) -> None:
    stt = load_cell("stt.cell")
    name = kind_of(replace(stt, kind=kind, access=access)).physics.__module__
    assert name.endswith(".resistive" if access == "CMOS" else ".crosspoint")


def test_cells_without_a_kind() -> None:
    with pytest.raises(ValueError, match="no kind of cell serves -MemCellType core with -AccessType CMOS"):
        kind_of(Cell("mine", "core", 10.0, 1.0))


def test_packaged_cells_have_a_kind() -> None:
    found = {kind_of(load_cell(f"{name}.cell")).physics.__module__.rpartition(".")[2] for name in packaged_cells()}
    assert found == {"sram", "resistive"}


def leakage(cell: Cell) -> np.ndarray:
    """Leakage [W] of the legal data arrays of a small RAM, over the cells in each."""
    (spec,) = specs_by_access(
        memory="mine", capacity=16 << 10, technology=TECHNOLOGY, cell=cell, access=["normal"], word_bits=128, ways=2
    )
    problem = spec.data
    enumeration = enumerate_array(problem.spec, problem.ranges, problem.fabric.route, tags_cover_ways=True)
    group = enumeration.groups[0]
    position = next(enumeration.legal_mats([group.key])).position
    code = enumeration.code(np.full(len(position[:50]), group.banks[0]), position[:50])
    banks, mats = enumeration.designs(code)
    result = evaluate(banks, mats, problem.spec, problem.fabric, problem.basic_local, problem.basic_global)
    assert result.valid.any()
    return result.metrics["subarray_leakage"] / (result.metrics["subarray_rows"] * result.metrics["subarray_cols"])


def test_a_kind_is_added_by_adding_its_file(gain_cell: Path) -> None:
    """Its cells are read with keys of their own, and built with its functions."""
    cell = read_cell(gain_cell)
    assert (cell.kind, cell.own) == ("eDRAM", (("RetentionTime", 40 / 1e6),))
    often = replace(cell, own=(("RetentionTime", 10 / 1e6),))
    kind = kind_of(cell)
    cap = kind.physics(cell).access(cell, TECHNOLOGY).cap
    more = leakage(often) - leakage(cell)
    expected = cap * TECHNOLOGY.vdd**2 * (1 / 10e-6 - 1 / 40e-6)
    assert more[~np.isnan(more)] == pytest.approx(expected, rel=1e-6, abs=0)


def test_an_added_kind_has_rules_of_its_own(gain_cell: Path) -> None:
    gain_cell.write_text(GAIN_CELL_FILE.replace("-RetentionTime (us): 40\n", ""))
    with pytest.raises(InputError, match=r"missing -RetentionTime \(us\): a number from 0.1"):
        read_cell(gain_cell)
    gain_cell.write_text(GAIN_CELL_FILE.replace("eDRAM", "SRAM"))
    with pytest.raises(InputError, match=r"-RetentionTime: belongs to cells of -MemCellType eDRAM, this is SRAM"):
        read_cell(gain_cell)


def test_the_added_kind_is_gone() -> None:
    assert "eDRAM" not in memory_types()
    assert len(cell_kinds()) == 4
