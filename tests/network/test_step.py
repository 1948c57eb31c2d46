"""The training step against the literature, brute force, and its own invariants."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import InputError
from dse.objectives.network.blocks import Stack
from dse.objectives.network.catalog import load_network, network_names
from dse.objectives.network.layers import Layer, Network
from dse.objectives.network.parallel import bytes_per_parameter, pipeline_share, tensor_parallel
from dse.objectives.network.precision import FUSED, Storage, load_precision
from dse.objectives.network.shapes import infer_shapes, with_sequence
from dse.objectives.network.step import (
    BACKWARD_KINDS,
    FORWARD,
    INPUT_GRADIENT,
    UPDATE,
    WEIGHT,
    WEIGHT_GRADIENT,
    Step,
    Tensor,
)
from dse.objectives.network.training import inference_step, training_step

MIB = 1 << 20
PARAMETERS = {
    "bert-base": 109_482_240, "gpt2": 124_439_808, "gpt2-xl": 1_557_611_200, "llama-2-7b": 6_738_415_616,
    "mixtral-8x7b": 46_702_792_704, "vit-b-16": 86_567_656, "resnet-34": 21_797_672, "resnet-50": 25_557_032,
    "vgg-19": 143_667_240,
}
"""Trained numbers of the released models: torchvision's and Hugging Face's model cards."""
RECURRENT = {"rnn-gemv": (1, 2048), "rnn-lstm-1": (4, 1024), "rnn-lstm-2": (4, 2048), "rnn-gru": (3, 1536)}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str) -> None:
    network = load_network(name)
    step = inference_step(network, 1)
    assert network.parameters == PARAMETERS[name]
    assert sum(tensor.elements for tensor in step.tensors if tensor.kind == WEIGHT) == PARAMETERS[name]


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_networks_have_a_product_per_time_step(name: str) -> None:
    gates, width = RECURRENT[name]
    network = load_network(name)
    steps = network.layers[0].shape[1]
    operations = training_step(network, 512).operations
    assert network.parameters == gates * width * 2 * width
    assert network.macs == steps * network.parameters
    for kind in (FORWARD, WEIGHT_GRADIENT):
        assert sum(bool(operation.products) for operation in operations if operation.kind == kind) == steps


@pytest.mark.parametrize(("name", "batch", "optimizer", "peak"), [
    ("alexnet", 64, "momentum", 1197), ("googlenet", 32, "momentum", 979), ("vgg-19", 16, "momentum", 2638),
    ("resnet-34", 32, "momentum", 1139), ("gpt2", 4, "adam", 7001),
])
def test_peaks_of_an_independent_prototype(name: str, batch: int, optimizer: str, peak: int) -> None:
    """Single precision, no dropout in GPT-2, its scores stored; pages of 64 KiB are all that differs."""
    step = training_step(load_network(name), batch, optimizer=optimizer, storage=Storage(dropout=name != "gpt2"))
    assert step.peak_bytes / MIB == pytest.approx(peak, rel=0.01)


def test_mixed_precision_takes_16_bytes_per_parameter() -> None:
    step = training_step(load_network("llama-2-7b"), 1, precision="bf16", optimizer="adam")
    held = {kind: size for kind, size in step.bytes_by_class.items()
            if kind in ("weight", "weight_gradient", "optimizer_state")}
    assert sum(held.values()) == 16 * step.parameters
    assert load_precision("bf16").bytes_per_parameter("adam") == 16
    assert load_precision("bf16-fp32-gradients").bytes_per_parameter("adam") == 18
    at_peak = step.live_bytes_by_class()
    peak = int(step.live_bytes().argmax())
    assert sum(int(at_peak[kind][peak]) for kind in at_peak) == step.peak_bytes


def test_zero() -> None:
    precision = load_precision("bf16")
    assert bytes_per_parameter(precision, "adam", 64, 1) == 4 + 12 / 64
    assert bytes_per_parameter(precision, "adam", 64, 2) == 2 + 14 / 64
    assert bytes_per_parameter(precision, "adam", 64, 3) == 16 / 64
    assert bytes_per_parameter(load_precision("bf16-fp32-gradients"), "adam") == 18


def transformer_layer(tokens: int, width: int, heads: int) -> Network:
    """One layer as Korthikanti et al. draw it (figure 2), with its input as it comes from the layer before."""
    stack = Stack(dropout=True, attention_dropout=True)
    stack.add("before", "tokens", shape=(1, tokens, 1))
    stack.add("table", "embedding", channels=width, rows=8)
    stack.begin("layer")
    entry = stack.top
    stack.add("norm1", "layer_norm")
    stack.attention(heads, width, bias=1)
    entry = stack.residual("sum1", entry)
    stack.add("norm2", "layer_norm")
    stack.feed_forward(4 * width, width, "gelu")
    stack.residual("sum2", entry)
    return Network("layer", "layer", infer_shapes(stack.layers))


def stored_bytes(network: Network, batch: int, recompute: str = "none") -> int:
    """Bytes in 16 bit without the tokens; statistics of norms are left out, as in the paper."""
    step = training_step(network, batch, precision="bf16", optimizer="adam", recompute=recompute,
                         storage=Storage(statistics=False))
    return sum(tensor.size for tensor in step.stored() if tensor.kind != "input")


S, B, H, A = 128, 2, 256, 8
TERM = 5 * A * S / H


@pytest.mark.parametrize(("recompute", "per"), [("none", 34 + TERM), ("selective", 34.0), ("full", 2.0)])
def test_activations_of_a_transformer_layer(recompute: str, per: float) -> None:
    """Korthikanti et al., arXiv 2205.05198, equations 1 and 6, and section 4.1."""
    assert stored_bytes(transformer_layer(S, H, A), B, recompute) == S * B * H * per


@pytest.mark.parametrize("degree", [2, 4, 8])
@pytest.mark.parametrize("selective", [False, True])
def test_activations_of_tensor_and_sequence_parallel_layers(degree: int, selective: bool) -> None:
    """Korthikanti et al., equations 2 and 4; with selective recomputation without the attention's term, equation 6."""
    term, recompute = (0.0, "selective") if selective else (TERM, "none")
    network = transformer_layer(S, H, A)
    assert stored_bytes(tensor_parallel(network, degree), B, recompute) == S * B * H * (10 + (24 + term) / degree)
    along = tensor_parallel(network, degree, sequence=True)
    assert stored_bytes(along, B, recompute) == S * B * H * (34 + term) / degree


