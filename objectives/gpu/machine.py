"""GPUs by name: what of a machine decides how kernels are cut and what moves."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from dse.errors import InputError
from dse.objectives.gpu.kernel import SECTOR
from dse.text import nearest, quoted

DEFAULT_GPU = "gtx-1080-ti"


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU.

    `clock` [Hz]; `peak`: multiply-accumulates per second by precision [1/s]; `line`, `sector`: bytes of an L2 line and
    of an L2 transaction; `l2_capacity` [B]; `l2_bandwidth`, `dram_bandwidth` [B/s].
    """

    name: str
    clock: float
    multiprocessors: int
    peak: dict[str, float]
    sector: int
    line: int
    l2_capacity: int
    l2_bandwidth: float
    dram_bandwidth: float


@cache
def gpu_names() -> tuple[str, ...]:
    """Names of the GPUs that come with the package."""
    folder = resources.files("dse.objectives.gpu").joinpath("data/machines")
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


@cache
def load_gpu(name: str = DEFAULT_GPU) -> Gpu:
    """A GPU that comes with the package."""
    if name not in gpu_names():
        raise InputError(f"GPU {quoted(name)} is unknown, the nearest is {nearest(name, gpu_names())}: known are "
                         f"{', '.join(gpu_names())}")
    text = resources.files("dse.objectives.gpu").joinpath(f"data/machines/{name}.toml").read_text(encoding="utf-8")
    values = tomllib.loads(text)
    if values["sector_B"] != SECTOR:
        raise InputError(f"sector_B: {values['sector_B']}: transactions are counted in {SECTOR} B", file=name)
    clock, processors = float(values["clock_Hz"]), int(values["multiprocessors"])
    peak = {"fp32": processors * values["lanes"] * clock}
    peak |= {"bf16": processors * values["half_macs_per_cycle"] * clock}
    return Gpu(name=values["name"], clock=clock, multiprocessors=processors, peak=peak, sector=values["sector_B"],
               line=values["line_B"], l2_capacity=values["l2_B"],
               l2_bandwidth=values["slices"] * values["slice_bytes_per_cycle"] * clock,
               dram_bandwidth=float(values["dram_bandwidth_B_per_s"]))
