"""Circuit blocks against closed forms, scalar re-computations and what physics demands.

Figures are compared at relative tolerances; warnings are errors, so that no block divides by zero on the way.
"""

import functools
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dse.errors import InputError
from dse.objectives.array.cells.sensing import (
    current_sensed_bitline,
    levels,
    voltage_sensed_bitline,
)
from dse.objectives.array.cells.sram import bitline as sram_bitline
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.circuits.cell_physics import Lines
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.comparator import comparator
from dse.objectives.array.circuits.gates import (
    inverter_cap,
    inverter_layout,
    inverter_leakage,
    nand_cap,
    nand_layout,
    nand_leakage,
)
from dse.objectives.array.circuits.mux import mux
from dse.objectives.array.circuits.output_driver import DriverLoad, OutputDriver, size_output_drivers
from dse.objectives.array.circuits.precharger import precharge_latency, precharger
from dse.objectives.array.circuits.predecoder import MOST_BITS, plan, predecoder
from dse.objectives.array.circuits.repeaters import Repeaters, optimal_repeaters, repeater
from dse.objectives.array.circuits.sense_amp import sense_amp_load, sense_amps
from dse.objectives.array.circuits.signal import STEP_RAMP, horowitz
from dse.objectives.array.circuits.transistor import (
    fold,
    gate_cap,
    nmos_on_resistance,
    nmos_transconductance,
    pmos_on_resistance,
    pmos_transconductance,
    transistor_drain_cap,
    transistor_layout,
)
from dse.objectives.array.circuits.wire import Wire, make_wire
from dse.objectives.array.given.quirks import NVSIM
from dse.objectives.array.given.technology import (
    ROADMAPS,
    WIRE_TYPES,
    Technology,
    load_technology,
    load_wire_geometry,
)
from dse.objectives.array.hierarchy.array import BUS, H_TREE, METRIC_COLUMNS, Evaluation, evaluate
from dse.objectives.array.hierarchy.mat import mat_detail
from dse.objectives.cache.nvsim_files.configuration import read_configuration
from dse.objectives.cache.specification import spec_from_configuration
from dse.spaces.array.mat import mat_geometry
from dse.spaces.array.organization import BALANCE, BUFFER_DESIGNS, LATENCY, BankChoice, MatChoice
from dse.spaces.array.spec import data_array
from dse.spaces.array.wires import BASIC_GLOBAL, BASIC_LOCAL, REPEATERS, WireChoice

REFERENCE = Path(__file__).parents[1] / "reference"
TECHNOLOGY = load_technology(22, "HP", 350)
FEATURE = TECHNOLOGY.feature_size

widths = st.floats(1.0, 400.0)
"""Transistor widths [F]."""
factors = st.floats(1.01, 100.0)


def close(value: object, tolerance: float = 1e-12) -> Any:
    """Compare to a relative tolerance."""
    return pytest.approx(value, rel=tolerance, abs=0)


# ---- signals


@given(st.floats(1e-15, 1e-6), st.floats(1e6, STEP_RAMP))
def test_horowitz_without_feedback(tau: float, ramp: float) -> None:
    signal = horowitz(tau, 0.0, ramp)
    assert signal.delay == close(tau * math.log(2))
    assert signal.ramp == close(0.5 / signal.delay)


@given(st.floats(1e-13, 1e-9), st.floats(0.01, 10), st.floats(1e8, 1e13), factors)
def test_horowitz(tau: float, beta: float, ramp: float, factor: float) -> None:
    """The square of the delay is that of a step plus the time constant times beta over the input's slope."""
    delay = horowitz(tau, beta, ramp).delay
    assert delay**2 == close((tau * math.log(2)) ** 2 + tau * beta / ramp)
    assert horowitz(tau, beta, ramp * factor).delay < delay < horowitz(tau * factor, beta, ramp).delay
    assert horowitz(tau, beta * factor, ramp).delay > delay


# ---- technology


def test_transistors_at_22_nm() -> None:
    """Values of NVSim's table at 350 K: 1930.7 and 974.9 A/m, 0.9 V, 10 nm gates."""
    assert pytest.approx(22e-9, rel=1e-15, abs=0) == FEATURE
    assert nmos_on_resistance(1e-6, TECHNOLOGY) == close(1.45 * 0.9 / (1930.7 * 1e-6))
    assert pmos_on_resistance(2e-6, TECHNOLOGY) == close(1.45 * 0.9 / (974.9 * 2e-6))
    assert gate_cap(1e-6, TECHNOLOGY) == close((1.2 * 3.83e-10 + 3 * 1.6e-10) * 1e-6)
    overdrive = min(1e-8 * 1e5 / 0.039726, 0.9 - 0.12872)
    assert nmos_transconductance(1e-6, TECHNOLOGY) == close(0.039726 * 0.0383 / 2 * 1e-6 / 1e-8 * overdrive)
    overdrive = min(1e-8 * 1e5 / 0.00836, 0.9 - 0.12872)
    assert pmos_transconductance(1e-6, TECHNOLOGY) == close(0.00836 * 0.0383 / 2 * 1e-6 / 1e-8 * overdrive)
    assert inverter_leakage(1e-6, 2e-6, TECHNOLOGY) == close(2e-6 * 1.05717)
    assert inverter_leakage(3e-6, 2e-6, TECHNOLOGY) == close(3e-6 * 1.05717)
    assert nand_leakage(2, 1e-6, TECHNOLOGY) == close(0.48 * 2 * 1e-6 * 1.05717)
    assert nand_leakage(3, 1e-6, TECHNOLOGY) == close(0.31 * 3 * 1e-6 * 1.05717)


