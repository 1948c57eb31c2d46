"""Which caches a command is asked about: memories, capacities, access types, technology."""

from dataclasses import dataclass
from pathlib import Path

from dse.cli.configuration import load_problem
from dse.errors import InputError
from dse.objectives.array.given.cell import MEMORY_NAMES, Cell, load_cell
from dse.objectives.cache.specification import CacheProblem, CacheSpec, problems_by_access, technology_from_text
from dse.spaces.array.spec import ACCESS_TYPES
from dse.units import CAPACITIES, parse_capacity

LARGEST_CAPACITY = 4 << 30
LARGEST_ODD = 15
"""A capacity is at most this times a power of two."""
DEFAULTS = {
    "memories": "sram,stt,sot", "capacities": "3MB", "access": "normal,fast,sequential",
    "technology": "16nm-deepnvmpp", "temperature": 350, "line": 64, "ways": 16, "wires": "basic",
}
"""Values of the options that name caches, where none are given."""
OPTIONS = {"memories": "memory", "capacities": "capacity"}
"""Options that are named in the singular."""


@dataclass(frozen=True, slots=True)
class CacheRequest:
    """The options that name caches, as given on the command line."""

    memories: str
    capacities: str
    access: str
    technology: str
    temperature: int
    line: int
    ways: int
    wires: str
    config: Path | None

    def problem_sets(self) -> list[list[CacheProblem]]:
        """One set of problems, which differ in access type, per capacity and memory; all options checked."""
        if self.config is not None:
            _refuse_beside_configuration(self)
            return [[load_problem(self.config)[1]]]
        technology, path = technology_from_text(self.technology, self.temperature)
        access = _access_types(self.access)
        _check_geometry(self)
        sets = []
        for capacity in capacities_of(self.capacities, self):
            for memory in listed(self.memories, "--memory"):
                spec = CacheSpec(
                    memory, capacity, technology, _cell(memory), self.line * 8, self.ways, self.wires, path
                )
                sets.append(problems_by_access(spec, access))
        return sets


def _refuse_beside_configuration(request: CacheRequest) -> None:
    """A configuration says everything about the cache: other options must not contradict it."""
    for name, default in DEFAULTS.items():
        if getattr(request, name) != default:
            raise InputError(f"--{OPTIONS.get(name, name)} excludes --config, which takes it from {request.config}")


def listed(text: str, option: str) -> list[str]:
    """Items of a comma-separated option."""
    items = [item.strip() for item in text.split(",") if item.strip()]
    if not items:
        raise InputError(f"{option} '{text}' names nothing")
    return items


def capacities_of(text: str, request: CacheRequest) -> list[int]:
    """Capacities [bytes] of a list such as ``512KB,1MB..4MB``, checked, each once in the order given."""
    capacities: list[int] = []
    for item in listed(text, "--capacity"):
        first, dots, last = item.partition("..")
        if dots:
            capacities += _capacity_range(item, parse_capacity(first), parse_capacity(last), request)
        else:
            capacities.append(parse_capacity(item))
            _check_capacity(capacities[-1], request)
    return list(dict.fromkeys(capacities))


def _capacity_range(text: str, low: int, high: int, request: CacheRequest) -> list[int]:
    """Legal capacities of a range: whole multiples of the largest unit of its lower end."""
    _check_capacity(low, request)
    _check_capacity(high, request)
    if low > high:
        raise InputError(f"--capacity {text}: give the smaller capacity first")
    unit = next(size for size in sorted(CAPACITIES.values(), reverse=True) if low % size == 0)
    return [capacity for capacity in range(low, high + 1, unit) if _odd_part(capacity) <= LARGEST_ODD]


def _odd_part(capacity: int) -> int:
    """A capacity without its factors of two."""
    return capacity >> ((capacity & -capacity).bit_length() - 1)


def _cell(memory: str) -> Cell:
    """Cell of a memory technology's short name, or of a file."""
    if memory not in MEMORY_NAMES and not memory.endswith(".cell"):
        names = ", ".join(MEMORY_NAMES)
        raise InputError(f"memory '{memory}' is not known: known are {names}, and paths of .cell files")
    return load_cell(MEMORY_NAMES.get(memory, memory))


def _access_types(text: str) -> list[str]:
    """Access types, checked."""
    chosen = listed(text, "--access")
    for access in chosen:
        if access not in ACCESS_TYPES:
            raise InputError(f"access '{access}' is not one of {', '.join(ACCESS_TYPES)}")
    return list(dict.fromkeys(chosen))


def _check_geometry(request: CacheRequest) -> None:
    """Line and ways must be powers of two within reason."""
    for name, value, high in (("line", request.line, 8192), ("ways", request.ways, 256)):
        if value < 1 or value > high or value & (value - 1):
            raise InputError(f"--{name} {value}: give a power of two from 1 to {high}")


def _check_capacity(capacity: int, request: CacheRequest) -> None:
    """A capacity must hold a set and have rows that scale (see docs/model.md, any capacity)."""
    least = request.line * request.ways
    if capacity < 2 * least or capacity > LARGEST_CAPACITY:
        raise InputError(f"--capacity: {capacity} bytes; give from {2 * least} bytes (two sets) to 4GB")
    odd = _odd_part(capacity)
    if odd > LARGEST_ODD:
        raise InputError(
            f"--capacity: {capacity} bytes is {odd} times a power of two; give up to {LARGEST_ODD} times one, as 3MB"
        )
