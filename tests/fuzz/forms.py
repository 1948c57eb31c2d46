"""Every form of file that users give: how it is read, and valid files to start from."""

import gzip
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import onnx

from dse.cli import main
from dse.errors import InputError
from dse.objectives.array.given.cell import read_cell
from dse.objectives.array.given.technology import load_technology
from dse.objectives.array.given.technology_file import read_technology_file
from dse.objectives.cache.family import cache_vocabulary
from dse.objectives.cache.nvsim_files.configuration import read_configuration
from dse.objectives.cache.nvsim_files.design_table import read_designs
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.gpu.profiler import ProfiledCounts, ProfiledRun, read_profile, write_run
from dse.objectives.gpu.profiler import read_run as read_counts
from dse.objectives.memory_centric.topology import read_topology
from dse.objectives.network.catalog import read_own
from dse.objectives.network.importers.onnx import read_onnx
from dse.objectives.tiers.technology import load_memory
from dse.problem_file import read_question
from dse.reading import read_csv, read_parquet
from dse.report.run import FILES, read_run
from dse.studies.cache.calibration.figures import read_figures
from dse.studies.cache.calibration.setting import read_setting
from dse.studies.calibrated import EDAP, calibrated_specs
from dse.surrogate.designs import sampled_designs
from dse.surrogate.file import load
from dse.surrogate.model import fit
from dse.sweeps.file import read_sweep
from dse.uncertainty.variation_file import read_variation
from dse.units import parse_capacity, parse_quantity
from dse.vocabulary import parse_constraint, parse_objective

REFERENCE = Path(__file__).parents[1] / "reference"
PROFILES = Path(__file__).parents[1] / "profiles"


@dataclass(frozen=True, slots=True)
class Form:
    """A form of file: its `name`, a `read` function, what the file is called, and valid contents."""

    name: str
    read: Callable[[Path], Any]
    file: str
    seeds: Sequence[bytes]


def _packaged(package: str, folder: str, pattern: str) -> list[bytes]:
    """Files that come with the package, their first lines."""
    return [path.read_bytes() for path in sorted(Path(str(files(package) / folder)).glob(pattern))]


MACRO = b"""
[[macro]]
name = "sot-3MB-normal"
capacity = 3145728
width = 512
read_energy = 1e-10
write_energy = 2e-10
read_latency = 1e-9
write_latency = 2e-9
cycle = 2e-9
leakage = 0.1
area = 1e-6
endurance = 1e12
"""
QUESTION = b"""
family = "cache"
objectives = ["edap", "read_latency*area"]
constraints = ["area<=1.2mm2", "leakage<=best"]
method = "local"
n_trials = 100
seed = 3
timeout = 2.5
[options]
memory = "stt,sot"
capacity = "3MB"
access = ["normal", "fast"]
temperature = 350
read_fraction = 0.7
"""
TIERS_QUESTION = b"""
family = "tiers"
objectives = ["energy"]
[options]
network = "resnet-18"
"""
SWEEP = b"""
family = "cache"
objectives = ["edap"]
constraints = ["area<=5mm2"]
[options]
technology = "22nm"
[grid]
memory = ["sram", "stt"]
capacity = ["1MB", "2MB"]
temperature = [300, 350]
[[cases]]
read_fraction = 0.5
"""
VARIATION = b"""
source = "none"
[parameter."stt.resistance_on"]
distribution = "normal"
range = 0.15
[parameter."technology.temperature"]
distribution = "uniform"
low = 300
high = 380
[parameter."stt.set_pulse"]
distribution = "lognormal"
range = 3
[tied]
"stt.resistance_off" = { to = "stt.resistance_on" }
"""
SETTING = b"""
technology = "22nm"
wires = "22nm"
roadmap = "HP"
temperature = 350
line = 64
ways = 16
access = ["normal"]
read_fraction = 0.5
[cells]
sram = "sram"
stt = "stt_deepnvm"
[fixed]
"stt.set_pulse" = { value = 1e-8, source = "x" }
[tied]
"stt.area_f2" = { to = "sram.area_f2", times = 0.5 }
[parameter."sram.area_f2"]
low = 100
high = 300
"""
FIGURES = b"memory,capacity,quantity,value,role\nsram,64KB,area,0.1mm2,fit\n# x\nstt,64KB,leakage,\"2 mW\",hold-out\n"
LAYERS = b"""[{"layer": "data", "kind": "input", "channels": 3, "size": [224, 224]},
 {"layer": "conv1", "kind": "conv", "channels": 8, "kernel": 3, "stride": 2, "padding": [1, 1], "groups": 1},
 {"layer": "pool", "kind": "max_pool", "kernel": "2x2", "stride": 2}, {"layer": "fc", "kind": "fc", "channels": 10}]"""
