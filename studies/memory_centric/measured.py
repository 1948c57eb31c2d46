"""The parts of the model against measurements and published memory: all-reduces, products, iterations, activations."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Bools, Floats
from dse.objectives.memory_centric.choices import load_choices
from dse.objectives.memory_centric.parts import load_device
from dse.objectives.memory_centric.products import Rates, Sizes, compute_time, memory_time
from dse.objectives.memory_centric.topology import disjoint_rings, load_topology
from dse.objectives.memory_centric.transformers import (
    Recompute,
    TransformerTraining,
    TransformerWork,
    activation_bytes,
    layer_activation_bytes,
    state_bytes,
    transformer_work,
)
from dse.studies.memory_centric.grid import grid_of, paper_systems
from dse.studies.memory_centric.headlines import BANDED, banded_values
from dse.studies.reproduction import Item, reproduction_table
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

NONE = float("nan")
DIRECTIONS, LINK = 2, 22.5e9
"""Bandwidth that a link of DGX-1V gives to a ring per direction [B/s]: fitted, of 25 GB/s."""
TILE = 512
"""Side of an A100's tile of results: what its L2 holds; smaller ones load the operands too often."""
GIBIBYTE = float(1 << 30)
TRAIN_EVERY = 3


@cache
def measured(name: str) -> "pd.DataFrame":
    """A table of measurements."""
    import pandas as pd

    with resources.files("dse.studies.memory_centric").joinpath(f"data/{name}.csv").open("r") as file:
        return pd.read_csv(file, comment="#")


@dataclass(frozen=True, slots=True)
class RingFit:
    """An all-reduce's latency [s], bandwidth [B/s], and the median relative error over all sizes."""

    latency: float
    bandwidth: float
    error: float


@cache
def ring_fit(device: str, devices: int) -> RingFit:
    """T = a + 2 (n-1)/n S/B, fitted to a table by least squares of relative errors."""
    table = measured("all_reduces")
    sizes, times = table["bytes"].to_numpy(float), table[f"{device}-{devices}"].to_numpy(float) * 1e-6
    moved = 2 * (devices - 1) / devices * sizes
    relative = np.stack([1 / times, moved / times], axis=1)
    (latency, slope), *_ = np.linalg.lstsq(relative, np.ones(len(times)), rcond=None)
    error = np.median(np.abs((latency + slope * moved) / times - 1))
    return RingFit(float(latency), float(1 / slope), float(error))


def mesh_bandwidth(devices: int) -> float:
    """Bandwidth of the first devices of DGX-1V [B/s]: disjoint rings x directions x 22.5 GB/s; 0 where there is none.

    Two devices on one link make one ring, which takes both of its directions.
    """
    rings = disjoint_rings(load_topology("cube-mesh").links, [f"d{number}" for number in range(devices)])
    return rings * (DIRECTIONS if devices > 2 else 1) * LINK


@dataclass(frozen=True, slots=True)
class ProductFit:
    """Share of the peak that products reach, their latency [s], and relative errors."""

    utilization: float
    latency: float
    errors: Floats


def product_fit() -> ProductFit:
    """Products on an A100, max(compute, memory) + latency: two constants, least squares of relative errors."""
    from scipy.optimize import least_squares

    table = measured("products")
    m, n, k, times = (table[name].to_numpy(float) for name in ("m", "n", "k", "seconds"))
    sizes = Sizes(m, n, k, np.ones(len(m)), m * k, k * n, m * n)
    device = load_device("a100")

    def errors(values: Floats) -> Floats:
        numbers = (device.processing_elements, device.lanes, device.clock, values[0], device.memory_bandwidth, TILE, 2)
        rates = Rates(*(np.asarray(float(number)) for number in numbers))
        longer = np.maximum(compute_time(sizes, rates), memory_time(sizes, rates))
        return np.asarray((longer + values[1] * 1e-6) / times - 1)

    found = least_squares(errors, [0.5, 20.0], loss="soft_l1", f_scale=0.02).x
    return ProductFit(float(found[0]), float(found[1]) * 1e-6, np.abs(errors(found)))


@dataclass(frozen=True, slots=True)
class IterationFit:
    """Seconds per operation, per stored byte and per layer and microbatch, and relative errors held out."""

    constants: Floats
    errors: Floats


