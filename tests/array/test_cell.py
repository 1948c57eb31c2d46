"""Cells: the values of NVSim's files to the last bit, and what an incomplete or foreign cell is told."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from dse.errors import InputError
from dse.objectives.array.given.cell import MEMORY_NAMES, load_cell, packaged_cells, read_cell, remark_foreign_node

CELLS = Path(__file__).parents[1] / "reference" / "cells"


def changed(folder: Path, name: str, changes: Mapping[str, str | None]) -> Path:
    """Return a copy of a reference cell in which keys have another value, or none, or are added."""
    lines = (CELLS / f"{name}.cell").read_text().splitlines()
    rest = [line for line in lines if line.split(":")[0].removeprefix("-") not in changes]
    added = [f"-{key}: {value}" for key, value in changes.items() if value is not None]
    path = folder / f"{name}.cell"
    path.write_text("\n".join([*rest, *added]))
    return path


def complaint(path: Path, *, strict: bool = False) -> str:
    """Return what a cell is told, without the name of its file."""
    with pytest.raises(InputError) as caught:
        read_cell(path, strict=strict)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(f"{path}:")
    return message.removeprefix(f"{path}:").strip()


@pytest.mark.parametrize("path", sorted(CELLS.glob("*.cell")), ids=lambda path: path.stem)
def test_reference_cells_are_complete(path: Path) -> None:
    """Every cell with reference data is read, and can key a cache."""
    cell = read_cell(path)
    assert cell.name == path.stem
    assert hash(cell) == hash(read_cell(path))


def test_values_of_stt_deepnvm() -> None:
    """Values are divided by the unit, as the C++ program does it: equal to the last bit."""
    cell = read_cell(CELLS / "stt_deepnvm.cell")
    assert (cell.kind, cell.access, cell.read_mode) == ("MRAM", "CMOS", "current")
    assert cell.height_f == math.sqrt(98.3 * 0.6)
    assert cell.width_f == math.sqrt(98.3 / 0.6)
    assert (cell.resistance_on, cell.resistance_off) == (3000.0, 6000.0)
    assert cell.min_sense_voltage == 25 / 1e3
    assert cell.read_power == 116.9 / 1e6 != 116.9 * 1e-6
    assert cell.reset_current == 110 / 1e6
    assert cell.reset_pulse == 7.78 / 1e9
    assert cell.reset_energy == 2.2 / 1e12
    assert (cell.set_current, cell.set_pulse, cell.set_energy) == (80 / 1e6, 8.4 / 1e9, 1.1 / 1e12)
    assert (cell.read_voltage, cell.voltage_drop_access, cell.access_width_f) == (0.25, 0.15, 8.0)
    assert cell.process_node == 0


def test_values_of_rram() -> None:
    """A crosspoint: resistances at the voltages, no transistor."""
    cell = read_cell(CELLS / "rram.cell")
    assert (cell.kind, cell.access, cell.access_width_f) == ("memristor", "none", 0.0)
    assert (cell.resistance_on, cell.resistance_off) == (1e6, 1e7)
    assert cell.resistance_on_at_set_voltage == 1e5
    assert cell.resistance_on_at_reset_voltage == 1e5
    assert cell.resistance_on_at_half_reset_voltage == 5e5
    assert cell.capacitance_on == cell.capacitance_off == 1e-16


def test_values_of_pcram() -> None:
    """The ignored read energy and the node do not disturb."""
    cell = read_cell(CELLS / "pcram.cell")
    assert (cell.read_mode, cell.read_current, cell.read_power) == ("voltage", 40 / 1e6, 0.0)
    assert (cell.process_node, cell.min_sense_voltage) == (90, 0.08)


def test_defaults_of_sram(tmp_path: Path) -> None:
    """CACTI's transistor widths, unless given."""
    widths = {"SRAMCellNMOSWidth (F)": None, "SRAMCellPMOSWidth (F)": None, "ReadMode": None}
    cell = read_cell(changed(tmp_path, "sram", widths))
    assert (cell.sram_nmos_width_f, cell.sram_pmos_width_f, cell.read_mode) == (2.08, 1.23, "voltage")


