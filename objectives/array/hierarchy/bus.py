"""Banks whose mats hang on buses along their columns, sensed in the subarrays or at the bank's edge.

Source: NVSim BankWithoutHtree.cpp. Broadcasting as in `h_tree`.
"""

from dataclasses import dataclass

import numpy as np

from dse.batch import Floats
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.wire import GlobalWire
from dse.objectives.array.hierarchy.bank import (
    Bank,
    BankShape,
    aspect_ratio_legal,
    spread_bank,
    ways_sharing_write_wires,
)
from dse.objectives.array.hierarchy.mat import Mat
from dse.spaces.array.routing import Routing


@dataclass(frozen=True, slots=True)
class BusCost:
    """What the bus adds: one-way `delay` [s], `energy` per access [J], `leakage` [W]."""

    delay: Floats
    energy: Floats
    leakage: Floats


def bits_to_mat(routing: Routing, circuit: Circuit) -> Floats:
    """Wires to one mat: n = n_address + n_data, and for tags a match line per way (CalculateLatencyAndPower)."""
    wires = routing.address_bits + routing.data_bits
    return (wires + routing.ways if circuit.spec.is_tag else wires).astype(float)


def bus_cost(shape: BankShape, routing: Routing, mat: Mat, wire: GlobalWire, circuit: Circuit) -> BusCost:
    """Cost of a bus: full length for delay, one wire to each active row of mats for energy.

    With L_i = h (R - i) over the active rows i = 0, 1, … of R: t = t_wire(L_0), E = sum E_wire(L_i) n C_active and
    P = sum P_wire(L_i) n C, with n wires to each of C columns. NVSim charges leakage to the wires of the active rows
    only. Source: BankWithoutHtree.cpp, CalculateLatencyAndPower.
    """
    wires = bits_to_mat(routing, circuit)
    length = mat.height * (shape.rows + 1)
    energy, leakage = np.zeros(1), np.zeros(1)
    delay: Floats = np.zeros(1)
    for row in range(int(shape.active_rows.max(initial=1))):
        length = length - mat.height
        cost = wire.cost(np.where(length > 0, length, mat.height))
        if row == 0:
            delay = cost.delay
        reached = (row < shape.active_rows).astype(float)
        energy = energy + cost.energy * (wires * shape.active_cols * reached)
        if wire.leaks:
            leakage = leakage + cost.leakage * (wires * shape.cols * reached)
    return BusCost(delay, energy, leakage)


def grow_width(shape: BankShape, routing: Routing, mat: Mat, wire: GlobalWire) -> Floats:
    """Width of the bank [m] with the address wires to every mat.

    W = w C + ceil(R C n_address / numWireSharingWidth) effectivePitch. Source: BankWithoutHtree.cpp, CalculateArea.
    """
    width = mat.width * shape.cols
    if wire.area_pitch == 0:
        return width
    wires = shape.rows * shape.cols * routing.address_bits
    return width + np.ceil(wires / wire.bundle) * wire.area_pitch


def bus_bank(shape: BankShape, routing: Routing, mat: Mat, wire: GlobalWire, circuit: Circuit) -> Bank:
    """Banks of `mat` on buses of global `wire`, sensed inside the mats.

    H = h R, t = t_bus + t_mat, E_read = E_bus + n_active E_mat,read, E_write = E_bus / ways + n_active E_mat,write and
    P = P_bus + R C P_mat. Source: BankWithoutHtree.cpp, CalculateArea and CalculateLatencyAndPower.
    """
    height = mat.height * shape.rows
    width = grow_width(shape, routing, mat, wire)
    bus = bus_cost(shape, routing, mat, wire, circuit)
    active = shape.active_cols * shape.active_rows
    write_share = bus.energy / ways_sharing_write_wires(circuit)
    legal = mat.legal & aspect_ratio_legal(height, width, circuit)
    return spread_bank(
        legal=legal, height=height, width=width, area=height * width,
        read_latency=bus.delay + mat.read_latency, write_latency=bus.delay + mat.write_latency,
        read_energy=bus.energy + mat.read_energy * active, write_energy=write_share + mat.write_energy * active,
        leakage=bus.leakage + mat.leakage * (shape.rows * shape.cols),
    )
