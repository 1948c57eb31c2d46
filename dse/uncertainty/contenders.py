"""Designs that may win for some values of the parameters: the exact search, and what it leaves close behind the best.

Where designs are put together from parts, parts contend: every combination of them is a design.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, cast

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InfeasibleError
from dse.parts import Candidates, Range, SievedPart, whole_designs
from dse.problem import Decomposed, Problem
from dse.search.aim import Aim, AimSieve, aims, with_slack
from dse.search.enumerated import sieved_parts
from dse.search.exhaustion import check_exhaustible, evaluated_blocks
from dse.search.kept import Form, array_data, array_of, kept
from dse.search.tuples import best_tuple


@dataclass(frozen=True, slots=True)
class Closeness:
    """Which designs contend: those at most a share `slack` of the best cost behind the best, and not too many.

    `of_first_part`, `of_others`: contenders of one search among the designs of the first part, and of each other: the
    most promising ones, and random ones of the rest, which differ more.
    """

    slack: float = 0.3
    of_first_part: tuple[int, int] = (120, 80)
    of_others: tuple[int, int] = (10, 4)


WIDE = Closeness()
"""What may win over wide ranges of the parameters."""
Kind = tuple[int, ...]
"""Levels at the top that designs of one kind share."""
Reached = Callable[[Problem], float]
"""A cost that is surely reached; infinite where none is known."""


@dataclass(frozen=True, slots=True)
class Contenders:
    """Levels (n, axes) of the contending designs of each part, by kind of designs."""

    kinds: Mapping[Kind, tuple[Ints, ...]]

    def designs(self) -> Ints:
        """Every combination (n, axes), kind by kind, the last part fastest."""
        return np.concatenate([_combined(top, parts) for top, parts in self.kinds.items()])

    def joined(self, new: "Contenders") -> "Contenders":
        """The contenders of both, the new ones of a kind first, each once."""
        kinds = dict(self.kinds)
        for top, parts in new.kinds.items():
            before = kinds.get(top)
            kinds[top] = parts if before is None else tuple(map(_distinct, parts, before))
        return Contenders(kinds)


def _distinct(new: Ints, before: Ints) -> Ints:
    """Rows of both, each once, in the order of their first occurrence."""
    rows = dict.fromkeys(map(tuple, np.concatenate([new, before]).tolist()))
    return np.array(list(rows), dtype=np.int64).reshape(-1, new.shape[1])


def _combined(top: Kind, parts: Sequence[Ints]) -> Ints:
    """Designs of one kind from the designs of its parts."""
    rows = np.array(list(product(*(range(len(part)) for part in parts))), dtype=np.int64).reshape(-1, len(parts))
    heads = np.repeat(np.array(top, dtype=np.int64)[None], len(rows), axis=0)
    return np.concatenate([heads, *(part[rows[:, place]] for place, part in enumerate(parts))], axis=1)


@dataclass(frozen=True, slots=True)
class Neighborhood:
    """The exact optimum (axes,) of a problem's first objective, its cost and metrics [SI], and the contenders."""

    cost: float
    design: Ints
    metrics: Mapping[str, float]
    contenders: Contenders


def neighborhood(problem: Problem, limit: float = np.inf, closeness: Closeness = WIDE) -> Neighborhood:
    """Search exactly, given a cost that is surely reached (`limit`), and keep what is close behind the best.

    Raises InfeasibleError where no design is feasible, and InputError for a problem that is not decomposed and too
    large to go through.
    """
    if not hasattr(problem, "assemblies"):
        return _exhausted(problem, limit, closeness)
    found = {}
    for assembly in cast(Decomposed, problem).assemblies():
        (aim,) = aims(problem, assembly, problem.objectives[:1], problem.constraints)
        one = _of_kind(aim, limit, closeness)
        if one is not None:
            found[tuple(int(level) for level in assembly.top)] = one
    if not any(one.cost < np.inf for one in found.values()):
        raise InfeasibleError(f"{problem!r}: no feasible design")
    best = min(found.values(), key=lambda one: one.cost)
    contenders = Contenders({top: one.parts for top, one in found.items()})
    return Neighborhood(cost=best.cost, design=best.design, metrics=best.metrics, contenders=contenders)


def _written(found: Neighborhood) -> dict[str, Any]:
    """A neighborhood as JSON data."""
    kinds = found.contenders.kinds.items()
    return {
        "cost": found.cost, "design": found.design.tolist(), "metrics": dict(found.metrics),
        "contenders": [[list(top), list(map(array_data, parts))] for top, parts in kinds],
    }


def _read(data: Mapping[str, Any]) -> Neighborhood:
    """A neighborhood from JSON data."""
    contenders = Contenders({
        tuple(top): tuple(array_of(part, np.int64) for part in parts)
        for top, parts in data["contenders"]
    })
    return Neighborhood(
        cost=float(data["cost"]), design=np.array(data["design"], np.int64), metrics=dict(data["metrics"]),
        contenders=contenders,
    )


NEIGHBORHOOD = Form(_written, _read)


def kept_neighborhood(problem: Problem, limit: float = np.inf, closeness: Closeness = WIDE) -> Neighborhood:
    """What `neighborhood` finds, searched unless it is kept."""
    return kept(
        f"neighborhood of {problem!r}", ("neighborhood", problem, limit, closeness), NEIGHBORHOOD,
        lambda: neighborhood(problem, limit, closeness),
    )


