"""Parts whose figures merge: fronts of all parts put together pair by pair, exactly.

Where the figures of two parts taken together are figures of one part (sums of energies and areas, the larger wear), a
front of each part is merged with that of the next. Of the pairs, those are dropped that another pair dominates, or
whose cost is too large or that break a limit even beside the least figures of the parts to come: larger figures never
help, so nothing better is lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.parts import Candidates, whole_designs
from dse.problem import Assembly, Figures, Merging
from dse.search.aim import Aim, with_slack
from dse.search.enumerated import evaluations_of, sieved_parts
from dse.search.pareto import non_dominated
from dse.search.part_fronts import needed_figures, part_front
from dse.search.tuples import BestTuple

PAIRS = 1 << 19
"""Pairs looked at at a time."""
KNOWN = 64
"""Known points that pairs are compared with."""


def merging(assembly: Assembly, asked: Sequence[Aim]) -> bool:
    """Whether an assembly's parts merge, for what is asked of it: nothing of single parts or of their axes."""
    if not hasattr(assembly, "merge") or len(assembly.parts) < 2 or any(any(aim.named) for aim in asked):
        return False
    own = {name for part in assembly.parts for name in part.figures}
    named = {name for aim in asked for formula in aim.formulas for name in formula.names}
    return all(aim.increasing for aim in asked) and not own & named


@dataclass(frozen=True, slots=True)
class MergedParts:
    """Some parts taken together: figures (figures, n), and rows (parts, n) of their fronts."""

    figures: Floats
    rows: Ints

    def take(self, rows: Ints | Bools) -> "MergedParts":
        """Some of them."""
        return MergedParts(self.figures[:, rows], self.rows[:, rows])

    def joined(self, other: "MergedParts") -> "MergedParts":
        """These and others."""
        return MergedParts(
            np.concatenate([self.figures, other.figures], axis=1), np.concatenate([self.rows, other.rows], axis=1)
        )


