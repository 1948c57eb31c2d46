"""Banks on an H-tree of plain wires in closed form: a bank is a few numbers, a pair of bank and mat a few products.

The wires of each level are twice as long as those below, so that delays, which grow with the square of the length,
and energies add up to t = t_mat + A w² + B h² one way and e = n_active e_mat + C w + D h, with w and h the sides of a
mat (BankWithHtree.cpp, CalculateLatencyAndPower; Wire.cpp, CalculateLatencyAndPower, without repeaters). Sums are
taken in another order than NVSim's, so that they differ from h_tree's by rounding: they bound and rule out, and what
comes near a limit is for the model itself to decide.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dse.batch import Batch, Floats, Ints
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.wire import FreeWire, GlobalWire, Wire
from dse.objectives.array.hierarchy.bank import BankShape, ways_sharing_write_wires
from dse.objectives.array.hierarchy.mat import Mat
from dse.spaces.array.routing import Routing, TreeLevels


@dataclass(frozen=True, slots=True)
class BankSums(Batch):
    """What banks add to their mats: `across` and `down` [s/m²], `energy_across` and `energy_down` [J/m].

    `active` mats, all `mats`, and `ratio` of rows over columns of mats, as floats.
    """

    across: Floats
    down: Floats
    energy_across: Floats
    energy_down: Floats
    active: Floats
    mats: Floats
    ratio: Floats

    def columns(self) -> "BankSums":
        """The same banks as (n, 1) columns, which broadcast against mats."""
        return BankSums(**{name: column[:, None] for name, column in self.to_columns().items()})


def has_closed_form(wire: GlobalWire, circuit: Circuit, routing: Routing) -> bool:
    """Whether sums hold: an H-tree of plain wires without area, and senses inside the mats.

    Only then is t_wire = 2.3 r c L² / 2 and E_wire = c L vdd² for every length L (Wire.cpp, CalculateLatencyAndPower).
    """
    plain = isinstance(wire, FreeWire) or (isinstance(wire, Wire) and not wire.leaks and wire.area_pitch == 0)
    return plain and circuit.internal_sensing and routing.horizontal is not None


def bank_sums(shape: BankShape, routing: Routing, wire: GlobalWire) -> BankSums:
    """Sums over the levels l of the trees of banks, whose wires are 2^l w across and 2^(l-1) h down.

    A = 2.3 r c / 2 sum 4^l and B = 2.3 r c / 2 sum 4^(l-1) over the levels that a bank has; C = c vdd² sum 2^l n_l b_l
    and D = c vdd² sum 2^(l-1) n_l b_l with n_l active bundles of b_l bits, all l from 0. Source: BankWithHtree.cpp,
    CalculateArea and CalculateLatencyAndPower; Wire.cpp, CalculateLatencyAndPower.
    """
    if routing.horizontal is None or routing.vertical is None:
        raise ValueError("an H-tree needs the routing of an H-tree")
    across, energy_across = _level_sums(routing.horizontal, 1.0, wire)
    down, energy_down = _level_sums(routing.vertical, 0.5, wire)
    return BankSums(
        across=across, down=down, energy_across=energy_across, energy_down=energy_down,
        active=shape.active_rows * shape.active_cols, mats=shape.rows * shape.cols, ratio=shape.rows / shape.cols,
    )


def _level_sums(levels: TreeLevels, first: float, wire: GlobalWire) -> tuple[Floats, Floats]:
    """Delay per squared side and energy per side of a mat; level 0 is `first` sides long, each further one twice.

    2.3 r c / 2 sum (first 2^l)² and c vdd² sum first 2^l n_l b_l. Source: as of `bank_sums`.
    """
    banks = levels.bits.shape[1]
    if not isinstance(wire, Wire) or not len(levels.bits):
        return np.zeros(banks), np.zeros(banks)
    vdd = wire.technology.vdd
    length = np.ldexp(first, np.arange(len(levels.bits)))
    delay = 2.3 * wire.resistance * wire.capacitance / 2 * ((length * length) @ levels.present)
    energy = wire.capacitance * vdd * vdd * (length @ (levels.active_bundles * levels.bits))
    return delay, energy


class SummedBanks:
    """Figures of banks of some mats, by their names as a bank has them; each is computed once, when it is asked for.

    With t_wires = A w² + B h² and E_wires = C w + D h: t_read = t_mat,read + 2 t_wires, t_write = t_mat,write +
    t_wires, E_read = n_active E_mat,read + E_wires, E_write = n_active E_mat,write + E_wires / ways, leakage = n P_mat
    and area = n w h. Source: BankWithHtree.cpp, CalculateArea and CalculateLatencyAndPower.

    Banks and mats broadcast; or each mat is of the bank at its row of `spread`. Where `wires` [s] and `switched` [J]
    are given, they stand in for t_wires and E_wires.
    """

    def __init__(
        self, sums: BankSums, mat: Mat, circuit: Circuit, spread: Ints | None = None, **wires: Floats
    ) -> None:
        self.mat = mat
        self.ways = ways_sharing_write_wires(circuit)
        self._sums = sums
        self._spread = spread
        self._known = dict(wires)

    def __call__(self, name: str) -> Floats:
        """One figure."""
        if name not in self._known:
            self._known[name] = _FIGURES[name](self)
        return self._known[name]

    def sum(self, name: str) -> Floats:
        """One of the sums of banks, for each mat."""
        column: Floats = getattr(self._sums, name)
        return column if self._spread is None else column.take(self._spread)


def _wires(bank: SummedBanks) -> Floats:
    """Delay of the wires, one way [s]: t_wires = A w² + B h²."""
    mat = bank.mat
    return bank.sum("across") * (mat.width * mat.width) + bank.sum("down") * (mat.height * mat.height)


def _of_mat(name: str) -> Callable[[SummedBanks], Floats]:
    """A figure that is that of the mat."""
    return lambda bank: getattr(bank.mat, name)


OF_MATS = {"mat_read_latency": "read_latency", "column_decoder_latency": "column_decoder_latency"}
"""Figures that are those of a mat, by their names there."""

_FIGURES: dict[str, Callable[[SummedBanks], Floats]] = {
    "wires": _wires,
    "switched": lambda bank: bank.sum("energy_across") * bank.mat.width + bank.sum("energy_down") * bank.mat.height,
    "read_latency": lambda bank: bank.mat.read_latency + 2 * bank("wires"),
    "write_latency": lambda bank: bank.mat.write_latency + bank("wires"),
    "read_energy": lambda bank: bank.mat.read_energy * bank.sum("active") + bank("switched"),
    "write_energy": lambda bank: bank.mat.write_energy * bank.sum("active") + bank("switched") / bank.ways,
    "leakage": lambda bank: bank.mat.leakage * bank.sum("mats"),
    "area": lambda bank: bank.mat.height * bank.mat.width * bank.sum("mats"),
    **{name: _of_mat(own) for name, own in OF_MATS.items()},
}


class BanksByMats:
    """The same figures of every bank with every mat: each a product of a matrix of banks and one of mats.

    Equations are those of `SummedBanks`.
    """

    def __init__(self, sums: BankSums, mat: Mat, circuit: Circuit) -> None:
        self._ways = ways_sharing_write_wires(circuit)
        self._sums = sums
        self._mat = mat
        self._known: dict[str, tuple[Floats, Floats]] = {}

    def figures(self, banks: slice, mats: slice) -> Callable[[str], Floats]:
        """Figures (banks, mats) by name of some banks with some mats, each computed once."""
        known: dict[str, Floats] = {}

        def figure(name: str) -> Floats:
            if name not in known:
                one, other = self._factors(name)
                known[name] = one[banks] @ other[:, mats] if len(other) > 1 else one[banks] * other[:, mats]
            return known[name]

        return figure

    def _factors(self, name: str) -> tuple[Floats, Floats]:
        """Matrices (all banks, k) and (k, all mats) whose product is one figure."""
        if name not in self._known:
            one, other = self._columns(name)
            self._known[name] = np.stack(one, axis=1), np.stack(other)
        return self._known[name]

    def _columns(self, name: str) -> tuple[list[Floats], list[Floats]]:
        """What a figure is the sum of products of: columns of banks and of mats."""
        sums, mat, each = self._sums, self._mat, np.ones_like(self._sums.mats)
        match name:
            case "read_latency":
                twice = [2 * sums.across, 2 * sums.down]
                return [*twice, each], [mat.width**2, mat.height**2, mat.read_latency]
            case "write_latency":
                return [sums.across, sums.down, each], [mat.width**2, mat.height**2, mat.write_latency]
            case "read_energy":
                return [sums.energy_across, sums.energy_down, sums.active], [mat.width, mat.height, mat.read_energy]
            case "write_energy":
                wires = [sums.energy_across / self._ways, sums.energy_down / self._ways]
                return [*wires, sums.active], [mat.width, mat.height, mat.write_energy]
            case "leakage":
                return [sums.mats], [mat.leakage]
            case "area":
                return [sums.mats], [mat.height * mat.width]
        return [each], [getattr(mat, OF_MATS[name])]
