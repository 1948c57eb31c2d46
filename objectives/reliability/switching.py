"""Whether a write switches a bit, and whether a read does not: the table of the Fokker-Planck equation.

The mass left at z > 0 is WER = w∞ + (1 − w∞)·e^{−H(τ; i, Δ)} with w∞ the equilibrium's. The table holds
ln((1 − w∞)H) and the log odds of w∞ for Δ from 10 to 150 and i from 0 to 6 (`dse.objectives.reliability.make_table`);
between its points stand cubics, beyond its longest pulse H grows in proportion to τ, below its shortest H falls with
√τ as diffusion does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import ArrayLike

from dse.batch import Bools, Floats, Ints
from dse.errors import InputError

HALVINGS = 48
"""Halvings of a bracket in search of a pulse or current."""


@dataclass(frozen=True, slots=True)
class SwitchingTable:
    """Hazards by stability, current I/I_c0 and pulse [t_D]; ln((1 − w∞)H) (stabilities, currents, pulses)."""

    provenance: str
    stability: Floats
    current: Floats
    log_pulse: Floats
    log_hazard: Floats
    log_odds: Floats

    def require(self, current: Floats, stability: Floats) -> None:
        """Raise InputError where a current or stability is outside the table."""
        _require("stability", stability, self.stability)
        _require("current I/I_c0", current, self.current)

    def hazard(self, current: Floats, log_pulse: Floats, stability: Floats) -> Floats:
        """ln((1 − w∞)H) of columns (n,)."""
        inside = np.clip(log_pulse, self.log_pulse[0], self.log_pulse[-1])
        weights = [
            _cubic(np.log(self.stability), np.log(stability)),
            _cubic(self.current, current),
            _cubic(self.log_pulse, inside),
        ]
        found = _interpolated(self.log_hazard, weights)
        beyond = log_pulse - inside
        return found + np.where(beyond > 0, beyond, beyond / 2)

    def odds(self, current: Floats, stability: Floats) -> Floats:
        """Ln of the odds of z > 0 in equilibrium, of columns (n,)."""
        weights = [_cubic(np.log(self.stability), np.log(stability)), _cubic(self.current, current)]
        return _interpolated(self.log_odds, weights)


def _require(what: str, values: Floats, axis: Floats) -> None:
    outside = ~((values >= axis[0] * (1 - 1e-12)) & (values <= axis[-1] * (1 + 1e-12)))
    if outside.any():
        raise InputError(
            f"{what} {values[outside].flat[0]:g} is outside the table of switching, expected a number from"
            f" {axis[0]:g} to {axis[-1]:g}"
        )


def _cubic(axis: Floats, at: Floats) -> tuple[Ints, Floats]:
    """Four neighbors (4, n) of points on an axis and their weights in Lagrange's cubic."""
    first = np.clip(np.searchsorted(axis, at, side="right") - 2, 0, len(axis) - 4)
    rows = first + np.arange(4)[:, None]
    node = axis[rows]
    weight = np.ones(node.shape)
    for one in range(4):
        for other in range(4):
            if one != other:
                weight[one] *= (at - node[other]) / (node[one] - node[other])
    return rows, weight


def _interpolated(table: Floats, weights: list[tuple[Ints, Floats]]) -> Floats:
    """Tensor product of cubics at points (n,)."""
    rows, columns = weights[0][0], weights[1][0]
    plane = weights[0][1][:, None] * weights[1][1][None]
    if len(weights) == 2:
        return np.asarray((plane * table[rows[:, None], columns[None]]).sum(axis=(0, 1)))
    depths, depth_weight = weights[2]
    values = table[rows[:, None, None], columns[None, :, None], depths[None, None]]
    return np.asarray((plane[:, :, None] * depth_weight[None, None] * values).sum(axis=(0, 1, 2)))


@cache
def switching_table() -> SwitchingTable:
    """The table that comes with the package."""
    with (
        as_file(files("dse.objectives.reliability") / "data" / "switching.npz") as path,
        np.load(path, allow_pickle=False) as table,
    ):
        return SwitchingTable(
            provenance=str(table["provenance"]), stability=table["stability"], current=table["current"],
            log_pulse=np.log(table["pulse"]), log_hazard=table["log_hazard"].astype(float),
            log_odds=table["log_odds"],
        )


