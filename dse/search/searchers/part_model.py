"""What known parts of designs teach of others: a model of the figures of one part of an assembly.

The model is a quadratic regression of the logarithms of the figures on the levels, weighted towards good designs, with
a Gaussian process on what is left over (universal kriging; Matheron 1969).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from dse.batch import Bools, Floats, Ints
from dse.problem import Part
from dse.search.evaluation import Evaluations
from dse.search.scaling import decades
from dse.spaces.space import Axis, double_steps, single_steps

POOL = 2000
"""Random parts among the candidates."""
CENTERS = 8
"""Known parts whose surroundings are candidates: the best, or as often any of the `SPREAD` best."""
SPREAD = 64
LENGTH = 3.0
"""Levels over which what a regression leaves over is alike."""
FOCUS = (0.5, 1.0, 2.0)
"""Powers of a design's weight in the regression, its value over the best to minus this: one of them, at random."""
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
    scaled = decades(evaluations.costs) * weights
    cost = scaled.max(axis=1) + 0.05 * scaled.sum(axis=1) if len(weights) > 1 else scaled[:, 0]
    broken = np.clip(evaluations.violations, 0, None).sum(axis=1)
    cost = np.where(broken > 0, INFEASIBLE * (1 + np.log1p(broken)), cost)
    return np.where(np.isfinite(cost), cost, INFEASIBLE**2)


class PartModel:
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

    def fit(self, costs: Floats) -> "Fit":
        """Learn from all known parts, whose costs beside the best other part are given."""
        rows = np.argsort(costs, kind="stable")[:MOST]
        focus = float(self._random.choice(FOCUS))
        weights = np.clip(10.0 ** (-focus * (costs[rows] - costs.min())), 1e-6, None)
        inputs = features(self._part.space.axes, np.array(self.designs)[rows])
        return Fit.of(inputs, self.table[:, rows], weights)

    def predict(self, fit: "Fit", candidates: Ints, optimism: float) -> Floats:
        """Figures (figures, n) of candidates, lowered by `optimism` standard deviations."""
        return fit.predict(features(self._part.space.axes, candidates), optimism)

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


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model: `varying` figures are predicted, the others have the `constant` value."""

    varying: Bools
    constant: Floats
    trend: Pipeline
    rest: GaussianProcessRegressor
    spread: Floats

    @classmethod
    def of(cls, inputs: Floats, figures: Floats, weights: Floats) -> "Fit":
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
        logs = self.trend.predict(inputs).reshape(shape) + left.reshape(shape)
        figures = np.repeat(self.constant[:, None], len(inputs), axis=1)
        figures[self.varying] = np.exp(logs - optimism * deviation * self.spread).T
        return figures
