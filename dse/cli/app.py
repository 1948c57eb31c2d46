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


class FileFormat(StrEnum):
    """How results are printed or written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


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
Capacities = Annotated[str, typer.Option("--capacity", help="Comma-separated: 512KB,3MB; ranges as 1MB..16MB.")]
AccessTypes = Annotated[str, typer.Option("--access", help="Access types to choose from.")]
TechnologyName = Annotated[
    str, typer.Option("--technology", help="16nm-deepnvmpp, 16nm, 22nm, 32nm-lstp (-hp, -lop), or a file.")
]
Temperature = Annotated[int, typer.Option("--temperature", help="Kelvin, 300 to 400.")]
Line = Annotated[int, typer.Option("--line", help="Cache line, in bytes.")]
Ways = Annotated[int, typer.Option("--ways", help="Associativity.")]
OpenWires = Annotated[
    Wires, typer.Option("--wires", help="Wires of the data array: NVSim's basic ones, or all of them jointly.")
]
Constraints = Annotated[
    list[str] | None,
    typer.Option(
        "--constraint", help="Such as area<=1.2mm2 or read_latency<=1.1x best (of what is possible); may be repeated."
    ),
]
ReadFraction = Annotated[float, typer.Option("--read-fraction", help="Share of reads in EDAP and the like.")]
FromConfiguration = Annotated[
    Path | None,
    typer.Option(
        "--config", help="Take technology, cell, capacity, access and ranges from an NVSim configuration."
    ),
]
MethodName = Annotated[
    str,
    typer.Option(
        "--method",
        help="exact, algorithm1, or a searcher: exhaustive, random, local, surrogate, tpe, optuna-nsga2, "
        "optuna-nsga3, cmaes, gp, nsga2, nsga3 (the latter two pymoo's).",
    ),
]
Trials = Annotated[int, typer.Option("--n-trials", help="Of a searcher: distinct legal designs to evaluate.")]
Timeout = Annotated[float | None, typer.Option("--timeout", help="Of a searcher: seconds after which it ends.")]
Seed = Annotated[int, typer.Option("--seed", help="Of a searcher.")]
StorageUrl = Annotated[
    str | None,
    typer.Option(
        "--storage",
        help="Keep the search as an Optuna study: sqlite:///FILE.db, journal:///FILE.log, or a database's URL; "
        "OPTUNA_STORAGE if not given.",
    ),
]
StudyName = Annotated[
    str | None, typer.Option("--study-name", help="<problem>-<objective>-<method>-s<seed> if not given.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the study, if there is one.")]
Certificate = Annotated[
    bool | None,
    typer.Option(
        "--certificate/--no-certificate",
        help="Compare a searcher's answer with the exact one; by itself where that takes less than a minute.",
    ),
]
ProblemName = Annotated[
    str, typer.Option("--problem", help="Of a searcher: organization, or algorithm1 (targets of NVSim's search).")
]
Joint = Annotated[
    bool, typer.Option("--joint", help="Choose among all memories and capacities: one search, one answer.")
]
Jobs = Annotated[int, typer.Option("--jobs", help="Processes; 0 for one per core.")]
ALL_ACCESS = "normal,fast,sequential"


Phase = Annotated[
    str | None, typer.Option("--phase", help="inference or training; of a transformer prefill or decode.")
]
BatchSize = Annotated[int | None, typer.Option("--batch", help="Images or sequences; DeepNVM++'s unless given.")]
WorkloadNames = Annotated[
    str | None,
    typer.Option("--workload", help="Comma-separated, for workload_edp, workload_energy, workload_latency."),
]
Profile = Annotated[str, typer.Option("--profile", help="How layers become kernels (see dse workload list).")]
TimeModel = Annotated[
    str, typer.Option("--time-model", help="Of workloads: serial (whole cycles), serial-unrounded, roofline.")
]
DramCost = Annotated[str, typer.Option("--dram", help="Of workloads: fitted, eyeriss-ratio, gddr5x-15pJ.")]
Combine = Annotated[str, typer.Option("--combine", help="Several workloads: geometric-mean, worst-case.")]


@app.command()
def optimize(
    objective: Annotated[
        str,
        typer.Option(
            help="edap, edap_leakage, edp, a metric, a formula such as read_energy*area, or capacity (the largest)."
        ),
    ] = "edap",
    memory: Memories = "sram,stt,sot",
    capacity: Capacities = "3MB",
    access: AccessTypes = ALL_ACCESS,
    technology: TechnologyName = "16nm-deepnvmpp",
    temperature: Temperature = 350,
    line: Line = 64,
    ways: Ways = 16,
    wires: OpenWires = Wires.BASIC,
    method: MethodName = "exact",
    constraint: Constraints = None,
    read_fraction: ReadFraction = 0.5,
    config: FromConfiguration = None,
    n_trials: Trials = 500,
    timeout: Timeout = None,
    seed: Seed = 0,
    storage: StorageUrl = None,
    study_name: StudyName = None,
    resume: Resume = False,
    problem: ProblemName = "organization",
    joint: Joint = False,
    certificate: Certificate = None,
    workload: WorkloadNames = None,
    phase: Phase = None,
    batch: BatchSize = None,
    profile: Profile = "implicit-128x128",
    time_model: TimeModel = "serial",
    dram: DramCost = "fitted",
    combine: Combine = "geometric-mean",
    jobs: Jobs = 0,
    output: Annotated[
        Path | None, typer.Option(help="A .json, .csv or .parquet file; or a folder for all of the run (dse verify).")
    ] = None,
    format: Annotated[
        FileFormat | None, typer.Option(help="Of the result; by the name of --output, else a table.")
    ] = None,
) -> None:
    """Find the cache that minimizes an objective, with proof, and Algorithm 1's answer beside it."""
    from dse.cli.optimize import run
    from dse.cli.request import CacheRequest
    from dse.cli.searching import SearchOptions
    from dse.cli.tasks import Request
    from dse.cli.workload import WorkloadRequest

    caches = CacheRequest(
        memory, capacity, access, technology, temperature, line, ways, wires.value, config
    )
    search = SearchOptions(method, n_trials, seed, timeout, storage, study_name, resume, certificate, problem)
    asked = None if workload is None else WorkloadRequest(workload, phase, batch, profile, time_model, dram, combine)
    request = Request(caches, objective, tuple(constraint or ()), read_fraction, search, joint, workload=asked)
    run(request, jobs, output, None if format is None else format.value)


