"""Configurations: NVSim's defaults and ranges, and what a wrong or contradictory setting is told."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from dse.errors import InputError
from dse.objectives.array.given.cell import read_cell
from dse.objectives.cache.nvsim_files.configuration import (
    BUFFER_DESIGNS,
    REPEATERS,
    TARGETS,
    Configuration,
    check_cell,
    read_configuration,
)
from dse.spaces.array.wires import WIRE_TYPES

REFERENCE = Path(__file__).parents[1] / "reference"

MINIMAL = {
    "DesignTarget": "cache",
    "ProcessNode": "22",
    "Capacity (KB)": "2048",
    "WordWidth (bit)": "512",
    "Associativity (for cache only)": "16",
    "DeviceRoadmap": "HP",
    "MemoryCellInputFile": str(REFERENCE / "cells" / "sram.cell"),
    "Temperature (K)": "350",
}


def written(folder: Path, changes: Mapping[str, str | None]) -> Path:
    """Return a configuration of the required keys with other values for some, or none, or more keys."""
    path = folder / "some.cfg"
    values = {key: value for key, value in {**MINIMAL, **changes}.items() if value is not None}
    path.write_text("".join(f"-{key}: {value}\n" for key, value in values.items()))
    return path


def read(folder: Path, changes: Mapping[str, str | None]) -> Configuration:
    """Read a configuration of the required keys and these changes."""
    return read_configuration(written(folder, changes))


def complaint(folder: Path, changes: Mapping[str, str | None]) -> str:
    """Return what a configuration is told."""
    with pytest.raises(InputError) as caught:
        read(folder, changes)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(f"{folder / 'some.cfg'}:")
    return message


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.cfg")), ids=lambda path: path.stem)
def test_reference_configurations(path: Path) -> None:
    """Every configuration with reference data is read, and goes with its cell."""
    configuration = read_configuration(path)
    check_cell(configuration, read_cell(configuration.cell_path))
    assert configuration.cell_path.parent == REFERENCE / "cells"
    assert (configuration.target, configuration.pruning) == ("ReadEDP", True)


def test_values_of_a_reference_configuration() -> None:
    """A cache with pinned wires and buffer design."""
    configuration = read_configuration(REFERENCE / "alg1_stt_sequential_2mb.cfg")
    assert configuration == Configuration(
        path=REFERENCE / "alg1_stt_sequential_2mb.cfg",
        design_target="cache",
        process_node=22,
        capacity=2 << 20,
        word_bits=512,
        roadmap="HP",
        temperature=350,
        cell_path=REFERENCE / "cells" / "stt.cell",
        access="sequential",
        target="ReadEDP",
        associativity=16,
        buffer_designs=("latency",),
        local_wire_types=("LocalAggressive",),
        local_repeaters=("RepeatedNone",),
        local_low_swing=(False,),
        global_wire_types=("GlobalAggressive",),
        global_repeaters=("RepeatedNone",),
        global_low_swing=(False,),
        pruning=True,
    )
    assert isinstance(configuration.capacity, int)


def test_defaults(tmp_path: Path) -> None:
    """What NVSim leaves open or assumes (RESTORE_SEARCH_SIZE and the constructor of InputParameter)."""
    configuration = read(tmp_path, {})
    assert configuration.local_wire_types == WIRE_TYPES[:4]
    assert configuration.global_wire_types == WIRE_TYPES[2:]
    assert configuration.local_repeaters == configuration.global_repeaters == REPEATERS
    assert configuration.local_low_swing == configuration.global_low_swing == (False, True)
    assert configuration.buffer_designs == BUFFER_DESIGNS == ("latency", "balance", "area")
    assert (configuration.access, configuration.target) == ("normal", "ReadLatency")
    assert (configuration.routing, configuration.internal_sensing) == ("H-tree", True)
    assert (configuration.max_nmos_size, configuration.write_scheme) == (100.0, "NormalWrite")
    assert configuration.bank_force is None and configuration.mat_force is None
    assert configuration.mux_sense_amp is configuration.mux_output_1 is configuration.mux_output_2 is None
    assert configuration.constraints == ()
    assert not configuration.pruning and not configuration.cacti_assumption
    assert len({configuration, read(tmp_path, {})}) == 1


def test_ram_ignores_what_is_for_caches(tmp_path: Path) -> None:
    """NVSim ignores ways and access mode of a RAM."""
    configuration = read(tmp_path, {"DesignTarget": "RAM", "CacheAccessMode": "Fast"})
    assert (configuration.associativity, configuration.access) == (1, "normal")
    read(tmp_path, {"DesignTarget": "RAM", "Associativity (for cache only)": None})


def test_forced_organization(tmp_path: Path) -> None:
    """Rows come before columns, in total and active."""
    configuration = read(
        tmp_path,
        {
            "ForceBank (Total AxB, Active CxD)": "4x8, 1x2",
            "ForceMat (Total AxB, Active CxD)": "2 x 1,1 x 1",
            "ForceMuxSenseAmp": "2",
            "ForceMuxOutputLev1": "4",
            "ForceMuxOutputLev2": "1",
        },
    )
    assert configuration.bank_force == (4, 8, 1, 2)
    assert configuration.mat_force == (2, 1, 1, 1)
    muxes = (configuration.mux_sense_amp, configuration.mux_output_1, configuration.mux_output_2)
    assert muxes == (2, 4, 1)


def test_constraints(tmp_path: Path) -> None:
    """Slacks by target, in NVSim's order of targets."""
    keys = {
        "ApplyAreaConstraint": "1",
        "ApplyReadLatencyConstraint": "37.4",
        "ApplyWriteEdpConstraint": "0.5",
        "ApplyLeakageConstraint": "0",
    }
    expected = (("ReadLatency", 37.4), ("WriteEDP", 0.5), ("LeakagePower", 0.0), ("Area", 1.0))
    assert read(tmp_path, keys).constraints == expected


