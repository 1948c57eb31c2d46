"""NVSim's own search: the best array for each of eight targets, then greedy refinement of its wires.

Source: NVSim main.cpp, macros.h (BIGFOR, REFINE_*, TRY_AND_UPDATE) and Result.cpp (compareAndUpdate). A
strictly smaller value wins, so that the first design in loop order wins a tie.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.blocks import ArrayDesigns
from dse.objectives.array.evaluation.design import ArrayDesign, EvaluatedDesign, evaluate_designs, organizations
from dse.objectives.array.evaluation.flat import flatten
from dse.objectives.array.evaluation.handed import Figure
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.refinement import refined_wires
from dse.objectives.array.evaluation.target_bounds import Least, Target, best_by_bounds
from dse.objectives.array.evaluation.valid_count import count_valid

TARGET_VALUES = {
    "ReadLatency": Target(("read_latency",)),
    "WriteLatency": Target(("write_latency",)),
    "ReadDynamicEnergy": Target(("read_energy",)),
    "WriteDynamicEnergy": Target(("write_energy",)),
    "ReadEDP": Target(("read_latency", "read_energy")),
    "WriteEDP": Target(("write_latency", "write_energy")),
    "LeakagePower": Target(("leakage",)),
    "Area": Target(("area",)),
}
"""What each target minimizes."""

TARGETS = tuple(TARGET_VALUES)
"""NVSim's optimization targets, in the order of its enumeration."""

Limits = Mapping[str, float]
"""Largest allowed value of some targets."""


def target_values(figure: Figure) -> dict[str, Floats]:
    """Value of every target from figures."""
    return {name: target.of(figure) for name, target in TARGET_VALUES.items()}


@dataclass(frozen=True, slots=True)
class ArraySearch:
    """Result of NVSim's search of one array.

    `tried` and `valid` designs; winners by target with NVSim's basic wires and after refinement (or, under
    constraints, of the constrained search, which refines no wires).
    """

    tried: int
    valid: int
    basic: dict[str, EvaluatedDesign]
    winners: dict[str, EvaluatedDesign]


def search_array(
    choice: ArrayChoice, slacks: Limits | None = None, libraries: MatLibraries | None = None
) -> ArraySearch:
    """Search one array as NVSim does; `slacks` bound targets relative to their refined winners.

    By bounds where they hold, which gives the same as `search_every_design`.
    """
    designs = _basic_designs(choice, libraries or MatLibraries())
    flat = flatten(designs)
    best = None if flat is None else best_by_bounds(flat, designs, TARGET_VALUES)
    if flat is None or best is None:
        return search_every_design(choice, slacks, libraries)
    return _refined(designs, count_valid(flat), best, slacks)


def search_every_design(
    choice: ArrayChoice, slacks: Limits | None = None, libraries: MatLibraries | None = None
) -> ArraySearch:
    """Search one array as NVSim does, every design evaluated."""
    designs = _basic_designs(choice, libraries or MatLibraries())
    valid, best = _scan(designs, {})
    return _refined(designs, valid, best, slacks)


def _basic_designs(choice: ArrayChoice, libraries: MatLibraries) -> ArrayDesigns:
    """The designs of an array with NVSim's basic wires."""
    return ArrayDesigns(choice, choice.basic_local, choice.fabric.wire(choice.basic_global), libraries)


def _refined(designs: ArrayDesigns, valid: int, best: dict[str, Least], slacks: Limits | None) -> ArraySearch:
    """The result of a search: winners with refined wires, or within limits that these set."""
    basic = _winners(designs, best)
    winners = _refine(designs.choice, basic)
    if slacks and winners:
        limits = {target: _value(winners[target], target) * (slack + 1) for target, slack in slacks.items()}
        winners = _winners(designs, _scan(designs, limits)[1])
    return ArraySearch(designs.enumeration.tried, valid, basic, winners)


def array_winners(choice: ArrayChoice, libraries: MatLibraries) -> dict[str, EvaluatedDesign]:
    """NVSim's winners of every target, wires refined, by bounds: those of `search_array`, which counts designs too."""
    designs = _basic_designs(choice, libraries)
    flat = flatten(designs)
    found = None if flat is None else best_by_bounds(flat, designs, TARGET_VALUES)
    best = _designs_of(designs, _scan(designs, {})[1] if found is None else found)
    refined = refined_wires(choice, best, TARGET_VALUES)
    return dict(zip(refined, evaluate_designs(choice, list(refined.values())), strict=True))


def _value(design: EvaluatedDesign, target: str) -> float:
    """Value of a target for a valid design."""
    return float(TARGET_VALUES[target].of(lambda name: np.asarray(design.metrics[name])))


def _scan(designs: ArrayDesigns, limits: Limits) -> tuple[int, dict[str, Least]]:
    """Go through all designs once: how many are valid, and the best within `limits` for every target."""
    best = {target: Least() for target in TARGETS}
    count = 0
    for block in designs.blocks():
        legal = block.bank.legal
        valid = np.count_nonzero(legal)
        if not valid:
            continue
        count += int(valid)
        values = target_values(lambda name, bank=block.bank: getattr(bank, name))  # type: ignore[misc]
        for target, limit in limits.items():
            legal = legal & (values[target] <= limit)
        whole = bool(legal.all())
        for target, value in values.items():
            candidates = value if whole else np.where(legal, value, np.inf)
            least = float(candidates.min())
            if least <= best[target].value and least < np.inf:
                code = int(block.code(*np.nonzero(candidates == least)).min())
                if least < best[target].value or code < best[target].code:
                    best[target] = Least(least, code)
    return count, best


def _designs_of(designs: ArrayDesigns, best: dict[str, Least]) -> dict[str, ArrayDesign]:
    """The winners; none where no design is valid."""
    found = {target: entry for target, entry in best.items() if entry.code >= 0}
    codes = np.array([entry.code for entry in found.values()], dtype=np.int64)
    chosen = organizations(*designs.enumeration.designs(codes))
    return {
        target: ArrayDesign(organization, designs.local, designs.choice.basic_global)
        for target, organization in zip(found, chosen, strict=True)
    }


def _winners(designs: ArrayDesigns, best: dict[str, Least]) -> dict[str, EvaluatedDesign]:
    """The winners evaluated in full."""
    chosen = _designs_of(designs, best)
    return dict(zip(chosen, evaluate_designs(designs.choice, list(chosen.values())), strict=True))


def _refine(choice: ArrayChoice, winners: dict[str, EvaluatedDesign]) -> dict[str, EvaluatedDesign]:
    """Winners with refined wires, those evaluated in full that are not known."""
    refined = refined_wires(choice, {target: one.design for target, one in winners.items()}, TARGET_VALUES)
    new = {target: design for target, design in refined.items() if design != winners[target].design}
    return winners | dict(zip(new, evaluate_designs(choice, list(new.values())), strict=True))
