"""How many designs of an array are valid, without evaluating most of them.

Whether a design is valid is decided by its subarray, which is known exactly, and in data arrays by the ratio of the
bank's sides as well. Bounds of mats lack but the square of predecoders in their sides, which is bounded by that of
predecoders with less and with more load. Mats whose banks this does not decide are evaluated.
"""

import numpy as np

from dse.batch import Bools, Floats, Ints
from dse.objectives.array.circuits.circuit import Circuit
from dse.objectives.array.circuits.predecoder import area_of_load
from dse.objectives.array.evaluation.flat import Flat
from dse.objectives.array.hierarchy.bank import MOST_ASPECT_RATIO, has_aspect_rule
from dse.objectives.array.hierarchy.least_mat import MatSides
from dse.objectives.array.hierarchy.mat import Mat, split_bits

PART = 1 << 15
"""Mats judged at a time, each with all its buffer styles: their columns fit the cache."""
MOST_IN_ROW = 2
"""Subarrays along a side of a mat up to which the predecoders of its multiplexers drive no wires."""
MARGIN = 1e-9
"""Relative margin of ratios of sides, for rounding."""
MANTISSA, BIAS = 52, 1023
"""Bits of a double's mantissa, and what its exponent is stored with in addition."""
CUT_BITS = 47
"""Last bits of a load that are cut off: what is left tells 32 loads apart from a power of two to the next."""


def count_valid(flat: Flat) -> int:
    """Number of valid designs of an array whose mats hang on an H-tree of wires without area."""
    shapes = _BankShapes(flat)
    if not has_aspect_rule(flat.circuit):
        return int((shapes.all_banks[flat.mat_group] * flat.bounded.valid_styles(flat.least.row)).sum())
    squares = _PredecoderSquares(flat)
    count, open_groups, open_mats = 0, [], []
    for start in range(0, len(flat.mat_group), PART):
        part = slice(start, start + PART)
        rows, sides = flat.least.row[part], flat.bounded.sides(flat.least.row[part])
        styles = sides.valid.shape[1]
        group = np.repeat(flat.mat_group[part], styles)
        first, last, decided = shapes.allowed(*squares.ratios(sides))
        counted = sides.valid.ravel() & decided
        count += int(shapes.count(group, first, last)[counted].sum())
        left = np.flatnonzero(sides.valid.ravel() & ~decided)
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

    def allowed(self, low: Floats, high: Floats) -> tuple[Ints, Ints, Bools]:
        """The first k and that after the last one with which banks of mats are not too narrow, and where it is sure.

        `low` and `high` bound width over height of the mats: W / H / r <= 2^k <= r W / H with the largest ratio r.
        """
        firsts = [
            self._place(_ceiling_of_log2(bound / MOST_ASPECT_RATIO))
            for bound in (low * (1 - MARGIN), high * (1 + MARGIN))
        ]
        lasts = [
            self._place(_floor_of_log2(bound * MOST_ASPECT_RATIO) + 1)
            for bound in (low * (1 - MARGIN), high * (1 + MARGIN))
        ]
        return firsts[0], lasts[0], (firsts[0] == firsts[1]) & (lasts[0] == lasts[1])

    def _place(self, k: Ints) -> Ints:
        """Column of some k, or the nearest one."""
        place: Ints = np.clip(k - self._least, 0, self._number.shape[1])
        return place

    def count(self, group: Ints, first: Ints, last: Ints) -> Ints:
        """Number of banks of groups from a first k up to that after a last one."""
        below, row = self._below.ravel(), group * self._below.shape[1]
        banks: Ints = np.maximum(below.take(row + last) - below.take(row + first), 0)
        return banks

    def count_of(self, group: Ints, mats: Mat) -> int:
        """Number of designs of mats of groups that are not too narrow, as the model decides."""
        k = self._least + np.arange(self._number.shape[1])
        tall = np.ldexp((mats.height / mats.width)[:, None], k) <= MOST_ASPECT_RATIO
        wide = np.ldexp((mats.width / mats.height)[:, None], -k) <= MOST_ASPECT_RATIO
        return int((self._number[group] * (tall & wide & mats.legal[:, None])).sum())


