"""Caches that may be best for some values of the parameters: few enough to be judged for each of thousands of draws.

A shortlist is made by exact searches at chosen values of the parameters and by judging what they leave at other draws.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InfeasibleError
from dse.objectives.array.evaluation.design import ArrayDesign
from dse.objectives.array.hierarchy.array import Fabric
from dse.objectives.cache.metrics import cache_metrics
from dse.objectives.cache.parameters.pool import CachePool, MemoryPool, cache_pool
from dse.objectives.cache.parameters.refresh import Task, search
from dse.objectives.cache.parameters.subject import Subject
from dse.search.goal import Goal
from dse.search.sides import Side, sides


@dataclass(frozen=True, slots=True)
class Effort:
    """How a shortlist is made: at `most` so many caches, from exact searches at up to `searched` draws.

    Searches end when `agreeing` in a row find nothing that is better by more than a share `tolerance`.
    """

    searched: int = 20
    agreeing: int = 4
    tolerance: float = 0.005
    most: int = 1000


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Chosen caches of one problem: rows of data and tag designs in a pool."""

    pool: CachePool
    data: Ints
    tag: Ints

    def metrics(self, fabric: Fabric) -> dict[str, Floats]:
        """Figures of the caches made of `fabric` [SI], NaN where a cache is physically invalid."""
        data, tag, valid = self.pool.arrays(fabric)
        pairs = sides(_at(data, self.data), _at(tag, self.tag))
        valid = valid[self.data, self.tag]
        found = cache_metrics(*pairs, self.pool.problem.access)
        return {name: np.where(valid, column, np.nan) for name, column in found.items()}

    def designs(self, row: int) -> tuple[ArrayDesign, ArrayDesign | None]:
        """Data and tag design of one cache."""
        tags = self.pool.tags
        return self.pool.data.designs[self.data[row]], None if tags is None else tags.designs[self.tag[row]]


def _at(side: Side, rows: Ints) -> Side:
    """The designs at `rows`."""
    return type(side)(*(np.asarray(figure)[rows] for figure in side.to_columns().values()))


@dataclass(frozen=True, slots=True)
class Shortlist:
    """Caches of one memory and capacity [bytes], in a fixed order, of whatever access types."""

    memory: str
    capacity: int
    parts: tuple[_Pairs, ...]

    def __len__(self) -> int:
        """Number of caches."""
        return sum(len(part.data) for part in self.parts)

    def metrics(self, subject: Subject) -> dict[str, Floats]:
        """Figures (n,) of the caches made of a subject [SI], NaN where a cache is physically invalid."""
        fabric = subject.fabrics()[self.memory]
        found = [part.metrics(fabric) for part in self.parts]
        return {name: np.concatenate([part[name] for part in found]) for name in found[0]}

    def values(self, subject: Subject, goal: Goal) -> Floats:
        """Objective (n,) of the caches made of a subject; infinite where a cache is infeasible."""
        return judged(self.metrics(subject), goal)

    def take(self, rows: Ints) -> "Shortlist":
        """The caches at sorted `rows`, with the designs they need only."""
        parts, start = [], 0
        for part in self.parts:
            own = rows[(rows >= start) & (rows < start + len(part.data))] - start
            start += len(part.data)
            if len(own):
                parts.append(_needed(part, own))
        return Shortlist(self.memory, self.capacity, tuple(parts))

    def cache(self, row: int) -> tuple[str, ArrayDesign, ArrayDesign | None]:
        """Access type, data design and tag design of one cache."""
        for part in self.parts:
            if row < len(part.data):
                return (part.pool.problem.access, *part.designs(row))
            row -= len(part.data)
        raise IndexError(f"no cache {row} beyond the end of the shortlist")


def judged(metrics: Mapping[str, Floats], goal: Goal) -> Floats:
    """Objective of caches with given figures, infinite where it has none."""
    with np.errstate(invalid="ignore"):
        value = np.asarray(goal.value(dict(metrics)), float)
    return np.where(np.isfinite(value), value, np.inf)


