"""The study `tm-training`: what the abstract's 64 % and 55 % can mean, against every baseline and capacity.

Park et al., TM-Training, ACM Transactions on Storage 21(4), 2025, of which only the abstract is public: inter-tier
traffic falls by 64 % and throughput per watt rises by 55 % "than prior work", on flash.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.objectives.gpu.machine import load_gpu
from dse.objectives.placement.policies import Placement, place
from dse.objectives.placement.whole import Limits
from dse.objectives.tiers.figures import Surroundings, figures, make_tier
from dse.objectives.tiers.problem import MAC_ENERGY
from dse.objectives.tiers.steps import Placed
from dse.objectives.tiers.technology import load_memory
from dse.parallel import in_parallel
from dse.progress import report
from dse.report.plot import COLORS, LINES
from dse.studies.study import Findings, Study
from dse.studies.tiers.networks import NETWORKS, TrainedNetwork
from dse.units import TIMES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FRACTIONS = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 1.0)
COMPARED = (0.125, 0.25, 0.5)
POLICIES = ("move-all", "first-touch", "vdnn", "lru", "lru-reuse", "lru-dead", "min", "whole-greedy", "whole-milp",
            "split-lp")
SPLIT = "split-lp"
TRAFFIC_SAVED, EFFICIENCY_GAINED = 0.64, 0.55
"""The abstract's figures."""
SAVED_FROM, GAINED_FROM = "64 % (published) from", "55 % (published) from"
MILP = Limits(seconds=20.0)
FAST, FLASHES, MACHINE, WINDOW = "hbm2e", ("z-nand", "tlc-nvme4"), "a100-sxm-40gb", 8
TERABYTE = 1e12
ALONE = (
    ("dropping dead tensors", "lru", "lru-dead"), ("foresight", "lru-dead", "min"),
    ("weighing writes", "min", SPLIT), ("splitting tensors", "whole-milp", SPLIT),
)
"""What each idea alone saves: from one policy to another."""


@dataclass(frozen=True, slots=True)
class TierCase:
    """A network and the share of its peak that tier 1 holds."""

    network: TrainedNetwork
    fraction: float


def run(jobs: int) -> Findings:
    """Place every network at every fraction by every policy."""
    cases = [TierCase(network, fraction) for network in NETWORKS for fraction in FRACTIONS]
    return findings_of(list(report(in_parallel(measure, cases, jobs), len(cases), "placements")))


def measure(case: TierCase) -> list[dict[str, Any]]:
    """A row for each policy of a case."""
    gaps, peak = case.network.gaps(), case.network.peak()
    capacity = int(case.fraction * peak)
    rows = []
    for policy in POLICIES:
        found = place(policy, gaps, capacity, limits=MILP)
        kept = None if found.plan is None else gaps.occupied(found.plan.kept) + gaps.operands
        nothing = np.zeros(gaps.pieces)
        placed = Placed(gaps, capacity, peak, (found.traffic,), nothing, nothing, kept)
        rows.append({
            "network": case.network.name, "fraction": case.fraction, "policy": policy,
            "bytes": found.traffic.pages * placed.page, "duality_gap": duality_gap(found),
            "written": float(found.traffic.written.sum()) * placed.page, **_worth(placed, case.network.batch),
        })
    return rows


def duality_gap(found: Placement) -> float | None:
    """How far a plan is at most from the best of its kind, relative to what it moves; None without a bound."""
    if found.bound is None:
        return None
    pages = found.traffic.pages
    return (pages - found.bound) / pages if pages else 0.0


def _worth(placed: Placed, batch: int) -> dict[str, float]:
    """Samples per joule on each flash behind FAST, and days until a terabyte of it is worn out."""
    around = Surroundings(peak_macs=load_gpu(MACHINE).peak["fp32"], mac_energy=MAC_ENERGY[4], electricity=0.0,
                          usage_effectiveness=1.0, years=1.0)
    one = np.ones(1)
    fast = make_tier([load_memory(FAST)], one, one * placed.capacity * placed.page)
    found = {}
    for flash in FLASHES:
        below = make_tier([load_memory(flash)], one, one * TERABYTE)
        metrics = figures(placed, fast, [below], WINDOW, batch, around)
        found[f"samples_per_joule_{flash}"] = float(metrics["throughput_per_watt"][0])
        wear = float(metrics["wear"][0])
        found[f"days_{flash}"] = 1 / wear / TIMES["d"] if wear else float("inf")
    return found


