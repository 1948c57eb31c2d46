"""Buffers: fronts against going through all arrays, write energies, savings, protections."""

from dataclasses import replace

import numpy as np
import pytest

from dse.objectives.array.evaluation.design import evaluate_designs
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import load_technology
from dse.objectives.array.hierarchy.array import Fabric
from dse.objectives.reliability.retention import StabilityOverTemperature
from dse.objectives.reliability.switching import read_disturb
from dse.objectives.scratchpad.banks import bank_front
from dse.objectives.scratchpad.buffers import (
    FIGURES,
    BufferShape,
    array_part,
    buffer_arrays,
    buffer_figures,
    buffer_memory,
)
from dse.objectives.scratchpad.fronts import FrontWithinLimit, non_dominated
from dse.objectives.scratchpad.paired import checked_word, hybrid_word, paired_front
from dse.objectives.scratchpad.savings import array_saving, word_saving
from dse.objectives.scratchpad.toggles import EVERY_BIT, BitShares, WrittenBits, load_toggles
from dse.objectives.scratchpad.tolerances import load_tolerances, tolerance_names
from dse.objectives.scratchpad.writes import (
    Exposure,
    ProtectionScheme,
    WriteLevels,
    buffer_writes,
    flip_probability,
    read_current,
)
from dse.parts import Candidates

TECHNOLOGY = load_technology(22, "HP", 350)
SHAPE = BufferShape(1 << 15, 64, 3e-9)
EXPOSURE = Exposure(1e-3, 10.0, 2e-9, 300.0)


def memory_of(name):
    return buffer_memory(name, Fabric(TECHNOLOGY, load_cell(name)))


class Everything:
    """A sieve that keeps all designs."""

    by_bounds = False

    def keeps(self, figures):
        return np.ones(np.broadcast_shapes(*(np.shape(one) for one in figures)), bool)

    def thin(self, candidates: Candidates):
        return candidates


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sram", "stt"])
def test_front_is_that_of_all_arrays(name):
    memory = memory_of(name)
    part = array_part(memory, SHAPE.capacity, SHAPE.word_bits)
    every = part.sift(Everything()).figures
    within = every[:, (every[4] <= SHAPE.latency_limit) & (every[5] <= SHAPE.latency_limit + memory.pulse)]
    expected = within[:, non_dominated(within.T)]
    found = part.sift(sieve := FrontWithinLimit({4: SHAPE.latency_limit, 5: SHAPE.latency_limit + memory.pulse}))
    found = sieve.thin(found).figures
    assert np.array_equal(np.unique(found.T, axis=0), np.unique(expected.T, axis=0))
    assert len(buffer_arrays(memory, SHAPE, banks=(1,))) == expected.shape[1] > 20


