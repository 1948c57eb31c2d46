"""Everything that buffers of one problem are made of, each made once: fronts of banks, and ways to write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dse.batch import Floats, Ints, concatenate
from dse.objectives.array.part import ArrayPart
from dse.objectives.scratchpad.banks import bank_front
from dse.objectives.scratchpad.buffers import BufferArrays, BufferMemory, BufferShape, array_part
from dse.objectives.scratchpad.paired import WordPart, checked_word, hybrid_word, paired_front
from dse.objectives.scratchpad.system import BufferDemand
from dse.objectives.scratchpad.toggles import HALF, BitShares, WrittenBits
from dse.objectives.scratchpad.writes import BufferWrites, Exposure, WriteLevels, buffer_writes
from dse.spaces.scratchpad.buffers import BufferChoices, BufferGroup

STEPS_PER_DOUBLING = 4
"""Widths of access transistors for each doubling of the current."""
NEARLY = 1e-6


@dataclass(frozen=True, slots=True)
class BufferRequest:
    """What is asked of one buffer: its class and `capacity` [B], the demand, and how long it holds data [s].

    `measured`: what tables of tolerance call its class, as ``weight-in-place``.
    `reliable`: whether nothing is known of errors in it, so that only the lowest error rate will do. `memories` that
    it may be made of. `differing`: shares of written bits that are not what was there.
    """

    name: str
    measured: str
    capacity: int
    demand: BufferDemand
    residence: float
    reliable: bool
    memories: tuple[str, ...]
    differing: BitShares = HALF


@dataclass(frozen=True, slots=True, order=True)
class BankMake:
    """How a bank is made: whether words are `hybrid`, and the `width` of access transistors over the file's.

    `check_bits` have a bank of their own beside it.
    """

    hybrid: bool = False
    width: float = 1.0
    check_bits: int = 0


PLAIN = BankMake()


@dataclass(frozen=True, slots=True)
class StockedGroup:
    """Writes and arrays that go together, with their levels, and what the arrays are made of."""

    levels: BufferGroup
    writes: BufferWrites
    arrays: BufferArrays
    make: BankMake

    def longer(self, line_bits: int) -> Floats:
        """Of each way to write, by what its check bits lengthen a line in the data's bank: (n + c)/n."""
        check = np.zeros(len(self.writes)) if self.make.check_bits else self.writes.check_bits
        return np.asarray(1 + check / line_bits)

    def taking(self, rows: Ints) -> "StockedGroup":
        """The same places with some of the ways to write."""
        levels = BufferGroup(self.levels.writes[rows], self.levels.places)
        return replace(self, levels=levels, writes=self.writes.take(rows))

    def holding(self, fixed: Mapping[int, int]) -> "StockedGroup":
        """The ways to write and places that have fixed levels, by place among a buffer's axes."""
        if not fixed:
            return self
        split = self.levels.writes.shape[1]
        ways, places = np.ones(len(self.levels.writes), np.bool_), np.ones(len(self.levels.places), np.bool_)
        for axis, level in fixed.items():
            if axis < split:
                ways &= self.levels.writes[:, axis] == level
            else:
                places &= self.levels.places[:, axis - split] == level
        rows, spots = np.flatnonzero(ways), np.flatnonzero(places)
        levels = BufferGroup(self.levels.writes[rows], self.levels.places[spots])
        return replace(
            self, levels=levels, writes=self.writes.take(rows), arrays=self.arrays.take(spots)
        )


