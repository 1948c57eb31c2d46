"""What a device keeps of each layer's output, by the planner of tiers rather than the paper's rule of stashing all.

The planner (`dse.objectives.placement`) sees the same step, cheap layers computed again, with the device's memory as
tier 1 and the backing store below; it moves the fewest bytes that any placement can, with a certificate.
"""

from dataclasses import dataclass

from dse.objectives.memory_centric.division import multiplies
from dse.objectives.network.layers import Network
from dse.objectives.network.recompute import CHEAP
from dse.objectives.network.training import training_step
from dse.objectives.placement.gaps import find_gaps
from dse.objectives.placement.pieces import PAGE_BYTES, cut_step, peak_pages
from dse.objectives.placement.policies import stashed
from dse.objectives.placement.split import split_plan

PIECES_OF_PEAK = 16
"""Largest piece: this part of the step's peak, as in the study of tiers."""


@dataclass(frozen=True, slots=True)
class PlannedStash:
    """Shares of layers' outputs that stay (layer, share), the plan's duality gap, and the memory it had [B]."""

    kept: tuple[tuple[str, float], ...]
    gap: float
    capacity: int


def planned_stash(network: Network, samples: int, fraction: float) -> PlannedStash:
    """The plan for `samples` on one device that has a fraction of the step's peak.

    Raises InfeasibleError where an operation alone needs more.
    """
    step = training_step(network, samples, recompute=CHEAP)
    peak = peak_pages(step)
    gaps = find_gaps(cut_step(step, max(1, peak // PIECES_OF_PEAK)))
    capacity = int(peak * fraction)
    plan, certificate = split_plan(gaps, capacity)
    crossing = stashed(gaps)
    layers = {f"result {layer.name}": layer.name for layer in network.layers if multiplies(layer)}
    pages: dict[str, list[float]] = {}
    for gap in crossing.nonzero()[0].tolist():
        name = layers.get(step.tensors[int(gaps.tensor[gap])].name)
        if name is not None:
            total = pages.setdefault(name, [0.0, 0.0])
            total[0] += float(plan.kept[gap])
            total[1] += float(gaps.pages[gap])
    kept = tuple((name, stays / all_pages) for name, (stays, all_pages) in pages.items())
    return PlannedStash(kept, certificate.gap, capacity * PAGE_BYTES)
