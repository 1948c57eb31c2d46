"""Networks from ONNX files and PyTorch modules against the packaged layer tables and closed forms."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dse.cli import main
from dse.errors import InputError
from dse.objectives.gpu.lowering import lowers
from dse.objectives.gpu.traffic import workload_of
from dse.objectives.network.catalog import load_network, network_names
from dse.objectives.network.importers.layer_table import table_text, write_network
from dse.objectives.network.importers.onnx import read_onnx
from dse.objectives.network.layer_tables import read_network
from dse.objectives.network.layers import Layer, Network

onnx = pytest.importorskip("onnx")
helper = onnx.helper
FLOAT = onnx.TensorProto.FLOAT


class Model:
    """An ONNX model that is built node by node; its weights have shapes only, their values are in a missing file."""

    def __init__(self, *shape: int | str) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.inputs = [helper.make_tensor_value_info("data", FLOAT, shape)]
        self.last = "data"

    def weight(self, *sizes: int) -> str:
        tensor = onnx.TensorProto(name=f"weight{len(self.weights)}", dims=sizes, data_type=FLOAT)
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="absent.bin")
        self.weights.append(tensor)
        return str(tensor.name)

    def numbers(self, *values: int) -> str:
        name = f"numbers{len(self.weights)}"
        self.weights.append(helper.make_tensor(name, onnx.TensorProto.INT64, [len(values)], values))
        return name

    def add(self, kind: str, *operands: str, name: str = "", **attributes: Any) -> str:
        """A node that reads its operands, or what the last one produced."""
        name = name or f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, operands or [self.last], [f"{name}_out"], name, **attributes))
        self.last = f"{name}_out"
        return self.last

    def conv(
        self, inputs: int, outputs: int, kernel: int, source: str = "", *, bias: bool = True, padding: int = 0,
        name: str = "", **attributes: Any,
    ) -> str:
        weights = [self.weight(outputs, inputs // attributes.get("group", 1), kernel, kernel)]
        weights += [self.weight(outputs)] if bias else []
        if padding:
            attributes["pads"] = [padding] * 4
        return self.add("Conv", source or self.last, *weights, name=name, **attributes)

    def dense(self, inputs: int, outputs: int, name: str = "") -> str:
        return self.add("Gemm", self.last, self.weight(outputs, inputs), self.weight(outputs), name=name, transB=1)

    def norm(self, channels: int, source: str = "", name: str = "") -> str:
        weights = [self.weight(channels) for _ in range(4)]
        return self.add("BatchNormalization", source or self.last, *weights, name=name)

    def write(self, path: Path, opset: int = 17) -> Path:
        result = helper.make_tensor_value_info(self.last, FLOAT, None)
        graph = helper.make_graph(self.nodes, "graph", self.inputs, [result], self.weights)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]), path)
        return path

    def read(self, folder: Path, opset: int = 17) -> Network:
        return read_onnx(self.write(folder / "model.onnx", opset))


def alexnet() -> Model:
    """Caffe's reference definition."""
    model = Model("batch", 3, 227, 227)
    pool = {"kernel_shape": [3, 3], "strides": [2, 2]}
    norm = {"size": 5, "alpha": 1e-4, "beta": 0.75}
    model.conv(3, 96, 11, strides=[4, 4])
    model.add("Relu")
    model.add("LRN", **norm)
    model.add("MaxPool", **pool)
    model.conv(96, 256, 5, padding=2, group=2)
    model.add("Relu")
    model.add("LRN", **norm)
    model.add("MaxPool", **pool)
    for inputs, outputs, groups in ((256, 384, 1), (384, 384, 2), (384, 256, 2)):
        model.conv(inputs, outputs, 3, padding=1, group=groups)
        model.add("Relu")
    model.add("MaxPool", **pool)
    model.add("Flatten")
    for inputs in (9216, 4096):
        model.dense(inputs, 4096)
        model.add("Relu")
        model.add("Dropout")
    model.dense(4096, 1000)
    model.add("Softmax")
    return model


