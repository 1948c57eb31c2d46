"""Every number in the prose of Kwon and Rhu, MICRO 2018 (MC-DLA), sections III to V, beside ours."""


from dataclasses import dataclass

import numpy as np

from dse.objectives.memory_centric.choices import Choices
from dse.spaces.memory_centric.systems import DATA_PARALLEL, MODEL_PARALLEL, PARALLELISMS
from dse.studies.memory_centric.grid import (
    CNNS,
    DC,
    HC,
    ORACLE,
    B,
    DesignGrid,
    L,
    S,
    grid_of,
    harmonic_mean,
    paper_systems,
)

SOCKET_BANDWIDTH = 300e9
"""What the paper provisions for four devices of HC-DLA [B/s] (section IV)."""
BATCHES = (64, 128, 256, 512, 1024)
COMPRESSION = 2.6
"""Average reduction of traffic by compression (section V-B)."""


@dataclass(frozen=True, slots=True)
class Headline:
    """A published number: where it stands, its value, the band that ours should lie in, if any, and its role."""

    item: str
    section: str
    published: float
    low: float
    high: float
    role: str

    def met(self, ours: float) -> bool:
        """Whether ours lies in the band."""
        return self.low <= ours <= self.high


def _banded(item: str, section: str, published: float, low: float, high: float) -> Headline:
    """A number that the choices were calibrated on."""
    return Headline(item=item, section=section, published=published, low=low, high=high, role="fitted")


def _free(item: str, section: str, published: float) -> Headline:
    """A number without a band."""
    return Headline(item=item, section=section, published=published, low=-np.inf, high=np.inf, role="predicted")


BANDED = (
    _banded("B over DC, data-parallel", "V-B", 3.5, 3.15, 3.85),
    _banded("B over DC, model-parallel", "V-B", 2.1, 1.89, 2.31),
    _banded("B over DC, mean", "V-B", 2.8, 2.52, 3.08),
    _banded("B of oracle, mean", "V-B", 0.95, 0.93, 0.97),
    _banded("B of oracle, least", "V-B", 0.84, 0.80, 0.88),
    _banded("L of B, mean", "V-B", 0.96, 0.93, 0.99),
    _banded("S loss, mean", "V-B", 0.14, 0.05, 0.15),
    _banded("S loss, most", "V-B", 0.24, 0.20, 0.32),
    _banded("HC synchronization increase", "V-A", 0.90, 0.80, 1.00),
)
"""Numbers with a band, all computed from one grid."""
FREE = (
    _free("HC over DC, data-parallel", "V-B", 1.32), _free("HC over DC, model-parallel", "V-B", 1.38),
    _free("HC transfer reduction", "V-A", 0.88), _free("DC bound by transfers, of 16", "V-A", 14),
    _free("HC host bandwidth used, mean", "V-A", 0.92), _free("B of oracle, most", "V-B", 0.99),
    _free("B over DC, batches 64 to 1024", "V-B", 2.17), _free("DC with PCIe gen4, increase", "V-B", 0.38),
    _free("B over DC with PCIe gen4, mean", "V-B", 2.1), _free("B over DC, TPUv2, mean", "V-B", 3.2),
    _free("B over DC, DGX-2, mean", "V-B", 2.9), _free("B over DC with compression, CNNs, mean", "V-B", 2.3),
    _free("DC scaling to 4 devices, CNNs", "V-D", 1.3), _free("DC scaling to 8 devices, CNNs", "V-D", 2.7),
    _free("oracle scaling to 4 devices, CNNs", "V-D", 4), _free("oracle scaling to 8 devices, CNNs", "V-D", 8),
)
"""Numbers without a band: a miss is a row."""


def banded_values(choices: Choices, grid: DesignGrid | None = None) -> dict[str, float]:
    """The banded numbers under some choices."""
    grid = grid or grid_of(choices, paper_systems())
    data, model = (_speedup(grid, DC, B, parallel) for parallel in PARALLELISMS)
    to_oracle = grid.times(ORACLE) / grid.times(B)
    to_star = grid.times(B) / grid.times(S)
    return {
        "B over DC, data-parallel": data, "B over DC, model-parallel": model, "B over DC, mean": (data + model) / 2,
        "B of oracle, mean": harmonic_mean(to_oracle), "B of oracle, least": float(to_oracle.min()),
        "L of B, mean": harmonic_mean(grid.times(B) / grid.times(L)), "S loss, mean": 1 - harmonic_mean(to_star),
        "S loss, most": 1 - float(to_star.min()),
        "HC synchronization increase":
            harmonic_mean(grid.sums(HC, "synchronization") / grid.sums(DC, "synchronization")) - 1,
    }


