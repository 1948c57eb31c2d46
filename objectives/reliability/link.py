"""From a cell file to the switching of its bits: what its pulses say about the critical current.

A file gives currents, pulses and energies of SET (antiparallel to parallel) and RESET (parallel to antiparallel). With
the error rate that they are stated to reach, WER(i, t/t_D, Δ) = stated rate gives i, and I_c0 = I/i.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from dse.batch import Batch, Bools, Floats
from dse.errors import InputError
from dse.notice import notice
from dse.objectives.array.cells.write import on_resistance, reset_energy, set_energy
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.quirks import Quirks
from dse.objectives.array.given.technology import Technology
from dse.objectives.reliability.retention import StabilityOverTemperature, stability_at
from dse.objectives.reliability.spread import CellSpread, mean_write_error_rate
from dse.objectives.reliability.switching import bracketed, switching_table
from dse.text import quoted

DIAMETER, ANISOTROPY = "diameter", "anisotropy"
"""What is changed to change Δ: the size of the junction, or the anisotropy of its layer."""
DEFAULTS = {
    "ThermalStability": 60.0,
    "StabilityTemperature": 300.0,
    "SwitchingTime": 1e-9,
    "WriteErrorRate": 1e-12,
    "AttemptTime": 1e-9,
    "EnergyExponent": 2.0,
    "StabilitySpread": 0.0,
    "CurrentSpread": 0.0,
}
"""Values [SI] that stand for keys which a cell file lacks."""
UNITS = {"StabilityTemperature": ("K", 1.0), "SwitchingTime": ("ns", 1e9), "AttemptTime": ("ns", 1e9)}


@dataclass(frozen=True, slots=True)
class SwitchingParameters:
    """What a cell file says about the switching of its bits, in SI units; `assumed` names what it does not say."""

    stability: float
    stability_temperature: float
    switching_time: float
    error_rate: float
    attempt_time: float
    energy_exponent: float
    spread: CellSpread
    endurance: float
    """Writes that a cell bears; infinite where the file names none."""
    over_temperature: StabilityOverTemperature | None
    """None where the barrier is taken as it is at `stability_temperature`."""
    assumed: tuple[str, ...]

    def stability_at(self, temperature: float, stability: ArrayLike) -> Floats:
        """Stability at a temperature [K] of bits of a stability at that of the file."""
        return stability_at(temperature, stability, self.stability_temperature, self.over_temperature)

    def barrier_ratio(self, temperature: float) -> float:
        """Barrier E_b = Δ·kT at a temperature [K] over that of the file, with which the critical current goes."""
        if self.over_temperature is None:
            return 1.0
        return float(self.stability_at(temperature, temperature)) / self.stability_temperature


def switching_parameters(cell: Cell) -> SwitchingParameters:
    """Switching parameters of a cell; says in a notice which of them are assumed.

    Raises InputError for a cell that is not magnetic.
    """
    if cell.kind not in ("MRAM", "SOTMRAM"):
        raise InputError(f"cell {quoted(cell.name)} is {cell.kind}: only MRAM and SOTMRAM switch as the model says")
    given = {name: value for name, value in cell.own if isinstance(value, float)}
    table = _over_temperature(cell)
    if table is not None:
        reference = given.get("StabilityTemperature", DEFAULTS["StabilityTemperature"])
        own = float(table.at(reference))
        if not np.isclose(given.setdefault("ThermalStability", own), own, rtol=1e-3):
            raise InputError(
                f"cell {quoted(cell.name)}: -ThermalStability {given['ThermalStability']:g} is {own:g} at"
                f" {reference:g} K in -StabilityOverTemperature (K), expected the same or one of the two keys"
            )
    assumed = tuple(name for name in DEFAULTS if name not in given)
    if assumed:
        notice(f"cell {quoted(cell.name)}: assumed {', '.join(map(_assumed, assumed))}")
    value = {**DEFAULTS, **given}
    return SwitchingParameters(
        stability=value["ThermalStability"], stability_temperature=value["StabilityTemperature"],
        switching_time=value["SwitchingTime"], error_rate=value["WriteErrorRate"],
        attempt_time=value["AttemptTime"], energy_exponent=value["EnergyExponent"],
        spread=CellSpread(value["StabilitySpread"], value["CurrentSpread"]),
        endurance=value.get("EnduranceCycles", np.inf), over_temperature=table, assumed=assumed,
    )


def _over_temperature(cell: Cell) -> StabilityOverTemperature | None:
    """Table of stability that a cell's file gives."""
    pairs = dict(cell.own).get("StabilityOverTemperature")
    if not isinstance(pairs, tuple):
        return None
    temperature, stability = np.array(pairs).T
    return StabilityOverTemperature(tuple(temperature.tolist()), tuple(stability.tolist()))


