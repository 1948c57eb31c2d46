"""What a user may say of memory-centric systems, with defaults and help, and the levels that follow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dse.errors import InputError
from dse.objectives.memory_centric.choices import Choices, load_choices, model_set_names, with_choices
from dse.objectives.memory_centric.parts import bus_names, device_names, dimm_names, link_names
from dse.objectives.memory_centric.system import PAGES, STORES, SWITCHES, point_levels, point_names
from dse.objectives.memory_centric.topology import load_topology, topology_names
from dse.options import listed, option
from dse.spaces.memory_centric.systems import PARALLELISMS
from dse.spaces.space import Level
from dse.text import hint, quoted

SYSTEM, TRAINING, MODEL = "System", "Training", "Model"
MOST_DEVICES, MOST_SAMPLES, MOST_DIMMS = 1024, 1 << 20, 32


@dataclass(frozen=True, slots=True)
class MemoryCentricOptions:
    """Systems to choose from, the network they train, and what the paper leaves unsaid."""

    network: str = option("alexnet", "Comma-separated: packaged networks, layer tables or configurations.")
    point: str = option(
        "", "A design point of the paper: dc-dla, hc-dla, mc-dla-s, mc-dla-l, mc-dla-b or oracle.", names=point_names
    )
    store: str = option("host-bus,host-links,memory-nodes", "Where devices stash.", group=SYSTEM)
    topology: str = option("cube-mesh,star,folded,ring", "Also switch, reducing-switch, or a .toml file.",
                           group=SYSTEM, names=topology_names)
    pages: str = option("local,aware", "Pages on one or both sides of a device.", group=SYSTEM)
    store_sixths: str = option("0,1,2,3,4,5", "Sixths of the links for the store alone.", group=SYSTEM)
    ring_sixths: str = option("0,1,2,3,4,5,6", "Sixths of the links for rings alone.", group=SYSTEM)
    devices: str = option("8", "Devices, each with a memory node where there are any.", group=SYSTEM)
    device: str = option("paper", "paper, k40, m40, p100, tpu-v2, a100, h100.", group=SYSTEM, names=device_names)
    links: str = option(
        "nvlink2", "nvlink2, nvlink2-measured, nvlink3, nvlink4, nvlink5.", group=SYSTEM, names=link_names
    )
    host_bus: str = option("pcie3", "pcie3, pcie4, pcie5, pcie6, cxl2, cxl3.", group=SYSTEM, names=bus_names)
    host_sharing: str = option("", "Devices' worth of traffic on one bus to the host; the model set's unless given.",
                               group=SYSTEM)
    dimm: str = option("128gb", "8gb, 16gb, 32gb, 64gb, 128gb.", group=SYSTEM, names=dimm_names)
    dimms: str = option("10", "Modules of a memory node.", group=SYSTEM)
    batch: str = option("512", "Samples of an iteration, of all devices together.", group=TRAINING)
    parallel: str = option("data", "data or model.", group=TRAINING)
    width: str = option("", "Bytes of a number; the model set's unless given.", group=TRAINING)
    window: str = option("", "Items unsent or fetched ahead; the model set's unless given.", group=TRAINING)
    tile: str = option("", "Side of a tile of results; the model set's unless given.", group=TRAINING)
    compression: str = option("1", "Bytes stashed before over after compression.", group=TRAINING)
    layers: bool = option(False, "Choose for each layer whether its output is stashed or computed again.",
                          group=TRAINING)
    divide_layers: bool = option(False, "Choose for each layer whether it is data or model parallel.", group=TRAINING)
    model_set: str = option(
        "default", "Unstated choices: default, deepbench or gen3-x16.", group=MODEL, names=model_set_names
    )
    choices: str = option("", "Unstated choices to change, as hop=0.5e-6,window=8.", group=MODEL)


def choices_of(options: MemoryCentricOptions) -> Choices:
    """Unstated choices of the options. Raises InputError for unknown ones."""
    if options.model_set not in model_set_names():
        raise InputError(f"--model-set {quoted(options.model_set)} is not one of {', '.join(model_set_names())}")
    return with_choices(load_choices(options.model_set), options.choices)


def levels_of_options(options: MemoryCentricOptions, choices: Choices) -> dict[str, tuple[Level, ...]]:
    """Levels of all axes, checked."""
    levels: dict[str, tuple[Level, ...]] = {
        "devices": _wholes("devices", options.devices, 1, MOST_DEVICES),
        "store": _words("store", options.store, STORES), "topology": _topologies(options.topology),
        "pages": _words("pages", options.pages, PAGES),
        "store_sixths": _wholes("store-sixths", options.store_sixths, 0, 6),
        "ring_sixths": _wholes("ring-sixths", options.ring_sixths, 0, 6),
        "batch": _wholes("batch", options.batch, 1, MOST_SAMPLES),
        "parallel": _words("parallel", options.parallel, PARALLELISMS),
        "window": _wholes("window", options.window or str(choices.window), 1, 1024),
        "links": _words("links", options.links, link_names()),
        "device": _words("device", options.device, device_names()),
        "host_bus": _words("host-bus", options.host_bus, bus_names()),
        "dimm": _words("dimm", options.dimm, dimm_names()),
        "dimms": _wholes("dimms", options.dimms, 1, MOST_DIMMS),
        "width": _wholes("width", options.width or str(choices.width), 1, 8),
        "tile": _wholes("tile", options.tile or str(choices.tile), 1, 1 << 16),
        "host_sharing": _reals("host-sharing", options.host_sharing or str(choices.host_sharing), 1.0, 64.0),
        "compression": _reals("compression", options.compression, 1.0, 100.0),
    }
    if not options.point:
        return levels
    if options.point not in point_names():
        raise InputError(f"--point {quoted(options.point)} is unknown{hint(options.point, point_names())}")
    return {**levels, **{name: (level,) for name, level in point_levels(options.point).items()}}


def _words(name: str, text: str, known: Sequence[str]) -> tuple[Level, ...]:
    """Words of an option."""
    items = listed(text, name)
    for item in items:
        if item not in known:
            raise InputError(f"--{name} {quoted(item)} is not one of {', '.join(known)}")
    return tuple(items)


def _topologies(text: str) -> tuple[Level, ...]:
    """Topologies by name or file; files are read now."""
    items = listed(text, "topology")
    for item in items:
        if item not in (*SWITCHES, *topology_names()) and not item.endswith(".toml"):
            known = ", ".join((*topology_names(), *SWITCHES))
            raise InputError(f"--topology {quoted(item)} is not one of {known}, or a .toml file")
        if item not in SWITCHES:
            _ = load_topology(item).ports
    return tuple(items)


def _wholes(name: str, text: str, low: int, high: int) -> tuple[Level, ...]:
    """Whole numbers in ascending order."""
    return tuple(sorted(_number(name, item, low, high, int) for item in listed(text, name)))


def _reals(name: str, text: str, low: float, high: float) -> tuple[Level, ...]:
    """Numbers in ascending order."""
    return tuple(sorted(_number(name, item, low, high, float) for item in listed(text, name)))


def _number(name: str, text: str, low: float, high: float, kind: Callable[[str], float]) -> float:
    """A number within bounds."""
    try:
        value = kind(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        numbers = "whole numbers" if kind is int else "numbers"
        raise InputError(f"--{name} {quoted(text)}: give {numbers} from {low:g} to {high:g}")
    return value
