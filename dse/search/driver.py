"""Runs a searcher on a problem: a budget of unique legal designs, each evaluated once."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from dse.batch import Bools, Ints
from dse.notice import detail
from dse.problem import Problem
from dse.search.desk import Desk, OwnDesk
from dse.search.evaluation import Evaluations, join_evaluations
from dse.search.pareto import non_dominated
from dse.search.searchers.protocol import Searcher
from dse.spaces.space import code

PATIENCE = 50
"""Asks in a row without a new design after which random designs are tried in their place."""


@dataclass(slots=True)
class Counts:
    """What it took: designs asked for, of them repeated; and random designs where a searcher only repeated itself."""

    asked: int = 0
    repeated: int = 0
    filled: int = 0


@dataclass(slots=True)
class History:
    """Unique designs (n, axes) in the order of evaluation, what they cost, and what it took."""

    designs: Ints
    evaluations: Evaluations
    counts: Counts = field(default_factory=Counts)

    def __len__(self) -> int:
        """Number of designs."""
        return len(self.designs)

    @property
    def best(self) -> int | None:
        """Row of the first design of least cost by the first objective; None where none is feasible."""
        losses = self.evaluations.losses[:, 0]
        return int(losses.argmin()) if len(losses) and np.isfinite(losses.min()) else None

    @property
    def front(self) -> Bools:
        """Which feasible designs no other dominates; of equal ones the first."""
        losses = self.evaluations.losses
        kept = np.zeros(len(losses), np.bool_)
        feasible = np.flatnonzero(np.isfinite(losses).all(axis=1))
        kept[feasible[non_dominated(losses[feasible])]] = True
        return kept


class _Ledger:
    """Everything evaluated so far, by number of the design."""

    def __init__(self, problem: Problem, known: History | None) -> None:
        self._problem = problem
        self._row: dict[int, int] = {}
        self._designs: list[Ints] = []
        self._parts: list[Evaluations] = []
        if known is not None and len(known):
            self._add(known.designs, known.evaluations, code(problem.space.axes, known.designs))

    def __len__(self) -> int:
        return len(self._row)

    def _add(self, designs: Ints, evaluations: Evaluations, numbers: list[int]) -> None:
        """Remember designs."""
        self._row |= {number: len(self._row) + place for place, number in enumerate(numbers)}
        self._designs.append(designs)
        self._parts.append(evaluations)

    def new(self, designs: Ints) -> Ints:
        """Rows of the designs that are not known, each distinct one once."""
        first: dict[int, int] = {}
        for row, number in enumerate(code(self._problem.space.axes, designs)):
            if number not in self._row:
                first.setdefault(number, row)
        return np.array(list(first.values()), dtype=np.int64)

    def take(self, designs: Ints, evaluations: Evaluations) -> None:
        """Remember distinct designs that are new."""
        self._add(designs, evaluations, code(self._problem.space.axes, designs))

    def unknown(self) -> Iterator[Ints]:
        """Designs that are not known, in the order of the space, a few at a time."""
        for block in self._problem.space.blocks():
            for start in range(0, len(block), PATIENCE):
                some = block[start : start + PATIENCE]
                rows = self.new(some)
                if len(rows):
                    yield some[rows]

    def recall(self, designs: Ints) -> Evaluations:
        """What known designs cost."""
        everything = self.history().evaluations
        rows = [self._row[number] for number in code(self._problem.space.axes, designs)]
        return everything.take(np.array(rows))

    def history(self) -> History:
        """Everything so far."""
        if not self._designs:
            problem = self._problem
            empty = Evaluations({}, np.zeros((0, len(problem.objectives))), np.zeros((0, len(problem.constraints))))
            return History(np.zeros((0, len(problem.space.axes)), np.int64), empty)
        self._designs = [np.concatenate(self._designs)]
        self._parts = [join_evaluations(self._parts)]
        return History(self._designs[0], self._parts[0])


def search(
    problem: Problem, searcher: Searcher, budget: int, *, known: History | None = None, seed: int = 0,
    stop: Callable[[], bool] = lambda: False, evaluated: Callable[[Ints, Evaluations], None] = lambda *_: None,
    desk: Desk | None = None,
) -> History:
    """Evaluate up to `budget` unique designs, `known` ones included, as a searcher asks for them.

    Repeats are answered from memory. After many asks with nothing new, random designs are evaluated instead, or
    where these are all known the first that are not; the search ends early where a searcher is done, where `stop`
    says so, or where every design is known. `evaluated` is told of each batch of new designs. At a `desk` that is
    shared, designs that other workers evaluated count as well.
    """
    desk = OwnDesk(problem) if desk is None else desk
    ledger = _Ledger(problem, known)
    counts = Counts()
    if known is not None and len(known):
        searcher.tell(known.designs, known.evaluations)
    random = np.random.default_rng([seed, len(ledger)])
    rest = ledger.unknown()
    idle = 0
    start = time.perf_counter()
    while len(ledger) < budget and not stop():
        asked = searcher.ask(budget - len(ledger))
        if not len(asked):
            break
        new = ledger.new(asked)
        counts.asked += len(asked)
        counts.repeated += len(asked) - len(new)
        idle = 0 if len(new) else idle + 1
        if idle > PATIENCE:
            asked = problem.space.sample(PATIENCE, random)
            new = ledger.new(asked)
            if not len(new):
                asked = next(rest, asked[:0])
                new = ledger.new(asked)
            if not len(new):
                break
            counts.filled += min(len(new), budget - len(ledger))
        others = asked[:0]
        for found, evaluations in _answers(desk, ledger, asked[new[: budget - len(ledger)]], stop):
            ledger.take(found, evaluations)
            evaluated(found, evaluations)
            others = np.concatenate([others, found[~_among(problem, found, asked)]])
        if not len(ledger.new(asked)):
            searcher.tell(asked, ledger.recall(asked))
        if len(others):
            searcher.tell(others, ledger.recall(others))
    history = ledger.history()
    history.counts = counts
    detail(
        f"{problem.name}: {len(history):,} designs, {counts.asked:,} asked for, {counts.repeated:,} repeated, "
        f"{counts.filled:,} filled: {time.perf_counter() - start:.2f} s"
    )
    return history


def _answers(
    desk: Desk, ledger: _Ledger, designs: Ints, stop: Callable[[], bool]
) -> Iterator[tuple[Ints, Evaluations]]:
    """What a desk finds out, until all designs are known or it stops; each answer is remembered before the next."""
    while len(designs) and not stop():
        found, evaluations = desk.answer(designs, stop)
        if not len(found):
            return
        yield found, evaluations
        designs = designs[ledger.new(designs)]


def _among(problem: Problem, designs: Ints, others: Ints) -> Bools:
    """Which designs (n, axes) are among others."""
    axes = problem.space.axes
    known = set(code(axes, others))
    return np.array([number in known for number in code(axes, designs)], np.bool_)
