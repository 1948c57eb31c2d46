"""Named ways in which layers become kernels."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from dse.errors import InputError
from dse.objectives.gpu.gemm import Gemm, Tile, fastest_tile
from dse.objectives.gpu.machine import Gpu
from dse.text import nearest, quoted

DEFAULT = "implicit-128x128"
SHIPPED = (DEFAULT, "implicit-128x64", "implicit-auto", "im2col-auto")
"""Profiles that stand for a GPU under Caffe; the others are variants for DeepNVM++'s Fig. 6."""

RESIDENT_RESULTS = 2 * 128 * 128
"""Results that the registers of one multiprocessor hold: two tiles of 128 x 128."""


@dataclass(frozen=True, slots=True)
class Profile:
    """An engine with its tiles: `tile` is None where each product gets the fastest.

    `resident_results`: results that one multiprocessor works on at a time. `adds_to_zero`: results are cleared first
    and then added to (Darknet).
    """

    name: str
    title: str
    engine: str
    tile: Tile | None
    reuse_taps: bool
    resident_results: int
    adds_to_zero: bool

    def tile_of(self, gemm: Gemm, gpu: Gpu) -> Tile:
        """Tile of a product."""
        return self.tile or fastest_tile(gemm, gpu)


@cache
def profiles() -> dict[str, Profile]:
    """All named profiles."""
    text = resources.files("dse.objectives.gpu").joinpath("data/profiles.toml").read_text(encoding="utf-8")
    return {
        name: Profile(
            name, entry["title"], entry["engine"],
            None if entry["tile"] == "auto" else (entry["tile"][0], entry["tile"][1]), entry.get("reuse_taps", False),
            entry.get("resident_results", RESIDENT_RESULTS), entry.get("adds_to_zero", False),
        )
        for name, entry in tomllib.loads(text).items()
    }


def load_profile(name: str) -> Profile:
    """Profile by its name."""
    known = profiles()
    if name not in known:
        raise InputError(f"traffic profile {quoted(name)} is unknown, the nearest valid one is {nearest(name, known)}")
    return known[name]
