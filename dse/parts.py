"""How a part lets itself be searched: candidates, sieves, and what a part offers that knows its designs well.

A part that is only a space and an `evaluate` is enumerated (dse.search.enumeration). One that knows more, such as
bounds that discard most designs unseen, is a `SievedPart`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.problem import Assembly, Figures, Part

Range = tuple[Floats, Floats]
"""Least and greatest value of every figure (figures, 1) over a set of designs."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Designs of one part: their figures (figures, n), and their `number` (n,) in the part's own order.

    Of designs that are equally good, the one of the lowest number wins.
    """

    figures: Floats
    number: Ints

    def __len__(self) -> int:
        """Number of designs."""
        return int(self.figures.shape[1])

    def take(self, rows: Ints | Bools | slice) -> "Candidates":
        """The designs at `rows`."""
        return Candidates(self.figures[:, rows], self.number[rows])

    def range(self) -> Range:
        """Smallest and largest value of every figure; at least one design."""
        return self.figures.min(axis=1)[:, None], self.figures.max(axis=1)[:, None]

    def in_order(self) -> "Candidates":
        """The same designs by ascending number."""
        return self.take(np.argsort(self.number, kind="stable"))


def join_candidates(sets: Sequence[Candidates], figures: int) -> Candidates:
    """All designs of several sets that have a number of `figures`."""
    if not sets:
        return Candidates(np.zeros((figures, 0)), np.zeros(0, np.int64))
    return Candidates(
        np.concatenate([part.figures for part in sets], axis=1), np.concatenate([part.number for part in sets])
    )


def whole_designs(assembly: Assembly, levels: Sequence[Ints]) -> Ints:
    """Designs (n, axes) of an assembly from the levels (n, axes) of its parts; a single row of levels serves all."""
    axes = len(assembly.top) + sum(own.shape[1] for own in levels)
    designs = np.zeros((max(map(len, levels)), axes), np.int64)
    designs[:, : len(assembly.top)] = assembly.top
    for part, own in zip(assembly.parts, levels, strict=True):
        designs[:, part.axes] = own
    return designs


class Sieve(Protocol):
    """Decides which designs of a part a search keeps.

    `by_bounds`: whether lower bounds of all figures are enough to discard a design.
    """

    @property
    def by_bounds(self) -> bool: ...  # noqa: D102

    def keeps(self, figures: Figures) -> Bools:
        """Which designs to keep, from their figures or lower bounds of them: one array per figure, which broadcast."""

    def thin(self, candidates: Candidates) -> Candidates:
        """Drop kept designs that turn out to be needless beside others."""


class SievedPart(Part, Protocol):
    """A part that goes through its own designs, and has designs to start with.

    `least` (figures,) bounds every figure from below before anything is evaluated. `evaluations` counts what was
    evaluated so far. Details are axes that can be chosen last, given the others, such as the wires of an array.
    """

    @property
    def least(self) -> Floats: ...  # noqa: D102
    @property
    def evaluations(self) -> int: ...  # noqa: D102
    @property
    def has_details(self) -> bool: ...  # noqa: D102

    def sift(self, sieve: Sieve) -> Candidates:
        """Valid designs that a sieve keeps."""

    def range(self, *, lower_ends_only: bool) -> Range:
        """Bounds of every figure over all valid designs; loose ones where only the lower ends are asked for."""

    def designs(self, number: Ints) -> Ints:
        """Designs (n, the part's axes) of numbers."""

    def known(self) -> Candidates:
        """Good designs that are known beforehand; none where there are none."""

    def coarse(self) -> Self:
        """The same part with the usual details only; itself where it has none."""

    def like(self, number: int) -> Self:
        """The same part with the details of one design only."""

    def variants(self, number: int) -> Candidates:
        """One design with all details that it may have, in their order."""