def test_pipelines() -> None:
    assert pipeline_share(8) == 1
    assert pipeline_share(8, 3) == 1 + 7 / 24


def test_parallel_devices_share_the_parameters() -> None:
    network = load_network("llama-2-7b")
    share = tensor_parallel(network, 8)
    norms = sum(layer.parameters for layer in network.layers if layer.kind == "rms_norm")
    assert (share.parameters - norms) * 8 == network.parameters - norms
    assert share.macs * 8 == network.macs
    with pytest.raises(InputError, match="devices do not divide"):
        tensor_parallel(network, 7)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Random small networks of sums, concatenations, products and cheap layers."""
    layers = [Layer("data", "input", shape=(4, 6, 6))]
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(["conv", "relu", "batch_norm", "dropout", "add", "gelu", "lrn", "tanh"]))
        names = [layer.name for layer in layers]
        count = 2 if kind == "add" else 1
        inputs = tuple(draw(st.sampled_from(names)) for _ in range(count))
        sizes = {"channels": 4, "kernel": (3, 3), "padding": (1, 1)} if kind == "conv" else {}
        layers.append(Layer(f"l{number}", kind, inputs, **sizes))  # type: ignore[arg-type]
    layers.append(Layer("out", "fc", (layers[-1].name,), channels=3))
    return Network("random", "random", infer_shapes(layers))


def simulated_peak(step: Step) -> int:
    """Bytes at the fullest moment, by allocating before first and freeing after last use, one operation at a time."""
    uses: dict[int, list[int]] = {}
    for number, operation in enumerate(step.operations):
        for access in (*operation.reads, *operation.writes):
            uses.setdefault(access.tensor, []).append(number)
    held = {index for index, tensor in enumerate(step.tensors) if tensor.persistent}
    peak = 0
    for number in range(len(step.operations)):
        held |= {index for index, when in uses.items() if min(when) == number}
        peak = max(peak, sum(step.tensors[index].elements * step.tensors[index].bytes_per_element for index in held))
        held -= {index for index, when in uses.items() if max(when) == number and not step.tensors[index].persistent}
    return peak


POLICIES = st.sampled_from(["none", "cheap", "full", "every-2", "every-3"])


@settings(deadline=None, max_examples=150)
@given(networks(), st.integers(1, 3), POLICIES, st.booleans(), st.integers(1, 2))
def test_peak_is_that_of_brute_force(
    network: Network, batch: int, recompute: str, in_place: bool, microbatches: int
) -> None:
    step = training_step(network, batch * microbatches, recompute=recompute, storage=Storage(in_place=in_place),
                         microbatches=microbatches)
    assert step.peak_bytes == simulated_peak(step)
    classes = step.live_bytes_by_class().values()
    assert step.peak_bytes == sum(live[int(step.live_bytes().argmax())] for live in classes)


@settings(deadline=None, max_examples=150)
@given(networks(), POLICIES, st.booleans())
def test_no_operation_reads_what_nothing_wrote(network: Network, recompute: str, in_place: bool) -> None:
    """And what an operation overwrites in place is not read later as what it was."""
    step = training_step(network, 2, recompute=recompute, storage=Storage(in_place=in_place))
    there = {index for index, tensor in enumerate(step.tensors) if tensor.persistent or tensor.kind == "input"}
    for operation in step.operations:
        assert {access.tensor for access in operation.reads} <= there
        there |= {access.tensor for access in operation.writes}


def values_read(step: Step) -> list[tuple[str, list[str]]]:
    """What each operation reads, named by the operation that wrote it (again: a dropped result is the same result)."""
    written: dict[int, str] = {}
    found = []
    for operation in step.operations:
        found.append((operation.name, [written.get(access.tensor, "given") for access in operation.reads]))
        for access in operation.writes:
            written[access.tensor] = operation.name.replace(" recompute", " forward")
    return [entry for entry in found if not entry[0].endswith("recompute")]


@settings(deadline=None, max_examples=150)
@given(networks(), POLICIES)
def test_working_in_place_destroys_nothing_that_is_read(network: Network, recompute: str) -> None:
    """Every operation reads the values that it reads where each result has a tensor of its own.

    Dropout over a ReLU's result is left out: what the ReLU reads of it, the sign, is still there.
    """
    layers = [replace(layer, kind="sigmoid" if layer.kind == "dropout" else layer.kind) for layer in network.layers]
    network = replace(network, layers=infer_shapes(layers))
    apart = training_step(network, 1, storage=Storage(in_place=False))
    assert values_read(training_step(network, 1, recompute=recompute)) == values_read(apart)


@settings(deadline=None, max_examples=100)
@given(networks(), POLICIES)
def test_recomputation_changes_nothing_else(network: Network, recompute: str) -> None:
    plain, again = (training_step(network, 2, recompute=policy) for policy in ("none", recompute))
    for kind in (FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT, UPDATE):
        one, other = ([(o.name, o.macs, o.words) for o in step.operations if o.kind == kind]
                      for step in (plain, again))
        assert one == other


@settings(deadline=None, max_examples=100)
@given(networks())
def test_every_layer_is_trained_once(network: Network) -> None:
    """Results that nothing reads are outputs, each with a loss."""
    step = training_step(network, 1)
    weighted = sorted(layer.name for layer in network.layers if layer.parameters)
    assert sorted(o.layer for o in step.operations if o.kind == WEIGHT_GRADIENT) == weighted
    assert sorted(o.layer for o in step.operations if o.kind == UPDATE) == weighted


@pytest.mark.parametrize("name", network_names())
def test_backward_has_twice_the_products_but_for_the_first_layer(name: str) -> None:
    network = load_network(name)
    operations = training_step(network, 2).operations
    sums = {kind: sum(o.macs for o in operations if o.kind == kind) for kind in (FORWARD, *BACKWARD_KINDS)}
    assert sums[FORWARD] == 2 * network.macs
    first = next(layer for layer in network.layers if layer.macs)
    inputs = {layer.name for layer in network.layers if layer.kind == "input"}
    backward = sums[INPUT_GRADIENT] + sums[WEIGHT_GRADIENT]
    if first.kind in ("rnn", "gru", "lstm"):
        assert backward < 4 * network.macs
    else:
        assert backward == 4 * network.macs - (2 * first.macs if set(first.inputs) <= inputs else 0)


def test_microbatches_store_less_and_compute_the_same() -> None:
    network = load_network("resnet-34")
    whole, split = (training_step(network, 32, microbatches=count) for count in (1, 4))
    assert sum(o.macs for o in whole.operations) == sum(o.macs for o in split.operations)
    assert split.peak_bytes < whole.peak_bytes / 2
    assert split.persistent_bytes == whole.persistent_bytes
    with pytest.raises(InputError, match="microbatches divide"):
        training_step(network, 32, microbatches=5)


def test_recompute_policies_hold_less() -> None:
    network = load_network("gpt2")
    peaks = {policy: training_step(network, 4, precision="bf16", optimizer="adam", recompute=policy).peak_bytes
             for policy in ("none", "cheap", "selective", "full")}
    assert peaks["full"] < peaks["cheap"] < peaks["none"]
    assert peaks["full"] < peaks["selective"] < peaks["none"]
    named = training_step(network, 4, recompute=["layer0.attention"])
    assert {o.layer for o in named.operations if o.kind == "recompute"} == {"layer0.attention"}
    for policy in ("most", "every-0", ["layer99"]):
        with pytest.raises(InputError, match="recompute"):
            training_step(network, 4, recompute=policy)


def test_fused_attention_stores_no_scores() -> None:
    network = load_network("gpt2")
    stored, fused = (training_step(network, 1, storage=Storage(attention=attention))
                     for attention in ("stored", FUSED))
    scores = 12 * 1024 * 1024
    assert max(t.elements for t in fused.stored() if t.kind == "activation") < scores
    assert sum(o.macs for o in fused.operations) - sum(o.macs for o in stored.operations) == (
        12 * 12 * 1024 * 1024 * 64  # scores are computed once more per layer and head
    )


def test_decoding_reads_all_that_is_cached() -> None:
    network = load_network("llama-2-7b")
    decode = inference_step(network, 2, phase="decode", context=1000, precision="bf16")
    caches = {index: tensor for index, tensor in enumerate(decode.tensors) if tensor.kind == "key_value_cache"}
    assert sum(tensor.size for tensor in caches.values()) == 2 * 2 * 32 * 4096 * 1001 * 2
    for index, tensor in caches.items():
        writes = [a for o in decode.operations for a in o.writes if a.tensor == index]
        assert sum(access.size for access in writes) <= 2 * tensor.size // 1001
        assert any(a.size == tensor.size for o in decode.operations for a in o.reads if a.tensor == index)
    prefill = inference_step(network, 2, phase="prefill", context=1001, precision="bf16")
    assert prefill.bytes_by_class["key_value_cache"] == decode.bytes_by_class["key_value_cache"]
    with pytest.raises(InputError, match="does not attend"):
        inference_step(load_network("alexnet"), 1, phase="decode")


def test_experts_are_read_as_tokens_reach_them() -> None:
    network = load_network("mixtral-8x7b")
    decode = inference_step(network, 1, phase="decode", context=100, precision="bf16")
    read = sum(a.size for o in decode.operations for a in o.reads if decode.tensors[a.tensor].kind == WEIGHT)
    assert 12.7e9 < read / 2 < 13e9  # "uses 13B active parameters" per token, arXiv 2401.04088, section 1
    assert with_sequence(network, 64).sequence == 64


def test_steps_are_made_fast() -> None:
    for name in network_names():
        network = load_network(name)
        begin = time.process_time()
        training_step(network, 4, precision="bf16", optimizer="adam")
        assert time.process_time() - begin < 0.4, name  # 0.2 s on an idle machine
    long = load_network("rnn-gru").layers
    steps = replace(long[0], shape=(1536, 2500, 1))
    network = Network("long", "long", infer_shapes((steps, *long[1:]), ()))
    begin = time.process_time()
    step = training_step(network, 1)
    assert len(step.operations) > 10_000 - 2
    assert int(step.live_bytes()[0]) <= step.peak_bytes
    assert time.process_time() - begin < 1


def test_tensors_have_lifetimes() -> None:
    step = training_step(load_network("alexnet"), 1)
    assert all(tensor.first <= tensor.last < len(step.operations) for tensor in step.tensors)
    assert isinstance(step.tensors[0], Tensor) and np.all(step.live_bytes() > 0)
