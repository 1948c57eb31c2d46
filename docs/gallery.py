"""Makes the pictures of the gallery anew: runs the commands of gallery.md, and keeps what it shows, small.

usage: python docs/gallery.py
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

DOCS = Path(__file__).parent
WIDTH, COLORS = 1200, 256
"""Widest picture in pixels, and most colors of one."""


def make(page: Path) -> None:
    """Run the commands of a page in a folder of their own, and keep the pictures that the page shows."""
    text = page.read_text(encoding="utf-8")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with TemporaryDirectory() as scratch:
        for commands in re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            subprocess.run(["bash", "-e", "-c", commands], cwd=scratch, check=True, env={**os.environ, "PATH": path})
        for name in re.findall(r"!\[.*?\]\(images/(.*?)\)", text):
            [made] = Path(scratch).rglob(name)
            keep(made, page.parent / "images" / name)


def keep(made: Path, kept: Path) -> None:
    """Write a picture no wider, and with no more colors, than it needs."""
    with Image.open(made) as picture:
        small = picture.convert("RGB")
        small.thumbnail((WIDTH, 4 * WIDTH))
        small.quantize(COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(kept, optimize=True)


if __name__ == "__main__":
    make(DOCS / "gallery.md")
