"""Everything that buffers of one problem are made of, each made once: fronts of banks, and ways to write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from dse.batch import Floats, Ints, concatenate
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.scratchpad.buffers import BufferArrays, BufferMemory, BufferShape, buffer_arrays
from dse.objectives.scratchpad.system import BufferDemand
from dse.objectives.scratchpad.writes import BufferWrites, Exposure, WriteLevels, buffer_writes
from dse.spaces.scratchpad.buffers import MOST_ARRAYS, BufferChoices, BufferGroup


@dataclass(frozen=True, slots=True)
class BufferRequest:
    """What is asked of one buffer: its class and `capacity` [B], the demand, and how long it holds data [s].

    `reliable`: whether nothing is known of errors in it, so that only the lowest error rate will do. `memories` that
    it may be made of.
    """

    name: str
    capacity: int
    demand: BufferDemand
    residence: float
    reliable: bool
    memories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StockedGroup:
    """Writes and arrays that go together, with their levels."""

    levels: BufferGroup
    writes: BufferWrites
    arrays: BufferArrays

    def taking(self, rows: Ints) -> "StockedGroup":
        """The same places with some of the ways to write."""
        levels = BufferGroup(self.levels.writes[rows], self.levels.places)
        return StockedGroup(levels, self.writes.take(rows), self.arrays)

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
        return StockedGroup(levels, self.writes.take(rows), self.arrays.take(spots))


@cache
def _libraries() -> MatLibraries:
    """Mats that all banks share."""
    return MatLibraries()


@cache
def bank_front(memory: BufferMemory, shape: BufferShape) -> BufferArrays:
    """The front of one bank, by ascending energy of a read; problems of one memory share it."""
    found = buffer_arrays(memory, shape, (1,), _libraries())
    return found.take(np.lexsort((found.area, found.leakage, found.read_energy))[:MOST_ARRAYS])


@dataclass(frozen=True, slots=True)
class BufferStock:
    """Banks and writes of some memories, with lines of `line_bits` and banks within a latency [s]."""

    memories: Sequence[BufferMemory]
    choices: BufferChoices
    write_levels: WriteLevels
    line_bits: int
    latency_limit: float

    def stabilities(self, memory: BufferMemory) -> tuple[float, ...]:
        """Stabilities that a memory may have: the file's alone where it is no choice, NaN where there is none."""
        if memory.link is None:
            return (float("nan"),)
        return (memory.link.parameters.stability,) if memory.link.fixed else self.choices.stability

    def bank(self, memory: BufferMemory, stability: float, capacity: int) -> BufferArrays:
        """The front of one bank of a capacity [B], by ascending energy of a read."""
        made = memory if memory.link is None else memory.with_stability(stability)
        return bank_front(made, BufferShape(capacity, self.line_bits, self.latency_limit))

    def arrays(self, memory: BufferMemory, stability: float, capacity: int) -> tuple[BufferArrays, Ints]:
        """Arrays of buffers of a capacity [B], of all numbers of banks, and levels (n, 2) of banks and array."""
        found, levels = [], []
        for level, count in enumerate(self.choices.banks):
            one = self.bank(memory, stability, capacity // count)
            found.append(replace(
                one, banks=np.full(len(one), count), leakage=one.leakage * count, area=one.area * count
            ))
            levels.append(np.stack([np.full(len(one), level), np.arange(len(one))], axis=1))
        return concatenate(found), np.concatenate(levels)

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
        exposure = _exposure(request, arrays, float(memory.fabric.technology.temperature))
        writes = buffer_writes(memory.link, self.line_bits, stability, self.write_levels, exposure)
        levels = self._write_levels(memory, writes, at)
        if request.reliable and memory.link is not None and not memory.link.fixed:
            lowest = np.flatnonzero(levels[:, 2] == 0)
            writes, levels = writes.take(lowest), levels[lowest]
        groups = []
        for pulse in np.unique(writes.pulse):
            rows = np.flatnonzero(writes.pulse == pulse)
            kept = np.flatnonzero(request.demand.keeps(
                arrays.read_latency, arrays.periphery_write_latency + pulse, arrays.banks.astype(float)
            ))
            if len(kept):
                groups.append(StockedGroup(
                    BufferGroup(levels[rows], places[kept]), writes.take(rows), arrays.take(kept)
                ))
        return groups

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


def _places(levels: Sequence[float], values: Floats) -> Ints:
    """Places of values among ascending levels."""
    places: Ints = np.searchsorted(np.array(levels), values)
    return places


def _exposure(request: BufferRequest, arrays: BufferArrays, temperature: float) -> Exposure:
    """What a bit lives through: reads on average, each as long as the fastest array takes."""
    demand = request.demand
    reads = demand.total_reads / demand.total_writes if demand.total_writes else demand.total_reads
    return Exposure(
        residence=request.residence, reads=reads, read_time=float(arrays.read_latency.min()), temperature=temperature
    )


def capacities_of(classes: Sequence[str], total: int, split: Sequence[int]) -> Mapping[str, int]:
    """Capacity [B] of each class: its parts of all parts of the total."""
    return {name: total * part // sum(split) for name, part in zip(classes, split, strict=True)}
