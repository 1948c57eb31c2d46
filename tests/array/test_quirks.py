"""Every switch over NVSim's behavior: turned off, it changes what its docstring says, by as much, and no more.

The expected difference is computed by hand from figures that the switch leaves alone, or from a closed form.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dse.batch import Floats, Ints
from dse.objectives.array.cells.write import set_energy
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.circuits.gates import inverter_leakage
from dse.objectives.array.circuits.mux import mux, pass_transistor_width
from dse.objectives.array.circuits.precharger import precharger
from dse.objectives.array.circuits.predecoder import plan, predecoder
from dse.objectives.array.circuits.row_decoder import Decoder, decoder, decoder_stages, nand_table, size_drivers
from dse.objectives.array.circuits.sense_amp import sense_amp_load
from dse.objectives.array.circuits.signal import STEP_RAMP
from dse.objectives.array.circuits.transistor import (
    SMALLEST_WIDTH,
    gate_cap,
    nmos_on_resistance,
    pmos_on_resistance,
    transistor_drain_cap,
)
from dse.objectives.array.circuits.wire import REPEATER_PENALTIES, WireCost, make_wire
from dse.objectives.array.given.converter import converter_of, converter_table
from dse.objectives.array.given.quirks import NVSIM, Quirks
from dse.objectives.array.given.technology import Technology, load_technology, load_wire_geometry
from dse.objectives.array.hierarchy.array import BUS, H_TREE, METRIC_COLUMNS, Evaluation, Fabric, block_bits, evaluate
from dse.objectives.cache.metrics import read_phases
from dse.objectives.cache.nvsim_files.configuration import read_configuration
from dse.objectives.cache.specification import spec_from_configuration
from dse.spaces.array.enumeration import enumerate_array
from dse.spaces.array.mat import RULES, mat_geometry
from dse.spaces.array.organization import BUFFER_DESIGNS, LATENCY, BankChoice, MatChoice, tag_ranges
from dse.spaces.array.routing import Routing, route_h_tree
from dse.spaces.array.spec import FAST, NORMAL, RAM, SEQUENTIAL, tag_array
from dse.spaces.array.wires import BASIC_GLOBAL, WireChoice

REFERENCE = Path(__file__).parents[1] / "reference"
TECHNOLOGY = load_technology(22, "HP", 350)
RELATIVE_TOLERANCE = 1e-9
"""Of differences between figures, which lose digits."""

BANK_FIGURES = set(METRIC_COLUMNS[METRIC_COLUMNS.index("height") : METRIC_COLUMNS.index("mat_height")])
MAT_FIGURES = {name for name in METRIC_COLUMNS if name.startswith("mat_")}
WRITE_ENERGIES = {"write_energy", "mat_write_energy", "subarray_write_energy"}
WRITE_LATENCIES = {"write_latency", "mat_write_latency", "subarray_write_latency"}
CELL_ENERGIES = {"cell_read_energy", "cell_set_energy", "cell_reset_energy"}


@dataclass(frozen=True)
class Designs:
    """The designs of one array of a reference configuration, and the problem they belong to."""

    problem: ArrayChoice
    banks: BankChoice
    mats: MatChoice

    def select(self, chosen: np.ndarray) -> "Designs":
        """Return some of the designs."""
        return Designs(self.problem, self.banks.take(chosen), self.mats.take(chosen))

    def with_fabric(self, **changes: object) -> "Designs":
        """Return the designs built of other circuits."""
        problem = replace(self.problem, fabric=replace(self.problem.fabric, **changes))
        return Designs(problem, self.banks, self.mats)

    def evaluate(self, quirks: Quirks, global_: WireChoice) -> Evaluation:
        """Evaluate the designs with NVSim's basic local wire."""
        fabric = replace(self.problem.fabric, quirks=quirks)
        return evaluate(self.banks, self.mats, self.problem.spec, fabric, self.problem.basic_local, global_)

    @property
    def active_mats(self) -> Ints:
        """Mats activated by an access."""
        return self.banks.active_bank_rows * self.banks.active_bank_cols

    def routing(self, quirks: Quirks = NVSIM) -> Routing:
        """Route the designs' banks."""
        spec, fabric = self.problem.spec, replace(self.problem.fabric, quirks=quirks)
        return fabric.route(self.banks, np.maximum(block_bits(self.banks, self.mats, spec), 1), spec)


