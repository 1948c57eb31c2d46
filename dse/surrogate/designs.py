"""Tables of designs to learn from: what is chosen, what is known without a model, and metrics."""

from typing import TYPE_CHECKING, cast

import numpy as np

from dse.batch import Ints
from dse.errors import InputError
from dse.problem import Featured, Problem
from dse.search.columns import level_columns

if TYPE_CHECKING:
    import pandas as pd


def sampled_designs(problem: Problem, count: int, seed: int = 0) -> "pd.DataFrame":
    """One row for each of `count` legal designs drawn uniformly: `describe_designs`, and all metrics [SI]."""
    import pandas as pd

    if count < 1:
        raise InputError(f"count {count}: give the number of designs to draw, from 1")
    designs = problem.space.sample(count, np.random.default_rng(seed))
    return pd.concat([describe_designs(problem, designs), pd.DataFrame(dict(problem.evaluate(designs)))], axis=1)


def describe_designs(problem: Problem, designs: Ints) -> "pd.DataFrame":
    """One row per legal design (n, axes), known without its evaluation: what is chosen on each axis, and features."""
    import pandas as pd

    columns = level_columns(problem.space.axes, np.asarray(designs))
    if hasattr(problem, "features"):
        columns |= cast(Featured, problem).features(designs)
    return pd.DataFrame(columns)


def feature_names(problem: Problem, table: "pd.DataFrame") -> list[str]:
    """Columns of a table that describe designs of a problem, in their order: never a metric.

    Raises InputError where the first row is no design of the problem.
    """
    axes = [axis.name for axis in problem.space.axes]
    if not hasattr(problem, "features"):
        return [name for name in table.columns if name in axes]
    featured = cast(Featured, problem)
    design = problem.find({str(name): value for name, value in table.iloc[0].items()})
    known = {name for name in axes if name not in featured.described} | set(featured.features(design[None]))
    return [name for name in table.columns if name in known]
