"""What may be chosen of a scratchpad beside its buffers: the array that it feeds, what it runs, and its division."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from dse.errors import InputError
from dse.spaces.space import Axis, Scale
from dse.text import quoted

EIGHTHS = 8
SEPARATOR = ":"


@dataclass(frozen=True, slots=True)
class OuterChoices:
    """Levels of the axes at the top; numbers ascend. Splits are as ``3:2:2:1``, arrays as ``128x128``."""

    array: tuple[str, ...]
    dataflow: tuple[str, ...]
    batch: tuple[int, ...]
    capacity: tuple[int, ...]
    split: tuple[str, ...]
    accumulator: tuple[int, ...]
    pace: tuple[float, ...]

    def axes(self) -> tuple[Axis, ...]:
        """Axes, in order."""
        return (
            Axis("systolic_array", self.array, Scale.WORDS), Axis("dataflow", self.dataflow, Scale.WORDS),
            Axis("batch", self.batch, Scale.LOGARITHMIC), Axis("capacity", self.capacity, Scale.LOGARITHMIC, "B"),
            Axis("split", self.split, Scale.WORDS),
            Axis("accumulator_capacity", self.accumulator, Scale.LOGARITHMIC, "B"),
            Axis("pace", self.pace, Scale.LOGARITHMIC),
        )


def parse_split(text: str, classes: Sequence[str]) -> tuple[int, ...]:
    """Parts of the capacity of each class, of all parts together."""
    try:
        parts = tuple(int(part) for part in text.split(SEPARATOR))
    except ValueError:
        parts = ()
    if len(parts) != len(classes) or min(parts) < 1 or sum(parts) != EIGHTHS:
        raise InputError(f"--split {quoted(text)}: give eighths of {', '.join(classes)}, as "
                         f"{SEPARATOR.join(map(str, usual_split(len(classes))))}")
    return parts


def usual_split(classes: int) -> tuple[int, ...]:
    """Eighths in equal parts, what is over to the first ones."""
    each, over = divmod(EIGHTHS, classes)
    return tuple(each + (place < over) for place in range(classes))


def all_splits(classes: int) -> list[str]:
    """Every division into eighths."""
    found = [parts for parts in product(range(1, EIGHTHS), repeat=classes) if sum(parts) == EIGHTHS]
    return [SEPARATOR.join(map(str, parts)) for parts in found]
