"""A system: devices, how their links are split between rings and backing store, and what that gives.

Source: Kwon and Rhu, MICRO 2018 (MC-DLA), sections III and V: links carry rings, traffic to the backing store, or
both; memory nodes within a ring carry both at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil, inf

from dse.objectives.memory_centric.choices import DEVICES_ONLY, Choices, read_data
from dse.objectives.memory_centric.parts import (
    LinkKind,
    Range,
    bus_factor,
    constants,
    dimm_capacity,
    load_device,
    load_links,
    part_range,
)
from dse.objectives.memory_centric.topology import load_topology

HOST_BUS, HOST_LINKS, MEMORY_NODES, NO_STORE = "host-bus", "host-links", "memory-nodes", "none"
STORES = (HOST_BUS, HOST_LINKS, MEMORY_NODES, NO_STORE)
LOCAL, AWARE = "local", "aware"
PAGES = (LOCAL, AWARE)
CUBE_MESH, RING = "cube-mesh", "ring"
SWITCH, REDUCING_SWITCH = "switch", "reducing-switch"
SWITCHES = (SWITCH, REDUCING_SWITCH)
"""A switch that rings pass through, and one that adds up what devices send (in-network reduction)."""
SIXTHS = 6
SWITCHES_PER_EIGHT = 6
"""Switches for eight devices, as in DGX-2 (Ishii and Foley, Hot Chips 30, 2018) and DGX A100."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """What is chosen of a system.

    `store_sixths`, `ring_sixths`: sixths of a device's links for the backing store alone and for rings alone; what is
    left carries both. `dimms` of the kind `dimm` in each of as many memory nodes as there are devices.
    """

    devices: int
    store: str
    topology: str
    pages: str
    store_sixths: int
    ring_sixths: int
    host_bus: str = "pcie3"
    dimm: str = "128gb"
    dimms: int = 10
    links: str = "nvlink2"
    device: str = "paper"

    @property
    def both_sixths(self) -> int:
        """Sixths of the links that carry both."""
        return SIXTHS - self.store_sixths - self.ring_sixths


@dataclass(frozen=True, slots=True)
class System:
    """What an architecture gives: bandwidths per device [B/s], capacity [B], power [W] and price [$] with ranges.

    `ring_nodes` that count in a collective, `hops_per_step` that each of its steps takes. `shared`: whether rings and
    store have links in common. `bus_shared`: whether devices share a bus to the host. `to_host`: whether what is
    stashed passes the host.
    """

    ring_bandwidth: float
    ring_nodes: int
    hops_per_step: float
    in_network: bool
    store_bandwidth: float
    shared: bool
    bus_shared: bool
    to_host: bool
    capacity: float
    power: Range
    price: Range


def broken_rules(chosen: Architecture) -> list[str]:
    """Rules that an architecture breaks, in words; none where it can be built."""
    rules = []
    memory = chosen.store == MEMORY_NODES
    inside = _has_memory(chosen)
    if chosen.both_sixths < 0:
        rules.append(f"{chosen.store_sixths} and {chosen.ring_sixths} sixths of the links are more than all")
    if inside and not memory:
        rules.append(f"topology {chosen.topology} has memory nodes, store {chosen.store} none")
    if chosen.store in (HOST_BUS, NO_STORE) and (chosen.store_sixths, chosen.ring_sixths) != (0, SIXTHS):
        rules.append(f"store {chosen.store} leaves all links to rings")
    if (chosen.store == HOST_LINKS or (memory and not inside and chosen.topology not in SWITCHES)) and (
        chosen.both_sixths or not chosen.store_sixths
    ):
        rules.append("links go to the store or to other devices, and some to the store")
    if chosen.devices > 1 and chosen.store_sixths == SIXTHS:
        rules.append("no link is left for rings")
    if memory and chosen.store_sixths + chosen.both_sixths == 0:
        rules.append("no link goes to the store")
    rules += _ring_rules(chosen) + _unused_rules(chosen)
    return rules


def _ring_rules(chosen: Architecture) -> list[str]:
    """Rules of the topology's rings."""
    if chosen.topology in SWITCHES:
        return []
    topology = layout_of(chosen.topology)
    if chosen.topology not in (CUBE_MESH, RING) and topology.devices != chosen.devices:
        return [f"topology {chosen.topology} has {topology.devices} devices, not {chosen.devices}"]
    if not _has_memory(chosen) or topology.store_links == topology.ports:
        return [] if not _has_memory(chosen) or chosen.both_sixths else ["memory nodes in the rings share their links"]
    both = SIXTHS * topology.store_links // topology.ports
    if (chosen.store_sixths, chosen.both_sixths) != (0, both):
        return [f"topology {chosen.topology} has {both} sixths of the links for both, the rest for rings"]
    return []


def _unused_rules(chosen: Architecture) -> list[str]:
    """What has no effect stands at its default, so that no system is there twice."""
    rules = []
    spread = chosen.topology in SWITCHES or (_has_memory(chosen) and layout_of(chosen.topology).store_nodes > 1)
    if chosen.store != MEMORY_NODES or not spread:
        if chosen.pages != LOCAL:
            rules.append("pages spread over memory nodes on both sides only")
    elif chosen.topology in SWITCHES and chosen.pages != AWARE:
        rules.append("a switch reaches all memory nodes: pages are spread")
    return rules


@dataclass(frozen=True, slots=True)
class Layout:
    """What matters of a topology's graph (see `dse.objectives.memory_centric.topology.Topology`)."""

    devices: int
    longest: int
    ports: int
    store_links: int
    store_nodes: int


