"""``dse examples``: lists examples, or writes the files of one."""

import shlex
from pathlib import Path

from rich.table import Table

from dse.cli.console import make_console
from dse.examples import examples, find_example
from dse.text import shown


def show_all() -> None:
    """Print the name of every example, what it is, and its files."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, example in examples().items():
        table.add_row(name, example.help, ", ".join(example.contents()))
    make_console().print(table)
    print("\ndse examples NAME writes the files of one.")


def write(name: str, folder: Path) -> None:
    """Write the files of an example, and print what to try with them."""
    example = find_example(name)
    for path in example.write(folder):
        print(f"wrote {shown(path)}")
    print("try:")
    if folder != Path():
        print(f"  cd {shlex.quote(shown(folder))}")
    for command in example.commands:
        print(f"  {command}")
