"""Caches that are nearly as good as ours: whether one of them has the figures that DeepNVM++ prints.

A search for the least EDAP has one answer, however little better it is than the next. Where a cache of almost the same
EDAP has the published figures, the difference says which of near ties was built, not what its circuits cost.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Floats
from dse.parallel import in_parallel
from dse.progress import report
from dse.search.kept import Form, kept
from dse.search.near import near_optimal
from dse.studies.calibrated import MEGABYTE, NAMES
from dse.studies.deepnvmpp.outcome import TABLE_II_KEYS
from dse.studies.deepnvmpp.published import table_ii
from dse.studies.optima import Key, Wanted, question
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

WITHIN = 0.05
"""How far above the least EDAP caches are compared, as a share of it."""
MOST = 1_000_000
SHARES = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, WITHIN)
"""Shares at which the figure draws a point."""
NOTES = (
    "Technology, cells and search are those of the paper's setting; nothing is fitted anew.",
    "A cache in these ranges is no reproduction: it was chosen by the published figures. That it is there says that"
    " they are not beyond the model.",
)


@dataclass(frozen=True, slots=True)
class NearTies:
    """How well caches near the optimum have the six published figures, by the worst of their relative errors.

    `count` caches within `WITHIN` of the least EDAP; `best`: errors of the optimum; `nearest`: of the cache whose
    worst error is least, whose EDAP is `excess` above; `reached`: the least worst error within each of `SHARES`.
    """

    count: int
    best: Mapping[str, float]
    nearest: Mapping[str, float]
    excess: float
    reached: tuple[float, ...]


TIES: Form[NearTies] = Form(asdict, lambda data: NearTies(**{**data, "reached": tuple(data["reached"])}))


def near_ties(key: Key) -> NearTies:
    """The near ties of a cache of Table II."""
    problem = question(Wanted(*key))
    return kept(f"near ties of {problem!r}", ("near ties", problem, WITHIN), TIES, lambda: _compared(key))


def _compared(key: Key) -> NearTies:
    """All caches within a share of the optimum against the published figures."""
    published = {one.quantity: one.value for one in table_ii() if (one.memory, one.capacity // MEGABYTE) == key}
    table = near_optimal(question(Wanted(*key)), WITHIN, MOST).table
    errors = {name: table[name].to_numpy() / value - 1 for name, value in published.items()}
    worst: Floats = np.max(np.abs(list(errors.values())), axis=0)
    excess = table["excess"].to_numpy()
    nearest = int(np.argmin(worst))
    return NearTies(
        count=len(table), best={name: float(one[0]) for name, one in errors.items()},
        nearest={name: float(one[nearest]) for name, one in errors.items()}, excess=float(excess[nearest]),
        reached=tuple(float(worst[excess <= share].min()) for share in SHARES),
    )


def run(jobs: int) -> Findings:
    """Compare the five caches of Table II."""
    import pandas as pd

    found = dict(zip(TABLE_II_KEYS, report(
        in_parallel(near_ties, TABLE_II_KEYS, jobs), len(TABLE_II_KEYS), "near-optimal sets"
    ), strict=True))
    table = pd.DataFrame([row(key, one) for key, one in found.items()])
    return Findings(answer(found), table, draw(found), NOTES, page_table(found))


def row(key: Key, ties: NearTies) -> dict[str, Any]:
    """A cache and its near ties."""
    return {
        "memory": key[0], "capacity_MB": key[1], "caches": ties.count, "worst_error": _worst(ties.best),
        "nearest_excess": ties.excess, "nearest_worst_error": _worst(ties.nearest),
        **{f"error_{name}": value for name, value in ties.best.items()},
        **{f"nearest_error_{name}": value for name, value in ties.nearest.items()},
    }


def _worst(errors: Mapping[str, float]) -> float:
    """The largest magnitude."""
    return max(abs(value) for value in errors.values())


def answer(found: Mapping[Key, NearTies]) -> str:
    """What the optimum lacks, and what a near tie has."""
    parts = [
        f"{NAMES[memory]} {megabytes} MB: {_worst(one.best):.1%} at the least EDAP, {_worst(one.nearest):.1%} at"
        f" {one.excess:.1%} above it"
        for (memory, megabytes), one in found.items()
    ]
    return f"Worst of six errors: {'; '.join(parts)}."


def page_table(found: Mapping[Key, NearTies]) -> "pd.DataFrame":
    """Errors of the optimum and of the nearest cache."""
    import pandas as pd

    return pd.DataFrame([
        {
            "cache": f"{NAMES[memory]} {megabytes} MB", "which": which, "EDAP over the least": f"{excess:+.1%}",
            **{name.replace("_", " "): f"{value:+.1%}" for name, value in errors.items()},
        }
        for (memory, megabytes), one in found.items()
        for which, excess, errors in (("least EDAP", 0.0, one.best), ("nearest", one.excess, one.nearest))
    ])


def draw(found: Mapping[Key, NearTies]) -> "Figure":
    """The least worst error over how far above the least EDAP caches may lie."""
    from matplotlib.figure import Figure

    from dse.report.plot import COLORS, LINES, MARKERS

    figure = Figure(figsize=(4.8, 3.2), layout="constrained")
    axis: Any = figure.subplots()
    for place, ((memory, megabytes), one) in enumerate(found.items()):
        axis.plot(
            [100 * share for share in SHARES], [100 * value for value in one.reached], ms=4,
            color=COLORS[place % len(COLORS)], marker=MARKERS[place % len(MARKERS)], ls=LINES[place % len(LINES)],
            label=f"{NAMES[memory]} {megabytes} MB",
        )
    axis.set_xscale("log")
    axis.set_xticks([0.1, 0.5, 1, 2, 5], ["0.1", "0.5", "1", "2", "5"])
    axis.minorticks_off()
    axis.set_ylim(0)
    axis.set_xlabel("EDAP above the least, at most [%]", fontsize=8)
    axis.set_ylabel("worst error of six figures, least [%]", fontsize=8)
    axis.tick_params(labelsize=7)
    axis.grid(lw=0.3, color="0.88")
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=7)
    return figure


STUDY = Study(
    "near-ties", "Are there caches of almost the least EDAP that have the figures of DeepNVM++'s Table II?", run
)