TOKENS = b"layer,kind,inputs,channels,size,heads,rows\nwords,tokens,,,16,,\nrows,embedding,,8,,,100\na,linear,,24,,,\n"
COUNTS = ProfiledCounts("nvprof", 3, 100, 50, 20, 10, ("a warning",))
TEXTS = [
    b"3MB", b"512 KB", b"1.2mm2", b"3.5ns", b"900GB/s", b"edap", b"read_latency*area**2", b"area<=1.2mm2",
    b"max(read_energy, write_energy)/sqrt(area)", b"edap<=1.1*best", b"log(area)-ceil(leakage)>=0.5",
]


def read_words(path: Path) -> None:
    """What stands in options rather than in files: quantities, formulas and constraints."""
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    vocabulary = cache_vocabulary(read_fraction=0.5)
    readers: tuple[Callable[[str], Any], ...] = (
        parse_capacity, partial(parse_quantity, unit="m2"), partial(parse_quantity, unit="s"),
        partial(parse_objective, vocabulary=vocabulary), partial(parse_constraint, vocabulary=vocabulary),
    )
    for reader in readers:
        try:
            reader(text)
        except InputError as error:
            check_words(error)


def check_words(error: InputError) -> None:
    """A complaint about words is a line that prints."""
    assert str(error).isprintable() and len(str(error)) < 2000


def text_forms(folder: Path) -> list[Form]:
    """Forms of text; `folder`: where a small run and a surrogate are made."""
    problem = CacheProblem(calibrated_specs("stt", 16 << 10, ["normal"]), [EDAP])
    run, surrogate = make_run(folder), make_surrogate(folder, problem)
    array = "dse.objectives.array.given"
    points = gzip.decompress((REFERENCE / "points" / "stt_fast_2mb.csv.gz").read_bytes())
    return [
        Form("words", read_words, "words.txt", TEXTS),
        Form("cell", read_cell, "x.cell", _packaged(array, "data/cells", "*.cell")),
        Form("configuration", read_configuration, "x.cfg", [
            re.sub(rb"(-MemoryCellInputFile: ).*", rb"\1" + bytes(REFERENCE / "cells" / "stt.cell"), one.read_bytes())
            for one in sorted(REFERENCE.glob("*.cfg"))[::4]
        ]),
        Form("technology", read_technology_file, "x.toml", _packaged(array, "data/technology", "*.toml")),
        Form("changed technology", _changed_technology, "x.toml", [
            b"base = '22nm'\n[hp]\nvdd = 0.9\n[wire.LocalAggressive]\npitch = 9e-9\n",
            b"base='16nm'\nnode_nm=22\nlabel='mine'\n",
        ]),
        Form("layer table", read_own, "x.csv",
             [*_packaged("dse.objectives.network", "data/networks", "*.csv"), TOKENS]),
        Form("layers in JSON", read_own, "x.json", [LAYERS]),
        Form("model configuration", read_own, "x.json",
             _packaged("dse.objectives.network", "data/configurations", "*.json")),
        Form("profile", read_profile, "x.csv", [one.read_bytes() for one in PROFILES.glob("*.csv")]),
        Form("counts", read_counts, "x.counts.json", [
            write_run(ProfiledRun("alexnet", "training", 4, "GTX", 3 << 20, COUNTS)).encode()
        ]),
        Form("design table", read_designs, "x.csv", [b"\n".join(points.split(b"\n")[:3])]),
        Form("any table", read_csv, "x.csv", [
            b"problem,access,area,edap\nsot 16KB,normal,1e-6,2.5e-26\nsot 16KB,,2e-6,\"3\"\n",
        ]),
        Form("calibration figures", read_figures, "x.csv", [FIGURES]),
        Form("calibration setting", read_setting, "x.toml", [SETTING]),
        Form("variation", partial(read_variation, problem=problem), "x.toml", [VARIATION]),
        Form("problem", read_question, "x.toml", [QUESTION, TIERS_QUESTION]),
        Form("sweep", read_sweep, "x.toml", [SWEEP]),
        Form("memory of a tier", _memory, "x.toml", [
            *_packaged("dse.objectives.tiers", "data/technologies", "*.toml"), MACRO,
        ]),
        Form("topology", read_topology, "x.toml",
             _packaged("dse.objectives.memory_centric", "data/topologies", "*.toml")),
        *(Form(f"{name} of a run", _in_folder(run, read_run), name, [(run / name).read_bytes()])
          for name in ("config.json", "metrics.json", "front.csv", "problem.toml")),
        Form("surrogate", _in_folder(surrogate, partial(load, problem=problem)), "surrogate.json",
             [(surrogate / "surrogate.json").read_bytes()]),
    ]