@pytest.mark.parametrize("roadmap", ROADMAPS)
@pytest.mark.parametrize("node", [22, 40, 90])
def test_hot_transistors_leak_more_and_drive_less(node: int, roadmap: str) -> None:
    cold, hot = (load_technology(node, roadmap, temperature) for temperature in (300, 400))
    assert hot.current_off_nmos > cold.current_off_nmos
    assert hot.current_on_nmos < cold.current_on_nmos
    fast = load_technology(node, "HP", 300)
    assert fast.current_on_nmos >= cold.current_on_nmos
    assert fast.current_off_nmos >= cold.current_off_nmos


# ---- gates


def gate(
    kind: str, inputs: int, nmos: float, pmos: float, region: float, technology: Technology
) -> dict[str, float]:
    """Lay out one gate and add up its capacitances, one transistor after the other."""
    feature = technology.feature_size
    contact = feature * (1 + 2 * 0.75)
    share = pmos / (nmos + pmos)
    room = {"n": (1 - share) * (region - 2 * feature), "p": share * (region - 2 * feature)}
    if nmos == 0 or pmos == 0:
        room = {"n": region, "p": region}
    heights, layout_widths, output = {}, {}, 0.0
    for polarity, width in (("n", nmos), ("p", pmos)):
        if width == 0:
            heights[polarity], layout_widths[polarity] = 0.0, 0.0
            continue
        fingers = 1
        heights[polarity] = width
        if width >= room[polarity]:
            fingers = math.ceil(width / (room[polarity] - 3 * feature))
            heights[polarity] = room[polarity]
        gaps = (fingers - 1) * 1.5 * feature
        in_series = kind == "nand" and polarity == "n"
        between = 1.5 * feature if in_series else contact
        layout_widths[polarity] = 2 * contact + (fingers * feature + gaps) * inputs + (inputs - 1) * between
        drain = contact + gaps * inputs + (inputs - 1) * 1.5 * feature if in_series else (contact + gaps) * inputs
        outer = 0.0 if fingers % 2 == 0 else heights[polarity]
        output += drain * heights[polarity] * technology.junction_cap
        output += (2 * drain + outer) * technology.sidewall_cap
        output += fingers * heights[polarity] * technology.drain_to_channel_cap
    height = heights["n"] + heights["p"] + (6 * feature if nmos and pmos else 0.0)
    return {
        "height": height, "width": max(layout_widths.values()), "output": output,
        "input": gate_cap(nmos, technology) + gate_cap(pmos, technology),
    }


def assume_foldable(nmos: float, pmos: float, region: float) -> None:
    """Leave out what cannot be folded, or what rounding decides."""
    for width in (nmos, pmos):
        room = width / (nmos + pmos) * (region - 2)
        fingers = width / (room - 3) if room != 3 else 0
        assume(room > 3.01 and abs(width / room - 1) > 1e-9 and abs(fingers - round(fingers)) > 1e-9)


@given(widths, widths, st.sampled_from([20.0, 40.0]))
def test_inverter(nmos: float, pmos: float, region: float) -> None:
    assume_foldable(nmos, pmos, region)
    sizes = (nmos * FEATURE, pmos * FEATURE, region * FEATURE)
    expected = gate("inverter", 1, *sizes, TECHNOLOGY)
    height, width = inverter_layout(*sizes, TECHNOLOGY)
    cap = inverter_cap(*sizes, TECHNOLOGY)
    assert (float(height), float(width)) == close((expected["height"], expected["width"]))
    assert (float(cap.input), float(cap.output)) == close((expected["input"], expected["output"]))


@given(st.sampled_from([2, 3]), widths, widths, st.sampled_from([20.0, 40.0]))
def test_nand(inputs: int, nmos: float, pmos: float, region: float) -> None:
    assume_foldable(nmos, pmos, region)
    sizes = (nmos * FEATURE, pmos * FEATURE, region * FEATURE)
    expected = gate("nand", inputs, *sizes, TECHNOLOGY)
    height, width = nand_layout(inputs, *sizes, TECHNOLOGY)
    cap = nand_cap(inputs, *sizes, TECHNOLOGY)
    assert (float(height), float(width)) == close((expected["height"], expected["width"]))
    assert (float(cap.input), float(cap.output)) == close((expected["input"], expected["output"]))


