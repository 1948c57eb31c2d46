"""Fingerprints of spaces, to tell whether a search is of the same one."""

from collections.abc import Sequence

from dse.digest import digest
from dse.spaces.space import Axis


def axes_digest(axes: Sequence[Axis]) -> str:
    """Fingerprint of the names and levels of axes."""
    return digest(*((axis.name, axis.levels, axis.ordered) for axis in axes))
