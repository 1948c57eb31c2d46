"""Parts that are only a space and an `evaluate`: every design is evaluated once and kept."""

from collections.abc import Sequence
from functools import cached_property
from typing import Self, cast

import numpy as np

from dse.batch import Floats, Ints
from dse.parts import Candidates, Range, Sieve, SievedPart
from dse.problem import Assembly, Part, Sign


class EnumeratedPart:
    """A part whose designs are all evaluated on first use; their numbers are the order of the space."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self.name, self.space, self.axes, self.figures = part.name, part.space, part.axes, part.figures

    @cached_property
    def _all(self) -> tuple[Ints, Floats]:
        """Designs (n, axes) and figures (figures, n), those without figures left out."""
        blocks = list(self.space.blocks())
        designs = np.concatenate([np.zeros((0, len(self.space.axes)), np.int64), *blocks])
        found = [self._part.evaluate(block) for block in blocks]
        figures = np.concatenate([np.zeros((len(self.figures), 0)), *found], axis=1)
        valid = ~np.isnan(figures).any(axis=0)
        return designs[valid], figures[:, valid]

    @property
    def least(self) -> Floats:
        """What their signs say: nothing is known before the evaluation."""
        return np.array([-np.inf if metric.sign is Sign.ANY else 0.0 for metric in self.figures.values()])

    @property
    def evaluations(self) -> int:
        """All designs."""
        return len(self._all[0])

    @property
    def has_details(self) -> bool:
        """No axis is chosen last."""
        return False

    def evaluate(self, designs: Ints) -> Floats:
        """Figures of legal designs."""
        return self._part.evaluate(designs)

    def sift(self, sieve: Sieve) -> Candidates:
        """Designs that a sieve keeps."""
        figures = self._all[1]
        if not figures.shape[1]:
            return Candidates(figures, np.zeros(0, np.int64))
        kept = np.flatnonzero(np.broadcast_to(sieve.keeps(list(figures)), figures.shape[1]))
        return sieve.thin(Candidates(figures[:, kept], kept))

    def range(self, *, lower_ends_only: bool) -> Range:
        """Exact bounds of every figure; an empty part has infinite ones."""
        figures = self._all[1]
        low = figures.min(axis=1, initial=np.inf, keepdims=True)
        return low, figures.max(axis=1, initial=-np.inf, keepdims=True)

    def designs(self, number: Ints) -> Ints:
        """Designs of numbers."""
        return self._all[0][number]

    def known(self) -> Candidates:
        """None beforehand."""
        return Candidates(np.zeros((len(self.figures), 0)), np.zeros(0, np.int64))

    def coarse(self) -> Self:
        """The part itself."""
        return self

    def like(self, number: int) -> Self:
        """The part itself."""
        return self

    def variants(self, number: int) -> Candidates:
        """The design itself."""
        return Candidates(self._all[1][:, [number]], np.array([number]))


def sieved_parts(assembly: Assembly) -> list[SievedPart]:
    """The parts of an assembly, those that cannot sift themselves enumerated."""
    return [_sieved(part) for part in assembly.parts]


def _sieved(part: Part) -> SievedPart:
    """The part itself where it goes through its own designs."""
    return cast(SievedPart, part) if hasattr(part, "sift") else EnumeratedPart(part)


def designs_at(part: SievedPart, candidates: Candidates, rows: Ints) -> Ints:
    """Designs (n, axes) of a part at some rows of its candidates, each distinct one looked up once."""
    distinct, number = np.unique(rows, return_inverse=True)
    designs: Ints = part.designs(candidates.number[distinct])[number]
    return designs


def evaluations_of(parts: Sequence[SievedPart]) -> int:
    """Designs of parts that were evaluated so far."""
    return sum(part.evaluations for part in parts)