@cache
def layout_of(topology: str) -> Layout:
    """A topology's numbers, counted once."""
    graph = load_topology(topology)
    return Layout(devices=graph.devices, longest=graph.longest, ports=graph.ports, store_links=graph.store_links,
                  store_nodes=graph.store_nodes)


def _has_memory(chosen: Architecture) -> bool:
    """Whether memory nodes stand in the rings."""
    return chosen.topology not in SWITCHES and layout_of(chosen.topology).store_links > 0


def system_of(chosen: Architecture, choices: Choices) -> System:
    """What an architecture gives, under choices that the paper leaves open."""
    links = load_links(chosen.links)
    return System(
        ring_bandwidth=_ring_bandwidth(chosen, links, choices), ring_nodes=_ring_nodes(chosen, choices),
        hops_per_step=_hops_per_step(chosen, choices), in_network=chosen.topology == REDUCING_SWITCH,
        store_bandwidth=_store_bandwidth(chosen, links, choices),
        shared=choices.shared_links and chosen.both_sixths > 0, bus_shared=_bus_shared(chosen),
        to_host=chosen.store in (HOST_BUS, HOST_LINKS),
        capacity=_capacity(chosen), power=_power(chosen), price=_price(chosen),
    )


def _ring_bandwidth(chosen: Architecture, links: LinkKind, choices: Choices) -> float:
    """(rings + both)/6 N B: half of the links in each direction of the rings; half of that in one direction only."""
    return (chosen.ring_sixths + chosen.both_sixths) / SIXTHS * links.total * choices.directions / 2


def _longest(chosen: Architecture) -> int:
    """Nodes of the longest ring."""
    topology = chosen.topology
    if topology in SWITCHES or topology == CUBE_MESH:
        return chosen.devices
    if topology == RING:
        return 2 * chosen.devices
    return layout_of(topology).longest


def _ring_nodes(chosen: Architecture, choices: Choices) -> int:
    """Nodes that count in a collective."""
    return chosen.devices if choices.members == DEVICES_ONLY else _longest(chosen)


def _hops_per_step(chosen: Architecture, choices: Choices) -> float:
    """Hops from one member of a ring to the next; two through a switch."""
    return (2.0 if chosen.topology in SWITCHES else 1.0) * _longest(chosen) / _ring_nodes(chosen, choices)


def _store_bandwidth(chosen: Architecture, links: LinkKind, choices: Choices) -> float:
    """Bandwidth of a device to its store, at most what the memory modules give."""
    if chosen.store == NO_STORE:
        return inf
    if chosen.store == HOST_BUS:
        sharing = choices.host_sharing if _bus_shared(chosen) else 1.0
        return choices.host_bandwidth * bus_factor(chosen.host_bus) / sharing
    wanted = (chosen.store_sixths + chosen.both_sixths) / SIXTHS * links.total
    if chosen.store == HOST_LINKS:
        return wanted
    if chosen.pages == LOCAL and _has_memory(chosen) and layout_of(chosen.topology).store_nodes > 1:
        wanted /= 2
    return min(wanted, chosen.dimms * constants()["dimm_bandwidth"])


def _bus_shared(chosen: Architecture) -> bool:
    """Whether devices are so many that they share a bus to the host."""
    return chosen.store == HOST_BUS and chosen.devices >= constants()["socket_devices"]


def _capacity(chosen: Architecture) -> float:
    """Memory of devices and store [B]."""
    local = chosen.devices * load_device(chosen.device).memory
    if chosen.store == NO_STORE:
        return inf
    if chosen.store == MEMORY_NODES:
        return local + chosen.devices * chosen.dimms * dimm_capacity(chosen.dimm)
    return local + constants()["host_memory"]


def switch_count(chosen: Architecture) -> int:
    """Switches of a system."""
    return ceil(chosen.devices / 8) * SWITCHES_PER_EIGHT if chosen.topology in SWITCHES else 0


def _sum_of_parts(chosen: Architecture, quantity: str) -> Range:
    """Power or price of everything beside devices: host, memory nodes and modules, switches."""
    nodes = chosen.devices if chosen.store == MEMORY_NODES else 0
    node = part_range("memory-node", quantity) + part_range(f"dimm-{chosen.dimm}", quantity).times(chosen.dimms)
    switches = part_range("switch", quantity).times(switch_count(chosen))
    return part_range("host", quantity) + node.times(nodes) + switches


def _power(chosen: Architecture) -> Range:
    """TDP of the system [W]."""
    device = load_device(chosen.device).power
    return Range(device, device, device).times(chosen.devices) + _sum_of_parts(chosen, "power")


def _price(chosen: Architecture) -> Range:
    """Price of the system [$]."""
    return load_device(chosen.device).price.times(chosen.devices) + _sum_of_parts(chosen, "price")


@cache
def point_names() -> tuple[str, ...]:
    """Names of the paper's six design points."""
    return tuple(read_data("points.toml"))


@cache
def point_levels(name: str) -> Mapping[str, str | int]:
    """What a design point chooses."""
    entry = read_data("points.toml")[name]
    return {key: value for key, value in entry.items() if key != "help"}


def point(name: str, devices: int = 8, **others: str | int) -> Architecture:
    """A design point of the paper, perhaps with other devices, links, bus or modules."""
    return Architecture(devices=devices, **{**point_levels(name), **others})  # type: ignore[arg-type]
