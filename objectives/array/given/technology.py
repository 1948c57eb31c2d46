"""Transistors and wires of a process node, read from one TOML file per node.

The packaged files hold NVSim's tables for 22, 32, 45, 65, 90, 120 and 200 nm. Transistors of other nodes are
interpolated between two of them as NVSim does; wires are those of the next larger tabulated node. A packaged file
for any other node (``16nm.toml``) stands for itself: it is found by its name, and nothing is interpolated with it. A
user's file of the same form replaces both; it may name another as its `base` and hold only what differs. All
quantities are in SI units; currents and capacitances of transistors are per meter of gate width.

Arithmetic follows NVSim's order of operations, so that results agree with it to the last digit.
"""

from dataclasses import dataclass, replace
from operator import index
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.objectives.array.given.quirks import NVSIM, Quirks
from dse.objectives.array.given.technology_file import (
    CURRENT_UNITS,
    ROADMAPS,
    TEMPERATURES,
    TRANSISTOR_UNITS,
    WIRE_UNITS,
    NodeFile,
    merged,
    packaged_file,
    packaged_technologies,
    read_technology_file,
)
from dse.spaces.array.wires import WIRE_TYPES

__all__ = [
    "NODES",
    "ROADMAPS",
    "TECHNOLOGIES",
    "TEMPERATURES",
    "Technology",
    "TechnologyTables",
    "WireGeometry",
    "load_technology",
    "load_wire_geometry",
    "merged",
    "node_of_file",
    "packaged_technologies",
    "technology_tables",
]

NODES = (22, 32, 45, 65, 90, 120, 200)
"""Tabulated nodes of NVSim [nm], one packaged file each."""

TECHNOLOGIES = 256
"""Technologies whose constants are kept: searches come back to a few, draws of parameters make thousands."""

_GEOMETRIC = frozenset({"current_off_nmos", "current_off_pmos"})

_SATURATION_VELOCITY = 1e5  # m/s, of carriers in silicon
_BUILT_IN_POTENTIAL = 0.9  # V, of a drain junction; BSIM4
_OVERLAP_SHARE = 0.2  # overlap capacitance over ideal gate capacitance


@dataclass(frozen=True, slots=True)
class Technology:
    """Transistors of one node and roadmap at one temperature; hashable. Source: NVSim Technology.h."""

    name: str
    """Node and roadmap, as in "22nm-hp"."""
    node: int
    """Process node [nm]."""
    roadmap: str
    """One of `ROADMAPS`."""
    temperature: int
    """[K]"""
    feature_size: float
    """Length F in which layout rules, cells and widths are counted [m]; the node unless a file gives another."""
    vdd: float
    """Supply voltage [V]."""
    vth: float
    """Threshold voltage [V]."""
    gate_length: float
    """Physical gate length [m]."""
    ideal_gate_cap: float
    """Gate to channel capacitance [F/m]."""
    overlap_cap: float
    """Gate to source and drain overlap capacitance [F/m]."""
    fringe_cap: float
    """Fringe capacitance of the gate [F/m]."""
    polywire_cap: float
    """Capacitance of a polysilicon wire per length of wire [F/m]; 0, as in NVSim."""
    junction_cap: float
    """Bottom capacitance of a drain junction [F/m2]."""
    sidewall_cap: float
    """Sidewall capacitance of a drain junction toward the isolation [F/m]."""
    drain_to_channel_cap: float
    """Sidewall capacitance of a drain junction toward the gate [F/m]."""
    oxide_cap: float
    """Electrical capacitance of the gate oxide [F/m2]."""
    electron_mobility: float
    """Effective mobility in NMOS channels [m2/V/s]."""
    hole_mobility: float
    """Effective mobility in PMOS channels [m2/V/s]."""
    vdsat_nmos: float
    """Drain voltage at which carriers of an NMOS reach saturation velocity [V]."""
    vdsat_pmos: float
    """Drain voltage at which carriers of a PMOS reach saturation velocity [V]."""
    pn_size_ratio: float
    """Width of a PMOS over that of an NMOS that drives as well [1]."""
    effective_resistance_multiplier: float
    """Switching resistance over vdd / on current [1]."""
    current_on_nmos: float
    """Saturation current of an NMOS [A/m]."""
    current_on_pmos: float
    """Saturation current of a PMOS [A/m]."""
    current_off_nmos: float
    """Leakage current of an NMOS that is off [A/m]."""
    current_off_pmos: float
    """Leakage current of a PMOS that is off [A/m]."""
    converter: tuple[float, float, float] | None = None
    """Delay [s], energy [J] and leakage [W] of a current-to-voltage converter; None for NVSim's table."""


