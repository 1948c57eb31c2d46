"""SOT-MRAM subarrays whose cells are read and written through paths of their own.

Such a cell has two access transistors. A read opens the read word line and senses the MTJ through the read bitline; a
write opens the write word line and drives a current along the heavy-metal line through the write bitline. Each
path is therefore a subarray of NVSim's MRAM with its own transistor, currents, word line, row decoder, column
multiplexers and their decoders; both lie around the same cells. Sense amplifiers and prechargers belong to the read
path alone. Word lines and bitlines of both paths run across the whole array and are as long as each other.

NVSim has no such cell. A cell with one shared word line and transistor is NVSim's MRAM cell, to the last digit.
Structure of the cell: Prenat et al., IEEE TMSCS 2(1), 2016 (reference [25] of DeepNVM++), figure of the three-terminal
cell; DeepNVM++ section II and Table I (3 write fins, 1 read fin).
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.array.cells.bitline import DrivenBitline, SettlingBitline, cell_access, line_currents, lines
from dse.objectives.array.cells.write import read_power
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.sense_amp import SenseAmps
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.technology import Technology
from dse.objectives.array.hierarchy.subarray import (
    Periphery,
    Stages,
    Subarray,
    SubarrayEnergies,
    SubarrayStages,
    SubarrayTiming,
    assemble,
    size_periphery,
    subarray,
    subarray_timing,
)
from dse.spaces.array.mat import MatGeometry


@dataclass(frozen=True, slots=True)
class TwoPathStages:
    """What the latencies of both paths of a subarray are made of."""

    reading: SubarrayStages
    writing: SubarrayStages

    def take(self, rows: Ints) -> "TwoPathStages":
        """Return the stages of the subarrays at `rows`."""
        return TwoPathStages(self.reading.take(rows), self.writing.take(rows))

    @property
    def bitline(self) -> DrivenBitline | SettlingBitline:
        """Read bitlines."""
        return self.reading.bitline

    @property
    def bitline_mux(self) -> Floats:
        """Delay of the first multiplexer of a read [s]."""
        return self.reading.bitline_mux

    @property
    def output_mux_1(self) -> Floats:
        """Delay of the second multiplexer of a read [s]."""
        return self.reading.output_mux_1

    @property
    def output_mux_2(self) -> Floats:
        """Delay of the third multiplexer of a read [s]."""
        return self.reading.output_mux_2

    @property
    def sense_amp(self) -> Floats:
        """Delay of the sense amplifier [s]."""
        return self.reading.sense_amp

    @property
    def charge(self) -> Floats:
        """Time to charge a write bitline [s]."""
        return self.writing.charge


def two_path_subarray(geometry: MatGeometry, circuit: Circuit) -> Subarray:
    """Subarrays around cells with separate paths, each with its decoders beside and its multiplexers below."""
    reading = subarray(geometry, read_path(circuit))
    writing = _writing(geometry, write_path(circuit))
    energy = SubarrayEnergies(
        read_energy=reading.energy.read_energy,
        write_energy=writing.energy.write_energy,
        set_energy=writing.energy.set_energy,
        reset_energy=writing.energy.reset_energy,
        cell_read_energy=reading.energy.cell_read_energy,
        cell_set_energy=writing.energy.cell_set_energy,
        cell_reset_energy=writing.energy.cell_reset_energy,
    )
    return Subarray(
        kept=reading.kept & writing.kept,
        line=reading.line,
        height=reading.height + (writing.height - writing.line.bitline_length),
        width=reading.width + (writing.width - writing.line.wordline_length),
        energy=energy,
        leakage=reading.leakage + writing.leakage,
        stages=TwoPathStages(one_path(reading.stages), one_path(writing.stages)),
    )


def two_path_timing(stages: TwoPathStages, ramp: Floats, circuit: Circuit) -> SubarrayTiming:
    """Latencies of reads and writes through their own paths, for predecoded lines of slope `ramp` [1/s]."""
    reading = subarray_timing(stages.reading, ramp, read_path(circuit))
    writing = subarray_timing(stages.writing, ramp, write_path(circuit))
    return SubarrayTiming(
        read_latency=reading.read_latency,
        write_latency=writing.write_latency,
        set_latency=writing.set_latency,
        reset_latency=writing.reset_latency,
        row_decoder_latency=reading.row_decoder_latency,
        bitline_latency=reading.bitline_latency,
        column_decoder_latency=reading.column_decoder_latency,
    )


def read_path(circuit: Circuit) -> Circuit:
    """The circuit as a read sees it: bitlines carry the current through the MTJ, writes never pass them."""
    cell = circuit.cell
    current = read_current(cell, circuit.technology)
    seen = replace(cell, separate_paths=False, set_current=current, reset_current=current)
    return replace(circuit, cell=seen)


def write_path(circuit: Circuit) -> Circuit:
    """The circuit as a write sees it: the heavy-metal line in series with its transistor loads the multiplexers."""
    cell = replace(circuit.cell, separate_paths=False, access_width_f=circuit.cell.write_access_width_f)
    series = cell.write_resistance + cell_access(cell, circuit.technology).resistance
    return replace(circuit, cell=replace(cell, resistance_on=series, heavy_metal_resistance=cell.write_resistance))


def read_current(cell: Cell, technology: Technology) -> float:
    """Current [A] through a cell that is sensed: given, or its read power over the supply voltage."""
    return cell.read_current or read_power(cell, technology) / technology.vdd


def _writing(geometry: MatGeometry, circuit: Circuit) -> Subarray:
    """The write path alone: neither sense amplifiers nor prechargers."""
    line, currents = lines(geometry, circuit), line_currents(geometry, circuit)
    sized = size_periphery(geometry, line, currents, circuit)
    return assemble(geometry, line, currents, _without_reading(sized), circuit)


def _without_reading(periphery: Periphery) -> Periphery:
    """The same circuits less those that only a read uses."""
    nothing = np.zeros_like(periphery.precharger.height)
    sense = SenseAmps(np.ones(len(nothing), bool), *[nothing] * (len(fields(SenseAmps)) - 1))
    charger = replace(periphery.precharger, height=nothing, energy=nothing, leakage=nothing)
    return replace(periphery, precharger=charger, sense_amps=sense)


def one_path(stages: Stages) -> SubarrayStages:
    """The stages of subarrays that have one path."""
    if not isinstance(stages, SubarrayStages):
        raise TypeError("one path expected")
    return stages