def test_last_resistance_wins(tmp_path: Path) -> None:
    """``ResistanceOn`` and ``ResistanceOnAtReadVoltage`` set the same value; the later line counts."""
    later = read_cell(changed(tmp_path, "stt", {"ResistanceOnAtReadVoltage (ohm)": "2000"}))
    assert later.resistance_on == 2000.0
    changes = {"ResistanceOnAtReadVoltage (ohm)": "2000", "ResistanceOn (ohm)": "2500"}
    assert read_cell(changed(tmp_path, "stt", changes)).resistance_on == 2500.0


def test_keys_of_other_kinds_are_harmless(tmp_path: Path) -> None:
    """NVSim warns of an SRAM width in an MRAM cell and goes on."""
    cell = read_cell(changed(tmp_path, "stt", {"SRAMCellNMOSWidth (F)": "3"}))
    assert replace(cell, sram_nmos_width_f=2.08) == read_cell(CELLS / "stt.cell")
    crosspoint = read_cell(changed(tmp_path, "rram", {"AccessCMOSWidth (F)": "3"}))
    assert crosspoint == read_cell(CELLS / "rram.cell")


def test_ignored_keys(tmp_path: Path) -> None:
    """Keys that NVSim reads and does not use change nothing."""
    ignored = {
        "WordlineBoostRatio": "1.2",
        "ReadFloating": "true",
        "ReadEnergy (pJ)": "2",
        "ResistanceOnAtHalfReadVoltage (ohm)": "4000",
        "ResistanceOffAtHalfReadVoltage (ohm)": "8000",
        "ResistanceOffAtSetVoltage (ohm)": "8000",
    }
    assert read_cell(changed(tmp_path, "stt", ignored)) == read_cell(CELLS / "stt.cell")


def test_a_negative_write_voltage_is_a_polarity(tmp_path: Path) -> None:
    """NVSim takes the magnitude of write voltages; a bipolar cell may say which way it writes."""
    assert read_cell(changed(tmp_path, "rram", {"SetVoltage (V)": "-2"})).set_voltage == -2.0


@pytest.mark.parametrize("kind", ["DRAM", "eDRAM", "FBRAM", "SLCNAND", "MLCNAND"])
def test_unsupported_kinds(tmp_path: Path, kind: str) -> None:
    """Kinds that NVSim lists but cannot model, or we do not."""
    path = changed(tmp_path, "stt", {"MemCellType": kind})
    assert complaint(path).endswith(
        f"-MemCellType: '{kind}' is not supported, expected one of MRAM, PCRAM, memristor, SRAM, SOTMRAM"
    )


