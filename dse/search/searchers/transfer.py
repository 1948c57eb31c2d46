"""Starting designs from other problems: the best that are known there, carried over to the problem at hand.

Axes differ in levels between problems, so that designs are translated by the values of their axes, which count as the
axis is spaced: by difference or by ratio. Where the sources differ in a size, such as the capacity, the k-th best
designs of all of them lie roughly on a line over that size; its point at the size sought is a start as well. What is
not legal gives way to the nearest legal design.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.problem import Assembly, Part, Problem
from dse.search.driver import History
from dse.search.evaluation import Evaluations, axis_columns, formula_names, judged
from dse.search.searchers.rating import Rating
from dse.search.searchers.whole_designs import assemblies_of
from dse.spaces.space import Axis, Level, Scale, numbers, values


class Source(Protocol):
    """A problem with designs of it that are known."""

    @property
    def problem(self) -> Problem: ...  # noqa: D102
    @property
    def history(self) -> History: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Lesson:
    """Known designs (n, axes) of one kind of a source, best first: the values they share, and their parts."""

    shared: Mapping[str, Level]
    parts: tuple[Part, ...]
    designs: Ints

    def translated(self, number: int, axes: Sequence[Axis], count: int) -> Floats:
        """Levels (count, axes) on other axes of one part of the best designs."""
        part = self.parts[number]
        return translate(part.space.axes, axes, self.designs[:count, part.axes])


def lessons(sources: Sequence[Source], problem: Problem) -> list[Lesson]:
    """Known designs of all kinds of the sources, ordered by what they cost by the objectives of `problem`.

    Raises InputError where a source lacks a metric of these.
    """
    found = []
    for source in sources:
        designs, costs = source.history.designs, _ratings(source, problem)
        for assembly in assemblies_of(source.problem):
            mine = np.flatnonzero((designs[:, : len(assembly.top)] == assembly.top).all(axis=1))
            best = mine[np.argsort(costs[mine], kind="stable")]
            if len(best):
                found.append(Lesson(shared_values(source.problem, assembly), tuple(assembly.parts), designs[best]))
    return found


def _ratings(source: Source, problem: Problem) -> Floats:
    """How good the designs of a source are by the objectives and constraints of a problem, the least best."""
    metrics = source.history.evaluations.metrics
    if not len(source.history):
        return np.zeros(0)
    axes = {axis.name for axis in source.problem.space.axes}
    missing = sorted(formula_names(problem) - set(metrics) - axes)
    if missing:
        raise InputError(f"known designs have no {', '.join(missing)}: give designs of the same family")
    columns = {**axis_columns(source.problem, source.history.designs, formula_names(problem)), **metrics}
    evaluations = Evaluations({}, *judged(problem, columns, len(source.history)))
    return Rating.of(evaluations, np.ones(len(problem.objectives)))(evaluations)


def shared_values(problem: Problem, assembly: Assembly) -> dict[str, Level]:
    """What all designs of a kind share, by the names of the axes."""
    return values(problem.space.axes[: len(assembly.top)], assembly.top)


def lessons_of_kind(
    known: Sequence[Lesson], parts: Sequence[Part], kind: Mapping[str, Level], axes: Sequence[Axis]
) -> list[Lesson]:
    """Lessons whose parts have the axes of a kind, of those the ones that share most of its words, nearest first.

    `kind` holds what all its designs share on the `axes` at the top.
    """
    alike = [lesson for lesson in known if _axis_names(lesson.parts)[: len(parts)] == _axis_names(parts)]
    words = [{name for name, word in kind.items() if _same_word(lesson.shared.get(name), word)} for lesson in alike]
    most = max(map(len, words), default=0)
    chosen = [lesson for lesson, shared in zip(alike, words, strict=True) if len(shared) == most]
    here = _sizes(kind, kind, axes)
    return sorted(chosen, key=lambda lesson: float(np.abs(_sizes(lesson.shared, kind, axes) - here).sum()))


def _same_word(one: Level | None, other: Level) -> bool:
    """Whether two levels are the same word."""
    return isinstance(other, str) and one == other


def _axis_names(parts: Sequence[Part]) -> list[list[str]]:
    """Names of the axes of each part."""
    return [[axis.name for axis in part.space.axes] for part in parts]


def _sizes(shared: Mapping[str, Level], kind: Mapping[str, Level], axes: Sequence[Axis]) -> Floats:
    """Sizes of designs, each on its axis' scale: those shared values of a kind that are no words."""
    return np.array([
        float(_placed(axis, np.array([shared.get(axis.name, kind[axis.name])], dtype=float))[0])
        for axis in axes if axis.ordered
    ])


