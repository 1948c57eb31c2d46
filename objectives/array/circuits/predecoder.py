"""Predecoders: two or three levels of gates that turn address bits into one-hot lines.

Up to three bits take one level of NAND gates. More bits are cut into groups of two and three, decoded by
basic decoders and combined by one level of NAND gates (four to nine bits) or two (ten to eighteen). Only the
last level sees the load, so that all before it is characterized once per technology. Source: NVSim
PredecodeBlock.cpp and BasicDecoder.cpp.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.objectives.array.circuits.output_driver import DriverLoad, OutputDriver, fastest_kind
from dse.objectives.array.circuits.row_decoder import Decoder, decoder, decoder_stages, nand_table, size_drivers
from dse.objectives.array.circuits.signal import STEP_RAMP
from dse.objectives.array.given.quirks import Quirks
from dse.objectives.array.given.technology import TECHNOLOGIES, Technology
from dse.spaces.array.organization import LATENCY

FEWEST_BITS = 4
"""Smallest block that has stages before its last level."""
MOST_BITS = 18
"""Largest block; NVSim's code for more bits reads variables that were never set."""


@dataclass(frozen=True, slots=True)
class Predecoder:
    """Predecoder blocks, one record each: `delay` [s], `ramp` [1/s], `area` [m²], `energy` [J], `leakage` [W]."""

    delay: Floats
    ramp: Floats
    area: Floats
    energy: Floats
    leakage: Floats


@dataclass(frozen=True, slots=True)
class PredecoderPlan:
    """How a block of some bits is built.

    `pairs` and `triples`: basic decoders of two and three bits; `first`: those combined by stage A;
    `last_rows` and `last_inputs` of the level that drives the load; `two_levels` of combining gates.
    """

    pairs: int
    triples: int
    first: int
    last_rows: int
    last_inputs: int
    two_levels: bool


def plan(bits: int) -> PredecoderPlan:
    """Cut `bits` b into basic decoders and levels: b = 2 pairs + 3 triples with the fewest pairs where b > 1.

    Source: PredecodeBlock.cpp, Initialize.
    """
    if bits <= 3:
        return PredecoderPlan(
            pairs=int(bits == 2), triples=int(bits == 3), first=1, last_rows=2**bits,
            last_inputs={0: 0, 1: 0, 2: 2, 3: 3}[bits], two_levels=False,
        )
    pairs = {2: 1, 1: 2, 0: 0}[bits % 3]
    triples = (bits - 2 * pairs) // 3
    total = pairs + triples
    if total <= 3:
        return PredecoderPlan(
            pairs=pairs, triples=triples, first=total, last_rows=2**bits, last_inputs=3 if total == 3 else 2,
            two_levels=False,
        )
    return PredecoderPlan(
        pairs=pairs, triples=triples, first=total - total // 2, last_rows=2**bits, last_inputs=2, two_levels=True,
    )


@dataclass(frozen=True, slots=True)
class FixedFront:
    """What stands before the last level, indexed by bits, and by path in the first axis where there is one.

    Paths run through the first kind of basic decoder of stage A, its second kind, and stage B.
    `delay` [s] and `ramp` [1/s] of each path into the last level, `used` paths; `energy` [J] and `leakage`
    [W]; layout [m]: `height` and `width` of the basic decoders, `stage_height`, `stage_width` of first-level
    gates where there are two levels.
    """

    delay: Floats
    ramp: Floats
    used: Bools
    energy: Floats
    leakage: Floats
    height: Floats
    width: Floats
    stage_height: Floats
    stage_width: Floats


def _one_each(rows: Ints, inputs: Ints, driver: OutputDriver, technology: Technology) -> Decoder:
    """Build decoders that each have a driver of their own."""
    number = np.arange(len(rows))
    stages = decoder_stages(inputs, driver, number, technology)
    return decoder(rows, inputs, driver, number, stages, technology)


@dataclass(frozen=True, slots=True)
class _Gates:
    """`count` equal decoders, each of `rows` NAND gates of `inputs`, which drive `pins` of gates of `next_inputs`."""

    count: int
    rows: int
    inputs: int
    pins: int
    next_inputs: int


def _basic_decoders_a(block: PredecoderPlan, inputs: int) -> list[_Gates]:
    """Basic decoders in front of stage A of gates of `inputs`, two-bit ones first (PredecodeBlock.cpp, Initialize)."""
    pair = (4, 2)
    triple = (8, 3)
    others = block.first - block.pairs
    if block.pairs == 0:
        return [_Gates(block.first, *triple, 8 ** (block.first - 1), inputs)]
    if block.pairs == 1:
        second = 2 ** (2 + 3 * (others - 1))
        return [_Gates(1, *pair, 8**others, inputs), _Gates(others, *triple, second, inputs)]
    if block.first == 2:
        return [_Gates(2, *pair, 4, inputs)]
    return [_Gates(2, *pair, 32, inputs), _Gates(1, *triple, 16, inputs)]