def add_block(model: Model, inputs: int, outputs: int, stride: int) -> None:
    """A basic block of He et al., with a projection where the shape changes."""
    source = model.last
    model.conv(inputs, outputs, 3, padding=1, bias=False, strides=[stride, stride])
    model.norm(outputs)
    model.add("Relu")
    model.conv(outputs, outputs, 3, padding=1, bias=False)
    result = model.norm(outputs)
    if stride > 1:
        model.conv(inputs, outputs, 1, source, bias=False, strides=[stride, stride])
        source = model.norm(outputs)
    model.add("Add", source, result)
    model.add("Relu")


def resnet_18() -> Model:
    model = Model(1, 3, 224, 224)
    model.conv(3, 64, 7, padding=3, bias=False, strides=[2, 2])
    model.norm(64)
    model.add("Relu")
    model.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    inputs = 64
    for outputs in (64, 128, 256, 512):
        add_block(model, inputs, outputs, 1 if outputs == 64 else 2)
        add_block(model, outputs, outputs, 1)
        inputs = outputs
    model.add("GlobalAveragePool")
    model.add("Flatten")
    model.dense(512, 1000)
    model.add("Softmax")
    return model


def figures(layers: Sequence[Layer]) -> list[tuple[Any, ...]]:
    """What traffic depends on, without names."""
    return [(layer.kind, layer.sources, layer.shape, layer.kernel, layer.stride, layer.padding, layer.groups,
             layer.macs, layer.parameters) for layer in layers]


def traffic(network: Network, phase: str, batch: int) -> tuple[float, ...]:
    """Sectors read and written at the L2 cache, and at the DRAM below 3 MB."""
    workload = workload_of(network, phase, batch)
    return workload.reads, workload.writes, workload.dram.transactions(3 << 20)


@pytest.mark.parametrize(("build", "name"), [(alexnet, "alexnet"), (resnet_18, "resnet-18")])
def test_whole_networks_are_the_packaged_ones(build: Any, name: str, tmp_path: Path) -> None:
    network, packaged = build().read(tmp_path), load_network(name)
    assert figures(network.layers) == figures(packaged.layers)
    for phase, batch in (("inference", 4), ("training", 2)):
        assert traffic(network, phase, batch) == traffic(packaged, phase, batch)


def as_onnx(network: Network) -> Model:
    """A packaged network, node by node."""
    model = Model(1, *network.layers[0].shape)
    tensors = {"data": "data"}
    for layer in network.layers[1:]:
        tensors[layer.name] = add_layer(model, layer, [tensors[name] for name in layer.inputs])
    return model


