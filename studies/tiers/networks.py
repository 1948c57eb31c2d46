"""Training steps that the studies of memory tiers share."""

from dataclasses import dataclass

from dse.objectives.network.catalog import load_network
from dse.objectives.network.step import Step
from dse.objectives.network.training import training_step
from dse.objectives.placement.fusion import with_fused_gradients
from dse.objectives.placement.gaps import Gaps, find_gaps
from dse.objectives.placement.pieces import cut_step, peak_pages
from dse.objectives.tiers.steps import STORAGE

PARTS = 16
"""Pieces are at most this part of a step's peak, the same at all capacities of tier 1."""


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A network as it is trained in fp32: samples per step, optimizer, and whether there is dropout."""

    name: str
    title: str
    batch: int
    optimizer: str = "momentum"
    dropout: bool = True

    def step(self, recompute: str | frozenset[str] = "none") -> Step:
        """Its training step; normalizations keep no statistics, only what they read."""
        return with_fused_gradients(training_step(
            load_network(self.name), self.batch, optimizer=self.optimizer, recompute=recompute,
            storage=STORAGE[self.dropout],
        ))

    def peak(self) -> int:
        """Pages that are live at most."""
        return peak_pages(self.step())

    def gaps(self, recompute: str | frozenset[str] = "none") -> Gaps:
        """Gaps of its step, in pieces of PARTS of the peak without recomputation."""
        return find_gaps(cut_step(self.step(recompute), self.peak() // PARTS))


NETWORKS = (
    TrainedNetwork("alexnet", "AlexNet", 64),
    TrainedNetwork("googlenet", "GoogLeNet", 32),
    TrainedNetwork("vgg-19", "VGG-19", 16),
    TrainedNetwork("resnet-34", "ResNet-34", 32),
    TrainedNetwork("gpt2", "GPT-2", 4, optimizer="adam", dropout=False),
)