@functools.cache
def designs(name: str, memory_type: str) -> Designs:
    """Read the designs of reference points, those that NVSim rejects included."""
    problem = dict(spec_from_configuration(read_configuration(REFERENCE / f"{name}.cfg")).arrays)[memory_type]
    points = pd.read_csv(REFERENCE / "points" / f"{name}.csv.gz").query("memory_type == @memory_type")
    coded = points.assign(buffer_design=points.buffer_design.map(BUFFER_DESIGNS.index))
    banks, mats = (
        kind(*(coded[name].to_numpy(np.int64) for name in kind.__dataclass_fields__))
        for kind in (BankChoice, MatChoice)
    )
    return Designs(problem, banks, mats)


@dataclass(frozen=True)
class Switched:
    """The same designs with a switch on and off; figures of those that are valid either way."""

    designs: Designs
    on: Evaluation
    off: Evaluation

    @property
    def both(self) -> np.ndarray:
        """Designs that are valid either way."""
        return self.on.valid & self.off.valid

    @property
    def kept(self) -> Designs:
        """The designs that are valid either way."""
        return self.designs.select(self.both)

    def before(self, name: str) -> Floats:
        """Return a figure with the switch on."""
        return self.on.metrics[name][self.both]

    def after(self, name: str) -> Floats:
        """Return a figure with the switch off."""
        return self.off.metrics[name][self.both]

    def gain(self, name: str) -> Floats:
        """Return by how much a figure grows when the switch is turned off."""
        return self.after(name) - self.before(name)

    def changed(self) -> set[str]:
        """Return the figures that differ for any design."""
        return {name for name in METRIC_COLUMNS if (self.before(name) != self.after(name)).any()}


def switch(quirk: str, chosen: Designs, global_: WireChoice | None = None) -> Switched:
    """Evaluate designs with and without a quirk."""
    wire = global_ or chosen.problem.basic_global
    result = Switched(chosen, chosen.evaluate(NVSIM, wire), chosen.evaluate(NVSIM.without(quirk), wire))
    assert result.both.sum() >= 10
    return result


def assert_without_effect(quirk: str, chosen: Designs) -> None:
    """Check that a switch leaves designs alone."""
    result = switch(quirk, chosen)
    np.testing.assert_array_equal(result.on.valid, result.off.valid)
    assert result.changed() == set()


def assert_close(actual: Floats, expected: Floats, scale: Floats | float = 0.0) -> None:
    """Compare to RELATIVE_TOLERANCE, or to the rounding of `scale`, of which `actual` is a difference."""
    np.testing.assert_array_less(
        np.abs(actual - expected), RELATIVE_TOLERANCE * np.abs(expected) + 1e-14 * np.abs(scale) + 1e-300
    )


def test_tag_write_energy_per_way() -> None:
    result = switch("tag_write_energy_per_way", designs("stt_normal_2mb", "tag"))
    assert result.changed() == WRITE_ENERGIES | {"set_energy", "reset_energy", "cell_set_energy", "cell_reset_energy"}
    ways = result.designs.problem.spec.cache_ways
    assert ways == 16
    for name in ("cell_set_energy", "cell_reset_energy"):
        np.testing.assert_array_equal(result.after(name), ways * result.before(name))
    written = np.maximum(result.after("cell_set_energy"), result.after("cell_reset_energy"))
    assert_close(result.gain("write_energy"), written * (1 - 1 / ways), result.after("write_energy"))
    assert_close(result.gain("set_energy"), result.gain("cell_set_energy"), result.after("set_energy"))
    for name in ("stt_normal_2mb", "stt_sequential_2mb"):
        assert_without_effect("tag_write_energy_per_way", designs(name, "data"))
    assert_without_effect("tag_write_energy_per_way", designs("stt_sequential_2mb", "tag"))


@pytest.mark.parametrize("ways", [1, 4, 32])
@pytest.mark.parametrize("routing", [H_TREE, BUS])
def test_tag_columns_cover_ways(ways: int, routing: str) -> None:
    """Moot: a tag is at least as wide as its activated subarrays, so that no set of tags lacks columns."""
    fabric = replace(designs("sram_normal_2mb", "tag").problem.fabric, routing=routing)
    spec = tag_array(1 << 18, 512, ways, NORMAL)
    found = []
    for covered in (True, False):
        enumeration = enumerate_array(spec, tag_ranges(), fabric.route, tags_cover_ways=covered)
        found.append([
            (key, part.position[rows].tobytes(), part.geometry.columns[rows].min())
            for part in enumeration.legal_mats(sorted({group.key for group in enumeration.groups}))
            for key, rows in part.rows()
        ])
    assert found[0] == found[1]
    assert min(columns for _, _, columns in found[1]) >= ways
    assert_without_effect("tag_columns_cover_ways", designs("sram_normal_2mb", "data"))


