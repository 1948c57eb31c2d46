"""Writes into a buffer: which error rate, pulse and protection, and what they cost in the cells.

A write that fails leaves the old bit (stale); retention and reading turn a bit over (flip).
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from dse.batch import Batch, Bools, Floats, Ints, concatenate
from dse.objectives.array.given.cell import Cell
from dse.objectives.reliability.link import ANISOTROPY, DIAMETER, SwitchingLink, WritePoints
from dse.objectives.reliability.protection import NO_CODE, ProtectionCode, code_of, more_than
from dse.objectives.reliability.spread import mean_read_disturb, mean_retention_failure
from dse.objectives.reliability.switching import switching_table
from dse.objectives.scratchpad.toggles import USUAL, BitShares, WrittenBits

EXPONENT, EVERYTHING, NOTHING = "exponent", "all", "none"
SHARES = {NOTHING: 0.0, EXPONENT: 0.5, EVERYTHING: 1.0}
"""Share of a bf16 word's bits that each scope protects: 8 of 16 are the exponent."""
PULSE = "pulse"
"""Protection by a stronger pulse: protected bits fail at the rate of the cell's file."""
HYBRID = "SRAM"
"""Protection by another memory: protected bits lie in an array of SRAM beside that of the others."""
CODEWORD = 512
"""Longest word [data bits] that one code covers."""

ERROR_RATES = tuple(10.0 ** (exponent / 2) for exponent in range(-24, -3))
PULSES = (0.25, 0.5, 1.0, 2.0)
STABILITIES = tuple(float(value) for value in range(20, 65, 5))


@dataclass(frozen=True, slots=True)
class ProtectionScheme:
    """How bits are protected (``none``, ``pulse``, a code) and which: ``none``, ``exponent`` or ``all``."""

    method: str
    scope: str

    def protected(self, shares: BitShares) -> float:
        """Share of protected bits, of those of exponents and of others."""
        return shares.exponent if self.scope == EXPONENT else shares.data

    def bare(self, shares: BitShares) -> float:
        """Share of the bits that are not protected."""
        return shares.rest if self.scope == EXPONENT else shares.data

    @property
    def code(self) -> ProtectionCode:
        """The code of protected bits."""
        return NO_CODE if self.method in (PULSE, HYBRID) else code_of(self.method)

    @property
    def hybrid(self) -> bool:
        """Whether protected bits lie in SRAM."""
        return self.method == HYBRID

    @property
    def name(self) -> str:
        """As a level of an axis."""
        return NOTHING if self.scope == NOTHING else f"{self.method}-{self.scope}"


SCHEMES = (
    ProtectionScheme(NOTHING, NOTHING),
    *(
        ProtectionScheme(method, scope)
        for method in (PULSE, "SECDED", "DECTED") for scope in (EXPONENT, EVERYTHING)
    ),
    ProtectionScheme(HYBRID, EXPONENT),
)
"""Protections of a buffer; all bits in SRAM are a buffer of SRAM."""