def iteration_fits() -> Mapping[str, IterationFit]:
    """Operations / f + κ stored bytes + λ per layer and microbatch + measured all-reduces, fitted on a third.

    ``one constant`` fits f alone. Errors are of the two thirds that were not fitted to.
    """
    table = measured("iterations")
    times = table["seconds"].to_numpy(float)
    rows = _rows("iterations")
    works = [_work(row) for row in rows]
    columns = np.array([(work.operations, work.stored, work.passes) for work in works])
    exchanges = np.array([
        work.tensor_exchanges * all_reduce(int(row.tensor), work.tensor_bytes)
        + all_reduce(int(row.data), work.data_bytes) for work, row in zip(works, rows, strict=True)
    ])
    fitted = np.arange(len(times)) % TRAIN_EVERY == 0
    return {
        "three constants": _fitted(columns, times, exchanges, fitted),
        "one constant": _fitted(columns[:, :1], times, exchanges, fitted),
    }


def _work(row: Any) -> TransformerWork:
    """Work of a row of the table."""
    return transformer_work(TransformerTraining(
        layers=int(row.layers), hidden=int(row.hidden), heads=int(row.heads), sequence=int(row.sequence),
        microbatch=int(row.microbatch), tensor=int(row.tensor), pipeline=int(row.pipeline), data=int(row.data),
        recompute=Recompute.FULL,
    ), int(row.batch))


def _model(row: Any, recompute: Recompute = Recompute.NONE, *, parallel: bool = False) -> TransformerTraining:
    """A model of the table of memory."""
    return TransformerTraining(
        layers=int(row.layers), hidden=int(row.hidden), heads=int(row.heads), sequence=2048,
        microbatch=int(row.microbatch), tensor=int(row.tensor), pipeline=int(row.pipeline),
        interleaving=int(row.interleaving), recompute=recompute, sequence_parallel=parallel,
    )


def _rows(name: str) -> list[Any]:
    """Rows of a table."""
    return list(measured(name).itertuples(index=False))


def all_reduce(devices: int, size: float) -> float:
    """Measured time of an all-reduce among A100 [s], between the sizes of the table and beyond it."""
    if devices < 2 or not size:
        return 0.0
    fit = ring_fit("a100", devices)
    return fit.latency + 2 * (devices - 1) / devices * size / fit.bandwidth


def _fitted(columns: Floats, times: Floats, known: Floats, rows: Bools) -> IterationFit:
    """Constants by least squares of relative errors, and the errors of the other rows."""
    weights = 1 / times[rows]
    constants, *_ = np.linalg.lstsq(columns[rows] * weights[:, None], (times - known)[rows] * weights, rcond=None)
    return IterationFit(constants, np.abs((columns @ constants + known) / times - 1)[~rows])


def memory_items() -> list[Item]:
    """Published memory of four transformers beside the closed forms: figures 1 and 7 of Korthikanti et al."""
    items = []
    for row in _rows("transformer_memory"):
        plain, both = _model(row), _model(row, Recompute.SELECTIVE, parallel=True)
        items += [
            Item(f"{row.model}: states [GiB], {kind}", row.states, state_bytes(plain) / GIBIBYTE, "derived")
            for kind in ("no recomputation", "selective and sequence parallel")
        ]
        items += [
            Item(f"{row.model}: activations [GiB]", row.activations, activation_bytes(plain) / GIBIBYTE, "derived"),
            Item(f"{row.model}: activations, selective and sequence parallel [GiB]", row.selective_sequence,
                 activation_bytes(both) / GIBIBYTE, "derived"),
        ]
        items += _share_items(row)
    return items


def _share_items(row: Any) -> list[Item]:
    """Activations relative to no recomputation [%]."""
    variants = {
        "sequence_percent": (Recompute.NONE, True), "selective_percent": (Recompute.SELECTIVE, False),
        "both_percent": (Recompute.SELECTIVE, True), "full_percent": (Recompute.FULL, False),
    }
    whole = layer_activation_bytes(_model(row))
    return [
        Item(f"{row.model}: activations, {name.removesuffix('_percent')} [% of none]", getattr(row, name),
             100 * layer_activation_bytes(_model(row, recompute, parallel=parallel)) / whole, "derived")
        for name, (recompute, parallel) in variants.items()
    ]


def run(jobs: int) -> Findings:
    """Every comparison."""
    items = [
        *_ring_items(), *headline_items(), *_mesh_items(), *_product_items(), *_iteration_items(), *memory_items(),
    ]
    return Findings(_answer(), reproduction_table(items), _figure(), _notes())


