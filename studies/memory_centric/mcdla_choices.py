"""What each choice that the paper leaves unsaid moves: one at a time, all others at their defaults."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dse.objectives.memory_centric.choices import choice_infos, load_choices, model_set_names
from dse.studies.memory_centric.headlines import BANDED, banded_values
from dse.studies.reproduction import Item, reproduction_table
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def run(jobs: int) -> Findings:
    """Every banded number at every level of every choice."""
    items = list(swept())
    table = reproduction_table(items)
    return Findings(_answer(table), table, _figure(table), _notes(table), _shown(table))


def swept() -> Iterator[Item]:
    """Rows of the sweep; the defaults first, under the name of each choice."""
    defaults = load_choices()
    for name, info in choice_infos().items():
        for level in info.levels:
            values = banded_values(replace(defaults, **{name: level}))
            for line in BANDED:
                yield Item(f"{line.item}, {name} = {_word(level)}", line.published, values[line.item], line.role, {
                    "number": line.item, "choice": name, "level": _word(level), "default": level == info.default,
                    "in_band": line.met(values[line.item]), "choice_role": info.role, "source": info.source,
                })


def _word(level: Any) -> str:
    """A level as the command line takes it."""
    return str(level).lower() if isinstance(level, (bool, str)) else f"{level:g}"


def spans(table: "pd.DataFrame") -> "pd.DataFrame":
    """How far each choice moves each number: (greatest - least) / published, choices by numbers."""
    grouped = table.groupby(["choice", "number"], sort=False)
    span = (grouped["ours"].max() - grouped["ours"].min()) / grouped["published"].first()
    return span.unstack("number")[[line.item for line in BANDED]].loc[list(choice_infos())]


def _answer(table: "pd.DataFrame") -> str:
    """The choices that move most, and those that no band excludes."""
    widest = spans(table).max(axis=1).sort_values(ascending=False)
    free = [
        name for name, rows in table.groupby("choice", sort=False) if bool(rows["in_band"].all())
    ]
    most = ", ".join(f"{name} ({span:.0%})" for name, span in widest.head(5).items())
    return (
        f"Furthest, relative to the published value, move {most}. Of {len(widest)} choices {len(free)} stay within "
        f"all bands at every level: {', '.join(map(str, free)) or 'none'}. So the paper's numbers pin down the rest "
        "only together: sets that differ in many choices "
        f"({', '.join(model_set_names())}) meet every band."
    )


def _notes(table: "pd.DataFrame") -> tuple[str, ...]:
    """What each choice is, and where its default comes from."""
    return (
        "One choice at a time: what two choices do together is not shown.",
        *(f"`{name}`: {info.help}; {info.role}, {info.source}." for name, info in choice_infos().items()),
    )


def _shown(table: "pd.DataFrame") -> "pd.DataFrame":
    """One row per level: all numbers, and how many lie in their bands."""
    wide = table.pivot_table(index=["choice", "level"], columns="number", values="ours", sort=False)
    wide.insert(0, "in_band", table.groupby(["choice", "level"], sort=False)["in_band"].sum())
    return wide.reset_index()


def _figure(table: "pd.DataFrame") -> "Figure":
    """Span of each number by choice."""
    from matplotlib.figure import Figure

    span = spans(table)
    figure = Figure(figsize=(9, 7), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(span.to_numpy() * 100, aspect="auto", cmap="viridis", vmax=100)
    axes.set_xticks(range(len(span.columns)), span.columns, rotation=35, ha="right", fontsize=8)
    axes.set_yticks(range(len(span.index)), span.index, fontsize=8)
    for row, values in enumerate(span.to_numpy()):
        for column, value in enumerate(values):
            axes.text(column, row, f"{value:.0%}", ha="center", va="center", fontsize=7,
                      color="white" if value < 0.6 else "black")
    figure.colorbar(image, label="greatest less least, of the published value [%]")
    return figure


STUDY = Study("mcdla-choices", "Which choice that MC-DLA leaves unsaid moves which of its numbers, and how far?", run)
