"""Fits that are nearly as good as the one in use: what is concluded from it, as a range over them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dse.objectives.cache.problem import CacheProblem
from dse.parallel import in_parallel
from dse.progress import report
from dse.search.kept import kept
from dse.search.result import optimize
from dse.studies.calibrated import MEGABYTE
from dse.studies.deepnvmpp.fig9 import CLAIMS
from dse.studies.deepnvmpp.outcome import EVERY_KEY, Outcome, iso_area_text, outcome_of
from dse.studies.deepnvmpp.published import calibration_setting, near_equal_fits
from dse.studies.optima import FOUND, FoundCache, found_cache
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST = 5
"""Near-equal fits that are compared, the best first."""
NOTES = (
    "All fits start from different places and see the same eighteen figures of 3 MB; near-equal is a sum of squared"
    " logarithms within 10 % of the least. None was chosen by anything that it was not fitted to.",
    "A statement of Fig. 9 that holds for some of the fits only is undecided by Table II at 3 MB.",
)


def outcomes(jobs: int) -> list[tuple[float, Outcome]]:
    """Misfit and outcome of each near-equal fit."""
    fits = near_equal_fits()[:MOST]
    problems = [problem_at(fit, key) for fit in fits for key in EVERY_KEY]
    searched = iter(report(in_parallel(_search, problems, jobs), len(problems), "exact searches"))
    return [
        (fit["misfit"], outcome_of({key: next(searched).metrics for key in EVERY_KEY})) for fit in fits
    ]


def problem_at(fit: Mapping[str, float], key: tuple[str, int]) -> CacheProblem:
    """The cache of a memory and capacity [MB] with the values of a fit."""
    setting = calibration_setting()
    values = {one.name: fit[one.name] for one in setting.parameters}
    memory, megabytes = key
    return replace(setting, materials=setting.made_of(values)).problem(memory, megabytes * MEGABYTE)


def _search(problem: CacheProblem) -> FoundCache:
    """The exact optimum."""
    return kept(f"optimum of {problem!r}", ("fit", problem), FOUND, lambda: found_cache(optimize(problem)))


def run(jobs: int) -> Findings:
    """Compare the fits."""
    import pandas as pd

    found = outcomes(jobs)
    table = pd.DataFrame([
        {
            "fit": number, "misfit": misfit, **one.row(),
            **{claim.text: decision.margin for claim, decision in zip(CLAIMS, one.claims, strict=True)},
        }
        for number, (misfit, one) in enumerate(found, 1)
    ])
    low, high = table.fig9_hold.min(), table.fig9_hold.max()
    answer = (
        f"{len(table)} fits within 10 % of the least misfit ({table.misfit.min():.4f}). Held out:"
        f" median {_range(table.held_out_median)}, worst {_range(table.held_out_worst)}; fourteen statements:"
        f" mean {_range(table.fourteen_mean)}, worst {_range(table.fourteen_worst)}; Fig. 9: the chosen fit"
        f" {table.fig9_hold.iloc[0]:.0f} of 9, all {low:.0f} to {high:.0f}; iso-area"
        f" {table.iso_area_stt_MB.min():.1f} to {table.iso_area_stt_MB.max():.1f} MB (STT, published 7) and"
        f" {table.iso_area_sot_MB.min():.1f} to {table.iso_area_sot_MB.max():.1f} MB (SOT, published 10), where"
        " among the capacities searched."
    )
    return Findings(answer, table, draw(table), NOTES, page_table(table))


def _range(values: "pd.Series[float]") -> str:
    """Least and largest, as percentages."""
    return f"{values.min():.1%} to {values.max():.1%}"


def page_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """A column for each fit."""
    import pandas as pd

    rows = {
        "misfit": [f"{value:.4f}" for value in table.misfit],
        **{
            name.replace("_", " "): [f"{value:.1%}" for value in table[name]]
            for name in table.columns if name.endswith(("median", "worst", "mean"))
        },
        "Fig. 9 statements that hold": [f"{value:.0f}" for value in table.fig9_hold],
        "iso-area STT [MB]": [iso_area_text("stt", value) for value in table.iso_area_stt_MB],
        "iso-area SOT [MB]": [iso_area_text("sot", value) for value in table.iso_area_sot_MB],
        **{
            claim.text: [f"{'holds' if value > 0 else 'fails'} by {abs(value):.1%}" for value in table[claim.text]]
            for claim in CLAIMS
        },
    }
    return pd.DataFrame([
        {"": name, **{f"fit {number}": text for number, text in enumerate(texts, 1)}} for name, texts in rows.items()
    ])


def draw(table: "pd.DataFrame") -> "Figure":
    """Margins of the statements of Fig. 9, a marker for each fit."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.0), layout="constrained")
    axis: Any = figure.subplots()
    axis.axvspan(-1000, 0, color="0.93", lw=0)
    axis.axvline(0, color="0.4", lw=0.8)
    for row, claim in enumerate(reversed(CLAIMS)):
        values = 100 * table[claim.text]
        axis.plot(values[1:], [row] * (len(values) - 1), ls="", marker="o", ms=5, mfc="white", mec="0.3",
                  label="near-equal fits" if not row else None)
        axis.plot(values.iloc[0], row, ls="", marker="D", ms=5, color="#0072B2",
                  label="the fit in use" if not row else None)
    axis.set_yticks(range(len(CLAIMS)), [claim.text for claim in reversed(CLAIMS)], fontsize=6.5)
    axis.set_xscale("symlog", linthresh=10)
    axis.set_xlim(-150, 1000)
    axis.set_xticks([-100, -10, 0, 10, 100, 1000], ["-100", "-10", "0", "10", "100", "1000"])
    axis.set_xlabel("margin until the statement turns [%]; gray: it fails", fontsize=7.5)
    axis.tick_params(labelsize=6.5)
    axis.grid(axis="x", lw=0.3, color="0.88")
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=7.5)
    return figure


STUDY = Study(
    "fits", "How far do fits to Table II that are nearly as good as the one in use agree about the rest of the paper?",
    run,
)
