"""Timelines as pictures: what each engine of a device runs, for any design."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dse.batch import Ints
from dse.objectives.memory_centric.engines import ENGINES
from dse.objectives.memory_centric.events import Event, chrome_trace, events_of
from dse.objectives.memory_centric.problem import MemoryCentricProblem
from dse.writing import write_text, write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = {
    "forward": "#4c78a8", "recompute": "#9ecae9", "input_gradient": "#f58518", "weight_gradient": "#ffbf79",
    "update": "#54a24b", "send": "#b279a2", "fetch": "#d6a5c9", "exchange": "#e45756",
}


def draw_timeline(events: Sequence[Event], title: str) -> "Figure":
    """One design's timeline."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.6), layout="constrained")
    axes = figure.subplots()
    timeline_panel(axes, events, title)
    return figure


def timeline_panel(axes: "Axes", events: Sequence[Event], title: str) -> None:
    """Bars of each engine, colored by what they do."""
    from matplotlib.patches import Patch

    kinds = [kind for kind in COLORS if any(event.kind == kind for event in events)]
    for kind in kinds:
        for place, engine in enumerate(ENGINES):
            spans = [(event.begin * 1e3, (event.end - event.begin) * 1e3) for event in events
                     if event.kind == kind and event.engine == engine]
            axes.broken_barh(spans, (place - 0.4, 0.8), facecolors=COLORS[kind])
    axes.set(yticks=range(len(ENGINES)), yticklabels=ENGINES, xlabel="time [ms]", title=title)
    axes.invert_yaxis()
    axes.legend(handles=[Patch(color=COLORS[kind], label=kind.replace("_", " ")) for kind in kinds], fontsize=7,
                ncols=4, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.25))


def write_timeline(
    problem: MemoryCentricProblem, design: Ints, folder: Path, name: str = "timeline"
) -> Mapping[str, Path]:
    """Picture (``.png``) and Chrome trace (``.json``) of a design of a problem; returns both paths."""
    work, outcome = problem.outcome(design)
    events = events_of(work, outcome)
    picture, trace = folder / f"{name}.png", folder / f"{name}.json"
    figure = draw_timeline(events, f"{problem.network.name}, {outcome.timeline.total[0] * 1e3:.3g} ms")
    write_whole(picture, lambda path: figure.savefig(path, dpi=150, format="png"))
    write_text(trace, chrome_trace(events))
    return {"picture": picture, "trace": trace}