@dataclass(frozen=True, slots=True)
class _FixedStages:
    """Everything before the last level of one block; `stages` A and B only with two levels."""

    basics_a: list[_Gates]
    basics_b: list[_Gates]
    stages: list[_Gates]

    @property
    def gates(self) -> list[_Gates]:
        """All of them."""
        return [*self.basics_a, *self.basics_b, *self.stages]


def _fixed_stages(block: PredecoderPlan) -> _FixedStages:
    """The stages whose load is fixed by the gates they drive."""
    if not block.two_levels:
        return _FixedStages(_basic_decoders_a(block, block.last_inputs), [], [])
    in_b = block.pairs + block.triples - block.first
    rows_a, rows_b = 2 ** (3 * block.first - block.pairs), 8**in_b
    inputs_a, inputs_b = (3 if block.first == 3 else 2), (3 if in_b == 3 else 2)
    return _FixedStages(
        _basic_decoders_a(block, inputs_a),
        [_Gates(in_b, 8, 3, 8 if in_b == 2 else 64, inputs_b)],
        [
            _Gates(1, rows_a, inputs_a, rows_b, block.last_inputs),
            _Gates(1, rows_b, inputs_b, rows_a, block.last_inputs),
        ],
    )


def _built(gates: list[_Gates], largest_nmos: float, technology: Technology) -> Decoder:
    """One decoder of each kind."""
    rows, inputs = np.array([gate.rows for gate in gates]), np.array([gate.inputs for gate in gates])
    pins, following = np.array([gate.pins for gate in gates]), np.array([gate.next_inputs for gate in gates])
    load, zero = pins * nand_table(technology).pin_cap[following], np.zeros(len(gates))
    driver = size_drivers(inputs, load, zero, np.full(len(gates), LATENCY), zero, largest_nmos, technology)
    return _one_each(rows, inputs, driver, technology)


def _slots(block: _FixedStages) -> list[int]:
    """Paths of a block: those through stage A, then that through stage B."""
    return [0, 1][: len(block.basics_a)] + ([2] if block.basics_b else [])


def _paths(blocks: list[_FixedStages], built: Decoder, quirks: Quirks) -> tuple[Floats, Floats]:
    """Delay [s] and ramp [1/s] (paths, blocks) of every path up to the last level, for a step at the input."""
    delay, ramp = np.zeros((3, len(blocks))), np.full((3, len(blocks)), STEP_RAMP)
    signal = built.delay(np.full(len(built.fits), STEP_RAMP))
    behind = np.full((3, len(blocks)), -1)
    start = 0
    for number, block in enumerate(blocks):
        basics = np.arange(start, start + len(block.basics_a) + len(block.basics_b))
        slots = _slots(block)
        delay[slots, number], ramp[slots, number] = signal.delay[basics], signal.ramp[basics]
        if quirks.predecoder_paths_share_first_delay:
            delay[[slot for slot in slots if slot < 2], number] = signal.delay[start]
        if block.stages:
            behind[slots, number] = [basics[-1] + (2 if slot == 2 else 1) for slot in slots]
        start += len(block.gates)
    through = behind >= 0
    second = built.stages.take(behind[through]).delay(ramp[through])
    delay[through] += second.delay
    ramp[through] = second.ramp
    return delay, ramp


@cache
def _blocks() -> list[_FixedStages]:
    """The fixed stages of every block size that has any."""
    return [_fixed_stages(plan(bits)) for bits in range(FEWEST_BITS, MOST_BITS + 1)]


@lru_cache(maxsize=TECHNOLOGIES)
def _front(technology: Technology, largest_nmos: float, quirks: Quirks) -> FixedFront:
    """Characterize the fixed stages of every block size (delays for a step at the input), all gates together."""
    blocks = _blocks()
    built = _built([gate for block in blocks for gate in block.gates], largest_nmos, technology)
    used = np.zeros((3, MOST_BITS + 1), bool)
    used[0] = True
    scalars = np.zeros((6, MOST_BITS + 1))
    start = 0
    for bits, block in enumerate(blocks, FEWEST_BITS):
        used[_slots(block), bits] = True
        scalars[:, bits] = _totals(block, built, start)
        start += len(block.gates)
    delay, ramp = np.zeros(used.shape), np.full(used.shape, STEP_RAMP)
    delay[:, FEWEST_BITS:], ramp[:, FEWEST_BITS:] = _paths(blocks, built, quirks)
    return FixedFront(delay, ramp, used, *scalars)


def _totals(block: _FixedStages, built: Decoder, start: int) -> tuple[float, ...]:
    """Energy [J], leakage [W], and layout [m] of the gates of a block, the first of which is number `start`."""
    basics = block.basics_a + block.basics_b
    split, end = start + len(basics), start + len(block.gates)
    height, width = built.height.tolist(), built.width.tolist()
    return (
        sum(built.energy[start:end].tolist()),
        sum(built.leakage[start:end].tolist()),
        sum(gate.count * high for gate, high in zip(basics, height[start:split], strict=True)),
        max(width[start:split]),
        sum(height[split:end]),
        max(width[split:end], default=0.0),
    )


