"""Laws of spaces put together from parts, against every combination of levels by plain loops."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from scipy.stats import chisquare

from dse.batch import Bools, Ints
from dse.errors import InfeasibleError
from dse.spaces.branches import BranchSpace, prefixed
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Scale, Space, code, combinations, decode, distance, neighbors

KINDS, SIZES = Axis("kind", ("a", "b", "c"), Scale.WORDS), Axis("size", (1, 2, 4, 8), Scale.LOGARITHMIC, "B")
ROWS, STYLES = Axis("rows", (1, 2, 3)), Axis("style", ("x", "y"), Scale.WORDS)
COLUMNS = Axis("columns", (1, 2, 4, 8), Scale.LOGARITHMIC)


@dataclass(frozen=True)
class AtMost(ProductSpace):
    """Rows and styles whose levels add up to no more than a limit."""

    most: int = 9

    @property
    def size(self) -> int:
        return int(self.legal(self._all()).sum())

    def _all(self) -> Ints:
        return decode(self.axes, range(combinations(self.axes)))

    def legal(self, designs: Ints) -> Bools:
        return np.asarray(designs.sum(axis=1) <= self.most)

    def sample(self, count: int, random: np.random.Generator) -> Ints:
        some = self._all()[self.legal(self._all())]
        return some[random.integers(len(some), size=count)]

    def repair(self, designs: Ints) -> Ints:
        some = self._all()[self.legal(self._all())]
        return some[distance(self.axes, some[None], designs[:, None]).argmin(axis=1)]

    def explain(self, design: Ints) -> list[str]:
        return [] if self.legal(design[None])[0] else [f"more than {self.most}"]

    def blocks(self):  # type: ignore[no-untyped-def]
        some = self._all()[self.legal(self._all())]
        if len(some):
            yield some


def part(most: int) -> AtMost:
    return AtMost((ROWS, STYLES), most)


COLUMN_SPACE = ProductSpace((COLUMNS,))
BRANCHES: dict[tuple[int, ...], list[Space]] = {
    (0, 0): [part(3), COLUMN_SPACE], (0, 2): [part(0), COLUMN_SPACE], (1, 3): [part(1), COLUMN_SPACE],
    (2, 1): [part(-1), COLUMN_SPACE],
}
"""The last has no legal design."""


@pytest.fixture
def space() -> BranchSpace:
    return BranchSpace((KINDS, SIZES), {"left": (ROWS, STYLES), "": (COLUMNS,)}, lambda: BRANCHES)


def legal_by_loops() -> list[tuple[int, ...]]:
    """Every legal design, branch by branch, the last part fastest."""
    return [
        (*branch, *left, *right)
        for branch, (first, _) in BRANCHES.items()
        for left in product(range(3), range(2)) if first.legal(np.array([left]))[0]
        for right in product(range(4))
    ]


def test_axes_of_parts_have_their_names(space: BranchSpace) -> None:
    assert [axis.name for axis in space.axes] == ["kind", "size", "left_rows", "left_style", "columns"]
    assert [(part.start, part.stop) for part in space.slices] == [(2, 4), (4, 5)]
    assert prefixed("tag", (COLUMNS,))[0] == Axis("tag_columns", COLUMNS.levels, Scale.LOGARITHMIC)


def test_legal_blocks_and_size(space: BranchSpace) -> None:
    every = decode(space.axes, range(combinations(space.axes)))
    expected = legal_by_loops()
    assert {tuple(row) for row in every[space.legal(every)].tolist()} == set(expected)
    assert [tuple(row) for row in np.concatenate(list(space.blocks())).tolist()] == expected
    assert space.size == len(expected) == len(set(expected))
    assert list(space.branches) == list(BRANCHES)[:3]


def test_explained_are_the_illegal(space: BranchSpace) -> None:
    every = decode(space.axes, range(combinations(space.axes)))
    assert [not space.explain(design) for design in every] == space.legal(every).tolist()
    assert space.explain(np.array([1, 3, 2, 1, 0])) == ["left: more than 1"]
    assert space.explain(np.array([2, 1, 0, 0, 0])) == ["no design of c, 2 is legal"]


def test_samples_are_uniform(space: BranchSpace) -> None:
    numbers = {number: place for place, number in enumerate(code(space.axes, np.array(legal_by_loops())))}
    chosen = space.sample(6000, np.random.default_rng(3))
    assert space.legal(chosen).all()
    counts = np.bincount([numbers[number] for number in code(space.axes, chosen)], minlength=len(numbers))
    assert chisquare(counts).pvalue > 1e-3
    np.testing.assert_array_equal(chosen, space.sample(6000, np.random.default_rng(3)))


def test_repair_takes_the_nearest_branch_then_the_nearest_part(space: BranchSpace) -> None:
    every = decode(space.axes, range(combinations(space.axes)))
    before = every.copy()
    repaired = space.repair(every)
    np.testing.assert_array_equal(every, before)
    assert space.legal(repaired).all()
    legal = space.legal(every)
    np.testing.assert_array_equal(repaired[legal], every[legal])
    branches = np.array(list(BRANCHES)[:3])
    for design, nearest in zip(every, repaired, strict=True):
        steps = distance(space.axes[:2], branches, design[:2])
        np.testing.assert_array_equal(nearest[:2], branches[steps.argmin()])
        first = BRANCHES[tuple(nearest[:2].tolist())][0]
        np.testing.assert_array_equal(nearest[2:4], first.repair(design[None, 2:4])[0])
        assert nearest[4] == design[4]


def test_directions_and_neighbors(space: BranchSpace) -> None:
    np.testing.assert_array_equal(space.directions, [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 1]])
    for design in np.concatenate(list(space.blocks()))[::5]:
        around = neighbors(space, design)
        assert len(around) and space.legal(around).all()
        assert not (around == design).all(axis=1).any()


def test_a_space_is_asked_for_its_parts_when_designs_are_needed() -> None:
    asked: list[int] = []

    def spaces() -> dict[tuple[int, ...], list[Space]]:
        asked.append(1)
        return {(0,): [part(-1)]}

    space = BranchSpace((KINDS,), {"left": (ROWS, STYLES)}, spaces)
    assert len(space.axes) == 3 and not asked
    with pytest.raises(InfeasibleError, match="no combination of levels is legal"):
        space.legal(np.zeros((1, 3), np.int64))
    assert asked


def test_nothing_to_choose_at_the_top() -> None:
    space = BranchSpace((), {"left": (ROWS, STYLES)}, lambda: {(): [part(2)]})
    assert [tuple(row) for row in np.concatenate(list(space.blocks())).tolist()] == [
        (rows, style) for rows, style in product(range(3), range(2)) if rows + style <= 2
    ]
    assert space.legal(space.sample(20, np.random.default_rng(1))).all()
    assert space.legal(space.repair(np.array([[2, 1], [0, 0]]))).all()