@dataclass(frozen=True, slots=True)
class WireGeometry:
    """Cross-section of one metal wire type at one node; hashable. Source: NVSim Wire.h.

    A wire is half a pitch wide, and as far from its neighbors.
    """

    node: int
    """Node [nm] of the table the wire was read from, which may be larger than the one asked for."""
    wire_type: str
    """One of `WIRE_TYPES`."""
    barrier_thickness: float
    """Thickness of the barrier around the conductor [m]."""
    horizontal_dielectric: float
    """Relative permittivity between wires of a layer [1]."""
    pitch: float
    """Distance from one wire to the next, center to center [m]."""
    aspect_ratio: float
    """Height over width [1]."""
    ild_thickness: float
    """Thickness of the dielectric between layers [m]."""
    resistivity: float
    """Resistivity of the conductor at 293 K [ohm m]."""


def load_technology(
    node: int, roadmap: str, temperature: int, *, quirks: Quirks = NVSIM, path: Path | None = None
) -> Technology:
    """Return the transistors of `node` [nm] and `roadmap` (one of `ROADMAPS`) at `temperature` [K].

    Currents are linear in temperature between the 10 K steps of a file. Nodes between two packaged ones a and b are
    then linear in the node, x = (1 - w) x_a + w x_b, off currents geometric, x = x_a^(1-w) x_b^w, with w = (node - a)
    / (b - a), above 120 nm (node - a) / 60 nm as in NVSim. With `path`, a user's file for exactly this node is read
    instead and nothing is interpolated between nodes.

    Raises InputError for a node outside 22 to 200 nm without a file, packaged or the user's, an unknown roadmap, a
    temperature that is not an integer of 300 to 400 K, and a file that cannot be read, lacks a key, is for another
    node or has a threshold voltage that is not below the supply voltage.

    Source: NVSim Technology.cpp, Technology::Initialize and InterpolateWith; main.cpp, main.
    """
    node = _integer("ProcessNode", node)
    temperature = _integer("Temperature", temperature)
    _check_choice("DeviceRoadmap", roadmap, ROADMAPS)
    if temperature not in range(TEMPERATURES[0], TEMPERATURES[-1] + 1):
        raise InputError(f"Temperature {temperature} K: outside the tables; give 300 to 400 K")
    if path is not None:
        return _from_file(_user_file(path, node), roadmap, temperature)
    if has_own_file(node):
        return _from_file(packaged_file(str(node)), roadmap, temperature)
    lower, upper = _tabulated_around(node)
    below = _at_temperature(packaged_file(str(lower)), roadmap, temperature)
    if lower == upper:
        return _technology(node, roadmap, temperature, below, below["ideal_gate_cap"])
    above = _at_temperature(packaged_file(str(upper)), roadmap, temperature)
    values = _between(below, above, _weight(node, lower, upper, quirks))
    overlapped = below if quirks.overlap_cap_of_lower_node else values
    return _technology(node, roadmap, temperature, values, overlapped["ideal_gate_cap"])


def has_own_file(node: int) -> bool:
    """Tell whether a node [nm] beyond NVSim's has a packaged file, from other public sources."""
    return node not in NODES and f"{node}nm" in packaged_technologies()


@dataclass(frozen=True, slots=True)
class TechnologyTables:
    """A technology as its file holds it, base included: what a calibration changes before transistors are made.

    `place` names it in complaints.
    """

    place: str
    tables: dict[str, Any]

    def technology(self, roadmap: str, temperature: int) -> Technology:
        """Return the transistors of a roadmap at `temperature` [K]; InputError as of `load_technology`."""
        return _from_file(NodeFile(self.place, self.tables), roadmap, temperature)

    def wires(self) -> tuple[WireGeometry, ...]:
        """Return the cross-sections of all wire types the file gives."""
        file = NodeFile(self.place, self.tables)
        return tuple(_wire(file, wire_type) for wire_type in WIRE_TYPES if wire_type in self.tables.get("wire", {}))