def test_every_constraint_has_a_target(tmp_path: Path) -> None:
    """All eight targets can be constrained."""
    stems = [name.removesuffix("Power").replace("EDP", "Edp") for name in TARGETS]
    constraints = read(tmp_path, {f"Apply{stem}Constraint": "0.5" for stem in stems}).constraints
    assert [target for target, _ in constraints] == list(TARGETS)


def test_ignored_keys(tmp_path: Path) -> None:
    """Keys that NVSim reads, or its samples carry, and that change no design."""
    ignored = {
        "OutputFilePrefix": "sram",
        "MaxDriverCurrent (uA)": "0",
        "FlashPageSize (Byte)": "2048",
        "FlashBlockSize (KB)": "128",
        "Optimization": "latency",
    }
    assert read(tmp_path, ignored) == read(tmp_path, {})


@pytest.mark.parametrize("capacity", [3, 5, 6, 7, 10, 12, 13, 20, 28])
def test_capacities_with_a_small_odd_factor(tmp_path: Path, capacity: int) -> None:
    """Capacities that scale the rows of the next power of two."""
    changes = {"Capacity (KB)": None, "Capacity (MB)": str(capacity)}
    assert read(tmp_path, changes).capacity == capacity << 20


def test_cacti_assumption_in_any_order(tmp_path: Path) -> None:
    """NVSim's result depends on which key comes last; agreeing keys are the same in any order."""
    force = {"ForceBank (Total AxB, Active CxD)": "8x4, 1x4", "ForceMat (Total AxB, Active CxD)": "2x2, 2x2"}
    cacti = {"UseCactiAssumption": "Yes"}
    assert read(tmp_path, {**force, **cacti}) == read(tmp_path, {**cacti, **force})


def test_pinned_repeaters_with_open_swing(tmp_path: Path) -> None:
    """Only two pins can contradict each other."""
    read(tmp_path, {"LocalWireRepeaterType": "RepeatedOpt"})
    read(tmp_path, {"LocalWireUseLowSwing": "Yes"})
    read(tmp_path, {"GlobalWireUseLowSwing": "Yes", "GlobalWireRepeaterType": "RepeatedNone"})


UNDERSTOOD: tuple[tuple[str, str, str], ...] = (
    ("ProcessNode", "22nm", "22"),
    ("ProcessNode", "22.0", "22"),
    ("Temperature (K)", "350.0", "350"),
    ("Temperature (K)", "350K", "350"),
    ("Capacity (KB)", "2048KB", "2048"),
    ("WordWidth (bit)", "512 bit", "512"),
    ("MaxNmosSize (F)", "100F", "100"),
    ("BufferDesignOptimization", "balanced", "balance"),
    ("Routing", "Non-H-tree", "non-H-tree"),
    ("WriteScheme", "Normal", "NormalWrite"),
    ("LocalWireUseLowSwing", "no", "No"),
    ("UseCactiAssumption", "false", "No"),
    ("GlobalWireRepeaterType", "None", "RepeatedNone"),
    ("InternalSensing", "False", "false"),
    ("CacheAccessMode", "normal", "Normal"),
    ("DeviceRoadmap", "lop", "LOP"),
    ("OptimizationTarget", "FullExploration", "Exploration"),
)
"""Spellings that NVSim takes for what is meant: numbers end where digits end, an unknown word is the list's last."""


