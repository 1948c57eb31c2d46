"""Buffers of a scratchpad: banks of RAM arrays, and writes into them that may fail.

A buffer is put together of two things that can be chosen apart: its arrays (`buffer_arrays`: banks, stability, and an
organization from the exact front of a RAM) and its writes (`buffer_writes`: error rate, pulse, protection). Paired
(`buffer_figures`), they give the figures of the whole buffer; both must have the same memory and stability.
"""

from dataclasses import dataclass, replace

import numpy as np

from dse.batch import Batch, Floats, Ints, concatenate
from dse.keyformat import is_power_of_two
from dse.objectives.array.axes import array_axes
from dse.objectives.array.cells.write import on_resistance, reset_energy, set_energy
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.handed import Figure, HandedUp
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.hierarchy.array import Fabric
from dse.objectives.array.part import ArrayPart
from dse.objectives.reliability.link import DIAMETER, SwitchingLink, link_cell
from dse.objectives.scratchpad.fronts import FrontWithinLimit
from dse.objectives.scratchpad.writes import BufferWrites
from dse.problem import Metric, Sign
from dse.spaces.array.organization import OrganizationRanges, data_ranges, pinned_ranges
from dse.spaces.array.spec import ram_array
from dse.spaces.array.wires import BASIC_GLOBAL, BASIC_LOCAL, WireRange

BANKS = (1, 2, 4, 8, 16, 32, 64)
"""Banks that a buffer may be cut into."""
EVEN = 4
"""Subarrays of a mat, among which a word is shared evenly."""
FIGURES = {
    "read_energy": "J", "write_energy": "J", "leakage": "W", "area": "m^2", "read_latency": "s", "write_latency": "s",
}
"""Figures of a RAM whose front is exact, and their units."""


@dataclass(frozen=True, slots=True)
class BufferMemory:
    """What a buffer is made of; `link` is None where writes do not fail (SRAM)."""

    name: str
    fabric: Fabric
    link: SwitchingLink | None

    @property
    def pulse(self) -> float:
        """The longer pulse [s] of the cell's file, 0 without pulses."""
        return max(self.fabric.cell.set_pulse, self.fabric.cell.reset_pulse)

    @property
    def larger_energy(self) -> float:
        """The larger energy [J] of the file's SET and RESET, 0 without pulses."""
        return max(self._energies())

    @property
    def mean_energy(self) -> float:
        """½(E_SET + E_RESET) [J] of the file's pulses."""
        return sum(self._energies()) / 2

    def _energies(self) -> tuple[float, float]:
        fabric = self.fabric
        if fabric.cell.kind == "SRAM":
            return 0.0, 0.0
        resistance = on_resistance(fabric.cell)
        return (
            set_energy(fabric.cell, resistance.set, fabric.technology, fabric.quirks),
            reset_energy(fabric.cell, resistance.reset, fabric.technology),
        )

    def with_stability(self, stability: float, knob: str = DIAMETER) -> "BufferMemory":
        """The same memory with bits of another stability: by diameter, resistances follow 1/Δ and read power Δ.

        The link stays that of the file. Access width and cell area stay.
        """
        if self.link is None or self.link.fixed or knob != DIAMETER:
            return self
        size = stability / self.link.parameters.stability
        cell = self.fabric.cell
        resized = replace(
            cell, resistance_on=cell.resistance_on / size, resistance_off=cell.resistance_off / size,
            read_power=cell.read_power * size, read_current=cell.read_current * size,
        )
        return replace(self, fabric=replace(self.fabric, cell=resized))


    def with_access_width(self, factor: float) -> "BufferMemory":
        """The same memory with access transistors so many times as wide; the area of a cell follows (w + 1)."""
        cell = self.fabric.cell
        width = cell.access_width_f
        resized = replace(
            cell, access_width_f=width * factor, area_f2=cell.area_f2 * (width * factor + 1) / (width + 1)
        )
        return replace(self, fabric=replace(self.fabric, cell=resized))


def buffer_memory(name: str, fabric: Fabric) -> BufferMemory:
    """A memory of a fabric, its cell linked to the switching of its bits where it is magnetic."""
    cell = fabric.cell
    linked = cell.kind in ("MRAM", "SOTMRAM")
    return BufferMemory(name, fabric, link_cell(cell, fabric.technology, fabric.quirks) if linked else None)


@dataclass(frozen=True, slots=True)
class BufferShape:
    """What is asked of a buffer: `capacity` [bytes], `word_bits` per access, and the longest latency [s].

    The limit holds for a read, and for a write without its pulse.
    """

    capacity: int
    word_bits: int
    latency_limit: float


@dataclass(frozen=True, slots=True)
class BufferArrays(Batch):
    """Arrays of buffers of one memory and stability; energies of one access [J], of data bits only.

    `periphery_write_energy` and `_latency` are what a write costs beside its pulses. `design` is a number of the part
    of the same row of `banks` (`describe_array`).
    """

    banks: Ints
    design: Ints
    read_energy: Floats
    periphery_write_energy: Floats
    leakage: Floats
    area: Floats
    read_latency: Floats
    periphery_write_latency: Floats


