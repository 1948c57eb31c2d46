"""What every space of designs must keep to."""

from collections.abc import Iterator

import numpy as np

from dse.batch import Ints
from dse.spaces.space import Axis, Scale, Space, code, combinations, decode, distance, uniform_levels, within

SAMPLED = 64
"""Designs that a law is tried on."""
ENUMERATED = 20_000
"""Combinations of levels up to which a space is compared with all of them."""


def space_complaints(space: Space, seed: int) -> Iterator[str]:
    """What a space does wrong."""
    yield from _axes(space.axes)
    yield from _samples(space, seed)
    yield from _repairs(space, seed)
    yield from _directions(space)
    if combinations(space.axes) <= ENUMERATED:
        yield from _enumeration(space)
    else:
        yield from _first_block(space)


def _axes(axes: tuple[Axis, ...]) -> Iterator[str]:
    """Names and levels."""
    names = [axis.name for axis in axes]
    if len(set(names)) < len(names):
        yield f"axes have names of their own: {', '.join(names)}"
    for axis in axes:
        if not axis.levels or len(set(axis.levels)) < len(axis):
            yield f"an axis has levels, each once: {axis.name} has {axis.levels}"
        if not axis.ordered:
            continue
        if any(isinstance(level, str) for level in axis.levels):
            yield f"levels of a linear or logarithmic axis are numbers: {axis.name} has {axis.levels}"
        elif list(axis.levels) != sorted(axis.levels):
            yield f"levels of a linear or logarithmic axis ascend: {axis.name} has {axis.levels}"
        elif axis.scale is Scale.LOGARITHMIC and float(axis.levels[0]) <= 0:
            yield f"levels of a logarithmic axis are positive: {axis.name} begins with {axis.levels[0]}"


def _samples(space: Space, seed: int) -> Iterator[str]:
    """`sample`, and `legal` and `explain` on what it gives."""
    drawn, again = (space.sample(SAMPLED, np.random.default_rng(seed)) for _ in range(2))
    if drawn.shape != (SAMPLED, len(space.axes)) or not np.issubdtype(drawn.dtype, np.integer):
        yield f"sample gives integers (count, axes): gave {drawn.dtype} {drawn.shape} for {SAMPLED}"
        return
    if not np.array_equal(drawn, again):
        yield "sample depends on the random generator alone: the same seed gave other designs"
    if not within(space.axes, drawn).all():
        yield "sample gives levels that exist"
    legal = space.legal(drawn)
    if legal.shape != (SAMPLED,) or legal.dtype != np.bool_:
        yield f"legal gives a truth value per design: gave {legal.dtype} {legal.shape}"
    elif not legal.all():
        yield f"sample gives legal designs: {drawn[int(np.argmin(legal))].tolist()} is not"
    if any(space.explain(design) for design in drawn[legal]):
        yield "explain finds nothing wrong with legal designs"


def _repairs(space: Space, seed: int) -> Iterator[str]:
    """`repair`, and `legal` and `explain` on any combination of levels."""
    anything = uniform_levels(space.axes, SAMPLED, np.random.default_rng(seed))
    kept = anything.copy()
    legal, repaired = space.legal(anything), space.repair(anything)
    if not np.array_equal(kept, anything):
        yield "repair leaves its argument as it is"
    if repaired.shape != anything.shape or not space.legal(repaired).all():
        yield "repair gives a legal design for every one"
        return
    if not np.array_equal(repaired[legal], kept[legal]):
        yield "repair leaves legal designs as they are"
    if any(bool(space.explain(design)) == bool(fine) for design, fine in zip(kept, legal, strict=True)):
        yield "explain names a rule where a design is illegal, and none where it is legal"
    one_by_one = np.array([bool(space.legal(design[None])[0]) for design in kept])
    if not np.array_equal(one_by_one, legal):
        yield "legal says the same of a design alone and among others"


def _directions(space: Space) -> Iterator[str]:
    """`directions`."""
    directions = space.directions
    if directions.ndim != 2 or directions.shape[1] != len(space.axes):
        yield f"directions have shape (m, axes): {directions.shape}"
        return
    still = [place for place, axis in enumerate(space.axes) if not axis.ordered or len(axis) == 1]
    if directions[:, still].any():
        yield "directions step along ordered axes of several levels only"
    if len(directions) and not directions.any(axis=1).all():
        yield "every direction changes something"


def _enumeration(space: Space) -> Iterator[str]:
    """`blocks` and `size` of a small space, beside all combinations of levels; `repair` finds the nearest."""
    everything = decode(space.axes, range(combinations(space.axes)))
    legal = everything[space.legal(everything)]
    listed = _listed(space)
    if sorted(code(space.axes, listed)) != sorted(code(space.axes, legal)):
        yield f"blocks hold every legal design once: {len(listed)} listed, {len(legal)} combinations are legal"
    if not np.array_equal(listed, _listed(space)):
        yield "blocks come in a fixed order"
    if not len(legal) <= space.size <= len(everything):
        yield f"size is the number of legal designs: {space.size}, {len(legal)} are legal"
    if not len(legal):
        return
    some = everything[:: max(1, len(everything) // SAMPLED)]
    nearest = [int(distance(space.axes, legal, design).min()) for design in some]
    moved = [int(distance(space.axes, *pair)) for pair in zip(space.repair(some), some, strict=True)]
    if nearest != moved:
        yield "repair finds a nearest legal design"


def _listed(space: Space) -> Ints:
    """All designs of the blocks."""
    return np.concatenate([np.zeros((0, len(space.axes)), np.int64), *space.blocks()])


def _first_block(space: Space) -> Iterator[str]:
    """The first block of a large space."""
    block = next(iter(space.blocks()), None)
    if block is None or not len(block):
        yield "blocks hold every legal design: the first one is empty"
    elif not space.legal(block).all() or len(set(code(space.axes, block))) < len(block):
        yield "blocks hold legal designs, each once"
    if space.size < 1:
        yield f"size is the number of legal designs: {space.size}"
