"""Banks of mats by lower bounds under a wire that bounds others: its costs by mat and level, sums by bank.

On an H-tree of wires without area level l is 2^l w across and 2^(l-1) h down, so that delays add up along the levels
that a bank has, and energies are E = sum_l n_l b_l E_wire(L_l): a product of a matrix of banks and one of mats
(BankWithHtree.cpp, CalculateLatencyAndPower). Sums are taken in another order than the model's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.array.circuits.wire import GlobalWire
from dse.objectives.array.evaluation.flat import PART, FlatBanks, Keeps, Met, Styled
from dse.objectives.array.hierarchy.bank_sums import SummedBanks
from dse.spaces.array.routing import TreeLevels


@dataclass(frozen=True, slots=True)
class _Direction:
    """Wires of one direction: `delay` of that many levels (levels + 1, sides), `energy` (levels, sides).

    `side` is the number of every mat's side.
    """

    delay: Floats
    energy: Floats
    side: Ints

    @classmethod
    def of(cls, sides: Floats, first: float, levels: int, wire: GlobalWire) -> "_Direction":
        """Wires beside mats of some `sides` [m], the lowest of which are `first` sides long."""
        different, side = np.unique(sides, return_inverse=True)
        cost = wire.cost(np.ldexp(first, np.arange(levels))[:, None] * different)
        delay = np.zeros((levels + 1, len(different)))
        np.cumsum(np.broadcast_to(cost.delay, (levels, len(different))), axis=0, out=delay[1:])
        return cls(delay, np.broadcast_to(cost.energy, (levels, len(different))), side)

    def costs(self, levels: TreeLevels, banks: Ints, mats: Ints) -> tuple[Floats, Floats]:
        """Delay [s] one way and energy [J] of the wires of every bank with every mat."""
        side = self.side[mats]
        switched = (levels.active_bundles[:, banks] * levels.bits[:, banks]).astype(float)
        return self.delay[:, side][levels.present[:, banks].sum(axis=0)], switched.T @ self.energy[:, side]


def met_with_wire(styled: Styled, surviving: Met, keeps: Keeps, wire: GlobalWire) -> Iterator[Met]:
    """Banks and mats of pairs to keep of some classes and mats, some at a time: without wires first, then with one.

    The `wire` takes no area and does not leak.
    """
    flat, banks, mats = styled.flat, styled.flat.banks, styled.mats.mat
    horizontal, vertical = banks.routing.horizontal, banks.routing.vertical
    if horizontal is None or vertical is None:
        raise ValueError("an H-tree needs the routing of an H-tree")
    across = _Direction.of(mats.width, 1.0, len(horizontal.bits), wire)
    down = _Direction.of(mats.height, 0.5, len(vertical.bits), wire)
    for classes, own in styled.met_in_blocks(*surviving, keeps):
        some = mats.take(own)
        for members in _parts(banks, classes, max(1, PART // len(own))):
            one, other = across.costs(horizontal, members, own), down.costs(vertical, members, own)
            sums = banks.sums.take(banks.class_of[members]).columns()
            bank = SummedBanks(sums, some, flat.circuit, wires=one[0] + other[0], switched=one[1] + other[1])
            row, column = np.nonzero(np.broadcast_to(keeps(bank), (len(members), len(own))))
            if len(row):
                yield members[row], own[column]


def _parts(banks: FlatBanks, classes: Ints, step: int) -> Iterator[Ints]:
    """Banks of some classes, some at a time."""
    members = banks.of_classes(classes)
    for start in range(0, len(members), step):
        yield members[start : start + step]