@given(widths, st.sampled_from([20.0, 40.0, 1e6]))
def test_transistor(width: float, region: float) -> None:
    fingers = width / (region - 3)
    assume(abs(width / region - 1) > 1e-9 and abs(fingers - round(fingers)) > 1e-9)
    sizes = (width * FEATURE, region * FEATURE)
    expected = gate("inverter", 1, sizes[0], 0.0, sizes[1], TECHNOLOGY)
    height, across = transistor_layout(*sizes, TECHNOLOGY)
    assert (float(height), float(across)) == close((expected["height"], expected["width"]))
    assert float(transistor_drain_cap(*sizes, TECHNOLOGY)) == close(expected["output"])


@given(st.floats(0.1, 1000.0), st.floats(4.0, 100.0))
def test_fingers_carry_the_width(width: float, limit: float) -> None:
    folding = fold(width * FEATURE, limit * FEATURE, TECHNOLOGY)
    count, height = float(folding.count), float(folding.height) / FEATURE
    assert height == close(min(width, limit), 1e-9)
    assert float(folding.gaps) == close((count - 1) * 1.5 * FEATURE)
    if width < limit * (1 - 1e-9):
        assert count == 1
    elif width > limit * (1 + 1e-9):
        assert count * (limit - 3) >= width * (1 - 1e-9)
        assert (count - 1) * (limit - 3) <= width * (1 + 1e-9)


def test_height_is_continuous_where_folding_begins() -> None:
    limit = 20 * FEATURE
    around = limit * np.array([1 - 1e-9, 1.0, 1 + 1e-9])
    folding = fold(around, limit, TECHNOLOGY)
    np.testing.assert_allclose(folding.height, limit, rtol=2e-9)
    assert folding.count.tolist() == [1, 2, 2]


def test_a_limit_of_three_features_cannot_fold() -> None:
    """Callers mask such figures, which must be harmless until then."""
    folding = fold(np.array([5.0]) * FEATURE, 3 * FEATURE, TECHNOLOGY)
    assert np.isfinite([folding.count, folding.height, folding.gaps]).all()


# ---- wires


@functools.cache
def plain(type_: str = BASIC_GLOBAL, node: int = 22) -> Wire:
    """A wire without repeaters."""
    return make_wire(WireChoice(type_), load_technology(node, "HP", 350))


@given(st.floats(1e-7, 1e-1), factors)
def test_plain_wire(length: float, factor: float) -> None:
    wire = plain()
    one, more = wire.cost(np.array([length])), wire.cost(np.array([length * factor]))
    assert one.delay[0] == close(2.3 / 2 * wire.resistance * wire.capacitance * length**2)
    assert more.delay / one.delay == close(factor**2, 1e-10)
    assert one.energy[0] == close(wire.capacitance * length * 0.9**2)
    assert more.energy / one.energy == close(factor, 1e-10)
    assert not wire.leaks
    assert one.leakage[0] == 0


@pytest.mark.parametrize("type_", WIRE_TYPES)
def test_resistance_and_capacitance(type_: str) -> None:
    geometry, wire = load_wire_geometry(22, type_), plain(type_)
    width, barrier = geometry.pitch / 2, geometry.barrier_thickness
    core = (geometry.aspect_ratio * width - barrier) * (width - 2 * barrier)
    resistivity = geometry.resistivity * (1 + 0.0039 * (350 - 293))
    assert wire.resistance == close(resistivity / core)
    sides = 1.5 * geometry.horizontal_dielectric * geometry.aspect_ratio * width / (geometry.pitch - width)
    plates = 3.9 * width / geometry.ild_thickness
    assert wire.capacitance == close(2 * 8.85e-12 * (sides + plates) + 1.15e-10)
    assert 50e-12 < wire.capacitance < 1e-9  # F/m: on-chip wires have 0.1 to 0.4 fF/um
    hot = make_wire(WireChoice(type_), load_technology(22, "HP", 400))
    assert hot.resistance / wire.resistance == close((1 + 0.0039 * 107) / (1 + 0.0039 * 57))
    assert hot.capacitance == wire.capacitance


def repeated_delay(repeaters: Repeaters, wire: Wire, load: str) -> float:
    """Delay per meter of repeated wires; at its far end the wire drives the `load` of an inverter."""
    inverter = repeater(repeaters.size, wire.technology)
    cap, resistance = wire.capacitance * repeaters.spacing, wire.resistance * repeaters.spacing
    tau = inverter.resistance * (inverter.input_cap + inverter.output_cap + cap)
    tau += resistance * (getattr(inverter, load) + cap / 2)
    return 0.693 * tau / repeaters.spacing


