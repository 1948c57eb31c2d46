"""Linear programs with certificates: solved by HiGHS's dual simplex, bounded without trusting it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.batch import Floats


@dataclass(frozen=True, slots=True)
class Solution:
    """Values of all variables, duals of their upper bounds (not positive), the cost, and a lower bound of any cost."""

    values: Floats
    upper_duals: Floats
    cost: float
    bound: float


@dataclass(frozen=True, slots=True)
class Program:
    """min `costs` z with `at_most` z <= `most`, `balance` z = `balanced`, 0 <= z <= `upper`; matrices are sparse."""

    costs: Floats
    at_most: Any
    most: Floats
    balance: Any
    balanced: Floats
    upper: Floats

    def solve(self) -> Solution:
        """The optimum. Raises RuntimeError where the solver gives up: placements always have a solution."""
        from scipy.optimize import linprog

        bounds = np.stack([np.zeros_like(self.upper), self.upper], axis=1)
        result = linprog(
            self.costs, A_ub=self.at_most, b_ub=self.most, A_eq=self.balance, b_eq=self.balanced, bounds=bounds,
            method="highs-ds",
        )
        if result.x is None:
            raise RuntimeError(f"the linear program of a placement was not solved: {result.message}")
        bound = self.lower_bound(result.ineqlin.marginals, result.eqlin.marginals)
        return Solution(values=result.x, upper_duals=result.upper.marginals, cost=float(self.costs @ result.x),
                        bound=bound)

    def lower_bound(self, duals: Floats, balance_duals: Floats) -> float:
        """What the program costs at least, from any duals y <= 0 of `at_most` and any z of `balance`.

        Weak duality: most y + balanced z + Σ_k upper_k min(0, (costs - at_most' y - balance' z)_k).
        """
        duals = np.minimum(duals, 0.0)
        reduced = self.costs - self.at_most.T @ duals - self.balance.T @ balance_duals
        return float(self.most @ duals + self.balanced @ balance_duals + self.upper @ np.minimum(reduced, 0.0))