def test_keys_of_unsupported_kinds(tmp_path: Path) -> None:
    """Such a key is known, which is why its error can say more than that."""
    path = changed(tmp_path, "stt", {"FlashEraseTime (ms)": "1.25"})
    assert "belongs to NAND flash cells, which are not supported" in complaint(path)


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("stt", {"MemCellType": None}, "missing -MemCellType: one of MRAM, PCRAM, memristor, SRAM, SOTMRAM"),
        ("stt", {"CellArea (F^2)": None}, "missing -CellArea (F^2)"),
        ("stt", {"CellAspectRatio": None}, "missing -CellAspectRatio"),
        ("sram", {"CellArea (F^2)": None}, "missing -CellArea (F^2)"),
        ("sram", {"AccessCMOSWidth (F)": None}, "missing -AccessCMOSWidth (F)"),
        ("sram", {"AccessType": "None"}, "-AccessType: an SRAM cell is accessed through transistors"),
        ("sram", {"ReadMode": "current"}, "-ReadMode: an SRAM cell is sensed by voltage"),
        ("stt", {"ResistanceOn (ohm)": None}, "missing -ResistanceOn (ohm)"),
        ("stt", {"ResistanceOff (ohm)": None}, "missing -ResistanceOff (ohm)"),
        ("stt", {"ResistanceOff (ohm)": "3000"}, "expected a value above -ResistanceOn"),
        ("stt", {"AccessCMOSWidth (F)": None}, "missing -AccessCMOSWidth (F)"),
        ("stt", {"ReadMode": None}, "missing -ReadMode"),
        ("stt", {"ReadVoltage (V)": None, "ReadPower (uW)": None}, "missing -ReadVoltage (V): current sensing"),
        ("stt", {"ReadVoltage (V)": "0", "ReadPower (uW)": "0"}, "missing -ReadVoltage (V): current sensing"),
        ("stt", {"AccessCMOSWidth (F)": "2.9", "CellArea (F^2)": "4.5"}, "-AccessCMOSWidth (F): a transistor as wide"),
        ("sram", {"CellArea (F^2)": "8", "CellAspectRatio": "8"}, "-AccessCMOSWidth (F): a transistor as wide"),
        ("stt", {"AccessCMOSWidth (F)": "3", "CellArea (F^2)": "9", "CellAspectRatio": "1"}, "a cell wider than 3 F"),
        ("pcram", {"ReadCurrent (uA)": None}, "missing -ReadVoltage (V) or -ReadCurrent (uA)"),
        ("pcram", {"ReadVoltage (V)": "1"}, "missing -ReadPower (uW)"),
        (
            "stt",
            {"ReadPower (uW)": None, "VoltageDropAccessDevice (V)": "0.25"},
            "a value below -ReadVoltage",
        ),
        ("stt", {"ResetMode": None}, "missing -ResetMode"),
        ("stt", {"SetMode": None}, "missing -SetMode"),
        ("stt", {"ResetPulse (ns)": None}, "missing -ResetPulse (ns)"),
        ("stt", {"SetPulse (ns)": None}, "missing -SetPulse (ns)"),
        ("stt", {"ResetCurrent (uA)": None}, "missing -ResetCurrent (uA)"),
        ("stt", {"SetCurrent (uA)": "0"}, "missing -SetCurrent (uA)"),
        ("rram", {"ResetVoltage (V)": None}, "missing -ResetVoltage (V)"),
        ("rram", {"SetVoltage (V)": "0"}, "missing -SetVoltage (V)"),
        ("rram", {"VoltageDropAccessDevice (V)": "2"}, "a value below -ResetVoltage"),
        (
            "rram",
            {"SetVoltage (V)": "1", "SetEnergy (pJ)": None, "VoltageDropAccessDevice (V)": "1"},
            "a value below -SetVoltage",
        ),
        ("rram", {"CapacitanceOn (F)": None}, "missing -CapacitanceOn (F)"),
        ("rram", {"CapacitanceOff (F)": None, "AccessType": "diode"}, "missing -CapacitanceOff (F)"),
        ("rram", {"ResistanceOnAtResetVoltage (ohm)": None}, "missing -ResistanceOnAtResetVoltage (ohm)"),
        (
            "rram",
            {"ResistanceOnAtResetVoltage (ohm)": None, "AccessType": "BJT"},
            "missing -ResistanceOnAtResetVoltage (ohm)",
        ),
        (
            "rram",
            {"ResistanceOnAtHalfResetVoltage (ohm)": None},
            "missing -ResistanceOnAtHalfResetVoltage (ohm)",
        ),
        (
            "rram",
            {"SetEnergy (pJ)": None, "ResistanceOnAtSetVoltage (ohm)": None},
            "missing -SetEnergy (pJ) or -ResistanceOnAtSetVoltage (ohm)",
        ),
        ("stt", {"CellArea (F^2)": "nan"}, "'nan' is not a number"),
        ("stt", {"ResetCurrent (uA)": "-80"}, "'-80' is out of range"),
        ("stt", {"ResetCurrent (mA)": "0.08"}, "write -ResetCurrent (uA)"),
        ("stt", {"AccessType": "cmos"}, "the nearest valid word is CMOS"),
        ("stt", {"MinSenseVoltage (mV)": "500"}, "expected a number from 0.01 to 400"),
    ],
)
def test_incomplete_and_contradictory_cells(
    tmp_path: Path, name: str, changes: dict[str, str | None], expected: str
) -> None:
    """Where NVSim would divide by zero or read memory it never wrote, one line says what to give."""
    assert expected in complaint(changed(tmp_path, name, changes))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("stt", {"ReadPower (uW)": None}),
        ("stt", {"ResetEnergy (pJ)": None, "SetEnergy (pJ)": "0"}),
        ("stt", {"AccessType": None}),
        ("pcram", {"ReadCurrent (uA)": None, "ReadVoltage (V)": "1"}),
        ("pcram", {"ReadVoltage (V)": "1", "ReadPower (uW)": "1"}),
        ("rram", {"ResetEnergy (pJ)": None, "SetEnergy (pJ)": None}),
        ("rram", {"AccessType": "diode", "ResistanceOnAtHalfResetVoltage (ohm)": None}),
        ("rram", {"AccessType": "BJT", "CapacitanceOn (F)": None, "CapacitanceOff (F)": None}),
        (
            "rram",
            {"AccessType": "CMOS", "AccessCMOSWidth (F)": "1.5", "ResistanceOnAtResetVoltage (ohm)": None},
        ),
        ("rram", {"AccessType": "none"}),
        ("sram", {"AccessType": None}),
    ],
)
def test_what_may_be_left_out(tmp_path: Path, name: str, changes: dict[str, str | None]) -> None:
    """What NVSim derives or has a default for need not be given."""
    read_cell(changed(tmp_path, name, changes))


