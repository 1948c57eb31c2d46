"""Folds against an array simulated element by element, and against SCALE-Sim's reports."""

from itertools import product

import numpy as np
import pytest

from dse.objectives.systolic.folds import DATAFLOWS, EXPOSED, INPUT, OUTPUT, WEIGHT, Products, Shape, fold


def products(m, n, k, count=1):
    sizes = [np.array([float(size)]) for size in (m, n, k)]
    return Products(*sizes, count=np.array([float(count)]), written=np.array([float(m * n * count)]))


class Simulated:
    """One product on processing elements that pass operands on each cycle, with counts of what crosses the edges."""

    def __init__(self, left, right, rows, columns):
        self.left, self.right, self.rows, self.columns = left, right, rows, columns
        self.result = np.zeros((left.shape[0], right.shape[1]))
        self.cycles = self.folds = self.read_left = self.read_right = self.read_sums = self.written_sums = 0
        self.last = np.full(self.result.shape, -1)

    def output(self):
        (m, k), n = self.left.shape, self.right.shape[1]
        for top, first in product(range(0, m, self.rows), range(0, n, self.columns)):
            down, across = min(self.rows, m - top), min(self.columns, n - first)
            a = np.zeros((self.rows, self.columns))
            b = np.zeros_like(a)
            sums = np.zeros_like(a)
            span = self.rows + self.columns + k - 2
            for cycle in range(span):
                a[:, 1:], b[1:] = a[:, :-1].copy(), b[:-1].copy()
                a[:, 0] = b[0] = 0
                for row in range(down):
                    if 0 <= cycle - row < k:
                        a[row, 0] = self.left[top + row, cycle - row]
                        self.read_left += 1
                for column in range(across):
                    if 0 <= cycle - column < k:
                        b[0, column] = self.right[cycle - column, first + column]
                        self.read_right += 1
                sums += a * b
            self.result[top : top + down, first : first + across] = sums[:down, :across]
            self._finish(span)

    def stationary(self, held, streamed, put):
        """One operand (k x wide) is held, the other (long x k) streams through; sums leave at the bottom."""
        (k, wide), long = held.shape, streamed.shape[0]
        for first, top in product(range(0, wide, self.columns), range(0, k, self.rows)):
            down, across = min(self.rows, k - top), min(self.columns, wide - first)
            weights = np.zeros((self.rows, self.columns))
            weights[:down, :across] = held[top : top + down, first : first + across]
            loads = down * across
            a = np.zeros((self.rows, self.columns))
            sums = np.zeros_like(a)
            reads = 0
            span = self.rows + self.columns + long - 2 + self.rows  # loading first
            for cycle in range(self.rows + self.columns + long - 2 + 1):
                bottom = sums[-1].copy()
                for column in range(across):
                    item = cycle - self.rows - column
                    if 0 <= item < long:
                        put(item, first + column, bottom[column], top == 0)
                        self.read_sums += top > 0
                        self.written_sums += top + self.rows < k
                a[:, 1:] = a[:, :-1].copy()
                sums[1:] = sums[:-1].copy()
                a[:, 0] = sums[0] = 0
                for row in range(down):
                    if 0 <= cycle - row < long:
                        a[row, 0] = streamed[cycle - row, top + row]
                        reads += 1
                sums = sums + weights * a
            self._finish(span)
            yield loads, reads

    def weight(self):
        def put(item, column, value, first):
            self.result[item, column] += value

        for loads, reads in self.stationary(self.right, self.left, put):
            self.read_right += loads
            self.read_left += reads

    def input(self):
        def put(item, column, value, first):
            self.result[column, item] += value

        for loads, reads in self.stationary(self.left.T, self.right.T, put):
            self.read_left += loads
            self.read_right += reads

    def _finish(self, span):
        self.cycles += span
        self.folds += 1


