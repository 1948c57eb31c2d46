"""What one device does in an iteration: operations in order, what they stash, fetch and exchange.

Source: Kwon and Rhu, MICRO 2018 (MC-DLA), sections II-C and IV: data parallel devices add up the gradients of weights
once per iteration; model parallel ones hold a slice of each layer's outputs, gather them forward, and add up the
gradients of inputs backward, while all wait. Results of matrix products are stashed, those of cheap layers computed
again (footnote 4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dse.batch import Floats
from dse.objectives.memory_centric.products import Sizes
from dse.objectives.network.step import INPUT_GRADIENT, RECOMPUTE, UPDATE, WEIGHT_GRADIENT, Product

BACKWARD = (RECOMPUTE, INPUT_GRADIENT, WEIGHT_GRADIENT)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A collective on `elements` numbers that goes `rounds` times around; all wait for it where it is `blocking`."""

    elements: float
    rounds: int
    blocking: bool


@dataclass(frozen=True, slots=True)
class DeviceTask:
    """One operation of a device.

    `product` None: an elementwise pass over `left` numbers. `stash`: numbers that it sends to the backing store when
    it ends. `needs`: numbers of stashed items (in the order they are sent) that must be back before it starts.
    `exchanges` begin when it ends. `after_exchanges`: whether it waits for all of them.
    """

    name: str
    layer: str
    kind: str
    product: Product | None = None
    left: float = 0.0
    right: float = 0.0
    result: float = 0.0
    stash: float = 0.0
    needs: tuple[int, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    after_exchanges: bool = False


@dataclass(frozen=True)
class Work:
    """Tasks in order, with what follows from them.

    `samples` of all devices together, `weights` of one device; `again`: most numbers that it holds of outputs computed
    again, from one stashed output to the next.
    """

    tasks: tuple[DeviceTask, ...]
    samples: int
    weights: float
    again: float = 0.0

    @cached_property
    def sizes(self) -> Sizes:
        """Sizes of the tasks (tasks, 1)."""
        blank = Product(0, 0, 0, 0)
        rows = [task.product or blank for task in self.tasks]
        return Sizes(
            *(np.array([float(getattr(row, name)) for row in rows])[:, None] for name in ("m", "n", "k", "count")),
            *(np.array([getattr(task, name) for task in self.tasks])[:, None] for name in ("left", "right", "result")),
        )

    @cached_property
    def stashed(self) -> Floats:
        """Numbers of each stashed item (items,)."""
        return np.array([task.stash for task in self.tasks if task.stash])

    @cached_property
    def exchanged(self) -> tuple[Floats, Floats]:
        """Numbers and rounds of each collective (exchanges,), in the order they begin."""
        found = [exchange for task in self.tasks for exchange in task.exchanges]
        return np.array([one.elements for one in found]), np.array([float(one.rounds) for one in found])

    @property
    def operations(self) -> float:
        """Multiply-accumulates of a device."""
        return float(sum(task.product.macs for task in self.tasks if task.product is not None))


def elementwise(name: str, layer: str, kind: str, numbers: float, needs: Sequence[int] = (),
                exchanges: tuple[Exchange, ...] = ()) -> DeviceTask:
    """A pass over so many numbers, read and written together."""
    return DeviceTask(name=name, layer=layer, kind=kind, left=numbers, needs=tuple(needs), exchanges=exchanges)


def update_task(weights: float) -> DeviceTask:
    """W = W - r dW: two numbers read and one written per weight, when all gradients are there."""
    return DeviceTask(name="update", layer="update", kind=UPDATE, left=3 * weights, after_exchanges=True)