@pytest.mark.parametrize(("access", "memory_type"), [(NORMAL, "tag"), (SEQUENTIAL, "tag"), (FAST, "data")])
def test_tag_columns_cover_ways_in_a_mat(access: str, memory_type: str) -> None:
    """The rule itself, for a mat that no bank would make: four bits of a set of 16 ways."""
    choice = MatChoice(*(np.array([count]) for count in (1, 1, 1, 1, 1, 1, 1, 1, 0)))
    bits = [np.array([count]) for count in (6, 4, 1)]
    array = replace(tag_array(1 << 18, 512, 16, access), memory_type=memory_type)
    rule = RULES.index("a subarray has fewer columns than the cache has ways")
    kept = [mat_geometry(*bits, choice, array, tags_cover_ways=covered)[1][rule, 0] for covered in (True, False)]
    assert kept == {"data": [False, False], "tag": [access == SEQUENTIAL, True]}[memory_type]


@pytest.mark.parametrize("name", ["stt_normal_2mb", "stt_deepnvm_sequential_2mb", "pcram_ram_16mb_90"])
def test_reset_energy_includes_set(name: str) -> None:
    result = switch("reset_energy_includes_set", designs(name, "data"))
    assert result.changed() == {"reset_energy"}
    # outside the cells a RESET costs what a SET does
    around = result.after("set_energy") - result.after("cell_set_energy")
    assert_close(result.after("reset_energy"), around + result.after("cell_reset_energy"))
    # a subarray's share in it is counted once more, and the SET of the cells in place of their RESET
    once_more = result.before("reset_energy") - result.before("set_energy")
    assert (once_more > 0).all()
    swapped = result.before("cell_reset_energy") - result.before("cell_set_energy")
    assert_close(result.gain("reset_energy"), swapped - once_more, result.before("reset_energy"))


def test_precharger_folds_by_own_width() -> None:
    result = switch("precharger_folds_by_own_width", designs("sram_normal_2mb", "data"))
    fabric = result.designs.problem.fabric
    wire = fabric.wire(result.designs.problem.basic_local)
    charger = precharger(result.before("subarray_cols"), fabric.cell, wire, fabric.largest_nmos, fabric.technology)
    array_width = result.before("subarray_cols") * fabric.cell.width_f * fabric.technology.feature_size
    assert (charger.width > array_width).any()
    folded = np.maximum(charger.width / array_width, 1)
    assert_close(result.gain("subarray_height"), charger.height * (folded - 1), result.after("subarray_height"))
    # a taller subarray changes what the wires past it load: the predecoder, and all after it
    timed = {
        "predecoder_latency", "row_decoder_latency", "column_decoder_latency", "bitline_latency",
        "precharge_latency", "subarray_read_latency", "subarray_write_latency",
    }
    assert result.changed() <= BANK_FIGURES | MAT_FIGURES | {"subarray_height", "subarray_area"} | timed
    assert {"subarray_height", "subarray_area", "mat_height", "height"} <= result.changed()


def test_sram_write_as_slow_as_read() -> None:
    result = switch("sram_write_as_slow_as_read", designs("sram_normal_2mb", "data"))
    assert result.changed() == WRITE_LATENCIES
    np.testing.assert_array_equal(result.before("subarray_write_latency"), result.before("subarray_read_latency"))
    driven = np.maximum(
        result.after("row_decoder_latency"), result.after("column_decoder_latency") + result.after("charge_latency")
    )
    np.testing.assert_array_equal(result.after("subarray_write_latency"), driven)
    for name in WRITE_LATENCIES:
        assert_close(result.gain(name), result.gain("subarray_write_latency"), result.before(name))
    assert_without_effect("sram_write_as_slow_as_read", designs("stt_normal_2mb", "data"))


