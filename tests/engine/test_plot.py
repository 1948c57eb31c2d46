"""Figures of fronts: formats, labels, and that nothing is cut off at the canvas."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sampling import one_in

from dse.formula import parse_formula
from dse.problem import Objective
from dse.report.plot import front_figure, progress_figure, save_figure

UNITS = {"read_latency": "s", "write_energy": "J", "area": "m2"}
OBJECTIVES = [Objective(name, parse_formula(name, UNITS), unit) for name, unit in UNITS.items()]
FRONT = np.array([[1e-9, 2e-12, 1e-6], [2e-8, 1e-12, 1.1e-6], [3e-8, 3e-12, 0.9e-6]])


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_figure(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"front.{suffix}"
    fronts = [("sram 3MB", FRONT, FRONT * 1.5), ("stt 3MB", FRONT * 2, FRONT[:0])]
    save_figure(front_figure(fronts, OBJECTIVES, "22nm-hp, 350 K", "Algorithm 1"), path)
    assert path.stat().st_size > 2000
    if suffix == "svg":
        text = path.read_text()
        words = ("read latency [ns]", "write energy [pJ]", "area [mm²]", "knee", "22nm-hp, 350 K", "Algorithm 1")
        assert all(label in text for label in words)


def is_whole(figure: Figure) -> bool:
    """Whether everything that is drawn, texts included, lies on the canvas."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = figure.get_tightbbox(canvas.get_renderer())  # type: ignore[no-untyped-call]
    width, height = figure.get_size_inches()
    return bool(drawn.x0 >= -0.01 and drawn.y0 >= -0.01 and drawn.x1 <= width + 0.01 and drawn.y1 <= height + 0.01)


def test_a_wide_legend_is_noticed() -> None:
    figure = Figure(figsize=(2, 2), layout="constrained")
    axes = figure.subplots()
    axes.plot([1], label="far too long for a figure of two inches " * 3)
    figure.legend(loc="outside upper center")
    assert not is_whole(figure)


@pytest.mark.parametrize(("label", "objectives", "number"), one_in(5, product(
    ("sot 3MB", "/a/folder/of/cells/my-own-long-name-of-a-cell.cell 12MB"), (2, 3), (1, 3, 8)
)))
def test_every_text_lies_within_the_canvas(number: int, objectives: int, label: str) -> None:
    formula = "0.5*read_latency*write_energy + 0.5*read_latency*area + 0.125*write_energy*area + read_latency*area"
    wanted = [*OBJECTIVES[: objectives - 1], Objective("edap", parse_formula(formula, UNITS), "J s m2")]
    points = FRONT[:, :objectives]
    fronts = [(f"{label} {place}", points * (1 + place), points) for place in range(number)]
    assert is_whole(front_figure(fronts, wanted, "16nm-deepnvmpp-hp, 350 K", "Algorithm 1"))


def test_progress() -> None:
    figure = progress_figure([("random", np.array([np.inf, 3.0, 5.0, 2.0]))], OBJECTIVES[0])
    (line,) = figure.axes[0].lines
    assert line.get_ydata().tolist() == [3.0, 3.0, 2.0] and line.get_xdata().tolist() == [2, 3, 4]  # type: ignore[union-attr]
    assert is_whole(figure)


def test_no_code_chooses_a_backend() -> None:
    """Neither pyplot, which chooses one, nor `matplotlib.use` anywhere in the package."""
    root = Path(__file__).parents[2]
    sources = [path for folder in ("dse", "studies", "objectives", "spaces") for path in (root / folder).rglob("*.py")]
    chosen = [
        path.name for path in sources
        if "matplotlib.use(" in (text := path.read_text(encoding="utf-8")) or "import pyplot" in text
    ]
    assert len(sources) > 100 and chosen == []