@dataclass(frozen=True, slots=True)
class WriteLevels:
    """What may be chosen of writes: error rates, pulses over the file's, protections."""

    error_rates: tuple[float, ...] = ERROR_RATES
    pulses: tuple[float, ...] = PULSES
    schemes: tuple[ProtectionScheme, ...] = SCHEMES


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a bit lives through between two writes: seconds, reads, how long a read lasts [s], and temperature [K].

    Writes are those of the temperature of the cell's stability, as a file's pulses must do in the cold as well.
    """

    residence: float
    reads: float
    read_time: float
    temperature: float


@dataclass(frozen=True, slots=True)
class BufferWrites(Batch):
    """Writes of one memory and stability; `cell_energy` [J] of a word with its check bits, `pulse` [s] the longer.

    `scheme` is a number of `WriteLevels.schemes`, `current` the largest [A] that a cell must carry. Stale and flip are
    per bit and write, after the code; a stale bit keeps what was there, whether that differs or not.
    """

    error_rate: Floats
    pulse_factor: Floats
    scheme: Ints
    check_bits: Ints
    cell_energy: Floats
    pulse: Floats
    current: Floats
    stale_exponent: Floats
    stale_rest: Floats
    flip_exponent: Floats
    flip_rest: Floats
    endurance: Floats


def reliable_write(word_bits: int, mean_energy: float, pulse: float, endurance: float = np.inf) -> BufferWrites:
    """The one write of a memory whose writes do not fail, or fail as its file says and cannot be changed."""
    none, nothing = np.zeros(1), np.zeros(1, np.int64)
    return BufferWrites(
        error_rate=none, pulse_factor=np.ones(1), scheme=nothing, check_bits=nothing,
        cell_energy=np.array([mean_energy * word_bits]), pulse=np.array([pulse]), current=none,
        stale_exponent=none, stale_rest=none, flip_exponent=none, flip_rest=none, endurance=np.array([endurance]),
    )


def read_current(cell: Cell) -> float:
    """Current [A] through an antiparallel bit while it is read: (V_read − V_drop)/R_off, or what the file gives."""
    if cell.read_voltage == 0.0:
        return cell.read_current
    return (cell.read_voltage - cell.voltage_drop_access) / cell.resistance_off


def flip_probability(
    link: SwitchingLink, stability: ArrayLike, exposure: Exposure, knob: str = DIAMETER
) -> Floats:
    """Probability that a bit turns over between two writes, by itself or read: 1 − (1 − r)(1 − d/2)^reads.

    Only antiparallel bits, half of them, are disturbed by reading. At i ≥ 6 the table ends: taken as 6. Stability is
    that of the bits' temperature, and the critical current goes with its barrier, Δ·T.
    """
    parameters = link.parameters
    at_reference = np.asarray(stability, dtype=float)
    level = parameters.stability_at(exposure.temperature, at_reference)
    lost = mean_retention_failure(exposure.residence, level, parameters.attempt_time, parameters.spread)
    if link.fixed:
        return lost  # the critical current of a bit that is written through a heavy metal is not known
    size = at_reference / parameters.stability
    time = parameters.switching_time / (size if knob == ANISOTROPY else 1.0)
    # By diameter both currents grow with the area, by anisotropy only the critical one.
    ratio = read_current(link.cell) / link.set.critical_current / (size if knob == ANISOTROPY else 1.0)
    ratio = np.minimum(ratio / parameters.barrier_ratio(exposure.temperature), switching_table().current[-1])
    disturbed = mean_read_disturb(ratio, exposure.read_time / time, level, parameters.spread)
    kept = np.log1p(-lost) + exposure.reads * np.log1p(-disturbed / 2)
    return np.asarray(-np.expm1(kept))


def buffer_writes(
    link: SwitchingLink | None, word_bits: int, stability: float, levels: WriteLevels, exposure: Exposure,
    knob: str = DIAMETER, bits: WrittenBits = USUAL,
) -> BufferWrites:
    """Every write of the levels that some known current makes, into bits of one stability.

    With no link writes do not fail (SRAM); of SOT-MRAM there is the file's alone, unprotected.
    """
    if link is None:
        return reliable_write(word_bits, 0.0, 0.0)
    if link.fixed:
        return _of_file(link, word_bits, stability, exposure, bits)
    rates, pulses = (
        one.ravel() for one in np.meshgrid(np.array(levels.error_rates), np.array(levels.pulses), indexing="ij")
    )
    weak = _points(link, levels.error_rates, stability, levels.pulses, knob)
    strong = _points(link, (link.parameters.error_rate,), stability, levels.pulses, knob).take(
        np.tile(np.arange(len(levels.pulses)), len(levels.error_rates))
    )
    cells = _Cells(
        stated=link.parameters.error_rate, flips=float(flip_probability(link, stability, exposure, knob)),
        endurance=link.parameters.endurance, bits=bits,
    )
    rows = [
        _scheme_rows(number, scheme, word_bits, rates, pulses, weak, strong, cells)
        for number, scheme in enumerate(levels.schemes)
    ]
    every = concatenate(rows)
    return every.take(np.isfinite(every.cell_energy))


@cache
def _points(
    link: SwitchingLink, error_rates: tuple[float, ...], stability: float, pulses: tuple[float, ...], knob: str
) -> WritePoints:
    """Writes of every error rate with every pulse, pulses fastest; the same for all that a bit lives through."""
    rates, factors = (one.ravel() for one in np.meshgrid(np.array(error_rates), np.array(pulses), indexing="ij"))
    return link.writes(rates, stability, factors, knob)


def _of_file(
    link: SwitchingLink, word_bits: int, stability: float, exposure: Exposure, bits: WrittenBits
) -> BufferWrites:
    flips = np.full(1, float(flip_probability(link, stability, exposure)))
    rate = np.full(1, link.parameters.error_rate)
    longer, energy = max(link.set.pulse, link.reset.pulse), (link.set.energy + link.reset.energy) / 2
    energy *= bits.pulsed.data
    one = reliable_write(word_bits, energy, longer, link.parameters.endurance)
    return replace(
        one, current=np.full(1, link.largest_current), error_rate=rate, stale_exponent=rate, stale_rest=rate,
        flip_exponent=flips, flip_rest=flips,
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """What is the same for all protections: the file's rate of errors, how often bits flip, their life, their data."""

    stated: float
    flips: float
    endurance: float
    bits: WrittenBits


