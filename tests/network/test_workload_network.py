"""Networks against published totals, shapes against Caffe's rules, and layer tables that are wrong."""

import json
from pathlib import Path

import pytest

from dse.errors import InputError
from dse.objectives.gpu.traffic import PAPER_NETWORKS
from dse.objectives.network.catalog import load_network, network_names
from dse.objectives.network.layer_tables import COLUMNS, read_network
from dse.objectives.network.layers import KINDS, Network, volume
from dse.objectives.network.shapes import with_rounding
from dse.studies.deepnvmpp.printed import published_rows

PARAMETERS = {
    "alexnet": 60_965_224, "googlenet": 6_998_552, "vgg-16": 138_357_544, "resnet-18": 11_689_512,
    "squeezenet": 1_248_424,
}
"""Trained numbers: Caffe's and torchvision's model files."""
MEGA_MACS = {"alexnet": 724.4, "googlenet": 1582.7, "vgg-16": 15470, "resnet-18": 1814, "squeezenet": 832.7}
"""Multiply-accumulates in millions, rounded as in the specification, section 2."""


@pytest.mark.parametrize("name", PAPER_NETWORKS)
def test_totals(name: str) -> None:
    network = load_network(name)
    assert network.parameters == PARAMETERS[name]
    digits = 0 if MEGA_MACS[name] == round(MEGA_MACS[name]) else 1
    assert round(network.macs / 1e6, digits) == MEGA_MACS[name]


def test_googlenet_with_floor_pooling_is_what_table_3_prints() -> None:
    assert round(with_rounding(load_network("googlenet"), "floor").macs / 1e6, 1) == 1431.6


@pytest.mark.parametrize("row", published_rows("table3"), ids=lambda row: row["network"])
def test_table_3(row: dict[str, str]) -> None:
    network = load_network(row["network"])
    counts = {kind: sum(layer.kind == kind for layer in network.layers) for kind in ("conv", "fc")}
    projections = 3 if row["network"] == "resnet-18" else 0
    assert counts["conv"] == int(row["conv_layers"]) + projections
    assert counts["fc"] == int(row["fc_layers"])
    assert network.parameters == pytest.approx(float(row["weights"]), rel=0.05)
    floor = with_rounding(network, "floor") if row["network"] == "googlenet" else network
    assert floor.macs == pytest.approx(float(row["macs"]), rel=0.1)


@pytest.mark.parametrize(("name", "layer", "shape"), [
    ("alexnet", "conv1", (96, 55, 55)), ("alexnet", "pool5", (256, 6, 6)), ("vgg-16", "pool5", (512, 7, 7)),
    ("googlenet", "inception_5b", (1024, 7, 7)), ("googlenet", "pool2", (192, 28, 28)),
    ("resnet-18", "res5b", (512, 7, 7)), ("squeezenet", "fire9", (512, 13, 13)),
    ("alexnet-darknet", "fc6", (4096, 1, 1)),
])
def test_shapes(name: str, layer: str, shape: tuple[int, int, int]) -> None:
    assert next(entry.shape for entry in load_network(name).layers if entry.name == layer) == shape


def test_every_network_has_a_source() -> None:
    folder = Path(__file__).parents[2] / "objectives/network/data/networks"
    tables, configurations = list(folder.glob("*.csv")), list((folder.parent / "configurations").glob("*.json"))
    assert len(network_names()) == len(tables) + len(configurations) == 19
    for path in tables:
        assert "Source:" in path.read_text(encoding="utf-8")
    for path in configurations:
        assert json.loads(path.read_text(encoding="utf-8"))["source"]


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


SMALL = """# a comment
layer,kind,inputs,channels,size,kernel,stride,padding
data,input,,3,8x10,,,
conv,conv,,4,,3x5,1,1x2
left,relu,conv,,,,,
right,max_pool,conv,,,3,1,1
join,concat,left;right,,,,,
sum,add,left;right,,,,,
out,fc,join,7,,,,
"""


def test_own_table(tmp_path: Path) -> None:
    network = read_network(written(tmp_path / "mine.csv", SMALL))
    shapes = {layer.name: layer.shape for layer in network.layers}
    assert network.name == "mine"
    assert shapes == {"data": (3, 8, 10), "conv": (4, 8, 10), "left": (4, 8, 10), "right": (4, 8, 10),
                      "join": (8, 8, 10), "sum": (4, 8, 10), "out": (7, 1, 1)}
    assert network.parameters == 4 * 3 * 15 + 4 + 7 * 640 + 7
    assert network.macs == 4 * 3 * 15 * 80 + 7 * 640
    assert network.users("left") == 2


def test_json_is_the_same_table(tmp_path: Path) -> None:
    layers = [
        {"layer": "data", "kind": "input", "channels": 3, "size": [8, 10]},
        {"layer": "conv", "kind": "conv", "channels": 4, "kernel": [3, 5], "padding": [1, 2], "bias": True},
        {"layer": "left", "kind": "relu", "inputs": "conv"},
        {"layer": "right", "kind": "max_pool", "inputs": ["conv"], "kernel": 3, "stride": 1, "padding": 1},
        {"layer": "join", "kind": "concat", "inputs": ["left", "right"]},
        {"layer": "sum", "kind": "add", "inputs": ["left", "right"]},
        {"layer": "out", "kind": "fc", "inputs": ["join"], "channels": 7, "groups": None},
    ]
    table = read_network(written(tmp_path / "mine.csv", SMALL))
    for found in (layers, {"layers": layers}):
        network = read_network(written(tmp_path / "mine.json", json.dumps(found)))
        assert network.layers == table.layers


