"""What a wire costs, and what a bank asks of its global wires."""

from dataclasses import dataclass
from typing import Protocol

from dse.batch import Floats


@dataclass(frozen=True, slots=True)
class WireCost:
    """What sending one bit over a wire costs: `delay` [s], `energy` [J], `leakage` [W]."""

    delay: Floats
    energy: Floats
    leakage: Floats


class GlobalWire(Protocol):
    """What a bank asks of its global wires (see `Wire`)."""

    @property
    def bundle(self) -> int: ...  # noqa: D102

    @property
    def area_pitch(self) -> float: ...  # noqa: D102

    @property
    def leaks(self) -> bool: ...  # noqa: D102

    @property
    def capacitance(self) -> float: ...  # noqa: D102

    @property
    def resistance(self) -> float: ...  # noqa: D102

    @property
    def repeated(self) -> bool: ...  # noqa: D102

    def cost(self, length: Floats) -> WireCost: ...  # noqa: D102
