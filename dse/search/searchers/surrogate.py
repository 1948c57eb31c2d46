"""Surrogate-assisted search: learns what parts of designs cost, and proposes what promises most.

Where a problem puts its designs together from parts (a cache from a data and a tag array), each part has a model of
its own (see part_model), and every pair of known parts has a known cost, evaluated or not. Proposals minimize the cost
at an optimistic quantile of the figures, among steps around the best known parts and a pool of random ones. Several
objectives are taken by random weights, as in ParEGO (Knowles, IEEE TEC 10(1), 2006). The search starts from random
designs, or from the best of other problems (see transfer).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.problem import Assembly, Problem
from dse.search.evaluation import Evaluations, join_evaluations, judged
from dse.search.searchers.part_model import PartModel, scalar
from dse.search.searchers.transfer import (
    Lesson,
    Source,
    lessons,
    lessons_of_kind,
    shared_values,
    starting_designs,
)
from dse.search.searchers.whole_designs import assemblies_of
from dse.spaces.space import Level

START = 20
"""Random designs of each kind before its models are asked."""
TAUGHT = 8
"""Designs of each kind that are carried over from other problems, in place of random ones."""
BATCH = 8
"""Designs proposed at a time."""
OTHERS = 0.3
"""Share of proposals for any kind of design, instead of the kind of the best known."""
OPTIMISM = (0.2, 1.0, 3.0)
"""Standard deviations by which predicted figures are lowered: one of these, at random."""
RIVALS = 6
"""Best known parts of which one, at random, takes the place of the best in every other proposal."""

Rows = tuple[int, ...]
"""Rows of known parts, one per part."""


class _Kind:
    """Designs of one assembly: models of their parts, and which pairs were evaluated at what cost."""

    def __init__(
        self, problem: Problem, assembly: Assembly, kind: Mapping[str, Level], known: Sequence[Lesson],
        random: np.random.Generator,
    ) -> None:
        self._problem = problem
        self._assembly = assembly
        self._shared = kind
        self._lessons = lessons_of_kind(known, assembly.parts, kind)
        self._random = random
        self._models = [PartModel(part, random) for part in assembly.parts]
        self._evaluated: dict[Rows, None] = {}
        self._costs: list[Evaluations] = []

    def __len__(self) -> int:
        """Number of designs evaluated."""
        return len(self._evaluated)

    def add(self, designs: Ints, evaluations: Evaluations) -> None:
        """Learn what designs cost."""
        rows = []
        for part, model in zip(self._assembly.parts, self._models, strict=True):
            figures = np.array([evaluations.metrics[name] for name in part.figures])
            rows.append(model.add(designs[:, part.axes], figures).tolist())
        found = list(zip(*rows, strict=True))
        place = {row: place for place, row in reversed(list(enumerate(found))) if row not in self._evaluated}
        new = sorted(place.values())
        self._evaluated |= dict.fromkeys(found[number] for number in new)
        self._costs.append(Evaluations({}, evaluations.costs[new], evaluations.violations[new]))

    def sample(self, count: int) -> Ints:
        """Random designs."""
        return self._whole([part.space.sample(count, self._random) for part in self._assembly.parts])

    @property
    def taught(self) -> bool:
        """Whether other problems teach designs to start with."""
        return bool(self._lessons)

    def carried_over(self) -> Ints:
        """The best designs of other problems."""
        return self._whole(starting_designs(self._lessons, self._assembly.parts, self._shared, TAUGHT))

    def first(self, count: int) -> Ints:
        """The simplest design, which has the lowest level on every axis or is nearest to that, and random ones."""
        spaces = [part.space for part in self._assembly.parts]
        simplest = self._whole([space.repair(np.zeros((1, len(space.axes)), np.int64)) for space in spaces])
        return np.concatenate([simplest, self.sample(count - 1)]) if count > 1 else simplest

    def _whole(self, parts: Sequence[Ints]) -> Ints:
        """Designs of their parts."""
        top = np.repeat(self._assembly.top[None], len(parts[0]), axis=0)
        return np.concatenate([top, *parts], axis=1).astype(np.int64)

    def _beside(self, number: int, figures: Floats, best: Rows, weights: Floats) -> Floats:
        """Costs of designs whose part `number` has the given figures (figures, n), the others being the best."""
        count = figures.shape[1]
        whole = [
            figures if place == number else np.repeat(model.table[:, [row]], count, axis=1)
            for place, (model, row) in enumerate(zip(self._models, best, strict=True))
        ]
        constants = {
            name: np.full(count, float(level)) for name, level in self._shared.items() if not isinstance(level, str)
        }
        metrics = self._assembly.combine(whole)
        costs, violations = judged(self._problem, {**constants, **metrics}, count)
        return scalar(Evaluations({}, costs, violations), weights)

    def best(self, weights: Floats) -> tuple[float, Rows]:
        """Least cost found by exchanging known parts of the best evaluated design one at a time, and its parts."""
        if not self._evaluated:
            return np.inf, ()
        self._costs = [join_evaluations(self._costs)]
        costs = scalar(self._costs[0], weights)
        cost, best = float(costs.min()), list(self._evaluated)[int(costs.argmin())]
        improved = True
        while improved:
            improved = False
            for number in range(len(self._models)):
                beside = self._beside(number, self._models[number].table, best, weights)
                if beside.min() < cost:
                    cost, improved = float(beside.min()), True
                    best = _exchanged(best, number, int(beside.argmin()))
        return cost, best

    def rival(self, best: Rows, weights: Floats) -> Rows:
        """A design of known parts around one of the best parts, and what goes best with it."""
        number = int(self._random.integers(len(best)))
        beside = self._beside(number, self._models[number].table, best, weights)
        rows = np.argsort(beside, kind="stable")[:RIVALS]
        rival = _exchanged(best, number, int(self._random.choice(rows)))
        for other in range(len(best)):
            if other != number:
                beside = self._beside(other, self._models[other].table, rival, weights)
                rival = _exchanged(rival, other, int(beside.argmin()))
        return rival

    def propose(self, weights: Floats, count: int) -> Ints:
        """A good combination of known parts, if it was not evaluated, and designs of promising new parts."""
        _, best = self.best(weights)
        if best in self._evaluated and self._random.random() < 0.5:
            best = self.rival(best, weights)
        fresh = [self._new_parts(number, best, weights, count) for number in range(len(self._models))]
        most = max(map(len, fresh))
        known = [model.designs[row] for model, row in zip(self._models, best, strict=True)]
        filled = [
            np.concatenate([part, np.repeat(design[None], most - len(part), axis=0)])
            for part, design in zip(fresh, known, strict=True)
        ]
        designs = self._whole(filled)
        if best in self._evaluated:
            return designs
        return np.concatenate([self._whole([design[None] for design in known]), designs])[:count]

    def _new_parts(self, number: int, best: Rows, weights: Floats, count: int) -> Ints:
        """Unknown parts that promise the least cost beside the best others."""
        model = self._models[number]
        costs = self._beside(number, model.table, best, weights)
        fit = model.fit(costs)
        optimism = float(self._random.choice(OPTIMISM))
        candidates = model.candidates(costs)
        if not len(candidates):
            return candidates
        promised = self._beside(number, model.predict(fit, candidates, optimism), best, weights)
        return model.legal_first(candidates, promised, count)


def _exchanged(rows: Rows, number: int, row: int) -> Rows:
    """Rows with another one for the part `number`."""
    return (*rows[:number], row, *rows[number + 1 :])


class SurrogateSearch:
    """Evaluates a simple and random designs of each kind, then what the models propose for the most promising kind.

    Kinds that `sources` teach start with what is best there instead.
    """

    def __init__(self, problem: Problem, seed: int, sources: Sequence[Source] = ()) -> None:
        self._random = np.random.default_rng(seed)
        self._objectives = len(problem.objectives)
        known = lessons(sources, problem)
        self._kinds = {
            tuple(part.top.tolist()): _Kind(problem, part, shared_values(problem, part), known, self._random)
            for part in assemblies_of(problem)
        }
        if sources and not any(kind.taught for kind in self._kinds.values()):
            raise InputError("known designs have other axes than this problem: give designs of such arrays")

    def ask(self, count: int) -> Ints:
        """Designs to start with of each kind at first, then proposals for one kind."""
        if not any(map(len, self._kinds.values())):
            share = max(1, 3 * START // len(self._kinds))
            return np.concatenate([self._start(kind, min(share, START)) for kind in self._kinds.values()])
        weights = self._weights()
        kind = self._choose(weights)
        if kind.taught and not len(kind):
            return kind.carried_over()
        if len(kind) < START and not kind.taught:
            return kind.sample(START - len(kind))
        proposed = kind.propose(weights, min(count, BATCH))
        return proposed if len(proposed) else kind.sample(min(count, BATCH))

    @staticmethod
    def _start(kind: _Kind, count: int) -> Ints:
        """Designs of a kind to start with."""
        return kind.carried_over() if kind.taught else kind.first(count)

    def _weights(self) -> Floats:
        """Weights of the objectives: random, uniform on the simplex."""
        return self._random.dirichlet(np.ones(self._objectives)) if self._objectives > 1 else np.ones(1)

    def _choose(self, weights: Floats) -> _Kind:
        """The kind of the best known design, or any."""
        kinds = list(self._kinds.values())
        if self._random.random() < OTHERS:
            return kinds[int(self._random.integers(len(kinds)))]
        return min(kinds, key=lambda kind: kind.best(weights)[0])

    def tell(self, designs: Ints, evaluations: Evaluations) -> None:
        """Learn what designs cost."""
        for top, kind in self._kinds.items():
            rows = np.flatnonzero((designs[:, : len(top)] == top).all(axis=1))
            if len(rows):
                kind.add(designs[rows], evaluations.take(rows))


def make(method: str, problem: Problem, seed: int, sources: Sequence[Source] = ()) -> SurrogateSearch:
    """Surrogate-assisted search of a problem, which may start from what is known of other problems."""
    return SurrogateSearch(problem, seed, sources)
