"""DeepNVM++, Fig. 6: fewer DRAM accesses with a larger L2 cache."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

from dse.objectives.gpu.dram import LINE, DramCurve, dram_curve
from dse.objectives.gpu.lowering import INFERENCE, kernels_of
from dse.objectives.gpu.profiles import RESIDENT_RESULTS, Profile, load_profile
from dse.objectives.gpu.traffic import Workload, paper_workloads
from dse.objectives.network.catalog import load_network
from dse.report.plot import COLORS
from dse.studies.deepnvmpp.bars import COLOR, STYLE
from dse.studies.deepnvmpp.printed import published_rows
from dse.studies.reproduction import Item, reproduction_table
from dse.studies.study import Findings, Study
from dse.studies.wording import MODELLED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PROFILE, NETWORK = "darknet-32x32", "alexnet-darknet"
"""The variant that stands for the paper's simulation: Darknet's AlexNet, plain kernels of 32 x 32 results."""
TILES = (16, 32, 64)
BASE = 3
COARSE = 1 << 10
"""Unit of the variants' traces [bytes]; it differs from lines by less than a tenth of a point here."""
CAPACITIES = (3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24)
MB = 1 << 20
NOTES = (
    "The paper simulates Darknet's AlexNet on GPGPU-Sim and gives neither batch size nor kernels. Ours is batch 1, "
    "from an empty cache, fully associative. The band spans 24 variants: two definitions of AlexNet, three tiles, "
    "results in flight by threads or by registers, and results cleared first or not.",
    "The reduction is a difference of a few column buffers against fully connected weights that are read once. It "
    "says little about other networks and batches: the right panel shows each workload's own, which is far from "
    "AlexNet's for most. Applying one cut to all workloads, as the paper does, is unsupported.",
    "The variant was chosen because it comes close; the band shows what a different choice would have given.",
    MODELLED,
)


def run(jobs: int) -> Findings:
    """Sweep the capacity for the variant and the band, and for each workload of the paper."""
    items = published_items()
    ours = "; ".join(
        f"{item.more['memory'].upper()} at {item.more['capacity_MB']} MB {item.ours:.1%} (published "
        f"{item.published:.1%}, over all variants {item.more['band_low']:.1%} to {item.more['band_high']:.1%})"
        for item in items
    )
    own = {size: [reduction(workload, size) for workload in paper_workloads()] for size in _published_sizes()}
    spread = "; ".join(f"{min(v):.1%} to {max(v):.1%} at {size} MB" for size, v in own.items())
    table = reproduction_table([*items, *_sweep(), *_workloads()])
    return Findings(
        f"Fewer DRAM accesses than with 3 MB: {ours}. The ten workloads' own reductions: {spread}.", table, _figure(),
        NOTES, reproduction_table(items),
    )


def _published_sizes() -> list[int]:
    """Capacities with a published value [MB]."""
    return [int(row["capacity_MB"]) for row in published_rows("fig6")]


@cache
def _curve(network: str, profile: Profile, unit: int) -> DramCurve:
    """Miss curve of one image from an empty cache, without what stays dirty."""
    return dram_curve(kernels_of(load_network(network), INFERENCE, 1, profile), unit, flush=False)


def variant_reduction(network: str, profile: Profile, megabytes: int, unit: int = LINE) -> float:
    """Share of DRAM accesses that a capacity saves against 3 MB, from a trace in units of `unit` bytes."""
    curve = _curve(network, profile, unit)
    return 1 - curve.transactions(megabytes * MB) / curve.transactions(BASE * MB)


def reduction(workload: Workload, megabytes: int) -> float:
    """The same for a workload of the paper, under the default profile."""
    return 1 - workload.dram.transactions(megabytes * MB) / workload.dram.transactions(BASE * MB)


def variants() -> Iterator[tuple[str, Profile]]:
    """Definitions of AlexNet and profiles that the paper's words allow."""
    plain = load_profile(PROFILE)
    choices = product(("alexnet-darknet", "alexnet"), TILES, (plain.resident_results, RESIDENT_RESULTS), (True, False))
    for network, tile, results, clears in choices:
        yield network, replace(plain, tile=(tile, tile), resident_results=results, adds_to_zero=clears)


def variant_band(megabytes: int) -> tuple[float, float]:
    """Least and greatest reduction over all variants."""
    values = [variant_reduction(network, profile, megabytes, COARSE) for network, profile in variants()]
    return min(values), max(values)