def technology_tables(text: str) -> TechnologyTables:
    """Return the tables of a packaged technology (``16nm``, ``22nm``, `packaged_technologies`) or of a file.

    Raises InputError where there is no such file or it cannot be read.
    """
    if text in packaged_technologies():
        file = packaged_file(text.removesuffix("nm"))
        return TechnologyTables(text, file.tables)
    return TechnologyTables(text, read_technology_file(Path(text)).tables)


def _from_file(file: NodeFile, roadmap: str, temperature: int) -> Technology:
    """Return the transistors of a file that stands for itself; nothing is interpolated between nodes."""
    values = _at_temperature(file, roadmap, temperature)
    _check_threshold(values, roadmap, file.place)
    technology = _technology(file.node(), roadmap, temperature, values, values["ideal_gate_cap"])
    return replace(
        technology, name=f"{file.label()}-{roadmap.lower()}", feature_size=file.feature_size(),
        converter=file.converter(),
    )


def load_wire_geometry(node: int, wire_type: str, *, path: Path | None = None) -> WireGeometry:
    """Return the cross-section of `wire_type` (one of `WIRE_TYPES`) at `node` [nm].

    Wires are not interpolated: a node takes the table of the next larger tabulated node, and a node below
    22 nm that of 22 nm, unless it has a file of its own. With `path`, a user's file for exactly this node is
    read instead.

    Raises InputError for a node that is not 1 to 200 nm without a file, an unknown wire type, and a file that
    cannot be read, lacks a key, is for another node or leaves no conductor inside the barrier.

    Source: NVSim Wire.cpp, Wire::Initialize.
    """
    node = _integer("ProcessNode", node)
    _check_choice("WireType", wire_type, WIRE_TYPES)
    if path is not None:
        file = _user_file(path, node)
    elif 0 < node <= NODES[-1]:
        tabulated = node if has_own_file(node) else min(larger for larger in NODES if node <= larger)
        file = packaged_file(str(tabulated))
    else:
        raise InputError(f"ProcessNode {node} nm: no wires; give 1 to {NODES[-1]} nm or a technology file")
    return _wire(file, wire_type)


def _wire(file: NodeFile, wire_type: str) -> WireGeometry:
    """Return the cross-section of a wire type from its file."""
    values = file.numbers(f"wire.{wire_type}", tuple(WIRE_UNITS))
    wire = WireGeometry(node=file.node(), wire_type=wire_type, **values)
    _check_conductor(wire, file.place)
    return wire


def _technology(
    node: int, roadmap: str, temperature: int, values: dict[str, float], overlapped_gate_cap: float
) -> Technology:
    """Complete the tabulated `values` (SI units) with the quantities derived from them.

    capOverlap = 0.2 capIdealGate, the latter being `overlapped_gate_cap` [F/m], and vdsat = phyGateLength v / mobility
    with v = 1e5 m/s; C = C0 / (1 + vdd / V0)^m for the junctions of a drain with m = 0.5 at its bottom, 0.33 at its
    sides (`_reverse_biased`). Source: NVSim Technology.cpp, Technology::Initialize.
    """
    velocity_by_length = values["gate_length"] * _SATURATION_VELOCITY
    return Technology(
        name=f"{node}nm-{roadmap.lower()}",
        node=node,
        roadmap=roadmap,
        temperature=temperature,
        feature_size=node * 1e-9,
        overlap_cap=overlapped_gate_cap * _OVERLAP_SHARE,
        polywire_cap=0.0,
        junction_cap=_reverse_biased(1e-3, values["vdd"], 0.5),
        sidewall_cap=_reverse_biased(2.5e-10, values["vdd"], 0.33),
        drain_to_channel_cap=_reverse_biased(0.5e-10, values["vdd"], 0.33),
        vdsat_nmos=velocity_by_length / values["electron_mobility"],
        vdsat_pmos=velocity_by_length / values["hole_mobility"],
        converter=None,
        **values,
    )


def _reverse_biased(zero_bias_cap: float, voltage: float, grading: float) -> float:
    """Return the capacitance of a junction under `voltage` [V], in the unit of `zero_bias_cap`.

    C = C0 / (1 + V / V0)^m with grading coefficient m.  Source: NVSim Technology.cpp, Technology::Initialize,
    with the built-in potential V0 and the coefficients of BSIM4.
    """
    return zero_bias_cap / float((1 + voltage / _BUILT_IN_POTENTIAL) ** grading)


