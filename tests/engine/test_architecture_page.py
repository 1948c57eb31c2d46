"""The page of the architecture names files and functions that exist, and the way of a design as the code walks it."""

import re
import sys
from pathlib import Path
from types import FrameType

import numpy as np
from helpers import UP_TO_2, ask, small_spec

from dse.search.evaluation import evaluate

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = re.compile(r"((?:dse|objectives|spaces|studies)/[\w/]+\.py)(?:: ([\w.]+))?")


def test_files_and_names_are_there() -> None:
    places = NAMED.findall(PAGE)
    assert len(places) > 20
    for path, name in places:
        text = (ROOT / path).read_text(encoding="utf-8")
        for part in filter(None, name.split(".")):
            assert re.search(rf"^\s*(?:class|def) {part}\b", text, re.MULTILINE), f"{path}: {name}"
    for name, path in re.findall(r"`(\w+)`[^|(`]*\(`([\w/]+\.py)`", PAGE):
        assert re.search(rf"\b{name}\b", (ROOT / path).read_text(encoding="utf-8")), f"{path}: {name}"


def test_folders_are_there() -> None:
    for path in re.findall(r"`((?:dse|objectives|spaces|studies)/[\w/]+/)`", PAGE):
        assert (ROOT / path).is_dir(), path


def test_a_design_goes_down_once_as_drawn() -> None:
    """Every function of the drawing is called, in the order drawn, and the upper ones once."""
    drawing = PAGE.split("## The way of a design")[1].split("## ")[0]
    drawn = [(path, name) for path, name in NAMED.findall(drawing) if name and "join" not in name]
    problem = ask([small_spec("normal", data={"bank_rows": UP_TO_2, "bank_cols": UP_TO_2})], "edap")
    design = problem.space.sample(1, np.random.default_rng(0))
    fresh = ask(problem.specs, "edap")
    assert fresh.space.branches
    called: list[tuple[str, str]] = []

    def watch(frame: FrameType, event: str, _: object) -> None:
        place = Path(frame.f_code.co_filename).resolve()
        if event == "call" and place.is_relative_to(ROOT):
            called.append((str(place.relative_to(ROOT)), frame.f_code.co_qualname))

    sys.setprofile(watch)
    try:
        evaluate(fresh, design)
    finally:
        sys.setprofile(None)
    walked = [one for one in called if one in drawn]
    assert list(dict.fromkeys(walked)) == drawn
    assert [walked.count(one) for one in drawn[:2]] == [1, 1]
    assert max(walked.count(one) for one in drawn[2:5]) <= 2  # once for each array
