"""What of DeepNVM++ holds under which assumption: organization, access types, weight of reads, and who chooses."""

from typing import TYPE_CHECKING, Any

from dse.report.plot import COLORS
from dse.studies.deepnvmpp.outcome import EVERY_KEY, ISO_AREA_KEYS, TABLE_II_KEYS, Outcome, iso_area_text, outcome_of
from dse.studies.optima import ASSUMPTIONS, EARLIER, PAPER, chosen_by_key, optima_by_key
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ALGORITHM1_CHOOSES = "Algorithm 1 chooses"
SHOWN = {
    "fitted_median": "fitted at 3 MB, median", "fitted_worst": "worst",
    "held_out_median": "held out, median", "held_out_worst": "worst ",
    "fourteen_mean": "fourteen statements, mean", "fourteen_worst": "worst  ",
}
"""Columns of errors, and what they are called on the page."""
NOTES = (
    "The technology is inferred under the first row's assumption and kept in all others but the last, which was"
    " inferred with every organization open. A row that changes one assumption is not fitted again.",
    "Figures held out and the fourteen statements at 17 % of writes took no part in the fit, nor in the choice among"
    " fits. Fig. 9 is counted out of nine.",
    "Algorithm 1's row has its choices where the other rows have exact optima of EDAP.",
)


def outcomes(jobs: int) -> dict[str, Outcome]:
    """Outcomes by assumption."""
    found = {one.name: outcome_of(optima_by_key(EVERY_KEY, jobs, one)) for one in ASSUMPTIONS}
    found[ALGORITHM1_CHOOSES] = outcome_of(chosen_by_key(EVERY_KEY, jobs))
    keys = tuple(dict.fromkeys((*TABLE_II_KEYS, *ISO_AREA_KEYS)))
    found[EARLIER.name] = outcome_of(optima_by_key(keys, jobs, EARLIER))
    return found


def run(jobs: int) -> Findings:
    """Compare the assumptions."""
    import pandas as pd

    found = outcomes(jobs)
    table = pd.DataFrame([{"assumption": name, **one.row()} for name, one in found.items()])
    paper, free = found[PAPER.name], found[EARLIER.name]
    answer = (
        f"In the paper's setting (CACTI's organization, normal and sequential access, exact) held-out figures are off"
        f" by {_median(paper)} in the median and {paper.held_out.max():.1%} at worst, the fourteen statements by"
        f" {paper.fourteen.mean():.1%} on average; with every organization open, in fit and search,"
        f" {_median(free)}, {free.held_out.max():.1%} and {free.fourteen.mean():.1%}."
    )
    return Findings(answer, table, draw(table), NOTES, page_table(table))


def _median(outcome: Outcome) -> str:
    """Median error of what is held out."""
    return f"{outcome.row()['held_out_median']:.1%}"


def page_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """Errors as percentages."""
    import pandas as pd

    return pd.DataFrame({
        "assumption": table.assumption,
        **{name: [f"{value:.1%}" for value in table[column]] for column, name in SHOWN.items()},
        "Fig. 9": ["-" if value != value else f"{value:.0f} of 9" for value in table.fig9_hold],
        "iso-area [MB], STT (7)": [iso_area_text("stt", value) for value in table.iso_area_stt_MB],
        "SOT (10)": [iso_area_text("sot", value) for value in table.iso_area_sot_MB],
    })


def draw(table: "pd.DataFrame") -> "Figure":
    """Median and worst errors by assumption, a panel for each group of figures."""
    from matplotlib.figure import Figure

    panels = (
        ("Table II, fitted (3 MB)", "fitted_median", "fitted_worst"),
        ("Table II, held out (7, 10 MB)", "held_out_median", "held_out_worst"),
        ("fourteen statements", "fourteen_mean", "fourteen_worst"),
    )
    figure = Figure(figsize=(7.2, 0.32 * len(table) + 1.2), layout="constrained")
    axes: Any = figure.subplots(1, len(panels), sharey=True)
    rows = range(len(table))[::-1]
    for axis, (title, middle, worst) in zip(axes, panels, strict=True):
        axis.barh(rows, 100 * table[worst], 0.6, color="0.85", label="worst")
        axis.barh(rows, 100 * table[middle], 0.6, color=COLORS[0], label="median (statements: mean)")
        for row, value in zip(rows, table[middle], strict=True):
            axis.text(100 * value, row, f" {value:.1%}", va="center", fontsize=6.5)
        axis.set_title(title, fontsize=8)
        axis.set_xlabel("error [%]", fontsize=7.5)
        axis.tick_params(labelsize=7)
        axis.grid(axis="x", lw=0.3, color="0.88")
        axis.set_axisbelow(True)
    axes[0].set_yticks(rows, list(table.assumption), fontsize=7)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False, fontsize=7.5)
    return figure


STUDY = Study(
    "assumptions",
    "What of DeepNVM++ is reproduced under which assumption: the organization CACTI assumes or any, which access"
    " types, which weight of reads, Algorithm 1 or the exact optimum?",
    run,
)