@app.command()
def pareto(
    objectives: Annotated[
        str, typer.Option(help="Two or more metrics or formulas to minimize, comma-separated.")
    ] = "read_latency,read_energy,area",
    memory: Memories = "sram,stt,sot",
    capacity: Capacities = "3MB",
    access: AccessTypes = ALL_ACCESS,
    technology: TechnologyName = "16nm-deepnvmpp",
    temperature: Temperature = 350,
    line: Line = 64,
    ways: Ways = 16,
    wires: OpenWires = Wires.BASIC,
    constraint: Constraints = None,
    read_fraction: ReadFraction = 0.5,
    config: FromConfiguration = None,
    method: MethodName = "exact",
    n_trials: Trials = 2000,
    timeout: Timeout = None,
    seed: Seed = 0,
    storage: StorageUrl = None,
    study_name: StudyName = None,
    resume: Resume = False,
    certificate: Certificate = None,
    jobs: Jobs = 0,
    output: Annotated[
        Path | None,
        typer.Option(help="Front as .csv (.gz allowed), .parquet or .json; or a folder for all of the run."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Figure of the front: .png, .pdf or .svg.")] = None,
) -> None:
    """Find the Pareto front of each memory and capacity, over all access types: exact, or by a searcher."""
    from dse.cli.pareto import run
    from dse.cli.request import CacheRequest
    from dse.cli.searching import SearchOptions
    from dse.cli.tasks import Request

    caches = CacheRequest(
        memory, capacity, access, technology, temperature, line, ways, wires.value, config
    )
    search = SearchOptions(method, n_trials, seed, timeout, storage, study_name, resume, certificate)
    request = Request(caches, objectives, tuple(constraint or ()), read_fraction, search, several=True)
    run(request, jobs, output, plot)


@app.command()
def explain(
    design: Annotated[
        Path | None,
        typer.Option(help="CSV of caches as dse pareto writes it: columns data_bank_rows, ..., tag_bank_rows, ..."),
    ] = None,
    row: Annotated[int, typer.Option(help="Which row of the CSV, from 1.")] = 1,
    set_: Annotated[
        str | None,
        typer.Option("--set", help="Changes, such as data_bank_rows=8,access=fast; to the optimum without a CSV."),
    ] = None,
    objective: Annotated[str, typer.Option(help="Whose optimum is changed.")] = "edap",
    memory: Memories = "sot",
    capacity: Capacities = "3MB",
    access: AccessTypes = ALL_ACCESS,
    technology: TechnologyName = "16nm-deepnvmpp",
    temperature: Temperature = 350,
    line: Line = 64,
    ways: Ways = 16,
    wires: OpenWires = Wires.BASIC,
    config: FromConfiguration = None,
) -> None:
    """Say why a design is illegal, and which legal one is nearest."""
    from dse.cli.explain import run
    from dse.cli.request import DEFAULTS, CacheRequest

    # where a configuration names the cell, this command's own default is no contradiction
    memories = str(DEFAULTS["memories"]) if config is not None and memory == "sot" else memory
    caches = CacheRequest(
        memories, capacity, access, technology, temperature, line, ways, wires.value, config
    )
    run(caches, design, row, set_ or "", objective)


@app.command()
def why(
    objective: Annotated[str, typer.Option(help="edap, edap_leakage, edp, a metric, or a formula.")] = "edap",
    memory: Memories = "sram,stt,sot",
    capacity: Capacities = "3MB",
    access: AccessTypes = ALL_ACCESS,
    technology: TechnologyName = "16nm-deepnvmpp",
    temperature: Temperature = 350,
    line: Line = 64,
    ways: Ways = 16,
    wires: OpenWires = Wires.BASIC,
    read_fraction: ReadFraction = 0.5,
    config: FromConfiguration = None,
    target: Annotated[
        str, typer.Option(help="Start from NVSim's winner of this target; ReadLatency is NVSim's own default.")
    ] = "ReadLatency",
    within: Annotated[
        str, typer.Option(help="Share of the optimum up to which caches are compared, such as 1%.")
    ] = "1%",
    jobs: Jobs = 0,
    format: Annotated[Format, typer.Option(help="Of the result.")] = Format.TABLE,
) -> None:
    """Say why the optimum wins: what each decision contributes, and what near-optimal caches agree on."""
    from dse.cli.request import CacheRequest
    from dse.cli.why import run

    caches = CacheRequest(
        memory, capacity, access, technology, temperature, line, ways, wires.value, config
    )
    run(caches, objective, read_fraction, target, within, jobs, format.value)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that dse optimize or dse pareto wrote.")],
) -> None:
    """Recompute every number of a stored run and compare."""
    from dse.cli.verify import run

    run(folder)


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


workloads = typer.Typer(help="What neural networks ask of the memories.", no_args_is_help=True)
app.add_typer(workloads, name="workload")



@workloads.command("list")
def workload_list() -> None:
    """List the workloads that come with the package, and the traffic profiles."""
    from dse.cli.workload import show_all

    show_all()


@workloads.command("show")
def workload_show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A workload, a layer table (.csv, .json), an .onnx file or counts (.counts.json)."
        ),
    ],
    phase: Phase = None,
    batch: BatchSize = None,
    profile: Annotated[
        str, typer.Option(help="How layers become kernels (see dse workload list).")
    ] = "implicit-128x128",
    capacity: Annotated[str, typer.Option(help="L2 cache for which DRAM traffic is shown.")] = "3MB",
    context: Annotated[int | None, typer.Option(help="Tokens of a transformer's prompt or cache.")] = None,
    precision: Annotated[
        str | None, typer.Option(help="fp32, bf16, fp16, bf16-fp32-gradients, bf16-pure, fp8, int8.")
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="Of training: sgd, momentum, adam.")] = None,
    recompute: Annotated[
        str, typer.Option(help="What training computes again: none, cheap, selective, full, every-K.")
    ] = "none",
    microbatches: Annotated[int, typer.Option(help="Equal parts of a batch that pass one after the other.")] = 1,
    attention: Annotated[
        str | None, typer.Option(help="Scores stored or fused; stored in training unless given, else fused.")
    ] = None,
    gpu: Annotated[
        str, typer.Option(help="gtx-1080-ti, tesla-v100, a100-sxm-40gb, h100-sxm.")
    ] = "gtx-1080-ti",
    format: Annotated[Format, typer.Option(help="Of the result.")] = Format.TABLE,
    plot: Annotated[Path | None, typer.Option(help="A figure of live memory over time (.pdf, .png, .svg).")] = None,
) -> None:
    """Show what a workload computes, stores and moves, per layer and in total."""
    from dse.cli.workload_show import ShowRequest, StepRequest, show

    step = StepRequest(precision=precision, optimizer=optimizer, recompute=recompute, microbatches=microbatches,
                       attention=attention)
    show(ShowRequest(name=name, phase=phase, batch=batch, profile=profile, capacity=capacity, context=context,
                     gpu=gpu, step=step), format.value, plot)


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


@app.command("import-profile")
def import_profile(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV of Nsight Compute or nvprof.")],
    workload: Annotated[str, typer.Option(help="The workload that was profiled, or its layer table.")],
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


@app.command()
def calibrate(
    table: Annotated[Path, typer.Argument(metavar="TABLE.csv", help="memory, capacity, quantity, value, role.")],
    setting: Annotated[
        Path, typer.Argument(metavar="SETTING.toml", help="Technology, cells, and free parameters with ranges.")
    ],
    hold_out: Annotated[
        list[str] | None, typer.Option(help="Figures not to fit, such as stt:7MB or sot:*; may be repeated.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the calibrated technology, its cells, and tables of the result.")
    ] = None,
    label: Annotated[str, typer.Option(help="Name of the calibrated technology and cells.")] = "calibrated",
    seed: Annotated[int, typer.Option(help="Of the places where fits start.")] = 0,
    rounds: Annotated[int, typer.Option(help="Times that fit and exact search alternate at most.")] = 6,
    jobs: Jobs = 0,
) -> None:
    """Find the parameters of technology and cells that reproduce measured or published figures."""
    from dse.cli.calibrate import run

    run(table, setting, hold_out or [], output, label, seed, rounds, jobs)