def array_part(
    memory: BufferMemory, capacity: int, word_bits: int, libraries: MatLibraries | None = None
) -> ArrayPart:
    """One bank of a buffer: a RAM of `capacity` [bytes] with words of `word_bits`, over all organizations."""
    choice = ArrayChoice(
        ram_array(capacity, word_bits), _ranges(word_bits), WireRange((BASIC_LOCAL,)),
        WireRange((BASIC_GLOBAL,)), memory.fabric,
    )
    metrics = {name: Metric(unit, Sign.POSITIVE) for name, unit in FIGURES.items()}

    def of(figure: Figure) -> list[Floats]:
        return [figure(name) for name in FIGURES]

    return ArrayPart("bank", choice, HandedUp(metrics, of), array_axes([choice]), 0, libraries or MatLibraries())


def _ranges(word_bits: int) -> OrganizationRanges:
    """All organizations that share a word evenly; words that are no power of two lie in one mat, in 1 to 4 subarrays.

    Such words must be multiples of 4 bits.
    """
    if not is_power_of_two(word_bits):
        assert word_bits % EVEN == 0
        return pinned_ranges(data_ranges(1), {"active_bank_rows": 1, "active_bank_cols": 1})
    return data_ranges(1)


def buffer_arrays(
    memory: BufferMemory, shape: BufferShape, banks: tuple[int, ...] = BANKS, libraries: MatLibraries | None = None
) -> BufferArrays:
    """Arrays of the exact fronts in six figures, for each number of banks, within the latency limit.

    Leakage and area add up over banks; an access meets one bank, and routing between banks is left out. Banks of less
    than 64 words are left out. Each number of banks keeps its own front: more banks serve more accesses at a time, so
    that none is needless because another number of banks beats it in all six figures.
    """
    own = libraries or MatLibraries()
    found = []
    for count in banks:
        capacity = shape.capacity // count
        if capacity * 8 < 64 * shape.word_bits:
            continue
        part = array_part(memory, capacity, shape.word_bits, own)
        limits = {4: shape.latency_limit, 5: shape.latency_limit + memory.pulse}
        sieve = FrontWithinLimit(limits)
        front = sieve.thin(part.sift(sieve))
        read, write, leakage, area, read_latency, write_latency = front.figures
        found.append(BufferArrays(
            banks=np.full(len(front), count), design=front.number, read_energy=read,
            periphery_write_energy=write - memory.larger_energy * shape.word_bits,
            leakage=leakage * count, area=area * count, read_latency=read_latency,
            periphery_write_latency=write_latency - memory.pulse,
        ))
    if not found:
        return BufferArrays(*(np.zeros(0, kind) for kind in (int, int, *[float] * 6)))
    return concatenate(found)


@dataclass(frozen=True, slots=True)
class BufferFigures(Batch):
    """Buffers with arrays and writes: `array` and `write` are rows of the two; figures [SI] of the whole buffer.

    `write_energy` is the mean over data: every bit is pulsed, half of them SET. `stale_...` and `flip_...` are
    probabilities per bit and write of what the code leaves over, for the exponent and for sign and mantissa.
    """

    array: Ints
    write: Ints
    banks: Ints
    word_bits: Ints
    read_energy: Floats
    write_energy: Floats
    leakage: Floats
    area: Floats
    read_latency: Floats
    write_latency: Floats
    stale_exponent: Floats
    stale_rest: Floats
    flip_exponent: Floats
    flip_rest: Floats
    endurance: Floats
    """Writes that a bit bears: lifetime = endurance · words / (words written per second)."""


def buffer_figures(arrays: BufferArrays, writes: BufferWrites, shape: BufferShape) -> BufferFigures:
    """Every pair of arrays and writes (len(arrays)·len(writes), arrays outer) of one memory and stability.

    Check bits lengthen the word: read and write energy, leakage and area grow by (n + c)/n. The gates of a decoder
    are not counted.
    """
    array = np.repeat(np.arange(len(arrays)), len(writes))
    write = np.tile(np.arange(len(writes)), len(arrays))
    one, other = arrays.take(array), writes.take(write)
    longer = 1 + other.check_bits / shape.word_bits
    return BufferFigures(
        array=array, write=write, banks=one.banks, word_bits=shape.word_bits + other.check_bits,
        read_energy=one.read_energy * longer,
        write_energy=one.periphery_write_energy * longer + other.cell_energy,
        leakage=one.leakage * longer, area=one.area * longer,
        read_latency=one.read_latency, write_latency=one.periphery_write_latency + other.pulse,
        stale_exponent=other.stale_exponent, stale_rest=other.stale_rest,
        flip_exponent=other.flip_exponent, flip_rest=other.flip_rest, endurance=other.endurance,
    )
