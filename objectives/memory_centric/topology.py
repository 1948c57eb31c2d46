"""Graphs of devices, memory nodes and links, with rings laid on them; each a file.

Source: Kwon and Rhu, MICRO 2018 (MC-DLA), figures 5 and 7. In a ring's list of nodes neighbors are joined by one link
in each direction; a node may be passed several times.
"""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.reading import read_toml
from dse.text import hint, quoted, shown

DEVICE, MEMORY = "d", "m"
Link = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Topology:
    """Rings over devices (``d0``, …) and memory nodes (``m0``, …), and links beside them that no ring uses."""

    name: str
    help: str
    rings: tuple[tuple[str, ...], ...]
    beside: tuple[Link, ...] = ()

    @property
    def devices(self) -> int:
        """Devices in the rings."""
        return len({node for ring in self.rings for node in ring if node.startswith(DEVICE)})

    @property
    def hops(self) -> tuple[int, ...]:
        """Hops of each ring, from device or memory node to the next."""
        return tuple(map(len, self.rings))

    @property
    def longest(self) -> int:
        """Hops of the longest ring, which all others wait for."""
        return max(self.hops)

    @property
    def links(self) -> Counter[Link]:
        """How many links join each pair of nodes."""
        ends: Counter[Link] = Counter(self.beside)
        for ring in self.rings:
            for one, other in zip(ring, (*ring[1:], ring[0]), strict=True):
                ends[pair(one, other)] += 1
        return ends

    def links_between(self, one: str, other: str) -> int:
        """Links between two kinds of nodes."""
        wanted = sorted((one, other))
        return sum(count for ends, count in self.links.items() if sorted(node[0] for node in ends) == wanted)

    @property
    def ports(self) -> int:
        """Links of each device. Raises InputError where they differ."""
        ports = self._ports(DEVICE, "")
        if len(set(ports.values())) != 1:
            counts = ", ".join(map(str, sorted(set(ports.values()))))
            raise InputError(f"topology {self.name}: devices have {counts} links, give all as many")
        return next(iter(ports.values()))

    @property
    def store_links(self) -> int:
        """Links of each device to memory nodes: of the device with fewest."""
        to_memory = self._ports(DEVICE, MEMORY)
        return min((to_memory[node] for node in self._ports(DEVICE, "")), default=0)

    @property
    def store_nodes(self) -> int:
        """Memory nodes that a device reaches by a link, of the device with most."""
        reached = Counter(device for ends in self.links for device, other in (ends, ends[::-1])
                          if device.startswith(DEVICE) and other.startswith(MEMORY))
        return max(reached.values(), default=0)

    def _ports(self, kind: str, towards: str) -> Counter[str]:
        """Links of each node of a kind, towards nodes of another."""
        ports: Counter[str] = Counter()
        for (one, other), count in self.links.items():
            for node, end in ((one, other), (other, one)):
                if node.startswith(kind) and end.startswith(towards):
                    ports[node] += count
        return ports


def pair(one: str, other: str) -> Link:
    """The ends of a link in a fixed order."""
    return (one, other) if one < other else (other, one)


def topology_of(name: str, values: Mapping[str, Any], file: str) -> Topology:
    """Topology of a file's contents, checked. Raises InputError naming file and key."""
    rings = values.get("rings")
    if not isinstance(rings, list) or not rings:
        raise InputError("rings: give a list of rings, as [\"d0 m0 d1 m1\"]", file=file)
    beside = values.get("beside", [])
    if not isinstance(beside, list):
        raise InputError("beside: give a list of links, as [\"m0 m1\"]", file=file)
    nodes = tuple(_nodes(str(ring), "rings", file, 2) for ring in rings)
    links = []
    for text in beside:
        ends = _nodes(str(text), "beside", file, 2)
        if len(ends) != 2:
            raise InputError(f"beside: {quoted(text)} is no link, write two nodes as \"m0 m1\"", file=file)
        links.append(pair(ends[0], ends[1]))
    made = Topology(name, str(values.get("help", "")), nodes, tuple(links))
    _check_rings(made, file)
    return made