def test_two_level_horizontal_tree() -> None:
    wire = WireChoice("SemiAggressive", "RepeatedOpt")
    chosen = designs("sram_ram_4mb", "data")
    result = switch("two_level_horizontal_tree", chosen, wire)
    assert result.changed() == {"width", "area"}
    banks = result.kept.banks
    routing = result.kept.routing()
    repeated = chosen.problem.fabric.wire(wire)
    special = (banks.bank_cols == 4) & (banks.bank_rows > 1)
    # the level next to the mats has twice the bundles, which share the pitch of repeaters
    wires = routing.vertical.bits[0] * routing.vertical.bundles[0]
    rows = np.ceil(2 * wires / repeated.bundle) - np.ceil(wires / repeated.bundle)
    assert_close(result.gain("width"), np.where(special, rows * repeated.area_pitch, 0.0), result.after("width"))


def test_two_level_horizontal_tree_in_routing() -> None:
    choice = designs("sram_ram_4mb", "data")
    on, off = choice.routing(), choice.routing(NVSIM.without("two_level_horizontal_tree"))
    for name in ("present", "bits", "all_bundles", "active_bundles"):
        for tree in ("horizontal", "vertical"):
            np.testing.assert_array_equal(getattr(getattr(on, tree), name), getattr(getattr(off, tree), name))
    np.testing.assert_array_equal(on.horizontal.bundles, off.horizontal.bundles)
    doubled = (choice.banks.bank_cols == 4) & (choice.banks.bank_rows > 1)
    np.testing.assert_array_equal(off.vertical.bundles[0], on.vertical.bundles[0] * np.where(doubled, 2, 1))
    np.testing.assert_array_equal(off.vertical.bundles[1:], on.vertical.bundles[1:])


def test_unrepeated_wire_without_area() -> None:
    chosen = designs("sram_normal_2mb", "data")
    result = switch("unrepeated_wire_without_area", chosen)
    assert result.changed() == BANK_FIGURES - CELL_ENERGIES - {"leakage"}
    pitch = load_wire_geometry(22, BASIC_GLOBAL).pitch
    routing = result.kept.routing()
    across = (routing.vertical.bits * routing.vertical.bundles).sum(axis=0) * pitch
    down = (routing.horizontal.bits * routing.horizontal.bundles).sum(axis=0) * pitch
    assert_close(result.gain("width"), across, result.after("width"))
    assert_close(result.gain("height"), down, result.after("height"))
    # crossing bundles lengthens wires, and nothing shortens them
    for name in ("read_latency", "write_latency", "read_energy", "write_energy"):
        assert (result.gain(name) >= 0).all()
        assert (result.gain(name) > 0).any()


@pytest.mark.parametrize("internal_sensing", [True, False])
def test_unrepeated_wire_without_area_on_a_bus(internal_sensing: bool) -> None:
    cell = replace(designs("sram_nonhtree_int_1mb", "data").problem.fabric.cell, read_voltage=0.9)
    chosen = designs("sram_nonhtree_int_1mb", "data").with_fabric(cell=cell, internal_sensing=internal_sensing)
    assert chosen.problem.fabric.routing == BUS
    result = switch("unrepeated_wire_without_area", chosen)
    assert result.changed() == {"width", "area"}
    mats = result.kept.banks.bank_rows * result.kept.banks.bank_cols
    addresses = mats * result.kept.routing().address_bits * load_wire_geometry(22, BASIC_GLOBAL).pitch
    assert_close(result.gain("width"), addresses, result.after("width"))


def test_tag_write_wire_energy_per_way() -> None:
    result = switch("tag_write_wire_energy_per_way", designs("stt_fast_2mb", "tag"))
    assert result.changed() == {"write_energy", "set_energy", "reset_energy"}
    wires = result.after("read_energy") - result.after("mat_read_energy") * result.kept.active_mats
    for name in ("write_energy", "set_energy", "reset_energy"):
        assert_close(result.gain(name), wires * (1 - 1 / 16), result.after("read_energy"))
    assert_without_effect("tag_write_wire_energy_per_way", designs("stt_fast_2mb", "data"))
    assert_without_effect("tag_write_wire_energy_per_way", designs("stt_normal_2mb", "tag"))


@pytest.mark.parametrize("name", ["sram_normal_2mb", "sram_nonhtree_int_1mb"])
def test_aspect_ratio_of_data_only(name: str) -> None:
    result = switch("aspect_ratio_of_data_only", designs(name, "tag"))
    height, width = result.on.metrics["height"], result.on.metrics["width"]
    square = result.on.valid & (np.maximum(height / width, width / height) <= 10)
    np.testing.assert_array_equal(result.off.valid, square)
    assert (result.on.valid & ~square).any()
    assert result.changed() == set()
    assert_without_effect("aspect_ratio_of_data_only", designs(name, "data"))


