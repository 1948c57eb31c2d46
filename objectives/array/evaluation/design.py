"""One chosen design of one array, with its figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.hierarchy.array import Evaluation, block_bits, evaluate_each, mats_of
from dse.objectives.array.hierarchy.bank import BankShape
from dse.spaces.array.mat import MatGeometry
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS, BankChoice, MatChoice
from dse.spaces.array.routing import Routing
from dse.spaces.array.wires import WireChoice

COUNTS = ("subarray_rows", "subarray_cols")
"""Figures that are whole numbers."""
YES_NO = {True: "Yes", False: "No"}


@dataclass(frozen=True, slots=True)
class ArrayDesign:
    """An organization and its wires: `organization` in the order of ORGANIZATION_COLUMNS."""

    organization: tuple[int, ...]
    local: WireChoice
    global_: WireChoice


@dataclass(frozen=True, slots=True)
class EvaluatedDesign:
    """A design with its `metrics` (objectives.cache.array.METRIC_COLUMNS, SI units) and sizes [bits]."""

    memory_type: str
    design: ArrayDesign
    valid: bool
    capacity_bits: int
    block_bits: int
    associativity: int
    metrics: dict[str, float]

    def to_row(self) -> dict[str, Any]:
        """One row of a result table: design columns, sizes, validity, metrics (see docs/files.md)."""
        *counts, buffer = self.design.organization
        local, global_ = self.design.local, self.design.global_
        return {
            "memory_type": self.memory_type,
            **dict(zip(ORGANIZATION_COLUMNS[:-1], counts, strict=True)),
            "buffer_design": BUFFER_DESIGNS[buffer],
            "local_wire_type": local.type, "local_repeater": local.repeater,
            "local_low_swing": YES_NO[local.low_swing],
            "global_wire_type": global_.type, "global_repeater": global_.repeater,
            "global_low_swing": YES_NO[global_.low_swing],
            "bank_capacity_bits": self.capacity_bits, "block_bits": self.block_bits,
            "associativity": self.associativity, "valid": int(self.valid),
            **{name: value if self.valid else None for name, value in self.metrics.items()},
        }


def organizations(banks: BankChoice, mats: MatChoice) -> list[tuple[int, ...]]:
    """Organizations as tuples in the order of ORGANIZATION_COLUMNS."""
    columns = [*banks.to_columns().values(), *mats.to_columns().values()]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def choices(organization: Sequence[tuple[int, ...]]) -> tuple[BankChoice, MatChoice]:
    """Organizations as batches of banks and mats."""
    table = np.asarray(organization, dtype=np.int64).reshape(-1, len(ORGANIZATION_COLUMNS)).T
    split = len(BankChoice.__dataclass_fields__)
    return BankChoice(*table[:split]), MatChoice(*table[split:])


def reached(
    choice: ArrayChoice, legal: Sequence[tuple[int, ...]]
) -> tuple[BankShape, Routing, MatGeometry]:
    """Shape and routing of the banks of some legal organizations, and what reaches their mats, with any wires."""
    banks, mats = choices(legal)
    routing, geometry, _ = mats_of(banks, mats, block_bits(banks, mats, choice.spec), choice.spec, choice.fabric)
    return BankShape.of(banks, against_mats=False), routing, geometry


def evaluate_designs(choice: ArrayChoice, designs: Sequence[ArrayDesign]) -> list[EvaluatedDesign]:
    """Evaluate designs of one array, whatever wires each has; in the order given."""
    results: list[EvaluatedDesign | None] = [None] * len(designs)
    for local in dict.fromkeys(design.local for design in designs):
        rows = [row for row, design in enumerate(designs) if design.local == local]
        banks, mats = choices([designs[row].organization for row in rows])
        wires = [designs[row].global_ for row in rows]
        evaluation = evaluate_each(banks, mats, choice.spec, choice.fabric, local, wires)
        for place, row in enumerate(rows):
            results[row] = _record(choice, designs[row], evaluation, place)
    return [result for result in results if result is not None]


def _record(choice: ArrayChoice, design: ArrayDesign, evaluation: Evaluation, place: int) -> EvaluatedDesign:
    """One design of an evaluation."""
    return EvaluatedDesign(
        choice.spec.memory_type, design, bool(evaluation.valid[place]), int(evaluation.capacity_bits[place]),
        int(evaluation.block_bits[place]), choice.spec.associativity,
        {name: _number(values[place].item(), name) for name, values in evaluation.metrics.items()},
    )


def _number(value: float, name: str) -> float:
    """A figure as Python prints it best: counts as whole numbers."""
    return int(value) if name in COUNTS and value == value else value