def add_layer(model: Model, layer: Layer, sources: list[str]) -> str:
    """A layer as ONNX writes it."""
    attributes: dict[str, Any] = {}
    if layer.kind in ("conv", "max_pool", "avg_pool"):
        attributes = {"kernel_shape": layer.kernel, "strides": layer.stride, "pads": layer.padding * 2}
    channels = layer.sources[0][0]
    if layer.kind == "conv":
        kernel = layer.kernel[0]
        return model.conv(channels, layer.channels, kernel, *sources, bias=bool(layer.bias), name=layer.name,
                          group=layer.groups, **attributes)
    if layer.kind == "fc":
        model.last = model.add("Flatten", *sources)
        return model.dense(layer.weights // layer.channels, layer.channels, layer.name)
    if layer.kind == "batch_norm":
        return model.norm(channels, *sources, name=layer.name)
    if layer.kind in ("max_pool", "avg_pool"):
        attributes["ceil_mode"] = int(layer.rounding == "ceil")
    if layer.kind in ("concat", "lrn"):
        attributes = {"axis": 1} if layer.kind == "concat" else {"size": 5}
    kinds = {"relu": "Relu", "lrn": "LRN", "max_pool": "MaxPool", "avg_pool": "AveragePool", "dropout": "Dropout",
             "global_avg_pool": "GlobalAveragePool", "softmax": "Softmax", "add": "Add", "concat": "Concat"}
    return model.add(kinds[layer.kind], *sources, name=layer.name, **attributes)


IMAGES = [name for name in network_names() if lowers(load_network(name))]


@pytest.mark.parametrize("name", IMAGES)
def test_packaged_networks_come_back_layer_by_layer(name: str, tmp_path: Path) -> None:
    """Ceil pooling, joins, groups and names included."""
    packaged = load_network(name)
    assert as_onnx(packaged).read(tmp_path).layers == packaged.layers


@pytest.mark.parametrize("suffix", [".csv", ".json"])
@pytest.mark.parametrize("name", network_names())
def test_written_tables_are_read_back(name: str, suffix: str, tmp_path: Path) -> None:
    network = load_network(name)
    write_network(network, tmp_path / f"mine{suffix}")
    assert read_network(tmp_path / f"mine{suffix}").layers == network.layers


def test_fire_module(tmp_path: Path) -> None:
    model = Model(1, 96, 55, 55)
    model.conv(96, 16, 1)
    squeezed = model.add("Relu")
    left = model.add("Relu", model.conv(16, 64, 1, squeezed))
    right = model.add("Relu", model.conv(16, 64, 3, squeezed, padding=1))
    model.add("Concat", left, right, axis=1)
    packaged = [layer for layer in load_network("squeezenet").layers if "fire2" in layer.name]
    network = model.read(tmp_path)
    assert figures(network.layers[1:]) == figures(packaged)
    assert network.layers[-1].inputs == (network.layers[-4].name, network.layers[-2].name)


def test_depthwise(tmp_path: Path) -> None:
    model = Model(1, 32, 112, 112)
    model.conv(32, 32, 3, padding=1, group=32, strides=[2, 2], bias=False)
    layer = model.read(tmp_path).layers[-1]
    assert (layer.shape, layer.groups, layer.parameters, layer.macs) == ((32, 56, 56), 32, 288, 288 * 56 * 56)


@pytest.mark.parametrize(("kind", "attributes", "padding", "shape"), [
    ("Conv", {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, (1, 1), (8, 112, 112)),
    ("Conv", {"auto_pad": "SAME_LOWER", "strides": [2, 2]}, (1, 1), (8, 112, 112)),
    ("Conv", {"auto_pad": "SAME_UPPER"}, (1, 1), (8, 224, 224)),
    ("Conv", {"auto_pad": "VALID"}, (0, 0), (8, 222, 222)),
    ("Conv", {"dilations": [2, 2], "pads": [2, 2, 2, 2]}, (1, 1), (8, 224, 224)),
    ("Conv", {"dilations": [2, 3], "pads": [2, 3, 2, 3]}, (1, 1), (8, 224, 224)),
    ("Conv", {"pads": [1, 0, 1, 0]}, (1, 0), (8, 224, 222)),
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 0, 1, 1]}, (0, 0), (4, 112, 112)),
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, (0, 0), (4, 112, 112)),
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2]}, (0, 0), (4, 111, 111)),
    ("AveragePool", {"kernel_shape": [2, 2], "strides": [2, 2]}, (0, 0), (4, 112, 112)),
    ("GlobalMaxPool", {}, (0, 0), (4, 1, 1)),
])
def test_padding(
    kind: str, attributes: dict[str, Any], padding: tuple[int, int], shape: tuple[int, ...], tmp_path: Path
) -> None:
    """Whatever its padding, a convolution multiplies 3 x 3 weights at every position."""
    model = Model(1, 4, 224, 224)
    if kind == "Conv":
        model.conv(4, 8, 3, **attributes)
    else:
        model.add(kind, **attributes)
    layer = model.read(tmp_path).layers[-1]
    assert (layer.padding, layer.shape) == (padding, shape)
    assert layer.macs == (4 * 8 * 9 * shape[1] * shape[2] if kind == "Conv" else 0)


