"""Commands and their options; what they do is imported when they run."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="dse",
    help="Find the best on-chip memory: an NVSim-equivalent model with exact search.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Method(StrEnum):
    """How the best cache is found."""

    EXACT = "exact"
    ALGORITHM1 = "algorithm1"


class Wires(StrEnum):
    """Which wires of the data array are open."""

    BASIC = "basic"
    ALL = "all"


ConfigurationFile = Annotated[Path, typer.Argument(metavar="CONFIG.cfg", help="NVSim configuration.")]


@app.command()
def evaluate(
    config: ConfigurationFile,
    designs: Annotated[Path, typer.Option(help="Designs to evaluate: CSV, one array per row (.gz allowed).")],
    output: Annotated[Path, typer.Option(help="Where to write the same rows with their figures (.gz allowed).")],
) -> None:
    """Evaluate given array designs under an NVSim configuration."""
    from dse.cli.evaluate import run

    run(config, designs, output)


@app.command()
def nvsim(
    config: ConfigurationFile,
    output: Annotated[
        Path | None,
        typer.Option(help="Winners of all eight targets as JSON; every design as .parquet or .csv for Exploration."),
    ] = None,
) -> None:
    """Search as NVSim does: the best array of each of eight targets, wires refined."""
    from dse.cli.nvsim import run

    run(config, output)


Memories = Annotated[str, typer.Option("--memory", help="Comma-separated: sram, stt, sot, or paths of .cell files.")]
Capacities = Annotated[str, typer.Option("--capacity", help="Comma-separated: 512KB,3MB.")]
AccessTypes = Annotated[str, typer.Option("--access", help="Access types to choose from.")]
TechnologyName = Annotated[
    str, typer.Option("--technology", help="22nm, 32nm-lstp (also -hp, -lop), or a technology file.")
]
Temperature = Annotated[int, typer.Option("--temperature", help="Kelvin, 300 to 400.")]
Line = Annotated[int, typer.Option("--line", help="Cache line, in bytes.")]
Ways = Annotated[int, typer.Option("--ways", help="Associativity.")]
OpenWires = Annotated[
    Wires, typer.Option("--wires", help="Wires of the data array: NVSim's basic ones, or all of them jointly.")
]
Constraints = Annotated[
    list[str] | None,
    typer.Option("--constraint", help="Such as area<=1.2mm2 or read_latency<=3ns; may be repeated."),
]
ReadFraction = Annotated[float, typer.Option("--read-fraction", help="Share of reads in EDAP and the like.")]
FromConfiguration = Annotated[
    Path | None,
    typer.Option(
        "--config", help="Take technology, cell, capacity, access and ranges from an NVSim configuration."
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", help="Processes; 0 for one per core.")]
ALL_ACCESS = "normal,fast,sequential"


@app.command()
def optimize(
    objective: Annotated[
        str, typer.Option(help="edap, edap_leakage, edp, a metric, or a formula such as read_energy*area.")
    ] = "edap",
    memory: Memories = "sram,stt,sot",
    capacity: Capacities = "3MB",
    access: AccessTypes = ALL_ACCESS,
    technology: TechnologyName = "22nm",
    temperature: Temperature = 350,
    line: Line = 64,
    ways: Ways = 16,
    wires: OpenWires = Wires.BASIC,
    method: Annotated[Method, typer.Option(help="exact, or DeepNVM++'s Algorithm 1.")] = Method.EXACT,
    constraint: Constraints = None,
    read_fraction: ReadFraction = 0.5,
    config: FromConfiguration = None,
    jobs: Jobs = 0,
    output: Annotated[Path | None, typer.Option(help="Write to a .json or .csv file instead.")] = None,
    format: Annotated[
        Format | None, typer.Option(help="Of the result; by the name of --output, else a table.")
    ] = None,
) -> None:
    """Find the cache that minimizes an objective, with proof, and Algorithm 1's answer beside it."""
    from dse.cli.optimize import Request, run
    from dse.cli.request import CacheRequest

    caches = CacheRequest(
        memory, capacity, access, technology, temperature, line, ways, wires.value, config
    )
    request = Request(caches, objective, method.value, tuple(constraint or ()), read_fraction)
    run(request, jobs, output, None if format is None else format.value)


@app.command()
def pareto(
    objectives: Annotated[
        str, typer.Option(help="Two or more metrics or formulas to minimize, comma-separated.")
    ] = "read_latency,read_energy,area",
    memory: Memories = "sram,stt,sot",
    capacity: Capacities = "3MB",
    access: AccessTypes = ALL_ACCESS,
    technology: TechnologyName = "22nm",
    temperature: Temperature = 350,
    line: Line = 64,
    ways: Ways = 16,
    wires: OpenWires = Wires.BASIC,
    constraint: Constraints = None,
    read_fraction: ReadFraction = 0.5,
    config: FromConfiguration = None,
    jobs: Jobs = 0,
    output: Annotated[Path | None, typer.Option(help="Front as CSV (.gz allowed), one row per cache.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Figure of the front: .png, .pdf or .svg.")] = None,
) -> None:
    """Find the exact Pareto front of each memory and capacity, over all access types."""
    from dse.cli.pareto import Request, run
    from dse.cli.request import CacheRequest

    caches = CacheRequest(
        memory, capacity, access, technology, temperature, line, ways, wires.value, config
    )
    run(Request(caches, objectives, tuple(constraint or ()), read_fraction), jobs, output, plot)


studies = typer.Typer(help="Questions answered with figure, table and text.", no_args_is_help=True)
app.add_typer(studies, name="study")


@studies.command("list")
def study_list() -> None:
    """List the studies and what they ask."""
    from dse.cli.study import show

    show()


@studies.command("run")
def study_run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A study, or a group of them (see dse study list).")],
    output: Annotated[Path, typer.Option(help="Folder for table, figure and page.")] = Path("studies-out"),
    jobs: Jobs = 0,
) -> None:
    """Run a study: writes NAME.csv, NAME.png and NAME.md."""
    from dse.cli.study import run

    run(name, output, jobs)