def _speedup(grid: DesignGrid, slow: str, fast: str, parallel: str) -> float:
    """Harmonic mean of one system's times over another's."""
    return harmonic_mean(grid.times(slow, parallel) / grid.times(fast, parallel))


def mean_speedup(grid: DesignGrid, slow: str = DC, fast: str = B) -> float:
    """Arithmetic mean of data and model parallel speedups, as the paper's 2.8 is of 3.5 and 2.1."""
    return float(np.mean([_speedup(grid, slow, fast, parallel) for parallel in PARALLELISMS]))


def free_values(choices: Choices, grid: DesignGrid) -> dict[str, float]:
    """The numbers without a band."""
    used = 4 * 2 * grid.sums(HC, "stashed") / grid.times(HC) / SOCKET_BANDWIDTH
    transfer, compute, synchronization = (grid.sums(DC, what) for what in ("transfer", "compute", "synchronization"))
    return {
        "HC over DC, data-parallel": _speedup(grid, DC, HC, DATA_PARALLEL),
        "HC over DC, model-parallel": _speedup(grid, DC, HC, MODEL_PARALLEL),
        "HC transfer reduction": 1 - float(np.mean(grid.sums(HC, "transfer") / transfer)),
        "DC bound by transfers, of 16": float(np.sum((transfer > compute) & (transfer > synchronization))),
        "HC host bandwidth used, mean": float(np.mean(used)),
        "B of oracle, most": float(np.max(grid.times(ORACLE) / grid.times(B))),
        "B over DC, batches 64 to 1024": _over_batches(choices), **_buses(choices, grid), **_devices(choices),
        "B over DC with compression, CNNs, mean": _compressed(choices), **_scaling(choices),
    }


def _over_batches(choices: Choices) -> float:
    """Harmonic mean over batches of the mean speedup."""
    grids = [grid_of(choices, paper_systems((DC, B)), batch=batch) for batch in BATCHES]
    return harmonic_mean(np.array([mean_speedup(grid) for grid in grids]))


def _buses(choices: Choices, grid: DesignGrid) -> dict[str, float]:
    """With twice the bandwidth to the host."""
    fast = grid_of(choices, paper_systems((DC, B), host_bus="pcie4"))
    return {
        "DC with PCIe gen4, increase": harmonic_mean(grid.times(DC) / fast.times(DC)) - 1,
        "B over DC with PCIe gen4, mean": mean_speedup(fast),
    }


def _devices(choices: Choices) -> dict[str, float]:
    """With faster devices, and with sixteen of them."""
    return {
        "B over DC, TPUv2, mean": mean_speedup(grid_of(choices, paper_systems((DC, B), device="tpu-v2"))),
        "B over DC, DGX-2, mean": mean_speedup(grid_of(choices, paper_systems((DC, B), 16))),
    }


def _compressed(choices: Choices) -> float:
    """CNNs with compression on DC's way to the host, as Rhu et al. [56] do it."""
    plain = grid_of(choices, paper_systems((B,)), networks=CNNS)
    packed = grid_of(choices, paper_systems((DC,)), networks=CNNS, compression=COMPRESSION)
    return float(np.mean([
        harmonic_mean(packed.times(DC, parallel) / plain.times(B, parallel)) for parallel in PARALLELISMS
    ]))


def _scaling(choices: Choices) -> dict[str, float]:
    """CNNs divided by samples over four and eight devices, with and without virtualization."""
    times = {
        count: grid_of(choices, paper_systems((DC, ORACLE), count), networks=CNNS, parallelisms=(DATA_PARALLEL,))
        for count in (1, 4, 8)
    }
    found = {}
    for name, system in (("DC", DC), ("oracle", ORACLE)):
        for count in (4, 8):
            ratio = times[1].times(system) / times[count].times(system)
            found[f"{name} scaling to {count} devices, CNNs"] = harmonic_mean(ratio)
    return found


def orderings_broken(grid: DesignGrid) -> dict[str, int]:
    """How many of the 16 cases break O >= B >= L >= S and B >= HC (in performance)."""
    pairs = ((ORACLE, B), (B, L), (L, S), (B, HC))
    return {f"{fast} slower than {slow}": int(np.sum(grid.times(fast) > grid.times(slow) * (1 + 1e-12)))
            for fast, slow in pairs}