def test_order_of_keys_does_not_matter(tmp_path: Path) -> None:
    """NVSim computes the height from an area of zero where the aspect ratio comes first."""
    lines = (CELLS / "stt.cell").read_text().splitlines()
    path = tmp_path / "stt.cell"
    path.write_text("\n".join(reversed(lines)))
    assert read_cell(path) == read_cell(CELLS / "stt.cell")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("stt", {"AccessCMOSWidth (F)": "2.8", "CellArea (F^2)": "4.5"}),
        ("stt", {"AccessCMOSWidth (F)": "8", "CellArea (F^2)": "9.1", "CellAspectRatio": "1"}),
        ("rram", {"AccessCMOSWidth (F)": "8"}),
    ],
)
def test_narrow_transistors_and_cells_just_wide_enough(
    tmp_path: Path, name: str, changes: dict[str, str | None]
) -> None:
    """A transistor narrower than its cell is not folded; a cell above 3 F has room for fingers."""
    read_cell(changed(tmp_path, name, changes))


def said(caplog: pytest.LogCaptureFixture, path: Path) -> list[str]:
    """Return what reading a cell gave notice of, without the name of its file."""
    caplog.clear()
    read_cell(path)
    lines = [record.getMessage() for record in caplog.records]
    assert all(record.levelname == "WARNING" and record.name == "dse" for record in caplog.records)
    assert all(line.startswith(f"{path}:") and len(line.splitlines()) == 1 for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("pcram", {"ResetVoltage (V)": "1.8"}, "understood as a SET energy of 0"),
        ("stt", {"ReadVoltage (V)": None}, "understood as bitlines that a read by current does not charge"),
        ("pcram", {"ProcessNode": "90nm"}, "-ProcessNode: '90nm' is understood as 90"),
        ("pcram", {"ProcessNode": "90.0"}, "-ProcessNode: '90.0' is understood as 90"),
        ("stt", {"ReadPower (uW)": "30 uW"}, "-ReadPower (uW): '30 uW' is understood as 30"),
        ("stt", {"SetMode": "Current"}, "-SetMode: 'Current' is understood as current"),
        ("stt", {"CellArea (F^2)": "54"}, "-CellAspectRatio stands before -CellArea (F^2)"),
        ("sram", {"MemCellType": "SRAM", "SRAMCellNMOSWidth (F)": "3"}, None),
    ],
)
def test_what_nvsim_understands(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, changes: dict[str, str | None], expected: str | None
) -> None:
    """It is accepted and said, and refused where the file is read strictly."""
    path = changed(tmp_path, name, changes)
    lines = said(caplog, path)
    assert [line for line in lines if expected is None or expected in line] == lines
    assert len(lines) == (expected is not None)
    if expected is not None:
        refused = complaint(path, strict=True)
        assert expected in refused or "expected" in refused
        assert said(caplog, path) == []