def _assumed(name: str) -> str:
    unit, per_si = UNITS.get(name, ("", 1.0))
    return f"-{name}{f' ({unit})' if unit else ''} {DEFAULTS[name] * per_si:g}"


@dataclass(frozen=True, slots=True)
class WritePolarity:
    """One polarity of a write at the file's point: current [A], pulse [s], energy [J], I/I_c0 and I_c0 [A]."""

    current: float
    pulse: float
    energy: float
    ratio: float
    critical_current: float


def required_mean_current(
    pulse: ArrayLike, error_rate: ArrayLike, stability: ArrayLike, spread: CellSpread
) -> Floats:
    """I/I_c0 at which writes of `pulse` [t_D] fail at `error_rate` on the mean of cells; infinite beyond the table."""
    axis = switching_table().current
    pulse_, rate, stability_ = np.broadcast_arrays(*(np.asarray(one, float) for one in (pulse, error_rate, stability)))

    def fails(current: Floats) -> Bools:
        return np.asarray(mean_write_error_rate(current, pulse_, stability_, spread) > rate)

    return bracketed(fails, np.full(rate.shape, axis[0]), np.full(rate.shape, axis[-1]))


@dataclass(frozen=True, slots=True)
class WritePoints(Batch):
    """Writes of a cell at other error rates, stabilities and pulses: energies [J], pulses [s] and currents [A].

    Infinite where the current is beyond the table of switching: no such write is known.
    """

    set_energy: Floats
    reset_energy: Floats
    set_pulse: Floats
    reset_pulse: Floats
    set_current: Floats
    reset_current: Floats

    @property
    def mean_energy(self) -> Floats:
        """½(E_SET + E_RESET) [J]: every bit is pulsed, as often to one as to the other state."""
        return (self.set_energy + self.reset_energy) / 2

    @property
    def longer_pulse(self) -> Floats:
        """The longer of both pulses [s]."""
        return np.maximum(self.set_pulse, self.reset_pulse)

    @property
    def largest_current(self) -> Floats:
        """The larger of both currents [A]."""
        return np.maximum(self.set_current, self.reset_current)


