"""``dse workload list|import`` and ``dse import-profile``."""

from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from dse.cli.console import make_console
from dse.cli.destination import TABLE
from dse.cli.listing import Section, print_sections
from dse.errors import InputError
from dse.objectives.gpu.profiler import (
    RUN_SUFFIX,
    ProfiledRun,
    profiled_workload,
    read_profile,
    write_run,
)
from dse.objectives.gpu.profiles import profiles
from dse.objectives.gpu.traffic import (
    Model,
    default_batch,
    default_phase,
    load_model,
    workload_names,
    workload_of,
)
from dse.objectives.network.catalog import read_own
from dse.objectives.network.importers.layer_table import write_network
from dse.objectives.network.importers.onnx import SUFFIX as ONNX_SUFFIX
from dse.objectives.network.importers.onnx import read_onnx
from dse.objectives.network.layers import Network
from dse.text import shown
from dse.units import parse_capacity
from dse.writing import write_text


def show_all(form: str) -> None:
    """Print the workloads that come with the package, and the traffic profiles."""
    if form != TABLE:
        models = {name: load_model(name) for name in workload_names()}
        print_sections([
            Section("workloads", ("name", "parameters", "macs", "per", "about"), [
                {"name": name, "parameters": model.parameters, "macs": model.macs, "per": _unit(model),
                 "about": model.title} for name, model in models.items()
            ]),
            Section("traffic_profiles", ("name", "about"), [
                {"name": profile.name, "about": profile.title} for profile in profiles().values()
            ]),
        ], form)
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("workload", "parameters", "MACs", "what it is"):
        table.add_column(column, justify="left" if column in ("workload", "what it is") else "right")
    for name in workload_names():
        model = load_model(name)
        macs = f"{model.macs / 1e6:,.1f} M per {_unit(model)}"
        table.add_row(name, f"{model.parameters / 1e6:,.3f} M", macs, model.title)
    console = make_console()
    console.print(table)
    console.print("\nTraffic profiles, how layers become kernels (--profile):")
    for profile in profiles().values():
        console.print(f"  {profile.name:<18}{profile.title}", markup=False, highlight=False)
    console.print("\nLayer tables of your own (.csv, .json), model configurations (config.json), ONNX files (.onnx) "
                  "and profiled counts (.counts.json) go in place of a name.")


def _unit(model: Model) -> str:
    """What the operations of a model are counted for."""
    return "sample" if isinstance(model, Network) else "token"


def import_network(file: Path, output: Path | None) -> None:
    """Write the network of an ONNX file or model configuration as a layer table, and print its size.

    The table is named like the file unless told.
    """
    if file.suffix not in (ONNX_SUFFIX, ".json"):
        raise InputError(f"{shown(file)}: give a file that ends in {ONNX_SUFFIX}, or a config.json")
    network = read_onnx(file) if file.suffix == ONNX_SUFFIX else read_own(file)
    table = output or Path(f"{network.name}.csv")
    write_network(network, table)
    console = make_console()
    console.print(f"{network.name}: {len(network.layers)} layers, {network.parameters / 1e6:,.3f} M parameters, "
                  f"{network.macs / 1e6:,.1f} M MACs per sample", markup=False, highlight=False)
    console.print(f"written to {table}; give it as a workload", markup=False, highlight=False)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """The options of ``dse import-profile`` as given."""

    file: Path
    workload: str
    phase: str | None
    batch: int | None
    gpu: str
    capacity: str
    output: Path | None


def import_profile(request: ImportRequest) -> None:
    """Sum a profile, print it beside the model, and write it as counts."""
    model = load_model(request.workload)
    phase = request.phase or default_phase(model)
    batch = request.batch or default_batch(phase)
    counts = read_profile(request.file)
    run = ProfiledRun(request.workload, phase, batch, request.gpu, parse_capacity(request.capacity), counts)
    output = request.output or Path(f"{Path(request.workload).stem}-{phase}-{batch}{RUN_SUFFIX}")
    if not output.name.endswith(RUN_SUFFIX):
        raise InputError(f"--output {output}: give a name that ends in {RUN_SUFFIX}")
    modelled = workload_of(model, phase, batch)
    profiled = profiled_workload(run)
    write_text(output, write_run(run))
    console = make_console()
    table = Table(title=f"{run.workload}, {phase}, batch {batch}: transactions of 32 B")
    for column in ("", f"profiled: {counts.tool}, {counts.kernels} kernels", "modelled", "modelled / profiled"):
        table.add_column(column, justify="right" if column else "left")
    pairs = {
        "L2 reads": (profiled.reads, modelled.reads), "L2 writes": (profiled.writes, modelled.writes),
        "DRAM": (profiled.dram.transactions(run.capacity), modelled.dram.transactions(run.capacity)),
    }
    for name, (found, expected) in pairs.items():
        table.add_row(name, f"{found:,.0f}", f"{expected:,.0f}", f"{expected / found:.3f}" if found else "")
    table.add_row("write share", f"{profiled.write_share:.4f}", f"{modelled.write_share:.4f}", "")
    console.print(table)
    for warning in counts.warnings:
        console.print(f"note: {warning}", markup=False, highlight=False)
    console.print(f"written to {output}; give it as a workload", markup=False, highlight=False)
