"""Recomputing as a third choice: what to drop in the forward pass and compute again, chosen by what it saves.

An operation that writes a tensor again begins a new version; the old one is dead by itself, so that the gap between
forward and backward pass costs neither room nor traffic. Which layers are recomputed changes the step itself, so that
the planner solves the linear program of each step that it considers.
"""

from collections.abc import Callable, Sequence

Cost = Callable[[frozenset[str]], float]


def choose_recomputed(layers: Sequence[str], cost: Cost, rounds: int = 1) -> tuple[frozenset[str], float]:
    """Layers to recompute, and what the step then costs: never more than with none of them, or with all.

    Descends from the better of the two, one layer after the other, in `rounds` passes or until none helps.
    """
    costs = {chosen: cost(chosen) for chosen in (frozenset[str](), frozenset(layers))}
    best = min(costs, key=lambda chosen: (costs[chosen], len(chosen)))
    least = costs[best]
    for _ in range(rounds):
        before = least
        for layer in layers:
            changed = best ^ {layer}
            found = cost(changed)
            if found < least:
                best, least = changed, found
        if least == before:
            break
    return best, least