@dataclass(frozen=True, slots=True)
class SwitchingLink:
    """A cell's parameters and both polarities of its writes."""

    cell: Cell
    parameters: SwitchingParameters
    set: WritePolarity
    reset: WritePolarity

    @property
    def largest_current(self) -> float:
        """The larger of the file's currents [A], which its access transistor carries."""
        return max(self.set.current, self.reset.current)

    @property
    def fixed(self) -> bool:
        """Whether the file's write is the only one: that of SOT-MRAM, whose current does not flow through the bit."""
        return self.cell.kind == "SOTMRAM"

    def writes(
        self, error_rate: ArrayLike, stability: ArrayLike, pulse: ArrayLike, knob: str = DIAMETER
    ) -> WritePoints:
        """Writes that fail at `error_rate`, of bits of `stability`, in pulses `pulse` times the file's; all broadcast.

        E = E_file·s·(i/i₀)ᵖ·t/t₀ with s = Δ/Δ_file by diameter, as R ∝ 1/d² and I_c0 ∝ d² at one R·A;
        E = E_file·(s·i/i₀)ᵖ·t/t₀ by anisotropy, where I_c0 ∝ Δ and t_D ∝ 1/Δ at one R. Of SOT-MRAM the file's.
        """
        rate, level, factor = np.broadcast_arrays(*(np.asarray(one, float) for one in (error_rate, stability, pulse)))
        set_, reset = (
            self._fixed(polarity, rate.shape) if self.fixed else self._written(polarity, rate, level, factor, knob)
            for polarity in (self.set, self.reset)
        )
        return WritePoints(
            set_energy=set_[0], reset_energy=reset[0], set_pulse=set_[1], reset_pulse=reset[1],
            set_current=set_[2], reset_current=reset[2],
        )

    def _fixed(self, polarity: WritePolarity, shape: tuple[int, ...]) -> tuple[Floats, Floats, Floats]:
        return (
            np.full(shape, polarity.energy), np.full(shape, polarity.pulse), np.full(shape, polarity.current)
        )

    def _written(
        self, polarity: WritePolarity, error_rate: Floats, stability: Floats, pulse: Floats, knob: str
    ) -> tuple[Floats, Floats, Floats]:
        """Energy, pulse and current of one polarity."""
        parameters = self.parameters
        size = stability / parameters.stability
        time = parameters.switching_time / (size if knob == ANISOTROPY else 1.0)
        seconds = pulse * polarity.pulse
        ratio = required_mean_current(seconds / time, error_rate, stability, parameters.spread)
        current = ratio * size * polarity.critical_current
        exponent = parameters.energy_exponent
        at_one_size = (ratio / polarity.ratio) ** exponent * pulse * polarity.energy
        return at_one_size * (size**exponent if knob == ANISOTROPY else size), seconds, current


def link_cell(cell: Cell, technology: Technology, quirks: Quirks, temperature: float | None = None) -> SwitchingLink:
    """Link a cell's pulses to the switching of its bits at a temperature [K], that of its stability where None.

    Raises InputError where no current within the table of switching reaches the stated rate.
    """
    parameters = switching_parameters(cell)
    resistance = on_resistance(cell)
    currents = (
        _write_current(cell, cell.set_mode, cell.set_current, cell.set_voltage, resistance.set),
        _write_current(cell, cell.reset_mode, cell.reset_current, cell.reset_voltage, resistance.reset),
    )
    pulses = (cell.set_pulse, cell.reset_pulse)
    energies = (
        set_energy(cell, resistance.set, technology, quirks), reset_energy(cell, resistance.reset, technology)
    )
    if temperature is not None:
        stability = float(parameters.stability_at(temperature, parameters.stability))
        parameters = replace(parameters, stability=stability, stability_temperature=temperature)
    found = [_polarity(cell, parameters, *one) for one in zip(currents, pulses, energies, strict=True)]
    return SwitchingLink(cell, parameters, *found)


def _write_current(cell: Cell, mode: str, current: float, voltage: float, resistance: float) -> float:
    """Current [A] of a pulse: given, or (|V| − V_drop)/R."""
    return abs(current) if mode == "current" else (abs(voltage) - cell.voltage_drop_access) / resistance


def _polarity(
    cell: Cell, parameters: SwitchingParameters, current: float, pulse: float, energy: float
) -> WritePolarity:
    if cell.kind == "SOTMRAM":
        return WritePolarity(current, pulse, energy, np.nan, np.nan)
    time = parameters.switching_time
    ratio = float(required_mean_current(pulse / time, parameters.error_rate, parameters.stability, parameters.spread))
    if not np.isfinite(ratio):
        raise InputError(
            f"cell {quoted(cell.name)}: a pulse of {pulse * 1e9:g} ns at -SwitchingTime (ns) {time * 1e9:g} reaches"
            f" -WriteErrorRate {parameters.error_rate:g} with no current up to 6 I_c0, expected a longer pulse or a"
            " shorter -SwitchingTime (ns)"
        )
    return WritePolarity(current, pulse, energy, ratio, current / ratio)
