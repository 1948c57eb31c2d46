"""Networks and data whose tolerance is measured: handwritten digits, which scikit-learn brings along."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from dse.batch import Floats, Ints
from dse.errors import InputError
from dse.studies.scratchpad.training.layers import Convolution, Dense, Trained
from dse.text import nearest, quoted

CLASSES = 10
TEST_SHARE = 5
"""One image of so many is kept for the test."""


@dataclass(frozen=True, slots=True)
class Images:
    """Images (n, 8, 8, 1) from 0 to 1 and their digits (n,)."""

    pixels: Floats
    digits: Ints


@cache
def images() -> tuple[Images, Images]:
    """Images to train with and images to test with.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998).
    """
    from sklearn.datasets import load_digits

    every = load_digits()
    pixels = (every.images / 16.0).astype(np.float32)[..., None]
    order = np.random.default_rng(0).permutation(len(pixels))
    test, train = order[::TEST_SHARE], np.delete(order, np.s_[::TEST_SHARE])
    return Images(pixels[train], every.target[train]), Images(pixels[test], every.target[test])


@dataclass(frozen=True, slots=True)
class SmallNetwork:
    """Layers of a network with rectifiers between them, and how it is trained."""

    name: str
    layers: Callable[[], tuple[Trained, ...]]
    rate: float
    epochs: int
    batch: int = 32
    momentum: float = 0.9


def _perceptron() -> tuple[Trained, ...]:
    return Dense(64, 64), Dense(64, 48), Dense(48, CLASSES)


def _convolutional() -> tuple[Trained, ...]:
    return Convolution(1, 8, 2), Convolution(8, 16, 2), Dense(64, CLASSES)


NETWORKS = {
    one.name: one
    for one in (
        SmallNetwork("digits-mlp", _perceptron, rate=0.05, epochs=8),
        SmallNetwork("digits-cnn", _convolutional, rate=0.05, epochs=8),
    )
}


def network_of(name: str) -> SmallNetwork:
    """Network of a name; InputError where there is none."""
    if name not in NETWORKS:
        raise InputError(
            f"network {quoted(name)} is unknown, expected one of {', '.join(NETWORKS)};"
            f" the nearest is {nearest(name, list(NETWORKS))}"
        )
    return NETWORKS[name]
