"""A buffer as a part of a scratchpad: one for each class of tensors, and one for partial sums.

Energy of a step, of a buffer with lines of n data and c check bits:

    E = (1 + c/n) (n_r E_r + n_w E_w + P_leak T) + n_w E_cells

with E_w without what the cells take; c = 0 where the bank of the check bits is counted with that of the data. It
falls into what the array decides and what the writes decide, so that of a group of buffers a lower bound is found
without looking at each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.scratchpad.stock import BufferRequest, StockedGroup
from dse.objectives.scratchpad.tolerances import BitErrorRates, ToleranceTable
from dse.parts import Candidates, Range, Sieve, join_candidates
from dse.problem import Metric, Sign
from dse.spaces.scratchpad.buffers import BufferSpace
from dse.spaces.space import Axis

ENERGY, AREA, WEAR, DROP = "energy", "area", "wear", "accuracy_drop"
FIGURES = {
    ENERGY: Metric("J", help="in a step"), AREA: Metric("m2"),
    WEAR: Metric("Hz", Sign.NOT_NEGATIVE, "share of its life that is used up in a second"),
    DROP: Metric("", Sign.NOT_NEGATIVE, "share of samples that are no longer right"),
}
EXPONENT_SHARE = 0.5
"""Exponent bits of a bf16 number: 8 of 16."""
BITS = 8
CHUNK = 1 << 18
"""Designs looked at at a time."""
SEEDS = 6
"""Good designs of each kind that are handed to a search to start with."""


@dataclass(frozen=True, slots=True)
class BufferUse:
    """How buffers are used: `time` [s] of a step, data bits of a line, and what the network tolerates, if known.

    `saturate`: whether what is read is clipped to the range of its class.
    """

    time: float
    line_bits: int
    tolerance: ToleranceTable | None
    saturate: bool


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """Figures of a group of buffers, by what decides them.

    Of arrays (places,): `base` [J] and `area` [m²] without check bits. Of writes (ways,): `longer` 1 + c/n, energy
    `cells` [J], and the figures that no array changes (`own`, by name).
    """

    base: Floats
    area: Floats
    longer: Floats
    cells: Floats
    own: Mapping[str, Floats]

    def at(self, names: Sequence[str], write: Ints, place: Ints) -> Floats:
        """Figures (figures, n) of some pairs of writes and places."""
        longer = self.longer[write]
        return np.stack([
            longer * self.base[place] + self.cells[write] if name == ENERGY
            else longer * self.area[place] if name == AREA else self.own[name][write]
            for name in names
        ])

    def least(self, names: Sequence[str]) -> Floats:
        """Lower bounds (figures, ways) of each way to write over all places."""
        return np.stack([
            self.longer * self.base.min() + self.cells if name == ENERGY
            else self.longer * self.area.min() if name == AREA else self.own[name]
            for name in names
        ])

    def most(self, names: Sequence[str]) -> Floats:
        """Upper bounds (figures, ways) of each way to write over all places."""
        return np.stack([
            self.longer * self.base.max() + self.cells if name == ENERGY
            else self.longer * self.area.max() if name == AREA else self.own[name]
            for name in names
        ])


def tolerable(group: StockedGroup, request: BufferRequest, use: BufferUse) -> tuple[StockedGroup, Floats]:
    """The group with the ways to write that the network survives, and the drop of accuracy (ways,) of each."""
    if use.tolerance is None or request.reliable:
        return group, np.zeros(len(group.writes))
    writes = group.writes
    rates = BitErrorRates(
        stale_exponent=writes.stale_exponent, stale_rest=writes.stale_rest, flip_exponent=writes.flip_exponent,
        flip_rest=writes.flip_rest,
    )
    exponents = request.demand.total_writes * use.line_bits * EXPONENT_SHARE
    found = use.tolerance.of_class(request.measured, rates, exponents, saturate=use.saturate)
    rows = np.flatnonzero(found.legal)
    return group.taking(rows), found.drop[rows]


def group_figures(group: StockedGroup, request: BufferRequest, use: BufferUse, drop: Floats) -> GroupFigures:
    """Figures of a group that meets a request."""
    arrays, writes, demand = group.arrays, group.writes, request.demand
    reads, written = demand.total_reads, demand.total_writes
    worn = written * use.line_bits / BITS / request.capacity / use.time
    return GroupFigures(
        base=reads * arrays.read_energy + written * arrays.periphery_write_energy + arrays.leakage * use.time,
        area=np.asarray(arrays.area, dtype=float), longer=group.longer(use.line_bits),
        cells=written * writes.cell_energy, own={WEAR: worn / writes.endurance, DROP: drop},
    )


def buffer_part(
    groups: Sequence[StockedGroup], request: BufferRequest, use: BufferUse, axes: tuple[Axis, ...], first_axis: int
) -> "BufferPart":
    """The buffer that meets a request, of the groups that the network survives."""
    kept = [(one, drop) for one, drop in (tolerable(group, request, use) for group in groups) if one.levels.size]
    names = (ENERGY, AREA, WEAR) if use.tolerance is None else (ENERGY, AREA, WEAR, DROP)
    return BufferPart(request.name, first_axis, axes, [one for one, _ in kept],
                      [group_figures(one, request, use, drop) for one, drop in kept], names)


class BufferPart:
    """The buffer of one class; a part that sifts itself, group by group and way by way."""

    def __init__(
        self, name: str, first_axis: int, axes: tuple[Axis, ...], groups: Sequence[StockedGroup],
        figures: Sequence[GroupFigures], names: Sequence[str],
    ) -> None:
        self.name = name
        self.axes = slice(first_axis, first_axis + len(axes))
        self.groups = tuple(groups)
        self.space = BufferSpace(axes, [group.levels for group in groups])
        self._figures = tuple(figures)
        self._names = tuple(names)
        self.evaluations = 0

    has_details = False

    @cached_property
    def figures(self) -> Mapping[str, Metric]:
        """What the buffer hands up, by names that its class begins."""
        return {f"{self.name}_{name}": FIGURES[name] for name in self._names}

    @property
    def least(self) -> Floats:
        """Lower bounds of every figure."""
        least: Floats = np.min([one.least(self._names).min(axis=1) for one in self._figures], axis=0)
        return least

    def evaluate(self, designs: Ints) -> Floats:
        """Figures (figures, n) of legal designs."""
        group, write, place = self.space.rows(designs)
        found = np.full((len(self._names), len(group)), np.nan)
        for number in np.unique(group[place >= 0]):
            rows = np.flatnonzero((group == number) & (place >= 0))
            found[:, rows] = self._figures[number].at(self._names, write[rows], place[rows])
        return found

    def sift(self, sieve: Sieve) -> Candidates:
        """Designs that a sieve keeps."""
        kept = [self._sift(number, sieve) for number in range(len(self.groups))]
        return sieve.thin(join_candidates([one for some in kept for one in some], len(self._names)))

    def _sift(self, number: int, sieve: Sieve) -> list[Candidates]:
        """Designs of one group that a sieve keeps, some ways to write at a time."""
        figures, places = self._figures[number], len(self.groups[number].levels.places)
        ways = np.arange(len(figures.longer))
        if sieve.by_bounds:
            ways = ways[np.broadcast_to(sieve.keeps(list(figures.least(self._names))), len(ways))]
        found = []
        step = max(1, CHUNK // places)
        for start in range(0, len(ways), step):
            write = np.repeat(ways[start : start + step], places)
            place = np.tile(np.arange(places), len(ways[start : start + step]))
            columns = figures.at(self._names, write, place)
            self.evaluations += len(write)
            rows = np.flatnonzero(np.broadcast_to(sieve.keeps(list(columns)), len(write)))
            found.append(sieve.thin(Candidates(
                columns[:, rows], self.space.numbers(number, write[rows], place[rows])
            )))
        return found

    def range(self, *, lower_ends_only: bool) -> Range:
        """Bounds of every figure."""
        high = np.max([one.most(self._names).max(axis=1) for one in self._figures], axis=0)
        return self.least[:, None], high[:, None]

    def designs(self, number: Ints) -> Ints:
        """Designs of numbers."""
        return self.space.numbered(number)

    def known(self) -> Candidates:
        """Of each group the best way and place for energy, for area, and for what errors cost."""
        found = []
        for number, figures in enumerate(self._figures):
            pairs = _good_pairs(figures)
            write, place = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
            found.append(Candidates(
                figures.at(self._names, write, place), self.space.numbers(number, write, place)
            ))
        every = join_candidates(found, len(self._names))
        best = {int(row) for figure in every.figures for row in np.argsort(figure, kind="stable")[:SEEDS]}
        return every.take(np.array(sorted(best), dtype=np.int64))

    def coarse(self) -> "BufferPart":
        """The part itself."""
        return self

    def like(self, number: int) -> "BufferPart":
        """The part itself."""
        return self

    def variants(self, number: int) -> Candidates:
        """The design itself."""
        return Candidates(self.evaluate(self.designs(np.array([number]))), np.array([number]))


def _good_pairs(figures: GroupFigures) -> list[tuple[int, int]]:
    """Ways with places: the cheapest and the most reliable, at least energy and at least area."""
    trouble = sum(figures.own.values(), np.zeros_like(figures.cells))
    ways = {int(figures.cells.argmin()), int(np.lexsort((figures.cells, figures.longer, trouble))[0]),
            int(np.lexsort((figures.cells, trouble, figures.longer))[0])}
    places = {int(figures.base.argmin()), int(np.lexsort((figures.base, figures.area))[0])}
    return [(way, place) for way in sorted(ways) for place in sorted(places)]
