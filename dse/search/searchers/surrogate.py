"""Surrogate-assisted search: learns what parts of designs cost, and proposes what promises most.

Where a problem puts its designs together from parts (a cache from a data and a tag array), each part has a model of
its own, and every pair of known parts has a known cost, evaluated or not. The model of a part is a quadratic
regression of the logarithms of its figures on the levels, weighted towards good designs, with a Gaussian process on
what is left over (universal kriging; Matheron 1969). Proposals minimize the cost at an optimistic quantile of the
figures, among steps around the best known parts and a pool of random ones. Several objectives are taken by random
weights, as in ParEGO (Knowles, IEEE TEC 10(1), 2006).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from dse.batch import Bools, Floats, Ints
from dse.search.protocol import (
    AssembledProblem,
    Assembly,
    Evaluations,
    Part,
    Problem,
    join_evaluations,
    judge,
)
from dse.search.scaling import decades
from dse.spaces.space import Axis, Space, double_steps, single_steps

START = 20
"""Random designs of each kind before its models are asked."""
BATCH = 8
"""Designs proposed at a time."""
POOL = 2000
"""Random parts among the candidates."""
CENTERS = 8
"""Known parts whose surroundings are candidates: the best, or as often any of the `SPREAD` best."""
SPREAD = 64
OTHERS = 0.3
"""Share of proposals for any kind of design, instead of the kind of the best known."""
LENGTH = 3.0
"""Levels over which what a regression leaves over is alike."""
OPTIMISM = (0.2, 1.0, 3.0)
"""Standard deviations by which predicted figures are lowered: one of these, at random."""
FOCUS = (0.5, 1.0, 2.0)
"""Powers of a design's weight in the regression, its value over the best to minus this: one of them, at random."""
RIVALS = 6
"""Best known parts of which one, at random, takes the place of the best in every other proposal."""
SHRINKAGE = 0.1
NOISE = 1e-4
MOST = 400
"""Known parts that a model is fitted to: those of least cost."""
CHECKED = 48
"""Candidates whose legality is asked at a time."""
INFEASIBLE = 1e3
"""Cost on the scale of decades of any design that breaks a constraint."""


def features(axes: Sequence[Axis], designs: Ints) -> Floats:
    """Levels of ordered axes and indicators of the others' levels but the first; axes of one level are left out."""
    columns = []
    for axis, levels in zip(axes, designs.T, strict=True):
        if axis.ordered and len(axis) > 1:
            columns.append(levels)
        elif not axis.ordered:
            columns += [levels == level for level in range(1, len(axis))]
    return np.stack(columns, axis=1).astype(float) if columns else np.zeros((len(designs), 1))


def scalar(evaluations: Evaluations, weights: Floats) -> Floats:
    """One cost per design: weighted objectives on the scale of decades (augmented Chebyshev), infeasible ones last."""
    scaled = decades(evaluations.values) * weights
    cost = scaled.max(axis=1) + 0.05 * scaled.sum(axis=1) if len(weights) > 1 else scaled[:, 0]
    broken = np.clip(evaluations.violations, 0, None).sum(axis=1)
    cost = np.where(broken > 0, INFEASIBLE * (1 + np.log1p(broken)), cost)
    return np.where(np.isfinite(cost), cost, INFEASIBLE**2)


class _PartModel:
    """Known parts (designs of the part's space) with their figures, and what they teach of others."""

    def __init__(self, part: Part, random: np.random.Generator) -> None:
        self._part = part
        self._random = random
        self._row: dict[tuple[int, ...], int] = {}
        self.designs: list[Ints] = []
        self.figures: list[Floats] = []
        self._pool: Ints | None = None

    def add(self, designs: Ints, figures: Floats) -> Ints:
        """Remember parts; returns their rows."""
        for design, figure in zip(designs, figures.T, strict=True):
            key = tuple(design.tolist())
            if key not in self._row:
                self._row[key] = len(self.designs)
                self.designs.append(design)
                self.figures.append(figure)
        return np.array([self._row[tuple(design)] for design in designs.tolist()])

    @property
    def table(self) -> Floats:
        """Figures (figures, n) of all known parts."""
        return np.array(self.figures).T

    def fit(self, costs: Floats) -> "_Fit":
        """Learn from all known parts, whose costs beside the best other part are given."""
        rows = np.argsort(costs, kind="stable")[:MOST]
        focus = float(self._random.choice(FOCUS))
        weights = np.clip(10.0 ** (-focus * (costs[rows] - costs.min())), 1e-6, None)
        inputs = features(self._part.space.axes, np.array(self.designs)[rows])
        return _Fit.of(inputs, self.table[:, rows], weights)

    def candidates(self, costs: Floats) -> Ints:
        """Unknown parts one or two steps from good known ones, and a pool of random ones."""
        space = self._part.space
        if self._pool is None:
            self._pool = space.sample(POOL, self._random)
        order = np.argsort(costs, kind="stable")
        if self._random.random() < 0.5:
            order = self._random.permutation(order[:SPREAD])
        centers = [self.designs[row] for row in order[:CENTERS]]
        around = [step(space, center) for center in centers for step in (single_steps, double_steps)]
        found = np.unique(np.concatenate([self._pool, *around]), axis=0)
        unknown: Ints = found[[tuple(design) not in self._row for design in found.tolist()]]
        return unknown

    def legal_first(self, candidates: Ints, costs: Floats, count: int) -> Ints:
        """The `count` legal candidates of least cost, fewer where there are not as many."""
        order = np.argsort(costs, kind="stable")
        chosen: list[Ints] = []
        for start in range(0, len(order), CHECKED):
            some = candidates[order[start : start + CHECKED]]
            chosen += list(some[self._part.space.legal(some)])
            if len(chosen) >= count:
                break
        return np.array(chosen[:count], dtype=np.int64).reshape(-1, candidates.shape[1])

    def predict(self, fit: "_Fit", candidates: Ints, optimism: float) -> Floats:
        """Figures (figures, n) of candidates, lowered by `optimism` standard deviations."""
        return fit.predict(features(self._part.space.axes, candidates), optimism)


