"""Keys of NVSim's ``.cell`` files, with the units and the range of each.

Source: NVSim MemCell.cpp (``MemCell::ReadCellFromFile``).
"""

from collections.abc import Sequence

from dse.keyfile import Key, Unit
from dse.keyformat import Number, RisingPairs, Whole, Word, words

_OHM = (Unit("ohm"),)
_FARAD = (Unit("F"),)
_FEATURE = (Unit("F"),)  # feature sizes: NVSim writes farads and feature sizes alike
_VOLT = (Unit("V"),)
_MILLIVOLT = (Unit("mV", 1e3),)
_MICROAMPERE = (Unit("uA", 1e6),)
_MICROWATT = (Unit("uW", 1e6),)
_NANOSECOND = (Unit("ns", 1e9),)
_PICOJOULE = (Unit("pJ", 1e12),)

_RESISTANCE = Number(1.0, 1e15)
_CAPACITANCE = Number(1e-21, 1e-9)
_WIDTH = Number(0.01, 1e4)
_PULSE = Number(1e-3, 1e9)
_MODE = words("voltage", "current", also={"current": "current"})
# Zero is how NVSim's own files say "not given" for these.
_VOLTAGE = Number(1e-3, 100.0, or_zero=True)
_SIGNED_VOLTAGE = Number(1e-3, 100.0, or_zero=True, signed=True)
_CURRENT = Number(1e-6, 1e6, or_zero=True)
_LEAKAGE = Number(1e-15, 1e6, or_zero=True)
_POWER = Number(1e-6, 1e9, or_zero=True)
_ENERGY = Number(1e-9, 1e9, or_zero=True)

_STABILITY = Number(10.0, 150.0)
_KELVIN = Number(100.0, 500.0)

_REFUSED = "which are not supported"
_FLASH = f"belongs to NAND flash cells, {_REFUSED}"
_DRAM = f"belongs to DRAM cells, {_REFUSED}"
_FLOATING_BODY = f"belongs to floating-body cells, {_REFUSED}"

UNSUPPORTED = ("DRAM", "eDRAM", "FBRAM", "SLCNAND", "MLCNAND")
"""Memory types of NVSim that no kind of cell serves; one that comes to be served is read."""


def memory_type_key(types: Sequence[str]) -> Key:
    """Return the key that says of which memory type a cell is, one of `types`."""
    return Key("MemCellType", words(*types, refused=[word for word in UNSUPPORTED if word not in types]))


