"""Measure which bits a write changes: ``python -m dse.studies.scratchpad.training.toggles NETWORK FILE``.

Each row of the table is the share of the writes into one bit of one tensor class that turn it over, in training
without faults: at the tensor's own address, and at those of a ring that all tensors of the class share.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dse.batch import Floats
from dse.studies.scratchpad.training.bfloat16 import Words, to_values, to_words
from dse.studies.scratchpad.training.measure import IN_PLACE, SEEDS, run_now
from dse.studies.scratchpad.training.memory import TENSOR_CLASSES, ClassRing
from dse.studies.scratchpad.training.networks import SmallNetwork, network_of
from dse.studies.scratchpad.training.train import train

BITS = 16
OWN, SHARED = "own", "shared"
COLUMNS = ("class", "address", "bit", "toggled")


@dataclass(slots=True)
class BitCount:
    """Bits (16,) that turned over, of so many words written."""

    toggled: Floats = field(default_factory=lambda: np.zeros(BITS))
    words: int = 0

    def add(self, new: Words, old: Words) -> None:
        """Count words written over others."""
        changed = (new ^ old).ravel()
        self.toggled += [(changed >> bit & 1).sum() for bit in range(BITS)]
        self.words += new.size

    @property
    def share(self) -> Floats:
        """Share (16,) of writes that turn a bit over."""
        return self.toggled / self.words


Counts = dict[tuple[str, str], BitCount]
"""By class and address."""


class CountingMemory:
    """Tensors written as bf16 and read back without faults; adds bits that change to counts."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._old: dict[tuple[str, str], Words] = {}
        self._rings = {name: ClassRing() for name in TENSOR_CLASSES}

    def through(self, tensor_class: str, name: str, values: Floats) -> Floats:
        """What is read of a tensor after it was written; a tensor's first write is not counted at its address."""
        new = to_words(values)
        old = self._old.get((tensor_class, name))
        if old is not None and old.shape == new.shape:
            self._counts[tensor_class, OWN].add(new, old)
        self._old[tensor_class, name] = new
        ring = self._rings[tensor_class]
        self._counts[tensor_class, SHARED].add(new.ravel(), ring.under(new.size))
        ring.write(new.ravel())
        return to_values(new)


def toggled(network: SmallNetwork, *, seeds: int = SEEDS, in_place: bool = False) -> dict[tuple[str, str], Floats]:
    """Shares (16,) by class and address, of all seeds together."""
    counts: Counts = {(name, address): BitCount() for name in TENSOR_CLASSES for address in (OWN, SHARED)}
    for seed in range(seeds):
        train(network, CountingMemory(counts), seed, in_place=in_place)
    return {key: count.share for key, count in counts.items()}


def rows(network: SmallNetwork) -> Iterator[tuple[str, str, int, str]]:
    """Rows of a network's table; weights in place beside those that are copies."""
    found = toggled(network)
    in_place = {(IN_PLACE, address): shares for (name, address), shares in toggled(network, in_place=True).items()
                if name == "weight"}
    for (name, address), shares in (found | in_place).items():
        for bit, share in enumerate(shares):
            yield name, address, bit, f"{share:.5f}"


def main(arguments: Sequence[str]) -> None:
    """Measure the network that is named, and write the file that is named."""
    name, path = arguments
    network = network_of(name)
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        file.write(f"# {run_now('toggles', network)}\n")
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(rows(network))


if __name__ == "__main__":
    main(sys.argv[1:])