def binary_forms(folder: Path) -> list[Form]:
    """Forms that are not text."""
    run = make_run(folder)
    points = gzip.decompress((REFERENCE / "points" / "stt_fast_2mb.csv.gz").read_bytes())
    return [
        Form("ONNX", read_onnx, "x.onnx", [small_network(), small_sequence()]),
        Form("Parquet", read_parquet, "x.parquet", [(run / "designs.parquet").read_bytes()]),
        Form("designs of a run", _in_folder(run, read_run), "designs.parquet",
             [(run / "designs.parquet").read_bytes()]),
        Form("packed design table", read_designs, "x.csv.gz", [gzip.compress(b"\n".join(points.split(b"\n")[:6]))]),
    ]


def _changed_technology(path: Path) -> Any:
    """A technology over its base."""
    return load_technology(22, "HP", 350, path=path)


def _memory(path: Path) -> Any:
    """A memory of a tier, read anew each time."""
    return load_memory.__wrapped__(str(path))


def _in_folder(source: Path, read: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """How a folder is read of which one file is given, and the others are those of another folder."""
    def read_folder(path: Path) -> Any:
        for other in source.iterdir():
            beside = path.parent / other.name
            if other.name != path.name and not beside.exists():
                beside.write_bytes(other.read_bytes())
        return read(path.parent)

    return read_folder


def make_run(folder: Path) -> Path:
    """A small run."""
    run = folder / "run"
    if not run.exists():
        assert main(["optimize", "--memory", "sot", "--capacity", "16KB", "--access", "normal", "--method", "random",
                     "--n-trials", "8", "--seed", "1", "--jobs", "1", "--output", str(run)]) == 0
    assert sorted(path.name for path in run.iterdir()) == sorted(FILES)
    return run


def make_surrogate(folder: Path, problem: CacheProblem) -> Path:
    """A small surrogate."""
    path = folder / "surrogate"
    fit(sampled_designs(problem, 25), ["area"], problem).save(path)
    return path


def small_network() -> bytes:
    """A convolution, an activation and a product, as ONNX."""
    helper, numbers = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("Conv", ["data", "weights"], ["a"], "conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"], "relu"),
        helper.make_node("MaxPool", ["b"], ["c"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["c"], ["d"], "flat", axis=1),
        helper.make_node("Gemm", ["d", "matrix", "bias"], ["e"], "gemm", transB=1),
    ]
    weights = [_zeros("weights", [4, 3, 3, 3]), _zeros("matrix", [5, 64]), _zeros("bias", [5])]
    inputs = [helper.make_tensor_value_info("data", numbers, [1, 3, 8, 8])]
    return _model(nodes, weights, inputs, "e")


def small_sequence() -> bytes:
    """A product of tokens, its normalization and attention, as ONNX."""
    helper, numbers = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("MatMul", ["tokens", "matrix"], ["a"], "product"),
        helper.make_node("Add", ["a", "bias"], ["b"], "sum"),
        helper.make_node("LayerNormalization", ["b", "scale", "bias"], ["c"], "norm", axis=-1),
        helper.make_node("Mul", ["c", "b"], ["d"], "times"),
    ]
    weights = [_zeros("matrix", [6, 8]), _zeros("bias", [8]), _zeros("scale", [8])]
    return _model(nodes, weights, [helper.make_tensor_value_info("tokens", numbers, [1, 4, 6])], "d")


def _zeros(name: str, sizes: Sequence[int]) -> onnx.TensorProto:
    """Weights."""
    count = 1
    for size in sizes:
        count *= size
    return onnx.helper.make_tensor(name, onnx.TensorProto.FLOAT, sizes, [0.0] * count)


def _model(
    nodes: Sequence[onnx.NodeProto], weights: Sequence[onnx.TensorProto], inputs: Sequence[onnx.ValueInfoProto],
    last: str,
) -> bytes:
    """The bytes of a model."""
    result = onnx.helper.make_tensor_value_info(last, onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_graph(list(nodes), "graph", list(inputs), [result], list(weights))
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)])
    return bytes(model.SerializeToString())

