"""One kind of designs during a search: its known parts, what was evaluated, and what promises most."""

from collections.abc import Mapping, Sequence

import numpy as np

from dse.batch import Floats, Ints
from dse.parts import whole_designs
from dse.problem import Assembly, Problem
from dse.search.evaluation import Evaluations, join_evaluations, judge
from dse.search.searchers.climb import Climb
from dse.search.searchers.part_model import KnownParts, PartModel
from dse.search.searchers.promise import Promise, most_promising, promising
from dse.search.searchers.rating import Rating
from dse.search.searchers.transfer import Lesson, lessons_of_kind, starting_designs
from dse.spaces.space import Axis, Level

TAUGHT = 8
"""Designs of each kind that are carried over from other problems, in place of random ones."""
ELSEWHERE = 50
"""Parts known of each other kind among the candidates."""
CLIMBING = 0.25
"""Share of proposals that follow climbs (see climb)."""
STEPS = 4
"""Steps that such a proposal tries, at most."""
RIVALS = 6
"""Best known parts of which one, at random, takes the place of the best in every other proposal."""

Rows = tuple[int, ...]
"""Rows of known parts, one per part."""


class Kind:
    """Designs of one assembly: their known parts, and which combinations of them were evaluated at what cost."""

    def __init__(
        self, problem: Problem, assembly: Assembly, models: Sequence[PartModel], top: Floats,
        random: np.random.Generator,
    ) -> None:
        self._problem = problem
        self._assembly = assembly
        self._random = random
        self._models = models
        self._known = [KnownParts(part, top, random) for part in assembly.parts]
        for model, known in zip(models, self._known, strict=True):
            model.known.append(known)
        self._climbs = [Climb(known) for known in self._known]
        self._evaluated: dict[Rows, None] = {}
        self._costs: list[Evaluations] = []
        self._lessons: list[Lesson] = []
        self._shared: Mapping[str, Level] = {}
        self._axes: Sequence[Axis] = problem.space.axes[: len(assembly.top)]

    def __len__(self) -> int:
        """Number of designs evaluated."""
        return len(self._evaluated)

    def learn_from(self, known: Sequence[Lesson], shared: Mapping[str, Level]) -> None:
        """Start from other problems, as far as their designs have the same axes."""
        self._shared = shared
        self._lessons = lessons_of_kind(known, self._assembly.parts, shared, self._axes)

    @property
    def taught(self) -> bool:
        """Whether other problems teach designs to start with."""
        return bool(self._lessons)

    def carried_over(self) -> Ints:
        """The best designs of other problems."""
        return whole_designs(
            self._assembly, starting_designs(self._lessons, self._assembly.parts, self._shared, self._axes, TAUGHT)
        )

    def add(self, designs: Ints, evaluations: Evaluations) -> None:
        """Learn what designs cost."""
        rows = []
        for part, known in zip(self._assembly.parts, self._known, strict=True):
            figures = [evaluations.metrics[name] for name in part.figures]
            matrix = np.array(figures, dtype=float).reshape(len(figures), len(designs))
            rows.append(known.add(designs[:, part.axes], matrix).tolist())
        found = list(zip(*rows, strict=True))
        place = {row: place for place, row in reversed(list(enumerate(found))) if row not in self._evaluated}
        new = sorted(place.values())
        self._evaluated |= dict.fromkeys(found[number] for number in new)
        self._costs.append(Evaluations({}, evaluations.costs[new], evaluations.violations[new]))

    @property
    def evaluations(self) -> Evaluations | None:
        """Costs of all designs evaluated, in their order; None where there are none."""
        if not self._evaluated:
            return None
        self._costs = [join_evaluations(self._costs)]
        return self._costs[0]

    def sample(self, count: int) -> Ints:
        """Random designs."""
        return whole_designs(self._assembly, [part.space.sample(count, self._random) for part in self._assembly.parts])

    def first(self, count: int) -> Ints:
        """The simplest design, which has the lowest level on every axis or is nearest to that, and random ones."""
        spaces = [part.space for part in self._assembly.parts]
        simplest = whole_designs(
            self._assembly, [space.repair(np.zeros((1, len(space.axes)), np.int64)) for space in spaces]
        )
        return np.concatenate([simplest, self.sample(count - 1)]) if count > 1 else simplest

    def _beside(self, number: int, parts: Ints, figures: Floats, best: Rows, rating: Rating) -> Floats:
        """Ratings of designs with other parts (n, axes) of given figures in place `number` of the best ones."""
        levels = [known.designs[[row]] for known, row in zip(self._known, best, strict=True)]
        given = [list(known.figures[:, [row]]) for known, row in zip(self._known, best, strict=True)]
        levels[number], given[number] = parts, list(figures)
        with np.errstate(all="ignore"):
            columns = self._assembly.combine(given)
        return rating(judge(self._problem, whole_designs(self._assembly, levels), columns))

    def _beside_known(self, number: int, best: Rows, rating: Rating) -> Floats:
        """Ratings of designs with each known part in place `number` of the best ones."""
        return self._beside(number, self._known[number].designs, self._known[number].figures, best, rating)

    def best(self, rating: Rating) -> tuple[float, Rows]:
        """Least rating found by exchanging known parts of the best evaluated design one at a time, and its parts."""
        evaluations = self.evaluations
        if evaluations is None:
            return np.inf, ()
        ratings = rating(evaluations)
        least, best = float(ratings.min()), list(self._evaluated)[int(ratings.argmin())]
        improved = True
        while improved:
            improved = False
            for number in range(len(self._known)):
                beside = self._beside_known(number, best, rating)
                if beside.min() < least:
                    least, improved = float(beside.min()), True
                    best = _exchanged(best, number, int(beside.argmin()))
        return least, best

    def like_the_best_of(self, other: "Kind", rating: Rating) -> Ints:
        """A design (1, axes) with the best known parts of another kind, or the legal ones nearest to them.

        None where parts have other axes, or it was evaluated.
        """
        spaces = [part.space for part in self._assembly.parts]
        if [space.axes for space in spaces] != [part.space.axes for part in other._assembly.parts]:
            return np.zeros((0, 0), np.int64)
        _, best = other.best(rating)
        parts = [
            space.repair(known.designs[[row]]) for space, known, row in zip(spaces, other._known, best, strict=True)
        ]
        rows = tuple(known.row(part[0]) for known, part in zip(self._known, parts, strict=True))
        design = whole_designs(self._assembly, parts)
        return design[:0] if rows in self._evaluated else design

    def _rival(self, best: Rows, rating: Rating) -> Rows:
        """A design of known parts around one of the best parts, and what goes best with it."""
        number = int(self._random.integers(len(best)))
        rows = np.argsort(self._beside_known(number, best, rating), kind="stable")[:RIVALS]
        rival = _exchanged(best, number, int(self._random.choice(rows)))
        for other in range(len(best)):
            if other != number:
                rival = _exchanged(rival, other, int(self._beside_known(other, rival, rating).argmin()))
        return rival

    def propose(self, rating: Rating, count: int) -> Ints:
        """A good combination of known parts, if it was not evaluated, and designs of promising new parts."""
        _, best = self.best(rating)
        if best in self._evaluated and self._random.random() < 0.5:
            best = self._rival(best, rating)
        climbing = self._random.random() < CLIMBING
        fresh = [
            self._steps(number, best, rating, min(count, STEPS)) if climbing
            else self._new_parts(number, best, rating, count)
            for number in range(len(self._known))
        ]
        most = max(map(len, fresh))
        known = [parts.designs[row] for parts, row in zip(self._known, best, strict=True)]
        filled = [
            np.concatenate([part, np.repeat(design[None], most - len(part), axis=0)])
            for part, design in zip(fresh, known, strict=True)
        ]
        designs = whole_designs(self._assembly, filled)
        if best in self._evaluated:
            return designs
        return np.concatenate([whole_designs(self._assembly, [design[None] for design in known]), designs])[:count]

    def _new_parts(self, number: int, best: Rows, rating: Rating, count: int) -> Ints:
        """Unknown parts that promise the best rating beside the best others."""
        known = self._known[number]
        ratings = self._beside_known(number, best, rating)
        candidates = known.candidates(ratings, self._models[number].elsewhere(known, ELSEWHERE))
        promise = self._promise(number, best, rating, ratings, float(ratings.min()))
        return promising(known, candidates, promise, count) if promise else candidates[:0]

    def _steps(self, number: int, best: Rows, rating: Rating, count: int) -> Ints:
        """Unknown parts that promise most of those around a part that is better than what is known around it."""
        known = self._known[number]
        ratings = self._beside_known(number, best, rating)
        center, candidates = self._climbs[number].next(ratings)
        promise = self._promise(number, best, rating, ratings, float(ratings[center])) if len(candidates) else None
        return most_promising(known, candidates, promise, count) if promise else candidates[:0]

    def _promise(
        self, number: int, best: Rows, rating: Rating, ratings: Floats, reached: float
    ) -> Promise | None:
        """What parts promise beside the best others, by a model of the known ones, whose `ratings` are given."""
        fit = self._models[number].fit(self._known[number], ratings)

        def rate(parts: Ints, figures: Floats) -> Floats:
            return self._beside(number, parts, figures, best, rating)

        return None if fit is None else Promise.drawn(self._known[number], fit, rate, reached, self._random)


def _exchanged(rows: Rows, number: int, row: int) -> Rows:
    """Rows with another one for the part `number`."""
    return (*rows[:number], row, *rows[number + 1 :])