def test_set_energy_tests_reset_voltage() -> None:
    given = designs("stt_normal_2mb", "data").problem.fabric.cell
    cell = replace(given, set_energy=0.0, set_voltage=0.5, reset_voltage=0.0)
    corrected = NVSIM.without("set_energy_tests_reset_voltage")
    per_volt = cell.set_current * cell.set_pulse
    assert set_energy(cell, 1e3, TECHNOLOGY, NVSIM) == pytest.approx(TECHNOLOGY.vdd * per_volt, rel=1e-15, abs=0)
    assert set_energy(cell, 1e3, TECHNOLOGY, corrected) == pytest.approx(0.5 * per_volt, rel=1e-15, abs=0)
    other = replace(cell, set_voltage=0.0, reset_voltage=-0.7)
    assert set_energy(other, 1e3, TECHNOLOGY, NVSIM) == 0
    assert set_energy(other, 1e3, TECHNOLOGY, corrected) == pytest.approx(TECHNOLOGY.vdd * per_volt, rel=1e-15, abs=0)
    for unaffected in (given, replace(cell, set_voltage=-0.7, reset_voltage=0.5), replace(cell, set_voltage=0.0)):
        derived = [set_energy(unaffected, 1e3, TECHNOLOGY, quirks) for quirks in (NVSIM, corrected)]
        assert derived[0] == derived[1]
    result = switch("set_energy_tests_reset_voltage", designs("stt_normal_2mb", "data").with_fabric(cell=cell))
    assert result.changed() == {"cell_set_energy", "set_energy", "reset_energy"}
    assert (result.gain("cell_set_energy") < 0).all()


def test_sense_amp_leakage_times_vdd_squared() -> None:
    result = switch("sense_amp_leakage_times_vdd_squared", designs("sram_ram_4mb", "data"))
    assert result.changed() == {"leakage", "mat_leakage", "subarray_leakage"}
    amps = result.before("subarray_cols") / result.kept.mats.mux_sense_amp
    idle = TECHNOLOGY.current_off_nmos * 5 * TECHNOLOGY.feature_size * TECHNOLOGY.vdd
    assert result.designs.problem.fabric.technology == TECHNOLOGY
    assert_close(
        result.gain("subarray_leakage"), amps * idle * (1 - TECHNOLOGY.vdd), result.after("subarray_leakage")
    )


def test_converter_steps_over_nodes() -> None:
    corrected = NVSIM.without("converter_steps_over_nodes")
    technology = load_technology(40, "HP", 350)
    table = {row.node: row.converter for row in converter_table()}
    assert converter_of(technology, NVSIM) == table[32]
    between = converter_of(technology, corrected)
    share = (40 - 32) / (45 - 32)
    for name in ("delay", "energy", "leakage"):
        low, high = getattr(table[32], name), getattr(table[45], name)
        assert getattr(between, name) == pytest.approx(low + share * (high - low), rel=1e-14, abs=0)
    for node in (*table, 200):
        same = load_technology(node, "HP", 350)
        assert converter_of(same, corrected) == converter_of(same, NVSIM) == table[min(node, 120)]
    chosen = designs("stt_normal_2mb", "data").with_fabric(technology=technology)
    result = switch("converter_steps_over_nodes", chosen)
    assert_close(result.gain("sense_amp_latency"), between.delay - table[32].delay, 1e-9)
    reads = {"read_latency", "read_energy", "leakage"}
    parts = {f"{part}_{name}" for part in ("mat", "subarray") for name in reads}
    assert result.changed() == reads | parts | {"sense_amp_latency", "cell_read_energy"}
    assert_without_effect("converter_steps_over_nodes", designs("stt_aggr_8mb_45", "data"))
    assert_without_effect("converter_steps_over_nodes", designs("sram_512kb_40", "data"))


def test_normal_access_adds_column_decoder() -> None:
    figures = {"read_latency": 9e-10, "mat_read_latency": 5e-10, "column_decoder_latency": 1e-10}

    def figure(name: str) -> Floats:
        return np.array([figures[name]])

    corrected = NVSIM.without("normal_access_adds_column_decoder")
    early, late = read_phases(figure, NORMAL, NVSIM)
    assert_close(early, np.array([5e-10]))
    assert_close(late, np.array([5e-10]))
    early, late = read_phases(figure, NORMAL, corrected)
    assert_close(early, np.array([5e-10]))
    assert_close(late, np.array([4e-10]))
    for access in (FAST, SEQUENTIAL, RAM):
        assert read_phases(figure, access, NVSIM) == read_phases(figure, access, corrected)