def known_cost(problem: Problem) -> float:
    """Cost of the best combination of parts that are known beforehand; infinite where there is none."""
    if not hasattr(problem, "assemblies"):
        return np.inf
    costs = [np.inf]
    for assembly in cast(Decomposed, problem).assemblies():
        (aim,) = aims(problem, assembly, problem.objectives[:1], problem.constraints)
        known = [aim.extended(place, part, part.known()) for place, part in enumerate(sieved_parts(assembly))]
        best = best_tuple(known, aim, np.inf)
        costs.append(np.inf if best is None else best.cost)
    return min(costs)


@dataclass(frozen=True, slots=True)
class _KindFound:
    """Best design of one kind, infinite where it is worse than the limit, and contenders of each part."""

    cost: float
    design: Ints
    metrics: Mapping[str, float]
    parts: tuple[Ints, ...]


def _of_kind(aim: Aim, limit: float, closeness: Closeness) -> _KindFound | None:
    """The best design of one kind if its cost is `limit` or below, and contenders; None where there is neither."""
    parts = sieved_parts(aim.assembly)
    left = _sifted(parts, aim, limit + closeness.slack * abs(limit) if limit < np.inf else limit)
    if left is None:
        return None
    best = _best(left, aim, with_slack(limit))
    beside = [part.range() for part in (left if best is None else best)]
    chosen = []
    for place, (part, candidates) in enumerate(zip(parts, left, strict=True)):
        others = {other: own for other, own in enumerate(beside) if other != place}
        most = closeness.of_others if place else closeness.of_first_part
        rows = _promising(candidates, AimSieve(aim, place, others, limit), most)
        chosen.append(part.designs(candidates.number[rows]))
    if best is None:
        return _KindFound(cost=np.inf, design=aim.assembly.top, metrics={}, parts=tuple(chosen))
    figures = [part.figures for part in best]
    own = [part.figures[: len(known.figures)] for part, known in zip(best, parts, strict=True)]
    return _KindFound(
        cost=float(aim.costs(figures).item()),
        design=whole_designs(
            aim.assembly, [part.designs(one.number) for part, one in zip(parts, best, strict=True)]
        )[0],
        metrics={name: float(np.ravel(column)[0]) for name, column in aim.assembly.combine(own).items()},
        parts=tuple(chosen),
    )


def _sifted(parts: Sequence[SievedPart], aim: Aim, limit: float) -> list[Candidates] | None:
    """What is left of every part that may reach a limit; None where some part has nothing left."""
    ranges: dict[int, Range] = {
        place: part.range(lower_ends_only=aim.increasing) for place, part in enumerate(parts) if place > 0
    }
    left = []
    for place, part in enumerate(parts):
        found = aim.extended(place, part, part.sift(AimSieve(aim, place, ranges, limit)))
        if not len(found):
            return None
        left.append(found)
        ranges[place] = found.range()
    return left


def _best(left: Sequence[Candidates], aim: Aim, limit: float) -> list[Candidates] | None:
    """The best combination that reaches a limit, as one candidate of each part; None where there is none."""
    near = list(left)
    ranges = {place: part.range() for place, part in enumerate(near)}
    for place, part in enumerate(near):
        near[place] = AimSieve(aim, place, ranges, limit).left(part)
        if not len(near[place]):
            return None
        ranges[place] = near[place].range()
    found = best_tuple(near, aim, limit)
    return None if found is None else [part.take(np.array([row])) for part, row in zip(near, found.rows, strict=True)]


def _promising(candidates: Candidates, sieve: AimSieve, most: tuple[int, int]) -> Ints:
    """Rows of the best candidates beside other parts within ranges, and of random ones, which differ more."""
    bounds = np.broadcast_to(sieve.bounds(list(candidates.figures), sieve.others), len(candidates))
    return _best_and_random(bounds, most)


def _best_and_random(costs: Floats, most: tuple[int, int]) -> Ints:
    """Rows of the least costs, and of random others."""
    order = np.argsort(costs, kind="stable")
    best, rest = order[: most[0]], order[most[0] :]
    return np.concatenate([best, np.random.default_rng(0).permutation(rest)[: most[1]]])


def _exhausted(problem: Problem, limit: float, closeness: Closeness) -> Neighborhood:
    """The best of all designs, and contenders among the whole designs that are close behind it."""
    check_exhaustible(problem)
    best: Neighborhood | None = None
    near: list[tuple[Ints, Floats]] = []
    for designs, evaluations in evaluated_blocks(problem, 1):
        losses = evaluations.losses[:, 0]
        row = int(losses.argmin())
        if losses[row] < (np.inf if best is None else best.cost):
            metrics = {name: float(column[row]) for name, column in evaluations.metrics.items()}
            best = Neighborhood(float(losses[row]), designs[row], metrics, Contenders({}))
            limit = min(limit, best.cost)
        kept = losses <= limit + closeness.slack * abs(limit) if limit < np.inf else np.isfinite(losses)
        near.append((designs[kept], losses[kept]))
    if best is None:
        raise InfeasibleError(f"{problem!r}: no feasible design")
    designs = np.concatenate([some for some, _ in near])
    rows = _best_and_random(np.concatenate([losses for _, losses in near]), closeness.of_first_part)
    return Neighborhood(best.cost, best.design, best.metrics, Contenders({(): (designs[rows],)}))