def _columns(*values: ArrayLike) -> tuple[tuple[int, ...], list[Floats]]:
    """Shape of values that broadcast, and each of them flat."""
    broadcast = np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in values))
    return broadcast[0].shape, [np.ravel(value) for value in broadcast]


def _hazard_and_odds(current: Floats, pulse: Floats, stability: Floats) -> tuple[Floats, Floats]:
    """H and ln odds of the equilibrium, of columns (n,)."""
    if (pulse < 0).any():
        raise InputError(f"pulse {pulse.min():g} of t_D is below 0")
    table = switching_table()
    table.require(current, stability)
    with np.errstate(divide="ignore"):
        odds = table.odds(current, stability)
        return np.exp(table.hazard(current, np.log(pulse), stability) + np.logaddexp(0.0, odds)), odds


def write_error_rate(current: ArrayLike, pulse: ArrayLike, stability: ArrayLike) -> Floats:
    """Probability that a write leaves the old bit: WER = w∞ + (1 − w∞)e^{−H}; arguments broadcast.

    `current` is I/I_c0 (0 to 6), `pulse` is t/t_D, `stability` is Δ (10 to 150). InputError outside.
    """
    shape, columns = _columns(current, pulse, stability)
    hazard, odds = _hazard_and_odds(*columns)
    rest, ever = -np.logaddexp(0.0, -odds), -np.logaddexp(0.0, odds)
    return np.asarray(np.exp(np.logaddexp(rest, ever - hazard)).reshape(shape))


def read_disturb(current: ArrayLike, pulse: ArrayLike, stability: ArrayLike) -> Floats:
    """Probability that a read flips the bit that its current works against: (1 − w∞)(1 − e^{−H}); arguments broadcast.

    Units and errors as those of `write_error_rate`.
    """
    shape, columns = _columns(current, pulse, stability)
    hazard, odds = _hazard_and_odds(*columns)
    return np.asarray((np.exp(-np.logaddexp(0.0, odds)) * -np.expm1(-hazard)).reshape(shape))


def required_pulse(current: ArrayLike, error_rate: ArrayLike, stability: ArrayLike) -> Floats:
    """Pulse [t_D] after which a write fails at `error_rate`; infinite where none is long enough; arguments broadcast.

    WER falls with τ, so that ln τ is found by halving.
    """
    shape, (current_, rate, stability_) = _columns(current, error_rate, stability)
    low, high = np.full(len(rate), np.log(1e-6)), np.full(len(rate), np.log(1e30))

    def fails(log_pulse: Floats) -> Bools:
        return np.asarray(write_error_rate(current_, np.exp(log_pulse), stability_) > rate)

    return np.exp(bracketed(fails, low, high)).reshape(shape)


def required_current(pulse: ArrayLike, error_rate: ArrayLike, stability: ArrayLike) -> Floats:
    """Current I/I_c0 at which a write of `pulse` [t_D] fails at `error_rate`; arguments broadcast.

    WER falls with i. Infinite where the table's largest current (6) is too small: nothing larger is known.
    """
    shape, (pulse_, rate, stability_) = _columns(pulse, error_rate, stability)
    axis = switching_table().current
    low, high = np.full(len(rate), axis[0]), np.full(len(rate), axis[-1])

    def fails(current: Floats) -> Bools:
        return np.asarray(write_error_rate(current, pulse_, stability_) > rate)

    return bracketed(fails, low, high).reshape(shape)


def bracketed(fails: Callable[[Floats], Bools], low: Floats, high: Floats) -> Floats:
    """Points where `fails` turns from true to false between two ends; infinite where it is true at the upper one."""
    unknown = fails(high)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        failing = fails(middle)
        low, high = np.where(failing, middle, low), np.where(failing, high, middle)
    return np.asarray(np.where(unknown, np.inf, (low + high) / 2))
