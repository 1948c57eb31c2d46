"""Subarrays: cells with their decoders, prechargers, sense amplifiers and multiplexers.

Source: NVSim SubArray.cpp. Everything but the latencies is a property of the subarray alone and computed once
per distinct one; latencies depend on the slope of the predecoded signals, which differs from mat to mat.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from dse.batch import Batch, Bools, Floats, Ints, distinct
from dse.objectives.array.cells.bitline import (
    DrivenBitline,
    LineCurrents,
    Lines,
    SettlingBitline,
    bitline,
    cell_access,
    line_currents,
    lines,
    sensing,
)
from dse.objectives.array.cells.write import cell_write, is_crosspoint, read_power
from dse.objectives.array.circuits.circuit import ERASE_SCHEMES, Circuit
from dse.objectives.array.circuits.gates import inverter_leakage
from dse.objectives.array.circuits.mux import Mux, mux, pass_transistor_width
from dse.objectives.array.circuits.precharger import Precharger, precharger
from dse.objectives.array.circuits.row_decoder import (
    Decoder,
    DecoderStages,
    decoder,
    decoder_stages,
    row_decoder_inputs,
    size_drivers,
)
from dse.objectives.array.circuits.sense_amp import SenseAmps, sense_amps
from dse.objectives.array.circuits.signal import SHARP_RAMP, horowitz
from dse.objectives.array.circuits.transistor import SMALLEST_WIDTH, gate_cap
from dse.spaces.array.mat import MatGeometry

PHYSICAL_RULES = (
    "a bitline has so many cells that their leakage hides the selected one",
    "drivers or multiplexers cannot supply the write current",
    "sense amplifiers do not fit the pitch of their bitlines",
    "crosspoint cells need two bitlines per sense amplifier",
    "the read voltages of both states are closer than the sense amplifier resolves",
)
"""Physical rules of a subarray, in the order of `Subarray.kept`."""


@dataclass(frozen=True, slots=True)
class Periphery:
    """The circuits around the cells of distinct subarrays."""

    row_decoder: Decoder
    column_decoders: tuple[Decoder, Decoder, Decoder]
    precharger: Precharger
    sense_amps: SenseAmps
    bitline_mux: Mux
    output_mux_1: Mux
    output_mux_2: Mux


@dataclass(frozen=True, slots=True)
class SubarrayEnergies(Batch):
    """Energy per access [J]: of the subarray, and of the selected cells alone."""

    read_energy: Floats
    write_energy: Floats
    set_energy: Floats
    reset_energy: Floats
    cell_read_energy: Floats
    cell_set_energy: Floats
    cell_reset_energy: Floats


@dataclass(frozen=True, slots=True)
class SubarrayStages:
    """What the latencies of a subarray are made of, apart from the slope of the address.

    `bitline_mux`, `output_mux_1`, `output_mux_2`, `sense_amp`: fixed delays [s]; `charge`: time [s] to
    charge a bitline through the multiplexers.
    """

    row_decoder: DecoderStages
    column_decoders: tuple[DecoderStages, DecoderStages]
    bitline: DrivenBitline | SettlingBitline
    bitline_mux: Floats
    sense_amp: Floats
    output_mux_1: Floats
    output_mux_2: Floats
    charge: Floats

    def take(self, rows: Ints) -> "SubarrayStages":
        """Return the stages of the subarrays at `rows`."""
        one, other = self.column_decoders
        return SubarrayStages(
            self.row_decoder.take(rows),
            (one.take(rows), other.take(rows)),
            self.bitline.take(rows),
            self.bitline_mux[rows],
            self.sense_amp[rows],
            self.output_mux_1[rows],
            self.output_mux_2[rows],
            self.charge[rows],
        )


class Stages(Protocol):
    """Stages of the latencies of subarrays: `SubarrayStages` where reads and writes take one path."""

    @property
    def bitline(self) -> DrivenBitline | SettlingBitline: ...  # noqa: D102

    @property
    def bitline_mux(self) -> Floats: ...  # noqa: D102

    @property
    def sense_amp(self) -> Floats: ...  # noqa: D102

    @property
    def output_mux_1(self) -> Floats: ...  # noqa: D102

    @property
    def output_mux_2(self) -> Floats: ...  # noqa: D102

    @property
    def charge(self) -> Floats: ...  # noqa: D102

    def take(self, rows: Ints) -> "Stages": ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Subarray:
    """Distinct subarrays: layout [m], energies [J], leakage [W], and the stages of their latencies.

    `kept` has shape (len(PHYSICAL_RULES), n) and is False where a rule is broken.
    """

    kept: Bools
    line: Lines
    height: Floats
    width: Floats
    energy: SubarrayEnergies
    leakage: Floats
    stages: Stages


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


def subarray(geometry: MatGeometry, circuit: Circuit) -> Subarray:
    """Characterize subarrays; `geometry` should hold each distinct one once.

    Source: SubArray.cpp, Initialize, CalculateArea and CalculatePower.
    """
    line, currents = lines(geometry, circuit), line_currents(geometry, circuit)
    return assemble(geometry, line, currents, size_periphery(geometry, line, currents, circuit), circuit)


def assemble(
    geometry: MatGeometry, line: Lines, currents: LineCurrents, periphery: Periphery, circuit: Circuit
) -> Subarray:
    """Put cells and sized circuits together: layout, energies, leakage and stages."""
    width, height = _layout(line, periphery, circuit)
    return Subarray(
        kept=_kept(geometry, currents.bitline, currents.legal, periphery, circuit),
        line=line,
        height=height,
        width=width,
        energy=_energies(geometry, line, periphery, circuit),
        leakage=_leakage(geometry, periphery, circuit),
        stages=_stages(line, periphery, circuit),
    )


def size_periphery(geometry: MatGeometry, line: Lines, currents: LineCurrents, circuit: Circuit) -> Periphery:
    """Size every circuit around the cells (SubArray.cpp, Initialize)."""
    bitline_current = currents.bitline
    row_decoder, column_decoders = _decoders(geometry, line, currents.wordline, bitline_current, circuit)
    sense = _sense_amps(geometry, line, circuit)
    columns, kinds = distinct(geometry.columns)
    chargers = precharger(
        geometry.columns[columns].astype(float), circuit.cell, circuit.wire, circuit.largest_nmos,
        circuit.technology,
    )
    width = pass_transistor_width(bitline_current, circuit.cell, circuit.largest_nmos, circuit.technology)
    nothing = np.zeros(len(geometry))
    outputs = geometry.columns / geometry.mux_sense_amp
    first, second = geometry.mux_output_1, geometry.mux_output_2
    mux_2 = mux(second, outputs / first / second, nothing, nothing, width, circuit.technology)
    mux_1 = mux(first, outputs / first, mux_2.load, mux_2.pass_cap, width, circuit.technology)
    load, next_cap = (sense.load, sense.load) if circuit.internal_sensing else (mux_1.load, mux_1.pass_cap)
    bitline_mux = mux(geometry.mux_sense_amp, outputs, load, next_cap, width, circuit.technology)
    return Periphery(row_decoder, column_decoders, chargers.take(kinds), sense, bitline_mux, mux_1, mux_2)


def _decoders(
    geometry: MatGeometry, line: Lines, wordline_current: Floats, bitline_current: Floats, circuit: Circuit
) -> tuple[Decoder, tuple[Decoder, Decoder, Decoder]]:
    """Wordline decoder, and decoders of the three multiplexers; equal drivers are sized once."""
    smallest = SMALLEST_WIDTH * circuit.technology.feature_size
    select_width = np.maximum(bitline_current / circuit.technology.current_on_nmos, smallest)
    select_cap = gate_cap(select_width, circuit.technology) * geometry.columns + line.select_cap
    muxes = (geometry.mux_sense_amp, geometry.mux_output_1, geometry.mux_output_2)
    no_way_select, no_current = np.zeros(len(geometry), bool), np.zeros(len(geometry))
    rows = np.concatenate([geometry.rows, *muxes])
    inputs = np.concatenate([
        row_decoder_inputs(geometry.rows, geometry.way_select),
        *(row_decoder_inputs(ways, no_way_select) for ways in muxes),
    ])
    cap = np.concatenate([line.wordline_cap, select_cap, select_cap, select_cap])
    current = np.concatenate([wordline_current, no_current, no_current, no_current])
    resistance, buffer = np.tile(line.wordline_resistance, 4), np.tile(geometry.buffer_design, 4)
    first, number = distinct(inputs, buffer, cap, resistance, current)
    drivers = size_drivers(
        inputs[first], cap[first], resistance[first], buffer[first], current[first],
        circuit.largest_nmos, circuit.technology,
    )
    stages = decoder_stages(inputs[first], drivers, number, circuit.technology)
    row, *column = (
        decoder(rows[part], inputs[part], drivers, number[part], stages.take(part), circuit.technology)
        for part in np.split(np.arange(len(rows)), 4)
    )
    return row, (column[0], column[1], column[2])


def _sense_amps(geometry: MatGeometry, line: Lines, circuit: Circuit) -> SenseAmps:
    """Sense amplifiers under the bitlines that share one; none where the bank senses."""
    count = geometry.columns // geometry.mux_sense_amp
    if not circuit.internal_sensing:
        nothing = np.zeros(len(geometry))
        return SenseAmps(np.ones(len(geometry), bool), *[nothing] * 5)
    cell = circuit.cell
    pitch = line.wordline_length / geometry.columns * geometry.mux_sense_amp
    current_sensing = cell.kind != "SRAM" and cell.read_mode == "current"
    return sense_amps(
        count.astype(float), pitch, cell.min_sense_voltage, circuit.technology, circuit.quirks,
        current_sensing=current_sensing,
    )


def _kept(
    geometry: MatGeometry, bitline_current: Floats, bitline_legal: Bools, periphery: Periphery, circuit: Circuit
) -> Bools:
    """Which of PHYSICAL_RULES each subarray keeps."""
    widest = circuit.largest_nmos * circuit.technology.feature_size
    smallest = SMALLEST_WIDTH * circuit.technology.feature_size
    select_width = np.maximum(bitline_current / circuit.technology.current_on_nmos, smallest)
    decoders = (periphery.row_decoder, *periphery.column_decoders)
    drives = np.logical_and.reduce([part.fits for part in decoders]) & (select_width <= widest)
    needs_pairs = circuit.cell.kind == "memristor" and circuit.internal_sensing
    paired = geometry.mux_sense_amp >= (2 if needs_pairs else 1)
    sensed = circuit.cell.kind == "SRAM" or sensing(circuit).possible
    return np.stack([
        bitline_legal, drives, periphery.sense_amps.fits, paired, np.full(len(geometry), sensed)
    ])


def _layout(line: Lines, periphery: Periphery, circuit: Circuit) -> tuple[Floats, Floats]:
    """Width and height [m]: decoders beside the cells, the rest below (SubArray.cpp, CalculateArea)."""
    wide, high = line.wordline_length, line.bitline_length
    row, charge = periphery.row_decoder, periphery.precharger
    folded_width = row.height * row.width / high
    added_width = np.where(row.height > high, folded_width, row.width)
    for part in periphery.column_decoders:
        added_width = np.maximum(added_width, part.width)
    width_to_fill = charge.width if circuit.quirks.precharger_folds_by_own_width else wide
    added_height = np.where(
        charge.width > wide, charge.height * charge.width / width_to_fill, charge.height
    )
    added_height = added_height + periphery.bitline_mux.height
    added_height = added_height + periphery.sense_amps.height
    added_height = added_height + periphery.output_mux_1.height + periphery.output_mux_2.height
    return wide + added_width, high + added_height


def _bitline_cap(line: Lines, periphery: Periphery, circuit: Circuit) -> Floats:
    """Capacitance [F] that moves with one bitline."""
    access = cell_access(circuit.cell, circuit.technology)
    return access.cap + line.bitline_cap + periphery.bitline_mux.pass_cap


def _bitline_read_energy(
    geometry: MatGeometry, line: Lines, periphery: Periphery, circuit: Circuit
) -> Floats:
    """Energy [J] of the bitlines of a read; all columns move (SubArray.cpp, CalculatePower)."""
    cap = _bitline_cap(line, periphery, circuit)
    if circuit.cell.kind == "SRAM":
        precharge = circuit.technology.vdd / 2
        return cap * precharge * precharge * geometry.columns
    levels = sensing(circuit)
    if circuit.cell.read_mode == "voltage":
        swing = levels.precharge * levels.precharge - levels.low * levels.low
        return cap * swing * geometry.columns
    return _current_read_energy(line, periphery, circuit) * geometry.columns


def _current_read_energy(line: Lines, periphery: Periphery, circuit: Circuit) -> Floats:
    """Energy [J] of one bitline read by current: the voltage falls along it (ICCAD 2009 model)."""
    access = cell_access(circuit.cell, circuit.technology)
    through, along = periphery.bitline_mux.pass_resistance, line.bitline_resistance
    total = through + along + sensing(circuit).on
    near = circuit.cell.read_voltage * through / total
    far = circuit.cell.read_voltage * (through + along) / total
    return (
        access.cap * far * far
        + periphery.bitline_mux.pass_cap * near * near
        + line.bitline_cap * (far * far + near * near + far * near) / 3
    )


def _energies(
    geometry: MatGeometry, line: Lines, periphery: Periphery, circuit: Circuit
) -> SubarrayEnergies:
    """Energy per access of subarray and selected cells (SubArray.cpp, CalculatePower)."""
    ways = _ways_sharing_a_write(circuit)
    selected = geometry.columns // geometry.mux_sense_amp // geometry.mux_output_1 // geometry.mux_output_2
    bitline_cap = _bitline_cap(line, periphery, circuit)
    nothing = np.zeros(len(geometry))
    if circuit.cell.kind == "SRAM":
        precharge = circuit.technology.vdd / 2
        cell_read = cell_set = cell_reset = nothing
        write = bitline_cap * precharge * precharge * selected / ways
    else:
        power = 2 * read_power(circuit.cell, circuit.technology)  # a reference cell draws as much
        cell_read = power * periphery.sense_amps.delay * selected
        written = cell_write(bitline_cap, selected, circuit)
        cell_set, cell_reset, write = written.set / ways, written.reset / ways, written.write / ways
    row, columns = periphery.row_decoder, periphery.column_decoders
    mux_0, mux_1, mux_2 = periphery.bitline_mux, periphery.output_mux_1, periphery.output_mux_2

    def with_column_circuits(start: Floats) -> Floats:
        decoders = start + columns[0].energy + columns[1].energy + columns[2].energy
        return decoders + mux_0.energy + mux_1.energy + mux_2.energy

    read = cell_read + row.energy + columns[0].energy + columns[1].energy + columns[2].energy
    read = read + periphery.precharger.energy + mux_0.energy + periphery.sense_amps.energy
    set_total = with_column_circuits(cell_set)
    reset_start = set_total if circuit.quirks.reset_energy_includes_set else cell_reset
    write = write + with_column_circuits(row.energy)
    if circuit.cell.access in ("diode", "none") and circuit.quirks.crosspoint_counts_multiplexers_twice:
        write = write + (mux_0.energy + mux_1.energy + mux_2.energy)
    return SubarrayEnergies(
        read_energy=_bitline_read_energy(geometry, line, periphery, circuit) + (read + mux_1.energy + mux_2.energy),
        write_energy=write,
        set_energy=set_total,
        reset_energy=with_column_circuits(reset_start),
        cell_read_energy=cell_read,
        cell_set_energy=cell_set,
        cell_reset_energy=cell_reset,
    )


def _ways_sharing_a_write(circuit: Circuit) -> int:
    """Ways by which NVSim divides the write energy: all of a set that lies side by side."""
    spec = circuit.spec
    if not spec.row_holds_all_ways or (spec.is_tag and not circuit.quirks.tag_write_energy_per_way):
        return 1
    return spec.cache_ways


def _leakage(geometry: MatGeometry, periphery: Periphery, circuit: Circuit) -> Floats:
    """Leakage [W] of cells and periphery; resistive cells do not leak (SubArray.cpp, CalculatePower)."""
    columns = periphery.column_decoders
    around = periphery.row_decoder.leakage + columns[0].leakage + columns[1].leakage + columns[2].leakage
    around = around + periphery.precharger.leakage + periphery.sense_amps.leakage
    if circuit.cell.kind != "SRAM":
        return around
    return sram_cell_leakage(circuit) * (geometry.rows * geometry.columns) + around


def sram_cell_leakage(circuit: Circuit) -> float:
    """Leakage [W] of an SRAM cell: two inverters, and its access transistors counted as one (CalculatePower)."""
    cell, technology = circuit.cell, circuit.technology
    feature, vdd = technology.feature_size, technology.vdd
    inverter = inverter_leakage(cell.sram_nmos_width_f * feature, cell.sram_pmos_width_f * feature, technology)
    access = inverter_leakage(cell.access_width_f * feature, 0.0, technology)
    return float(inverter * vdd * 2 + access * vdd)


def _stages(line: Lines, periphery: Periphery, circuit: Circuit) -> SubarrayStages:
    """Collect what the latencies need."""
    mux_0, mux_1, mux_2 = periphery.bitline_mux, periphery.output_mux_1, periphery.output_mux_2
    pass_cap = mux_0.pass_cap + mux_1.pass_cap + mux_2.pass_cap
    resistance = mux_0.pass_resistance + mux_1.pass_resistance + mux_2.pass_resistance
    tau = resistance * (pass_cap + line.bitline_cap) + line.bitline_resistance * line.bitline_cap / 2
    return SubarrayStages(
        row_decoder=periphery.row_decoder.stages,
        column_decoders=_column_circuits(periphery.column_decoders),
        bitline=bitline(line, mux_0.load, circuit),
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
    """Latencies of subarrays whose predecoded lines arrive with slope `ramp` [1/s] (CalculateLatency)."""
    wordline = stages.row_decoder.delay(ramp)
    one, other = stages.column_decoders
    column = np.maximum(one.delay(ramp).delay, other.delay(ramp).delay)
    settled = stages.bitline.delay(wordline.ramp)
    read = np.maximum(wordline.delay, column) + settled + stages.bitline_mux + stages.sense_amp
    read = read + stages.output_mux_1 + stages.output_mux_2
    write, set_latency, reset = _write_latencies(read, wordline.delay, column, stages.charge, circuit)
    return SubarrayTiming(read, write, set_latency, reset, wordline.delay, settled, column)


def _write_latencies(
    read: Floats, row: Floats, column: Floats, charge: Floats, circuit: Circuit
) -> tuple[Floats, Floats, Floats]:
    """Write, SET and RESET latencies [s]; SET and RESET are zero where NVSim leaves them out."""
    cell, quirks = circuit.cell, circuit.quirks
    zero = np.zeros_like(read)
    ready = np.maximum(row, column + charge)
    if cell.kind == "SRAM":
        return (read if quirks.sram_write_as_slow_as_read else ready), zero, zero
    if is_crosspoint(circuit):
        if circuit.write_scheme in ERASE_SCHEMES:
            ready = np.maximum(row, charge)
        both = cell.reset_pulse + cell.set_pulse
        if not quirks.crosspoint_charges_bitline_twice:
            return ready + both, ready + cell.set_pulse, ready + cell.reset_pulse
        return ready + charge + both, zero, zero
    return ready + max(cell.reset_pulse, cell.set_pulse), ready + cell.set_pulse, ready + cell.reset_pulse
