"""The program as a tree of commands: each of them takes the options of the program itself, too."""

from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from dse.cli.app import app
from dse.cli.parameters import FIND, GIVEN, MANY, NVSIM, SHOW

EVERYWHERE = ("quiet", "verbose")
"""Options of the program that every command shows; what they mean is taken from the command line before it is parsed
(dse.cli.verbosity), so that they may stand anywhere."""


def program() -> Any:
    """The command line's commands, made anew."""
    root: Any = get_command(app)
    groups = (FIND, GIVEN, SHOW, MANY, NVSIM)
    root.commands = dict(sorted(root.commands.items(), key=lambda one: groups.index(one[1].rich_help_panel)))
    _add(root, [parameter for parameter in root.params if parameter.name in EVERYWHERE])
    return root


def _add(group: Any, options: list[Any]) -> None:
    """Give options to all commands of a group."""
    for command in group.commands.values():
        if isinstance(command, TyperGroup):
            _add(command, options)
        command.params = [*command.params, *options]
