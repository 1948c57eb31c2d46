"""Banks whose mats hang on an H-tree of global wires.

Source: NVSim BankWithHtree.cpp, CalculateArea and CalculateLatencyAndPower. Columns of banks and mats broadcast
against each other: (b, 1) banks with (m,) mats give every combination, equal lengths give pairs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.wire import CheapestWire, GlobalWire, Wire, WireCost
from dse.objectives.array.hierarchy.bank import Bank, BankShape, aspect_ratio_legal, ways_sharing_write_wires
from dse.objectives.array.hierarchy.mat import Mat
from dse.spaces.array.routing import Routing, TreeLevels


@dataclass(frozen=True, slots=True)
class LevelCost:
    """What one level adds to an access: `delay` one way [s], `energy` [J]; and its `leakage` [W]."""

    delay: Floats
    energy: Floats
    leakage: Floats


def _spread(levels: TreeLevels, wire: GlobalWire) -> Floats:
    """Silicon width [m] of one bundle of b wires at every level, which share the pitch of a repeater.

    ceil(b / numWireSharingWidth) effectivePitch. Source: BankWithHtree.cpp, CalculateArea.
    """
    return np.ceil(levels.bits / wire.bundle) * wire.area_pitch


def _grow_side(side: Floats, levels: TreeLevels, wire: GlobalWire) -> Floats:
    """Side of a bank [m] with the n_l bundles of b_l wires that run across it, added from the edge inwards.

    side + sum ceil(n_l b_l / numWireSharingWidth) effectivePitch. Source: BankWithHtree.cpp, CalculateArea.
    """
    if wire.area_pitch == 0:
        return side
    for level in reversed(range(len(levels.bits))):
        wires = levels.bits[level] * levels.bundles[level]
        side = side + np.ceil(wires / wire.bundle) * wire.area_pitch
    return side


def _at_level(table: Floats, level: Ints) -> Floats:
    """Entries of `table` (levels, banks) at a `level` per bank; zero where there is no such level."""
    if len(table) == 0:
        return np.zeros(level.shape)
    inside = (level >= 0) & (level < len(table))
    picked = np.take_along_axis(table, np.where(inside, level, 0)[None], axis=0)[0]
    return np.where(inside, picked, 0.0)


def wire_lengths(routing: Routing, mat: Mat, wire: GlobalWire) -> tuple[list[Floats], list[Floats]]:
    """Lengths [m] of horizontal and vertical wires, level 0 next to the mats.

    L_0 = w across and h / 2 down; L_l = 2 L_(l-1) + s / 2 with s the silicon width of the bundle it crosses. Excess
    vertical levels cross nothing. Source: BankWithHtree.cpp, CalculateArea.
    """
    horizontal, vertical = _trees(routing)
    wide: list[Floats] = [mat.width]
    tall: list[Floats] = [mat.height / 2]
    for _ in range(1, len(horizontal.bits)):
        wide.append(wide[-1] * 2)
    for _ in range(1, len(vertical.bits)):
        tall.append(tall[-1] * 2)
    if wire.area_pitch > 0:
        wide, tall = _lengths_with_bundles(routing, mat, wire)
    return wide[: len(horizontal.bits)], tall[: len(vertical.bits)]


def _trees(routing: Routing) -> tuple[TreeLevels, TreeLevels]:
    """Both directions of an H-tree's routing."""
    if routing.horizontal is None or routing.vertical is None:
        raise ValueError("an H-tree needs the routing of an H-tree")
    return routing.horizontal, routing.vertical


def _lengths_with_bundles(routing: Routing, mat: Mat, wire: GlobalWire) -> tuple[list[Floats], list[Floats]]:
    """Lengths [m] as in `wire_lengths`, for wires that take silicon area.

    The lowest horizontal wire also crosses the bundles of excess vertical levels: L_0 = w + sum s_l / 2 over l from 0
    to the number of the excess ones. Source: BankWithHtree.cpp, CalculateArea.
    """
    horizontal, vertical = _trees(routing)
    across, down = horizontal.present.sum(axis=0), vertical.present.sum(axis=0)
    excess = np.maximum(down - across, 0)
    beside_columns, beside_rows = _spread(vertical, wire), _spread(horizontal, wire)
    first = mat.width
    for level in reversed(range(len(vertical.bits))):
        first = first + np.where(level <= excess, beside_columns[level], 0.0) / 2
    wide: list[Floats] = [first]
    tall: list[Floats] = [mat.height / 2]
    for level in range(1, len(horizontal.bits)):
        wide.append(wide[-1] * 2 + _at_level(beside_columns, excess + level) / 2)
    for level in range(1, len(vertical.bits)):
        tall.append(tall[-1] * 2 + _at_level(beside_rows, level - excess - 1) / 2)
    return wide, tall


