"""Figures that notebooks show where they are returned, though no backend of Matplotlib's pyplot is chosen."""

from io import BytesIO

from matplotlib.figure import Figure

DOTS_PER_INCH = 120
"""Of a figure in a notebook."""


class ShownFigure(Figure):
    """A figure that a notebook shows as a picture."""

    def _repr_png_(self) -> bytes:
        """What a notebook shows (IPython's rich display)."""
        picture = BytesIO()
        self.savefig(picture, format="png", dpi=DOTS_PER_INCH)
        return picture.getvalue()
