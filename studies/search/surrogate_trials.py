"""Surrogates that the study `surrogate` trains, on what, and how far off they are on other designs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dse.objectives.array.given.cell import MEMORY_NAMES, load_cell
from dse.objectives.array.given.technology_names import technology_from_text
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import specs_by_access
from dse.spaces.array.spec import ACCESS_TYPES
from dse.studies.calibrated import TECHNOLOGY, TEMPERATURE
from dse.surrogate import HeldOutSplit, by_design, fit, held_out_errors, leave_one_out, sampled_designs
from dse.surrogate.encoding import encode
from dse.surrogate.errors import accuracy
from dse.surrogate.model import feature_columns
from dse.units import parse_capacity

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("read_latency", "write_latency", "read_energy", "write_energy", "leakage", "area")
ARRAYS, BLACK_BOX = "arrays", "black box"
"""Figures of both arrays put together by the equations of a cache; or every metric of the cache by itself."""


@dataclass(frozen=True, slots=True)
class SurrogatePlan:
    """What is learned: memories; a capacity, and training designs; and what is learned together to leave one out."""

    memories: tuple[str, ...] = ("sram", "stt", "sot")
    capacity: str = "3MB"
    counts: tuple[int, ...] = (125, 250, 500, 1000, 2000, 4000)
    asked: int = 2000
    held_out: int = 2000
    capacities: tuple[str, ...] = ("1MB", "2MB", "3MB", "4MB", "8MB")
    technologies: tuple[str, ...] = (TECHNOLOGY, "22nm", "32nm", "45nm", "65nm")
    each: int = 300
    access: tuple[str, ...] = ACCESS_TYPES


FULL = SurrogatePlan()
"""The study as published; `each` designs of every capacity, technology and memory are learned together."""


@dataclass(frozen=True, slots=True)
class DrawnDesigns:
    """Designs to draw: of one memory, capacity and technology."""

    memory: str
    capacity: str
    technology: str
    count: int
    access: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SurrogateTrial:
    """A surrogate to train and test: `memories` it is about, and its kind (`ARRAYS` or `BLACK_BOX`).

    `problem` has all kinds of designs of the split.
    """

    memories: str
    surrogate: str
    split: HeldOutSplit
    problem: CacheProblem


def draw(drawn: DrawnDesigns) -> "pd.DataFrame":
    """Random designs with their metrics."""
    problem = caches([drawn.memory], [drawn.capacity], drawn.access, drawn.technology)
    return sampled_designs(problem, drawn.count, seed=0).assign(technology=drawn.technology)


def caches(
    memories: Sequence[str], capacities: Sequence[str], access: Sequence[str], technology: str = TECHNOLOGY
) -> CacheProblem:
    """Caches of some memories, capacities and access types, to draw designs from."""
    made, path = technology_from_text(technology, TEMPERATURE)
    return CacheProblem([
        spec for memory in memories for capacity in capacities
        for spec in specs_by_access(
            memory=memory, capacity=parse_capacity(capacity), technology=made,
            cell=load_cell(MEMORY_NAMES[memory]), access=access, technology_path=path,
        )
    ])


def needed(plan: SurrogatePlan) -> list[DrawnDesigns]:
    """All designs that a plan draws."""
    most = max(plan.counts) + plan.held_out
    drawn = [_drawn(plan, memory, count=most) for memory in plan.memories]
    for memory in plan.memories:
        drawn += [_drawn(plan, memory, capacity=one) for one in plan.capacities]
        drawn += [_drawn(plan, memory, technology=one) for one in plan.technologies]
        drawn.append(_drawn(plan, memory))
    return list(dict.fromkeys(drawn))


def _drawn(
    plan: SurrogatePlan, memory: str, capacity: str | None = None, technology: str = TECHNOLOGY,
    count: int | None = None,
) -> DrawnDesigns:
    """Designs of a memory, by default of the plan's capacity and as many as are learned together."""
    return DrawnDesigns(
        memory=memory, capacity=capacity or plan.capacity, technology=technology, count=count or plan.each,
        access=plan.access,
    )