@pytest.mark.parametrize("type_", ["LocalAggressive", "SemiConservative", "GlobalAggressive"])
@pytest.mark.parametrize("node", [22, 45, 90, 200])
def test_optimal_repeaters_are_fastest(node: int, type_: str) -> None:
    """No other size or spacing is faster by more than what the closed form neglects.

    The closed form takes capacitances as proportional to the size; drains have a constant part. NVSim's own
    delay loads the wire with the repeater's drain where the next repeater's gate belongs: it reports the
    latter's optimum and is not at the former's.
    """
    wire = plain(type_, node)
    best = optimal_repeaters(wire.resistance, wire.capacitance, wire.technology)
    least = repeated_delay(best, wire, "input_cap")
    for factor in (0.5, 0.7, 0.8, 0.9, 0.95, 1.05, 1.1, 1.25, 1.4, 2.0):
        for other in (replace(best, size=best.size * factor), replace(best, spacing=best.spacing * factor)):
            delay = repeated_delay(other, wire, "input_cap")
            assert delay > 0.994 * least
            if factor in (0.5, 2.0):
                assert delay > 1.04 * least
    chosen = make_wire(WireChoice(type_, "RepeatedOpt"), wire.technology)
    assert float(chosen.unit.delay) == close(repeated_delay(best, wire, "output_cap"))


@pytest.mark.parametrize("node", [22, 65])
def test_repeated_wires(node: int) -> None:
    technology = load_technology(node, "HP", 350)
    lengths = np.array([1e-4, 3e-4])
    optimal = make_wire(WireChoice(BASIC_GLOBAL, "RepeatedOpt"), technology).cost(lengths)
    for style in REPEATERS[1:]:
        wire = make_wire(WireChoice(BASIC_GLOBAL, style), technology)
        cost = wire.cost(lengths)
        for figure in (cost.delay, cost.energy, cost.leakage):
            assert figure[1] / figure[0] == close(3)
        penalty = 0.0 if style == "RepeatedOpt" else float(style.removeprefix("Repeated").split("%")[0]) / 100
        assert (cost.delay <= optimal.delay * (1 + penalty) * (1 + 1e-12)).all()
        assert (cost.energy * cost.leakage <= optimal.energy * optimal.leakage).all()
        assert wire.leaks
        assert wire.bundle >= 1
    assert plain(node=node).cost(np.array([0.1])).delay > optimal.delay[0] * 1000


@pytest.mark.parametrize("node", [22, 45, 90])
def test_low_swing_saves_energy_over_a_distance(node: int) -> None:
    technology, length = load_technology(node, "HP", 350), np.array([3e-3])
    low = make_wire(WireChoice(BASIC_GLOBAL, low_swing=True), technology).cost(length)
    full = plain(node=node).cost(length)
    assert low.energy < full.energy / 2
    assert low.leakage > 0


def test_low_swing_excludes_repeaters() -> None:
    with pytest.raises(InputError, match="low swing excludes repeaters: RepeatedOpt"):
        make_wire(WireChoice(BASIC_GLOBAL, "RepeatedOpt", low_swing=True), TECHNOLOGY)


# ---- drivers, decoders, predecoders


def loads(cap: list[float], style: int, current: float = 0.0) -> DriverLoad:
    """Loads of capacitance [F] behind a smallest inverter."""
    count = len(cap)
    first = gate_cap(1.5 * FEATURE, TECHNOLOGY) * (1 + TECHNOLOGY.pn_size_ratio)
    return DriverLoad(
        np.ones(count), np.full(count, first), np.array(cap), np.full(count, 100.0), np.full(count, style),
        np.full(count, current),
    )


def stages(driver: OutputDriver) -> list[int]:
    """Count the inverters of every chain."""
    return driver.present.sum(axis=0).tolist()


@given(st.lists(st.floats(1e-17, 1e-11), min_size=2, max_size=6), st.sampled_from(range(3)))
def test_chains_do_not_see_their_neighbors(cap: list[float], style: int) -> None:
    """A batch of chains of different lengths is what each is alone."""
    together = size_output_drivers(loads(cap, style, 1e-4), 100.0, TECHNOLOGY)
    ramp = np.full(len(cap), 1e11)
    for place, one in enumerate(cap):
        alone = size_output_drivers(loads([one], style, 1e-4), 100.0, TECHNOLOGY)
        for name in ("fits", "height", "width", "energy", "leakage", "input_cap", "output_cap"):
            assert getattr(together, name)[place] == getattr(alone, name)[0]
        assert together.delay(ramp).delay[place] == alone.delay(ramp[:1]).delay[0]
        assert together.delay(ramp).ramp[place] == alone.delay(ramp[:1]).ramp[0]


@given(st.floats(1e-17, 1e-12), factors)
def test_larger_loads_cost_more(cap: float, factor: float) -> None:
    driver = size_output_drivers(loads([cap, cap * factor], LATENCY), 100.0, TECHNOLOGY)
    assert driver.energy[1] > driver.energy[0]
    assert driver.leakage[1] >= driver.leakage[0]
    assert driver.width[1] >= driver.width[0]
    assert driver.fits.all()
    assert all(count % 2 for count in stages(driver))
    slow = driver.delay(np.full(2, STEP_RAMP)).delay
    assert slow[1] > slow[0]