def test_values_that_nvsim_understands(tmp_path: Path) -> None:
    """What is understood is what NVSim computes with."""
    read = read_cell(changed(tmp_path, "stt", {"ReadPower (uW)": "30 uW", "SetMode": "Current"}))
    assert read == read_cell(CELLS / "stt.cell")


@pytest.mark.parametrize(
    "changes", [{"SetMode": "Voltage"}, {"ReadPower (uW)": "30nW"}, {"ProcessNode": "22.5"}, {"AccessType": "cmos"}]
)
def test_what_nvsim_would_misread(tmp_path: Path, changes: dict[str, str | None]) -> None:
    """A spelling that NVSim takes for something else than what is meant is an error."""
    assert "expected" in complaint(changed(tmp_path, "stt", changes))


def test_sram_widths_before_the_kind(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """NVSim skips widths of SRAM transistors that stand above the kind of cell."""
    path = tmp_path / "sram.cell"
    rest = "-MemCellType: SRAM\n-CellArea (F^2): 146\n-CellAspectRatio: 1.46\n-AccessCMOSWidth (F): 1.31\n"
    path.write_text(f"-SRAMCellNMOSWidth (F): 3\n{rest}")
    assert read_cell(path).sram_nmos_width_f == 3.0
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}:1: -SRAMCellNMOSWidth (F) stands before -MemCellType, where NVSim computes with 2.08 F: order does"
        " not matter here"
    ]
    default = tmp_path / "default.cell"
    default.write_text(f"-SRAMCellNMOSWidth (F): 2.08\n{rest}")
    assert said(caplog, default) == []


def test_latin_1_comments(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Letters of older editors are fine in comments, and nowhere else."""
    text = (CELLS / "stt.cell").read_text()
    path = tmp_path / "stt.cell"
    path.write_bytes(f"// 80 \xb5A\n{text}".encode("latin-1"))
    assert said(caplog, path) == ["1: not UTF-8 text: comments understood as Latin-1"]
    assert complaint(path, strict=True) == "1: not UTF-8 text"
    path.write_bytes(f"{text}\n-SetPulse (\xb5s): 1".encode("latin-1"))
    assert "not UTF-8 text" in complaint(path)


def test_a_cell_of_another_node(caplog: pytest.LogCaptureFixture) -> None:
    """Its values are taken as they are, and that is said once."""
    cell = replace(read_cell(CELLS / "pcram.cell"), name="of another node")
    for node in (90, 45, 45):
        remark_foreign_node(cell, node)
    assert [record.getMessage() for record in caplog.records] == [
        "cell 'of another node' is of 90 nm (-ProcessNode) and used at 45 nm: its values are taken as they are"
    ]


@pytest.mark.parametrize("name", ["sram", "stt", "stt_deepnvm", "sot_deepnvm"])
def test_packaged_cells_are_the_reference_cells(name: str) -> None:
    """What is shipped is what the reference data was computed with."""
    assert load_cell(f"{name}.cell") == read_cell(CELLS / f"{name}.cell")
    assert name in packaged_cells()


@pytest.mark.parametrize(("memory", "name"), sorted(MEMORY_NAMES.items()))
def test_memory_names(memory: str, name: str) -> None:
    """The short names of the command line are packaged cells."""
    assert load_cell(memory).name == name
    assert load_cell(name).name == name


def test_load_a_path(tmp_path: Path) -> None:
    """A path is a path, also where its name is that of a packaged cell."""
    path = changed(tmp_path, "sram", {"CellArea (F^2)": "150"})
    assert load_cell(str(path)).area_f2 == 150.0


def test_unknown_memory() -> None:
    """An unknown name lists the known ones."""
    with pytest.raises(
        InputError, match=r"memory 'sttt' is unknown, expected .* sram, stt, sot.* nearest is stt"
    ):
        load_cell("sttt")


def test_absent_file() -> None:
    """A path that is not there is told so."""
    with pytest.raises(InputError, match=r"^absent\.cell: cannot be read: "):
        load_cell("absent.cell")
