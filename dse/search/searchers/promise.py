"""What parts of designs promise by a fitted model: expected improvement, and steps towards more of it.

Expected improvement (Jones, Schonlau and Welch, Journal of Global Optimization 13, 1998) is the mean of what a design
would gain over the best one known. The rating is any function of several figures, so that the mean is taken over draws
of all figures, the same draws for all candidates.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.search.searchers.part_model import FigureFit, KnownParts

PROMISING = 250
"""Candidates whose deviations are asked: those of the best expected rating."""
DRAWS = 16
"""Draws of all figures."""
BOLDNESS = (0.5, 1.0, 2.0)
"""Factors of the deviations, one of them at random: models err by more and by less than they expect."""
CLIMBERS, CLIMBS = 8, 3
"""Promising candidates from which steps are taken to what promises more, and how often."""
TIE = 1e-6
"""Weight of the expected rating, which decides where nothing is likely to improve."""
LAST = 1e9
"""Promise of what is not expected to have figures, and beyond."""

Rate = Callable[[Ints, Floats], Floats]
"""Ratings (n,), the least best, of parts (n, axes) with given figures (figures, n)."""


@dataclass(frozen=True, slots=True)
class Promise:
    """How much parts promise to improve on what was `reached`, the least most; `draws` (draws, 1, figures)."""

    known: KnownParts
    fit: FigureFit
    rate: Rate
    reached: float
    draws: Floats

    @classmethod
    def drawn(
        cls, known: KnownParts, fit: FigureFit, rate: Rate, reached: float, random: np.random.Generator
    ) -> "Promise":
        """A promise with draws and boldness at random."""
        draws = random.choice(BOLDNESS) * random.standard_normal((DRAWS, 1, len(known.part.figures)))
        return cls(known=known, fit=fit, rate=rate, reached=reached, draws=draws)

    def __call__(self, parts: Ints) -> Floats:
        """Promises (n,) of parts (n, axes)."""
        inputs = self.known.inputs(parts)
        standard = self.fit.expected(inputs)
        expected = self.rate(parts, self.fit.values(standard))
        promised = LAST + np.where(self.fit.valid(inputs), expected, LAST)
        rows = np.argsort(promised, kind="stable")[:PROMISING]
        deviation = self.fit.deviation(inputs[rows])
        drawn = [self.rate(parts[rows], self.fit.values(standard[rows] + draw * deviation)) for draw in self.draws]
        gain = np.maximum(self.reached - np.stack(drawn), 0.0).mean(axis=0)
        valid = promised[rows] < 2 * LAST
        promised[rows] = np.where(valid, TIE * expected[rows] - gain, promised[rows])
        return promised


def promising(known: KnownParts, candidates: Ints, promise: Promise, count: int) -> Ints:
    """The `count` legal parts (n, axes) that promise most, of candidates and what is found by steps from the best."""
    if not len(candidates):
        return candidates
    promised = promise(candidates)
    explored: set[int] = set()
    for _ in range(CLIMBS):
        legal = known.first_legal(candidates, promised, CLIMBERS + len(explored))
        rows = [row for row in legal if row not in explored]
        explored.update(rows)
        fresh = known.around(candidates[rows], besides=candidates)
        if not len(fresh):
            break
        candidates, promised = np.concatenate([candidates, fresh]), np.concatenate([promised, promise(fresh)])
    return candidates[known.first_legal(candidates, promised, count)]


def most_promising(known: KnownParts, candidates: Ints, promise: Promise, count: int) -> Ints:
    """The `count` legal parts (n, axes) that promise most, of candidates alone."""
    return candidates[known.first_legal(candidates, promise(candidates), count)]