def _floor_of_log2(values: Floats) -> Ints:
    """The largest k with 2^k <= x of positive x, from the exponents of doubles."""
    floor: Ints = (values.view(np.int64) >> MANTISSA) - BIAS
    return floor


def _ceiling_of_log2(values: Floats) -> Ints:
    """The smallest k with x <= 2^k of positive x."""
    ceiling: Ints = ((values.view(np.int64) + ((1 << MANTISSA) - 1)) >> MANTISSA) - BIAS
    return ceiling


class _PredecoderSquares:
    """The square of predecoders that stands beside the subarrays of mats, within bounds.

    Tables by address bits and number of a load, for all loads of valid mats: the `least` and the `most` area [m²] of
    both blocks of predecoders from it to the next load.
    """

    def __init__(self, flat: Flat) -> None:
        self._wire = flat.circuit.wire.capacitance
        most_bits, longest = flat.bounded.largest
        ends = self._codes(np.array([(flat.least.mat.height + flat.least.mat.width).min(), longest]))
        self._first = int(ends[0]) - 1
        codes = np.arange(self._first, int(ends[1]) + 3)
        one, two = split_bits(np.arange(most_bits + 1))
        loads = np.append((codes << CUT_BITS).view(np.float64), 0.0)
        area, kind = _areas(int(one.max()), loads, flat.circuit)
        both = area[one] + area[two]
        same = kind[:, 1:-1] == kind[:, :-2]
        bounded = same[one] & same[two]
        self._least, self._most = np.where(bounded, both[:, :-2], 0.0), np.where(bounded, both[:, 1:-1], np.inf)
        self._unloaded = both[:, -1]

    def _codes(self, sides: Floats) -> Ints:
        """Numbers of the loads c / 2 L of both `sides` together [m], ascending: exponent, first bits of mantissa."""
        codes: Ints = (self._wire / 2 * sides).view(np.int64) >> CUT_BITS
        return codes

    def _squares(self, sides: MatSides) -> tuple[Floats, Floats]:
        """Bounds of the side [m] of the square of predecoders, (n, styles): sqrt(sum A_block).

        Rows' predecoders are loaded by c h R / 2 + c w C / 2; those of multiplexers by nothing in mats of up to two by
        two subarrays, and are not bounded in others (dse.objectives.array.hierarchy.mat). Of mats that are not valid
        the bounds mean nothing.
        """
        place = self._codes(sides.height + sides.width) - self._first
        place += sides.row_bits.astype(np.int64)[:, None] * self._least.shape[1]
        one, two, three = (self._unloaded.take(bits) for bits in sides.mux_bits)
        others = (one + two + three)[:, None]
        low, high = (np.sqrt(table.take(place, mode="clip") + others) for table in (self._least, self._most))
        unbounded = sides.most_in_row > MOST_IN_ROW
        low[unbounded], high[unbounded] = 0.0, np.inf
        return low, high

    def ratios(self, sides: MatSides) -> tuple[Floats, Floats]:
        """Bounds of width over height of mats, (n styles,)."""
        low, high = self._squares(sides)
        width, height = sides.width, sides.height
        wide = width > height
        ends = [np.where(wide, (width + side) / height, width / (height + side)).ravel() for side in (low, high)]
        return np.minimum(*ends), np.maximum(*ends)


def _areas(most_bits: int, load: Floats, circuit: Circuit) -> tuple[Floats, Ints]:
    """Area [m²] and a number for the drivers of predecoder blocks of 0 to some bits that drive loads [F]."""
    bits = np.repeat(np.arange(most_bits + 1), len(load))
    area, kind = area_of_load(
        bits, np.tile(load, most_bits + 1), circuit.largest_nmos, circuit.technology, circuit.quirks
    )
    return area.reshape(-1, len(load)), kind.reshape(-1, len(load))
