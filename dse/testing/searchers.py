"""The suite that every searcher must pass, on any problem."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dse.batch import Ints
from dse.problem import Columns, Problem
from dse.search.driver import History, search
from dse.search.evaluation import evaluate
from dse.search.searchers import make_searcher
from dse.search.searchers.protocol import Searcher
from dse.spaces.space import code
from dse.testing.rules import require, same

BUDGET = 60
"""Designs of a run."""
RUNS = 5
"""Runs of which the median is compared with that of random search."""
CHANCE = "random"

Make = Callable[[Problem, int], Searcher]
"""A searcher for a problem, from a seed."""


def check_searcher(
    method: str | Make, problem: Problem, *, budget: int = BUDGET, seed: int = 1, learns: bool = True
) -> None:
    """Run all checks of a searcher on a problem. Raises BrokenRulesError naming every rule that is broken.

    Budget and legality, no design twice, the figures of the problem, the same result for the same seed, going on from
    what is known, stopping when asked, the whole of a small space, and, where it `learns`, a median over seeds that is
    no worse than that of random designs. `method` is one of `dse.search.searchers.METHODS`, or makes a searcher.
    """
    make = method if callable(method) else _by_name(method)
    require(f"{method} on {problem.name}", _complaints(make, problem, budget, seed, learns=learns))


def _by_name(method: str) -> Make:
    """How a method's searchers are made."""
    return lambda problem, seed: make_searcher(method, problem, seed)


@dataclass(slots=True)
class Watched:
    """A problem that remembers every design it was asked for, legal or not."""

    inner: Problem
    asked: list[Ints] = field(default_factory=list)
    illegal: int = 0

    def __getattr__(self, name: str) -> Any:
        """What the problem has, its assemblies included."""
        return getattr(self.inner, name)

    def evaluate(self, designs: Ints) -> Columns:
        """Metrics of designs."""
        self.illegal += int((~self.inner.space.legal(designs)).sum())
        self.asked.append(np.array(designs))
        return self.inner.evaluate(designs)

    @property
    def numbers(self) -> list[int]:
        """Numbers of all designs asked for, in order."""
        return [number for some in self.asked for number in code(self.inner.space.axes, some)]


def _complaints(make: Make, problem: Problem, budget: int, seed: int, *, learns: bool) -> Iterator[str]:
    """Everything that is wrong with a searcher."""
    watched = Watched(problem)
    history = search(watched, make(watched, seed), budget, seed=seed)
    yield from _accounts(watched, history, budget)
    again = search(problem, make(problem, seed), budget, seed=seed)
    if not np.array_equal(again.designs, history.designs):
        yield "the same seed gives the same designs"
    yield from _resumed(make, problem, history, seed)
    yield from _stopped(make, problem, budget, seed)
    if problem.space.size <= budget:
        yield from _whole_space(problem, history)
    if learns:
        yield from _beside_chance(make, problem, budget)


def _accounts(watched: Watched, history: History, budget: int) -> Iterator[str]:
    """Budget, legality, repeats, and figures."""
    numbers = watched.numbers
    if watched.illegal:
        yield f"only legal designs are evaluated: {watched.illegal} were not"
    if len(set(numbers)) < len(numbers):
        yield f"no design is evaluated twice: {len(numbers) - len(set(numbers))} were"
    if len(numbers) > budget:
        yield f"a budget is kept: {len(numbers)} designs of {budget}"
    if len(numbers) < min(budget, _designs(watched.inner)):
        yield f"a budget is used up while there are designs: {len(numbers)} of {budget}"
    if code(watched.inner.space.axes, history.designs) != numbers:
        yield "the history holds the designs in the order of evaluation"
        return
    evaluations = evaluate(watched.inner, history.designs)
    if not same(evaluations.costs, history.evaluations.costs):
        yield "the history holds what the problem says of its designs"
    best = history.best
    losses = evaluations.losses[:, 0]
    if (best is None) != (not np.isfinite(losses).any()) or (best is not None and losses[best] > losses.min()):
        yield "the best design is feasible and has the least cost of all feasible ones"


def _designs(problem: Problem) -> int:
    """Legal designs; of a large space the number it says it has."""
    return sum(map(len, problem.space.blocks())) if problem.space.size <= 1 << 14 else problem.space.size


def _resumed(make: Make, problem: Problem, history: History, seed: int) -> Iterator[str]:
    """Going on from what is known."""
    half = max(1, len(history) // 2)
    known = History(history.designs[:half], history.evaluations.take(slice(0, half)))
    watched = Watched(problem)
    going_on = search(watched, make(watched, seed + 1), len(history), known=known, seed=seed + 1)
    if set(watched.numbers) & set(code(problem.space.axes, known.designs)):
        yield "what is known is not evaluated again"
    if not np.array_equal(going_on.designs[:half], known.designs):
        yield "a search that goes on keeps what is known, in its order"
    if len(going_on) < len(history):
        yield f"a search that goes on uses its budget: {len(going_on)} designs of {len(history)}"


def _stopped(make: Make, problem: Problem, budget: int, seed: int) -> Iterator[str]:
    """Stopping when asked."""
    done = 0

    def evaluated(designs: Ints, _: object) -> None:
        nonlocal done
        done += len(designs)

    enough = max(1, budget // 4)
    history = search(problem, make(problem, seed), budget, seed=seed, stop=lambda: done >= enough, evaluated=evaluated)
    if len(history) != done:
        yield f"a search that is stopped keeps what it has: {len(history)} designs of {done}"


def _whole_space(problem: Problem, history: History) -> Iterator[str]:
    """A space no larger than the budget."""
    everything = np.concatenate(list(problem.space.blocks()))
    least = evaluate(problem, everything).losses[:, 0].min()
    if history.evaluations.losses[:, 0].min() != least:
        yield "a space within the budget is searched whole, and its optimum found"


def _beside_chance(make: Make, problem: Problem, budget: int) -> Iterator[str]:
    """The median over seeds of the least cost, or of a scaled sum of several objectives, beside random designs."""
    chance = [search(problem, make_searcher(CHANCE, problem, seed), budget, seed=seed) for seed in range(RUNS)]
    found = [search(problem, make(problem, seed), budget, seed=seed) for seed in range(RUNS)]
    if len(problem.objectives) == 1:
        reached, by_chance = (np.median([_least(run) for run in runs]) for runs in (found, chance))
        if reached > by_chance:
            medians = f"{reached:.6g}, of random designs {by_chance:.6g}"
            yield f"learning is no worse than chance: the median cost is {medians}"
        return
    reached, by_chance = (np.median([_dominated(run, chance) for run in runs]) for runs in (found, chance))
    if reached < by_chance:
        yield f"learning is no worse than chance: dominates {reached:.3g} of its designs, chance {by_chance:.3g}"


def _least(history: History) -> float:
    """Least cost of a feasible design."""
    return float(history.evaluations.losses[:, 0].min(initial=np.inf))


def _dominated(history: History, others: list[History]) -> float:
    """Share of the feasible designs of several runs that some design of a run is no worse than in every objective."""
    losses = np.concatenate([other.evaluations.losses for other in others])
    known = losses[np.isfinite(losses).all(axis=1)]
    if not len(known):
        return float(np.isfinite(history.evaluations.losses).all(axis=1).any())
    return float((history.evaluations.losses[None] <= known[:, None]).all(axis=2).any(axis=1).mean())
