"""Options and arguments that several commands have."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dse.cli import completing
from dse.question import FRONT_N_TRIALS, N_TRIALS
from dse.search.searchers import METHODS


class PrintFormat(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


class FileFormat(StrEnum):
    """How results are printed or written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    MARKDOWN = "markdown"
    XLSX = "xlsx"


Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="Refuse what NVSim understands in cells and configurations though its samples differ."
    ),
]
ConfigurationFile = Annotated[Path, typer.Argument(metavar="CONFIG.cfg", help="NVSim configuration.")]
ProblemFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="PROBLEM.toml", help="Problem file; options on the command line take the place of what it says."
    ),
]
ProblemName = Annotated[
    str | None,
    typer.Option("--problem", metavar="NAME", autocompletion=completing.families,
                 help="Family of problems (see dse problem list); cache if not given."),
]
Constraints = Annotated[
    list[str] | None,
    typer.Option(
        "--constraint", autocompletion=completing.constraints,
        help="Such as area<=1.2mm2 or read_latency<=1.1x best (of what is possible); may be repeated."
    ),
]
SEARCHING = "Search"
MethodName = Annotated[
    str | None,
    typer.Option(
        "--method", rich_help_panel=SEARCHING, autocompletion=completing.methods,
        help=f"exact, a baseline of the family, or a searcher: {', '.join(METHODS)}; exact if not given.",
    ),
]
Trials = Annotated[
    int | None,
    typer.Option(
        "--n-trials", rich_help_panel=SEARCHING,
        help=f"Of a searcher: distinct legal designs to evaluate; {N_TRIALS}, of a front {FRONT_N_TRIALS}.",
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", rich_help_panel=SEARCHING, help="Of a searcher: seconds after which it ends."),
]
Seed = Annotated[int | None, typer.Option("--seed", rich_help_panel=SEARCHING, help="Of a searcher; 0 if not given.")]
StorageUrl = Annotated[
    str | None,
    typer.Option(
        "--storage", rich_help_panel=SEARCHING,
        help="Keep the search as an Optuna study: sqlite:///FILE.db, journal:///FILE.log, or for several processes "
        "the address of a database, postgresql+psycopg://; OPTUNA_STORAGE if not given.",
    ),
]
StudyName = Annotated[
    str | None,
    typer.Option(
        "--study-name", rich_help_panel=SEARCHING, help="Made of problem, objective, method and seed if not given."
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", rich_help_panel=SEARCHING, help="Go on with the study, if there is one.")
]
Certificate = Annotated[
    bool | None,
    typer.Option(
        "--certificate/--no-certificate", rich_help_panel=SEARCHING,
        help="Compare a searcher's answer with the exact one; by itself where that takes less than a minute.",
    ),
]
OUTPUT = "Output"
FIND, GIVEN, MANY, SHOW, NVSIM = (
    "Find designs", "What there is to choose from", "Run much", "Show and check what was found",
    "NVSim's files, measured and published data",
)
"""Groups of commands, in the order in which a newcomer needs them."""
JOBS_HELP = "Processes; 0 for one per core."
Jobs = Annotated[int, typer.Option("--jobs", help=JOBS_HELP)]
SearchJobs = Annotated[int, typer.Option("--jobs", rich_help_panel=SEARCHING, help=JOBS_HELP)]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", expose_value=False,
        help="Neither progress nor remarks on standard error, only errors.",
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", expose_value=False,
        help="Say on standard error what is done, and how long it takes.",
    ),
]
Phase = Annotated[
    str | None, typer.Option("--phase", help="inference or training; of a transformer prefill or decode.")
]
BatchSize = Annotated[int | None, typer.Option("--batch", help="Images or sequences; DeepNVM++'s unless given.")]
ListFormat = Annotated[PrintFormat, typer.Option("--format", rich_help_panel=OUTPUT, help="Of the list.")]
