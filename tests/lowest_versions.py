"""Prints the lowest versions of what the package and some of its extras need, as pip's constraints.

usage: lowest_versions.py [EXTRA ...]
"""

import re
import sys
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def lowest(requirements: list[str]) -> list[str]:
    """A constraint for each requirement that names a lowest version."""
    found = (re.match(r"([\w.-]+)(?:\[[^]]*\])?\s*>=\s*([\w.]+)", text) for text in requirements)
    return [f"{one[1]}=={one[2]}" for one in found if one is not None]


if __name__ == "__main__":
    wanted = PROJECT["dependencies"] + [
        text for extra in sys.argv[1:] for text in PROJECT["optional-dependencies"][extra]
    ]
    print("\n".join(lowest(wanted)))