def test_product_and_sum_are_a_layer_with_bias(tmp_path: Path) -> None:
    model = Model(1, 12)
    product = model.add("MatMul", "data", model.weight(12, 5))
    model.add("Add", product, model.weight(5))
    network = model.read(tmp_path)
    assert [layer.kind for layer in network.layers] == ["input", "fc"]
    assert (network.parameters, network.macs) == (65, 60)
    model.add("Add", model.add("Relu"), product)
    assert [layer.kind for layer in model.read(tmp_path).layers] == ["input", "fc", "scale", "relu", "add"]


def test_rearrangements_move_nothing(tmp_path: Path) -> None:
    """Channels last, then sizes computed in the graph, as exporters write them."""
    model = Model("batch", 8, 10, 3)
    model.add("Transpose", perm=[0, 3, 1, 2])
    image = model.conv(3, 4, 1)
    batch = model.add("Gather", model.add("Shape", image), model.numbers(0))
    model.add("Reshape", image, model.add("Concat", batch, model.numbers(-1), axis=0))
    model.add("Identity")
    model.dense(320, 7)
    network = model.read(tmp_path)
    assert [(layer.kind, layer.shape) for layer in network.layers] == [
        ("input", (3, 8, 10)), ("conv", (4, 8, 10)), ("fc", (7, 1, 1))]


def test_mean_over_the_plane_is_global_pooling(tmp_path: Path) -> None:
    model = Model(1, 6, 5, 5)
    model.add("ReduceMean", axes=[2, 3], keepdims=0)
    assert model.read(tmp_path).layers[-1].kind == "global_avg_pool"


def test_a_fixed_batch_changes_nothing(tmp_path: Path) -> None:
    one, eight = (Model(batch, 3, 16, 16) for batch in (1, 8))
    for model in (one, eight):
        model.conv(3, 4, 3)
        model.add("Flatten")
        model.dense(4 * 14 * 14, 10)
    assert one.read(tmp_path).layers == eight.read(tmp_path).layers


def wrong_models() -> dict[str, Model]:
    """Models that layer tables cannot hold, by what is said of them."""
    wrong: dict[str, Model] = {}

    def model(said: str, *shape: int | str) -> Model:
        return wrong.setdefault(said, Model(*(shape or (1, 4, 8, 8))))

    larger = model("node 'odd' (Resize): this operator is not supported: supported are")
    larger.add("Resize", "data", "", "", larger.numbers(1, 4, 16, 16), name="odd")
    model("(MatMul): multiplies two activations that are no sequences", 1, 8).add("MatMul", "data", "data")
    model("input 'data': dimension 2 has no number", 1, 3, "height", 8).add("Relu")
    model("input 'data': data is 1x4x8x8x8: layer tables hold images", 1, 4, 8, 8, 8).add("Relu")
    model("dilation 2x2 yields 8x4x4: no padding alike").conv(4, 8, 3, dilations=[2, 2])
    model("concatenates along axis 2").add("Concat", "data", "data", axis=2)
    scaled = model("combines 1x4x1x1 and 1x4x8x8, layer tables combine equal shapes only")
    scaled.add("Add", scaled.add("GlobalAveragePool"), "data")
    model("takes a mean that is not over height and width").add("ReduceMean", axes=[1])
    turned = model("rearranged from 2x8x8 per image: layer tables keep the arrangement")
    turned.conv(4, 2, 1)
    turned.add("Reshape", turned.last, turned.numbers(1, 8, 2, 8))
    turned.conv(8, 2, 1)
    model("reads 'nowhere', which is no weight and no first result of a node above").add("Relu", "nowhere")
    model("axis is missing").add("Concat", "data", "data")
    constant = model("concatenates constants")
    constant.add("Concat", "data", constant.weight(1, 4, 8, 8), axis=1)
    tokens = model("works along the last size of 1x2x2x8x8", 1, 4, 8, 8)
    tokens.add("Reshape", "data", tokens.numbers(1, 2, 2, 8, 8))
    tokens.add("MatMul", tokens.last, tokens.weight(8, 8))
    model("weights 8x3x3x3 do not fit what it reads, 4x8x8 per image").conv(3, 8, 3)
    mismatch = model("the shape of gemm1_out cannot be inferred")
    mismatch.add("Flatten")
    mismatch.dense(5, 3)
    model("kernel_shape is (): give 2 whole numbers from 1").add("MaxPool")
    model("strides is [0, 2]: give 2 whole numbers from 1").conv(4, 8, 3, strides=[0, 2])
    shapeless = model("input 'data': the shape of data cannot be inferred")
    shapeless.inputs = [helper.make_tensor_value_info("data", FLOAT, None)]
    shapeless.add("Relu")
    none = model("group is 0: give a whole number from 1")
    none.add("Conv", "data", none.weight(8, 4, 3, 3), group=0)
    line = model("convolves 1 dimensions")
    line.add("Conv", "data", line.weight(8, 4, 3))
    return wrong


