"""Which layers' results the forward pass drops, to be computed again in the backward pass.

Sources: cheap layers, Chen et al., arXiv 1604.06174, section 4; every k-th layer, the same, section 3; selective and
full recomputation of transformer blocks, Korthikanti et al., arXiv 2205.05198, sections 4.1 and 5.
"""

import math
from collections.abc import Collection, Sequence

from dse.errors import InputError
from dse.objectives.network.layers import GATES, INPUTS, Layer
from dse.objectives.network.rules import RULES
from dse.text import quoted

NONE, CHEAP, SELECTIVE, FULL, EVERY = "none", "cheap", "selective", "full", "every-"
GATHER = "gather"
ATTENTION_PARTS = ("scores", "softmax", "dropout")


def dropped(layers: Sequence[Layer], policy: str | Collection[str]) -> set[str]:
    """Names of the layers whose results are dropped; a gathered sequence always is, and gathered again.

    `policy`: ``none``; ``cheap``, everything without a matrix product; ``selective``, attention's scores and
    probabilities; ``full``, all of a block but what enters it, or where there are no blocks all but every k-th layer
    of n with k the root of n; ``every-K``, all but every K-th layer; or the names of layers.
    """
    return _dropped_by(policy, layers) | {layer.name for layer in layers if layer.kind == GATHER}


def _dropped_by(policy: str | Collection[str], layers: Sequence[Layer]) -> set[str]:
    """Names of the layers whose results a policy drops."""
    names = [layer.name for layer in layers if layer.kind not in INPUTS]
    if not isinstance(policy, str):
        return _named(names, policy)
    if policy == NONE:
        return set()
    if policy == CHEAP:
        return {layer.name for layer in layers if _cheap(layer)}
    if policy == SELECTIVE:
        return {layer.name for layer in layers if layer.name.rpartition("/")[2] in ATTENTION_PARTS
                and "/" in layer.name}
    if policy == FULL:
        return _inside_blocks(layers) or _all_but(names, max(1, math.isqrt(len(names))))
    if policy.startswith(EVERY) and policy.removeprefix(EVERY).isdigit() and int(policy.removeprefix(EVERY)):
        return _all_but(names, int(policy.removeprefix(EVERY)))
    raise InputError(f"recompute {quoted(policy)} is unknown: write {NONE}, {CHEAP}, {SELECTIVE}, {FULL} or every-K, "
                     "as every-4")


def _cheap(layer: Layer) -> bool:
    """Whether a layer has no matrix product and reads another layer."""
    return layer.kind not in (*INPUTS, *GATES) and RULES[layer.kind].products is RULES["add"].products


def _named(names: Sequence[str], wanted: Collection[str]) -> set[str]:
    """Layers by their names; attention's parts go by the attention's name too."""
    known = {name: {part for part in names if part == name or part.startswith(f"{name}/")} for name in wanted}
    for name, found in known.items():
        if not found:
            raise InputError(f"recompute: {quoted(name)} is no layer of the network")
    return set().union(*known.values())


def _inside_blocks(layers: Sequence[Layer]) -> set[str]:
    """Layers of blocks but the last of each, which the next begins with."""
    last = {layer.block: layer.name for layer in layers if layer.block}
    return {layer.name for layer in layers if layer.block and last[layer.block] != layer.name}


def _all_but(names: Sequence[str], every: int) -> set[str]:
    """All but every k-th and the last."""
    return {name for number, name in enumerate(names[:-1], 1) if number % every}