@cache
def _plan_table() -> tuple[Ints, Ints, Bools]:
    """Rows and inputs of the last level, and whether there are two levels, by bits."""
    plans = [plan(bits) for bits in range(MOST_BITS + 1)]
    return (
        np.array([block.last_rows for block in plans]),
        np.array([block.last_inputs for block in plans]),
        np.array([block.two_levels for block in plans]),
    )


def predecoder(bits: Ints, load: Floats, largest_nmos: float, technology: Technology, quirks: Quirks) -> Predecoder:
    """Predecoder blocks of `bits` (0 to 18) that drive `load` [F], for a step at their inputs.

    t = max over paths of t_front + t_last; E = E_front + E_last, for one bit + (C_in + C_out) vdd^2 of an inverter;
    P = P_front + P_last, where a quirk leaves the last level's E and P out behind two levels. A block of no bits is a
    wire. Source: PredecodeBlock.cpp, CalculateArea, CalculateLatency, CalculatePower.
    """
    front = _front(technology, largest_nmos, quirks)
    all_rows, all_inputs, in_two_levels = _plan_table()
    rows, inputs, two_levels = all_rows[bits], all_inputs[bits], in_two_levels[bits]
    zero = np.zeros(len(bits))
    driver = size_drivers(inputs, load, zero, np.full(len(bits), LATENCY), zero, largest_nmos, technology)
    last = _one_each(rows, inputs, driver, technology)
    delay, ramp = _slowest_path(front, bits, last)
    vdd = technology.vdd
    single_bit = np.where(bits == 1, (driver.input_cap + driver.output_cap) * vdd * vdd, 0.0)
    counted = ~two_levels if quirks.predecoder_last_stage_free else np.ones(len(bits), bool)
    present = bits > 0
    return Predecoder(
        delay=np.where(present, delay, 0.0),
        ramp=np.where(present, ramp, STEP_RAMP),
        area=np.where(present, _area(front, bits, last, two_levels), 0.0),
        energy=np.where(present, front.energy[bits] + np.where(counted, last.energy + single_bit, 0.0), 0.0),
        leakage=np.where(present, front.leakage[bits] + np.where(counted, last.leakage, 0.0), 0.0),
    )


def area_of_load(
    bits: Ints, load: Floats, largest_nmos: float, technology: Technology, quirks: Quirks
) -> tuple[Floats, Ints]:
    """Area [m²] of predecoder blocks of `bits` that drive `load` [F], and of what kind the last level's drivers are.

    Of loads between two with drivers of one kind the area is between theirs, since every transistor grows with the
    load.
    """
    area = predecoder(bits, load, largest_nmos, technology, quirks).area
    table, inputs, zero = nand_table(technology), _plan_table()[1][bits], np.zeros(len(bits))
    drivers = DriverLoad(
        effort=table.effort[inputs], input_cap=table.driver_input_cap[inputs], cap=load, resistance=zero,
        buffer=np.full(len(bits), LATENCY), current=zero,
    )
    return area, np.where(bits > 0, fastest_kind(drivers, largest_nmos, technology), 0)


def fixed_part(largest_nmos: float, technology: Technology, quirks: Quirks) -> Floats:
    """What predecoder blocks of 0 to MOST_BITS bits cost before their last level: delay [s], energy [J], leakage [W].

    Matrix (3, bits): max over paths of t_front, E_front, P_front of `predecoder`. A block costs at least this whatever
    it drives; one of up to three bits has no such part.
    """
    front = _front(technology, largest_nmos, quirks)
    delay = np.where(front.used, front.delay, 0.0).max(axis=0)
    return np.stack([delay, front.energy, front.leakage])


def _slowest_path(front: FixedFront, bits: Ints, last: Decoder) -> tuple[Floats, Floats]:
    """Longest delay [s] over the paths, and the steepest ramp [1/s] of any (NVSim takes the maximum of both).

    t = max_i (t_front,i + t_last(ramp_i)). Source: PredecodeBlock.cpp, CalculateLatency.
    """
    delay, ramp = np.zeros(len(bits)), np.zeros(len(bits))
    for path in range(3):
        used = front.used[path][bits]
        if not used.any():
            continue
        signal = last.delay(front.ramp[path][bits])
        delay = np.where(used, np.maximum(delay, front.delay[path][bits] + signal.delay), delay)
        ramp = np.where(used, np.maximum(ramp, signal.ramp), ramp)
    return delay, ramp


def _area(front: FixedFront, bits: Ints, last: Decoder, two_levels: Bools) -> Floats:
    """Area [m²]: columns of basic decoders, first-level and last-level gates side by side.

    (w_basic + w_stage + w_last) max(h_basic, h_stage, h_last) over the levels that a block has. Source:
    PredecodeBlock.cpp, CalculateArea.
    """
    single = bits <= 3
    stage_width = np.where(two_levels, front.stage_width[bits] + last.width, last.width)
    stage_height = np.where(two_levels, np.maximum(front.stage_height[bits], last.height), last.height)
    width = np.where(single, last.width, front.width[bits] + stage_width)
    height = np.where(single, last.height, np.maximum(front.height[bits], stage_height))
    return width * height