def _placed(axis: Axis, sizes: Floats) -> Floats:
    """Numbers on the scale of an axis; a logarithmic one has no place for zero, which counts as its lowest level."""
    if axis.scale is not Scale.LOGARITHMIC:
        return sizes
    return np.log2(np.where(sizes > 0, sizes, float(axis.levels[0])))


def translate(origin: Sequence[Axis], axes: Sequence[Axis], designs: Ints) -> Floats:
    """Levels (n, axes) on `axes` of designs (n, axes) on others of the same names, between levels where need be."""
    moved = [_moved(*pair)[column] for *pair, column in zip(origin, axes, designs.T, strict=True)]
    return np.stack(moved, axis=1)


def _moved(origin: Axis, axis: Axis) -> Floats:
    """Where each level of an axis is on another one; a size may lie beyond all levels, by steps of its scale's unit.

    Beyond the ends of a logarithmic axis a level is a doubling, beyond those of a linear one the mean step.
    """
    if not (axis.ordered and origin.ordered):
        return np.array([float(axis.levels.index(word)) if word in axis.levels else 0.0 for word in origin.levels])
    own, other = (_placed(axis, numbers(some)) for some in (axis, origin))
    step = 1.0 if axis.scale is Scale.LOGARITHMIC or len(axis) == 1 else float(own[-1] - own[0]) / (len(axis) - 1)
    beyond: Floats = (other - np.clip(other, own[0], own[-1])) / step
    inside: Floats = np.interp(other, own, np.arange(len(own)))
    return inside + beyond


def starting_designs(
    known: Sequence[Lesson], parts: Sequence[Part], kind: Mapping[str, Level], axes: Sequence[Axis], count: int
) -> list[Ints]:
    """Legal parts to start with: matrices (up to `count`, axes), one per part of a kind; from one lesson or more.

    The best designs of each lesson in turn; where lessons differ in size, half are on the line through these.
    """
    most = min(count, *(len(lesson.designs) for lesson in known))
    sizes = np.array([_sizes(lesson.shared, kind, axes) for lesson in known])
    starts = []
    for number, part in enumerate(parts):
        best = np.array([lesson.translated(number, part.space.axes, most) for lesson in known])
        in_turn = best.transpose(1, 0, 2).reshape(-1, best.shape[2])
        if sizes.size and np.ptp(sizes, axis=0).any():
            line = on_line(part.space.axes, best, sizes, _sizes(kind, kind, axes))
            in_turn = np.concatenate([line[: count // 2], in_turn])
        starts.append(_nearest(part, in_turn[:count]))
    return starts


def on_line(axes: Sequence[Axis], best: Floats, sizes: Floats, here: Floats) -> Floats:
    """Levels (n, axes) at sizes `here` (k,) on lines through levels `best` (lessons, n, axes) at `sizes` (lessons, k).

    Axes without order keep the levels of the first lesson.
    """
    center = sizes.mean(axis=0)
    slopes = np.linalg.lstsq(sizes - center, (best - best.mean(axis=0)).reshape(len(best), -1), rcond=None)[0]
    line = best.mean(axis=0) + ((here - center) @ slopes).reshape(best.shape[1:])
    levels: Floats = np.where([axis.ordered for axis in axes], line, best[0])
    return levels


def _nearest(part: Part, levels: Floats) -> Ints:
    """Legal parts nearest to some levels (n, axes)."""
    last = np.array([len(axis) - 1 for axis in part.space.axes])
    return part.space.repair(np.clip(levels.round(), 0, last).astype(np.int64))