def _ring_items() -> list[Item]:
    """Median errors of the fits."""
    return [
        Item(f"all-reduce among {devices} {device.upper()}: median relative error", NONE,
             ring_fit(device, devices).error, "fitted")
        for device in ("v100", "a100") for devices in range(2, 9)
    ]


def headline_items() -> list[Item]:
    """The paper's headlines with links as fast as measured, 22.5 of 25 GB/s."""
    choices = load_choices()
    values = banded_values(choices, grid_of(choices, paper_systems(links="nvlink2-measured")))
    return [
        Item(f"{line.item}, links as measured", line.published, values[line.item], "predicted")
        for line in BANDED if line.item.startswith("B over DC")
    ]


def _mesh_items() -> list[Item]:
    """Rings of the mesh beside fitted bandwidths."""
    return [
        Item(f"bandwidth of {devices} V100 [GB/s]", ring_fit("v100", devices).bandwidth / 1e9,
             mesh_bandwidth(devices) / 1e9, "fitted")
        for devices in range(2, 9) if mesh_bandwidth(devices)
    ]


def _product_items() -> list[Item]:
    """The fit of the products."""
    fit = product_fit()
    return [
        Item("products on an A100: share of the peak of the device's array", NONE, fit.utilization, "fitted"),
        Item("products on an A100: latency [s]", NONE, fit.latency, "fitted"),
        Item("products on an A100: median relative error", NONE, float(np.median(fit.errors)), "fitted"),
        Item("products on an A100: greatest relative error", NONE, float(fit.errors.max()), "fitted"),
    ]


def _iteration_items() -> list[Item]:
    """Errors of the iterations held out."""
    return [
        Item(f"iterations on A100, {name}: {what} relative error", NONE, value, "predicted")
        for name, fit in iteration_fits().items()
        for what, value in (("median", float(np.median(fit.errors))), ("mean", float(fit.errors.mean())))
    ]


def _answer() -> str:
    """In words."""
    rings = [ring_fit(device, devices).error for device in ("v100", "a100") for devices in range(2, 9)]
    mesh = [mesh_bandwidth(n) / ring_fit("v100", n).bandwidth - 1 for n in range(2, 9) if mesh_bandwidth(n)]
    fits = iteration_fits()
    return (
        f"The ring's two constants fit 14 tables of measured all-reduces to at most {max(rings):.1%} in the median; "
        f"disjoint rings of DGX-1V's mesh give the bandwidth within {max(map(abs, mesh)):.1%}. Twenty products on an "
        f"A100: {np.median(product_fit().errors):.1%} in the median. {len(measured('iterations'))} iterations, fitted "
        f"on a third: {np.median(fits['three constants'].errors):.1%} in the median of the rest, with one constant "
        f"{np.median(fits['one constant'].errors):.1%}."
    )


def _notes() -> tuple[str, ...]:
    """Limits."""
    return (
        "Five devices of the mesh have no ring of links; NCCL then takes other ways.",
        f"A link's {LINK / 1e9:g} GB/s are fitted. Products need tiles of at least {TILE} x {TILE} results: the "
        "paper's device with 256 misses the largest products of an A100.",
        "The share of the peak is of an array scaled to twice the published 312 TFLOPS, as the paper's is to V100's.",
        "Iterations: full recomputation, as the measurements were configured; transfers between pipeline stages left "
        "out.",
    )


def _figure() -> "Figure":
    """Measured beside modelled all-reduces and iterations."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for device, marker in (("v100", "o"), ("a100", "s")):
        counts = range(2, 9)
        left.plot(counts, [ring_fit(device, n).bandwidth / 1e9 for n in counts], marker, label=f"{device}, fitted")
    left.plot(range(2, 9), [mesh_bandwidth(n) / 1e9 or NONE for n in range(2, 9)], "-", label="rings of the mesh")
    left.set(xlabel="devices", ylabel="bandwidth [GB/s]")
    left.legend(frameon=False, fontsize=8)
    for name, fit in iteration_fits().items():
        share = np.arange(1, len(fit.errors) + 1) / len(fit.errors)
        right.plot(np.sort(fit.errors) * 100, share, label=name)
    right.set(xlabel="relative error of iterations held out [%]", ylabel="share", xlim=(0, 100))
    right.legend(frameon=False, fontsize=8)
    return figure


STUDY = Study("measured", "How well do rings, products and transformers match what was measured?", run)