@pytest.mark.parametrize(("key", "spelling", "meant"), UNDERSTOOD)
def test_what_nvsim_understands(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, key: str, spelling: str, meant: str
) -> None:
    """It is accepted and said in one line, and refused where the file is read strictly."""
    bus = {"Routing": "non-H-tree"} if key == "InternalSensing" else {}
    path = written(tmp_path, {**bus, key: spelling})
    found = read_configuration(path)
    line = 1 + [*MINIMAL, *bus, key].index(key)
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}:{line}: -{key}: '{spelling}' is understood as {meant}"
    ]
    with pytest.raises(InputError, match=re.escape(f"{path}:{line}: -{key}: '{spelling}' is ")):
        read_configuration(path, strict=True)
    assert found == read(tmp_path, {**bus, key: meant})


@pytest.mark.parametrize(
    "changes",
    [
        {"ProcessNode": "22um"},
        {"ProcessNode": "22.5"},
        {"Capacity (KB)": "2MB"},
        {"InternalSensing": "True"},
        {"LocalWireUseLowSwing": "yes"},
        {"DeviceRoadmap": "hp"},
        {"CacheAccessMode": "sequential"},
        {"BufferDesignOptimization": "Latency"},
        {"Routing": "H-Tree"},
    ],
)
def test_what_nvsim_would_misread(tmp_path: Path, changes: dict[str, str | None]) -> None:
    """A spelling that NVSim takes for something else than what is meant is an error."""
    assert "expected" in complaint(tmp_path, changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"DesignTarget": None}, "missing -DesignTarget: one of cache, RAM"),
        ({"ProcessNode": None}, "missing -ProcessNode"),
        ({"Capacity (KB)": None}, "missing -Capacity (B) or -Capacity (KB) or -Capacity (MB)"),
        ({"WordWidth (bit)": None}, "missing -WordWidth (bit)"),
        ({"Associativity (for cache only)": None}, "missing -Associativity (for cache only)"),
        ({"DeviceRoadmap": None}, "missing -DeviceRoadmap: one of HP, LSTP, LOP"),
        ({"Temperature (K)": None}, "missing -Temperature (K): a whole number from 300 to 400"),
        ({"MemoryCellInputFile": None}, "missing -MemoryCellInputFile: the path of a .cell file"),
        ({"DesignTarget": "CAM"}, ":1: -DesignTarget: 'CAM' is not supported"),
        ({"CacheAccessMode": "Sequental"}, "nearest valid word is Sequential, expected one of Normal, Fast"),
        ({"OptimizationTarget": "EDAP"}, "'EDAP' is unknown, the nearest valid word is ReadEDP"),
        ({"Optimization": "area"}, "expected latency or -OptimizationTarget"),
        ({"Routing": "h-tree"}, "nearest valid word is H-tree"),
        ({"WriteScheme": "Norml"}, "nearest valid word is NormalWrite"),
        ({"LocalWireType": "LocalAgressive"}, "nearest valid word is LocalAggressive"),
        ({"GlobalWireRepeaterType": "Repeated15%Penalty"}, "expected one of RepeatedNone, RepeatedOpt"),
        ({"BufferDesignOptimization": "balence"}, "nearest valid word is balance"),
        ({"InternalSensing": "Yes"}, "expected one of true, false"),
        ({"ProcessNode": "16"}, "from 22 to 200 nm (nodes below 22 nm need a technology file)"),
        ({"ProcessNode": "250"}, ":2: -ProcessNode: '250' is out of range"),
        ({"Temperature (K)": "299"}, "from 300 to 400"),
        ({"Temperature (K)": "401"}, "from 300 to 400"),
        (
            {"Temperature (C)": "80", "Temperature (K)": None},
            "unit 'C' in -Temperature, write -Temperature (K)",
        ),
        ({"Capacity (KB)": "0"}, "'0' is out of range"),
        ({"Capacity (KB)": "-1"}, "'-1' is out of range"),
        ({"Capacity (KB)": "8000000"}, "-Capacity: 8000000 KB, expected at most 4 GB"),
        ({"Capacity (GB)": "1"}, "write -Capacity (B) or -Capacity (KB) or -Capacity (MB)"),
        ({"Capacity (MB)": "2"}, "-Capacity is given twice, first in line 3"),
        (
            {"Capacity (KB)": None, "Capacity (B)": "2097664"},
            "is no whole number of sets, expected a multiple of 1 KB",
        ),
        (
            {"Capacity (KB)": "17"},
            "17 KB is not k x 2^n with k up to 15, the nearest capacities are 16 KB and 18 KB",
        ),
        ({"Capacity (KB)": "32001"}, "the nearest capacities are 30 MB and 32 MB"),
        ({"WordWidth (bit)": "500"}, "'500' is not a power of two, expected a power of two from 8 to 65536"),
        ({"WordWidth (bit)": "4"}, "expected a power of two from 8 to 65536"),
        ({"WordWidth (bit)": "131072"}, "expected a power of two from 8 to 65536"),
        ({"Associativity (for cache only)": "3"}, "'3' is not a power of two"),
        ({"Associativity (for cache only)": "1000000000"}, "expected a power of two from 1 to 65536"),
        ({"Associativity (for cache only)": "65536"}, "65536 ways of 64 B do not fit in 2 MB"),
        ({"DesignTarget": "RAM", "Capacity (KB)": None, "Capacity (B)": "32"}, "at least one word of 64 B"),
        ({"MaxNmosSize (F)": "1"}, "expected a number from 1.5 to 100000"),
        ({"ForceBank": "3x4, 1x1"}, "-ForceBank: 3 is not a power of two"),
        ({"ForceBank": "4x4, 8x4"}, "-ForceBank: more active (8x4) than in total (4x4)"),
        ({"ForceMat": "2x2"}, "'2x2' is not of the form AxB, CxD"),
        ({"ForceMat": "0x2, 0x1"}, "-ForceMat: 0 is not a power of two"),
        ({"ForceMuxSenseAmp": "3"}, "'3' is not a power of two"),
        ({"InternalSensing": "false"}, "an H-tree cannot be sensed externally"),
        (
            {"LocalWireUseLowSwing": "Yes", "LocalWireRepeaterType": "RepeatedOpt"},
            ":9: -LocalWireUseLowSwing: a wire with repeaters has full swing",
        ),
        (
            {"GlobalWireRepeaterType": "Repeated5%Penalty", "GlobalWireUseLowSwing": "Yes"},
            ":10: -GlobalWireUseLowSwing: a wire with repeaters has full swing",
        ),
        (
            {"UseCactiAssumption": "Yes", "ForceBank": "4x8, 1x4"},
            ":10: -ForceBank contradicts -UseCactiAssumption: Yes, expected 4x8, 1x8",
        ),
        (
            {"ForceBank": "4x8, 2x8", "UseCactiAssumption": "Yes"},
            ":9: -ForceBank contradicts -UseCactiAssumption: Yes, expected 4x8, 1x8",
        ),
        (
            {"ForceMat": "2x2, 1x2", "UseCactiAssumption": "Yes"},
            ":9: -ForceMat contradicts -UseCactiAssumption: Yes, expected 2x2, 2x2",
        ),
        ({"ApplyAreaConstraint": "-0.5"}, "'-0.5' is out of range"),
        (
            {"ApplyAreaConstrain": "0.5"},
            "unknown key '-ApplyAreaConstrain', the nearest valid key is -ApplyArea",
        ),
        ({"Optimisation": "latency"}, "the nearest valid key is -OptimizationTarget"),
    ],
)
def test_wrong_settings(tmp_path: Path, changes: dict[str, str | None], expected: str) -> None:
    """One line names the key and what would be right."""
    assert expected in complaint(tmp_path, changes)


