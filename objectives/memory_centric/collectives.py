"""Time of collective operations on rings, as the bandwidth model has it and by messages.

Sources: ring algorithms, Thakur et al., IJHPCA 19(1) 2005, sections 4.1 and 4.4; Patarasu and Yuan, JPDC 69(2) 2009;
message size and ring sizes, Kwon and Rhu, MICRO 2018, figure 9. Memory nodes stand in the ring and pass messages on,
but bring and keep none: they only forward.
"""

import numpy as np

from dse.batch import Floats

NumberLike = Floats | float


def ring_time(size: NumberLike, nodes: NumberLike, bandwidth: NumberLike, hop: NumberLike,
              rounds: NumberLike) -> Floats:
    """Time k (n-1)/n S / BW + k (n-1) hop [s] of S bytes over n nodes; BW of all rings and directions [B/s].

    `rounds` k: how often the data go around, 2 for an all-reduce, 1 for an all-gather or reduce-scatter.
    """
    steps = rounds * (np.asarray(nodes) - 1)
    return np.asarray(steps / nodes * size / bandwidth + steps * hop)


def broadcast_ring_time(size: NumberLike, nodes: NumberLike, bandwidth: NumberLike, hop: NumberLike) -> Floats:
    """S / BW + (n-1) hop [s]: messages small enough to fill the pipeline along the ring at once."""
    return np.asarray(np.asarray(size) / bandwidth + (np.asarray(nodes) - 1) * hop)


def switched_time(size: NumberLike, bandwidth: NumberLike, hop: NumberLike) -> Floats:
    """S / BW + 2 hop [s]: a switch that adds up what all send (k = 1), one hop up and one down.

    Source: NVIDIA, SHARP in NVSwitch (Klenk et al., ISCA 2020, section III): each device sends and receives its data
    once.
    """
    return np.asarray(np.asarray(size) / bandwidth + 2 * np.asarray(hop))


def message_time(size: float, message: float, nodes: int, members: int, bandwidth: float, delay: float,
                 rounds: int) -> float:
    """(K-1) max(q p/B, g (p/B + a)) + (q-1) p/B + g (p/B + a) [s], for all-gather (k = 1) and all-reduce (k = 2).

    `size` S [B] in messages of at most `message` m [B] over one ring of `nodes` n, of which `members` d, evenly
    spaced, bring and keep data; links of `bandwidth` B [B/s], and `delay` a [s] per hop. g = n/d, q = ⌈S/(d m)⌉,
    p = S/(d q), K = k (d-1): a member sends its next part when the part before has arrived and its link is free.
    """
    gap = nodes // members
    count = -(-size // (members * message))
    part = size / (members * count) / bandwidth
    travel = gap * (part + delay)
    steps = rounds * (members - 1)
    return float((steps - 1) * max(count * part, travel) + (count - 1) * part + travel)


def message_broadcast_time(size: float, message: float, nodes: int, bandwidth: float, delay: float) -> float:
    """(q-1) p/B + (n-1) (p/B + a) [s], q = ⌈S/m⌉, p = S/q: one node's data along a ring of n."""
    count = -(-size // message)
    part = size / count / bandwidth
    return float((count - 1) * part + (nodes - 1) * (part + delay))
