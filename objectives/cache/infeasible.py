"""Why nothing is feasible: how many designs each rule rejects, and what would have to change."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.blocks import ArrayDesigns
from dse.objectives.array.evaluation.library import MatLibraries, enumerate_problem
from dse.objectives.array.hierarchy.bank import ASPECT_RULE
from dse.objectives.array.hierarchy.mat import mat_detail
from dse.objectives.array.hierarchy.subarray import PHYSICAL_RULES
from dse.objectives.cache.problem import CacheProblem
from dse.problem import Constraint, Objective, Problem
from dse.spaces.array.enumeration import Enumeration
from dse.spaces.array.mat import RULES, mat_geometry
from dse.spaces.array.organization import ORGANIZATION_COLUMNS, PowerRange, data_ranges
from dse.units import format_capacity, format_quantity

Least = Callable[[Problem], float | None]
"""The exact optimum's cost of a problem; None where nothing is feasible."""
FARTHEST_CAPACITY = 6
"""Factors of two by which other capacities are tried."""
ROUTING_RULE = "address or data bits run out between the bank's edge and its mats"


@dataclass(frozen=True, slots=True)
class Feasibility:
    """Designs of one array: all `combinations`, `valid` ones, and `rejected` by the first rule that each breaks."""

    combinations: int
    valid: int
    rejected: dict[str, int]


def feasibility(array: ArrayChoice) -> Feasibility:
    """Count what each rule rejects, with NVSim's basic wires."""
    enumeration = enumerate_problem(array)
    counts: Counter[str] = Counter()
    counts[ROUTING_RULE] = enumeration.combinations
    for banks, kept, physical in _rules_by_group(array, enumeration):
        counts[ROUTING_RULE] -= banks * kept.shape[1]
        for rule, number in zip(RULES, _first_broken(kept), strict=True):
            counts[rule] += banks * number
        for rule, number in zip(PHYSICAL_RULES, _first_broken(physical), strict=True):
            counts[rule] += banks * number
    valid = _valid(array, enumeration)
    counts[ASPECT_RULE] = enumeration.combinations - valid - counts.total()
    return Feasibility(enumeration.combinations, valid, {rule: count for rule, count in counts.items() if count})