def findings_of(measured: Sequence[Sequence[dict[str, Any]]]) -> Findings:
    """Tables, figure and answer."""
    import pandas as pd

    rows = pd.DataFrame([row for rows in measured for row in rows])
    table = rows[["network", "fraction", "policy", "bytes", "duality_gap"]]
    shown = page_table(rows)
    return Findings(answer(rows, shown), table, draw(rows), notes(rows), shown)


def savings(rows: "pd.DataFrame", column: str = "bytes") -> "pd.DataFrame":
    """What the split plan saves of each policy's bytes, by fraction and network (rows) and policy (columns)."""
    moved = rows.pivot(index=["fraction", "network"], columns="policy", values=column)
    return moved.where(moved > 0).rdiv(moved[SPLIT], axis=0).rsub(1.0)


def needed_share(saving: float, gain: float = EFFICIENCY_GAINED) -> float:
    """Share of a baseline's energy that must go with its traffic for a saving to raise samples per joule by `gain`.

    E' = E (1 - share saving) and E / E' = 1 + gain, so that share = (1 - 1 / (1 + gain)) / saving; above 1 there is
    none.
    """
    return (1 - 1 / (1 + gain)) / saving if saving > 0 else float("inf")


def reaching(means: "pd.Series[float]", target: float = TRAFFIC_SAVED) -> float | None:
    """The smallest fraction at which a mean saving reaches a target, between fractions by straight lines."""
    fractions, values = means.index.to_numpy(float), means.to_numpy(float)
    above = np.flatnonzero(values >= target)
    if not len(above):
        return None
    last = int(above[0]) + 1
    return float(np.interp(target, values[max(last - 2, 0) : last], fractions[max(last - 2, 0) : last]))


def page_table(rows: "pd.DataFrame") -> "pd.DataFrame":
    """A row per baseline: what is saved of it, and the published figures beside."""
    import pandas as pd

    saved = savings(rows).groupby("fraction").mean()
    found = []
    for policy in POLICIES[:-1]:
        means = saved.loc[saved.index < 1, policy]
        at = reaching(means)
        row: dict[str, Any] = {"baseline": policy}
        row |= {f"saved at {fraction:.1%}": f"{means[fraction]:.1%}" for fraction in COMPARED}
        row[SAVED_FROM] = "never" if at is None else f"{at:.0%} of peak"
        gained = reaching(gains(rows)[policy], EFFICIENCY_GAINED)
        row[GAINED_FROM] = "never" if gained is None else f"{gained:.0%} of peak"
        share = needed_share(float(means[0.5]))
        row["traffic's energy share for 55 % (published), at 50 %"] = "none" if share > 1 else f"{share:.0%}"
        row |= {f"samples/J gained, {fraction:.1%}, {FLASHES[0]}": f"{gains(rows)[policy][fraction]:+.0%}"
                for fraction in COMPARED}
        found.append(row)
    return pd.DataFrame(found)


