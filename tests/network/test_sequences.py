"""A transformer of one's own: from a layer table, from ONNX, from PyTorch and from a model configuration."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from dse.cli import main
from dse.errors import InputError
from dse.objectives.network.blocks import Stack
from dse.objectives.network.catalog import load_network
from dse.objectives.network.importers.onnx import read_onnx
from dse.objectives.network.layers import Network
from dse.objectives.network.shapes import infer_shapes
from dse.objectives.network.training import training_step

WIDTH, HEADS, INNER, TOKENS, ROWS = 64, 4, 256, 32, 100


def expected() -> Network:
    stack = Stack(dropout=False, attention_dropout=False)
    stack.add("tokens", "tokens", shape=(1, TOKENS, 1))
    stack.add("table", "embedding", channels=WIDTH, rows=ROWS)
    stack.add("positions", "position", rows=TOKENS)
    entry = stack.top
    stack.add("norm1", "layer_norm")
    stack.attention(HEADS, WIDTH, bias=1)
    entry = stack.residual("sum1", entry)
    stack.add("norm2", "layer_norm")
    stack.feed_forward(INNER, WIDTH, "gelu")
    stack.residual("sum2", entry)
    return Network("expected", "expected", infer_shapes(stack.layers, ()))


TABLE = f"""layer,kind,inputs,channels,size,rows,heads
tokens,tokens,,,{TOKENS},,
table,embedding,,{WIDTH},,{ROWS},
positions,position,,,,{TOKENS},
norm1,layer_norm,,,,,
q,linear,norm1,{WIDTH},,,
k,linear,norm1,{WIDTH},,,
v,linear,norm1,{WIDTH},,,
attention,attention,q;k;v,,,,{HEADS}
projection,linear,,{WIDTH},,,
sum1,add,positions;projection,,,,
norm2,layer_norm,,,,,
up,linear,,{INNER},,,
gelu,gelu,,,,,
down,linear,,{WIDTH},,,
sum2,add,sum1;down,,,,
"""


def figures(network: Network) -> tuple[int, int, int, int]:
    """What must agree however a network is written."""
    step = training_step(network, 2)
    return (network.parameters, network.macs, sum(o.macs for o in step.operations),
            sum(t.size for t in step.stored() if t.kind == "activation"))


def test_layer_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.csv").write_text(TABLE, encoding="utf-8")
    network = load_network(str(tmp_path / "mine.csv"))
    assert figures(network) == figures(expected())
    assert network.macs == TOKENS * WIDTH * (4 * WIDTH + 2 * INNER) + 2 * TOKENS * TOKENS * WIDTH
    assert main(["workload", "show", str(tmp_path / "mine.csv"), "--phase", "training", "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["parameters"] == network.parameters and shown["macs"] == network.macs
    assert shown["peak_bytes"] == sum(shown["peak_bytes_by_class"].values())


@pytest.mark.parametrize(("row", "said"), [
    ("a,attention,q;k,,,,4", "a layer of kind attention needs 3"),
    ("a,attention,q;k;v,,,,7", "heads: 7 heads and 7 kv_heads must divide 64 channels"),
    ("a,attention,q;k;v,,,,", "heads is missing"),
    ("a,position,,,,8,", "rows: 8 positions are too few for 32 tokens"),
    ("a,multiply,q;up,,,,", "multiply needs equal sizes or 1 in the second"),
    ("a,embedding,q,8,,9,", "an embedding reads one number per token"),
    ("a,attenton,q;k;v,,,,4", "the nearest valid one is attention"),
])
def test_wrong_rows(row: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text(TABLE + row + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=said):
        load_network(str(tmp_path / "bad.csv"))


def test_tied_weights(tmp_path: Path) -> None:
    lines = [line + "," for line in TABLE.splitlines()]
    lines[0] += "shares"
    (tmp_path / "tied.csv").write_text("\n".join([*lines, f"logits,linear,,{ROWS},,,,table"]), encoding="utf-8")
    network = load_network(str(tmp_path / "tied.csv"))
    assert network.parameters == expected().parameters
    assert network.macs == expected().macs + TOKENS * WIDTH * ROWS
    (tmp_path / "tied.csv").write_text("\n".join([*lines, f"logits,linear,,{ROWS + 1},,,,table"]), encoding="utf-8")
    with pytest.raises(InputError, match="shares: table has 6400 weights, this layer needs 6464"):
        load_network(str(tmp_path / "tied.csv"))


def onnx_transformer(path: Path) -> Path:
    """The same, as exporters write it; weights have shapes only."""
    onnx = pytest.importorskip("onnx")
    helper, nodes, weights = onnx.helper, [], []

    def weight(*sizes: int) -> str:
        tensor = onnx.TensorProto(name=f"w{len(weights)}", dims=sizes, data_type=onnx.TensorProto.FLOAT)
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="absent.bin")
        weights.append(tensor)
        return str(tensor.name)

    def numbers(*values: int) -> str:
        weights.append(helper.make_tensor(f"n{len(weights)}", onnx.TensorProto.INT64, [len(values)], values))
        return str(weights[-1].name)

    def add(kind: str, *operands: str, outputs: int = 1, **attributes: Any) -> Any:
        results = [f"{kind}{len(nodes)}_{number}" for number in range(outputs)]
        nodes.append(helper.make_node(kind, operands, results, f"{kind}{len(nodes)}", **attributes))
        return results[0] if outputs == 1 else results

    def dense(source: str, inputs: int, outputs: int) -> str:
        return str(add("Add", add("MatMul", source, weight(inputs, outputs)), weight(outputs)))

    def heads(source: str, order: list[int]) -> str:
        return str(add("Transpose", add("Reshape", source, numbers(0, TOKENS, HEADS, WIDTH // HEADS)), perm=order))

    entry = add("Add", add("Gather", weight(ROWS, WIDTH), "tokens"), weight(1, TOKENS, WIDTH))
    normed = add("LayerNormalization", entry, weight(WIDTH), weight(WIDTH))
    query, key, value = add("Split", dense(normed, WIDTH, 3 * WIDTH), outputs=3, axis=2, num_outputs=3)
    scores = add("MatMul", heads(query, [0, 2, 1, 3]), heads(key, [0, 2, 3, 1]))
    attended = add("MatMul", add("Softmax", scores, axis=-1), heads(value, [0, 2, 1, 3]))
    joined = add("Reshape", add("Transpose", attended, perm=[0, 2, 1, 3]), numbers(0, TOKENS, WIDTH))
    entry = add("Add", entry, dense(joined, WIDTH, WIDTH))
    normed = add("LayerNormalization", entry, weight(WIDTH), weight(WIDTH))
    result = add("Add", entry, dense(add("Gelu", dense(normed, WIDTH, INNER)), INNER, WIDTH))
    graph = helper.make_graph(
        nodes, "graph", [helper.make_tensor_value_info("tokens", onnx.TensorProto.INT64, ["batch", TOKENS])],
        [helper.make_tensor_value_info(result, onnx.TensorProto.FLOAT, None)], weights,
    )
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]).SerializeToString())
    return path


def test_onnx(tmp_path: Path) -> None:
    assert figures(read_onnx(onnx_transformer(tmp_path / "mine.onnx"))) == figures(expected())


def test_onnx_becomes_a_layer_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = onnx_transformer(tmp_path / "mine.onnx")
    assert main(["workload", "import", str(path), "--output", str(tmp_path / "mine.json")]) == 0
    assert figures(load_network(str(tmp_path / "mine.json"))) == figures(expected())


CONFIGURATION = {"model_type": "gpt2", "n_embd": WIDTH, "n_layer": 2, "n_head": HEADS, "n_positions": TOKENS,
                 "vocab_size": ROWS}


def test_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIGURATION), encoding="utf-8")
    network = load_network(str(tmp_path / "config.json"))
    block = 12 * WIDTH * WIDTH + 13 * WIDTH
    assert network.parameters == (ROWS + TOKENS) * WIDTH + 2 * block + 2 * WIDTH
    assert network.name == tmp_path.name
    for phase in ("training", "prefill", "decode"):
        assert main(["workload", "show", str(tmp_path / "config.json"), "--phase", phase, "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["parameters"] == network.parameters
    table = tmp_path / "mine.csv"
    assert main(["workload", "import", str(tmp_path / "config.json"), "--output", str(table)]) == 0
    assert load_network(str(table)).layers == network.layers


@pytest.mark.parametrize(("change", "said"), [
    ({"model_type": "gpt3"}, "model_type: 'gpt3' is not supported, the nearest is gpt2"),
    ({"n_embd": None}, "n_embd is missing: a model of type gpt2 needs it"),
    ({"n_embd": "wide"}, "n_embd: 'wide' is not a whole number"),
    ({"n_head": 5}, "n_head: 5 heads do not divide 64 channels"),
    ({"attn_pdrop": 2}, "attn_pdrop: '2' is not a number from 0 to 1"),
    ({"activation_function": "sine"}, "activation_function: 'sine' is unknown"),
])
def test_wrong_configurations(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIGURATION | change), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_network(str(tmp_path / "config.json"))
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "config.json"))
    assert "\n" not in str(caught.value)


def test_torch_modules_of_several_layers() -> None:
    torch = pytest.importorskip("torch")
    from dse.objectives.network.importers.torch_fx import read_module

    lstm = torch.nn.LSTM(24, 48, num_layers=2, batch_first=True)
    network = read_module(lstm, torch.zeros(2, 10, 24))
    assert [layer.kind for layer in network.layers] == ["input", "lstm", "lstm"]
    assert network.parameters == sum(parameter.numel() for parameter in lstm.parameters())
    encoder = torch.nn.TransformerEncoder(torch.nn.TransformerEncoderLayer(64, 4, 256, batch_first=True), 3,
                                          enable_nested_tensor=False)
    network = read_module(encoder, torch.zeros(2, 10, 64))
    assert network.parameters == sum(parameter.numel() for parameter in encoder.parameters())
    with pytest.raises(InputError, match="batch_first=True"):
        read_module(torch.nn.LSTM(24, 48), torch.zeros(2, 2, 24))


def test_torch_is_not_needed_for_onnx(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert read_onnx(onnx_transformer(tmp_path / "mine.onnx")).parameters == expected().parameters