def gate(rows: int, inputs: int, load: float) -> Decoder:
    """Build one decoder of `rows` NAND gates of `inputs` that drives `load` [F]."""
    zero, style = np.zeros(1), np.full(1, LATENCY)
    driver = size_drivers(np.array([inputs]), np.array([load]), zero, style, zero, 100.0, TECHNOLOGY)
    number = np.zeros(1, np.int64)
    stages = decoder_stages(np.array([inputs]), driver, number, TECHNOLOGY)
    return decoder(np.array([rows]), np.array([inputs]), driver, number, stages, TECHNOLOGY)


LOAD = 20e-15
"""Load of predecoders [F]."""
BITS = np.arange(19)


def test_predecoder_last_stage_free() -> None:
    load = np.full(len(BITS), LOAD)
    on = predecoder(BITS, load, 100.0, TECHNOLOGY, NVSIM)
    off = predecoder(BITS, load, 100.0, TECHNOLOGY, NVSIM.without("predecoder_last_stage_free"))
    for name in ("delay", "ramp", "area"):
        np.testing.assert_array_equal(getattr(on, name), getattr(off, name))
    for bits in BITS.tolist():
        last = gate(2**bits, 2, LOAD)
        for name in ("energy", "leakage"):
            gain = getattr(off, name)[bits] - getattr(on, name)[bits]
            expected = getattr(last, name)[0] if bits >= 10 else 0.0
            assert_close(gain, expected, getattr(off, name)[bits])


def test_predecoder_paths_share_first_delay() -> None:
    load = np.full(len(BITS), LOAD)
    on = predecoder(BITS, load, 100.0, TECHNOLOGY, NVSIM)
    off = predecoder(BITS, load, 100.0, TECHNOLOGY, NVSIM.without("predecoder_paths_share_first_delay"))
    for name in ("ramp", "area", "energy", "leakage"):
        np.testing.assert_array_equal(getattr(on, name), getattr(off, name))
    changed = np.flatnonzero(on.delay != off.delay)
    mixed = [bits for bits in BITS.tolist() if bits > 3 and 0 < plan(bits).pairs < plan(bits).first]
    assert set(changed) <= set(mixed)
    assert 7 in changed
    step = np.array([STEP_RAMP])
    # five bits: a pair and a triple that drive 8 and 4 NAND gates each, then gates of two inputs;
    # seven bits: two pairs and a triple that drive 32 and 16 of three inputs
    for bits, inputs, driven in ((5, 2, (8, 4)), (7, 3, (32, 16))):
        pin = float(nand_table(TECHNOLOGY).pin_cap[inputs])
        pair, triple = gate(4, 2, driven[0] * pin).delay(step), gate(8, 3, driven[1] * pin).delay(step)
        last = gate(2**bits, inputs, LOAD)
        after_pair, after_triple = last.delay(pair.ramp).delay[0], last.delay(triple.ramp).delay[0]
        assert_close(on.delay[bits], pair.delay[0] + max(after_pair, after_triple))
        assert_close(off.delay[bits], max(pair.delay[0] + after_pair, triple.delay[0] + after_triple))


def test_overlap_cap_of_lower_node() -> None:
    corrected = NVSIM.without("overlap_cap_of_lower_node")
    on, off = load_technology(40, "HP", 350), load_technology(40, "HP", 350, quirks=corrected)
    assert replace(off, overlap_cap=on.overlap_cap) == on
    assert on.overlap_cap == load_technology(32, "HP", 350).overlap_cap
    assert off.overlap_cap == pytest.approx(0.2 * off.ideal_gate_cap, rel=1e-14, abs=0)
    assert load_technology(45, "HP", 350, quirks=corrected) == load_technology(45, "HP", 350)


def test_interpolation_above_120nm_over_60nm() -> None:
    corrected = NVSIM.without("interpolation_above_120nm_over_60nm")
    low, high = load_technology(120, "LOP", 350), load_technology(200, "LOP", 350)
    on, off = load_technology(160, "LOP", 350), load_technology(160, "LOP", 350, quirks=corrected)
    for name in ("vdd", "vth", "gate_length", "current_on_nmos"):
        span = getattr(high, name) - getattr(low, name)
        assert getattr(on, name) == pytest.approx(getattr(low, name) + 40 / 60 * span, rel=1e-14, abs=0)
        assert getattr(off, name) == pytest.approx(getattr(low, name) + 40 / 80 * span, rel=1e-14, abs=0)
    for node in (100, 120, 200):
        assert load_technology(node, "LOP", 350, quirks=corrected) == load_technology(node, "LOP", 350)


