"""How a suite says what is wrong: rules by name, and all complaints at once."""

from collections.abc import Iterable

import numpy as np

from dse.batch import Floats

RELATIVE = 1e-9
"""Relative difference between two ways of computing a figure that is rounding."""


class BrokenRulesError(AssertionError):
    """Rules that a problem or a searcher breaks, one a line: the rule's name, and where it is broken."""


def require(subject: str, complaints: Iterable[str]) -> None:
    """Raise BrokenRulesError where there are complaints about a subject."""
    found = list(complaints)
    if found:
        raise BrokenRulesError("\n".join([f"{subject} breaks {len(found)} rule(s):", *(f"  {one}" for one in found)]))


def same(one: Floats, other: Floats) -> bool:
    """Whether figures are the same but for rounding, undefined ones in the same places."""
    return bool(np.allclose(one, other, rtol=RELATIVE, atol=0.0, equal_nan=True))
