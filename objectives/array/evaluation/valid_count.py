"""How many designs of an array are valid, without evaluating most of them.

Whether a design is valid is decided by its subarray, which is known exactly, and in data arrays by the ratio of the
bank's sides as well. Bounds of mats lack but the square of predecoders in their sides, which is bounded by that of
predecoders with less and with more load. Mats whose banks this does not decide are evaluated.
"""

import math

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.predecoder import MOST_BITS, area_of_load
from dse.objectives.array.evaluation.flat import Flat
from dse.objectives.array.hierarchy.bank import MOST_ASPECT_RATIO, has_aspect_rule
from dse.objectives.array.hierarchy.least_mat import MatSides
from dse.objectives.array.hierarchy.mat import Mat, split_bits

PART = 1 << 15
"""Mats judged at a time, each with all its buffer styles: their columns fit the cache."""
MOST_IN_ROW = 2
"""Subarrays along a side of a mat up to which the predecoders of its multiplexers drive no wires."""
MARGIN = 1e-9
"""Margin of logarithms of ratios of sides, for rounding."""
SMALLEST_LOAD, LARGEST_LOAD = 1e-20, 1e-9
"""Loads of predecoders that are told apart [F]."""
CUT_BITS = 47
"""Last bits of a load that are cut off: what is left tells 32 loads apart from a power of two to the next."""


