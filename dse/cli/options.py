"""Options of commands that ask about a family: its own are made from the fields of its options."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperCommand
from typer.main import get_command

from dse.cli.completing import completer
from dse.cli.tasks import listed
from dse.errors import DseError, InputError
from dse.notice import notice
from dse.problem import Family
from dse.problem_file import SUFFIX, read_question
from dse.question import Question, option_types
from dse.registry import DEFAULT_FAMILY, load_family
from dse.search.storage_url import has_password, masked

SEARCH = ("method", "n_trials", "seed", "timeout", "storage", "study_name", "resume", "certificate")
"""Options that say how to search, where a command has them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of a family: the question in a problem file if there is one, and given options."""

    question: Question
    options: Mapping[str, Any]


class FamilyCommand(TyperCommand):
    """A command whose options include those of the family that is asked about, which is loaded only then."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Add the family's options, parse, and leave what was given of them in the context."""
        question = _question_asked(args) if ctx.resilient_parsing else _question_named(args)
        family = load_family(question.family)
        own = family_parameters(family)
        clash = {parameter.name for parameter in own} & {parameter.name for parameter in self.params}
        if clash:
            names = ", ".join(sorted(clash))
            raise InputError(f"family {family.name} has options that are the command's own: {names}")
        self.params = _in_order(self.params, own)
        rest = super().parse_args(ctx, list(args))
        values = {parameter.name: ctx.params.pop(parameter.name) for parameter in own}
        given = {
            name: value for name, value in values.items()
            if getattr(ctx.get_parameter_source(str(name)), "name", "") == "COMMANDLINE"
        }
        if ctx.params.get("file") is not None and _file_named(args) is None and not ctx.resilient_parsing:
            raise InputError(f"{ctx.params['file']}: give the problem file first, before options")
        ctx.obj = Asked(question, {**question.options, **given})
        return rest


def _in_order(params: Sequence[Any], own: Sequence[Any]) -> list[Any]:
    """Parameters of a command with a family's own before those that stand in groups, as a newcomer needs them."""
    place = next((place for place, one in enumerate(params) if getattr(one, "rich_help_panel", None)), len(params))
    return [*params[:place], *own, *params[place:]]


def _question_asked(args: Sequence[str]) -> Question:
    """The question among arguments that are not complete yet, as far as it can be understood."""
    try:
        question = _question_named(args)
        question.load()
    except DseError:
        return Question(family=DEFAULT_FAMILY)
    return question


def _question_named(args: Sequence[str]) -> Question:
    """The question of the problem file among arguments, or an empty one of the family that they name."""
    file, name = _file_named(args), _value_of("--problem", args)
    if file is None:
        return Question(family=name or DEFAULT_FAMILY)
    question = read_question(Path(file))
    if name not in (None, question.family):
        raise InputError(f"--problem {name}: {file} asks about {question.family}")
    return question


def _file_named(args: Sequence[str]) -> str | None:
    """A problem file among arguments: one that ends so and follows no option."""
    for before, text in zip(("", *args), args, strict=False):
        if text.endswith(SUFFIX) and not text.startswith("-") and not before.startswith("-"):
            return text
    return None


def _value_of(option: str, args: Sequence[str]) -> str | None:
    """Value of an option among arguments, the last one where it is given several times."""
    found = None
    for place, text in enumerate(args):
        if text == option and place + 1 < len(args):
            found = args[place + 1]
        elif text.startswith(f"{option}="):
            found = text.partition("=")[2]
    return found


def family_parameters(family: Family) -> list[Any]:
    """Options made from the fields of a family's options: type, default, help, choices and group."""
    types = option_types(family.options)
    parameters = [_parameter(one, *types[one.name], family.name) for one in fields(family.options)]

    def command(**_: Any) -> None:
        """Take the options."""

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    app = typer.Typer(add_completion=False)
    app.command(add_help_option=False)(command)
    return list(get_command(app).params)


def _parameter(option: "Field[Any]", kind: type, optional: bool, family: str) -> inspect.Parameter:
    """One option as a parameter of a command."""
    choices, names = option.metadata.get("choices"), option.metadata.get("names")
    annotation: Any = Literal[tuple(choices)] if choices else kind
    name = f"--{option.name.replace('_', '-')}"
    default = option.default
    if default is MISSING:
        if option.default_factory is MISSING:
            raise TypeError(f"option {option.name} of family {family} has no default")
        default = option.default_factory()
    if kind is bool and default:
        name += f"/--no-{option.name.replace('_', '-')}"
    told = typer.Option(
        name, help=option.metadata.get("help", ""),
        rich_help_panel=option.metadata.get("group") or f"Options of {family}",
        autocompletion=None if names is None or choices else completer(names),
    )
    return inspect.Parameter(
        option.name, inspect.Parameter.KEYWORD_ONLY, default=default,
        annotation=Annotated[annotation | None if optional else annotation, told],
    )


def question_of(context: typer.Context) -> Question:
    """What a command asks: its problem file, if there is one, with what the command line says in its place."""
    asked: Asked = context.obj
    question, given = asked.question, context.params
    search = {name: given[name] for name in SEARCH if given.get(name) is not None}
    if not search.get("resume"):
        search.pop("resume", None)
    warn_of_password(search.get("storage"))
    objectives = question.objectives
    if given.get("objective"):
        objectives = (given["objective"],)
    elif given.get("objectives"):
        objectives = listed(given["objectives"], "--objectives")
    return replace(
        question, options=asked.options, objectives=objectives,
        constraints=tuple(given.get("constraint") or question.constraints),
        search=replace(question.search, **search),
    )


def warn_of_password(storage: str | None) -> None:
    """Say where a password is better kept than in a URL on the command line."""
    if storage is not None and has_password(storage):
        notice(
            f"--storage {masked(storage)}: ps shows a password on the command line to all users of this machine: "
            "leave it out and name a password file in PGPASSFILE, or give the URL as OPTUNA_STORAGE"
        )
