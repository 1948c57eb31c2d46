"""Transfers beneath operations: what a prefetch window hides."""

from dataclasses import dataclass

import numpy as np

from dse.batch import Floats
from dse.objectives.placement.plans import Traffic


@dataclass(slots=True)
class Headroom:
    """What is left while pieces run: `seconds` (designs, pieces) of the link, `pages` (designs, pieces) of tier 1."""

    seconds: Floats
    pages: Floats


def unhidden(
    traffic: Traffic, headroom: Headroom, read_seconds: Floats, write_seconds: Floats, window: int
) -> tuple[Floats, Floats]:
    """Pages (designs, pieces) read and written that do not pass beneath other pieces; takes from the headroom.

    What a piece reads may come up to `window` pieces early, what leaves may go up to `window` pieces late, as far as
    the link (`read_seconds`, `write_seconds` (designs,) per page) and tier 1 have room. Window 0: nothing is hidden.
    """
    shape = headroom.seconds.shape
    read, written = (np.broadcast_to(pages, shape).copy() for pages in (traffic.read, traffic.written))
    pieces = shape[1]
    for piece in range(pieces if window else 0):
        if traffic.read[piece] > 0:
            early = range(piece - 1, max(piece - window, 0) - 1, -1)
            _pass_beneath(read, piece, early, headroom, read_seconds)
        if traffic.written[piece] > 0:
            late = range(piece + 1, min(piece + window, pieces - 1) + 1)
            _pass_beneath(written, piece, late, headroom, write_seconds)
    return read, written


def _pass_beneath(left: Floats, piece: int, others: range, headroom: Headroom, seconds: Floats) -> None:
    """Move what is `left` to move at a piece beneath others, nearest first; it takes room in all pieces up to them."""
    room = np.full(len(left), np.inf)
    for other in others:
        room = np.minimum(room, headroom.pages[:, other])
        moved = np.minimum(np.minimum(left[:, piece], headroom.seconds[:, other] / seconds), room)
        if not moved.any():
            continue
        left[:, piece] -= moved
        headroom.seconds[:, other] -= moved * seconds
        held = slice(other, piece) if other < piece else slice(piece + 1, other + 1)
        headroom.pages[:, held] -= moved[:, None]
        room = room - moved
