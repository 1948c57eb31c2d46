"""Cases of which some run always, the others among the slow tests."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def slow_unless(always: Callable[[Any], bool], cases: Iterable[Any]) -> list[Any]:
    """Cases, slow but for those that always run. A case of several values is a tuple."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=[] if always(case) else pytest.mark.slow)
        for case in cases
    ]


def one_in(every: int, cases: Iterable[Any]) -> list[Any]:
    """Cases of which the first of so many always runs."""
    listed = list(cases)
    places = iter(range(len(listed)))
    return slow_unless(lambda _: next(places) % every == 0, listed)