def gains(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Mean gain in samples per joule of the split plan, by fraction below 1 (rows) over each policy (columns)."""
    found = rows[rows["fraction"] < 1].pivot(
        index=["fraction", "network"], columns="policy", values=f"samples_per_joule_{FLASHES[0]}"
    )
    return (found.rdiv(found[SPLIT], axis=0) - 1).groupby("fraction").mean()


def alone(rows: "pd.DataFrame") -> dict[str, list[float]]:
    """What each idea alone saves, mean over networks, at the compared fractions."""
    parts = [
        rows[rows["fraction"] == fraction].pivot(index="network", columns="policy", values="bytes")
        for fraction in COMPARED
    ]
    return {
        name: [float((1 - part[after] / part[before]).mean()) for part in parts]
        for name, before, after in ALONE
    }


def _where(shown: "pd.DataFrame", column: str) -> str:
    """Baselines against which a published figure is reached, and from which capacity."""
    reached = [f"{row['baseline']} from {row[column]}" for _, row in shown.iterrows() if row[column] != "never"]
    never = [row["baseline"] for _, row in shown.iterrows() if row[column] == "never"]
    return f"{'; '.join(reached) or 'none'} (never: {', '.join(never) or 'none'})"


def answer(rows: "pd.DataFrame", shown: "pd.DataFrame") -> str:
    """Where the published figures are reached, and where never."""
    saved, gained = (_where(shown, column) for column in (SAVED_FROM, GAINED_FROM))
    parts = "; ".join(
        f"{name} {' / '.join(f'{value:.0%}' for value in values)}" for name, values in alone(rows).items()
    )
    split = rows[(rows["policy"] == SPLIT) & (rows["bytes"] > 0)]
    worst = float(split["duality_gap"].abs().max())
    return (
        f"No single figure: it depends on the baseline and on how much of the peak tier 1 holds. In the mean over"
        f" {len(NETWORKS)} networks, the provably best placement saves the published 64 % of the traffic of"
        f" {saved}. With {FLASHES[0]} behind {FAST} it gives the published 55 % more samples per joule than"
        f" {gained}.\n\n"
        f"Alone, at {' / '.join(f'{fraction:.1%}' for fraction in COMPARED)} of peak: {parts}.\n\n"
        f"Every placement is proven by its duality gap, at most {worst:.1e}."
    )


def notes(rows: "pd.DataFrame") -> tuple[str, ...]:
    """What limits the answer."""
    split = rows[(rows["policy"] == SPLIT) & (rows["fraction"] == 0.25)]
    wear = "; ".join(
        f"{flash} {split[f'days_{flash}'].min():.1f} to {split[f'days_{flash}'].max():.1f} days" for flash in FLASHES
    )
    least = 1 - 1 / (1 + EFFICIENCY_GAINED)
    return (
        "Only TM-Training's abstract is public: it names neither its baselines nor its capacities, so that nothing"
        " here says which of these figures it means.",
        f"Throughput per watt can rise by 55 % only if traffic takes a share of (1 - 1/1.55)/saving of the baseline's"
        f" energy: {needed_share(TRAFFIC_SAVED):.1%} at a saving of 64 %, and no share is enough below {least:.1%}.",
        f"Samples per joule: {FAST} before a terabyte of flash, {MACHINE}'s fp32 peak, arithmetic as in Horowitz"
        f" (ISSCC 2014), transfers up to {WINDOW} pieces early or late under plans, on demand under replacement rules."
        " Energies and static powers of flash are assumptions, named in its technology files.",
        f"Wear: split plans at 25 % of peak, step after step, wear out a terabyte in: {wear}.",
        f"whole-milp stops at a relative gap of {MILP.relative_gap:g} or after {MILP.seconds:g} s; its duality gap is"
        " against its own bound. Policies without a bound have none.",
    )


def draw(rows: "pd.DataFrame") -> "Figure":
    """Mean saving against the capacity of tier 1, a line per baseline, and the published figure."""
    from matplotlib.figure import Figure

    saved = savings(rows).groupby("fraction").mean()
    saved = saved[saved.index < 1]
    figure = Figure(figsize=(6.4, 4.0))
    axis = figure.add_subplot()
    for number, policy in enumerate(POLICIES[:-1]):
        again, color = divmod(number, len(COLORS))
        axis.plot(saved.index * 100, saved[policy] * 100, color=COLORS[color], linestyle=LINES[number % len(LINES)],
                  marker="os"[again], ms=4 * again, label=policy, lw=1.4)
    axis.axhline(TRAFFIC_SAVED * 100, color="0.3", lw=0.8)
    axis.annotate("published: 64 %", (saved.index[-1] * 100, TRAFFIC_SAVED * 100), fontsize=7, va="bottom", ha="right")
    axis.set_xlabel("capacity of tier 1 [% of peak]")
    axis.set_ylabel("traffic saved by the best placement,\nmean over networks [%]")
    axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axis.grid(True, lw=0.3, color="0.88")
    return figure


STUDY = Study(
    "tm-training",
    "By how much does the best placement of a training step's tensors on two tiers cut traffic and raise throughput"
    " per watt, against which baseline, and where do the published 64 % and 55 % lie?",
    run,
)
