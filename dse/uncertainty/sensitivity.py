"""Which parameters decide the best value of a problem, of any family: with the design fixed, and chosen anew."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dse.batch import Floats
from dse.errors import InputError
from dse.problem import Parametrized
from dse.uncertainty.one_at_a_time import swings
from dse.uncertainty.response import respond
from dse.uncertainty.shortlist import Effort, make_shortlist
from dse.uncertainty.sobol import sobol_indices, sobol_points
from dse.uncertainty.variation import Distribution, Variation
from dse.uncertainty.variation_file import check_name, read_variation

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 64
"""Draws that a shortlist is made for."""
CONTENDERS = 1000
"""Most designs in a shortlist."""

Ranges = Mapping[str, tuple[float, float]] | Path | str
"""Least and largest value [SI] of each parameter that varies, or a file of distributions."""


def sensitivity(
    problem: Parametrized, ranges: Ranges, *, count: int = 128, seed: int = 0, jobs: int = 1
) -> "pd.DataFrame":
    """One row per parameter, the one that decides most first.

    ``at_low``, ``at_high``: best value at the ends of its range over that at the nominal values; ``first``, ``total``:
    Sobol indices of the best value, with 95 % intervals; the same of the design that is best at the nominal values,
    as ``fixed_...``. `count`: points per parameter, a power of two. Raises InputError where a name is no parameter,
    and where a value is not finite at some point of the ranges, InfeasibleError where no design is feasible.
    """
    import pandas as pd

    varying = _variation(problem, ranges)
    shortlist = make_shortlist(problem, varying.sample(DRAWS, seed), Effort(most=CONTENDERS)).shortlist
    parameters = len(varying.names)
    response = respond(shortlist, varying.at(sobol_points(parameters, count, seed)), jobs)
    indices = sobol_indices(np.stack([response.reoptimized, response.kept]), parameters, seed)
    ends = swings(varying, shortlist, response.nominal, jobs)
    nominal = varying.nominal
    columns: dict[str, Floats] = {}
    for place, (prefix, swing) in enumerate((("", ends.reoptimized), ("fixed_", ends.fixed))):
        columns |= {f"{prefix}at_low": swing[:, 0], f"{prefix}at_high": swing[:, 1]}
        for name, shares, interval in (
            ("first", indices.first, indices.first_interval), ("total", indices.total, indices.total_interval),
        ):
            columns |= {
                f"{prefix}{name}": shares[place], f"{prefix}{name}_from": interval[0, place],
                f"{prefix}{name}_to": interval[1, place],
            }
    known = {
        "parameter": list(varying.names), "low": [one.low for one in varying.distributions], "nominal": nominal,
        "high": [one.high for one in varying.distributions],
    }
    table = pd.DataFrame({**known, **columns})
    return table.sort_values("total", ascending=False, kind="stable", ignore_index=True)


def _variation(problem: Parametrized, ranges: Ranges) -> Variation:
    """How the parameters vary: uniformly in a range each, or as a file says."""
    if isinstance(ranges, Path | str):
        return read_variation(Path(ranges), problem)
    own = dict(problem.parameters())
    if not ranges:
        raise InputError("ranges: give at least one parameter with its least and largest value")
    for name, (low, high) in ranges.items():
        check_name(own, name, "parameter")
        if not (np.isfinite([low, high]).all() and low < high):
            raise InputError(f"ranges of {name}: {low:g} to {high:g} is no range")
    return Variation(own, tuple(Distribution(name, "uniform", low, high) for name, (low, high) in ranges.items()))