class Merger:
    """Merges fronts of an assembly's parts. `limit`: cost of each aim that must not be exceeded."""

    def __init__(self, assembly: Merging, asked: Sequence[Aim], figures: Sequence[int], limit: Floats) -> None:
        self._assembly = assembly
        self._asked = asked
        self._figures = list(figures)
        self._limit = np.array([with_slack(one) for one in limit])
        self._known: Floats = np.zeros((0, len(asked)))
        self.pairs = 0

    def against(self, known: Floats) -> "Merger":
        """The same, and what a known point (n, aims) beats in every aim is dropped."""
        spread = np.linspace(0, len(known) - 1, min(len(known), KNOWN)).astype(int)
        self._known = known[np.argsort(known[:, 0], kind="stable")][spread]
        return self

    def costs(self, figures: Figures) -> Floats:
        """Costs (n, aims) of designs whose parts have the given figures taken together."""
        neutral = [np.asarray(one) for one in self._assembly.neutral]
        columns = [list(figures), *[neutral] * (len(self._assembly.parts) - 1)]
        return np.stack([np.asarray(aim.costs(columns)).ravel() for aim in self._asked], axis=1)

    def merge(self, fronts: Sequence[Candidates]) -> MergedParts:
        """All parts taken together, those dropped that cannot be wanted."""
        whole = MergedParts(fronts[0].figures, np.arange(len(fronts[0]))[None])
        for place in range(1, len(fronts)):
            whole = self._with(whole, fronts[place], [front.figures.min(axis=1) for front in fronts[place + 1 :]])
            if not whole.figures.shape[1]:
                break
        return whole

    def _with(self, whole: MergedParts, front: Candidates, rest: Sequence[Floats]) -> MergedParts:
        """One part more, beside the least figures of the rest."""
        step = max(1, PAIRS // max(len(front), 1))
        found = MergedParts(np.zeros((len(front.figures), 0)), np.zeros((len(whole.rows) + 1, 0), np.int64))
        for start in range(0, whole.figures.shape[1], step):
            found = self._unbeaten(found.joined(self._pairs(whole, front, rest, slice(start, start + step))))
        return found

    def _pairs(self, whole: MergedParts, front: Candidates, rest: Sequence[Floats], some: slice) -> MergedParts:
        """Pairs of some of what is there with all of a front, as far as they can be wanted."""
        mine = whole.figures[:, some]
        count = mine.shape[1]
        self.pairs += count * len(front)
        pairs: Figures = self._assembly.merge([one[:, None] for one in mine], [one[None] for one in front.figures])
        flat = np.stack([np.broadcast_to(one, (count, len(front))).ravel() for one in pairs])
        bound: Figures = list(flat)
        for least in rest:
            bound = self._assembly.merge(bound, list(least))
        kept = np.flatnonzero(self._wanted(self.costs(bound)))
        one, other = np.divmod(kept, len(front))
        return MergedParts(flat[:, kept], np.concatenate([whole.rows[:, some][:, one], other[None]]))

    def _wanted(self, costs: Floats) -> Bools:
        """Which costs (n, aims) are finite, within the limits, and not beaten by what is known."""
        kept = np.asarray(np.isfinite(costs).all(axis=1) & (costs <= self._limit).all(axis=1))
        for point in self._known:
            kept = kept & ~(costs > point + 1e-12 * np.abs(point)).all(axis=1)
        return kept

    def _unbeaten(self, whole: MergedParts) -> MergedParts:
        """What no other matches or beats in every figure that matters."""
        if whole.figures.shape[1] < 2:
            return whole
        return whole.take(np.flatnonzero(non_dominated(whole.figures[self._figures].T)))


def merged_figures(assembly: Assembly, asked: Sequence[Aim]) -> list[int]:
    """Figures that matter, of every part alike."""
    names = list(dict.fromkeys(name for aim in asked for formula in aim.formulas for name in formula.names))
    return sorted({row for rows in needed_figures(assembly, names) for row in rows}) or [0]


def merged_front(
    assembly: Merging, fronts: Sequence[Candidates], asked: Sequence[Aim], known: Floats
) -> tuple[Floats, Ints]:
    """Costs (n, aims) of the non-dominated designs, and rows (parts, n) of the parts' fronts."""
    merger = Merger(assembly, asked, merged_figures(assembly, asked), np.full(len(asked), np.inf)).against(known)
    whole = merger.merge(fronts) if all(map(len, fronts)) else MergedParts(
        np.zeros((len(fronts[0].figures), 0)), np.zeros((len(fronts), 0), np.int64))
    if not whole.figures.shape[1]:
        return np.zeros((0, len(asked))), np.zeros((len(fronts), 0), np.int64)
    costs = merger.costs(list(whole.figures))
    best = np.flatnonzero(non_dominated(costs))
    return costs[best], whole.rows[:, best]


class MergedSearch:
    """The exact search of one assembly whose parts merge, as `dse.search.exact.AssemblySearch` is of any other.

    Of designs of equal cost it finds one, not the first.
    """

    def __init__(self, assembly: Merging, aim: Aim) -> None:
        self._assembly = assembly
        self._aim = aim
        self._parts = sieved_parts(assembly)
        self._figures = merged_figures(assembly, [aim])
        self._fronts: list[Candidates] = []
        self._pairs = 0

    @property
    def constant(self) -> float | None:
        """The cost, where it is the same for all designs."""
        return self._aim.constant

    @property
    def evaluations(self) -> int:
        """Designs of parts, and pairs, evaluated so far."""
        return evaluations_of(self._parts) + self._pairs

    @property
    def possible(self) -> bool:
        """Whether the constraints can be met by the least figures of all parts."""
        return self.bound() < np.inf

    def warm_up(self) -> float:
        """Cost of a good design made of known ones; infinite where none is feasible."""
        known = [part.known() for part in self._parts]
        if not all(map(len, known)) or not self.possible:
            return np.inf
        merger = self._merger(np.inf)
        whole = merger.merge(known)
        return float(merger.costs(list(whole.figures)).min(initial=np.inf)) if whole.figures.shape[1] else np.inf

    def solve(self, limit: float, bounded: Callable[[float], None] | None = None) -> BestTuple | None:
        """The best design that is no worse than `limit`; None where there is none.

        `bounded` hears the cost of the least figures of all parts.
        """
        if bounded is not None:
            bounded(self.bound())
        if self.bound() > with_slack(limit) or not self.possible:
            return None
        self._fronts = [
            part_front(part, place, self._aim, self._figures) for place, part in enumerate(self._parts)
        ]
        merger = self._merger(limit)
        whole = merger.merge(self._fronts) if all(map(len, self._fronts)) else None
        self._pairs += merger.pairs
        if whole is None or not whole.figures.shape[1]:
            return None
        costs = merger.costs(list(whole.figures))[:, 0]
        best = int(costs.argmin())
        if costs[best] > limit:
            return None
        return BestTuple(float(costs[best]), tuple(int(row) for row in whole.rows[:, best]), merger.pairs)

    def design(self, rows: tuple[int, ...]) -> Ints:
        """The design (axes,) of rows that `solve` gave."""
        chosen = [
            part.designs(front.number[[row]])
            for part, front, row in zip(self._parts, self._fronts, rows, strict=True)
        ]
        design: Ints = whole_designs(self._assembly, chosen)[0]
        return design

    def _merger(self, limit: float) -> Merger:
        """Merges what may reach a limit."""
        return Merger(self._assembly, [self._aim], self._figures, np.array([limit]))

    def bound(self) -> float:
        """A cost that no design is below: of the least figures of all parts; infinite where they break a limit."""
        whole: Figures = [one[None] for one in self._parts[0].least]
        for part in self._parts[1:]:
            whole = self._assembly.merge(whole, [one[None] for one in part.least])
        return float(self._merger(np.inf).costs(whole).item())