def _more(memory: str, megabytes: int, workload: str) -> dict[str, Any]:
    """Further columns."""
    return {"memory": memory, "capacity_MB": megabytes, "workload": workload}


def published_items() -> list[Item]:
    """Both published reductions."""
    return [_published(row) for row in published_rows("fig6")]


def _published(row: dict[str, str]) -> Item:
    """One published reduction."""
    megabytes = int(row["capacity_MB"])
    low, high = variant_band(megabytes)
    return Item(
        f"fewer DRAM accesses at {megabytes} MB ({row['memory'].upper()})", float(row["published"]),
        variant_reduction(NETWORK, load_profile(PROFILE), megabytes), "fitted",
        {**_more(row["memory"], megabytes, f"{NETWORK}, batch 1, {PROFILE}"), "band_low": low, "band_high": high},
    )


def _sweep() -> list[Item]:
    """The variant and its band at all capacities."""
    items = []
    for megabytes in CAPACITIES:
        low, high = variant_band(megabytes)
        items.append(Item(
            f"fewer DRAM accesses at {megabytes} MB", float("nan"),
            variant_reduction(NETWORK, load_profile(PROFILE), megabytes), "predicted",
            {**_more("", megabytes, f"{NETWORK}, batch 1, {PROFILE}"), "band_low": low, "band_high": high},
        ))
    return items


def _workloads() -> list[Item]:
    """Each workload's own reduction."""
    return [
        Item(f"fewer DRAM accesses at {megabytes} MB", float("nan"), reduction(workload, megabytes), "predicted",
             _more("", megabytes, workload.label))
        for workload in paper_workloads() for megabytes in _published_sizes()
    ]


def _figure() -> "Figure":
    """Left: the variant, its band and the published points. Right: each workload's own reduction."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(8.2, 3.1), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
        _draw_curve(left)
        _draw_workloads(right)
    return figure


def _draw_curve(axis: Any) -> None:
    """Reduction by capacity."""
    profile = load_profile(PROFILE)
    low, high = zip(*(variant_band(size) for size in CAPACITIES), strict=True)
    axis.fill_between(CAPACITIES, [100 * v for v in low], [100 * v for v in high], color="0.85", lw=0,
                      label="24 variants")
    axis.plot(CAPACITIES, [100 * variant_reduction(NETWORK, profile, size) for size in CAPACITIES], color=COLORS[2],
              marker="^", ms=4, lw=1.3, label="ours: Darknet AlexNet, 32 x 32 tiles")
    for row in published_rows("fig6"):
        axis.plot(int(row["capacity_MB"]), 100 * float(row["published"]), ls="", marker="*", ms=12, mfc="white",
                  mec=COLOR[row["memory"]], mew=1.3, zorder=4, label=f"published, {row['memory'].upper()}")
    axis.set_xticks([3, 6, 7, 10, 12, 24])
    axis.set_ylim(bottom=0)
    axis.set_xlabel("L2 capacity [MB]")
    axis.set_ylabel("fewer DRAM accesses than with 3 MB [%]")
    axis.set_title("AlexNet, batch 1")
    axis.legend(frameon=False, loc="lower right", fontsize=7)
    axis.grid(True, lw=0.3, color="0.88")


def _draw_workloads(axis: Any) -> None:
    """Own reductions, and the one applied to all."""
    workloads = paper_workloads()
    for number, row in enumerate(published_rows("fig6")):
        size, color = int(row["capacity_MB"]), COLOR[row["memory"]]
        axis.bar([place + (number - 0.5) * 0.38 for place in range(len(workloads))],
                 [100 * reduction(workload, size) for workload in workloads], 0.38, color=color,
                 hatch=("", "////")[number], edgecolor="white", lw=0.4, label=f"own, {size} MB", zorder=2)
        axis.axhline(100 * float(row["published"]), color=color, ls=("--", ":")[number], lw=1.2,
                     label=f"applied to all, {size} MB")
    axis.set_xticks(range(len(workloads)), [workload.label for workload in workloads], rotation=35, ha="right",
                    rotation_mode="anchor")
    axis.set_ylabel("fewer DRAM accesses than with 3 MB [%]")
    axis.set_title("the ten workloads, batch 4 (I) and 64 (T)")
    axis.legend(frameon=False, fontsize=7)
    axis.grid(True, axis="y", lw=0.3, color="0.88")


STUDY = Study("fig6", "How many DRAM accesses does a larger L2 cache save?", run)
