"""Objectives and constraints from text, in the vocabulary of a family."""

import difflib
import re
from collections.abc import Sequence

import numpy as np

from dse.errors import InputError
from dse.formula import Formula, parse_formula
from dse.problem import Constraint, Objective, Vocabulary
from dse.text import QUOTE_LIMIT, quoted
from dse.units import parse_quantity


def parse_objective(text: str, vocabulary: Vocabulary) -> Objective:
    """Objective from a named objective, a metric, or a formula over metrics and axes to minimize.

    Raises InputError for what is not understood.
    """
    named = vocabulary.named.get(text)
    if named is None:
        return Objective(text, _formula(text, vocabulary), vocabulary.units.get(text, ""))
    formula = _formula(named.text, vocabulary)
    then = parse_objective(named.then, vocabulary) if named.then else None
    return Objective(text, formula, named.unit, named.maximize, then)


def parse_objectives(texts: Sequence[str], vocabulary: Vocabulary) -> tuple[Objective, ...]:
    """Objectives from text, each a different one."""
    if len(set(texts)) < len(texts):
        raise InputError(f"objectives '{','.join(texts)}': give different ones")
    return tuple(parse_objective(text, vocabulary) for text in texts)


def parse_constraint(text: str, vocabulary: Vocabulary) -> Constraint:
    """Constraint from text such as ``area<=1.2mm2``, ``lifetime>=10y`` or ``data_bank_rows<=8``."""
    match = re.fullmatch(r"\s*(.+?)\s*(<=|>=|=<|=>|==|<|>|=)\s*([^<>=]+?)\s*", text)
    if match is None or match[2] not in ("<=", ">="):
        raise InputError(f"constraint {quoted(text)} is not understood: write it as area<=1.2mm2 or read_latency<=3ns")
    named = vocabulary.named.get(match[1])
    unit = vocabulary.units.get(match[1], "" if named is None else named.unit)
    try:
        formula = _formula(match[1] if named is None else named.text, vocabulary)
        limit = parse_quantity(match[3], unit)
    except InputError as error:
        raise InputError(f"constraint {quoted(text)}: {error}") from None
    if not np.isfinite(limit):
        raise InputError(f"constraint {quoted(text)}: the limit is not a finite number")
    return Constraint(text, formula, match[2], limit, unit)


def _formula(text: str, vocabulary: Vocabulary) -> Formula:
    """Formula of any text over metrics and axes."""
    known = vocabulary.units
    if text in vocabulary.absent:
        raise InputError(f"objective {text} {vocabulary.absent[text]}")
    if text.isidentifier() and text not in known:
        names = dict.fromkeys((*vocabulary.named, *known))
        close = difflib.get_close_matches(text[:QUOTE_LIMIT], names, n=1)
        meant = f", did you mean {close[0]}?" if close else ":"
        raise InputError(f"no objective {quoted(text)}{meant} known are {', '.join(names)}, and formulas over them")
    return parse_formula(text, known)