def _rules_by_group(
    array: ArrayChoice, enumeration: Enumeration
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """For every group: number of banks, integer rules kept by all mats, physical rules kept by legal ones."""
    circuit = array.fabric.circuit(array.spec, array.basic_local)
    mats = enumeration.mats
    active = mats.active_mat_rows * mats.active_mat_cols
    for group in enumeration.groups:
        key = group.key
        chosen = mats if key.active is None else mats.take(np.flatnonzero(active == key.active))
        geometry, kept = mat_geometry(
            np.array(key.address_bits), np.array(key.data_bits), np.array(key.ways), chosen, array.spec,
            tags_cover_ways=enumeration.tags_cover_ways,
        )
        legal = geometry.take(np.flatnonzero(kept.all(axis=0)))
        physical = np.ones((len(PHYSICAL_RULES), 0), bool)
        if len(legal):
            detail = mat_detail(legal, circuit)
            physical = detail.subarray.kept[:, detail.subarray_number]
        yield len(group.banks), kept, physical


def _first_broken(kept: np.ndarray) -> list[int]:
    """How many designs break each rule first."""
    broken = ~kept.all(axis=0)
    return np.bincount(kept[:, broken].argmin(axis=0), minlength=len(kept)).tolist()  # type: ignore[no-any-return]


def _valid(array: ArrayChoice, enumeration: Enumeration) -> int:
    """Number of valid designs with basic wires."""
    wire = array.fabric.wire(array.basic_global)
    designs = ArrayDesigns(array, array.basic_local, wire, MatLibraries())
    return sum(int(np.count_nonzero(block.bank.legal)) for block in designs.blocks())


def why_empty(problem: CacheProblem, least: Least) -> str:
    """Explain in a few lines why no cache of a problem is feasible; `least` finds exact optima of other questions."""
    lines = ["no feasible design"]
    for assembly in problem.assemblies():
        spec = assembly.spec
        empty = False
        for part in reversed(assembly.parts):
            counted = feasibility(part.choice)
            if counted.valid == 0:
                empty = True
                lines.append(f"{spec.access} access, {part.name} array: 0 of {counted.combinations} designs are valid")
                ordered = sorted(counted.rejected.items(), key=lambda item: -item[1])
                lines += [f"  {count:>12} rejected: {rule}" for rule, count in ordered]
                hints = (*_single_changes(part.choice), *_other_capacity(part.choice, spec.capacity))
                lines += [f"  {hint}" for hint in hints]
        if not empty:
            lines += _unmet(problem.with_specs([spec]), spec.access, least)
    return "\n".join(lines)


def _single_changes(array: ArrayChoice) -> Iterator[str]:
    """For each narrowed axis that alone stands in the way: the nearest value that is feasible."""
    free = data_ranges(array.spec.cache_ways)
    for name in ORGANIZATION_COLUMNS[:-1]:
        asked: PowerRange = getattr(array.ranges, name)
        if asked == getattr(free, name):
            continue
        opened = replace(array, ranges=replace(array.ranges, **{name: getattr(free, name)}))
        values = _feasible_values(opened, name)
        if values:
            nearest = min(values, key=lambda value: abs(np.log2(value / asked.low)))
            yield f"nearest feasible {name}: {nearest} instead of {asked.low}, all else as asked"


def _other_capacity(array: ArrayChoice, capacity: int) -> Iterator[str]:
    """The nearest capacity, by factors of two, with a valid design."""
    for steps in sorted(range(-FARTHEST_CAPACITY, FARTHEST_CAPACITY + 1), key=abs):
        address_bits = array.spec.address_bits + steps
        if steps == 0 or address_bits < 1:
            continue
        scaled = replace(array, spec=replace(array.spec, address_bits=address_bits))
        if _valid(scaled, enumerate_problem(scaled)):
            other = format_capacity(capacity << steps if steps > 0 else capacity >> -steps)
            yield f"nearest feasible capacity: {other} instead of {format_capacity(capacity)}, all else as asked"
            return


def _feasible_values(array: ArrayChoice, name: str) -> set[int]:
    """Values of an axis among valid designs."""
    enumeration = enumerate_problem(array)
    wire = array.fabric.wire(array.basic_global)
    designs = ArrayDesigns(array, array.basic_local, wire, MatLibraries())
    values: set[int] = set()
    for block in designs.blocks():
        row, column = np.nonzero(block.bank.legal)
        if len(row):
            banks, mats = enumeration.designs(block.code(row, column))
            owner = banks if hasattr(banks, name) else mats
            values |= set(np.unique(getattr(owner, name)).tolist())
    return values


def _unmet(problem: CacheProblem, access: str, least: Least) -> list[str]:
    """What each constraint could be at best, all others left aside."""
    lines = []
    for constraint in problem.constraints:
        reachable = _best_of(problem, constraint, least)
        if reachable is None:
            continue
        end = "smallest" if constraint.comparison == "<=" else "largest"
        if constraint.allows(reachable):
            verdict = "can be met alone, but not with the other constraints"
        else:
            verdict = "cannot be met"
        shown = format_quantity(reachable, constraint.unit)
        lines.append(f"{access} access: {constraint.text} {verdict}: the {end} possible is {shown}")
    return lines


def _best_of(problem: CacheProblem, constraint: Constraint, least: Least) -> float | None:
    """The value of a constraint's formula that comes closest to meeting it."""
    maximize = constraint.comparison == ">="
    objective = Objective(constraint.formula.text, constraint.formula, constraint.unit, maximize)
    cost = least(problem.asking([objective], ()))
    return None if cost is None else objective.value(cost)
