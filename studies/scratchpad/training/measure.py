"""Measure what a network tolerates: ``python -m dse.studies.scratchpad.training.measure NETWORK FILE``.

Each row of the table is training under faults of one kind in one group of bits of one tensor class, beside training
without faults from the same seeds.
"""

import csv
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np

from dse.batch import Floats
from dse.progress import report
from dse.studies.scratchpad.training.bfloat16 import BIT_GROUPS, FLIP, SHARED, STALE, BitFaults
from dse.studies.scratchpad.training.memory import TENSOR_CLASSES, FaultyMemory
from dse.studies.scratchpad.training.networks import SmallNetwork, network_of
from dse.studies.scratchpad.training.train import train

SEEDS = 5
RETRAINED = 10
"""Seeds of the retraining of a mix."""
PROBABILITIES = (1e-7, 1e-6, *(10.0 ** (exponent / 2) for exponent in range(-10, -3)))
"""Decades, and from 1e-5 on half decades, which are levels of a buffer's error rate."""
IN_PLACE = "weight-in-place"
"""Weights of which there is no other copy: what is lost is lost for good."""
MEASURED = (*TENSOR_CLASSES, IN_PLACE)
COLLAPSE = 0.5
"""A run that reads fewer than this share of what the same run reads without faults has collapsed."""
COLUMNS = ("class", "kind", "group", "saturate", "probability", "runs", "drop", "interval", "collapsed")


@dataclass(frozen=True, slots=True)
class Drops:
    """Falls of accuracy (runs,) beside the accuracies without faults (runs,)."""

    fall: Floats
    clean: Floats

    @property
    def mean(self) -> float:
        """Mean fall."""
        return float(self.fall.mean())

    @property
    def interval(self) -> float:
        """Half of the interval that holds the mean with 95 %, by Student's distribution."""
        from scipy.stats import t

        count = len(self.fall)
        return float(t.ppf(0.975, count - 1) * self.fall.std(ddof=1) / np.sqrt(count))

    @property
    def collapsed(self) -> int:
        """Runs that collapsed."""
        return int((self.clean - self.fall < COLLAPSE * self.clean).sum())


@cache
def reference(network: SmallNetwork, seed: int, *, in_place: bool = False) -> tuple[float, Mapping[str, float]]:
    """Accuracy without faults, and the largest magnitude of each class."""
    memory = FaultyMemory({}, np.random.default_rng(seed))
    return train(network, memory, seed, in_place=in_place), memory.peaks


def bounds(network: SmallNetwork, seeds: int) -> Mapping[str, float]:
    """Where reads are clipped: the power of two above what training without faults writes."""
    peaks = [reference(network, seed)[1] for seed in range(seeds)]
    return {name: float(2.0 ** np.ceil(np.log2(max(peak[name] for peak in peaks)))) for name in TENSOR_CLASSES}


def drops(
    network: SmallNetwork, faults: Mapping[str, Sequence[BitFaults]], *, saturate: bool = False, seeds: int = SEEDS,
    in_place: bool = False,
) -> Drops:
    """Falls of accuracy under faults by class, run by run beside the same run without faults, with a master copy.

    With weights `in_place` what their rounding costs is part of the fall.
    """
    clip = bounds(network, seeds) if saturate else None
    clean = np.array([reference(network, seed)[0] for seed in range(seeds)])
    faulty = [
        train(network, FaultyMemory(faults, np.random.default_rng((seed, 1)), clip), seed, in_place=in_place)
        for seed in range(seeds)
    ]
    return Drops(clean - np.array(faulty), clean)


def retrain(
    network: SmallNetwork, mix: Mapping[str, Sequence[BitFaults]], *, saturate: bool = False
) -> Drops:
    """What a mix of faults in several classes costs when the network is trained with all of them at a time."""
    return drops(network, mix, saturate=saturate, seeds=RETRAINED)


def points(groups: Sequence[str]) -> Iterator[tuple[str, BitFaults, bool]]:
    """Every class, fault, and whether reads are clipped; what matters most comes first."""
    for saturate in (False, True):
        for kind in (STALE, FLIP, SHARED):
            for tensor_class in MEASURED:
                for group in groups:
                    for probability in PROBABILITIES:
                        yield tensor_class, BitFaults(kind, group, probability), saturate


def named(tensor_class: str, faults: BitFaults, saturate: bool) -> tuple[str, ...]:
    """The columns that say what a row is about."""
    return tensor_class, faults.kind, faults.group, "yes" if saturate else "no", f"{faults.probability:g}"


def measured(path: Path) -> set[tuple[str, ...]]:
    """What a table holds already; nothing where there is no file."""
    if not path.exists():
        return set()
    lines = path.read_text(encoding="utf-8").splitlines()[2:]
    return {tuple(line.split(",")[: COLUMNS.index("runs")]) for line in lines}


def measure(network: SmallNetwork, path: Path, groups: Sequence[str]) -> None:
    """Write a network's table, or what a file of it lacks: a run that was stopped goes on."""
    have = measured(path)
    every = [point for point in points(groups) if named(*point) not in have]
    with path.open("a", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        if not have:
            file.write(f"# {provenance(network)}\n")
            table.writerow(COLUMNS)
        for tensor_class, faults, saturate in report(every, len(every), f"tolerance of {network.name}"):
            in_place = tensor_class == IN_PLACE
            written = "weight" if in_place else tensor_class
            found = drops(network, {written: [faults]}, saturate=saturate, in_place=in_place)
            table.writerow((
                *named(tensor_class, faults, saturate), SEEDS, f"{found.mean:.5f}", f"{found.interval:.5f}",
                found.collapsed,
            ))
            file.flush()


def run_now(module: str, network: SmallNetwork) -> str:
    """What a module of this folder that measures a network was run with, today."""
    return (
        f"python -m dse.studies.scratchpad.training.{module} {network.name}, {datetime.now(UTC):%Y-%m-%d}, Python"
        f" {platform.python_version()}, NumPy {np.__version__}; seeds 0 to {SEEDS - 1}"
    )


def provenance(network: SmallNetwork) -> str:
    """How a table was made."""
    clean = [reference(network, seed)[0] for seed in range(SEEDS)]
    clip = ", ".join(f"{name} {value:g}" for name, value in bounds(network, SEEDS).items())
    return (
        f"{run_now('measure', network)}; accuracy without faults {np.mean(clean):.4f}; reads clipped at {clip}"
    )


def main(arguments: Sequence[str]) -> None:
    """Measure the network that is named, all groups of bits or those that follow, and write the file that is named."""
    name, path, *groups = arguments
    measure(network_of(name), Path(path), groups or list(BIT_GROUPS))


if __name__ == "__main__":
    main(sys.argv[1:])
