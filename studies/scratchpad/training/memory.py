"""The memory that tensors of a training step pass through, class by class."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from dse.batch import Floats
from dse.studies.scratchpad.training.bfloat16 import SHARED, BitFaults, Words, to_values, to_words

TENSOR_CLASSES = ("activation", "weight", "error", "gradient")


class TensorMemory(Protocol):
    """What tensors pass through."""

    def through(self, tensor_class: str, name: str, values: Floats) -> Floats:
        """What is read of a tensor after it was written."""


class FaultyMemory:
    """Tensors written as bf16 and read back; classes with faults keep what lay at every address.

    `faults` by class; `bounds` by class clip what is read (and zero what is no number). With neither it only rounds.
    `peaks` remembers the largest magnitude that each class was written with.
    """

    def __init__(
        self, faults: Mapping[str, Sequence[BitFaults]], random: np.random.Generator,
        bounds: Mapping[str, float] | None = None,
    ) -> None:
        self._faults = faults
        self._random = random
        self._bounds = bounds
        self._old: dict[tuple[str, str], Words] = {}
        self._rings: dict[str, ClassRing] = {}
        self.peaks = dict.fromkeys(TENSOR_CLASSES, 0.0)

    def through(self, tensor_class: str, name: str, values: Floats) -> Floats:
        """What is read of a tensor after it was written."""
        new = to_words(values)
        faults = self._faults.get(tensor_class, ())
        if faults:
            shared = any(one.kind == SHARED for one in faults)
            old = self._previous(tensor_class, name, new, shared)
            for one in faults:
                new = one.written(new, old, self._random)
            self._keep(tensor_class, name, new, shared)
        read = to_values(new)
        if self._bounds is None:
            self.peaks[tensor_class] = max(self.peaks[tensor_class], float(np.abs(read).max()))
            return read
        bound = self._bounds[tensor_class]
        return np.clip(np.nan_to_num(read, nan=0.0, posinf=bound, neginf=-bound), -bound, bound)

    def _previous(self, tensor_class: str, name: str, new: Words, shared: bool) -> Words:
        if shared:
            return self._rings.setdefault(tensor_class, ClassRing()).under(new.size).reshape(new.shape)
        old = self._old.get((tensor_class, name))
        return np.zeros_like(new) if old is None or old.shape != new.shape else old

    def _keep(self, tensor_class: str, name: str, written: Words, shared: bool) -> None:
        if shared:
            self._rings[tensor_class].write(written.ravel())
        else:
            self._old[tensor_class, name] = written


class ClassRing:
    """A ring buffer that all tensors of a class are written into one after the other, at most `WORDS` long."""

    WORDS = 1 << 13

    def __init__(self) -> None:
        self._words = np.zeros(self.WORDS, np.uint16)
        self._next = 0

    def under(self, count: int) -> Words:
        """What lies where the next `count` words will be written."""
        return np.asarray(self._words[(self._next + np.arange(count)) % self.WORDS])

    def write(self, words: Words) -> None:
        """Write words at the next addresses."""
        place = (self._next + np.arange(len(words))) % self.WORDS
        self._words[place] = words
        self._next = (self._next + len(words)) % self.WORDS
