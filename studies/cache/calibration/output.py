"""Files of a calibrated technology and its cells, which commands take like any other; and tables of the result."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.objectives.array.given.cell import Cell
from dse.studies.cache.calibration.calibrate import Calibration
from dse.writing import write_csv, write_text

if TYPE_CHECKING:
    import pandas as pd

CELL_LINES: tuple[tuple[str, str, float], ...] = (
    ("CellArea (F^2)", "area_f2", 1.0), ("CellAspectRatio", "aspect_ratio", 1.0),
    ("ResistanceOn (ohm)", "resistance_on", 1.0), ("ResistanceOff (ohm)", "resistance_off", 1.0),
    ("ResistanceHeavyMetal (ohm)", "heavy_metal_resistance", 1.0), ("ReadMode", "read_mode", 0.0),
    ("ReadVoltage (V)", "read_voltage", 1.0), ("ReadCurrent (uA)", "read_current", 1e6),
    ("ReadPower (uW)", "read_power", 1e6), ("MinSenseVoltage (mV)", "min_sense_voltage", 1e3),
    ("ResetMode", "reset_mode", 0.0), ("ResetVoltage (V)", "reset_voltage", 1.0),
    ("ResetCurrent (uA)", "reset_current", 1e6), ("ResetPulse (ns)", "reset_pulse", 1e9),
    ("ResetEnergy (pJ)", "reset_energy", 1e12), ("SetMode", "set_mode", 0.0), ("SetVoltage (V)", "set_voltage", 1.0),
    ("SetCurrent (uA)", "set_current", 1e6), ("SetPulse (ns)", "set_pulse", 1e9),
    ("SetEnergy (pJ)", "set_energy", 1e12), ("AccessType", "access", 0.0),
    ("VoltageDropAccessDevice (V)", "voltage_drop_access", 1.0),
    ("LeakageCurrentAccessDevice (uA)", "leakage_current_access", 1e6),
    ("CapacitanceOn (F)", "capacitance_on", 1.0), ("CapacitanceOff (F)", "capacitance_off", 1.0),
    ("ResistanceOnAtSetVoltage (ohm)", "resistance_on_at_set_voltage", 1.0),
    ("ResistanceOnAtResetVoltage (ohm)", "resistance_on_at_reset_voltage", 1.0),
    ("ResistanceOnAtHalfResetVoltage (ohm)", "resistance_on_at_half_reset_voltage", 1.0),
    ("AccessCMOSWidth (F)", "access_width_f", 1.0), ("WriteAccessCMOSWidth (F)", "write_access_width_f", 1.0),
)
"""Keys of a cell file, the fields they come from, and how many of their unit make one SI unit (0 for words)."""
SRAM_LINES: tuple[tuple[str, str, float], ...] = (
    ("SRAMCellNMOSWidth (F)", "sram_nmos_width_f", 1.0), ("SRAMCellPMOSWidth (F)", "sram_pmos_width_f", 1.0),
)
SRAM_FIELDS = ("area_f2", "aspect_ratio", "read_mode", "read_voltage", "min_sense_voltage", "access", "access_width_f")


def write_calibration(found: Calibration, folder: Path, label: str, remark: str) -> list[Path]:
    """Write ``<label>.toml``, ``<memory>_<label>.cell``, ``parameters.csv`` and ``figures.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {f"{label}.toml": technology_text(found, label, remark)}
    texts |= {f"{memory}_{label}.cell": cell_text(cell, remark) for memory, cell in found.materials.cells.items()}
    for name, text in texts.items():
        write_text(folder / name, text)
    write_csv(parameter_table(found), folder / "parameters.csv")
    write_csv(figure_table(found), folder / "figures.csv")
    return [folder / name for name in (*texts, "parameters.csv", "figures.csv")]


def technology_text(found: Calibration, label: str, remark: str) -> str:
    """The calibrated technology as a file of its own, in the form of the packaged ones."""
    tables = found.materials.technology.tables
    section = found.materials.roadmap.lower()
    lines = [f"# {remark}", "", f"node_nm = {tables['node_nm']}", f'label = "{label}"']
    if "feature_size" in tables:
        lines.append(f"feature_size = {tables['feature_size']!r}  # m")
    lines += ["", f"[{section}]", *_entries(tables[section])]
    if "converter" in tables:
        lines += ["", "[converter]  # s, J, W", *_entries(tables["converter"])]
    for wire_type, wire in tables.get("wire", {}).items():
        lines += ["", f"[wire.{wire_type}]", *_entries(wire)]
    return "\n".join(lines) + "\n"


def _entries(table: Mapping[str, Any]) -> list[str]:
    """Numbers of a table, and lists of numbers, as TOML."""
    return [f"{key} = {value!r}" for key, value in table.items() if isinstance(value, float | int | list)]


def cell_text(cell: Cell, remark: str) -> str:
    """A cell in NVSim's format, with our keys where it is an SOT-MRAM cell."""
    lines = [f"// {remark}", f"-MemCellType: {cell.kind}"]
    if cell.kind == "SOTMRAM":
        lines.append(f"-WordLines: {'separate' if cell.separate_paths else 'shared'}")
    keys = CELL_LINES
    if cell.kind == "SRAM":
        keys = (*(line for line in CELL_LINES if line[1] in SRAM_FIELDS), *SRAM_LINES)
    for key, name, per_si in keys:
        value = getattr(cell, name)
        if isinstance(value, str):
            lines.append(f"-{key}: {value}")
        elif value:
            lines.append(f"-{key}: {value * per_si:.12g}")
    return "\n".join(lines) + "\n"


def parameter_table(found: Calibration) -> "pd.DataFrame":
    """One row per parameter: value, standard errors, range, how well it is identified, source of the range."""
    import pandas as pd

    return pd.DataFrame([
        {
            "parameter": one.parameter.name, "value": one.value, "low_error": one.low_error,
            "high_error": one.high_error, "low": one.parameter.low, "high": one.parameter.high,
            "unit": one.parameter.unit, "identified": one.identified, "at_bound": one.bound,
            "source_of_range": one.parameter.source,
        }
        for one in found.parameters
    ])


def figure_table(found: Calibration) -> "pd.DataFrame":
    """One row per figure: given, ours, relative error, and whether it was fitted."""
    import pandas as pd

    return pd.DataFrame([
        {
            "memory": one.figure.memory, "capacity": one.figure.capacity, "quantity": one.figure.quantity,
            "given": one.figure.value, "ours": one.ours, "relative_error": one.relative_error,
            "role": "fitted" if one.figure.fitted else "predicted", "access": one.access,
        }
        for one in found.figures
    ])