@dataclass(frozen=True)
class Line:
    """A plain wire [ohm/m, F/m], to be repeated by inverters."""

    resistance: float
    capacitance: float
    technology: Technology

    def inverter(self, size: Floats | float) -> tuple[Floats, Floats, Floats, Floats]:
        """Return gate and drain capacitance [F], resistance [ohm] and leakage [W] of inverters of `size`."""
        technology = self.technology
        nmos = SMALLEST_WIDTH * technology.feature_size * np.asarray(size)
        pmos = nmos * technology.pn_size_ratio
        return (
            gate_cap(nmos, technology) + gate_cap(pmos, technology),
            transistor_drain_cap(nmos, 1.0, technology) + transistor_drain_cap(pmos, 1.0, technology),
            nmos_on_resistance(nmos, technology) + pmos_on_resistance(pmos, technology),
            inverter_leakage(nmos, pmos, technology) * technology.vdd,
        )

    def optimum(self) -> tuple[float, float]:
        """Return size and spacing [m] that NVSim regards as fastest."""
        gates, drains, drive, _ = self.inverter(1.0)
        size = np.sqrt(drive * self.capacitance / gates / self.resistance)
        return size, np.sqrt(2 * drive * (drains + gates) / (self.resistance * self.capacitance))

    def costs(self, size: Floats | float, spacing: float) -> np.ndarray:
        """Return delay, energy and leakage per meter."""
        gates, drains, drive, leakage = self.inverter(size)
        cap, resistance = self.capacitance * spacing, self.resistance * spacing
        tau = drive * (drains + gates + cap) + resistance * (drains + cap / 2)
        return np.stack([0.693 * tau, (drains + gates + cap) * self.technology.vdd**2, leakage]) / spacing


def best_repeaters(line: Line, penalty: float) -> np.ndarray:
    """Try all sizes at every spacing; return the costs of the last that is cheaper within the delay's limit."""
    size, first = line.optimum()
    best = line.costs(size, first)
    limit = best[0] * (1 + penalty)
    for spacing in np.arange(first, 4 * first, 100e-6):
        for trial in line.costs(np.arange(size, 1, -1), spacing).T:
            if trial[0] <= limit and trial[1] / best[1] + trial[2] / best[2] < 2:
                best = trial
    return best


@pytest.mark.parametrize("node", [22, 45])
def test_repeater_search_stops_early(node: int) -> None:
    technology = load_technology(node, "HP", 350)
    corrected = NVSIM.without("repeater_search_stops_early")
    plain, optimal = (
        make_wire(WireChoice(BASIC_GLOBAL, style), technology) for style in ("RepeatedNone", "RepeatedOpt")
    )
    line, different = Line(plain.resistance, plain.capacitance, technology), False
    for style, penalty in REPEATER_PENALTIES.items():
        on = make_wire(WireChoice(BASIC_GLOBAL, style), technology)
        off = make_wire(WireChoice(BASIC_GLOBAL, style), technology, quirks=corrected)
        assert_close(np.array(costs(off.unit)), best_repeaters(line, penalty))
        assert off.unit.delay <= (1 + penalty) * optimal.unit.delay
        assert off.unit.energy * off.unit.leakage <= on.unit.energy * on.unit.leakage
        different |= costs(on.unit) != costs(off.unit)
    assert different
    for style in ("RepeatedNone", "RepeatedOpt"):
        choice = WireChoice(BASIC_GLOBAL, style)
        on, off = make_wire(choice, technology), make_wire(choice, technology, quirks=corrected)
        assert costs(on.cost(np.array([1e-3]))) == costs(off.cost(np.array([1e-3])))


def costs(cost: WireCost) -> tuple[float, float, float]:
    """Return a wire's cost as numbers."""
    return cost.delay.item(), cost.energy.item(), cost.leakage.item()


