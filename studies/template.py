"""Text of studies in Markdown files beside them: a section for each thing that is said, with named figures to fill in.

A section ``## answer`` with the text ``EDAP stays below {last:,.0f} {unit}`` is filled by name; format specifications
are Python's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Template:
    """Sections of a text by their headings, lines joined."""

    sections: Mapping[str, str]

    def fill(self, section: str, **figures: Any) -> str:
        """A section with its figures."""
        return self.sections[section].format(**figures)


def read_template(package: str, name: str) -> Template:
    """The template ``<name>.md`` of a package."""
    text = resources.files(package).joinpath(f"{name}.md").read_text(encoding="utf-8")
    parts = [part.partition("\n") for part in text.split("\n## ")[1:]]
    return Template({heading.strip(): " ".join(body.split()) for heading, _, body in parts})
