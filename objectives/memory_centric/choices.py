"""What the paper leaves unsaid: named choices with defaults and sources, and sets of them.

Every choice is a field of `Choices` and an entry of ``data/choices.toml``; `model_sets` are sets that meet the paper's
figures.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import resources
from typing import Any

from dse.errors import InputError
from dse.text import hint, quoted

DEFAULT_SET = "default"
TOTAL, EACH = "total", "each"
DEVICES_ONLY = "devices"


@dataclass(frozen=True, slots=True)
class Choices:
    """Values of all choices [SI]; ``data/choices.toml`` says what they mean and where the defaults come from."""

    host_bandwidth: float
    host_sharing: float
    width: int
    samples: str
    utilization: float
    tile: int
    hop: float
    window: int
    directions: int
    members: str
    shared_links: bool
    input_product: bool
    hidden: str
    gradient_batched: bool
    slicing: str
    recurrent_stash: str
    image_to_columns: bool
    update: bool


@dataclass(frozen=True, slots=True)
class ChoiceInfo:
    """What is known of a choice: default, levels worth a sweep, unit, whether it was fitted, and its source."""

    default: Any
    levels: tuple[Any, ...]
    unit: str
    role: str
    help: str
    source: str


def read_data(name: str) -> dict[str, Any]:
    """A data file of the package."""
    text = resources.files("dse.objectives.memory_centric").joinpath(f"data/{name}").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def choice_infos() -> Mapping[str, ChoiceInfo]:
    """What is known of every choice, by its name."""
    return {
        name: ChoiceInfo(**{**entry, "levels": tuple(entry["levels"])})
        for name, entry in read_data("choices.toml").items()
    }


@cache
def model_set_names() -> tuple[str, ...]:
    """Names of the sets of choices."""
    return tuple(read_data("model_sets.toml"))


@cache
def load_choices(name: str = DEFAULT_SET) -> Choices:
    """A set of choices by its name."""
    if name not in model_set_names():
        raise InputError(f"model set {quoted(name)} is unknown{hint(name, model_set_names())}")
    defaults = {choice: info.default for choice, info in choice_infos().items()}
    return Choices(**{**defaults, **read_data("model_sets.toml")[name]})


def with_choices(choices: Choices, text: str) -> Choices:
    """Choices with some changed, from text such as ``hop=0.5e-6,window=8``. Raises InputError for what is wrong."""
    changed: dict[str, Any] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = item.partition("=")
        if not equals or name not in choice_infos():
            raise InputError(f"choice {quoted(item)} is not NAME=VALUE{hint(name, choice_infos())}")
        changed[name] = _value(name, value)
    return replace(choices, **changed)


def _value(name: str, text: str) -> Any:
    """Value of a choice, of the kind its default is of."""
    info = choice_infos()[name]
    if isinstance(info.default, (bool, str)):
        for level in info.levels:
            if text.lower() == str(level).lower():
                return level
        known = ", ".join(str(one).lower() for one in info.levels)
        raise InputError(f"choice {name}: {quoted(text)} is not one of {known}")
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"choice {name}: {quoted(text)} is not a number, as {info.default:g}") from None
    low, high = min(info.levels), max(info.levels)
    if not low <= value <= high or (isinstance(info.default, int) and value != int(value)):
        kind = "whole number" if isinstance(info.default, int) else "number"
        raise InputError(f"choice {name}: {text} is not a {kind} from {low:g} to {high:g}")
    return int(value) if isinstance(info.default, int) else value


@cache
def hidden_widths(name: str) -> Mapping[str, int]:
    """Widths of the recurrent networks by a set's name."""
    widths: Mapping[str, int] = read_data("hidden.toml")[name]
    return widths


def choice_names() -> tuple[str, ...]:
    """Names of all choices, in order."""
    return tuple(field.name for field in fields(Choices))
