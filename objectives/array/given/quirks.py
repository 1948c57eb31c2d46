"""NVSim's defects and odd choices, each under a named switch.

`NVSIM` turns every switch on, which reproduces NVSim to the digit and is the default.
A switch turned off gives the behavior its line names after "corrected".
All sources are files and functions of NVSim at commit 6334d00.
"""

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Quirks:
    """Switches over NVSim behaviors; True reproduces NVSim, False is the corrected behavior."""

    tag_write_energy_per_way: bool = True
    """SubArray.cpp, CalculatePower: outside sequential access a subarray's write energy is divided by the
    cache's associativity, in tag arrays too. Corrected: a tag write is charged in full."""

    tag_columns_cover_ways: bool = True
    """SubArray.cpp, Initialize: outside sequential access a subarray must have as many columns as the cache
    has ways, tags too. Corrected: demanded of data arrays only, which hold all ways of a set in a row. Moot
    where ways are a power of two: a tag is at least as wide as its activated subarrays."""

    reset_energy_includes_set: bool = True
    """SubArray.cpp, CalculatePower: the RESET energy of a subarray holds its whole SET energy, peripheral
    circuits included, in place of the energy of the reset cells. Corrected: that of the reset cells."""

    precharger_folds_by_own_width: bool = True
    """SubArray.cpp, CalculateArea: a precharger wider than the array is folded to area / its own width, that
    is not folded at all. Corrected: area / width of the array."""

    sram_write_as_slow_as_read: bool = True
    """SubArray.cpp, CalculateLatency: an SRAM write takes as long as a read, sensing included.
    Corrected: the slower of row decoder and column decoder plus bitline charging."""

    two_level_horizontal_tree: bool = True
    """BankWithHtree.cpp, Initialize: with exactly four mats per row the tree has half as many vertical wire
    bundles as the general rule gives. Corrected: the general rule."""

    unrepeated_wire_without_area: bool = True
    """BankWithHtree.cpp and BankWithoutHtree.cpp, CalculateArea: global wires without repeaters take no area.
    Corrected: each takes its pitch, which also lengthens the wires of an H-tree that cross it."""

    tag_write_wire_energy_per_way: bool = True
    """BankWithHtree.cpp and BankWithoutHtree.cpp, CalculateLatencyAndPower: in fast access the energy of the
    write wires is divided by the associativity, in tag arrays too. Corrected: in data arrays only."""

    aspect_ratio_of_data_only: bool = True
    """BankWithHtree.cpp and BankWithoutHtree.cpp, CalculateArea: the aspect ratio limit of 10 applies to data
    arrays only. Corrected: to tag arrays as well."""

    set_energy_tests_reset_voltage: bool = True
    """MemCell.cpp, CalculateWriteEnergy: the SET energy of a current-mode cell is taken from the supply
    when the RESET voltage is zero. Corrected: when the SET voltage is zero."""

    sense_amp_leakage_times_vdd_squared: bool = True
    """SenseAmp.cpp, CalculatePower: the idle current is multiplied by Vdd twice. Corrected: once."""

    converter_steps_over_nodes: bool = True
    """SenseAmp.cpp: delay, energy and leakage of the current-to-voltage converter are a step table over
    nodes. Corrected: interpolated linearly between the nodes of the table."""

    normal_access_adds_column_decoder: bool = True
    """Result.cpp, printAsCache: in normal access the column decoder is added to the hit latency although the
    mat's read latency already holds it. Corrected: not added again."""

    predecoder_last_stage_free: bool = True
    """PredecodeBlock.cpp, CalculatePower: the second-level gates of predecoders of ten bits and more take
    neither energy nor leakage. Corrected: both are counted."""

    predecoder_paths_share_first_delay: bool = True
    """PredecodeBlock.cpp, CalculateLatency: the path through a predecoder's three-bit decoders is charged the
    delay of its two-bit decoders. Corrected: each path its own first stage."""

    overlap_cap_of_lower_node: bool = True
    """Technology.cpp, InterpolateWith: the gate overlap capacitance is not interpolated between nodes.
    Corrected: a fifth of the interpolated ideal gate capacitance."""

    interpolation_above_120nm_over_60nm: bool = True
    """main.cpp: between 120 and 200 nm the interpolation weight is (node - 120) / 60, so that nodes above
    180 nm extrapolate. Corrected: / 80."""

    repeater_search_stops_early: bool = True
    """Wire.cpp, findPenalizedRepeater: the repeater size is not reset after the first spacing, so that only
    the optimal spacing is searched. Corrected: all sizes at every spacing."""

    crosspoint_charges_bitline_twice: bool = True
    """SubArray.cpp, CalculateLatency: the write of diode and selector-free memristor and MRAM cells adds the
    bitline charge time twice, and their SET and RESET latencies leave the subarray out.
    Corrected: charged once, SET and RESET latencies computed as for transistor-accessed cells."""

    crosspoint_counts_multiplexers_twice: bool = True
    """SubArray.cpp, CalculatePower: writes of diode and selector-free cells count the energy of multiplexers
    twice. Corrected: once."""

    def without(self, *names: str) -> "Quirks":
        """Return these switches with those named turned off; unknown names raise ValueError."""
        known = {field.name for field in fields(self)}
        if unknown := set(names) - known:
            raise ValueError(f"no such quirk: {', '.join(sorted(unknown))}")
        return replace(self, **dict.fromkeys(names, False))


NVSIM = Quirks()
"""Every NVSim behavior on."""