def count_valid(flat: Flat) -> int:
    """Number of valid designs of an array whose mats hang on an H-tree of wires without area."""
    shapes = _BankShapes(flat)
    if not has_aspect_rule(flat.circuit):
        return int((shapes.all_banks[flat.mat_group] * flat.bounded.valid_styles(flat.least.row)).sum())
    squares = _PredecoderSquares(flat.circuit)
    count, open_groups, open_mats = 0, [], []
    for start in range(0, len(flat.mat_group), PART):
        part = slice(start, start + PART)
        rows, sides = flat.least.row[part], flat.bounded.sides(flat.least.row[part])
        styles = sides.valid.shape[1]
        group = np.repeat(flat.mat_group[part], styles)
        first, last, decided = shapes.allowed(group, *squares.ratios(sides))
        valid = sides.valid.ravel()
        count += int(shapes.count(group, first, last)[valid & decided].sum())
        left = np.flatnonzero(valid & ~decided)
        open_groups.append(group[left])
        open_mats.append(rows[left // styles] * styles + left % styles)
    numbers = np.concatenate(open_mats)
    return count + (shapes.count_of(np.concatenate(open_groups), flat.bounded.in_full(numbers)) if len(numbers) else 0)


class _BankShapes:
    """How many banks of each group have 2^k times as many rows as columns of mats, by k."""

    def __init__(self, flat: Flat) -> None:
        exponent = np.rint(np.log2(flat.banks.sums.ratio)).astype(np.int64)
        members = np.diff(np.append(flat.banks.first_member, len(flat.banks.members)))
        self._least, most = int(exponent.min()), int(exponent.max())
        number = np.zeros((len(flat.groups), most - self._least + 1), np.int64)
        np.add.at(number, (flat.banks.group, exponent - self._least), members)
        self._number = number
        self._below = np.concatenate([np.zeros((len(number), 1), np.int64), np.cumsum(number, axis=1)], axis=1)

    @property
    def all_banks(self) -> Ints:
        """Number of banks of each group."""
        banks: Ints = self._below[:, -1]
        return banks

    def allowed(self, group: Ints, low: Floats, high: Floats) -> tuple[Ints, Ints, Bools]:
        """The first k and that after the last one with which banks of mats are not too narrow, and where it is sure.

        `low` and `high` bound log2 of width over height of the mats: |k - log2 W / H| <= log2 of the largest ratio.
        """
        octaves, most = math.log2(MOST_ASPECT_RATIO), self._number.shape[1]
        first, last = (
            [np.clip(edge(bound) - self._least, 0, most) for bound in bounds] for edge, bounds in (
                (np.ceil, (low - octaves - MARGIN, high - octaves + MARGIN)),
                (lambda bound: np.floor(bound) + 1, (low + octaves - MARGIN, high + octaves + MARGIN)),
            )
        )
        return first[0].astype(np.int64), last[0].astype(np.int64), (first[0] == first[1]) & (last[0] == last[1])

    def count(self, group: Ints, first: Ints, last: Ints) -> Ints:
        """Number of banks of groups from a first k up to that after a last one."""
        banks: Ints = np.maximum(self._below[group, last] - self._below[group, first], 0)
        return banks

    def count_of(self, group: Ints, mats: Mat) -> int:
        """Number of designs of mats of groups that are not too narrow, as the model decides."""
        k = self._least + np.arange(self._number.shape[1])
        tall = np.ldexp((mats.height / mats.width)[:, None], k) <= MOST_ASPECT_RATIO
        wide = np.ldexp((mats.width / mats.height)[:, None], -k) <= MOST_ASPECT_RATIO
        return int((self._number[group] * (tall & wide & mats.legal[:, None])).sum())


class _PredecoderSquares:
    """The square of predecoders that stands beside the subarrays of mats, within bounds.

    Both blocks of predecoders by address bits and number of the load: whether they are `known`, their `area` [m²], and
    the `kind` of their drivers.
    """

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        bits = np.arange(2 * MOST_BITS + 1)
        self._unloaded = self._areas(bits, np.zeros(len(bits)))[0]
        self._first = int(_codes(np.array([SMALLEST_LOAD]))[0])
        shape = len(bits), int(_codes(np.array([LARGEST_LOAD]))[0]) - self._first
        self._known = np.zeros(shape, np.bool_)
        self._area, self._kind = np.zeros(shape), np.zeros(shape, np.int64)

    def _areas(self, bits: Ints, load: Floats) -> tuple[Floats, Ints]:
        """Area [m²] of both blocks of predecoders of `bits` with some load [F], and a number for their drivers."""
        circuit = self._circuit
        one, two = (
            area_of_load(block, load, circuit.largest_nmos, circuit.technology, circuit.quirks)
            for block in split_bits(bits)
        )
        return one[0] + two[0], (one[1] << 16) + two[1]

    def _learn(self, bits: Ints, code: Ints) -> None:
        """Work out predecoders of the loads of some numbers, and of the next ones."""
        new = ~(self._known[bits, code] & self._known[bits, code + 1])
        if not new.any():
            return
        used = np.zeros(self._known.shape, np.bool_)
        for step in (0, 1):
            used[bits[new], code[new] + step] = True
        bits, code = np.nonzero(used & ~self._known)
        load = (code + self._first << CUT_BITS).view(np.float64)
        self._area[bits, code], self._kind[bits, code] = self._areas(bits, load)
        self._known[bits, code] = True

    def _squares(self, sides: MatSides) -> tuple[Floats, Floats]:
        """Bounds of the side [m] of the square of predecoders, (n, styles): sqrt(sum A_block).

        Rows' predecoders are loaded by c h R / 2 + c w C / 2; those of multiplexers by nothing in mats of up to two by
        two subarrays, and are not bounded in others (dse.objectives.array.hierarchy.mat).
        """
        load = self._circuit.wire.capacitance / 2 * (sides.height + sides.width)
        most = self._known.shape[1] - 2
        code = np.clip(_codes(load) - self._first, 0, most)
        bits = np.broadcast_to(sides.row_bits[:, None], code.shape)
        self._learn(bits, code)
        unknown = (code == 0) | (code == most) | (self._kind[bits, code] != self._kind[bits, code + 1])
        unknown |= (sides.most_in_row > MOST_IN_ROW)[:, None]
        others = self._unloaded[sides.mux_bits].sum(axis=0)[:, None]
        low, high = (np.sqrt(self._area[bits, code + step] + others) for step in (0, 1))
        return np.where(unknown, 0.0, low), np.where(unknown, np.inf, high)

    def ratios(self, sides: MatSides) -> tuple[Floats, Floats]:
        """Bounds of log2 of width over height of mats, (n styles,)."""
        low, high = self._squares(sides)
        width, height = sides.width, sides.height
        wide = width > height
        with np.errstate(divide="ignore"):
            ends = [np.log2(np.where(wide, (width + side) / height, width / (height + side))) for side in (low, high)]
        return np.minimum(*ends).ravel(), np.maximum(*ends).ravel()


def _codes(loads: Floats) -> Ints:
    """Numbers of loads [F], ascending, by their exponent and the first bits of their mantissa."""
    codes: Ints = loads.view(np.int64) >> CUT_BITS
    return codes