CELL_KEYS = (
    Key("ProcessNode", Whole(0, 1000, unit="nm")),
    Key("CellArea", Number(0.1, 1e6), (Unit("F^2"),)),
    Key("CellAspectRatio", Number(0.01, 100.0)),
    Key("ResistanceOn", _RESISTANCE, _OHM),
    Key("ResistanceOff", _RESISTANCE, _OHM),
    Key("ResistanceOnAtReadVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOffAtReadVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOnAtHalfReadVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOffAtHalfReadVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOnAtSetVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOffAtSetVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOnAtResetVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOffAtResetVoltage", _RESISTANCE, _OHM),
    Key("ResistanceOnAtHalfResetVoltage", _RESISTANCE, _OHM),
    Key("CapacitanceOn", _CAPACITANCE, _FARAD),
    Key("CapacitanceOff", _CAPACITANCE, _FARAD),
    Key("ReadMode", _MODE),
    Key("ReadVoltage", _VOLTAGE, _VOLT),
    Key("ReadCurrent", _CURRENT, _MICROAMPERE),
    Key("ReadPower", _POWER, _MICROWATT),
    Key("ReadEnergy", _ENERGY, _PICOJOULE),
    # Below the lowest supply voltage of NVSim's nodes (0.5 V), where its logarithms stay finite.
    Key("MinSenseVoltage", Number(0.01, 400.0), _MILLIVOLT),
    Key("WordlineBoostRatio", Number(0.01, 100.0)),
    Key("ReadFloating", Word({"true": True, "false": False}, also={"false": "false", "no": "false"})),
    Key("ResetMode", _MODE),
    Key("ResetVoltage", _SIGNED_VOLTAGE, _VOLT),
    Key("ResetCurrent", _CURRENT, _MICROAMPERE),
    Key("ResetPulse", _PULSE, _NANOSECOND),
    Key("ResetEnergy", _ENERGY, _PICOJOULE),
    Key("SetMode", _MODE),
    Key("SetVoltage", _SIGNED_VOLTAGE, _VOLT),
    Key("SetCurrent", _CURRENT, _MICROAMPERE),
    Key("SetPulse", _PULSE, _NANOSECOND),
    Key("SetEnergy", _ENERGY, _PICOJOULE),
    Key("AccessType", Word({"CMOS": "CMOS", "BJT": "BJT", "diode": "diode", "None": "none", "none": "none"})),
    Key("AccessCMOSWidth", _WIDTH, _FEATURE),
    Key("WriteAccessCMOSWidth", _WIDTH, _FEATURE),
    Key("ResistanceHeavyMetal", _RESISTANCE, _OHM),
    Key("WordLines", words("separate", "shared")),
    Key("VoltageDropAccessDevice", _VOLTAGE, _VOLT),
    Key("LeakageCurrentAccessDevice", _LEAKAGE, _MICROAMPERE),
    Key("SRAMCellNMOSWidth", _WIDTH, _FEATURE),
    Key("SRAMCellPMOSWidth", _WIDTH, _FEATURE),
    Key("DRAMCellCapacitance", _CAPACITANCE, _FARAD, refused=_DRAM),
    Key("GateOxThicknessFactor", _WIDTH, refused=_FLOATING_BODY),
    Key("SOIDeviceWidth", _WIDTH, _FEATURE, refused=_FLOATING_BODY),
    Key("FlashEraseVoltage", _VOLTAGE, _VOLT, refused=_FLASH),
    Key("FlashProgramVoltage", _VOLTAGE, _VOLT, refused=_FLASH),
    Key("FlashPassVoltage", _VOLTAGE, _VOLT, refused=_FLASH),
    Key("FlashEraseTime", _PULSE, (Unit("ms", 1e3),), refused=_FLASH),
    Key("FlashProgramTime", _PULSE, (Unit("us", 1e6),), refused=_FLASH),
    Key("GateCouplingRatio", _WIDTH, refused=_FLASH),
    Key("ThermalStability", _STABILITY),
    Key("StabilityTemperature", _KELVIN, (Unit("K"),)),
    Key("StabilityOverTemperature", RisingPairs(_KELVIN, _STABILITY), (Unit("K"),)),
    Key("SwitchingTime", Number(0.3, 3.0), _NANOSECOND),
    Key("WriteErrorRate", Number(1e-15, 0.5)),
    Key("AttemptTime", Number(1e-3, 1e3), _NANOSECOND),
    Key("EnergyExponent", Number(1.0, 2.0)),
    Key("StabilitySpread", Number(0.0, 0.5)),
    Key("CurrentSpread", Number(0.0, 0.5)),
    Key("EnduranceCycles", Number(1.0, 1e30)),
)
"""Every other key that NVSim reads from a cell file, ``ReadEnergy``, which its PCRAM sample carries in vain, three of
our own for SOT-MRAM (`SOT_KEYS`) and ten about reliability (`RELIABILITY_TYPES`)."""

_MAGNETIC = ("MRAM", "SOTMRAM")
RELIABILITY_TYPES = {
    **dict.fromkeys(
        (
            "ThermalStability", "StabilityTemperature", "StabilityOverTemperature", "SwitchingTime",
            "WriteErrorRate", "AttemptTime", "EnergyExponent", "StabilitySpread", "CurrentSpread",
        ),
        _MAGNETIC,
    ),
    "EnduranceCycles": (*_MAGNETIC, "PCRAM", "memristor"),
}
"""Optional keys about reliability, and the memory types whose cells may give them; their values are in `Cell.own`."""

SOT_KEYS = ("WriteAccessCMOSWidth", "ResistanceHeavyMetal", "WordLines")
"""Keys of SOT-MRAM cells only."""
