"""Results and designs as rows: what scripts read, in JSON, CSV and Parquet, of problems of any family."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dse.batch import Ints
from dse.joined_table import JoinedTable
from dse.presentation import Presentation
from dse.problem import Problem, SharedRecords, Tabled
from dse.search.columns import evaluation_columns, level_columns
from dse.search.driver import History
from dse.search.evaluation import evaluate
from dse.search.result import Result
from dse.spaces.space import values
from dse.writing import write_csv, write_joined_csv

if TYPE_CHECKING:
    import pandas as pd

NESTED_PLAIN = ("metrics", "design")
"""Nested fields whose own fields keep their names in a table."""


def result_record(result: Result, presentation: Presentation, baselines: Iterable[str] = ()) -> dict[str, Any]:
    """One result as specified for scripts (docs/files.md).

    The values of `baselines` are under that name, and each with its notes under its own; None where one finds nothing.
    """
    problem = result.problem
    objective = problem.objectives[0]
    found = {name: objective.value(known.cost) for name, known in result.baselines.items()}
    notes = {name: {"value": found[name], **known.note} for name, known in result.baselines.items()}
    return {
        "problem": problem.name,
        **presentation.record(problem, result.design),
        "objective": objective.name,
        "formula": objective.formula.text,
        "value": result.value,
        "unit": objective.unit,
        "method": result.method,
        "certificate": result.certificate,
        "evaluations": result.evaluations,
        **counts_of(result),
        "seconds": result.seconds,
        "design": values(problem.space.axes, result.design),
        "metrics": {name: _finite(result.metrics[name]) for name in presentation.metrics(problem)},
        "baselines": {name: found.get(name) for name in baselines},
        **{name: notes.get(name) for name in baselines},
        "gain": best_gain(result),
        "regret": result.regret,
    }


def _finite(value: float) -> float | None:
    """A number as JSON has it; None where it is none or infinite."""
    return value if np.isfinite(value) else None


def best_gain(result: Result) -> float | None:
    """Cost of the best baseline over the cost found; None where there is no such ratio."""
    gains = [gain for name in result.baselines if (gain := result.gain(name)) is not None]
    return min(gains, default=None)


def counts_of(result: Result) -> dict[str, int | None]:
    """What a searcher asked for; None for methods that do not ask."""
    names = "asked", "repeated", "filled"
    return {name: None if result.counts is None else getattr(result.counts, name) for name in names}


def merit(label: str, result: Result) -> dict[str, Any]:
    """Figures of merit of a result, for the folder of a run."""
    return {
        "problem": label, "method": result.method, "objective": result.problem.objectives[0].name,
        "value": result.value, "regret": result.regret, "gain": best_gain(result), "certificate": result.certificate,
        "evaluations": result.evaluations, **counts_of(result), "seconds": result.seconds,
    }


def json_text(records: Sequence[Mapping[str, Any]]) -> str:
    """Records as JSON."""
    return json.dumps(records, indent=2, allow_nan=False) + "\n"


def record_table(records: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    """Records as a table, one row each; nested fields joined with an underscore, levels and metrics as they are."""
    import pandas as pd

    return pd.DataFrame([flat_record(record) for record in records])


def flat_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Nested fields as ``data_area``, ``algorithm1_value``; levels and metrics under their own names."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            prefix = "" if key in NESTED_PLAIN else f"{key}_"
            flat |= {f"{prefix}{name}": item for name, item in value.items() if f"{prefix}{name}" not in flat}
        else:
            flat[key] = value
    return flat


def design_table(problem: Problem, label: str, history: History) -> "pd.DataFrame":
    """Every design by the levels of its axes, with metrics, objectives and violations, in order of evaluation."""
    import pandas as pd

    columns: dict[str, Any] = {"problem": label}
    columns |= level_columns(problem.space.axes, history.designs)
    columns |= evaluation_columns(problem, history.evaluations)
    return pd.DataFrame(columns, index=range(len(history)))


def front_table(problem: Problem, label: str, designs: Ints, presentation: Presentation) -> "pd.DataFrame":
    """Designs (n, axes) in full: all that the problem describes, metrics, and objectives that are no columns yet."""
    import pandas as pd

    return joined_front(problem, label, designs, presentation).frame() if len(designs) else pd.DataFrame()


def joined_front(problem: Problem, label: str, designs: Ints, presentation: Presentation) -> JoinedTable:
    """Designs (n, axes), at least one, as in `front_table`; what is described of several alike is kept once."""
    import pandas as pd

    named = SharedRecords({"problem": np.array([label], object)}, np.zeros(len(designs), np.int64))
    tabled = hasattr(problem, "describe_all")
    shared = [named, *cast(Tabled, problem).describe_all(designs)] if tabled else [named]
    evaluations = evaluate(problem, designs)
    own: dict[str, Any] = {} if tabled else _described(problem, designs)
    own |= {name: evaluations.metrics[name] for name in presentation.metrics(problem)}
    described = {name for records in shared for name in records.columns}
    for objective, costs in zip(problem.objectives, evaluations.costs.T, strict=True):
        if objective.name not in described:
            own.setdefault(objective.name, -costs if objective.maximize else costs)
    return JoinedTable(
        shared=tuple((pd.DataFrame(dict(records.columns)).infer_objects(), records.place) for records in shared),
        own=pd.DataFrame(own).infer_objects(),
    )


def _described(problem: Problem, designs: Ints) -> dict[str, Any]:
    """All that a problem describes of designs (n, axes), by column."""
    rows = [problem.describe(design) for design in designs]
    return {name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)}


def column_units(problem: Problem, presentation: Presentation) -> dict[str, str]:
    """SI units of the columns of tables of designs and results, of those that have one."""
    found = {
        "seconds": "s",
        **presentation.units(problem),
        **{axis.name: axis.unit for axis in problem.space.axes},
        **{name: metric.unit for name, metric in problem.metrics.items()},
        **{objective.name: objective.unit for objective in problem.objectives},
    }
    return {name: unit for name, unit in found.items() if unit}


def write_fronts(tables: Sequence[JoinedTable], output: Path) -> None:
    """Write fronts one below the other as CSV."""
    import pandas as pd

    if any(table.columns != tables[0].columns for table in tables):
        write_csv(pd.concat([table.frame() for table in tables], ignore_index=True), output)
    else:
        write_joined_csv(tables, output)
