"""Decoders: a NAND gate that combines predecoded lines, followed by a driver.

The same circuit serves as wordline decoder and as decoder of the column multiplexers. Source: NVSim
RowDecoder.cpp and, for its use inside predecoders, BasicDecoder.cpp.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.objectives.array.circuits.gates import nand_cap, nand_layout, nand_leakage
from dse.objectives.array.circuits.output_driver import DriverLoad, OutputDriver, chain_delay, size_output_drivers
from dse.objectives.array.circuits.signal import Signal, horowitz
from dse.objectives.array.circuits.transistor import (
    CELL_REGION_HEIGHT,
    GATE_REGION_HEIGHT,
    SMALLEST_WIDTH,
    gate_cap,
    nmos_on_resistance,
    nmos_transconductance,
)
from dse.objectives.array.given.technology import TECHNOLOGIES, Technology

UNDECODED_ROWS = 8
"""Up to this many rows the predecoder's outputs are used directly."""


@dataclass(frozen=True, slots=True)
class NandTable:
    """First gates of decoders, indexed by their number of inputs (0: no gate; 1 unused; 2; 3).

    `effort` [1] and `driver_input_cap` [F] that size the driver; `height`, `width` [m]; `pin_cap`,
    `output_cap` [F]; `resistance` [ohm]; `beta` [1]; `leakage` [W].
    """

    effort: Floats
    driver_input_cap: Floats
    height: Floats
    width: Floats
    pin_cap: Floats
    output_cap: Floats
    resistance: Floats
    beta: Floats
    leakage: Floats


@lru_cache(maxsize=TECHNOLOGIES)
def nand_table(technology: Technology) -> NandTable:
    """Characterize the gates that decoders start with (RowDecoder.cpp, Initialize and CalculateRC).

    k inputs: logical effort (k + p) / (1 + p), w_n = k w_min, w_p = p w_min; R = k R_on(w_n), beta = 1 / (R g_m),
    P = I_off vdd.
    """
    feature = technology.feature_size
    smallest = SMALLEST_WIDTH * feature
    pmos = technology.pn_size_ratio * SMALLEST_WIDTH * feature
    table = {name: np.zeros(4) for name in NandTable.__dataclass_fields__}
    table["effort"][:] = 1.0
    table["resistance"][:] = table["beta"][:] = 1.0
    table["driver_input_cap"][:2] = gate_cap(smallest, technology) + gate_cap(pmos, technology)
    for inputs in (2, 3):
        nmos = inputs * SMALLEST_WIDTH * feature
        cap = nand_cap(inputs, nmos, pmos, feature * GATE_REGION_HEIGHT, technology)
        resistance = nmos_on_resistance(nmos, technology) * inputs
        height, width = nand_layout(inputs, nmos, pmos, feature * CELL_REGION_HEIGHT, technology)
        table["effort"][inputs] = (inputs + technology.pn_size_ratio) / (1 + technology.pn_size_ratio)
        table["driver_input_cap"][inputs] = table["pin_cap"][inputs] = cap.input
        table["height"][inputs], table["width"][inputs] = height, width
        table["output_cap"][inputs] = cap.output
        table["resistance"][inputs] = resistance
        table["beta"][inputs] = 1 / (resistance * nmos_transconductance(nmos, technology))
        table["leakage"][inputs] = nand_leakage(inputs, pmos, technology) * technology.vdd
    return NandTable(**table)


def row_decoder_inputs(rows: Ints, way_select: Bools) -> Ints:
    """Count the inputs of a row's NAND gate: predecoded lines, and a way select where a set spans several rows.

    None up to 8 rows, else 2, and one more (or 2 in place of none) with a way select.
    Source: RowDecoder.cpp, Initialize.
    """
    return np.where(rows <= UNDECODED_ROWS, np.where(way_select, 2, 0), np.where(way_select, 3, 2))