@pytest.mark.parametrize("said", list(wrong_models()))
def test_wrong_models(said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        wrong_models()[said].read(tmp_path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "model.onnx"))
    assert "\n" not in str(caught.value)


def test_files_that_are_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = alexnet().write(tmp_path / "whole.onnx").read_bytes()
    for content in (b"", b"# not a model\n", whole[:-100], whole[: len(whole) // 2]):
        (tmp_path / "bad.onnx").write_bytes(content)
        assert main(["workload", "show", str(tmp_path / "bad.onnx")]) == 2
        assert "bad.onnx: is not an ONNX model" in capsys.readouterr().err
    assert main(["workload", "show", str(tmp_path / "absent.onnx")]) == 2
    assert "absent.onnx: cannot be read: No such file" in capsys.readouterr().err


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = resnet_18().write(tmp_path / "model.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"needs the package onnx: pip install nvm-dse\[onnx\]$"):
        read_onnx(path)


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file in place of a name, and as the layer table that it becomes."""
    path = alexnet().write(tmp_path / "mine.onnx")
    assert main(["workload", "import", str(path), "--output", str(tmp_path / "mine.csv")]) == 0
    assert "60.965 M parameters, 724.4 M MACs per sample" in capsys.readouterr().out
    printed = []
    for name in ("mine.onnx", "mine.csv"):
        assert main(["workload", "show", str(tmp_path / name), "--batch", "1", "--format", "csv"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert table_text(read_onnx(path), ".csv") == (tmp_path / "mine.csv").read_text(encoding="utf-8")
    for arguments, said in (
        ([str(path), "--output", "mine.txt"], "mine.txt': give a name that ends in .csv or .json"),
        ([str(tmp_path / "mine.csv")], "mine.csv: give a file that ends in .onnx"),
    ):
        assert main(["workload", "import", *arguments]) == 2
        assert said in capsys.readouterr().err


@pytest.fixture(scope="session")
def torch() -> Any:
    return pytest.importorskip("torch")


def torch_alexnet(torch: Any) -> Any:
    """Caffe's definition as a PyTorch module without numbers."""
    nn = torch.nn
    with torch.device("meta"):
        return nn.Sequential(
            nn.Conv2d(3, 96, 11, 4), nn.ReLU(), nn.LocalResponseNorm(5), nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), nn.LocalResponseNorm(5),
            nn.MaxPool2d(3, 2, ceil_mode=True), nn.Conv2d(256, 384, 3, padding="same"), nn.ReLU(),
            nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(), nn.Conv2d(384, 256, 3, padding=1, groups=2),
            nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), nn.Flatten(), nn.Linear(9216, 4096), nn.ReLU(),
            nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 1000), nn.Softmax(1),
        )


def test_torch_alexnet_is_the_packaged_one(torch: Any) -> None:
    from dse.objectives.network.importers.torch_fx import read_module

    network = read_module(torch_alexnet(torch), torch.zeros(2, 3, 227, 227, device="meta"))
    packaged = load_network("alexnet")
    assert figures(network.layers) == figures(packaged.layers)
    for phase, batch in (("inference", 4), ("training", 2)):
        assert traffic(network, phase, batch) == traffic(packaged, phase, batch)