def test_chains_aim_for_an_effort_of_four() -> None:
    """Four to the fourth of a smallest inverter: three stages in front of the load, each four times the last."""
    unit = gate_cap(1.5 * FEATURE, TECHNOLOGY) * (1 + TECHNOLOGY.pn_size_ratio)
    driver = size_output_drivers(loads([unit * 4**4], LATENCY), 100.0, TECHNOLOGY)
    assert stages(driver) == [3]
    assert driver.input_cap[0] == close(4 * unit)


def test_currents_widen_drivers() -> None:
    widest = 100 * FEATURE * TECHNOLOGY.current_on_nmos
    for style in range(3):
        weak, strong, too_strong = (
            size_output_drivers(loads([1e-15], style, current), 100.0, TECHNOLOGY)
            for current in (0.0, 0.99 * widest, 1.01 * widest)
        )
        assert strong.leakage > 2 * weak.leakage
        assert weak.fits
        assert strong.fits
        assert not too_strong.fits
    assert stages(size_output_drivers(loads([1e-15], BALANCE, 0.9 * widest), 100.0, TECHNOLOGY))[0] > 1


BITS = np.arange(MOST_BITS + 1)


@pytest.mark.parametrize("load", [1e-16, 1e-14, 1e-12])
def test_predecoders_grow_with_their_bits(load: float) -> None:
    """Delay, area and, where all gates are counted, leakage; not energy: fewer lines switch at a time."""
    corrected = NVSIM.without("predecoder_last_stage_free")
    blocks = predecoder(BITS, np.full(len(BITS), load), 100.0, TECHNOLOGY, corrected)
    for name in ("delay", "area", "leakage"):
        assert (np.diff(getattr(blocks, name)) > 0).all(), name
        assert getattr(blocks, name)[0] == 0
    assert blocks.energy[0] == 0
    assert blocks.ramp[0] == STEP_RAMP
    assert (blocks.energy[1:] > load * 0.9**2).all()


def test_predecoders_do_not_see_their_neighbors() -> None:
    load = np.geomspace(1e-16, 1e-12, len(BITS))
    together = predecoder(BITS, load, 100.0, TECHNOLOGY, NVSIM)
    for bits in BITS.tolist():
        alone = predecoder(BITS[[bits]], load[[bits]], 100.0, TECHNOLOGY, NVSIM)
        for name in alone.__dataclass_fields__:
            assert getattr(alone, name)[0] == getattr(together, name)[bits]


def test_predecoder_plans_use_every_bit() -> None:
    for bits in BITS.tolist():
        block = plan(bits)
        assert block.last_rows == 2**bits
        if bits > 1:
            assert 2 * block.pairs + 3 * block.triples == bits
        if bits > 3:
            assert block.two_levels == (block.pairs + block.triples > 3)
            assert block.last_inputs == (2 if block.two_levels else block.pairs + block.triples)


# ---- sense amplifiers, multiplexers, prechargers, comparators


def test_sense_amps() -> None:
    pitch, count = np.array([50.0, 50.0, 3.5, 3.0]) * FEATURE, np.array([1.0, 64.0, 1.0, 1.0])
    row = sense_amps(count, pitch, 0.08, TECHNOLOGY, NVSIM, current_sensing=False)
    assert row.fits.tolist() == [True, True, True, False]
    load = float(sense_amp_load(50 * FEATURE, TECHNOLOGY))
    drive = nmos_transconductance(3.75 * FEATURE, TECHNOLOGY) + pmos_transconductance(7.5 * FEATURE, TECHNOLOGY)
    assert row.load[0] == close(load)
    assert row.delay[0] == close(load / drive * math.log(0.9 / 0.08))
    assert row.energy[0] == close(load * 0.9**2)
    for name in ("energy", "leakage"):
        assert getattr(row, name)[1] == close(64 * getattr(row, name)[0])
    assert row.height[2] > row.height[0] == row.height[1]
    finer = sense_amps(count, pitch, 0.04, TECHNOLOGY, NVSIM, current_sensing=False)
    assert finer.delay[0] - row.delay[0] == close(load / drive * math.log(2), 1e-9)
    read_by_current = sense_amps(count, pitch, 0.08, TECHNOLOGY, NVSIM, current_sensing=True)
    assert read_by_current.height[0] * pitch[0] - row.height[0] * pitch[0] == close(50_000 * FEATURE**2, 1e-9)


def test_mux() -> None:
    inputs, width = np.array([1, 2, 8]), np.full(3, 9 * FEATURE)
    result = mux(inputs, np.full(3, 32.0), np.full(3, 1e-15), np.full(3, 2e-15), width, TECHNOLOGY)
    assert [float(values[0]) for values in result.to_columns().values()] == [0.0] * 6
    drain = float(transistor_drain_cap(9 * FEATURE, 40 * FEATURE, TECHNOLOGY))
    resistance = nmos_on_resistance(9 * FEATURE, TECHNOLOGY)
    for place, ways in ((1, 2), (2, 8)):
        assert result.delay[place] == close(2.3 * resistance * (ways * drain + 1e-15))
        assert result.energy[place] == close(32 * (ways * drain + 2e-15) * 0.9 * (0.9 - 0.12872))
        assert result.load[place] == close((ways + 1) * drain + 1e-15)
        assert (result.pass_cap[place], result.pass_resistance[place]) == close((drain, resistance))


