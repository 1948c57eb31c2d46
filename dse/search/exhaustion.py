"""Exact answers of small spaces by going through all designs, in blocks and by several processes where that helps."""

import time
from collections.abc import Iterator
from functools import partial

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.parallel import in_parallel
from dse.problem import Problem
from dse.search.certificate import EXHAUSTION, Incumbent, Optimum, Told
from dse.search.evaluation import Evaluations, axis_columns, evaluate, join_evaluations
from dse.search.pareto import non_dominated

MOST_DESIGNS = 20_000_000
"""Designs that are gone through; more need bounds or a searcher."""
BLOCK = 1 << 12
"""Designs evaluated at a time."""
SLOW = 4.0
"""Predicted seconds from which several processes share the work."""


def check_exhaustible(problem: Problem) -> None:
    """Raise InputError where a space is too large to go through."""
    if problem.space.size > MOST_DESIGNS:
        raise InputError(
            f"problem {problem.name} has {problem.space.size:.3g} designs and no bounds: too many to go through, "
            "choose a searcher with --method"
        )


def evaluated_blocks(problem: Problem, jobs: int) -> Iterator[tuple[Ints, Evaluations]]:
    """All designs with what they cost, a block at a time; by `jobs` processes (0: one per core) where that is slow."""
    blocks = (
        block[start : start + BLOCK] for block in problem.space.blocks() for start in range(0, len(block), BLOCK)
    )
    work = partial(evaluate, problem)
    start, done = time.monotonic(), 0
    for designs in blocks:
        yield designs, work(designs)
        done += len(designs)
        left = (problem.space.size - done) / done * (time.monotonic() - start)
        if jobs != 1 and left > SLOW:
            rest = list(blocks)
            yield from zip(rest, in_parallel(work, rest, jobs), strict=True)


def exhausted(
    problem: Problem, limit: float, told: Told | None = None, *, jobs: int = 1
) -> Optimum | None:
    """The first design of least first objective, by its `then` among equals, that is no worse than a limit.

    `told` hears of every better one; nothing bounds those that were not seen.
    """
    check_exhaustible(problem)
    best: tuple[float, float] = (np.nextafter(limit, np.inf), np.inf)
    chosen: Ints | None = None
    count = 0
    for designs, evaluations in evaluated_blocks(problem, jobs):
        count += len(designs)
        losses, ties = evaluations.losses[:, 0], _ties(problem, designs, evaluations)
        row = int(np.lexsort((ties, losses))[0])
        if np.isfinite(losses[row]) and (losses[row], ties[row]) < best:
            best, chosen = (float(losses[row]), float(ties[row])), designs[row]
            if told is not None:
                told(Incumbent(best[0], -np.inf))
    return None if chosen is None else Optimum(best[0], chosen, count, EXHAUSTION)


def _ties(problem: Problem, designs: Ints, evaluations: Evaluations) -> Floats:
    """What decides among equals: the cost of the first objective's `then`, or nothing."""
    then = problem.objectives[0].then
    if then is None:
        return np.zeros(len(designs))
    axes = axis_columns(problem, designs, then.formula.names)
    return np.broadcast_to(np.asarray(then.cost({**axes, **evaluations.metrics}), dtype=float), len(designs))


def exhausted_front(problem: Problem, *, jobs: int = 1) -> tuple[Ints, Evaluations, int]:
    """All designs (n, axes) that no other dominates, of equal ones the first, what they cost, and how many there are.

    A block's front is merged with that of all blocks before.
    """
    check_exhaustible(problem)
    axes = len(problem.space.axes)
    kept: Ints = np.zeros((0, axes), np.int64)
    known: Evaluations | None = None
    count = 0
    for designs, evaluations in evaluated_blocks(problem, jobs):
        count += len(designs)
        rows = np.flatnonzero(evaluations.feasible)
        kept = np.concatenate([kept, designs[rows]])
        found = evaluations.take(rows)
        known = found if known is None else join_evaluations([known, found])
        best = np.flatnonzero(non_dominated(known.costs)) if len(kept) else np.zeros(0, np.int64)
        kept, known = kept[best], known.take(best)
    if known is None:
        known = Evaluations({}, np.zeros((0, len(problem.objectives))), np.zeros((0, len(problem.constraints))))
    return kept, known, count