def small_module(torch: Any) -> Any:
    """Branches, a residual, functions and methods: what a forward may be written with."""
    nn, functional = torch.nn, torch.nn.functional

    class Small(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
            self.norm = nn.BatchNorm2d(8)
            self.deep = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8)
            self.kernel = nn.Parameter(torch.zeros(8, 8, 1, 1))
            self.last = nn.Linear(16, 5, bias=False)

        def forward(self, x: Any) -> Any:
            x = functional.relu(self.norm(self.first(x)), inplace=True)
            x = x + functional.conv2d(self.deep(x), self.kernel)
            x = torch.cat([functional.max_pool2d(x, 2), functional.adaptive_avg_pool2d(x, (8, 8))], dim=1)
            x = x.mean((2, 3)).view(x.size(0), -1)
            return self.last(functional.dropout(x)).softmax(dim=-1)

    return Small().eval()


def test_torch_functions_and_methods(torch: Any) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    from dse.objectives.network.importers.torch_fx import read_module

    module, example = small_module(torch), torch.zeros(1, 3, 32, 32)
    network = read_module(module, example)
    assert [layer.kind for layer in network.layers] == [
        "input", "conv", "batch_norm", "relu", "conv", "conv", "add", "max_pool", "avg_pool", "concat",
        "global_avg_pool", "dropout", "fc", "softmax"]
    assert network.parameters == sum(parameter.numel() for parameter in module.parameters())
    with FlopCounterMode(display=False) as counter:
        module(example)
    assert 2 * network.macs == counter.get_total_flops()


def test_torch_module_and_its_onnx_file_agree(torch: Any, tmp_path: Path) -> None:
    """A residual block, written twice."""
    from dse.objectives.network.importers.torch_fx import read_module

    nn = torch.nn

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.left = nn.Sequential(
                nn.Conv2d(64, 128, 3, 2, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(),
                nn.Conv2d(128, 128, 3, 1, 1, bias=False), nn.BatchNorm2d(128),
            )
            self.right = nn.Sequential(nn.Conv2d(64, 128, 1, 2, bias=False), nn.BatchNorm2d(128))

        def forward(self, x: Any) -> Any:
            return torch.relu(self.left(x) + self.right(x))

    model = Model(1, 64, 56, 56)
    add_block(model, 64, 128, 2)
    traced = read_module(Block(), torch.zeros(1, 64, 56, 56))
    assert figures(traced.layers)[:-2] == figures(model.read(tmp_path).layers)[:-2]
    assert traffic(traced, "training", 4)[:2] == traffic(model.read(tmp_path), "training", 4)[:2]


def test_wrong_torch_modules(torch: Any) -> None:
    from dse.objectives.network.importers.torch_fx import read_module

    nn = torch.nn

    class Branching(nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return x if x.sum() > 0 else -x

    class Product(nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return nn.functional.conv2d(x, x)

    class Whole(nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return nn.functional.avg_pool2d(x, x.size()[2:])

    for module, said in (
        (Whole(), "Whole: node 'avg_pool2d' (avg_pool2d): kernel_size is computed while the module runs"),
        (Branching(), "Branching: cannot be traced by torch.fx: "),
        (Product(), "Product: node 'conv2d' (conv2d): multiplies two activations"),
        (nn.Sequential(nn.Upsample(scale_factor=2)), "Sequential: node '_0' (Upsample): this operator is not"),
        (nn.Sequential(nn.Conv2d(5, 4, 3)), "Sequential: does not run on the example: "),
        (nn.Sequential(nn.AdaptiveAvgPool2d(3)), "pools 4x4 to 3x3 by windows of unequal size"),
        (nn.Sequential(nn.Unflatten(1, (2, 2)), nn.Linear(4, 2)), "works along the last size of 4x2x2x4x4"),
    ):
        with pytest.raises(InputError) as caught:
            read_module(module, torch.zeros(4, 4, 4, 4))
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    from dse.objectives.network.importers.torch_fx import read_module

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match=r"needs the package torch: pip install nvm-dse\[torch\]$"):
        read_module(None, (None,))  # type: ignore[arg-type]
