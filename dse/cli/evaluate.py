"""``dse evaluate``: figures of given designs."""

from pathlib import Path

from dse.cli.configuration import load_spec
from dse.objectives.array.hierarchy.array import METRIC_UNITS
from dse.objectives.cache.nvsim_files.design_table import evaluate_table, read_designs
from dse.writing import check_form, check_writable, form_of, write_table


def run(config: Path, designs: Path, output: Path, *, strict: bool) -> None:
    """Evaluate the designs in a CSV file under a configuration and write them with their figures."""
    check_form(form_of(output))
    check_writable(output)
    _, spec = load_spec(config, strict=strict)
    table = read_designs(designs)
    write_table(evaluate_table(spec, table, designs), output, METRIC_UNITS)