def level_costs(routing: Routing, mat: Mat, wire: GlobalWire) -> Iterator[LevelCost]:
    """Cost of each level l of the tree, from the edge inwards, horizontal levels first.

    t_l = t_wire(L_l), E_l = E_wire(L_l) n_active,l b_l and P_l = P_wire(L_l) n_l b_l with n bundles of b bits; zero
    delay where a bank has no such level. Source: BankWithHtree.cpp, CalculateLatencyAndPower.
    """
    for levels, lengths in zip(_trees(routing), wire_lengths(routing, mat, wire), strict=True):
        present = levels.present.astype(float)
        switched = (levels.active_bundles * levels.bits).astype(float)
        placed = (levels.all_bundles * levels.bits).astype(float)
        cost_of = _cost_of_lengths(wire, lengths)
        for level in reversed(range(len(lengths))):
            cost = cost_of(level)
            leakage = cost.leakage * placed[level] if wire.leaks else np.zeros(1)
            yield LevelCost(cost.delay * present[level], cost.energy * switched[level], leakage)


REPEATED_LENGTHS = 512
"""Lengths from which it pays to look for repeated ones before what costs more than a few products is computed."""


def _cost_of_lengths(wire: GlobalWire, lengths: list[Floats]) -> Callable[[int], WireCost]:
    """Cost of wires of the lengths of each level; each distinct length once where that pays.

    Without bundles in the way each level is twice as long as the one below, so that equal mats have equal wires.
    """
    first = lengths[0] if lengths else np.zeros(0)
    plain = not isinstance(wire, CheapestWire) and not (isinstance(wire, Wire) and wire.choice.low_swing)
    if plain or wire.area_pitch or first.ndim != 1 or len(first) < REPEATED_LENGTHS:
        return lambda level: wire.cost(lengths[level])
    distinct, number = np.unique(first, return_inverse=True)

    def spread(level: int) -> WireCost:
        cost = wire.cost(np.ldexp(distinct, level))
        return WireCost(cost.delay[number], cost.energy[number], cost.leakage[number] if wire.leaks else cost.leakage)

    return spread


def h_tree_bank(shape: BankShape, routing: Routing, mat: Mat, wire: GlobalWire, circuit: Circuit) -> Bank:
    """Banks of `mat` joined by an H-tree of global `wire`: reads pass it twice, writes once.

    t_read = t_mat,read + 2 sum t_l, t_write = t_mat,write + sum t_l, E_read = n_active E_mat,read + sum E_l, E_write =
    n_active E_mat,write + sum E_l / ways, P = R C P_mat + sum P_l; H = h R and W = w C, grown by their bundles.
    Source: BankWithHtree.cpp, CalculateArea and CalculateLatencyAndPower. Sums are updated in place: this is
    the innermost loop of every search.
    """
    horizontal, vertical = _trees(routing)
    height = _grow_side(mat.height * shape.rows, horizontal, wire)
    width = _grow_side(mat.width * shape.cols, vertical, wire)
    active = shape.active_cols * shape.active_rows
    whole = np.broadcast_shapes(height.shape, active.shape)
    read_latency, write_latency = (
        np.broadcast_to(latency, whole).copy() for latency in (mat.read_latency, mat.write_latency)
    )
    read_energy, write_energy = mat.read_energy * active, mat.write_energy * active
    leakage = mat.leakage * (shape.rows * shape.cols)
    ways = ways_sharing_write_wires(circuit)
    for level in level_costs(routing, mat, wire):
        write_latency += level.delay
        read_latency += np.multiply(level.delay, 2, out=level.delay)
        read_energy += level.energy
        write_energy += np.divide(level.energy, ways, out=level.energy) if ways > 1 else level.energy
        if wire.leaks:
            leakage += level.leakage
    legal = mat.legal & aspect_ratio_legal(height, width, circuit)
    return Bank(
        legal=legal, height=height, width=width, area=height * width, read_latency=read_latency,
        write_latency=write_latency, read_energy=read_energy, write_energy=write_energy, leakage=leakage
    )
