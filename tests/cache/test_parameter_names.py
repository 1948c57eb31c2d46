"""A memory that is named by a path, with dots in it, has parameters as any other."""

from pathlib import Path

import dse
from dse.examples import find_example, write_examples


def test_parameters_of_a_cell_file(tmp_path: Path) -> None:
    [cell] = write_examples([find_example("cell")], tmp_path)
    problem = dse.caches(str(cell), "16KB", ["edap"], technology="22nm", access="normal")
    name = f"{cell}.set_pulse"
    assert problem.parameters()[name] == 1e-8  # type: ignore[attr-defined]
    changed = problem.with_values({name: 3e-9})  # type: ignore[attr-defined]
    assert changed.parameters()[name] == 3e-9
    assert dse.optimize(changed).metrics["write_latency"] <= dse.optimize(problem).metrics["write_latency"]
