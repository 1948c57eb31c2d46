"""``dse problem list`` and ``dse problem show``: families of problems, and what may be said of them."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from dse.cli.console import make_console
from dse.cli.destination import TABLE
from dse.cli.listing import Section, print_list, print_sections
from dse.errors import DseError
from dse.problem import Problem
from dse.problem_file import SUFFIX, read_question
from dse.question import Question
from dse.registry import family_names, load_family
from dse.spaces.space import Axis
from dse.units import format_quantity

FEW = 8
"""Levels of an axis that are shown one by one."""


def show_all(form: str) -> None:
    """Print the name of every family and what it is about."""
    families = {name: load_family(name).help for name in family_names()}
    if form != TABLE:
        print_list(("family", "about"), [{"family": name, "about": about} for name, about in families.items()], form)
        return
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, about in families.items():
        table.add_row(name, about)
    make_console().print(table)


def show(name: str, form: str) -> None:
    """Print what a family, or the question of a problem file, is made of."""
    question = read_question(Path(name)) if name.endswith(SUFFIX) else Question(family=name)
    if form != TABLE:
        print_sections(_sections(question), form)
        return
    family, vocabulary = question.load(), question.vocabulary()
    console = make_console()
    console.print(f"{family.name}: {family.help}", markup=False)
    _print_table(console, "Named objectives", ("", "unit", "formula", ""), (
        (("*" if name in family.default_objectives else "") + name, one.unit,
         f"{'maximize' if one.maximize else 'minimize'} {one.text}", one.help)
        for name, one in vocabulary.named.items()
    ))
    _print_table(console, "Metrics", ("", "unit", "sign", ""), (
        (name, metric.unit, metric.sign.value, metric.help) for name, metric in vocabulary.metrics.items()
    ))
    _print_table(console, "Axes" + _of(problems := question.problems()), ("", "levels", "scale"), (
        (axis.name, _levels(axis), axis.scale.value) for axis in _axes(problems)
    ))
    _print_table(console, "Options", ("", "default", ""), (
        (f"--{name.replace('_', '-')}", "" if default is None else str(default), about)
        for name, default, about in _options(family.options)
    ))
    console.print(f"Baselines: {', '.join(family.baselines) or 'none'}", markup=False)


def _sections(question: Question) -> list[Section]:
    """The same for other programs: all levels of the first problem's axes, in SI units."""
    family, vocabulary, problems = question.load(), question.vocabulary(), question.problems()
    return [
        Section("family", ("name", "problems", "about"), [
            {"name": family.name, "problems": len(problems), "about": family.help}
        ]),
        Section("named_objectives", ("name", "unit", "direction", "formula", "default", "about"), [
            {"name": name, "unit": one.unit, "direction": "maximize" if one.maximize else "minimize",
             "formula": one.text, "default": name in family.default_objectives, "about": one.help}
            for name, one in vocabulary.named.items()
        ]),
        Section("metrics", ("name", "unit", "sign", "about"), [
            {"name": name, "unit": metric.unit, "sign": metric.sign.value, "about": metric.help}
            for name, metric in vocabulary.metrics.items()
        ]),
        Section("axes", ("name", "unit", "scale", "levels"), [
            {"name": axis.name, "unit": axis.unit, "scale": axis.scale.value, "levels": list(axis.levels)}
            for axis in _axes(problems)
        ]),
        Section("options", ("name", "default", "about"), [
            {"name": name, "default": default, "about": about} for name, default, about in _options(family.options)
        ]),
        Section("baselines", ("name",), [{"name": name} for name in family.baselines]),
    ]


def _options(options: Any) -> list[tuple[str, Any, str]]:
    """Name, default and meaning of each option."""
    return [(one.name, one.default, str(one.metadata.get("help", ""))) for one in fields(options)]


def _of(problems: Sequence[Problem]) -> str:
    """Whose axes are shown."""
    return "" if len(problems) == 1 else f" of the first of {len(problems)} problems that the options ask for"


def _axes(problems: Sequence[Problem]) -> tuple[Axis, ...]:
    """Axes of the first problem; none where its space is empty."""
    try:
        return problems[0].space.axes
    except DseError:
        return ()


def _levels(axis: Axis) -> str:
    """Levels of an axis in a few words."""
    texts = [
        level if isinstance(level, str) else format_quantity(float(level), axis.unit) if axis.unit else str(level)
        for level in axis.levels
    ]
    return ", ".join(texts) if len(texts) <= FEW else f"{texts[0]}, {texts[1]}, ..., {texts[-1]} ({len(texts)})"


def _print_table(console: Console, title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table without lines."""
    table = Table(title=f"\n{title}", title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 2))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)