@pytest.mark.parametrize("scheme", ["NormalWrite", "EraseBeforeReset"])
def test_crosspoint_charges_bitline_twice(scheme: str) -> None:
    chosen = designs("rram_ram_4mb_22", "data").with_fabric(write_scheme=scheme)
    result = switch("crosspoint_charges_bitline_twice", chosen)
    assert result.changed() == WRITE_LATENCIES | {"set_latency", "reset_latency"}
    charge = result.before("charge_latency")
    for name in WRITE_LATENCIES:
        assert_close(result.gain(name), -charge, result.before(name))
    column = result.before("column_decoder_latency") if scheme == "NormalWrite" else 0.0
    ready = np.maximum(result.before("row_decoder_latency"), column + charge)
    cell = chosen.problem.fabric.cell
    assert_close(result.gain("set_latency"), ready + cell.set_pulse, result.after("set_latency"))
    assert_close(result.gain("reset_latency"), ready + cell.reset_pulse, result.after("reset_latency"))
    assert_without_effect("crosspoint_charges_bitline_twice", designs("stt_ram_16mb_32", "data"))
    assert_without_effect("crosspoint_charges_bitline_twice", designs("pcram_ram_16mb_90", "data"))


def test_crosspoint_counts_multiplexers_twice() -> None:
    chosen = designs("rram_ram_4mb_22", "data")
    result = switch("crosspoint_counts_multiplexers_twice", chosen)
    assert result.changed() == WRITE_ENERGIES
    assert_close(result.gain("subarray_write_energy"), -multiplexer_energy(result), result.before("mat_write_energy"))
    assert (result.gain("subarray_write_energy") < 0).any()
    active = result.kept.mats.active_mat_rows * result.kept.mats.active_mat_cols * result.kept.active_mats
    assert_close(
        result.gain("write_energy"), result.gain("subarray_write_energy") * active, result.before("write_energy")
    )
    for name in ("stt_ram_16mb_32", "pcram_ram_16mb_90"):
        assert_without_effect("crosspoint_counts_multiplexers_twice", designs(name, "data"))


def multiplexer_energy(result: Switched) -> Floats:
    """Energy [J] of the three levels of multiplexers of crosspoint subarrays."""
    fabric: Fabric = result.designs.problem.fabric
    mats, cell, technology = result.kept.mats, fabric.cell, fabric.technology
    half = cell.resistance_on_at_reset_voltage / 2 / cell.resistance_on_at_half_reset_voltage
    reset = (cell.reset_voltage - cell.voltage_drop_access) / cell.resistance_on_at_reset_voltage
    current = reset * (1 + half * (result.before("subarray_rows") - 1))
    width = pass_transistor_width(current, cell.resistance_on, fabric.largest_nmos, technology)
    amps = result.before("subarray_cols") / mats.mux_sense_amp
    pitch = cell.width_f * technology.feature_size * mats.mux_sense_amp
    sensed, nothing = sense_amp_load(pitch, technology), np.zeros(len(mats))
    last = mux(mats.mux_output_2, amps / mats.mux_output_1 / mats.mux_output_2, nothing, nothing, width, technology)
    middle = mux(mats.mux_output_1, amps / mats.mux_output_1, last.load, last.pass_cap, width, technology)
    return last.energy + middle.energy + mux(mats.mux_sense_amp, amps, sensed, sensed, width, technology).energy


def test_every_switch_is_tested() -> None:
    tests = {name for name, value in globals().items() if isinstance(value, Callable) and name.startswith("test_")}
    missing = {field.name for field in fields(Quirks)} - {name.removeprefix("test_") for name in tests}
    assert not missing


def test_every_switch_is_on_by_default() -> None:
    assert all(getattr(Quirks(), field.name) is True for field in fields(Quirks))
    assert Quirks() == NVSIM


def test_without() -> None:
    names = [field.name for field in fields(Quirks)]
    off = NVSIM.without(names[0], names[2])
    assert [getattr(off, name) for name in names] == [False, True, False] + [True] * (len(names) - 3)
    assert NVSIM.without() == NVSIM
    with pytest.raises(ValueError, match="no such quirk: nonsense"):
        Quirks().without("nonsense")
    with pytest.raises(ValueError, match="no such quirk: nonsense, rubbish"):
        Quirks().without("rubbish", names[0], "nonsense")


def test_two_level_special_case_is_an_argument_of_routing() -> None:
    """The space knows nothing of quirks: it is told."""
    banks = BankChoice(*(np.array([count]) for count in (4, 4, 1, 1)))
    spec = designs("sram_ram_4mb", "data").problem.spec
    bundles = [
        route_h_tree(banks, np.array([256]), spec, two_level_special_case=special).vertical.bundles[:, 0].tolist()
        for special in (True, False)
    ]
    assert bundles == [[1, 1], [2, 1]]
