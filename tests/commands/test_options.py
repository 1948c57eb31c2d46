"""Words that an option may be: the same on the command line, in files and from Python."""

from dataclasses import fields

import pytest
from typer.testing import CliRunner

import dse
from dse.cli.app import app
from dse.errors import InputError
from dse.registry import family_names, load_family

CHOOSING = [
    (family, one.name, one.metadata["choices"])
    for family in family_names() for one in fields(load_family(family).options) if one.metadata.get("choices")
]


def test_options_with_choices_are_found() -> None:
    assert {"cache", "scratchpad", "tiers"} <= {family for family, _, _ in CHOOSING}


@pytest.mark.parametrize(("family", "name", "choices"), CHOOSING)
def test_python_refuses_other_words(family: str, name: str, choices: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        dse.make_problem(family, **{name: "xyz"})
    assert str(caught.value) == f"--{name.replace('_', '-')} 'xyz' is not known: known are {', '.join(choices)}"


@pytest.mark.parametrize(("family", "name", "choices"), CHOOSING)
def test_the_command_line_refuses_other_words(family: str, name: str, choices: tuple[str, ...]) -> None:
    option = f"--{name.replace('_', '-')}"
    done = CliRunner().invoke(app, ["optimize", "--problem", family, option, "xyz"])
    assert done.exit_code == 2
    assert option in done.output
    assert all(choice in done.output for choice in choices)
