"""``dse workload list|show|lifetimes|import``: the commands and their options."""

from pathlib import Path
from typing import Annotated

import typer

from dse.cli import completing
from dse.cli.parameters import OUTPUT, BatchSize, ListFormat, Phase, PrintFormat

workloads = typer.Typer(help="What neural networks ask of the memories.", no_args_is_help=True)


@workloads.command("list")
def workload_list(format: ListFormat = PrintFormat.TABLE) -> None:
    """List the workloads that come with the package, and the traffic profiles."""
    from dse.cli.workload import show_all

    show_all(format.value)


@workloads.command("show")
def workload_show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", autocompletion=completing.workloads,
            help="A workload, a layer table (.csv, .json), an .onnx file or counts (.counts.json)."
        ),
    ],
    phase: Phase = None,
    batch: BatchSize = None,
    profile: Annotated[
        str,
        typer.Option(
            rich_help_panel="Machine", autocompletion=completing.profiles,
            help="How layers become kernels (see dse workload list).",
        ),
    ] = "implicit-128x128",
    capacity: Annotated[
        str,
        typer.Option(rich_help_panel="Machine", help="L2 cache for which DRAM traffic is shown."),
    ] = "3MB",
    context: Annotated[int | None, typer.Option(help="Tokens of a transformer's prompt or cache.")] = None,
    precision: Annotated[
        str | None,
        typer.Option(rich_help_panel="Step", help="fp32, bf16, fp16, bf16-fp32-gradients, bf16-pure, fp8, int8."),
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(rich_help_panel="Step", help="Of training: sgd, momentum, adam."),
    ] = None,
    recompute: Annotated[
        str,
        typer.Option(
            rich_help_panel="Step",
            help="What training computes again: none, cheap, selective, full, every-K.",
        ),
    ] = "none",
    microbatches: Annotated[
        int,
        typer.Option(rich_help_panel="Step", help="Equal parts of a batch that pass one after the other."),
    ] = 1,
    attention: Annotated[
        str | None,
        typer.Option(
            rich_help_panel="Step",
            help="Scores stored or fused; stored in training unless given, else fused.",
        ),
    ] = None,
    gpu: Annotated[
        str,
        typer.Option(
            rich_help_panel="Machine", autocompletion=completing.gpus,
            help="gtx-1080-ti, tesla-v100, a100-sxm-40gb, h100-sxm.",
        ),
    ] = "gtx-1080-ti",
    format: Annotated[PrintFormat, typer.Option(rich_help_panel=OUTPUT, help="Of the result.")] = PrintFormat.TABLE,
    plot: Annotated[
        Path | None,
        typer.Option(rich_help_panel=OUTPUT, help="A figure of live memory over time (.pdf, .png, .svg)."),
    ] = None,
) -> None:
    """Show what a workload computes, stores and moves, per layer and in total."""
    from dse.cli.workload_show import ShowRequest, StepRequest, show

    step = StepRequest(precision=precision, optimizer=optimizer, recompute=recompute, microbatches=microbatches,
                       attention=attention)
    show(ShowRequest(name=name, phase=phase, batch=batch, profile=profile, capacity=capacity, context=context,
                     gpu=gpu, step=step), format.value, plot)


@workloads.command("lifetimes")
def workload_lifetimes(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", autocompletion=completing.workloads,
            help="A workload, or a file as in dse workload show.",
        ),
    ],
    level: Annotated[str, typer.Option(help="l2 of a GPU, memory of a GPU, buffer of a systolic array.")] = "l2",
    phase: Phase = None,
    batch: BatchSize = None,
    context: Annotated[int | None, typer.Option(help="Tokens of a transformer's prompt or cache.")] = None,
    precision: Annotated[str | None, typer.Option(rich_help_panel="Step", help="As in dse workload show.")] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(rich_help_panel="Step", help="Of training: sgd, momentum, adam."),
    ] = None,
    recompute: Annotated[str, typer.Option(rich_help_panel="Step", help="As in dse workload show.")] = "none",
    gpu: Annotated[
        str,
        typer.Option(
            rich_help_panel="Machine", autocompletion=completing.gpus,
            help="gtx-1080-ti, tesla-v100, a100-sxm-40gb, h100-sxm.",
        ),
    ] = "gtx-1080-ti",
    array: Annotated[str, typer.Option(rich_help_panel="Machine", help="tpu-v1, tpu-v3, scratchpad-32.")] = "tpu-v3",
    capacity: Annotated[
        str | None,
        typer.Option(rich_help_panel="Machine", help="Of the L2 cache; the GPU's own unless given."),
    ] = None,
    format: Annotated[PrintFormat, typer.Option(rich_help_panel=OUTPUT, help="Of the result.")] = PrintFormat.TABLE,
    plot: Annotated[Path | None, typer.Option(rich_help_panel=OUTPUT, help="A histogram (.pdf, .png, .svg).")] = None,
) -> None:
    """Show how long data lives, from its write to its last read, per tensor class on a level of memory."""
    from dse.cli.lifetimes import LifetimesRequest, lifetimes
    from dse.cli.workload_show import StepRequest

    step = StepRequest(precision=precision, optimizer=optimizer, recompute=recompute)
    lifetimes(LifetimesRequest(name=name, level=level, phase=phase, batch=batch, context=context, gpu=gpu, array=array,
                               capacity=capacity, step=step), format.value, plot)


@workloads.command("import")
def workload_import(
    file: Annotated[
        Path, typer.Argument(metavar="MODEL", help="An .onnx file or a config.json; weights are not needed.")
    ],
    output: Annotated[Path | None, typer.Option(help="A .csv or .json file; MODEL.csv unless given.")] = None,
) -> None:
    """Write the network of an ONNX file or a model configuration as a layer table."""
    from dse.cli.workload import import_network

    import_network(file, output)
