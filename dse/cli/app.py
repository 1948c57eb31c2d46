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


@app.command()
def optimize(
    objective: Annotated[
        str, typer.Option(help="edap, edap_leakage, edp, a metric, or a formula such as read_energy*area.")
    ] = "edap",
    memory: Annotated[
        str, typer.Option(help="Memories, comma-separated: sram, stt, sot, or paths of .cell files.")
    ] = "sram,stt,sot",
    capacity: Annotated[str, typer.Option(help="Capacities, comma-separated: 512KB,3MB.")] = "3MB",
    access: Annotated[str, typer.Option(help="Access types to choose from.")] = "normal,fast,sequential",
    technology: Annotated[
        str, typer.Option(help="22nm, 32nm-lstp (also -hp, -lop), or a technology file.")
    ] = "22nm",
    temperature: Annotated[int, typer.Option(help="Kelvin, 300 to 400.")] = 350,
    line: Annotated[int, typer.Option(help="Cache line [bytes].")] = 64,
    ways: Annotated[int, typer.Option(help="Associativity.")] = 16,
    wires: Annotated[
        Wires, typer.Option(help="Wires of the data array: NVSim's basic ones, or all of them jointly.")
    ] = Wires.BASIC,
    method: Annotated[Method, typer.Option(help="exact, or DeepNVM++'s Algorithm 1.")] = Method.EXACT,
    constraint: Annotated[
        list[str] | None, typer.Option(help="Such as area<=1.2mm2 or read_latency<=3ns; may be repeated.")
    ] = None,
    read_fraction: Annotated[float, typer.Option(help="Share of reads in EDAP and the like.")] = 0.5,
    config: Annotated[
        Path | None,
        typer.Option(help="Take technology, cell, capacity, access and ranges from an NVSim configuration."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes; 0 for one per core.")] = 0,
    output: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
    format: Annotated[Format, typer.Option(help="Of the result.")] = Format.TABLE,
) -> None:
    """Find the cache that minimizes an objective, with proof, and Algorithm 1's answer beside it."""
    from dse.cli.optimize import Request, run

    run(
        Request(
            objective=objective, memories=memory, capacities=capacity, access=access, technology=technology,
            temperature=temperature, line=line, ways=ways, wires=wires.value, method=method.value,
            constraints=tuple(constraint or ()), read_fraction=read_fraction, config=config,
        ),
        jobs, output, format.value,
    )
