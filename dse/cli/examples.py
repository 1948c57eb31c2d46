"""``dse examples``: lists examples, or writes files of some."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from dse.cli.console import make_console
from dse.cli.destination import TABLE
from dse.cli.listing import print_list
from dse.examples import examples, find_example, write_examples
from dse.text import shown


def show_all(form: str) -> None:
    """Print the name of every example, what it is, and its files."""
    if form != TABLE:
        print_list(("example", "about", "files"), [
            {"example": name, "about": one.help, "files": " ".join(one.contents())} for name, one in examples().items()
        ], form)
        return
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, example in examples().items():
        table.add_row(name, example.help, ", ".join(example.contents()))
    make_console().print(table)
    print("\ndse examples NAME writes its files.")


def write(names: Sequence[str], folder: Path) -> None:
    """Write the files of examples, and print what to try with them."""
    chosen = [find_example(name) for name in names]
    for path in write_examples(chosen, folder):
        print(f"wrote {shown(path)}")
    print("try:")
    if folder != Path():
        print(f"  cd {shlex.quote(shown(folder))}")
    for example in chosen:
        for command in example.commands:
            print(f"  {command}")