def test_cell_beside_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the configuration comes first, then the working directory."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    changes = {"MemoryCellInputFile": "a b.cell"}
    (work / "a b.cell").touch()
    assert read(tmp_path, changes).cell_path == work / "a b.cell"
    (tmp_path / "a b.cell").touch()
    assert read(tmp_path, changes).cell_path == tmp_path / "a b.cell"


def test_absent_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both places are named; a folder is no cell."""
    work = tmp_path / "work"
    (work / "x.cell").mkdir(parents=True)
    monkeypatch.chdir(work)
    message = complaint(tmp_path, {"MemoryCellInputFile": "x.cell"})
    assert message.endswith(
        f":7: -MemoryCellInputFile: no such file, neither {tmp_path / 'x.cell'} nor {work / 'x.cell'}"
    )


def test_externally_sensed_sram_needs_a_read_voltage(tmp_path: Path) -> None:
    """NVSim takes the logarithm of zero, or of a negative number."""
    configuration = read(tmp_path, {"Routing": "non-H-tree", "InternalSensing": "false"})
    text = (REFERENCE / "cells" / "sram.cell").read_text()
    path = tmp_path / "sram.cell"
    for addition in ("", "\n-ReadVoltage (V): 0.08"):
        path.write_text(text + addition)
        with pytest.raises(InputError, match=r"sram\.cell: .* -ReadVoltage \(V\) above the 0\.08 V"):
            check_cell(configuration, read_cell(path))
    path.write_text(f"{text}\n-ReadVoltage (V): 0.45")
    check_cell(configuration, read_cell(path))


def test_pcram_cannot_be_verified(tmp_path: Path) -> None:
    """NVSim has no write latency for it."""
    configuration = read(tmp_path, {"WriteScheme": "WriteAndVerify"})
    check_cell(configuration, read_cell(REFERENCE / "cells" / "stt.cell"))
    with pytest.raises(InputError, match="WriteAndVerify is not modeled for PCRAM"):
        check_cell(configuration, read_cell(REFERENCE / "cells" / "pcram.cell"))