@dataclass(frozen=True, slots=True)
class _Fit:
    """A fitted model: `varying` figures are predicted, the others have the `constant` value."""

    varying: Bools
    constant: Floats
    trend: object
    rest: GaussianProcessRegressor
    spread: Floats

    @classmethod
    def of(cls, inputs: Floats, figures: Floats, weights: Floats) -> "_Fit":
        """Fit figures (figures, n) at inputs (n, features); figures that are not positive throughout are constant."""
        usable = np.isfinite(figures).all(axis=0)
        inputs, figures, weights = inputs[usable], figures[:, usable], weights[usable]
        varying: Bools = np.asarray((figures > 0).all(axis=1))
        logs = np.log(figures[varying]).T
        trend = make_pipeline(StandardScaler(), PolynomialFeatures(2), Ridge(SHRINKAGE))
        trend.fit(inputs, logs, ridge__sample_weight=weights)
        left = logs - trend.predict(inputs).reshape(logs.shape)
        rest = GaussianProcessRegressor(RBF(LENGTH), alpha=NOISE, optimizer=None).fit(inputs, left)
        spread = np.sqrt(np.average(left**2, axis=0, weights=weights))
        return cls(varying, figures[:, 0], trend, rest, spread)

    def predict(self, inputs: Floats, optimism: float) -> Floats:
        """Figures (figures, n) at inputs (n, features), lowered by `optimism` standard deviations."""
        left, deviation = self.rest.predict(inputs, return_std=True)
        shape = len(inputs), int(self.varying.sum())
        deviation = np.asarray(deviation).reshape(len(inputs), -1)[:, :1]
        logs = self.trend.predict(inputs).reshape(shape) + left.reshape(shape)  # type: ignore[attr-defined]
        figures = np.repeat(self.constant[:, None], len(inputs), axis=1)
        figures[self.varying] = np.exp(logs - optimism * deviation * self.spread).T
        return figures


Rows = tuple[int, ...]
"""Rows of known parts, one per part."""


class _Kind:
    """Designs of one assembly: models of their parts, and which pairs were evaluated at what cost."""

    def __init__(self, assembly: Assembly, random: np.random.Generator) -> None:
        self._assembly = assembly
        self._random = random
        self._models = [_PartModel(part, random) for part in assembly.parts]
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
        self._costs.append(Evaluations({}, evaluations.values[new], evaluations.violations[new]))

    def sample(self, count: int) -> Ints:
        """Random designs."""
        return self._whole([part.space.sample(count, self._random) for part in self._assembly.parts])

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
        return scalar(self._assembly.judge(whole), weights)

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
    """Evaluates a simple and random designs of each kind, then what the models propose for the most promising kind."""

    def __init__(self, assemblies: Sequence[Assembly], objectives: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._objectives = objectives
        self._kinds = {tuple(part.top.tolist()): _Kind(part, self._random) for part in assemblies}

    def ask(self, count: int) -> Ints:
        """A simple and some random designs of each kind at first, then proposals for one kind."""
        if not any(map(len, self._kinds.values())):
            share = max(1, 3 * START // len(self._kinds))
            return np.concatenate([kind.first(min(share, START)) for kind in self._kinds.values()])
        weights = self._weights()
        kind = self._choose(weights)
        if len(kind) < START:
            return kind.sample(START - len(kind))
        proposed = kind.propose(weights, min(count, BATCH))
        return proposed if len(proposed) else kind.sample(min(count, BATCH))

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


@dataclass(frozen=True, slots=True)
class WholeDesigns:
    """All designs of a problem that has no parts: one part, with all metrics."""

    problem: Problem
    space: Space
    figures: tuple[str, ...]

    @property
    def top(self) -> Ints:
        """No levels are shared."""
        return np.zeros(0, np.int64)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The designs themselves."""
        return (Part(self.space, slice(0, len(self.space.axes)), self.figures),)

    def judge(self, figures: Sequence[Floats]) -> Evaluations:
        """What designs cost whose metrics are given."""
        metrics = dict(zip(self.figures, figures[0], strict=True))
        return judge(metrics, self.problem.goals, self.problem.constraints)


def make(method: str, problem: Problem, seed: int) -> SurrogateSearch:
    """Surrogate-assisted search of a problem."""
    if hasattr(problem, "assemblies"):
        return SurrogateSearch(cast(AssembledProblem, problem).assemblies(), len(problem.goals), seed)
    formulas = [*(goal.formula for goal in problem.goals), *(part.formula for part in problem.constraints)]
    names = tuple(dict.fromkeys(name for formula in formulas for name in formula.metrics))
    return SurrogateSearch([WholeDesigns(problem, problem.space, names)], len(problem.goals), seed)