def test_a_mean_write_pulses_every_bit_and_half_of_them_set():
    memory = memory_of("stt")
    arrays = buffer_arrays(memory, SHAPE, banks=(1,))
    levels = WriteLevels((1e-12,), (1.0,), (ProtectionScheme("none", "none"),))
    writes = buffer_writes(memory.link, SHAPE.word_bits, 60.0, levels, EXPOSURE)
    figures = buffer_figures(arrays, writes, SHAPE)
    part = array_part(memory, SHAPE.capacity, SHAPE.word_bits)
    for row in (0, len(arrays) // 2):
        levels_of_design = part.designs(arrays.design[row : row + 1])[0]
        one = evaluate_designs(part.choice, [part.design(levels_of_design)])[0].metrics
        mean = one["write_energy"] - max(one["cell_set_energy"], one["cell_reset_energy"]) + (
            one["cell_set_energy"] + one["cell_reset_energy"]
        ) / 2
        assert figures.write_energy[row] == pytest.approx(mean, rel=1e-9)
        assert figures.write_latency[row] == pytest.approx(one["write_latency"], rel=1e-9)


def test_banks_add_leakage_and_area():
    arrays = buffer_arrays(memory_of("sram"), SHAPE, banks=(1, 4))
    one, four = (arrays.take(arrays.banks == count) for count in (1, 4))
    assert four.read_energy.min() < one.read_energy.min()
    part = array_part(memory_of("sram"), SHAPE.capacity // 4, SHAPE.word_bits)
    row = list(FIGURES).index("leakage")
    single = part.evaluate(part.designs(four.design[:1]))[row]
    assert four.leakage[0] == pytest.approx(4 * single[0])


def test_protection_is_paid_for_and_protects():
    link = memory_of("stt").link
    schemes = [ProtectionScheme("none", "none"), *(
        ProtectionScheme(method, "exponent") for method in ("pulse", "SECDED", "DECTED")
    )]
    writes = buffer_writes(link, 256, 60.0, WriteLevels((1e-4,), (1.0,), tuple(schemes)), EXPOSURE)
    bare, pulse, single, double = (writes.take([row]) for row in range(4))
    assert pulse.stale_exponent == pytest.approx([1e-12])
    assert pulse.flip_exponent == bare.flip_exponent  # a stronger pulse keeps nothing from turning over
    assert double.stale_exponent < single.stale_exponent < bare.stale_exponent == 1e-4
    assert double.flip_exponent < single.flip_exponent < bare.flip_exponent
    assert (single.check_bits[0], double.check_bits[0]) == (9, 17)
    assert (writes.stale_rest == 1e-4).all()
    assert (np.diff(writes.cell_energy[[0, 2, 3]]) > 0).all() and pulse.cell_energy > bare.cell_energy
    f = float(link.writes(1e-12, 60.0, 1.0).mean_energy / link.writes(1e-4, 60.0, 1.0).mean_energy)
    assert pulse.cell_energy / bare.cell_energy == pytest.approx(f / word_saving(f, 0.5))


def test_savings():
    assert array_saving(np.inf, 0.5, 1.0) == pytest.approx(2.0)
    assert array_saving(2.6, 0.5, 0.97) < 2.0
    share, factor, protected = 0.8, 4.0, 0.1
    assert (array_saving(factor, protected, share) >= 2) == (share * (1 - protected) * (1 - 1 / factor) >= 0.5)


def test_smaller_junctions_flip_more_often():
    link = memory_of("stt").link
    flips = flip_probability(link, np.array([20.0, 40.0, 60.0]), EXPOSURE)
    assert (np.diff(flips) < 0).all()
    kept = flip_probability(link, 60.0, Exposure(1e-3, 0.0, 2e-9, 300.0))
    assert kept == pytest.approx(1e-3 / 1e-9 * np.exp(-60.0), rel=1e-6)


def test_sram_and_sot_have_one_write():
    assert len(buffer_writes(None, 64, 60.0, WriteLevels(), EXPOSURE)) == 1
    assert len(buffer_writes(memory_of("sot").link, 64, 60.0, WriteLevels(), EXPOSURE)) == 1


def test_warm_bits_flip_more_often():
    """Retention alone: a barrier of 60 kT at 300 K is one of 51.4 kT at 350 K."""
    link = memory_of("stt").link
    warm = flip_probability(link, 60.0, Exposure(1e-3, 0.0, 2e-9, 350.0))
    assert warm == pytest.approx(1e-3 / 1e-9 * np.exp(-60.0 * 300 / 350), rel=1e-6)


def test_a_table_of_stability_decides_how_warm_bits_flip():
    """At 350 K Δ is 45, and the barrier, with it the critical current, 0.875 of that at 300 K."""
    link = memory_of("stt").link
    table = StabilityOverTemperature((300.0, 350.0), (60.0, 45.0))
    given = replace(link, parameters=replace(link.parameters, over_temperature=table))
    warm = flip_probability(given, 60.0, Exposure(1e-3, 0.0, 2e-9, 350.0))
    assert warm == pytest.approx(1e-3 / 1e-9 * np.exp(-45.0), rel=1e-6)
    read = flip_probability(given, 60.0, Exposure(0.0, 1.0, 2e-9, 350.0))
    ratio = read_current(link.cell) / link.set.critical_current / 0.875
    assert read == pytest.approx(read_disturb(ratio, 2.0, 45.0) / 2, rel=1e-6)


def test_bits_in_sram_neither_fail_nor_turn_over():
    link = memory_of("stt").link
    schemes = (ProtectionScheme("none", "none"), ProtectionScheme("SRAM", "exponent"))
    writes = buffer_writes(link, 256, 60.0, WriteLevels((1e-4,), (1.0,), schemes), EXPOSURE)
    bare, hybrid = (writes.take([row]) for row in range(2))
    assert hybrid.stale_exponent == hybrid.flip_exponent == 0 == hybrid.check_bits
    assert hybrid.stale_rest == bare.stale_rest and hybrid.flip_rest == bare.flip_rest
    assert hybrid.cell_energy == pytest.approx(bare.cell_energy / 2, rel=1e-12)


def test_bits_that_do_not_differ_are_neither_pulsed_nor_wrong():
    """By hand: of 64 bits 1/8 of 32 exponent bits differ, 3/8 of the 32 others, and half of the check bits."""
    link = memory_of("stt").link
    schemes = (ProtectionScheme("none", "none"), ProtectionScheme("SECDED", "exponent"),
               ProtectionScheme("SRAM", "exponent"))
    levels = WriteLevels((1e-4,), (1.0,), schemes)
    differing = BitShares(0.125, 0.375, 0.5)
    every, changed = (
        buffer_writes(link, 64, 60.0, levels, EXPOSURE, bits=WrittenBits(differing, pulsed))
        for pulsed in (EVERY_BIT, differing)
    )
    bit = every.cell_energy[0] / 64
    check = int(every.check_bits[1])
    assert changed.cell_energy / bit == pytest.approx([4 + 12, 4 + check / 2 + 12, 12])
    assert every.cell_energy / bit == pytest.approx([64, 64 + check, 32])
    assert changed.stale_exponent == pytest.approx(every.stale_exponent, rel=1e-12)
    usual = buffer_writes(link, 64, 60.0, levels, EXPOSURE)
    assert every.stale_exponent[1] / usual.stale_exponent[1] == pytest.approx(0.125 / 0.5, rel=0.01)
    (sot,) = buffer_writes(memory_of("sot").link, 64, 60.0, levels, EXPOSURE,
                           bits=WrittenBits(differing, differing)).cell_energy
    assert sot == pytest.approx(16 * 0.08e-12, rel=1e-6)


@pytest.mark.parametrize("name", tolerance_names())
def test_toggles_are_measured_of_every_class_with_a_tolerance(name):
    found = load_toggles(name)
    assert set(found) == {key[0] for key in load_tolerances(name).points}
    assert all(0.1 < share < 0.5 for shares in found.values() for share in (shares.exponent, shares.rest))
    assert found["weight"].rest > 0.49  # mantissas of weights are as random as any


def test_hybrid_words_lie_in_two_banks():
    """Figures are sums and maxima of those of the two banks, as each of them is evaluated by itself."""
    front = paired_front(*hybrid_word(memory_of("stt"), memory_of("sram"), SHAPE))
    arrays = front.arrays
    assert len(arrays) > 20 and arrays.design.tolist() == list(range(len(arrays)))
    for row in (0, len(arrays) // 2, len(arrays) - 1):
        found = []
        for memory, number in ((memory_of("sram"), front.first[row]), (memory_of("stt"), front.second[row])):
            part = array_part(memory, SHAPE.capacity // 2, SHAPE.word_bits // 2)
            found.append(part.evaluate(part.designs(np.array([number])))[:, 0])
        sram, stt = found
        assert arrays.read_energy[row] == pytest.approx(sram[0] + stt[0], rel=1e-9)
        assert arrays.leakage[row] == pytest.approx(sram[2] + stt[2], rel=1e-9)
        assert arrays.area[row] == pytest.approx(sram[3] + stt[3], rel=1e-9)
        assert arrays.read_latency[row] == pytest.approx(max(sram[4], stt[4]), rel=1e-9)


def test_check_bits_lie_in_a_bank_of_their_own():
    """As many words of 12 bits, the next multiple of 4, as the data has of 64; a mean write pulses its own bits."""
    memory = memory_of("stt")
    check, data = checked_word(memory, SHAPE, 9)
    assert check.shape.capacity * 8 == 12 * (SHAPE.capacity * 8 // SHAPE.word_bits) and data.shape == SHAPE
    arrays = paired_front(check, data).arrays
    assert (arrays.periphery_write_energy > 0).all()
    alone = [bank_front(part.memory, part.shape) for part in (check, data)]
    assert arrays.leakage.min() == pytest.approx(sum(one.leakage.min() for one in alone), rel=1e-9)
    cells = SHAPE.capacity * 8 * memory.fabric.cell.area_f2 * (22e-9) ** 2
    assert alone[0].area.min() > cells * 12 / 64 and alone[1].area.min() > cells
    part = array_part(memory, check.shape.capacity, 12)
    first = part.evaluate(part.designs(paired_front(check, data).first[:1]))[:, 0]
    other = array_part(memory, SHAPE.capacity, 64)
    second = other.evaluate(other.designs(paired_front(check, data).second[:1]))[:, 0]
    assert arrays.read_energy[0] == pytest.approx(first[0] + second[0], rel=1e-9)


def test_access_transistors_follow_the_current():
    memory = memory_of("stt")
    wider = memory.with_access_width(1.5).fabric.cell
    cell = memory.fabric.cell
    assert wider.access_width_f == pytest.approx(1.5 * cell.access_width_f)
    assert wider.area_f2 == pytest.approx(cell.area_f2 * (1.5 * cell.access_width_f + 1) / (cell.access_width_f + 1))
    levels = WriteLevels((1e-12, 1e-3), (0.5, 1.0), (ProtectionScheme("none", "none"),))
    writes = buffer_writes(memory.link, 64, 60.0, levels, EXPOSURE)
    at_the_file = (writes.error_rate == 1e-12) & (writes.pulse_factor == 1)
    assert writes.current[at_the_file] == pytest.approx([memory.link.largest_current], rel=1e-6)
    assert (writes.current[(writes.error_rate == 1e-12) & (writes.pulse_factor == 0.5)] > writes.current).any()