HEADER = ",".join(COLUMNS[:11]) + "\n"
DATA = "data,input,,3,8,,,,,,\n"
BAD = {
    HEADER: "no layers",
    "": "no layers",
    "layer,kin\n": "column 'kin' is unknown, the nearest valid one is",
    "layer,layer,kind\n": "column layer is there twice",
    "layer,channels\n": "column kind is missing",
    HEADER + "data,input\n": ":2: 2 fields where the header has 11",
    HEADER + "data,inptu,,3,8,,,,,,\n": ":2: kind: 'inptu' is unknown, the nearest valid one is input",
    HEADER + "relu,relu,,,,,,,,,\n": ":2: kind: the first layer must be an input",
    HEADER + DATA + "a,relu,dta,,,,,,,,\n": ":3: inputs: 'dta' is no layer above, the nearest is data",
    HEADER + DATA + "data,relu,,,,,,,,,\n": ":3: layer: 'data' is there twice",
    HEADER + DATA + "c,conv,,,,3,,,,,\n": ":3: channels is missing",
    HEADER + DATA + "c,conv,,4,,,,,,,\n": ":3: kernel is missing",
    HEADER + DATA + "c,conv,,four,,3,,,,,\n": ":3: channels: 'four' is not a whole number",
    HEADER + DATA + "c,conv,,4,,0,,,,,\n": ":3: kernel: '0' is not a whole number from 1",
    HEADER + DATA + "c,conv,,4,,3x3x3,,,,,\n": ":3: kernel: '3x3x3' is not a size",
    HEADER + DATA + "c,conv,,4,,9,,,,,\n": ":3: kernel: 9 is more than the input's 8",
    HEADER + DATA + "c,conv,,4,,3,,,2,,\n": ":3: groups: 2 does not divide the 3 input channels",
    HEADER + DATA + "c,conv,,4,,3,,,,2,\n": ":3: bias: '2' is not a whole number from 0 to 1",
    HEADER + DATA + "p,max_pool,,,,3,,,,,up\n": ":3: rounding: 'up' is unknown, write ceil or floor",
    HEADER + DATA + "r,relu,,,,3,,,,,\n": ":3: kernel: a layer of kind relu has none",
    HEADER + DATA + "s,add,data,,,,,,,,\n": ":3: inputs: a layer of kind add needs two or more",
    HEADER + DATA + "s,relu,data;data,,,,,,,,\n": ":3: inputs: a layer of kind relu has one",
    HEADER + DATA + "c,conv,,4,,3,,,,,\nj,add,data;c,,,,,,,,\n": ":4: inputs: add needs equal shapes",
    HEADER + DATA + "c,conv,,4,,3,,,,,\nj,concat,data;c,,,,,,,,\n": ":4: inputs: concat needs equal height",
    HEADER + ",input,,3,8,,,,,,\n": ":2: layer: '' is not a name",
    HEADER + 'data,"input,,3,8\n': ":2: is not CSV",
    HEADER + "data,input,,3,99999999999,,,,,,\n": ":2: size: '99999999999' is not a whole number",
}


@pytest.mark.parametrize("text", BAD, ids=lambda text: BAD[text][:40])
def test_wrong_tables(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_network(written(tmp_path / "bad.csv", text))
    assert BAD[text] in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "bad.csv"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "said"), [
    ("{", "is not JSON"), ("3", "give a list of layers"), ("[3]", "give a list of layers"), ("[]", "no layers"),
    ('{"layers": {}}', "give a list of layers"), ('[{"kind": "input"}]', "layer 1: column layer is missing"),
    ('[{"layer": "a", "kind": "relu", "sise": 3}]', "layer 1: column 'sise' is unknown"),
    ('[{"layer": "a", "kind": "input", "channels": 1.5, "size": 3}]', "layer 1: channels: '1.5' is not a whole"),
    ("[" * 100_000, "is not JSON"),
])
def test_wrong_json(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_network(written(tmp_path / "bad.json", text))
    assert said in str(caught.value)


def test_missing_and_unknown_files(tmp_path: Path) -> None:
    for name, said in (("nothing.csv", "cannot be read"), ("a.txt", "give a name that ends in .csv or .json")):
        with pytest.raises(InputError, match=said):
            read_network(tmp_path / name)
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_network(tmp_path / "binary.csv")
    with pytest.raises(InputError, match="the nearest is alexnet: known are alexnet"):
        load_network("alexnett")


def test_all_kinds_are_used_somewhere() -> None:
    used = {layer.kind for name in network_names() for layer in load_network(name).layers}
    assert set(KINDS) - used == {"avg_pool", "clamp", "matmul", "scale", "sigmoid"}
    assert volume((2, 3, 4)) == 24
    assert isinstance(load_network("alexnet"), Network)