def _scheme_rows(
    number: int, scheme: ProtectionScheme, word_bits: int, rates: Floats, pulses: Floats, weak_points: WritePoints,
    strong_points: WritePoints, given: _Cells,
) -> BufferWrites:
    """Writes under one protection, of bits written at `weak_points` and `strong_points`.

    A strong pulse makes protected bits fail as the file says; a code repairs what few bits of its word are wrong; bits
    in SRAM neither fail nor take a pulse.
    """
    if scheme.hybrid:
        return _hybrid_rows(number, scheme, word_bits, rates, pulses, weak_points, given)
    weak, strong, current = weak_points.mean_energy, strong_points.mean_energy, weak_points.largest_current
    protected = round(word_bits * SHARES[scheme.scope])
    stronger = scheme.method == PULSE and protected > 0
    stale = np.minimum(rates, given.stated) if stronger else rates
    code, flip = scheme.code, np.full(rates.shape, given.flips)
    words = -(-protected // CODEWORD)
    check = code.check_bits(protected // words) * words if words else 0
    wrong = 1 - (1 - scheme.protected(given.bits.differing) * stale) * (1 - flip)
    left = _left_over(code, protected // words if words else 0, wrong)
    energy = np.maximum(strong, weak) if scheme.method == PULSE else weak
    pulsed = protected * scheme.protected(given.bits.pulsed) + check * given.bits.pulsed.check
    rest = (word_bits - protected) * scheme.bare(given.bits.pulsed)
    cells = energy * pulsed + (weak * rest if rest else 0.0) if protected else weak * rest
    everything: Bools = np.full(rates.shape, scheme.scope == EVERYTHING)
    return BufferWrites(
        error_rate=rates, pulse_factor=pulses, scheme=np.full(rates.shape, number),
        check_bits=np.full(rates.shape, check), cell_energy=cells, pulse=weak_points.longer_pulse,
        current=np.maximum(current, strong_points.largest_current) if stronger else current,
        stale_exponent=stale * left, stale_rest=np.where(everything, stale * left, rates),
        flip_exponent=flip * left, flip_rest=np.where(everything, flip * left, flip),
        endurance=np.full(rates.shape, given.endurance),
    )


def _hybrid_rows(
    number: int, scheme: ProtectionScheme, word_bits: int, rates: Floats, pulses: Floats, weak: WritePoints,
    given: _Cells,
) -> BufferWrites:
    """Writes of words whose protected bits lie in SRAM."""
    rest = (word_bits - round(word_bits * SHARES[scheme.scope])) * scheme.bare(given.bits.pulsed)
    none = np.zeros_like(rates)
    return BufferWrites(
        error_rate=rates, pulse_factor=pulses, scheme=np.full(rates.shape, number),
        check_bits=np.zeros(rates.shape, np.int64), cell_energy=weak.mean_energy * rest, pulse=weak.longer_pulse,
        current=weak.largest_current, stale_exponent=none,
        stale_rest=rates, flip_exponent=none, flip_rest=np.full(rates.shape, given.flips),
        endurance=np.full(rates.shape, given.endurance),
    )


def _left_over(code: ProtectionCode, data_bits: int, wrong: Floats) -> Floats:
    """Share of wrong bits that a code leaves: P[t or more of the other bits of its word wrong], too."""
    if code.corrects == 0 or data_bits == 0:
        return np.ones(wrong.shape)
    return more_than(code.corrects - 1, data_bits + code.check_bits(data_bits) - 1, wrong)