@dataclass(frozen=True, slots=True)
class DecoderStages:
    """What delays a signal in decoders: `number` of each record's circuit in tables of distinct circuits.

    First gate `gate_tau` [s], `gate_beta` [1], `gated` where there is one; (stages, circuits) matrices of the
    driver behind it: `tau` [s], `beta` [1], `present`.
    """

    number: Ints
    gated: Bools
    gate_tau: Floats
    gate_beta: Floats
    tau: Floats
    beta: Floats
    present: Bools

    def take(self, rows: Ints) -> "DecoderStages":
        """Return the decoders at `rows`."""
        return replace(self, number=self.number[rows])

    def delay(self, ramp: Floats) -> Signal:
        """Transition of the selected line for a `ramp` [1/s]: t_NAND + t_driver (RowDecoder.cpp, CalculateLatency).

        One ramp for all decoders passes each distinct circuit once.
        """
        if ramp.size == 1:
            signal = self._through(np.arange(len(self.gated)), ramp)
            return Signal(signal.delay.take(self.number), signal.ramp.take(self.number))
        return self._through(self.number, ramp)

    def _through(self, number: Ints, ramp: Floats) -> Signal:
        """Transition behind the circuits of some numbers."""
        gated = self.gated[number]
        gate = horowitz(self.gate_tau[number], self.gate_beta[number], ramp)
        delay, ramp = np.where(gated, gate.delay, 0.0), np.where(gated, gate.ramp, ramp)
        chain = chain_delay(self.tau, self.beta, self.present, number, ramp)
        return Signal(delay + chain.delay, chain.ramp)


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decoders, one record each.

    `fits` where transistors are not too large; `height`, `width` [m] of all rows; `energy` [J] of one
    selection and `leakage` [W]; `stages` of its delay.
    """

    fits: Bools
    height: Floats
    width: Floats
    energy: Floats
    leakage: Floats
    stages: DecoderStages

    def delay(self, ramp: Floats) -> Signal:
        """Transition of the selected line for an input `ramp` [1/s]."""
        return self.stages.delay(ramp)


def size_drivers(
    inputs: Ints, cap: Floats, resistance: Floats, buffer: Ints, current: Floats,
    largest_nmos: float, technology: Technology,
) -> OutputDriver:
    """Size the drivers of decoders whose first gates have `inputs` (see `DriverLoad` for the rest)."""
    table = nand_table(technology)
    load = DriverLoad(
        effort=table.effort[inputs], input_cap=table.driver_input_cap[inputs], cap=cap, resistance=resistance,
        buffer=buffer, current=current,
    )
    return size_output_drivers(load, largest_nmos, technology)


def decoder_stages(inputs: Ints, driver: OutputDriver, number: Ints, technology: Technology) -> DecoderStages:
    """Delay stages of decoders: circuit `number` of the distinct ones, a NAND of `inputs` and a `driver`.

    tau_NAND = R_NAND (C_out + C_in of the driver) (RowDecoder.cpp, CalculateLatency).
    """
    table = nand_table(technology)
    gate_load = table.output_cap[inputs] + driver.input_cap
    return DecoderStages(
        number=number, gated=inputs > 0, gate_tau=table.resistance[inputs] * gate_load, gate_beta=table.beta[inputs],
        tau=driver.tau, beta=driver.beta, present=driver.present,
    )


def decoder(
    rows: Ints, inputs: Ints, driver: OutputDriver, number: Ints, stages: DecoderStages, technology: Technology
) -> Decoder:
    """Join decoders of `rows` lines, each a NAND of `inputs` and the driver `number` of `driver` (RowDecoder.cpp).

    One row is selected at a time, all of them leak: energy C_NAND vdd^2 + E_driver, leakage
    n (P_driver + P_NAND), height n max(h_NAND, h_driver).
    """
    table, vdd = nand_table(technology), technology.vdd
    gate_load = table.output_cap.take(inputs) + driver.input_cap.take(number)
    gate_energy = np.where(inputs > 0, gate_load * vdd * vdd, 0.0)
    return Decoder(
        fits=driver.fits.take(number),
        height=np.maximum(table.height.take(inputs), driver.height.take(number)) * rows,
        width=table.width.take(inputs) + driver.width.take(number),
        energy=gate_energy + driver.energy.take(number),
        leakage=(driver.leakage.take(number) + table.leakage.take(inputs)) * rows,
        stages=stages,
    )
