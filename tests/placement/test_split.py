"""The split plan against brute force over the states of pages, a mixed-integer program, and its own certificate."""

from fractions import Fraction
from math import lcm

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from tiny_steps import least_traffic, make_step, random_step

from dse.errors import InfeasibleError
from dse.objectives.network.step import Step
from dse.objectives.placement.gaps import Gaps, find_gaps
from dse.objectives.placement.pieces import PiecedStep, cut_step, peak_pages
from dse.objectives.placement.plans import Prices, move_all
from dse.objectives.placement.policies import POLICIES, place
from dse.objectives.placement.replay import BrokenPlanError, replay
from dse.objectives.placement.split import lower_bound, running_program, split_plan


def pages_program(gaps: Gaps, capacity: int) -> int:
    """Least pages that cross where every gap keeps a whole number of pages."""
    free = np.flatnonzero(~gaps.adjacent)
    if not len(free):
        return 0
    program = running_program(gaps, free, gaps.dirty, gaps.room(capacity), Prices())
    whole = np.arange(len(program.costs)) < len(free)
    result = milp(program.costs, integrality=whole, bounds=Bounds(0, program.upper), constraints=[
        LinearConstraint(program.at_most, ub=program.most), LinearConstraint(program.balance, 0, 0),
    ])
    return round(result.fun + gaps.pages[free].sum())


def enlarged(step: Step, factor: int) -> Step:
    """The same step with every tensor so many times as large."""
    sizes = [tensor.size * factor for tensor in step.tensors]
    operations = [([access.tensor for access in one.reads], [access.tensor for access in one.writes])
                  for one in step.operations]
    return make_step(sizes, [tensor.persistent for tensor in step.tensors], operations)


def random_pieces(seed: int) -> tuple[PiecedStep, int]:
    """A random small step in pieces, and a capacity at which something has to give."""
    random = np.random.default_rng(seed)
    step = random_step(random)
    pieced = cut_step(step, int(random.integers(2, 5)), page_bytes=1)
    least = int(find_gaps(pieced).operands.max())
    return pieced, int(random.integers(least, max(least + 1, peak_pages(step, 1))))


def check_against_brute_force(seed: int) -> bool:
    """Brute force equals the program in whole pages, and is no less than the linear one; whether those differ."""
    pieced, capacity = random_pieces(seed)
    gaps = find_gaps(pieced)
    exact = least_traffic(pieced, capacity)
    plan, certificate = split_plan(gaps, capacity)
    assert pages_program(gaps, capacity) == exact
    assert certificate.cost <= exact + 1e-9
    denominator = lcm(*(Fraction(float(kept)).limit_denominator(60).denominator for kept in plan.kept))
    if denominator > 1:
        larger = find_gaps(cut_step(enlarged(pieced.step, denominator), 10**6, page_bytes=1))
        if len(larger.operands) == len(gaps.operands):
            assert pages_program(larger, capacity * denominator) == pytest.approx(certificate.cost * denominator)
    return bool(exact > certificate.cost + 1e-9)


def test_brute_force():
    for seed in range(60):
        check_against_brute_force(seed)


@pytest.mark.slow
def test_brute_force_many():
    assert any([check_against_brute_force(seed) for seed in range(60, 1500)])


def test_splitting_a_page_can_pay():
    """Three tensors of one page in a circle of overlaps: half of each is better than any of them whole."""
    step = make_step([1, 1, 1, 1], [False] * 4, [
        ([], [0]), ([], [1]), ([], [3]), ([0], [2]), ([], [3]), ([1], []), ([], [3]), ([2], []),
    ])
    gaps = find_gaps(cut_step(step, 8, page_bytes=1))
    _, certificate = split_plan(gaps, 2)
    assert certificate.cost <= least_traffic(gaps.pieced, 2)


def test_certificate_needs_no_solver():
    """Any prices of room give a lower bound; the solver's give the cost."""
    for seed in range(100, 140):
        pieced, capacity = random_pieces(seed)
        gaps = find_gaps(pieced)
        _, certificate = split_plan(gaps, capacity)
        assert abs(certificate.gap) < 1e-6
        random = np.random.default_rng(seed)
        for _ in range(5):
            duals = random.random(gaps.pieces) * random.integers(0, 3, gaps.pieces)
            assert lower_bound(gaps, capacity, duals) <= certificate.cost + 1e-9


@pytest.mark.parametrize("policy", ["split-lp", "whole-milp", "whole-greedy", "move-all", "vdnn"])
def test_replay_moves_what_the_plan_says(policy):
    for seed in range(30):
        pieced, capacity = random_pieces(seed)
        gaps = find_gaps(pieced)
        exact = place(policy, gaps, capacity).plan
        plan = exact.in_pages()
        done = replay(plan, capacity).traffic
        assert done.read.tolist() == plan.traffic.read.tolist()
        assert done.written.tolist() == plan.traffic.written.tolist()
        assert plan.traffic.pages - exact.traffic.pages <= 2 * len(gaps.pages)


def test_replay_refuses_a_plan_that_does_not_fit():
    pieced, _ = random_pieces(3)
    gaps = find_gaps(pieced)
    kept = type(move_all(gaps))(gaps=gaps, kept=gaps.pages.astype(float))
    needed = int((gaps.occupied(gaps.pages) + gaps.operands).max())
    with pytest.raises(BrokenPlanError):
        replay(kept, needed - 1)
    assert replay(kept, needed).traffic.pages == 0


def test_free_writes_are_beladys_rule():
    """Without a price for writing, the linear program reads what the farthest-next-use rule reads."""
    for seed in range(200, 260):
        pieced, capacity = random_pieces(seed)
        gaps = find_gaps(pieced)
        _, certificate = split_plan(gaps, capacity, Prices(read=1.0, write=0.0))
        assert place("min", gaps, capacity).traffic.read.sum() == pytest.approx(certificate.cost)


def test_order_of_policies_on_random_steps():
    for seed in range(300, 330):
        pieced, capacity = random_pieces(seed)
        gaps = find_gaps(pieced)
        moved = {policy: place(policy, gaps, capacity).traffic.pages for policy in POLICIES}
        assert moved["split-lp"] <= min(moved.values()) + 1e-9
        assert moved["whole-milp"] <= moved["whole-greedy"] <= moved["move-all"]


def test_a_piece_that_does_not_fit_is_named():
    gaps = find_gaps(cut_step(make_step([3, 2], [False, False], [([], [0]), ([0], [1])]), 9, page_bytes=1))
    with pytest.raises(InfeasibleError, match="'operation 1' alone needs 5"):
        split_plan(gaps, 4)
