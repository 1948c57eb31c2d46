"""Iterations of the paper's eight networks on its design points: the numbers that the studies compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from dse.batch import Floats
from dse.objectives.memory_centric.choices import Choices, hidden_widths
from dse.objectives.memory_centric.problem import division_of, with_hidden
from dse.objectives.memory_centric.simulation import StepOutcome, columns_of, simulate
from dse.objectives.memory_centric.system import Architecture, point
from dse.objectives.memory_centric.training import training_work
from dse.objectives.memory_centric.work import Work
from dse.objectives.network.catalog import load_network
from dse.objectives.network.layers import Network
from dse.spaces.memory_centric.systems import PARALLELISMS

CNNS = ("alexnet", "googlenet", "vgg-19", "resnet-34")
RNNS = ("rnn-gemv", "rnn-lstm-1", "rnn-lstm-2", "rnn-gru")
NETWORKS = (*CNNS, *RNNS)
DC, HC, S, L, B, ORACLE = "dc-dla", "hc-dla", "mc-dla-s", "mc-dla-l", "mc-dla-b", "oracle"
POINTS = (DC, HC, S, L, B, ORACLE)
BATCH, DEVICES = 512, 8
Case = tuple[str, str]
"""Parallelism and network."""


@dataclass(frozen=True, slots=True)
class DesignGrid:
    """Outcomes of all cases, each for all systems (n,) in one order."""

    systems: Mapping[str, int]
    outcomes: Mapping[Case, StepOutcome]
    works: Mapping[Case, Work]

    def times(self, system: str, parallel: str = "", networks: Sequence[str] = NETWORKS) -> Floats:
        """Iteration times (cases,) [s] of a system, of one parallelism or both."""
        return np.array([outcome.timeline.total[self.systems[system]] for outcome in self._chosen(parallel, networks)])

    def sums(self, system: str, what: str, parallel: str = "") -> Floats:
        """Sums of the operations, transfers or collectives of each case (cases,) [s], or bytes."""
        return np.array([getattr(outcome, what)[self.systems[system]] for outcome in self._chosen(parallel, NETWORKS)])

    def _chosen(self, parallel: str, networks: Sequence[str]) -> list[StepOutcome]:
        """Outcomes of the cases that are asked for, in order."""
        return [outcome for (kind, network), outcome in self.outcomes.items()
                if parallel in ("", kind) and network in networks]


@cache
def _network(name: str, hidden: str) -> Network:
    """A network, a recurrent one with the width of a set."""
    return with_hidden(load_network(name), hidden_widths(hidden))


@cache
def _work(network: str, parallel: str, devices: int, batch: int, choices: Choices) -> Work:
    """The work of a device."""
    division = division_of(choices, parallel=parallel, devices=devices, samples=batch)
    return training_work(_network(network, choices.hidden), division)


def grid_of(
    choices: Choices, systems: Mapping[str, Architecture], *, batch: int = BATCH, compression: float = 1.0,
    networks: Sequence[str] = NETWORKS, parallelisms: Sequence[str] = PARALLELISMS,
) -> DesignGrid:
    """All cases on systems of equally many devices."""
    devices = next(iter(systems.values())).devices
    columns = columns_of(list(systems.values()), choices, compression=np.full(len(systems), compression))
    works = {(parallel, name): _work(name, parallel, devices, batch, choices)
             for parallel in parallelisms for name in networks}
    outcomes = {case: simulate(work, columns, choices.window) for case, work in works.items()}
    return DesignGrid({name: place for place, name in enumerate(systems)}, outcomes, works)


def paper_systems(names: Sequence[str] = POINTS, devices: int = DEVICES, **others: str) -> dict[str, Architecture]:
    """Design points of the paper, perhaps with other links, buses or devices."""
    return {name: point(name, devices, **others) for name in names}


def harmonic_mean(values: Floats) -> float:
    """N / Σ 1/x, as the paper's averages."""
    return float(len(values) / np.sum(1 / np.asarray(values)))
