"""Specifications of caches: one memory, capacity and access type, with what is open of both arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.handed import HandedUp
from dse.objectives.array.given.cell import Cell, read_cell, remark_foreign_node
from dse.objectives.array.given.quirks import NVSIM, Quirks
from dse.objectives.array.given.technology import Technology, load_technology
from dse.objectives.array.hierarchy.array import Fabric
from dse.objectives.cache.metrics import data_handed_up, tag_handed_up
from dse.objectives.cache.nvsim_files.configuration import Configuration
from dse.spaces.array.organization import (
    BUFFER_DESIGNS,
    CACTI,
    FREE,
    OrganizationRanges,
    PowerRange,
    cacti_ranges,
    data_ranges,
    pinned_ranges,
    tag_ranges,
)
from dse.spaces.array.spec import NORMAL, RAM, data_array, tag_array
from dse.spaces.array.wires import (
    BASIC_GLOBAL,
    BASIC_LOCAL,
    DATA_GLOBAL_WIRES,
    DATA_LOCAL_WIRES,
    TAG_GLOBAL_WIRES,
    TAG_LOCAL_WIRES,
    WireRange,
)

DATA, TAG = "data", "tag"
"""Names of the arrays."""


def handed_up(array: str, access: str, quirks: Quirks) -> HandedUp:
    """What an array, by its name, hands up to its cache."""
    prefix = f"{array}_"
    return tag_handed_up(prefix) if array == TAG else data_handed_up(access, quirks, prefix)


@dataclass(frozen=True, slots=True)
class CacheSpec:
    """A cache (or a RAM, without tags) to choose: `capacity` [bytes], `access`, and its arrays by name.

    The data array comes first; a RAM has no other.
    """

    memory: str
    capacity: int
    access: str
    arrays: tuple[tuple[str, ArrayChoice], ...]

    @property
    def data(self) -> ArrayChoice:
        """The data array."""
        return self.arrays[0][1]

    @property
    def fabric(self) -> Fabric:
        """What all arrays are made of."""
        return self.data.fabric

    def with_arrays(self, arrays: Sequence[ArrayChoice]) -> "CacheSpec":
        """The same cache with other arrays, in the same order."""
        names = [name for name, _ in self.arrays]
        return replace(self, arrays=tuple(zip(names, arrays, strict=True)))

    def with_fabric(self, fabric: Fabric) -> "CacheSpec":
        """The same cache made of something else."""
        return self.with_arrays([replace(array, fabric=fabric) for _, array in self.arrays])


@dataclass(frozen=True, slots=True)
class DataChoice:
    """What is open for a data array: ranges by axis, and wires."""

    ranges: OrganizationRanges
    local_wires: WireRange = DATA_LOCAL_WIRES
    global_wires: WireRange = DATA_GLOBAL_WIRES


BASIC_WIRES = (WireRange((BASIC_LOCAL,)), WireRange((BASIC_GLOBAL,)))
"""The local and the global wire NVSim starts from, as ranges of one."""


def cache_spec(
    memory: str, capacity: int, word_bits: int, ways: int, access: str, fabric: Fabric, choice: DataChoice
) -> CacheSpec:
    """Specify a cache; the tag array has NVSim's own ranges and wires whatever the data array's are."""
    ranges = choice.ranges
    if access == NORMAL:
        ranges = replace(ranges, rows_per_set=PowerRange(1, 1))
    data = ArrayChoice(
        data_array(capacity, word_bits, ways, access), ranges, choice.local_wires, choice.global_wires, fabric
    )
    if access == RAM:
        return CacheSpec(memory, capacity, access, ((DATA, data),))
    tag = ArrayChoice(
        tag_array(capacity, word_bits, ways, access), tag_ranges(), TAG_LOCAL_WIRES, TAG_GLOBAL_WIRES, fabric
    )
    return CacheSpec(memory, capacity, access, ((DATA, data), (TAG, tag)))


def spec_from_configuration(configuration: Configuration, quirks: Quirks = NVSIM) -> CacheSpec:
    """The cache that an NVSim configuration asks for; raises InputError where its cell or node is wrong."""
    cell = read_cell(configuration.cell_path)
    remark_foreign_node(cell, configuration.process_node)
    fabric = _fabric(configuration, cell, quirks)
    access = RAM if configuration.design_target == "RAM" else configuration.access
    choice = DataChoice(
        _ranges(configuration),
        WireRange(configuration.local_wire_types, configuration.local_repeaters, configuration.local_low_swing),
        WireRange(configuration.global_wire_types, configuration.global_repeaters, configuration.global_low_swing),
    )
    return cache_spec(
        cell.name, configuration.capacity, configuration.word_bits, configuration.associativity, access, fabric,
        choice,
    )


def _fabric(configuration: Configuration, cell: Cell, quirks: Quirks) -> Fabric:
    """Technology and circuit options of a configuration."""
    technology = load_technology(
        configuration.process_node, configuration.roadmap, configuration.temperature, quirks=quirks
    )
    return Fabric(
        technology, cell, configuration.routing, configuration.internal_sensing, configuration.max_nmos_size,
        configuration.write_scheme, quirks,
    )


def _ranges(configuration: Configuration) -> OrganizationRanges:
    """Ranges of the data array: NVSim's defaults, narrowed by Force* and the CACTI assumption."""
    ranges = data_ranges(configuration.associativity)
    axes: dict[str, int | None] = {
        "mux_sense_amp": configuration.mux_sense_amp,
        "mux_output_1": configuration.mux_output_1,
        "mux_output_2": configuration.mux_output_2,
    }
    if configuration.cacti_assumption:
        ranges = cacti_ranges(ranges)
    for prefix, force in (("bank", configuration.bank_force), ("mat", configuration.mat_force)):
        if force is not None:
            names = (f"{prefix}_rows", f"{prefix}_cols", f"active_{prefix}_rows", f"active_{prefix}_cols")
            axes |= dict(zip(names, force, strict=True))
    buffers = tuple(BUFFER_DESIGNS.index(name) for name in configuration.buffer_designs)
    pinned = {name: value for name, value in axes.items() if value is not None}
    return replace(pinned_ranges(ranges, pinned), buffer_designs=buffers)


def specs_by_access(
    *, memory: str, capacity: int, technology: Technology, cell: Cell, access: Sequence[str], word_bits: int = 512,
    ways: int = 16, wires: str = "basic", organization: str = FREE, technology_path: Path | None = None,
    quirks: Quirks = NVSIM,
) -> list[CacheSpec]:
    """Caches of `capacity` [bytes], one for each access type, over all buffer styles.

    `word_bits`: a line. `wires`: "basic" for NVSim's basic data wires, "all" for every wire. `organization` of the
    data array: "free", or "cacti" for what CACTI assumes.
    """
    remark_foreign_node(cell, technology.node)
    fabric = Fabric(technology, cell, quirks=quirks, technology_path=technology_path)
    local, global_ = BASIC_WIRES if wires == "basic" else (DATA_LOCAL_WIRES, DATA_GLOBAL_WIRES)
    ranges = cacti_ranges(data_ranges(ways)) if organization == CACTI else data_ranges(ways)
    choice = DataChoice(ranges, local, global_)
    return [cache_spec(memory, capacity, word_bits, ways, one, fabric, choice) for one in access]
