"""One record of functions per kind of cell: everything that circuits ask of the cells among them.

The record is looked up once, where the circuits of an array are put together (`physics_of`);
no circuit asks what kind its cells are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from dse.batch import Batch, Bools, Floats, Ints
from dse.objectives.array.given.cell import Cell
from dse.objectives.array.given.cell_kinds import kind_of
from dse.objectives.array.given.technology import Technology
from dse.spaces.array.mat import MatGeometry

if TYPE_CHECKING:
    from dse.objectives.array.circuits.circuit import Circuit
    from dse.objectives.array.circuits.mux import Mux


@dataclass(frozen=True, slots=True)
class Lines(Batch):
    """Lengths [m] of wordline and bitline with their capacitance [F] and resistance [ohm], cells included.

    `select_cap` [F] is a column select line without its gates: the bare wordline wire.
    """

    wordline_length: Floats
    bitline_length: Floats
    wordline_cap: Floats
    wordline_resistance: Floats
    bitline_cap: Floats
    bitline_resistance: Floats
    select_cap: Floats


@dataclass(frozen=True, slots=True)
class CellAccess:
    """Access device of a cell: series `resistance` [ohm], `cap` [F] on the bitline.

    `wordline_cap` and `bitline_cap` [F] are what each cell adds to its lines.
    """

    resistance: float
    cap: float
    wordline_cap: float
    bitline_cap: float


@dataclass(frozen=True, slots=True)
class GlobalBitline(Batch):
    """The line from the farthest mat to the edge, seen with the mat's own bitline.

    `cap` [F], `resistance` [ohm] of the global line; `local_cap`, `local_resistance` of the mat's; `latency`,
    `on_latency`, `off_latency` [s] that the mat's bitline takes, and takes for either state.
    """

    cap: Floats
    resistance: Floats
    local_cap: Floats
    local_resistance: Floats
    latency: Floats
    on_latency: Floats
    off_latency: Floats


@dataclass(frozen=True, slots=True)
class LineCurrents:
    """Largest currents [A] a wordline and a bitline must carry, and which subarrays are legal for them; each (n,)."""

    wordline: Floats
    bitline: Floats
    legal: Bools


class Bitline(Protocol):
    """Bitlines of subarrays, (n,), and when a sense amplifier can tell what stands on them."""

    def take(self, rows: Ints) -> "Bitline":
        """Return the bitlines of the subarrays at `rows`."""

    def delay(self, wordline_ramp: Floats) -> Floats:
        """Time [s] until the bitline can be sensed, for a wordline of slope `wordline_ramp` [1/s]."""

    def state_delays(self, delay: Floats) -> tuple[Floats, Floats]:
        """Delays [s] of a cell that is on and of one that is off, where the slower one has `delay`."""


@dataclass(frozen=True, slots=True)
class CellEnergy:
    """Energy of one access [J], each (n,): in cells that are read, set or reset, and of a write with its bitlines."""

    read: Floats
    set: Floats
    reset: Floats
    write: Floats


@dataclass(frozen=True, slots=True)
class CellLoad:
    """What the selected cells of subarrays work against, each (n,).

    `bitline_cap` [F] moves with one bitline; `sense_delay` [s] is how long a cell is read; `selected` cells [1].
    """

    bitline_cap: Floats
    sense_delay: Floats
    selected: Ints


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Times [s] at which the parts of an access are ready, each (n,).

    `read`: data at the output; `row`: the wordline; `column`: the multiplexers; `charge`: a bitline, from then on.
    """

    read: Floats
    row: Floats
    column: Floats
    charge: Floats


@dataclass(frozen=True, slots=True)
class WriteLatency:
    """Latencies [s] of a write, a SET and a RESET, each (n,); zero where a kind of cell has no such pulse."""

    write: Floats
    set: Floats
    reset: Floats


@dataclass(frozen=True, slots=True)
class EdgeLoad:
    """What a global bitline ends in at the bank's edge: a multiplexer, and a sense amplifier of `sense_delay` [s]."""

    mux: "Mux"
    sense_delay: Floats


@dataclass(frozen=True, slots=True)
class EdgeLatency:
    """Latencies [s] that a global bitline adds to a read and to a write, before the edge's own delays."""

    read: Floats
    write: Floats


@dataclass(frozen=True, slots=True)
class EdgeSwing:
    """Squared voltages times bits [V²] that charge the lines to the mats in a read and a write: E = C times this."""

    read: Floats
    write: Floats


@dataclass(frozen=True, slots=True)
class EdgePhysics:
    """How cells are sensed at the edge of their bank (BankWithoutHtree.cpp)."""

    latency: "Callable[[GlobalBitline, EdgeLoad, Circuit], EdgeLatency]"
    swing: "Callable[[Bits, Circuit], EdgeSwing]"


@dataclass(frozen=True, slots=True)
class Bits(Batch):
    """Bits that reach a mat: of `data`, and of `ways`, each (n,)."""

    data: Floats
    ways: Floats


@dataclass(frozen=True, slots=True)
class Paths:
    """The circuit as reads see it and as writes see it: the same one where both go through one transistor."""

    reading: "Circuit"
    writing: "Circuit"


@dataclass(frozen=True, slots=True)
class CellPhysics:
    """What a kind of cell does in an array.

    `paths`: the circuits of a read and of a write.
    `access`: the device between cell and lines.
    `line_currents`: what lines must carry.
    `read_by_current`: whether sense amplifiers need a current-to-voltage converter.
    `bitlines_per_sense_amp`: fewest that a sense amplifier in the subarray can serve [1].
    `sensible`: whether the levels of both states are far enough apart.
    `drop_resistance`: resistance [ohm] beside which a multiplexer may drop little; infinite where it does not matter.
    `bitline`: bitlines under a multiplexer of a load [F].
    `bitline_read_energy`: energy [J] of one bitline in a read.
    `energy`: what the selected cells take.
    `leakage`: of one cell [W].
    `write_latency`: of writes and their pulses.
    `multiplexers_per_write`: how many times a write switches the multiplexers [1].
    """

    paths: "Callable[[Circuit], Paths]"
    access: "Callable[[Cell, Technology], CellAccess]"
    line_currents: "Callable[[MatGeometry, Circuit], LineCurrents]"
    read_by_current: bool
    bitlines_per_sense_amp: int
    sensible: "Callable[[Circuit], bool]"
    drop_resistance: Callable[[Cell], float]
    bitline: "Callable[[Lines, Floats, Circuit], Bitline]"
    bitline_read_energy: "Callable[[Lines, Mux, Circuit], Floats]"
    energy: "Callable[[CellLoad, Circuit], CellEnergy]"
    leakage: "Callable[[Circuit], float]"
    write_latency: "Callable[[Arrivals, Circuit], WriteLatency]"
    multiplexers_per_write: "Callable[[Circuit], int]"
    edge: EdgePhysics


def one_path(circuit: "Circuit") -> Paths:
    """Reads and writes through one transistor, word line and bitline."""
    return Paths(circuit, circuit)


def no_currents(geometry: MatGeometry, circuit: "Circuit") -> LineCurrents:
    """Cells that draw no current through their lines."""
    none = np.zeros(len(geometry))
    return LineCurrents(none, none, np.ones(len(geometry), bool))


def no_leakage(circuit: "Circuit") -> float:
    """Cells that keep their state without power: 0 W."""
    return 0.0


def once(circuit: "Circuit") -> int:
    """A write switches the multiplexers once."""
    return 1


@lru_cache(maxsize=1024)
def physics_of(cell: Cell) -> CellPhysics:
    """Return the record of functions of a cell."""
    return kind_of(cell).physics(cell)