def learning_trials(plan: SurrogatePlan, tables: "dict[DrawnDesigns, pd.DataFrame]") -> list[SurrogateTrial]:
    """More and more designs of each memory, all tested on the same others."""
    most = max(plan.counts)
    trials = []
    for memory in plan.memories:
        problem = caches([memory], [plan.capacity], plan.access)
        whole = by_design(tables[_drawn(plan, memory, count=most + plan.held_out)], most)
        for count in sorted(plan.counts, reverse=True):
            split = HeldOutSplit(whole.kind, whole.left_out, whole.training.head(count), whole.held_out)
            trials += [SurrogateTrial(memory, kind, split, problem) for kind in (ARRAYS, BLACK_BOX)]
    return trials


def leave_out_trials(plan: SurrogatePlan, tables: "dict[DrawnDesigns, pd.DataFrame]") -> list[SurrogateTrial]:
    """Capacities and technologies of each memory, and all memories, with one of them left out."""
    import pandas as pd

    trials = []
    for memory in plan.memories:
        sizes = pd.concat([tables[_drawn(plan, memory, capacity=one)] for one in plan.capacities], ignore_index=True)
        nodes = pd.concat(
            [tables[_drawn(plan, memory, technology=one)] for one in plan.technologies], ignore_index=True
        )
        sizes_problem = caches([memory], plan.capacities, plan.access)
        nodes_problem = caches([memory], [plan.capacity], plan.access)
        trials += [
            SurrogateTrial(memory, ARRAYS, split, sizes_problem) for split in leave_one_out(sizes, "capacity")
        ]
        trials += [
            SurrogateTrial(memory, ARRAYS, split, nodes_problem)
            for split in leave_one_out(nodes, "technology", "technology.feature_size")
        ]
    every = pd.concat([tables[_drawn(plan, memory)] for memory in plan.memories], ignore_index=True)
    problem = caches(plan.memories, [plan.capacity], plan.access)
    return trials + [
        SurrogateTrial(split.left_out, ARRAYS, split, problem) for split in leave_one_out(every, "memory")
    ]


def run_trial(trial: SurrogateTrial) -> "pd.DataFrame":
    """Train and test one surrogate."""
    split = trial.split
    errors = (black_box if trial.surrogate == BLACK_BOX else arrays)(split, trial.problem)
    return errors.assign(memory=trial.memories, surrogate=trial.surrogate)


def arrays(split: HeldOutSplit, problem: CacheProblem) -> "pd.DataFrame":
    """Errors of our surrogate; on other designs also by access type, of which some are rare."""
    import pandas as pd

    surrogate = fit(split.training, METRICS, problem)
    splits = [split]
    if split.kind == "design":
        splits += [
            HeldOutSplit(f"design, {access} access", "", split.training, rows)
            for access, rows in split.held_out.groupby("access", sort=False) if len(rows) > 1
        ]
    return pd.concat([held_out_errors(surrogate, one) for one in splits], ignore_index=True)


def black_box(split: HeldOutSplit, problem: CacheProblem) -> "pd.DataFrame":
    """Errors of gradient-boosted trees (scikit-learn) on the metrics of the whole cache, with the same features."""
    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingRegressor

    encoding = encode(split.training, feature_columns(split.training, METRICS, problem))
    inputs, others = encoding.matrix(split.training), encoding.matrix(split.held_out)
    rows = []
    for name in METRICS:
        trees = HistGradientBoostingRegressor(max_iter=400, max_leaf_nodes=8, random_state=0)
        trees.fit(inputs, np.log(split.training[name]))
        rows.append({
            "metric": name, "kind": split.kind, "left_out": split.left_out, "training": len(inputs),
            "held_out": len(others), **accuracy(np.exp(trees.predict(others)), split.held_out[name].to_numpy()),
        })
    return pd.DataFrame(rows)
