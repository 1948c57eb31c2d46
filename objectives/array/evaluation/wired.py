"""Banks of mats by lower bounds under wires that bound others: their costs by mat and level, sums by bank.

On an H-tree of wires without area level l is 2^l w across and 2^(l-1) h down, so that delays add up along the levels
that a bank has, and energies are E = sum_l n_l b_l E_wire(L_l): a product of a matrix of banks and one of mats
(BankWithHtree.cpp, CalculateLatencyAndPower). Sums are taken in another order than the model's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.array.circuits.wire import GlobalWire
from dse.objectives.array.evaluation.flat import PART, FlatBanks, Keeps, Met, Styled
from dse.objectives.array.hierarchy.bank_sums import SummedBanks
from dse.spaces.array.routing import TreeLevels


@dataclass(frozen=True, slots=True)
class _Reach:
    """Wires of some banks in one direction: number of `levels` (banks,), bits `switched` at each (banks, levels)."""

    levels: Ints
    switched: Floats

    @classmethod
    def of(cls, tree: TreeLevels, banks: Ints) -> "_Reach":
        """The wires of some of a tree's banks."""
        switched = (tree.active_bundles[:, banks] * tree.bits[:, banks]).astype(float)
        return cls(tree.present[:, banks].sum(axis=0), switched.T)


@dataclass(frozen=True, slots=True)
class _Costs:
    """Wires of one kind in one direction beside some mats: `delay` of up to all levels, `energy` of each.

    Matrices (levels + 1, mats) [s] and (levels, mats) [J per bit].
    """

    delay: Floats
    energy: Floats

    def of(self, reach: _Reach) -> tuple[Floats, Floats]:
        """Delay [s] one way and energy [J] of the wires of every bank with every mat."""
        return self.delay[reach.levels], reach.switched @ self.energy


@dataclass(frozen=True, slots=True)
class _Direction:
    """Wires of one kind in one direction, by the `side` of mats: costs of every different side, and every mat's."""

    costs: _Costs
    side: Ints

    @classmethod
    def of(cls, sides: Floats, first: float, levels: int, wire: GlobalWire) -> "_Direction":
        """Wires beside mats of some `sides` [m], the lowest of which are `first` sides long."""
        different, side = np.unique(sides, return_inverse=True)
        cost = wire.cost(np.ldexp(first, np.arange(levels))[:, None] * different)
        delay = np.zeros((levels + 1, len(different)))
        np.cumsum(np.broadcast_to(cost.delay, (levels, len(different))), axis=0, out=delay[1:])
        return cls(_Costs(delay, np.broadcast_to(cost.energy, (levels, len(different)))), side)

    def beside(self, mats: Ints) -> _Costs:
        """Wires beside some of the mats."""
        side = self.side[mats]
        return _Costs(self.costs.delay[:, side], self.costs.energy[:, side])


def met_with_wires(styled: Styled, surviving: Met, keeps: Keeps, wires: Sequence[GlobalWire]) -> Iterator[Met]:
    """Banks and mats of pairs to keep of some classes and mats, some at a time: without wires first, then with any.

    The `wires`, of which at least one must keep a pair, take no area and do not leak.
    """
    flat, banks, mats = styled.flat, styled.flat.banks, styled.mats.mat
    horizontal, vertical = banks.routing.horizontal, banks.routing.vertical
    if horizontal is None or vertical is None:
        raise ValueError("an H-tree needs the routing of an H-tree")
    across = [_Direction.of(mats.width, 1.0, len(horizontal.bits), wire) for wire in wires]
    down = [_Direction.of(mats.height, 0.5, len(vertical.bits), wire) for wire in wires]
    for classes, own in styled.met_in_blocks(*surviving, keeps):
        some = mats.take(own)
        costs = [(one.beside(own), other.beside(own)) for one, other in zip(across, down, strict=True)]
        for members in _parts(banks, classes, max(1, PART // len(own))):
            reach = _Reach.of(horizontal, members), _Reach.of(vertical, members)
            sums = banks.sums.take(banks.class_of[members]).columns()
            kept = np.zeros((len(members), len(own)), np.bool_)
            for both in costs:
                one, other = (cost.of(some_reach) for cost, some_reach in zip(both, reach, strict=True))
                bank = SummedBanks(sums, some, flat.circuit, wires=one[0] + other[0], switched=one[1] + other[1])
                kept |= keeps(bank)
            row, column = np.nonzero(kept)
            if len(row):
                yield members[row], own[column]


def _parts(banks: FlatBanks, classes: Ints, step: int) -> Iterator[Ints]:
    """Banks of some classes, some at a time."""
    members = banks.of_classes(classes)
    for start in range(0, len(members), step):
        yield members[start : start + step]