def _needed(part: _Pairs, rows: Ints) -> _Pairs:
    """The pairs at `rows` in a pool of their designs only."""
    data, data_row = np.unique(part.data[rows], return_inverse=True)
    tag, tag_row = np.unique(part.tag[rows], return_inverse=True)
    tags = part.pool.tags
    kept = [] if tags is None else [tags.designs[row] for row in tag]
    pool = cache_pool(part.pool.problem, [part.pool.data.designs[row] for row in data], kept)
    return _Pairs(pool, data_row, tag_row)


def every_pair(pool: MemoryPool) -> Shortlist:
    """All caches of a pool."""
    parts = []
    for cache in pool.caches:
        tags = 1 if cache.tags is None else len(cache.tags.designs)
        data, tag = np.divmod(np.arange(len(cache.data.designs) * tags), tags)
        parts.append(_Pairs(cache, data, tag))
    return Shortlist(pool.memory, pool.capacity, tuple(parts))


@dataclass(frozen=True, slots=True)
class Draws:
    """Values (draws, parameters) of named parameters of a subject."""

    subject: Subject
    names: tuple[str, ...]
    values: Floats

    def __len__(self) -> int:
        """Number of draws."""
        return len(self.values)

    def subjects(self) -> Iterator[Subject]:
        """The subject with the values of each draw."""
        for row in self.values.tolist():
            yield self.subject.with_values(dict(zip(self.names, row, strict=True)))

    def take(self, rows: Ints | slice) -> "Draws":
        """The draws at `rows`."""
        return Draws(self.subject, self.names, self.values[rows])


@dataclass(frozen=True, slots=True)
class Made:
    """A shortlist, and how far what was known before each exact search on the way was behind (0: not at all)."""

    shortlist: Shortlist
    gaps: tuple[float, ...]


def make_shortlist(draws: Draws, memory: str, capacity: int, goal: Goal, effort: Effort) -> Made:
    """Caches that compete at the subject's own values or at any of the draws.

    Draws are searched exactly, one after the other, until several in a row hold nothing new: the worst known, then one
    in the middle, and so on between. What the searches leave over is judged at all draws, and the caches that rank
    first at any of them are kept. Raises InfeasibleError where no cache is feasible at the subject's own values.
    """
    from scipy.stats.qmc import Halton

    pool = search(Task(draws.subject, memory, capacity, goal)).pool
    known = _least_known(pool, draws, goal)
    left = set(range(len(draws)))
    gaps: list[float] = []
    spread = Halton(1, scramble=False).random(min(effort.searched, len(draws)))[:, 0]  # 0, 1/2, 1/4, 3/4, ...
    for share in 1 - spread:
        if len(gaps) >= effort.agreeing and max(gaps[-effort.agreeing :]) <= effort.tolerance:
            break
        worst_last = sorted(left, key=lambda row: (known[row], row))
        row = worst_last[round(share * (len(left) - 1))]
        left.remove(row)
        (subject,) = draws.take(slice(row, row + 1)).subjects()
        try:
            found = search(Task(subject, memory, capacity, goal, pool))
        except InfeasibleError:
            continue  # no cache works at all there
        gaps.append(known[row] / found.value - 1)
        pool = found.pool
        if gaps[-1] > effort.tolerance:
            known = _least_known(pool, draws, goal)
    return Made(_first_ranks(every_pair(pool), draws, goal, effort.most), tuple(gaps))


def _least_known(pool: MemoryPool, draws: Draws, goal: Goal) -> list[float]:
    """Least objective in a pool at each draw, infinite where none of its caches works."""
    return [pool.value(subject, goal) for subject in draws.subjects()]


def _first_ranks(everything: Shortlist, draws: Draws, goal: Goal, most: int) -> Shortlist:
    """The caches that rank highest at the subject's own values or at any draw."""
    rank = np.full(len(everything), len(everything))
    for subject in (draws.subject, *draws.subjects()):
        order = np.argsort(everything.values(subject, goal), kind="stable")
        rank[order] = np.minimum(rank[order], np.arange(len(order)))
    return everything.take(np.sort(np.argsort(rank, kind="stable")[:most]))
