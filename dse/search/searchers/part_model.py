"""Known parts of designs, and a model of the figures of all parts that are chosen by the same axes.

Kinds of designs whose parts have the same axes and figures, such as the caches of several access types, teach each
other: one model learns all of them, with the levels at the top among its inputs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.problem import Metric, Part
from dse.search.scaling import FittedScale
from dse.search.searchers.figure_model import (
    LEARNED_FROM,
    FigureProcess,
    LinearMap,
    Standard,
    features,
)
from dse.spaces.space import Axis, double_steps, single_steps

POOL = 1000
"""Random parts among the candidates."""
FEW = 2000
"""Parts of which all are candidates, where there are no more."""
CENTERS = 8
"""Known parts whose surroundings are candidates: the best, or as often any of the `SPREAD` best."""
SPREAD = 64
MOST = 400
"""Known parts that a model is fitted to: those of least cost, and of other kinds at least `OTHERS`."""
OTHERS = 100
GROWTH = 1.25
"""Distances are learned anew when so many times as many parts are known."""
CHECKED = 16
"""Candidates whose legality is asked at a time."""


class KnownParts:
    """Known parts of one kind of designs, in one place: levels on the part's axes, with their figures."""

    def __init__(self, part: Part, top: Floats, random: np.random.Generator) -> None:
        self.part = part
        self.top = top
        self._random = random
        self._row: dict[tuple[int, ...], int] = {}
        self._designs: list[Ints] = []
        self._figures: list[Floats] = []
        self._legality: dict[tuple[int, ...], bool] = {}
        self._pool: Ints | None = None

    def __len__(self) -> int:
        """Number of known parts."""
        return len(self._row)

    def add(self, designs: Ints, figures: Floats) -> Ints:
        """Remember parts (n, axes) with figures (figures, n); returns their rows."""
        for design, figure in zip(designs, figures.T, strict=True):
            key = tuple(design.tolist())
            if key not in self._row:
                self._row[key] = len(self._designs)
                self._designs.append(design)
                self._figures.append(figure)
        return np.array([self._row[tuple(design)] for design in designs.tolist()], dtype=np.int64)

    def row(self, design: Ints) -> int:
        """Row of a part (axes,); -1 where it is not known."""
        return self._row.get(tuple(design.tolist()), -1)

    @property
    def designs(self) -> Ints:
        """Known parts (n, axes)."""
        return np.array(self._designs, dtype=np.int64).reshape(-1, len(self.part.space.axes))

    @property
    def figures(self) -> Floats:
        """Figures (figures, n) of all known parts."""
        return np.array(self._figures, dtype=float).reshape(-1, len(self.part.figures)).T

    def inputs(self, designs: Ints) -> Floats:
        """Inputs (n, features) of parts of this kind."""
        own = features(self.part.space.axes, designs)
        return np.concatenate([np.repeat(self.top[None], len(designs), axis=0), own], axis=1)

    def unknown(self, designs: Ints) -> Ints:
        """The designs (n, axes) that are not known, each once."""
        found = np.unique(designs, axis=0)
        new: Ints = found[[tuple(design) not in self._row for design in found.tolist()]]
        return new

    def around(self, centers: Ints, besides: Ints) -> Ints:
        """Unknown parts, legal or not, one step from some others (n, axes), but those `besides` (m, axes)."""
        space = self.part.space
        steps = [single_steps(space, center) for center in centers]
        found = self.unknown(np.concatenate([np.zeros((0, len(space.axes)), np.int64), *steps]))
        there = set(map(tuple, besides.tolist()))
        fresh: Ints = found[[tuple(design) not in there for design in found.tolist()]]
        return fresh

    def rows_beside(self, row: int) -> list[int]:
        """Rows of the known parts one step from a known one."""
        steps = map(tuple, single_steps(self.part.space, self._designs[row]).tolist())
        return [self._row[step] for step in steps if step in self._row]

    def legal_steps(self, row: int) -> Ints:
        """Unknown legal parts (n, axes) one step from a known one."""
        steps = self.unknown(single_steps(self.part.space, self._designs[row]))
        legal: Ints = steps[self._legal(steps)]
        return legal

    def candidates(self, costs: Floats, elsewhere: Ints) -> Ints:
        """Unknown parts near good known ones, a pool of random ones, and those known `elsewhere`, legal or not."""
        space = self.part.space
        order = np.argsort(costs, kind="stable")
        if self._random.random() < 0.5:
            order = self._random.permutation(order[:SPREAD])
        centers = self.designs[order[:CENTERS]]
        around = [step(space, center) for center in centers for step in (single_steps, double_steps)]
        return self.unknown(np.concatenate([self._any(), elsewhere, *around]))

    def _any(self) -> Ints:
        """Random parts, drawn once; all where there are few."""
        if self._pool is None:
            space = self.part.space
            if space.size <= FEW:
                self._pool = np.concatenate([np.zeros((0, len(space.axes)), np.int64), *space.blocks()])
            else:
                self._pool = space.sample(POOL, self._random)
        return self._pool

    def first_legal(self, candidates: Ints, promised: Floats, count: int) -> list[int]:
        """Rows of the `count` legal candidates (n, axes) that come first, fewer where there are not as many."""
        rows: list[int] = []
        for some in np.array_split(np.argsort(promised, kind="stable"), -(-len(candidates) // CHECKED)):
            rows += some[self._legal(candidates[some])].tolist()
            if len(rows) >= count:
                break
        return rows[:count]

    def _legal(self, designs: Ints) -> Bools:
        """Which designs (n, axes) are legal; each is asked for once."""
        keys = list(map(tuple, designs.tolist()))
        new = [row for row, key in enumerate(keys) if key not in self._legality]
        if new:
            asked = self.part.space.legal(designs[new]).tolist()
            self._legality.update(zip([keys[row] for row in new], asked, strict=True))
        return np.array([self._legality[key] for key in keys], dtype=np.bool_)


class PartModel:
    """Learns the figures of all parts that share axes and figures, whatever kind of designs they belong to."""

    def __init__(self, figures: Mapping[str, Metric], random: np.random.Generator) -> None:
        self._signs = [metric.sign for metric in figures.values()]
        self._random = random
        self._distance = LinearMap.first(0)
        self._learned_at = 0
        self.known: list[KnownParts] = []

    def elsewhere(self, own: KnownParts, most: int) -> Ints:
        """Some parts known of other kinds: the latest, which are the best as a rule."""
        others = [other.designs[-most:] for other in self.known if other is not own]
        return np.concatenate([np.zeros((0, len(own.part.space.axes)), np.int64), *others])

    def fit(self, own: KnownParts, costs: Floats) -> "FigureFit | None":
        """Learn from parts of all kinds, the `own` ones first, whose costs beside the best other parts are given.

        A figure that is constant among the own parts keeps that value, and one that is constant in another kind is
        learned from the own parts alone. None where fewer than two parts have figures.
        """
        rows = np.argsort(costs, kind="stable")[:MOST]
        mine = _Known(own.inputs(own.designs[rows]), own.figures[:, rows])
        kinds = [other for other in self.known if other is not own and len(other)]
        share = max(MOST - len(rows), OTHERS) // max(len(kinds), 1)
        others = [_Known(kind.inputs(kind.designs[-share:]), kind.figures[:, -share:]) for kind in kinds]
        usable = np.isfinite(mine.figures).all(axis=0)
        if usable.sum() < 2:
            return None
        varying = mine.varying
        common = varying & np.all([other.varying for other in others], axis=0) if others else varying
        groups = [(np.flatnonzero(common), [mine, *others]), (np.flatnonzero(varying & ~common), [mine])]
        constant = np.where(varying, np.nan, mine.figures[:, usable][:, 0])
        fits = tuple(self._group(figures, known) for figures, known in groups if len(figures))
        return FigureFit(constant, fits, None if usable.all() else self._validity([mine, *others]))

    def _group(self, figures: Ints, known: "Sequence[_Known]") -> "GroupFit":
        """Learn some figures."""
        usable = [part.usable for part in known]
        inputs, values = _joined(usable)
        scales = tuple(FittedScale.of(values[figure], self._signs[figure]) for figure in figures)
        scaled = np.stack([scale(values[figure]) for scale, figure in zip(scales, figures, strict=True)], axis=1)
        wanted = Standard.of(scaled)
        distance = self._learned(inputs, wanted(scaled))
        return GroupFit(figures, scales, wanted, FigureProcess.of(distance, inputs, wanted(scaled)))

    def _validity(self, known: "Sequence[_Known]") -> FigureProcess:
        """Learn which parts have figures: 1, and which have none: -1."""
        inputs, figures = _joined(known)
        valid = np.where(np.isfinite(figures).all(axis=0), 1.0, -1.0)[:, None]
        return FigureProcess.of(self._fitting(inputs), inputs, valid)

    def _fitting(self, inputs: Floats) -> LinearMap:
        """What was learned of distances between such inputs."""
        return self._distance if len(self._distance.matrix) == inputs.shape[1] else LinearMap.first(inputs.shape[1])

    def _learned(self, inputs: Floats, targets: Floats) -> LinearMap:
        """How distances are measured, learned anew where much more is known than before."""
        self._distance = self._fitting(inputs)
        if len(inputs) >= GROWTH * self._learned_at:
            self._learned_at = len(inputs)
            some = self._random.permutation(len(inputs))[:LEARNED_FROM]
            self._distance = self._distance.learned(inputs[some], targets[some])
        return self._distance


@dataclass(frozen=True, slots=True)
class _Known:
    """Inputs (n, features) of parts of one kind, and their figures (figures, n)."""

    inputs: Floats
    figures: Floats

    @property
    def usable(self) -> "_Known":
        """The parts that have figures."""
        kept = np.isfinite(self.figures).all(axis=0)
        return _Known(self.inputs[kept], self.figures[:, kept])

    @property
    def varying(self) -> Bools:
        """Which figures differ between parts."""
        figures = self.usable.figures
        if not figures.shape[1]:
            return np.ones(len(figures), np.bool_)
        return np.asarray((figures != figures[:, :1]).any(axis=1))


def _joined(known: Sequence[_Known]) -> tuple[Floats, Floats]:
    """Inputs and figures of several kinds together."""
    return np.concatenate([part.inputs for part in known]), np.concatenate([part.figures for part in known], axis=1)


@dataclass(frozen=True, slots=True)
class GroupFit:
    """Some fitted figures: each on a scale of its own, standardized."""

    figures: Ints
    scales: tuple[FittedScale, ...]
    targets: Standard
    process: FigureProcess


@dataclass(frozen=True, slots=True)
class FigureFit:
    """Fitted figures in `groups`; the others are `constant`. `validity` where some parts have no figures."""

    constant: Floats
    groups: tuple[GroupFit, ...]
    validity: FigureProcess | None

    def expected(self, inputs: Floats) -> Floats:
        """Standardized figures (n, figures) that are expected at inputs (n, features)."""
        standard = np.zeros((len(inputs), len(self.constant)))
        for group in self.groups:
            standard[:, group.figures] = group.process.mean(inputs)
        return standard

    def deviation(self, inputs: Floats) -> Floats:
        """Standard deviations (n, figures) of what is expected."""
        deviation = np.zeros((len(inputs), len(self.constant)))
        for group in self.groups:
            deviation[:, group.figures] = group.process.deviation(inputs)
        return deviation

    def values(self, standardized: Floats) -> Floats:
        """Figures (figures, n) from standardized ones (n, figures)."""
        found = np.repeat(self.constant[:, None], len(standardized), axis=1)
        for group in self.groups:
            spread = np.where(np.isfinite(group.targets.spread), group.targets.spread, 0.0)
            scaled = group.targets.mean + spread * standardized[:, group.figures]
            for figure, scale, column in zip(group.figures, group.scales, scaled.T, strict=True):
                found[figure] = scale.back(column)
        return found

    def valid(self, inputs: Floats) -> Bools:
        """Where figures are expected rather than none."""
        if self.validity is None:
            return np.ones(len(inputs), np.bool_)
        return np.asarray(self.validity.mean(inputs)[:, 0] > 0)


def top_features(axes: Sequence[Axis], tops: Sequence[Ints]) -> Floats:
    """Inputs (kinds, features) of the levels at the top of kinds of designs."""
    return features(axes, np.array(tops, dtype=np.int64).reshape(len(tops), len(axes)))
