"""What a user may say of caches, with defaults and help, and the specifications that follow."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from dse.errors import InputError, check_name
from dse.objectives.array.given.cell import MEMORY_NAMES, inferred_cell, load_cell, packaged_cells, read_cell
from dse.objectives.array.given.technology_file import packaged_technologies
from dse.objectives.array.given.technology_names import technology_from_text
from dse.objectives.cache.named_settings import named_settings
from dse.objectives.cache.nvsim_files.configuration import EXPLORATION, check_cell, read_configuration
from dse.objectives.cache.specification import (
    CacheSpec,
    spec_from_configuration,
    specs_by_access,
)
from dse.objectives.cache.workload import (
    COMBINATIONS,
    GEOMETRIC_MEAN,
    SERIAL,
    TIME_MODELS,
    WorkloadCosts,
    load_dram_cost,
    workload_costs,
)
from dse.objectives.gpu.load import load_workload
from dse.objectives.gpu.lowering import LARGEST_BATCH
from dse.objectives.gpu.profiles import DEFAULT, profiles
from dse.objectives.gpu.traffic import workload_names
from dse.options import listed, option
from dse.spaces.array.organization import FREE, ORGANIZATIONS
from dse.spaces.array.spec import ACCESS_TYPES, RAM
from dse.text import quoted
from dse.units import CAPACITIES, parse_capacity

LARGEST_CAPACITY = 4 << 30
LARGEST_ODD = 15
"""A capacity is at most this times a power of two."""
ORGANIZATION, ALGORITHM1, RAM_DESIGNS = "organization", "algorithm1", "ram"
BASIC, ALL = "basic", "all"


CACHES, DESIGNS, FILES, WORKLOADS = "Caches", "Designs to choose from", "Settings and files", "Workloads"
"""Groups of options."""


def memory_names() -> list[str]:
    """Memories that a calibration has, and packaged cells."""
    return list(dict.fromkeys((*MEMORY_NAMES, *packaged_cells())))


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """Caches to choose from: memories, capacities, access types, technology, and workloads on them."""

    memory: str = option(
        "sram,stt,sot", "Comma-separated: sram, stt, sot, packaged cells, or paths of .cell files.",
        group=CACHES, names=memory_names,
    )
    capacity: str = option(
        "3MB", "Comma-separated: 512KB,3MB; a range as 1MB..16MB holds every k * 2^n, k to 15.", group=CACHES
    )
    access: str = option(
        "normal,fast,sequential", "Access types to choose from.", group=CACHES, names=lambda: ACCESS_TYPES
    )
    organization: str = option(
        FREE, "Of the data array: every one, or what CACTI assumes (mats of 2x2 subarrays, all active).",
        ORGANIZATIONS,
        group=DESIGNS,
    )
    setting: str | None = option(
        None, f"A named choice of other options, which these may still change: {', '.join(named_settings())}.",
        group=FILES, names=named_settings,
    )
    technology: str = option(
        "16nm-deepnvmpp", "16nm-deepnvmpp, 16nm, 22nm, 32nm-lstp (-hp, -lop), any packaged one, or a .toml file.",
        group=CACHES, names=packaged_technologies,
    )
    cells: str = option("deepnvmpp", "Calibration whose cells sram, stt and sot stand for.", group=CACHES)
    temperature: int = option(350, "Kelvin, 300 to 400.", group=CACHES)
    line: int = option(64, "Cache line, in bytes.", group=CACHES)
    ways: int = option(16, "Associativity.", group=CACHES)
    wires: str = option(
        BASIC, "Wires of the data array: NVSim's basic ones, or all of them jointly.", (BASIC, ALL), group=DESIGNS
    )
    read_fraction: float = option(0.5, "Share of reads in EDAP and the like.", group=WORKLOADS)
    config: Path | None = option(
        None, "Take technology, cell, capacity, access and ranges from an NVSim configuration.", group=FILES
    )
    strict: bool = option(
        False,
        "Refuse what NVSim understands in cells and configurations though it is not written as its samples are.",
        group=FILES,
    )
    joint: bool = option(False, "Choose among all memories and capacities: one search, one answer.", group=DESIGNS)
    designs: str = option(
        ORGANIZATION, "Organizations of caches, targets of NVSim's own search (Algorithm 1), or RAMs without tags.",
        (ORGANIZATION, ALGORITHM1, RAM_DESIGNS), group=DESIGNS,
    )
    workload: str | None = option(
        None, "Comma-separated, for workload_edp, workload_energy, workload_latency.", group=WORKLOADS,
        names=workload_names,
    )
    phase: str | None = option(
        None, "inference or training; of a transformer prefill or decode.", group=WORKLOADS
    )
    batch: int | None = option(None, "Images or sequences; DeepNVM++'s unless given.", group=WORKLOADS)
    profile: str = option(
        DEFAULT, "How layers become kernels (see dse workload list).", group=WORKLOADS, names=profiles
    )
    time_model: str = option(SERIAL, "How accesses add up to time.", tuple(TIME_MODELS), group=WORKLOADS)
    dram: str = option("fitted", "Cost of DRAM: fitted, eyeriss-ratio, gddr5x-15pJ.", group=WORKLOADS)
    combine: str = option(GEOMETRIC_MEAN, "What several workloads become.", COMBINATIONS, group=WORKLOADS)


def cache_specs(options: CacheOptions) -> list[list[CacheSpec]]:
    """Caches by capacity and memory, which differ in access type; all options checked."""
    _check_read_fraction(options)
    if options.config is not None:
        _check_configured_designs(options)
        return [[_configured(options)]]
    technology, path = technology_from_text(options.technology, options.temperature)
    access = _ram_access(options) if options.designs == RAM_DESIGNS else _access_types(options.access)
    _check_geometry(options)
    return [
        specs_by_access(
            memory=memory, capacity=capacity, technology=technology,
            cell=load_cell(inferred_cell(memory, options.cells), strict=options.strict), access=access,
            word_bits=options.line * 8, ways=1 if access == [RAM] else options.ways, wires=options.wires,
            organization=options.organization,
            technology_path=path,
        )
        for capacity in capacities_of(options) for memory in _memories(options)
    ]


def _memories(options: CacheOptions) -> list[str]:
    """Memories, which results are named after."""
    memories = listed(options.memory, "memory")
    for memory in memories:
        check_name(memory, "--memory")
    return list(memories)


def _configured(options: CacheOptions) -> CacheSpec:
    """The cache of a configuration, which other options must not contradict."""
    config = Path(str(options.config))
    for name in (
        "memory", "capacity", "access", "organization", "technology", "cells", "temperature", "line", "ways", "wires"
    ):
        if getattr(options, name) != default_of(name):
            raise InputError(f"--{name} excludes --config, which takes it from {config}")
    configuration = read_configuration(config, strict=options.strict)
    if configuration.target == EXPLORATION:
        raise InputError("OptimizationTarget Exploration is for dse nvsim: give one of NVSim's targets", file=config)
    check_cell(configuration, read_cell(configuration.cell_path, strict=options.strict))
    return spec_from_configuration(configuration)


def default_of(name: str) -> Any:
    """Default of an option."""
    return next(one.default for one in fields(CacheOptions) if one.name == name)


def workload_of_options(options: CacheOptions) -> WorkloadCosts | None:
    """What the workloads of the options cost; None where none is given."""
    if options.workload is None:
        given = [name for name in ("phase", "batch") if getattr(options, name) is not None]
        if given:
            raise InputError(f"--{given[0]} says nothing without --workload")
        return None
    names = listed(options.workload, "workload")
    if options.batch is not None and not 1 <= options.batch <= LARGEST_BATCH:
        raise InputError(f"--batch {options.batch}: give a whole number from 1 to {LARGEST_BATCH}")
    workloads = [load_workload(name, options.phase, options.batch, options.profile) for name in names]
    return workload_costs(
        workloads, time_model=options.time_model, dram_cost=load_dram_cost(options.dram), combine=options.combine
    )


def capacities_of(options: CacheOptions) -> list[int]:
    """Capacities [bytes] of a list such as ``512KB,1MB..4MB``, checked, each once in the order given."""
    capacities: list[int] = []
    for item in listed(options.capacity, "capacity"):
        first, dots, last = item.partition("..")
        if dots:
            capacities += _capacity_range(item, parse_capacity(first), parse_capacity(last), options)
        else:
            capacities.append(parse_capacity(item))
            _check_capacity(capacities[-1], options)
    return list(dict.fromkeys(capacities))


def _capacity_range(text: str, low: int, high: int, options: CacheOptions) -> list[int]:
    """Legal capacities of a range: whole multiples of the largest unit of its lower end."""
    _check_capacity(low, options)
    _check_capacity(high, options)
    if low > high:
        raise InputError(f"--capacity {text}: give the smaller capacity first")
    unit = next(size for size in sorted(CAPACITIES.values(), reverse=True) if low % size == 0)
    return [capacity for capacity in range(low, high + 1, unit) if _odd_part(capacity) <= LARGEST_ODD]


def _odd_part(capacity: int) -> int:
    """A capacity without its factors of two."""
    return capacity >> ((capacity & -capacity).bit_length() - 1)


def _ram_access(options: CacheOptions) -> list[str]:
    """The one access type of a RAM, which has no tags and no ways to choose from."""
    for name in ("access", "ways"):
        if getattr(options, name) != default_of(name):
            raise InputError(f"--{name} says nothing about a RAM: leave it out with --designs {RAM_DESIGNS}")
    return [RAM]


def _check_configured_designs(options: CacheOptions) -> None:
    """A configuration says itself whether it is of a RAM."""
    if options.designs == RAM_DESIGNS:
        raise InputError(f"--designs {RAM_DESIGNS} excludes --config, whose DesignTarget says what is designed")


def _access_types(text: str) -> list[str]:
    """Access types, checked."""
    chosen = listed(text, "access")
    for access in chosen:
        if access not in ACCESS_TYPES:
            raise InputError(f"access {quoted(access)} is not one of {', '.join(ACCESS_TYPES)}")
    return chosen


def _check_read_fraction(options: CacheOptions) -> None:
    """The share of reads is a share."""
    if not 0 <= options.read_fraction <= 1:
        raise InputError(f"read fraction {options.read_fraction:g} is not between 0 and 1")


def _check_geometry(options: CacheOptions) -> None:
    """Line and ways must be powers of two within reason."""
    for name, value, high in (("line", options.line, 8192), ("ways", options.ways, 256)):
        if value < 1 or value > high or value & (value - 1):
            raise InputError(f"--{name} {value}: give a power of two from 1 to {high}")


def _check_capacity(capacity: int, options: CacheOptions) -> None:
    """A capacity must hold a set and have rows that scale (see docs/model.md, any capacity)."""
    least = options.line * options.ways
    if capacity < 2 * least or capacity > LARGEST_CAPACITY:
        raise InputError(f"--capacity: {capacity} bytes; give from {2 * least} bytes (two sets) to 4GB")
    odd = _odd_part(capacity)
    if odd > LARGEST_ODD:
        raise InputError(
            f"--capacity: {capacity} bytes is {odd} times a power of two; give up to {LARGEST_ODD} times one, as 3MB"
        )
