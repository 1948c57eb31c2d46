"""What a device's engines do through an iteration, on the paper's design points: timelines of one network."""

from typing import TYPE_CHECKING

from dse.objectives.memory_centric.choices import load_choices
from dse.objectives.memory_centric.engines import COLLECTIVE, COMPUTE, TRANSFER
from dse.objectives.memory_centric.events import events_of
from dse.spaces.memory_centric.systems import PARALLELISMS
from dse.studies.memory_centric.grid import POINTS, DesignGrid, grid_of, paper_systems
from dse.studies.memory_centric.pictures import timeline_panel
from dse.studies.reproduction import Item, reproduction_table
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NETWORK = "alexnet"
SUMS = {COMPUTE: "compute", TRANSFER: "transfer", COLLECTIVE: "synchronization"}


def run(jobs: int) -> Findings:
    """Timelines of one network, both parallelisms, all points."""
    grid = grid_of(load_choices(), paper_systems(), networks=(NETWORK,))
    items = [
        Item(f"{system}, {parallel}-parallel: share of the iteration that {engine} is busy", float("nan"),
             float(grid.sums(system, name, parallel)[0] / grid.times(system, parallel, (NETWORK,))[0]), "predicted",
             {"system": system, "parallel": parallel, "engine": engine})
        for parallel in PARALLELISMS for system in POINTS for engine, name in SUMS.items()
    ]
    busiest = {
        (item.more["system"], item.more["parallel"]): item.more["engine"]
        for item in sorted(items, key=lambda item: item.ours)
    }
    answer = "; ".join(f"{system}, {parallel}-parallel: {busiest[system, parallel]}"
                       for parallel in PARALLELISMS for system in POINTS)
    return Findings(f"The busiest engine of {NETWORK}: {answer}.", reproduction_table(items), _figure(grid), (
        "Timelines of any other design: dse.studies.memory_centric.pictures.write_timeline writes the picture and a "
        "trace that Perfetto opens.",
    ))


def _figure(grid: DesignGrid) -> "Figure":
    """One panel per point and parallelism."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 15), layout="constrained")
    axes = figure.subplots(len(POINTS), len(PARALLELISMS))
    for column, parallel in enumerate(PARALLELISMS):
        work, outcome = grid.works[parallel, NETWORK], grid.outcomes[parallel, NETWORK]
        for row, system in enumerate(POINTS):
            timeline_panel(axes[row, column], events_of(work, outcome, grid.systems[system]),
                           f"{system}, {NETWORK}, {parallel}-parallel")
    return figure


STUDY = Study("timelines", "What do compute, transfers and collectives of an iteration wait for?", run)
