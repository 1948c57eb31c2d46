"""Which bits of a line change when it is written, and which are pulsed.

Shares are looked up in a CSV file of `data/toggles` by the name of its network, made by
``python -m dse.studies.scratchpad.training.toggles``: those of a ring that all tensors of a class share, as tiles of
many tensors pass the same addresses of a buffer. They are above those of a tensor's own address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from dse.objectives.scratchpad.measured_tables import measured_networks, measured_rows

EXPONENT_BITS = range(7, 15)
"""Exponent of a bf16 word, bit 0 the least."""
ADDRESS = "shared"
TOGGLES = "toggles"


@dataclass(frozen=True, slots=True)
class BitShares:
    """Shares of the bits of a line: of exponents, of signs and mantissas (as many), and of check bits."""

    exponent: float
    rest: float
    check: float

    @property
    def data(self) -> float:
        """Share of all data bits."""
        return (self.exponent + self.rest) / 2


EVERY_BIT = BitShares(1.0, 1.0, 1.0)
HALF = BitShares(0.5, 0.5, 0.5)
"""Where nothing is measured."""


@dataclass(frozen=True, slots=True)
class WrittenBits:
    """Bits of a write that differ from what was there, which alone are wrong where stale, and bits that are pulsed."""

    differing: BitShares = HALF
    pulsed: BitShares = EVERY_BIT


USUAL = WrittenBits()


@cache
def load_toggles(network: str) -> Mapping[str, BitShares]:
    """Bits that differ by class of tensors; nothing where they were not measured. Check bits are taken to be as even.

    A check bit is the parity of many bits, so that half of them differ.
    """
    if network not in measured_networks(TOGGLES):
        return {}
    shares: dict[str, list[float]] = {}
    for row in measured_rows(TOGGLES, network)[1]:
        if row["address"] == ADDRESS:
            shares.setdefault(row["class"], []).append(float(row["toggled"]))
    return {name: _shares_of(found) for name, found in shares.items()}


def _shares_of(bits: list[float]) -> BitShares:
    """Means over exponent and rest of shares by bit (16,)."""
    exponent = sum(bits[bit] for bit in EXPONENT_BITS)
    others = len(bits) - len(EXPONENT_BITS)
    return BitShares(exponent / len(EXPONENT_BITS), (sum(bits) - exponent) / others, HALF.check)
