"""``dse nvsim``: NVSim's own search."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.cli.configuration import load_problem
from dse.cli.render import print_nvsim
from dse.errors import InfeasibleError, InputError
from dse.objectives.array.evaluation.blocks import ArrayDesigns
from dse.objectives.array.evaluation.library import MatLibraries, enumerate_problem
from dse.objectives.cache.baselines.algorithm1 import caches_by_target
from dse.objectives.cache.baselines.nvsim import CacheSearch, search_cache
from dse.objectives.cache.infeasible import why_infeasible
from dse.objectives.cache.nvsim_files.configuration import EXPLORATION, TARGETS, Configuration
from dse.objectives.cache.nvsim_files.design_table import DESIGN_COLUMNS, evaluate_table
from dse.objectives.cache.specification import ArrayProblem, CacheProblem
from dse.progress import report
from dse.writing import check_writable, write_parts, write_text

if TYPE_CHECKING:
    import pandas as pd

EXPLORED_SUFFIXES = (".parquet", ".csv", ".csv.gz")


def run(config: Path, output: Path | None) -> None:
    """Search as a configuration asks; print a summary, write JSON or, for Exploration, every design."""
    check_writable(output)
    configuration, problem = load_problem(config)
    if configuration.target == EXPLORATION:
        _explore(configuration, problem, output)
        return
    searched = search_cache(problem, dict(configuration.constraints))
    _require_winners(configuration, problem, searched)
    if output is not None:
        write_text(output, json.dumps(to_json(configuration, problem, searched), indent=2, allow_nan=False) + "\n")
    print_nvsim(configuration, problem, searched)


def _require_winners(configuration: Configuration, problem: CacheProblem, searched: CacheSearch) -> None:
    """Raise InfeasibleError where an array has no valid design, or none within the constraints."""
    arrays = [searched.data] if searched.tag is None else [searched.tag, searched.data]
    if any(array.valid == 0 for array in arrays):
        raise InfeasibleError(f"{configuration.path}: {why_infeasible([problem])}")
    if not searched.data.winners:
        slacks = ", ".join(f"{target} {slack:g}" for target, slack in configuration.constraints)
        raise InfeasibleError(
            f"{configuration.path}: none of {searched.data.valid} valid data arrays is within the constraints "
            f"({slacks}), which are relative to winners with refined wires while this search uses basic wires"
        )


def to_json(configuration: Configuration, problem: CacheProblem, searched: CacheSearch) -> dict[str, Any]:
    """The result as specified for scripts: counts, and the winners of every target."""
    caches = dict(caches_by_target(problem, searched))
    designs: dict[str, Any] = {} if searched.tag is None else {"tag": {"valid": searched.tag.valid}}
    return {
        "target": configuration.target,
        "designs": designs | {"data": {"valid": searched.data.valid}},
        "best": {
            target: {
                "data": searched.data.winners[target].to_row(),
                "tag": None if searched.tag is None else searched.tag.winners[target].to_row(),
                "cache": None if searched.tag is None else cache_json(caches[target].metrics),
            }
            for target in TARGETS
        },
    }


def cache_json(metrics: dict[str, float]) -> dict[str, float]:
    """Figures of a cache under the names that NVSim's summary suggests."""
    return {
        "hit_latency": metrics["read_latency"],
        "miss_latency": metrics["miss_latency"],
        "write_latency": metrics["write_latency"],
        "hit_energy": metrics["read_energy"],
        "miss_energy": metrics["miss_energy"],
        "write_energy": metrics["write_energy"],
        "leakage": metrics["leakage"],
        "area": metrics["area"],
    }




def _explore(configuration: Configuration, problem: CacheProblem, output: Path | None) -> None:
    """Write every valid design with basic wires."""
    if output is None or not output.name.endswith(EXPLORED_SUFFIXES):
        names = ', '.join(EXPLORED_SUFFIXES)
        raise InputError(f"Exploration needs --output with a name in {names}", file=configuration.path)
    parts = [(array, block) for array in problem.arrays.values() for block in _valid_codes(array)]
    if not parts:
        raise InfeasibleError(f"{configuration.path}: {why_infeasible([problem])}")
    tables = (_table(problem, array, codes) for array, codes in report(parts, len(parts), "blocks of designs"))
    rows = write_parts(tables, output)
    print(f"{rows} valid designs of {' and '.join(problem.arrays)} array written to {output}")


def _valid_codes(array: ArrayProblem) -> list[np.ndarray]:
    """Numbers of the valid designs of an array, block by block."""
    wire = array.fabric.wire(array.basic_global)
    designs = ArrayDesigns(array, array.basic_local, wire, MatLibraries())
    codes = [block.code(*np.nonzero(block.bank.legal)) for block in designs.blocks()]
    joined = np.sort(np.concatenate(codes)) if codes else np.zeros(0, np.int64)
    return [part for part in np.array_split(joined, max(1, len(joined) // 50_000)) if len(part)]


def _table(problem: CacheProblem, array: ArrayProblem, codes: np.ndarray) -> "pd.DataFrame":
    """Full rows of the designs of given numbers, in NVSim's loop order."""
    import pandas as pd

    from dse.spaces.array.organization import BUFFER_DESIGNS

    banks, mats = enumerate_problem(array).designs(codes)
    columns: dict[str, Any] = {"memory_type": array.spec.memory_type, **banks.to_columns(), **mats.to_columns()}
    columns["buffer_design"] = np.array(BUFFER_DESIGNS)[mats.buffer_design]
    for side, wire in (("local", array.basic_local), ("global", array.basic_global)):
        columns |= {
            f"{side}_wire_type": wire.type, f"{side}_repeater": wire.repeater,
            f"{side}_low_swing": "Yes" if wire.low_swing else "No",
        }
    table = pd.DataFrame(columns)[list(DESIGN_COLUMNS)]
    return evaluate_table(problem, table, Path())

