"""Fingerprints of what a search depends on, to tell whether it is the same."""

import hashlib
from collections.abc import Sequence

from dse.spaces.space import Axis


def digest(*things: object) -> str:
    """Short fingerprint of values that have a faithful `repr`."""
    return hashlib.sha256("\n".join(map(repr, things)).encode()).hexdigest()[:16]


def axes_digest(axes: Sequence[Axis]) -> str:
    """Fingerprint of the names and levels of axes."""
    return digest(*((axis.name, axis.levels, axis.ordered) for axis in axes))
