"""``dse evaluate``: figures of given designs."""

from pathlib import Path

from dse.cli.configuration import load_problem
from dse.report.tables import check_writable, evaluate_table, read_designs, write_csv


def run(config: Path, designs: Path, output: Path) -> None:
    """Evaluate the designs in a CSV file under a configuration and write them with their figures."""
    check_writable(output)
    _, problem = load_problem(config)
    table = read_designs(designs)
    write_csv(evaluate_table(problem, table, designs), output)