def _nodes(text: str, key: str, file: str, least: int) -> tuple[str, ...]:
    """Nodes of a ring or link."""
    nodes = tuple(text.split())
    for node in nodes:
        if node[0] not in (DEVICE, MEMORY) or not node[1:].isdigit():
            wanted = "write d0 for a device and m0 for a memory node"
            raise InputError(f"{key}: {quoted(node)} is no node, {wanted}", file=file)
    if len(nodes) < least:
        raise InputError(f"{key}: {quoted(text)} has fewer than {least} nodes", file=file)
    return nodes


def _check_rings(topology: Topology, file: str) -> None:
    """Every ring passes every device."""
    everything = {node for ring in topology.rings for node in ring if node.startswith(DEVICE)}
    for ring in topology.rings:
        missing = sorted(everything - set(ring))
        if missing:
            misses = f"{quoted(' '.join(ring))} misses {quoted(', '.join(missing))}"
            raise InputError(f"rings: {misses}: each passes every device", file=file)
        if any(one == other for one, other in zip(ring, (*ring[1:], ring[0]), strict=True)):
            raise InputError(f"rings: {quoted(' '.join(ring))} links a node to itself", file=file)


@cache
def topology_names() -> tuple[str, ...]:
    """Names of the topologies that come with the package."""
    folder = resources.files("dse.objectives.memory_centric").joinpath("data/topologies")
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


@cache
def load_topology(name: str) -> Topology:
    """Topology by its name, or from a ``.toml`` file of one's own."""
    if name.endswith(".toml"):
        return read_topology(Path(name))
    if name not in topology_names():
        raise InputError(f"topology {quoted(name)} is unknown{hint(name, topology_names())}, or a .toml file")
    text = resources.files("dse.objectives.memory_centric").joinpath(f"data/topologies/{name}.toml").read_text("utf-8")
    return topology_of(name, tomllib.loads(text), name)


def read_topology(path: Path) -> Topology:
    """Topology of a file. Raises InputError naming file, and line or key."""
    return topology_of(path.stem, read_toml(path), shown(path))


def alternating(devices: int, rings: int) -> Topology:
    """Figure 7(c) for any number of devices: rings on which devices and memory nodes take turns."""
    ring = tuple(node for number in range(devices) for node in (f"d{number}", f"m{number}"))
    return Topology("ring", "devices and memory nodes take turns", (ring,) * rings)


def disjoint_rings(links: Mapping[Link, int], devices: Sequence[str]) -> int:
    """Most rings through all the devices that share no link, by exhaustion; none with fewer than two devices.

    `links`: how many join each pair. Two devices make a ring of a link forth and back each.
    """
    if len(devices) < 2:
        return 0
    if len(devices) == 2:
        return links.get(pair(devices[0], devices[1]), 0)
    usable = {ends: count for ends, count in links.items() if set(ends) <= set(devices)}
    cycles = list(_cycles(usable, tuple(devices)))
    return _most(usable, cycles, 0)


def _cycles(links: Mapping[Link, int], devices: tuple[str, ...]) -> list[tuple[Link, ...]]:
    """Hamiltonian cycles, each once, as the links they use."""
    found: dict[frozenset[Link], tuple[Link, ...]] = {}

    def extend(path: list[str]) -> None:
        if len(path) == len(devices):
            if links.get(pair(path[-1], path[0]), 0):
                used = tuple(pair(one, other) for one, other in zip(path, (*path[1:], path[0]), strict=True))
                found[frozenset(used)] = used
            return
        for device in devices:
            if device not in path and links.get(pair(path[-1], device), 0):
                extend([*path, device])

    extend([devices[0]])
    return list(found.values())


def _most(links: Mapping[Link, int], cycles: Sequence[tuple[Link, ...]], first: int) -> int:
    """Most cycles, from one on, that fit on the links."""
    best = 0
    bound = min(sum(links.values()) // len(cycles[0]), len(cycles)*2) if cycles else 0
    for number in range(first, len(cycles)):
        if all(links[ends] for ends in cycles[number]):
            left = dict(links)
            for ends in cycles[number]:
                left[ends] -= 1
            best = max(best, 1 + _most(left, cycles, number))
            if best >= bound:
                break
    return best
