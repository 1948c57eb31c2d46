"""Exact optima and fronts, kept from one run to the next."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dse.notice import detail, stage
from dse.problem import Problem
from dse.search.certificate import Incumbent, Optimum, Told
from dse.search.exact import exact_optimum
from dse.search.front import Front, exact_front
from dse.search.kept import Form, array_data, array_of, kept


def _written(optimum: Optimum | None) -> Any:
    """An optimum as JSON data."""
    return None if optimum is None else {
        "cost": optimum.cost, "design": optimum.design.tolist(), "evaluations": optimum.evaluations,
        "certificate": optimum.certificate,
    }


def _read(data: Mapping[str, Any] | None) -> Optimum | None:
    """An optimum from JSON data."""
    return None if data is None else Optimum(
        float(data["cost"]), np.array(data["design"], np.int64), int(data["evaluations"]), str(data["certificate"])
    )


OPTIMUM = Form(_written, _read)
FRONT: Form[Front] = Form(
    lambda front: {
        "designs": array_data(front.designs), "costs": array_data(front.costs), "evaluations": front.evaluations,
        "certificate": front.certificate,
    },
    lambda data: Front(
        array_of(data["designs"], np.int64), array_of(data["costs"], float), int(data["evaluations"]),
        str(data["certificate"]),
    ),
)


def _told(problem: Problem) -> str:
    """A problem in a few words."""
    if type(problem).__repr__ is not object.__repr__:
        return repr(problem)
    return f"<{problem.name}: {', '.join(objective.name for objective in problem.objectives)}>"


def kept_optimum(
    problem: Problem, told: Told | None = None, *, jobs: int = 1
) -> Optimum | None:
    """The exact optimum of a problem, searched as `dse.search.exact.exact_optimum` does unless it is kept."""
    what = f"optimum of {_told(problem)}"

    def compute() -> Optimum | None:
        with stage(f"{what}, exact search"):
            return exact_optimum(problem, told=_with_details(what, problem, told), jobs=jobs)

    return kept(what, ("optimum", problem), OPTIMUM, compute)


def _with_details(what: str, problem: Problem, told: Told | None) -> Told:
    """Say each bound as a detail, too."""
    objective = problem.objectives[0]
    side = "no more" if objective.maximize else "no less"

    def tell(known: Incumbent) -> None:
        bound = f"{side} than {objective.value(known.bound):.6g}" if np.isfinite(known.bound) else "no bound yet"
        best = f"{objective.value(known.cost):.6g}" if np.isfinite(known.cost) else "nothing yet"
        detail(f"{what}: found {best}, {bound}")
        if told is not None:
            told(known)

    return tell


def kept_front(problem: Problem, *, jobs: int = 1) -> Front:
    """The exact front of a problem, searched as `dse.search.front.exact_front` does unless it is kept."""
    what = f"front of {_told(problem)}"

    def compute() -> Front:
        with stage(f"{what}, exact search"):
            front = exact_front(problem, jobs=jobs)
        detail(f"{what}: {len(front.designs):,} designs, {front.evaluations:,} evaluated: {front.certificate}")
        return front

    return kept(what, ("front", problem), FRONT, compute)