@dataclass(frozen=True, slots=True)
class BufferStock:
    """Banks and writes of some memories, with lines of `line_bits` and banks within a latency [s].

    `sram` is what protected bits of hybrid words lie in. `resize`: access transistors are as wide as the largest
    current that they carry asks for, in steps of 2^(1/4), and the area of cells follows. `comparing`: a write reads
    the line first, and pulses only bits that differ. `check_banks`: check bits have banks of their own.
    """

    memories: Sequence[BufferMemory]
    sram: BufferMemory
    choices: BufferChoices
    write_levels: WriteLevels
    line_bits: int
    latency_limit: float
    resize: bool
    comparing: bool
    check_banks: bool

    def stabilities(self, memory: BufferMemory) -> tuple[float, ...]:
        """Stabilities that a memory may have: the file's alone where it is no choice, NaN where there is none."""
        if memory.link is None:
            return (float("nan"),)
        return (memory.link.parameters.stability,) if memory.link.fixed else self.choices.stability

    def bank(self, memory: BufferMemory, stability: float, capacity: int, make: BankMake = PLAIN) -> BufferArrays:
        """The front of one bank of a capacity [B], by ascending energy of a read."""
        parts = self._parts(memory, stability, capacity, make)
        return paired_front(*parts).arrays if len(parts) > 1 else bank_front(parts[0].memory, parts[0].shape)

    def _parts(self, memory: BufferMemory, stability: float, capacity: int, make: BankMake) -> tuple[WordPart, ...]:
        """What holds the words of one bank of a capacity [B]."""
        made, shape = _made(memory, stability, make), BufferShape(capacity, self.line_bits, self.latency_limit)
        if make.hybrid:
            return hybrid_word(made, self.sram, shape)
        return checked_word(made, shape, make.check_bits) if make.check_bits else (WordPart(made, shape),)

    def arrays(
        self, memory: BufferMemory, stability: float, capacity: int, make: BankMake = PLAIN
    ) -> tuple[BufferArrays, Ints]:
        """Arrays of buffers of a capacity [B], of all numbers of banks, and levels (n, 2) of banks and array."""
        found, levels = [], []
        for level, count in enumerate(self.choices.banks):
            one = self.bank(memory, stability, capacity // count, make)
            if self.comparing and memory.link is not None:
                one = _reading_first(one)
            found.append(replace(
                one, banks=np.full(len(one), count), leakage=one.leakage * count, area=one.area * count
            ))
            levels.append(np.stack([np.full(len(one), level), np.arange(len(one))], axis=1))
        return concatenate(found), np.concatenate(levels)

    def banks_of(
        self, group: StockedGroup, place: int, memory: BufferMemory, stability: float, capacity: int
    ) -> dict[str, tuple[ArrayPart, int]]:
        """What a bank of a buffer of a capacity [B] is made of, by memory: arrays, and the number of the one."""
        number, banks = int(group.arrays.design[place]), int(group.arrays.banks[place])
        parts = self._parts(memory, stability, capacity // banks, group.make)
        numbers = [number]
        if len(parts) > 1:
            front = paired_front(*parts)
            numbers = [int(front.first[number]), int(front.second[number])]
        return {
            part.name: (array_part(part.memory, part.shape.capacity, part.shape.word_bits), own)
            for part, own in zip(parts, numbers, strict=True)
        }

    def groups(self, request: BufferRequest) -> list[StockedGroup]:
        """All that meets a request, by memory, stability and duration of writes."""
        found = []
        for place, memory in enumerate(self.memories):
            if memory.name not in request.memories:
                continue
            for level, stability in enumerate(self.stabilities(memory)):
                found.extend(self._groups_of(request, memory, (place, level), stability))
        return found

    def _groups_of(
        self, request: BufferRequest, memory: BufferMemory, at: tuple[int, int], stability: float
    ) -> list[StockedGroup]:
        """Groups of one memory and stability."""
        arrays, places = self.arrays(memory, stability, request.capacity)
        if not len(arrays):
            return []
        writes = buffer_writes(
            memory.link, self.line_bits, stability, self.write_levels, self._exposure(request, memory, arrays),
            bits=WrittenBits(request.differing, request.differing) if self.comparing
            else WrittenBits(request.differing),
        )
        levels = self._write_levels(memory, writes, at)
        if request.reliable and memory.link is not None and not memory.link.fixed:
            lowest = np.flatnonzero(levels[:, 2] == 0)
            writes, levels = writes.take(lowest), levels[lowest]
        groups = []
        makes = self._makes(memory, writes)
        for make in sorted(set(makes)):
            arrays, places = self.arrays(memory, stability, request.capacity, make)
            so_made = np.array([one == make for one in makes])
            for pulse in np.unique(writes.pulse[so_made]):
                rows = np.flatnonzero((writes.pulse == pulse) & so_made)
                kept = np.flatnonzero(request.demand.keeps(
                    arrays.read_latency, arrays.periphery_write_latency + pulse, arrays.banks.astype(float)
                ))
                if len(kept):
                    groups.append(StockedGroup(
                        levels=BufferGroup(levels[rows], places[kept]), writes=writes.take(rows),
                        arrays=arrays.take(kept), make=make,
                    ))
        return groups

    def _exposure(self, request: BufferRequest, memory: BufferMemory, arrays: BufferArrays) -> Exposure:
        """What a bit lives through: reads on average, each as long as the fastest array takes."""
        demand = request.demand
        reads = demand.total_reads / demand.total_writes if demand.total_writes else demand.total_reads
        return Exposure(
            residence=request.residence, reads=reads + self.comparing, read_time=float(arrays.read_latency.min()),
            temperature=float(memory.fabric.technology.temperature),
        )

    def _makes(self, memory: BufferMemory, writes: BufferWrites) -> list[BankMake]:
        """How banks for each write are made."""
        if memory.link is None or memory.link.fixed:
            return [PLAIN] * len(writes)
        widths = np.ones(len(writes))
        if self.resize:
            steps = np.ceil(STEPS_PER_DOUBLING * np.log2(writes.current / memory.link.largest_current) - NEARLY)
            widths = 2.0 ** (steps / STEPS_PER_DOUBLING)
        schemes = self.write_levels.schemes
        checks = writes.check_bits if self.check_banks else np.zeros_like(writes.check_bits)
        return [BankMake(schemes[scheme].hybrid, float(width), int(check))
                for scheme, width, check in zip(writes.scheme, widths, checks, strict=True)]

    def _write_levels(self, memory: BufferMemory, writes: BufferWrites, at: tuple[int, int]) -> Ints:
        """Levels (writes, 5) on the axes of writing; the first ones where a memory leaves no choice."""
        levels = np.zeros((len(writes), 5), np.int64)
        levels[:, 0] = at[0]
        if memory.link is not None and not memory.link.fixed:
            levels[:, 1] = at[1]
            levels[:, 2] = _places(self.choices.error_rate, writes.error_rate)
            levels[:, 3] = _places(self.choices.pulse, writes.pulse_factor)
            levels[:, 4] = writes.scheme
        return levels


def _made(memory: BufferMemory, stability: float, make: BankMake = PLAIN) -> BufferMemory:
    """A memory with bits of a stability and access transistors of a width."""
    if memory.link is None or np.isnan(stability):
        return memory
    made = memory.with_stability(stability)
    return made if make.width == 1.0 else made.with_access_width(make.width)


def _places(levels: Sequence[float], values: Floats) -> Ints:
    """Places of values among ascending levels."""
    places: Ints = np.searchsorted(np.array(levels), values)
    return places


def _reading_first(arrays: BufferArrays) -> BufferArrays:
    """Arrays of which every write reads the line before."""
    return replace(
        arrays, periphery_write_energy=arrays.periphery_write_energy + arrays.read_energy,
        periphery_write_latency=arrays.periphery_write_latency + arrays.read_latency,
    )


def capacities_of(classes: Sequence[str], total: int, split: Sequence[int]) -> Mapping[str, int]:
    """Capacity [B] of each class: its parts of all parts of the total."""
    return {name: total * part // sum(split) for name, part in zip(classes, split, strict=True)}
