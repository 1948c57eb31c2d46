"""How long subarrays take to read, write, set and reset.

Latencies depend on the slope of the predecoded signals, which differs from mat to mat; what they are made of does not.
Source: NVSim SubArray.cpp, CalculateLatency.
"""

from dataclasses import dataclass, replace

import numpy as np

from dse.batch import Batch, Floats, Ints
from dse.objectives.array.circuits.cell_physics import (
    Arrivals,
    Bitline,
    Lines,
)
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.row_decoder import Decoder, DecoderStages
from dse.objectives.array.circuits.signal import SHARP_RAMP, horowitz
from dse.objectives.array.hierarchy.periphery import Periphery


@dataclass(frozen=True, slots=True)
class PathStages:
    """What the latencies of one path through subarrays are made of, apart from the slope of the address.

    `bitline_mux`, `output_mux_1`, `output_mux_2`, `sense_amp`: fixed delays [s]; `charge`: time [s] to
    charge a bitline through the multiplexers.
    """

    row_decoder: DecoderStages
    column_decoders: tuple[DecoderStages, DecoderStages]
    bitline: Bitline
    bitline_mux: Floats
    sense_amp: Floats
    output_mux_1: Floats
    output_mux_2: Floats
    charge: Floats

    def take(self, rows: Ints) -> "PathStages":
        """Return the stages of the subarrays at `rows`."""
        one, other = self.column_decoders
        return PathStages(
            row_decoder=self.row_decoder.take(rows),
            column_decoders=(one.take(rows), other.take(rows)),
            bitline=self.bitline.take(rows),
            bitline_mux=self.bitline_mux[rows],
            sense_amp=self.sense_amp[rows],
            output_mux_1=self.output_mux_1[rows],
            output_mux_2=self.output_mux_2[rows],
            charge=self.charge[rows],
        )


@dataclass(frozen=True, slots=True)
class SubarrayStages:
    """What the latencies of subarrays are made of, along the path of a read and that of a write.

    Both are the same object where cells have one path.
    """

    reading: PathStages
    writing: PathStages

    def take(self, rows: Ints) -> "SubarrayStages":
        """Return the stages of the subarrays at `rows`."""
        reading = self.reading.take(rows)
        return SubarrayStages(reading, reading if self.writing is self.reading else self.writing.take(rows))


@dataclass(frozen=True, slots=True)
class SubarrayTiming(Batch):
    """Latencies of subarrays [s]."""

    read_latency: Floats
    write_latency: Floats
    set_latency: Floats
    reset_latency: Floats
    row_decoder_latency: Floats
    bitline_latency: Floats
    column_decoder_latency: Floats


def path_stages(line: Lines, periphery: Periphery, circuit: Circuit) -> PathStages:
    """Collect what the latencies of a path need.

    A bitline is charged with tau = R (C_mux + C) + r C / 2 (Elmore), R and C_mux the sums over the three multiplexers,
    in t = tau sqrt(ln(v_s)²) with v_s = 1/2 (Horowitz, beta = 0). Source: SubArray.cpp, CalculateLatency.
    """
    mux_0, mux_1, mux_2 = periphery.bitline_mux, periphery.output_mux_1, periphery.output_mux_2
    pass_cap = mux_0.pass_cap + mux_1.pass_cap + mux_2.pass_cap
    resistance = mux_0.pass_resistance + mux_1.pass_resistance + mux_2.pass_resistance
    tau = resistance * (pass_cap + line.bitline_cap) + line.bitline_resistance * line.bitline_cap / 2
    return PathStages(
        row_decoder=periphery.row_decoder.stages,
        column_decoders=_column_circuits(periphery.column_decoders),
        bitline=circuit.physics.bitline(line, mux_0.load, circuit),
        bitline_mux=mux_0.delay,
        sense_amp=periphery.sense_amps.delay,
        output_mux_1=mux_1.delay,
        output_mux_2=mux_2.delay,
        charge=horowitz(tau, 0.0, SHARP_RAMP).delay,
    )


def _column_circuits(decoders: tuple[Decoder, Decoder, Decoder]) -> tuple[DecoderStages, DecoderStages]:
    """Delay stages of the three multiplexers' decoders.

    All three drive the same load, so that a subarray has at most two kinds: with and without a NAND gate.
    """
    numbers = np.stack([decoder.stages.number for decoder in decoders])
    stages = decoders[0].stages
    return replace(stages, number=numbers.min(axis=0)), replace(stages, number=numbers.max(axis=0))


def subarray_timing(stages: SubarrayStages, ramp: Floats, circuit: Circuit) -> SubarrayTiming:
    """Latencies of subarrays along their paths, for predecoded lines of slope `ramp` [1/s]; each (n,).

    t_read along the path of reads, t_write, t_set and t_reset along that of writes, each as `path_timing` states.
    """
    paths = circuit.physics.paths(circuit)
    reading = path_timing(stages.reading, ramp, paths.reading)
    if stages.writing is stages.reading:
        return reading
    writing = path_timing(stages.writing, ramp, paths.writing)
    return replace(
        reading, write_latency=writing.write_latency, set_latency=writing.set_latency,
        reset_latency=writing.reset_latency,
    )


def path_timing(stages: PathStages, ramp: Floats, circuit: Circuit) -> SubarrayTiming:
    """Latencies along one path, for predecoded lines of slope `ramp` [1/s].

    t_read = max(t_row, t_column) + t_bitline + t_mux + t_sense + t_mux1 + t_mux2, t_column the slowest of the three
    multiplexers' decoders; writes as the cells' `write_latency` states. Source: SubArray.cpp, CalculateLatency.
    """
    wordline = stages.row_decoder.delay(ramp)
    one, other = stages.column_decoders
    column = np.maximum(one.delay(ramp).delay, other.delay(ramp).delay)
    settled = stages.bitline.delay(wordline.ramp)
    read = np.maximum(wordline.delay, column) + settled + stages.bitline_mux + stages.sense_amp
    read = read + stages.output_mux_1 + stages.output_mux_2
    arrivals = Arrivals(read=read, row=wordline.delay, column=column, charge=stages.charge)
    written = circuit.physics.write_latency(arrivals, circuit)
    return SubarrayTiming(
        read_latency=read,
        write_latency=written.write,
        set_latency=written.set,
        reset_latency=written.reset,
        row_decoder_latency=wordline.delay,
        bitline_latency=settled,
        column_decoder_latency=column,
    )
