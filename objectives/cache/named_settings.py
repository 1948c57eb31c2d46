"""Named settings: options of caches that belong together, such as those under which a paper is reproduced."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class NamedSetting:
    """Options of caches by name, and where they come from."""

    options: Mapping[str, Any]
    source: str


@cache
def named_settings() -> Mapping[str, NamedSetting]:
    """The settings that come with the package, by name."""
    text = (files("dse.objectives.cache") / "data" / "settings.toml").read_text(encoding="utf-8")
    return {name: NamedSetting(table["options"], table["source"]) for name, table in tomllib.loads(text).items()}