@pytest.mark.parametrize("dataflow", DATAFLOWS)
@pytest.mark.parametrize(("m", "n", "k"), [(1, 1, 1), (5, 3, 7), (8, 8, 8), (9, 4, 2), (2, 11, 13)])
@pytest.mark.parametrize("shape", [Shape(2, 3), Shape(4, 4), Shape(3, 1)])
def test_folds_of_a_simulated_array(dataflow, m, n, k, shape):
    random = np.random.default_rng(m * 100 + n * 10 + k)
    left, right = random.normal(size=(m, k)), random.normal(size=(k, n))
    simulated = Simulated(left, right, shape.rows, shape.columns)
    {OUTPUT: simulated.output, WEIGHT: simulated.weight, INPUT: simulated.input}[dataflow]()
    np.testing.assert_allclose(simulated.result, left @ right, atol=1e-12)
    found = fold(products(m, n, k), shape, dataflow)
    assert found.folds[0] == simulated.folds
    assert found.cycles[0] == simulated.cycles
    assert found.left[0] == simulated.read_left
    assert found.right[0] == simulated.read_right
    assert found.results[0] == m * n
    assert found.sums[0] == simulated.read_sums == simulated.written_sums


@pytest.mark.parametrize(("size", "dataflow", "cycles"), [
    ((256, 128, 256), OUTPUT, 10175), ((256, 128, 256), WEIGHT, 11199), ((256, 128, 256), INPUT, 14207),
    ((3025, 96, 363), WEIGHT, 112283),
])
def test_cycles_of_scale_sim(size, dataflow, cycles):
    """Its golden reports number cycles from zero and print the last one's number."""
    assert fold(products(*size), Shape(32, 32), dataflow).cycles[0] == cycles + 1


def test_results_are_written_once():
    """SCALE-Sim's golden report of this product writes 34816, 2048 of which are a slip: there are 256·128 results."""
    assert fold(products(256, 128, 256), Shape(32, 32), OUTPUT).results[0] == 34816 - 2048


def test_an_exposed_drain_adds_the_rows_to_each_fold():
    hidden, exposed = (fold(products(64, 64, 10), Shape(32, 16), OUTPUT, drain=drain) for drain in ("hidden", EXPOSED))
    assert exposed.cycles[0] - hidden.cycles[0] == 32 * hidden.folds[0]


@pytest.mark.parametrize("dataflow", [WEIGHT, INPUT])
def test_a_small_accumulator_cuts_streams(dataflow):
    """By hand: 8 rows of 4 columns fit in half of 256 bytes, so that 20 rows stream in 3 pieces."""
    size = (20, 4, 8) if dataflow == WEIGHT else (4, 20, 8)
    whole, cut = (fold(products(*size), Shape(4, 4), dataflow, sums_bytes=held) for held in (np.inf, 256.0))
    assert (whole.folds[0], cut.folds[0]) == (2, 6)
    assert whole.cycles[0] == 2 * (8 + 4 + 20 - 2)
    assert cut.cycles[0] == 2 * ((8 + 4 + 8 - 2) + (8 + 4 + 8 - 2) + (8 + 4 + 4 - 2))
    held, streamed = ("right", "left") if dataflow == WEIGHT else ("left", "right")
    assert getattr(cut, held)[0] == 3 * getattr(whole, held)[0]
    assert getattr(cut, streamed)[0] == getattr(whole, streamed)[0]
    assert cut.sums[0] == whole.sums[0] == 80


def test_without_partial_sums_nothing_is_cut():
    found = fold(products(1000, 4, 4), Shape(4, 4), WEIGHT, sums_bytes=64.0)
    assert found.folds[0] == 1


def test_overlapping_windows_are_summed():
    """Each of 6 products beyond the 4 numbers written is added to a sum that is there."""
    one = Products(*(np.array([float(size)]) for size in (5, 2, 3)), count=np.array([1.0]), written=np.array([4.0]))
    found = fold(one, Shape(4, 4), OUTPUT)
    assert (found.results[0], found.sums[0]) == (4, 6)
