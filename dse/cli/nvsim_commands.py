"""``dse nvsim|evaluate|calibrate|import-profile``: the commands and their options."""

from pathlib import Path
from typing import Annotated

import typer

from dse.cli import completing
from dse.cli.parameters import (
    JOBS_HELP,
    NVSIM,
    OUTPUT,
    BatchSize,
    ConfigurationFile,
    Phase,
    Strict,
)

nvsim_files = typer.Typer()


@nvsim_files.command(rich_help_panel=NVSIM)
def nvsim(
    config: ConfigurationFile,
    details: Annotated[
        bool, typer.Option("--details", help="Also what the winner's figures are made of, block by block.")
    ] = False,
    target: Annotated[
        str | None,
        typer.Option(
            autocompletion=completing.targets, help="Whose winner --details is about, or all; the configuration's own."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Winners of all eight targets as JSON, or as a table: .csv, .parquet, .xlsx, .md; every design for "
            "Exploration."
        ),
    ] = None,
    strict: Strict = False,
) -> None:
    """Search as NVSim does: the best array of each of eight targets, wires refined."""
    from dse.cli.nvsim import run

    run(config, output, strict=strict, details=details, target=target)


@nvsim_files.command(rich_help_panel=NVSIM)
def evaluate(
    config: ConfigurationFile,
    designs: Annotated[Path, typer.Option(help="Designs to evaluate: CSV, one array per row (.gz allowed).")],
    output: Annotated[Path, typer.Option(help="Where to write the same rows with their figures (.gz allowed).")],
    strict: Strict = False,
) -> None:
    """Evaluate given array designs under an NVSim configuration."""
    from dse.cli.evaluate import run

    run(config, designs, output, strict=strict)


@nvsim_files.command(rich_help_panel=NVSIM)
def calibrate(
    table: Annotated[Path, typer.Argument(metavar="TABLE.csv", help="memory, capacity, quantity, value, role.")],
    setting: Annotated[
        Path, typer.Argument(metavar="SETTING.toml", help="Technology, cells, and free parameters with ranges.")
    ],
    hold_out: Annotated[
        list[str] | None,
        typer.Option(help="Figures not to fit, such as stt:7MB or sot:*; may be repeated."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=OUTPUT,
            help="Folder for the calibrated technology, its cells, and tables of the result.",
        ),
    ] = None,
    label: Annotated[
        str,
        typer.Option(rich_help_panel=OUTPUT, help="Name of the calibrated technology and cells."),
    ] = "calibrated",
    seed: Annotated[int, typer.Option(help="Of the places where fits start.")] = 0,
    seeds: Annotated[
        int,
        typer.Option(help="Seeds, from --seed on, of as many --starts each."),
    ] = 1,
    starts: Annotated[
        int,
        typer.Option(
            help="Fit from so many places, each kept in --output as it is done; 0 for one plain fit.",
        ),
    ] = 0,
    rounds: Annotated[
        int,
        typer.Option(help="Times that fit and exact search alternate at most."),
    ] = 6,
    jobs: Annotated[int, typer.Option(help=JOBS_HELP)] = 0,
) -> None:
    """Find the parameters of technology and cells that reproduce measured or published figures."""
    from dse.cli.calibrate import StartsEffort, run

    run(table, setting, hold_out or [], output, label, StartsEffort(starts, seeds, seed, rounds), jobs)


@nvsim_files.command("import-profile", rich_help_panel=NVSIM)
def import_profile(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV of Nsight Compute or nvprof.")],
    workload: Annotated[
        str,
        typer.Option(autocompletion=completing.workloads, help="The workload that was profiled, or its layer table."),
    ],
    phase: Phase = None,
    batch: BatchSize = None,
    gpu: Annotated[str, typer.Option(help="The GPU, for the record.")] = "unnamed GPU",
    capacity: Annotated[str, typer.Option(help="The L2 cache of that GPU.")] = "3MB",
    output: Annotated[Path | None, typer.Option(help="A .counts.json file.")] = None,
) -> None:
    """Take L2 and DRAM transactions from a profiler in place of the model."""
    from dse.cli.workload import ImportRequest
    from dse.cli.workload import import_profile as run

    run(ImportRequest(file, workload, phase, batch, gpu, capacity, output))
