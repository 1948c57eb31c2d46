"""The circuits around the cells of a subarray, sized for its lines, and the physical rules they must keep.

Source: NVSim SubArray.cpp, Initialize.
"""

from dataclasses import dataclass, replace

import numpy as np

from dse.batch import Bools, Floats, distinct
from dse.objectives.array.circuits.cell_physics import (
    LineCurrents,
    Lines,
)
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.mux import Mux, mux, pass_transistor_width
from dse.objectives.array.circuits.precharger import Precharger, precharger
from dse.objectives.array.circuits.row_decoder import (
    Decoder,
    decoder,
    decoder_stages,
    row_decoder_inputs,
    size_drivers,
)
from dse.objectives.array.circuits.sense_amp import SenseAmps, no_sense_amps, sense_amps
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


def size_periphery(geometry: MatGeometry, line: Lines, currents: LineCurrents, circuit: Circuit) -> Periphery:
    """Size every circuit around the cells.

    Multiplexers of m_0, m_1 and m_2 inputs have numColumn / m_0, numColumn / (m_0 m_1) and numColumn / (m_0 m_1 m_2)
    outputs; m_1 is loaded by m_2, and m_0 by the sense amplifiers, or by m_1 where the bank senses. Source:
    SubArray.cpp, Initialize.
    """
    bitline_current = currents.bitline
    row_decoder, column_decoders = _decoders(geometry, line, currents.wordline, bitline_current, circuit)
    sense = _sense_amps(geometry, line, circuit)
    columns, kinds = distinct(geometry.columns)
    chargers = precharger(
        geometry.columns[columns].astype(float), circuit.cell, circuit.wire, circuit.largest_nmos,
        circuit.technology,
    )
    beside = circuit.physics.drop_resistance(circuit.cell)
    width = pass_transistor_width(bitline_current, beside, circuit.largest_nmos, circuit.technology)
    nothing = np.zeros(len(geometry))
    outputs = geometry.columns / geometry.mux_sense_amp
    first, second = geometry.mux_output_1, geometry.mux_output_2
    mux_2 = mux(second, outputs / first / second, nothing, nothing, width, circuit.technology)
    mux_1 = mux(first, outputs / first, mux_2.load, mux_2.pass_cap, width, circuit.technology)
    load, next_cap = (sense.load, sense.load) if circuit.internal_sensing else (mux_1.load, mux_1.pass_cap)
    bitline_mux = mux(geometry.mux_sense_amp, outputs, load, next_cap, width, circuit.technology)
    return Periphery(
        row_decoder=row_decoder, column_decoders=column_decoders, precharger=chargers.take(kinds), sense_amps=sense,
        bitline_mux=bitline_mux, output_mux_1=mux_1, output_mux_2=mux_2,
    )


def _decoders(
    geometry: MatGeometry, line: Lines, wordline_current: Floats, bitline_current: Floats, circuit: Circuit
) -> tuple[Decoder, tuple[Decoder, Decoder, Decoder]]:
    """Wordline decoder, and decoders of the three multiplexers; equal drivers are sized once.

    The wordline decoder drives the wordline; the others drive numColumn C_gate(W) + C_wire with W = max(I_bitline /
    I_on, W_min). Source: SubArray.cpp, Initialize.
    """
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
    """Sense amplifiers under the bitlines that share one; none where the bank senses.

    numSenseAmp = numColumn / muxSenseAmp, at a pitch of lenWordline / numColumn * muxSenseAmp. Source: SubArray.cpp,
    Initialize.
    """
    if not circuit.internal_sensing:
        return no_sense_amps(len(geometry))
    count = geometry.columns // geometry.mux_sense_amp
    pitch = line.wordline_length / geometry.columns * geometry.mux_sense_amp
    return sense_amps(
        count.astype(float), pitch, circuit.cell.min_sense_voltage, circuit.technology, circuit.quirks,
        current_sensing=circuit.physics.read_by_current,
    )


def without_reading(periphery: Periphery) -> Periphery:
    """The same circuits less those that only a read uses."""
    nothing = np.zeros_like(periphery.precharger.height)
    charger = replace(periphery.precharger, height=nothing, energy=nothing, leakage=nothing)
    return replace(periphery, precharger=charger, sense_amps=no_sense_amps(len(nothing)))


def rules_kept(
    geometry: MatGeometry, currents: LineCurrents, periphery: Periphery, circuit: Circuit
) -> Bools:
    """Which of PHYSICAL_RULES each subarray keeps, (rules, n).

    Column circuits supply a write if max(I_bitline / I_on, W_min) <= W_max, bitlines suffice if muxSenseAmp is at
    least what the cells need. The rest is decided where currents, drivers, sense amplifiers and cells are. Source:
    SubArray.cpp, Initialize.
    """
    widest = circuit.largest_nmos * circuit.technology.feature_size
    smallest = SMALLEST_WIDTH * circuit.technology.feature_size
    select_width = np.maximum(currents.bitline / circuit.technology.current_on_nmos, smallest)
    decoders = (periphery.row_decoder, *periphery.column_decoders)
    drives = np.logical_and.reduce([part.fits for part in decoders]) & (select_width <= widest)
    fewest = circuit.physics.bitlines_per_sense_amp if circuit.internal_sensing else 1
    sensed = np.full(len(geometry), circuit.physics.sensible(circuit))
    return np.stack([
        currents.legal, drives, periphery.sense_amps.fits, geometry.mux_sense_amp >= fewest, sensed
    ])