def _at_temperature(file: NodeFile, roadmap: str, temperature: int) -> dict[str, float]:
    """Return all tabulated quantities of a roadmap (SI units), currents at `temperature` T [K].

    I(T) = I_i + (I_(i+1) - I_i) (T - T_i) / 10 K, with T_i the last 10 K step of the table up to T.

    Source: NVSim Technology.cpp, Technology::Initialize.
    """
    section = roadmap.lower()
    values = file.numbers(section, tuple(TRANSISTOR_UNITS))
    step, kelvin = divmod(temperature - TEMPERATURES[0], 10)
    for key in CURRENT_UNITS:
        currents = file.currents(section, key)
        values[key] = currents[step]
        if kelvin:
            values[key] += (currents[step + 1] - currents[step]) * kelvin / 10
    return values


def _between(below: dict[str, float], above: dict[str, float], weight: float) -> dict[str, float]:
    """Return the quantities at `weight` [1] of the way from the node below to the one above.

    x = (1 - w) x_below + w x_above, off currents x_below^(1-w) x_above^w.

    Source: NVSim Technology.cpp, Technology::InterpolateWith.
    """
    return {
        key: float(below[key] ** (1 - weight) * above[key] ** weight)
        if key in _GEOMETRIC
        else (1 - weight) * below[key] + weight * above[key]
        for key in below
    }


def _tabulated_around(node: int) -> tuple[int, int]:
    """Return the tabulated nodes [nm] at or below and at or above `node`; InputError outside 22 to 200 nm."""
    if node < NODES[0]:
        limit = f"below NVSim's smallest node, {NODES[0]} nm"
        raise InputError(f"ProcessNode {node} nm: {limit}; give a technology file")
    if node > NODES[-1]:
        limit = f"above NVSim's largest node, {NODES[-1]} nm"
        raise InputError(f"ProcessNode {node} nm: {limit}; give a technology file")
    lower = max(tabulated for tabulated in NODES if tabulated <= node)
    upper = min(tabulated for tabulated in NODES if tabulated >= node)
    return lower, upper


def _weight(node: int, lower: int, upper: int, quirks: Quirks) -> float:
    """Return how far `node` [nm] is from `lower` to `upper` [1]: w = (node - lower) / (upper - lower).

    Above 120 nm NVSim divides by 60 nm.  Source: NVSim main.cpp, main.
    """
    if lower == 120 and quirks.interpolation_above_120nm_over_60nm:
        return (node - lower) / 60
    return (node - lower) / (upper - lower)


def node_of_file(path: Path) -> int:
    """Return the node [nm] that a user's technology file is for; InputError if it cannot be read."""
    return read_technology_file(path).node()


def _user_file(path: Path, node: int) -> NodeFile:
    """Return a user's technology file; InputError if it is unreadable, no TOML or not for `node` [nm]."""
    file = read_technology_file(path)
    if file.node() != node:
        message = f"node_nm: {file.node()} nm, but ProcessNode is {node} nm; give a file for {node} nm"
        raise InputError(message, file=path)
    return file


def _check_threshold(values: dict[str, float], roadmap: str, path: str) -> None:
    """Raise InputError unless transistors switch on at the supply voltage."""
    if values["vth"] >= values["vdd"]:
        voltages = f"{values['vth']} V, but vdd is {values['vdd']} V"
        raise InputError(f"{roadmap.lower()}.vth: {voltages}; give a threshold below vdd", file=path)


def _check_conductor(wire: WireGeometry, place: str) -> None:
    """Raise InputError if the barrier fills the wire."""
    width = wire.pitch / 2
    if 2 * wire.barrier_thickness < width and wire.barrier_thickness < wire.aspect_ratio * width:
        return
    key = f"wire.{wire.wire_type}.barrier_thickness"
    limit = "give less than a quarter of the pitch and than the height of the wire"
    raise InputError(f"{key}: {wire.barrier_thickness} m leaves no conductor; {limit}", file=place)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise InputError unless `value` of the parameter `name` is one of `choices`."""
    if value not in choices:
        raise InputError(f"{name} {value!r}: unknown; choose {', '.join(choices[:-1])} or {choices[-1]}")


def _integer(name: str, value: int) -> int:
    """Return `value` of the parameter `name` as int; InputError unless it is an integer of any type."""
    try:
        return index(value)
    except TypeError:
        raise InputError(f"{name} {value!r}: not an integer; give a whole number") from None
