"""Technologies as users write them: by node and roadmap, by a packaged name, or by a file."""

import re
from pathlib import Path

from dse.errors import InputError
from dse.objectives.array.given.technology import Technology, load_technology, node_of_file, packaged_technologies
from dse.text import quoted


def technology_from_text(text: str, temperature: int) -> tuple[Technology, Path | None]:
    """Technology written like ``22nm``, ``32nm-lstp``, as the name of a packaged one, or as a file of one's own.

    Roadmaps of the latter two follow a colon: ``my16nm.toml:lstp``. Raises InputError where it is none of these.
    """
    match = re.fullmatch(r"([0-9]{1,9})nm(?:-(hp|lstp|lop))?", text.strip().lower())
    if match:
        roadmap = (match[2] or "hp").upper()
        return load_technology(int(match[1]), roadmap, temperature), None
    name, _, roadmap = text.partition(":")
    path = packaged_technologies().get(name, Path(name))
    if path.suffix == ".toml":
        return load_technology(node_of_file(path), (roadmap or "hp").upper(), temperature, path=path), path
    calibrated = ", ".join(name for name in packaged_technologies() if not name.removesuffix("nm").isdigit())
    known = f"22nm, 32nm-lstp, {calibrated}" if calibrated else "22nm, 32nm-lstp"
    raise InputError(f"technology {quoted(text)} is not understood: write {known}, or the path of a .toml file")
