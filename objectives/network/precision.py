"""Widths of numbers, what optimizers keep, and how results are stored."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from dse.errors import InputError
from dse.text import nearest, quoted

OPTIMIZERS = {"sgd": (), "momentum": ("momentum",), "adam": ("momentum", "variance")}
"""States that each optimizer keeps, one number each per parameter."""
STORED, FUSED = "stored", "fused"
ATTENTIONS = (STORED, FUSED)
"""Whether attention's probabilities are stored, or computed anew from queries and keys as they are needed."""
STATISTIC_BYTES = 4
"""Statistics of normalizations are kept in single precision."""


@dataclass(frozen=True, slots=True)
class Precision:
    """Bytes per number of each class of tensor; `master` is 0 where there is no copy of the weights."""

    name: str
    weight: int
    weight_gradient: int
    activation: int
    activation_gradient: int
    master: int
    optimizer_state: int

    def bytes_per_parameter(self, optimizer: str) -> int:
        """Bytes of weight, gradient, master copy and states: 16 for mixed precision with Adam."""
        return self.weight + self.weight_gradient + self.master + self.optimizer_state * len(states_of(optimizer))


@dataclass(frozen=True, slots=True)
class Storage:
    """How results are stored; the defaults are the least that the backward pass needs.

    `mask_bytes`, `index_bytes`, `token_bytes`: width of a dropout mask's flag, of where a maximum was found, and of a
    token. `statistics`: whether normalizations keep theirs. `in_place`: whether activations such as ReLU and dropout
    write where they read. `attention`: one of ATTENTIONS. `dropout`: whether there is any. `pool_input`: whether
    pooling keeps its input.
    """

    mask_bytes: int = 1
    index_bytes: int = 1
    token_bytes: int = 8
    statistics: bool = True
    in_place: bool = True
    attention: str = STORED
    dropout: bool = True
    pool_input: bool = False


@cache
def precisions() -> dict[str, Precision]:
    """All named precisions."""
    text = resources.files("dse.objectives.network").joinpath("data/precisions.toml").read_text(encoding="utf-8")
    return {name: Precision(name=name, **values) for name, values in tomllib.loads(text).items()}


def load_precision(name: str) -> Precision:
    """Precision by its name."""
    if name not in precisions():
        raise InputError(f"precision {quoted(name)} is unknown, the nearest is {nearest(name, precisions())}: "
                         f"known are {', '.join(precisions())}")
    return precisions()[name]


def states_of(optimizer: str) -> tuple[str, ...]:
    """States that an optimizer keeps per parameter."""
    if optimizer not in OPTIMIZERS:
        raise InputError(f"optimizer {quoted(optimizer)} is unknown, the nearest is {nearest(optimizer, OPTIMIZERS)}: "
                         f"known are {', '.join(OPTIMIZERS)}")
    return OPTIMIZERS[optimizer]