def test_precharger() -> None:
    array = array_of("sram_normal_2mb")
    fabric = array.fabric
    columns = np.array([64.0, 128.0, 256.0])
    arguments = (fabric.cell, fabric.wire(array.basic_local), fabric.largest_nmos, fabric.technology)
    row = precharger(columns, *arguments)
    for name in ("width", "energy", "leakage"):
        assert (np.diff(getattr(row, name)) > 0).all()
    assert row.width[2] == close(2 * row.width[1])
    latency = functools.partial(precharge_latency, columns=columns, ramp=np.full(3, 1e11))
    base = (np.full(3, 1e-14), np.full(3, 100.0))
    names = ("cell", "wire", "largest_nmos", "technology")
    rest = dict(zip(names, arguments, strict=True))
    slow = latency(bitline_cap=base[0] * 4, bitline_resistance=base[1], **rest)
    assert (slow > latency(bitline_cap=base[0], bitline_resistance=base[1], **rest)).all()


def test_comparator() -> None:
    bits = np.arange(4, 65)
    result = comparator(bits, TECHNOLOGY)
    for name in ("area", "delay", "energy", "leakage"):
        values = getattr(result, name)
        np.testing.assert_array_equal(values, getattr(comparator(bits // 4 * 4, TECHNOLOGY), name))
        assert (np.diff(values) >= 0).all()
    assert np.ptp(result.leakage) == 0
    wide = result.area[bits >= 32]
    assert wide[32] / wide[0] == close(2, 0.05)  # 64 and 32 bits: the pairs outgrow the timing chain


# ---- bitlines


def a_line(cap: float, resistance: float) -> Lines:
    """A bitline of given parasitics."""
    zero = np.zeros(1)
    return Lines(
        wordline_length=zero, bitline_length=zero, wordline_cap=zero, wordline_resistance=zero,
        bitline_cap=np.array([cap]), bitline_resistance=np.array([resistance]), select_cap=zero,
    )


@functools.cache
def array_of(name: str, memory_type: str = "data") -> ArrayChoice:
    """One array of a reference configuration."""
    return dict(spec_from_configuration(read_configuration(REFERENCE / f"{name}.cfg")).arrays)[memory_type]


def circuit_of(name: str, **cell: object) -> Circuit:
    """The circuit of a reference configuration, its cell changed."""
    array = array_of(name)
    circuit = array.fabric.circuit(array.spec, array.basic_local)
    return circuit.with_cell(replace(circuit.cell, **cell))


@given(st.floats(1e-16, 1e-12), st.floats(0.1, 1e6))
def test_current_sensed_bitline(cap: float, resistance: float) -> None:
    """A distributed line between RC / 6, shorted at its end, and RC / 2, open."""
    circuit = circuit_of("stt_ram_16mb_32")
    tau = current_sensed_bitline(a_line(cap, resistance), np.zeros(1), circuit).tau[0]
    assert resistance * cap / 6 < tau < resistance * cap / 2
    insulating = circuit_of("stt_ram_16mb_32", resistance_off=1e14)
    nearly_open = current_sensed_bitline(a_line(cap, resistance), np.zeros(1), insulating)
    assert nearly_open.tau[0] == close(resistance * cap / 2, 1e-6)
    nearly_shorted = current_sensed_bitline(a_line(cap, 1e12), np.zeros(1), circuit)
    assert nearly_shorted.tau[0] == close(1e12 * cap / 6, 1e-6)
    delay = current_sensed_bitline(a_line(cap, resistance), np.zeros(1), circuit).delay(np.array([1e12]))
    assert delay[0] == close(tau * math.log(2))


def test_sram_bitline() -> None:
    """A lumped line discharges by half the sensed voltage from half the supply."""
    circuit = circuit_of("sram_normal_2mb", min_sense_voltage=0.2)
    access = nmos_on_resistance(1.31 * FEATURE, TECHNOLOGY)
    pull_down = nmos_on_resistance(2.08 * FEATURE, TECHNOLOGY)
    own = float(transistor_drain_cap(1.31 * FEATURE, circuit.cell.width_f * FEATURE, TECHNOLOGY))
    line = sram_bitline(a_line(1e-13, 0.0), np.array([2e-15]), circuit)
    tau = (access + pull_down) * (1e-13 + 2e-15 + own)
    assert line.tau[0] == close(tau * math.log(0.45 / (0.45 - 0.1)))
    assert line.beta[0] == close(1 / (pull_down * nmos_transconductance(1.31 * FEATURE, TECHNOLOGY)))
    longer = sram_bitline(a_line(1e-13, 1e3), np.array([2e-15]), circuit)
    assert longer.tau[0] - line.tau[0] == close(1e3 * (2e-15 + 0.5e-13) * math.log(0.45 / 0.35), 1e-9)


@pytest.mark.parametrize(
    ("high", "source"), [(1e5, {"read_voltage": 0.8, "read_current": 0.0}), (1e4, {"read_current": 4e-5})]
)
def test_voltage_sensed_bitline(high: float, source: dict[str, float]) -> None:
    circuit = circuit_of("pcram_ram_16mb_90", resistance_off=high, **source)
    level = levels(circuit)
    assert 0 < level.low < level.precharge < level.high
    assert level.precharge == close((level.low + level.high) / 2)
    access = nmos_on_resistance(2 * 90e-9, circuit.technology)
    on, off = access + 1000, access + high
    if "read_voltage" in source:
        series = math.sqrt(on * off)
        assert (level.low, level.high) == close((0.8 * on / (on + series), 0.8 * off / (off + series)))
        assert level.low + level.high == close(0.8)  # the geometric mean divides symmetrically
        on, off = 1 / (1 / on + 1 / series), 1 / (1 / off + 1 / series)
    else:
        assert (level.low, level.high) == close((4e-5 * on, 4e-5 * off))
    margin, swing = circuit.cell.min_sense_voltage, (level.high - level.low) / 2
    own = float(transistor_drain_cap(2 * 90e-9, circuit.cell.width_f * 90e-9, circuit.technology))
    line = voltage_sensed_bitline(a_line(1e-13, 0.0), np.zeros(1), circuit)
    settled = math.log(swing / (swing - margin)) * (1e-13 + own)
    assert (line.on[0], line.off[0]) == close((on * settled, off * settled), 1e-9)
    assert line.delay(np.ones(1)) == line.off


def test_levels_too_close_to_sense() -> None:
    circuit = circuit_of("pcram_ram_16mb_90", resistance_off=1001.0)
    assert not levels(circuit).possible
    assert np.isfinite(voltage_sensed_bitline(a_line(1e-13, 1e3), np.zeros(1), circuit).delay(np.ones(1))).all()


# ---- mats, banks and arrays


@functools.cache
def points(name: str, memory_type: str) -> tuple[BankChoice, MatChoice]:
    """Designs of reference points that NVSim accepts."""
    rows = pd.read_csv(REFERENCE / "points" / f"{name}.csv.gz").query("memory_type == @memory_type and valid == 1")
    coded = rows.assign(buffer_design=rows.buffer_design.map(BUFFER_DESIGNS.index))
    banks, mats = (
        kind(*(coded[field].to_numpy(np.int64) for field in kind.__dataclass_fields__))
        for kind in (BankChoice, MatChoice)
    )
    return banks, mats


def evaluate_points(name: str, memory_type: str, wire: WireChoice | None = None) -> Evaluation:
    """Evaluate them with NVSim's basic local wire."""
    array = array_of(name, memory_type)
    return evaluate(
        *points(name, memory_type), array.spec, array.fabric, array.basic_local, wire or array.basic_global
    )


ARRAYS = [
    ("sram_normal_2mb", "data"), ("sram_normal_2mb", "tag"), ("stt_fast_2mb", "data"), ("stt_ram_16mb_32", "data")
]


@pytest.mark.parametrize(("name", "memory_type"), ARRAYS)
def test_reads_pass_the_tree_twice_and_writes_once(name: str, memory_type: str) -> None:
    result = evaluate_points(name, memory_type, WireChoice(BASIC_GLOBAL, "RepeatedOpt"))
    figures = {key: values[result.valid] for key, values in result.metrics.items()}
    there = figures["write_latency"] - figures["mat_write_latency"]
    there_and_back = figures["read_latency"] - figures["mat_read_latency"]
    np.testing.assert_allclose(there_and_back, 2 * there, rtol=1e-6, atol=1e-14 * figures["read_latency"].max())
    assert (there >= 0).all()


@pytest.mark.parametrize(("name", "memory_type"), ARRAYS)
def test_wholes_are_made_of_their_parts(name: str, memory_type: str) -> None:
    result = evaluate_points(name, memory_type)
    banks, mats = points(name, memory_type)
    figures = result.metrics
    assert result.valid.all()
    subarrays, count = mats.mat_rows * mats.mat_cols, banks.bank_rows * banks.bank_cols
    for part in ("", "mat_", "subarray_"):
        area = figures[f"{part}area"]
        np.testing.assert_allclose(area, figures[f"{part}height"] * figures[f"{part}width"], rtol=1e-12)
    assert (figures["area"] >= figures["mat_area"] * count * (1 - 1e-12)).all()
    assert (figures["mat_area"] >= figures["subarray_area"] * subarrays * (1 - 1e-12)).all()
    assert (figures["leakage"] >= figures["mat_leakage"] * count * (1 - 1e-12)).all()
    assert (figures["mat_leakage"] >= figures["subarray_leakage"] * subarrays * (1 - 1e-12)).all()
    bits = figures["subarray_rows"] * figures["subarray_cols"] * subarrays * count
    np.testing.assert_array_equal(bits, result.capacity_bits)
    cell = array_of(name).fabric.cell.area_f2 * array_of(name).fabric.technology.feature_size ** 2
    assert (figures["area"] > bits * cell).all()
    for name_ in METRIC_COLUMNS:
        assert (figures[name_] >= 0).all(), name_


@pytest.mark.parametrize("routing", [H_TREE, BUS])
def test_a_bank_of_one_mat_is_the_mat(routing: str) -> None:
    array = array_of("sram_ram_4mb")
    one = np.ones(3, np.int64)
    banks = BankChoice(one, one, one, one)
    mats = MatChoice(2 * one, 2 * one, one, one, 2 * one, 2 * one, one, one, np.arange(3))
    spec = data_array(1 << 16, 64, 1, "ram")
    result = evaluate(
        banks, mats, spec, replace(array.fabric, routing=routing), WireChoice(BASIC_LOCAL), WireChoice(BASIC_GLOBAL)
    )
    assert result.valid.all()
    names = ["height", "width", "area", "leakage"]
    if routing == H_TREE:  # a bus is as long as one mat
        names += ["read_latency", "write_latency", "read_energy", "write_energy"]
    for name in names:
        np.testing.assert_allclose(result.metrics[name], result.metrics[f"mat_{name}"], rtol=1e-12)
    wire = array.fabric.wire(WireChoice(BASIC_GLOBAL)).cost(result.metrics["mat_height"])
    if routing == BUS:
        np.testing.assert_allclose(
            result.metrics["read_latency"] - result.metrics["mat_read_latency"], wire.delay, rtol=1e-6
        )


@pytest.mark.parametrize("name", ["sram_normal_2mb", "stt_normal_2mb", "rram_ram_4mb_22", "pcram_ram_16mb_90"])
def test_designs_do_not_see_their_neighbors(name: str) -> None:
    """One design alone has the figures that it has in a batch, to the last bit."""
    array = array_of(name)
    banks, mats = points(name, "data")
    together = evaluate_points(name, "data")
    for row in range(0, len(banks), 17):
        here = np.array([row])
        alone = evaluate(
            banks.take(here), mats.take(here), array.spec, array.fabric, array.basic_local, array.basic_global
        )
        assert {key: values[0] for key, values in alone.metrics.items()} == {
            key: values[row] for key, values in together.metrics.items()
        }


def test_a_mat_does_not_depend_on_its_bank() -> None:
    """Equal mats in different banks, found by what reaches them, have equal figures."""
    array = array_of("sram_ram_4mb")
    mats = points("sram_ram_4mb", "data")[1]
    bits = [np.array([count]) for count in (10, 64, 1)]
    geometry, kept = mat_geometry(*bits, mats, array.spec, tags_cover_ways=True)
    legal = np.flatnonzero(kept.all(axis=0))
    circuit = array.fabric.circuit(array.spec, array.basic_local)
    once = mat_detail(geometry.take(legal), circuit).cost
    twice = mat_detail(geometry.take(np.tile(legal, 2)[::-1]), circuit).cost
    for name, values in once.to_columns().items():
        np.testing.assert_array_equal(np.tile(values, 2)[::-1], getattr(twice, name))



@pytest.mark.parametrize(("name", "kilobytes"), [("sram_normal_2mb", 3072), ("stt_normal_2mb", 3072)])
def test_capacities_between_powers_of_two(name: str, kilobytes: int) -> None:
    """The same organization of a capacity in between has an area and leakage in between."""
    array = array_of(name)
    results = [
        evaluate(
            *points(name, "data"), data_array(size << 10, 512, 16, "normal"), array.fabric, array.basic_local,
            array.basic_global,
        )
        for size in (2048, kilobytes, 4096)
    ]
    valid = np.logical_and.reduce([result.valid for result in results])
    assert valid.sum() > 50
    for figure in ("area", "leakage", "subarray_area", "subarray_leakage"):
        low, between, high = (result.metrics[figure][valid] for result in results)
        assert (low <= between * (1 + 1e-12)).all(), figure
        assert (between <= high * (1 + 1e-12)).all(), figure


@settings(max_examples=20)
@given(st.integers(300, 400), st.sampled_from(ROADMAPS), st.integers(22, 200))
def test_any_technology_is_finite(temperature: int, roadmap: str, node: int) -> None:
    array = array_of("sram_ram_4mb")
    fabric = replace(array.fabric, technology=load_technology(node, roadmap, temperature))
    result = evaluate(
        *points("sram_ram_4mb", "data"), array.spec, fabric, array.basic_local, array.basic_global
    )
    assert result.valid.any()
    for values in result.metrics.values():
        assert (np.isfinite(values) == result.valid).all()


@pytest.mark.parametrize("figure", ["subarray_leakage", "mat_leakage", "leakage"])
def test_heat_makes_arrays_leak(figure: str) -> None:
    array = array_of("sram_ram_4mb")
    cold, hot = (
        evaluate(
            *points("sram_ram_4mb", "data"), array.spec,
            replace(array.fabric, technology=load_technology(22, "HP", temperature)), array.basic_local,
            array.basic_global,
        ).metrics[figure]
        for temperature in (300, 400)
    )
    assert (hot > 10 * cold).all()


