"""Surrogate-assisted search: learns what parts of designs cost, and proposes what promises most.

Where a problem puts its designs together from parts (a cache from a data and a tag array), each part has a model that
all kinds of designs with such a part share (see part_model), and every combination of known parts has a known cost,
evaluated or not. Proposals have the best rating at optimistic figures, among steps around the best known parts, parts
known of other kinds, and a pool of random ones. Several objectives are taken by random weights, as in ParEGO (Knowles,
IEEE TEC 10(1), 2006). Some proposals follow climbs, which go on whatever the models expect (see climb). The search
starts from random designs, or from the best of other problems (see transfer).
"""

from collections.abc import Sequence

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.problem import Assembly, Part, Problem
from dse.search.evaluation import Evaluations, join_evaluations
from dse.search.searchers.kind import Kind
from dse.search.searchers.part_model import PartModel, top_features
from dse.search.searchers.rating import Rating
from dse.search.searchers.transfer import Source, lessons, shared_values
from dse.search.searchers.whole_designs import assemblies_of

METHODS = {"surrogate": "models of what parts cost, trained as the search goes"}
LEARNERS = ("surrogate",)
START = 20
"""Random designs to start with, shared by all kinds."""
FEWEST = 8
"""Random designs of each kind before its models are asked."""
MANY, FEWEST_OF_MANY = 16, 2
"""Of more kinds than so many, fewer designs of each are enough: kinds teach each other."""
PASSED_ON, PASSED_TO = 0.15, 3
"""Share of proposals, of many kinds, that pass on the parts of the best design, and to how many other kinds."""
BATCH = 8
"""Designs proposed at a time."""
ANY = 0.1
"""Share of proposals for any kind of design."""
ALONE = 0.2
"""Share of proposals for one of several objectives alone: the ends of the front, corners of ParEGO's lattice too."""
TEMPERATURE = 0.15
"""Kinds compete by ratings of their best designs. A difference counts that is as large as this share of the distance
from the median of the first designs to the best of all."""
COLD, COLD_SHARE = 0.04, 0.75
"""The same of many kinds, and in which share of proposals; none of these is for any kind."""


class SurrogateSearch:
    """Evaluates a simple and random designs of each kind, then what the models propose for a promising kind.

    Kinds that `sources` teach start with what is best there instead.
    """

    def __init__(self, problem: Problem, seed: int, sources: Sequence[Source] = ()) -> None:
        self._random = np.random.default_rng(seed)
        self._objectives = len(problem.objectives)
        assemblies = assemblies_of(problem)
        models = _Models(self._random)
        tops = top_features(problem.space.axes[: len(assemblies[0].top)], [one.top for one in assemblies])
        self._kinds: dict[tuple[int, ...], Kind] = {}
        for assembly, top in zip(assemblies, tops, strict=True):
            kind = Kind(problem, assembly, models.of(assembly), top, self._random)
            self._kinds[tuple(assembly.top.tolist())] = kind
            if sources:
                kind.learn_from(lessons(sources, problem), shared_values(problem, assembly))
        if sources and not any(kind.taught for kind in self._kinds.values()):
            raise InputError("known designs have other axes than this problem: give designs of such arrays")

    def ask(self, count: int) -> Ints:
        """Designs to start with of each kind at first, then proposals for one kind."""
        known = [kind.evaluations for kind in self._kinds.values()]
        evaluations = [one for one in known if one is not None]
        if not evaluations:
            share = max(self._fewest, START // len(self._kinds))
            return np.concatenate([self._start(kind, share) for kind in self._kinds.values()])
        rating = Rating.of(join_evaluations(evaluations), self._weights())
        if self._many and self._random.random() < PASSED_ON:
            passed = self._passed_on(rating, min(count, PASSED_TO))
            if len(passed):
                return passed
        kind = self._choose(rating, evaluations)
        if kind.taught and not len(kind):
            return kind.carried_over()
        if len(kind) < self._fewest and not kind.taught:
            return kind.sample(self._fewest - len(kind))
        proposed = kind.propose(rating, min(count, BATCH))
        return proposed if len(proposed) else kind.sample(min(count, BATCH))

    @property
    def _many(self) -> bool:
        """Whether there are so many kinds that a start with each would take most of a budget."""
        return len(self._kinds) > MANY

    @property
    def _fewest(self) -> int:
        """Designs of each kind before its models are asked."""
        return FEWEST_OF_MANY if self._many else FEWEST

    def _passed_on(self, rating: Rating, count: int) -> Ints:
        """The best design's parts in other kinds that have not tried them, the best of these kinds first."""
        best, *others = sorted(self._kinds.values(), key=lambda kind: kind.best(rating)[0])
        found = [design for kind in others if len(design := kind.like_the_best_of(best, rating))]
        return np.concatenate(found[:count]) if found else np.zeros((0, 0), np.int64)

    @staticmethod
    def _start(kind: Kind, count: int) -> Ints:
        """Designs of a kind to start with."""
        return kind.carried_over() if kind.taught else kind.first(count)

    def _weights(self) -> Floats:
        """Weights of the objectives: random, uniform on the simplex or at one of its corners."""
        if self._objectives == 1:
            return np.ones(1)
        if self._random.random() < ALONE:
            alone: Floats = np.eye(self._objectives)[int(self._random.integers(self._objectives))]
            return alone
        return self._random.dirichlet(np.ones(self._objectives))

    def _choose(self, rating: Rating, evaluations: Sequence[Evaluations]) -> Kind:
        """A kind, the more likely the better its best known design is; now and then any."""
        kinds = list(self._kinds.values())
        if len(kinds) == 1:
            return kinds[0]
        if not self._many and self._random.random() < ANY:
            return kinds[int(self._random.integers(len(kinds)))]
        least = np.array([kind.best(rating)[0] for kind in kinds])
        first = np.concatenate([rating(one.take(slice(0, FEWEST))) for one in evaluations])
        spread = float(np.median(first) - least.min())
        cold = self._many and self._random.random() < COLD_SHARE
        scale = (COLD if cold else TEMPERATURE) * spread
        odds = np.exp(-(least - least.min()) / scale) if scale > 0 else np.ones(len(kinds))
        return kinds[int(self._random.choice(len(kinds), p=odds / odds.sum()))]

    def tell(self, designs: Ints, evaluations: Evaluations) -> None:
        """Learn what designs cost."""
        for top, kind in self._kinds.items():
            rows = np.flatnonzero((designs[:, : len(top)] == top).all(axis=1))
            if len(rows):
                kind.add(designs[rows], evaluations.take(rows))


class _Models:
    """Models of parts, one for all parts with the same place, axes and figures."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._models: dict[object, PartModel] = {}

    def of(self, assembly: Assembly) -> list[PartModel]:
        """The models of an assembly's parts."""
        return [self._of(place, part) for place, part in enumerate(assembly.parts)]

    def _of(self, place: int, part: Part) -> PartModel:
        """The model of a part."""
        key = place, tuple(part.space.axes), tuple(part.figures)
        if key not in self._models:
            self._models[key] = PartModel(part.figures, self._random)
        return self._models[key]


def make(method: str, problem: Problem, seed: int, sources: Sequence[Source] = ()) -> SurrogateSearch:
    """Surrogate-assisted search of a problem, which may start from what is known of other problems."""
    return SurrogateSearch(problem, seed, sources)
