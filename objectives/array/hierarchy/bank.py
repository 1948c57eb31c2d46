"""Banks: mats joined by an H-tree or a bus, seen from outside."""

from dataclasses import dataclass, replace

import numpy as np

from dse.batch import Batch, Bools, Floats
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.hierarchy.mat import Mat
from dse.spaces.array.organization import BankChoice
from dse.spaces.array.spec import FAST

MOST_ASPECT_RATIO = 10
"""Largest ratio of a bank's sides (NVSim constant.h, CONSTRAINT_ASPECT_RATIO_BANK)."""
ASPECT_RULE = f"one side of the bank is more than {MOST_ASPECT_RATIO} times the other"


@dataclass(frozen=True, slots=True)
class Bank(Batch):
    """Banks: sides [m], area [m²], latencies [s], energies per access [J], leakage [W].

    `legal` where the mat is legal and the aspect ratio acceptable.
    """

    legal: Bools
    height: Floats
    width: Floats
    area: Floats
    read_latency: Floats
    write_latency: Floats
    read_energy: Floats
    write_energy: Floats
    leakage: Floats


@dataclass(frozen=True, slots=True)
class BankShape(Batch):
    """Numbers of mats as floats, shaped to broadcast against mats: in rows, in columns, active, in all."""

    rows: Floats
    cols: Floats
    active_rows: Floats
    active_cols: Floats

    @classmethod
    def of(cls, choice: BankChoice, *, against_mats: bool) -> "BankShape":
        """Shape of the chosen banks; (b, 1) columns where every bank meets every mat."""
        columns = (choice.bank_rows, choice.bank_cols, choice.active_bank_rows, choice.active_bank_cols)
        return cls(*(values.astype(float)[:, None] if against_mats else values.astype(float) for values in columns))


def spread_bank(*, legal: Bools, **figures: Floats) -> Bank:
    """Banks of figures that broadcast against each other, each figure in full."""
    full = np.broadcast_arrays(*figures.values())
    return Bank(legal=legal, **dict(zip(figures, full, strict=True)))


def has_aspect_rule(circuit: Circuit) -> bool:
    """Whether banks must not be too narrow: NVSim asks data arrays only."""
    return not (circuit.spec.is_tag and circuit.quirks.aspect_ratio_of_data_only)


def aspect_ratio_legal(height: Floats, width: Floats, circuit: Circuit) -> Bools:
    """Which banks are not too narrow: H / W <= 10 and W / H <= 10.

    Source: BankWithHtree.cpp and BankWithoutHtree.cpp, CalculateArea.
    """
    if not has_aspect_rule(circuit):
        return np.ones(np.shape(height), bool)
    return (height / width <= MOST_ASPECT_RATIO) & (width / height <= MOST_ASPECT_RATIO)


def ways_sharing_write_wires(circuit: Circuit) -> int:
    """Ways by which the energy of write wires is divided: in fast access one way of the set is written.

    ways = associativity in fast access, else 1; E_write = E_wires / ways + n_active E_mat. Source: BankWithHtree.cpp
    and BankWithoutHtree.cpp, CalculateLatencyAndPower.
    """
    spec = circuit.spec
    if spec.access != FAST or (spec.is_tag and not circuit.quirks.tag_write_wire_energy_per_way):
        return 1
    return spec.cache_ways


def pulse_costs(mat: Mat, latency: Floats, energy: Floats) -> Mat:
    """Put the latency [s] and energy [J] of one pulse in place of a mat's write.

    A bank adds to SET and RESET what it adds to writes: t_set = t_set,mat + (t_write - t_write,mat), energies
    likewise. Source: BankWithHtree.cpp and BankWithoutHtree.cpp, CalculateLatencyAndPower.
    """
    return replace(mat, write_latency=latency, write_energy=energy)
