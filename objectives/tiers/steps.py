"""Steps, gaps and plans of a problem, each made once."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from dse.batch import Floats
from dse.errors import InfeasibleError
from dse.objectives.network.catalog import load_network
from dse.objectives.network.precision import Storage
from dse.objectives.network.recompute import CHEAP, NONE, dropped
from dse.objectives.network.step import Step
from dse.objectives.network.training import training_step
from dse.objectives.placement.fusion import with_fused_gradients
from dse.objectives.placement.gaps import Gaps, find_gaps, sums
from dse.objectives.placement.horizontal import horizontal_plan
from dse.objectives.placement.ladder import ladder_plan
from dse.objectives.placement.pieces import cut_step, peak_pages
from dse.objectives.placement.plans import Prices, Traffic
from dse.objectives.placement.policies import place
from dse.objectives.placement.recompute import choose_recomputed
from dse.objectives.placement.split import split_plan
from dse.objectives.placement.whole import Limits
from dse.spaces.tiers.space import HORIZONTAL, NO_MIDDLE, PLANNED

STORAGE = {dropout: Storage(dropout=dropout, statistics=False) for dropout in (False, True)}
"""Normalizations read x and dy back and compute statistics anew."""

WHOLE = Limits(seconds=10.0)
"""How long whole-tensor plans are searched for."""


@dataclass(frozen=True, slots=True)
class StepChoice:
    """What decides a step and its pieces."""

    batch: int
    precision: str
    recompute: str
    page: int


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """What decides what moves. Prices are of a page, of the middle tier (if any) and of the last."""

    step: StepChoice
    fraction: float
    policy: str
    arrangement: str
    middle: str
    middle_fraction: float
    prices: tuple[Prices, ...]


@dataclass(frozen=True)
class Placed:
    """A step with its tensors placed.

    `traffic`: by tier below the first. `in_place_read`, `in_place_written` (pieces,) [pages] of the last tier.
    `occupied` (pieces,) [pages] of tier 1, None where nothing is known ahead, so that nothing can be hidden.
    """

    gaps: Gaps
    capacity: int
    peak: int
    traffic: tuple[Traffic, ...]
    in_place_read: Floats
    in_place_written: Floats
    occupied: Floats | None

    @property
    def page(self) -> int:
        """Bytes of a page."""
        return self.gaps.pieced.page_bytes

    @cached_property
    def macs(self) -> Floats:
        """Multiply-accumulates (pieces,): an operation's, in equal parts."""
        pieced = self.gaps.pieced
        whole = np.array([operation.macs for operation in pieced.step.operations], dtype=float)
        parts: Floats = (whole / np.maximum(np.bincount(pieced.operation, minlength=len(whole)), 1))[pieced.operation]
        return parts

    @cached_property
    def operand_bytes(self) -> tuple[Floats, Floats]:
        """Bytes (pieces,) that operations read and write in tier 1."""
        rows = self.gaps.accesses
        size = rows.block_pages[rows.block] * float(self.page)
        read, written = (sums(rows.piece, size * kind, self.gaps.pieces) for kind in (rows.reads, rows.writes))
        return read - self.in_place_read * self.page, np.maximum(written - self.in_place_written * self.page, 0.0)


@dataclass
class TierSteps:
    """Everything that designs of one problem share."""

    network: str
    optimizer: str
    dropout: bool
    least_fraction: float
    _steps: dict[tuple[int, str, frozenset[str] | str], Step] = field(default_factory=dict)
    _gaps: dict[StepChoice, Gaps] = field(default_factory=dict)
    _placed: dict[PlanChoice, Placed | None] = field(default_factory=dict)

    def step(self, batch: int, precision: str, recompute: frozenset[str] | str = NONE) -> Step:
        """A training step."""
        key = (batch, precision, recompute)
        if key not in self._steps:
            made = training_step(load_network(self.network), batch, precision=precision, optimizer=self.optimizer,
                                 recompute=recompute, storage=STORAGE[self.dropout])
            self._steps[key] = with_fused_gradients(made)
        return self._steps[key]

    def peak(self, choice: StepChoice) -> int:
        """Most pages that are live when nothing is recomputed."""
        return peak_pages(self.step(choice.batch, choice.precision), choice.page)

    def placed(self, choice: PlanChoice) -> Placed | None:
        """A step with its tensors placed; None where tier 1 cannot hold a piece."""
        if choice not in self._placed:
            try:
                self._placed[choice] = self._place(choice)
            except InfeasibleError:
                self._placed[choice] = None
        return self._placed[choice]

    def _place(self, choice: PlanChoice) -> Placed:
        """Place a step's tensors."""
        peak = self.peak(choice.step)
        capacity = int(choice.fraction * peak)
        gaps = self._gaps_of(choice.step, capacity, choice.prices[-1])
        nothing = np.zeros(gaps.pieces)
        if choice.arrangement == HORIZONTAL:
            side = horizontal_plan(gaps, capacity, choice.prices[-1])
            read, written = side.used_in_place()
            return Placed(gaps, capacity, peak, (side.traffic,), read, written, side.occupied)
        if choice.middle != NO_MIDDLE:
            ladder = ladder_plan(gaps, (capacity, int(choice.middle_fraction * peak)), choice.prices)
            return Placed(gaps, capacity, peak, tuple(ladder.traffic), nothing, nothing, ladder.occupied[0])
        found = place(choice.policy, gaps, capacity, choice.prices[-1], WHOLE)
        occupied = None if found.plan is None else gaps.occupied(found.plan.kept) + gaps.operands
        return Placed(gaps, capacity, peak, (found.traffic,), nothing, nothing, occupied)

    def _gaps_of(self, choice: StepChoice, capacity: int, prices: Prices) -> Gaps:
        """Gaps of a step; where recomputing is planned it depends on what there is room for."""
        if choice.recompute == PLANNED:
            return self._cut(choice, self._planned(choice, capacity, prices))
        if choice not in self._gaps:
            self._gaps[choice] = self._cut(choice, choice.recompute)
        return self._gaps[choice]

    def _cut(self, choice: StepChoice, recompute: frozenset[str] | str) -> Gaps:
        """Gaps of a step in pieces of half the smallest tier 1, the same at all capacities."""
        largest = max(1, int(self.least_fraction * self.peak(choice) / 2))
        return find_gaps(cut_step(self.step(choice.batch, choice.precision, recompute), largest, choice.page))

    def _planned(self, choice: StepChoice, capacity: int, prices: Prices) -> frozenset[str]:
        """The layers to recompute."""
        layers = sorted(dropped(load_network(self.network).layers, CHEAP))

        def cost(chosen: frozenset[str]) -> float:
            return split_plan(self._cut(choice, chosen), capacity, prices)[1].cost

        return choose_recomputed(layers, cost)[0]
