"""Exact optima and fronts, kept from one run to the next."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dse.problem import Problem
from dse.search.certificate import Optimum, Told
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
    return kept(
        f"optimum of {_told(problem)}", ("optimum", problem), OPTIMUM,
        lambda: exact_optimum(problem, told=told, jobs=jobs),
    )


def kept_front(problem: Problem, *, jobs: int = 1) -> Front:
    """The exact front of a problem, searched as `dse.search.front.exact_front` does unless it is kept."""
    return kept(f"front of {_told(problem)}", ("front", problem), FRONT, lambda: exact_front(problem, jobs=jobs))
