"""Networks as lists of layers, with shapes, parameters and multiply-accumulate operations.

Shapes are (channels, height, width) of one sample: an image, or a sequence of `height` tokens of width 1. Counts
follow the usual conventions: a multiply-accumulate (MAC) is one multiplication with its addition, biases add none;
parameters include biases and the scale and shift of a normalization, but not its running statistics.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dse.errors import InputError

Shape = tuple[int, int, int]
Pair = tuple[int, int]

INPUT, TOKENS = "input", "tokens"
"""Inputs: numbers, and whole numbers that say which rows of an embedding to take."""
INPUTS = (INPUT, TOKENS)
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
"""Recurrent cells, with the products of H x (input + H) that each runs per time step."""
WEIGHTED = ("conv", "fc", "linear", "expert_linear")
"""Kinds that multiply by weights, with `channels` outputs and perhaps a bias."""
TABLES = ("embedding", "position", "class_token")
"""Kinds that hold rows of learned numbers."""
NORMALIZATIONS = ("batch_norm", "layer_norm", "rms_norm")
POOLS = ("max_pool", "avg_pool", "global_avg_pool")
ACTIVATIONS = ("relu", "clamp", "gelu", "silu", "sigmoid", "tanh")
SINGLE = (*ACTIVATIONS, "lrn", *NORMALIZATIONS, "dropout", "softmax", "rotary", "scale")
JOINS = ("add", "concat", "multiply", "attention", "matmul", "dispatch", "combine")
ARRANGEMENTS = ("reshape", "select")
KINDS = (*INPUTS, *WEIGHTED, *GATES, *TABLES, *POOLS, *SINGLE, *JOINS, *ARRANGEMENTS)
SOURCES = {"attention": 3, "matmul": 2, "multiply": 2, "dispatch": 2, "combine": 2}
"""Kinds that read so many layers, neither more nor fewer."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: what it computes, from which layers, and the `shape` it produces.

    `channels` are the outputs of a product or the width of an embedding. `kernel`, `stride` and `padding` are (height,
    width). `bias` counts bias vectors: 0 or 1, in recurrent cells up to 2. `rounding` says whether a pooling window
    may hang over the edge (``ceil``, as in Caffe). `rows`: of an embedding or a table of positions. `heads` and
    `kv_heads`: of queries, and of keys and values. `experts` and `active`: how many there are, and how many a token
    goes to. `dropout`: 1 where the probabilities of attention are dropped out in training. `shares`: the layer whose
    weights it uses instead of its own. `split`: how a product is divided among tensor parallel devices, by ``column``
    (outputs) or ``row`` (inputs). `block`: name of the stretch of layers that is recomputed as a whole.
    """

    name: str
    kind: str
    inputs: tuple[str, ...] = ()
    channels: int = 0
    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    groups: int = 1
    bias: int = 1
    rounding: str = "ceil"
    shape: Shape = (0, 0, 0)
    sources: tuple[Shape, ...] = ()
    rows: int = 0
    heads: int = 0
    kv_heads: int = 0
    experts: int = 0
    active: int = 0
    dropout: int = 0
    shares: str = ""
    split: str = ""
    block: str = ""

    @property
    def elements(self) -> int:
        """Numbers it produces per sample."""
        return volume(self.shape)

    @property
    def positions(self) -> int:
        """Places of an image, or tokens of a sequence, that it produces per sample."""
        return self.shape[1] * self.shape[2]

    @property
    def weights(self) -> int:
        """Weights without biases that it multiplies by, its own or shared: outputs x inputs of a group x taps."""
        match self.kind:
            case "conv":
                return self.channels * (self.sources[0][0] // self.groups) * self.kernel[0] * self.kernel[1]
            case "fc":
                return self.channels * volume(self.sources[0])
            case "linear":
                return self.channels * self.sources[0][0]
            case "expert_linear":
                return self.experts * self.channels * self.sources[0][0]
            case "rnn" | "gru" | "lstm":
                return GATES[self.kind] * self.channels * (self.channels + self.sources[0][0])
            case "embedding" | "position":
                return self.rows * self.shape[0]
            case "batch_norm" | "layer_norm" | "rms_norm" | "class_token":
                return self.shape[0]
        return 0

    @property
    def parameters(self) -> int:
        """All trained numbers of its own."""
        if self.shares:
            return 0
        match self.kind:
            case "conv" | "fc" | "linear":
                return self.weights + self.bias * self.channels
            case "expert_linear":
                return self.weights + self.bias * self.channels * self.experts
            case "rnn" | "gru" | "lstm":
                return self.weights + self.bias * GATES[self.kind] * self.channels
            case "batch_norm" | "layer_norm":
                return 2 * self.weights
        return self.weights

    @property
    def macs(self) -> int:
        """Multiply-accumulates of its matrix products per sample."""
        match self.kind:
            case "conv" | "fc" | "linear":
                return self.weights * self.positions
            case "expert_linear":
                return self.channels * self.sources[0][0] * self.positions
            case "rnn" | "gru" | "lstm":
                return self.weights * self.positions
            case "attention":
                return 2 * self.shape[0] * self.positions * self.sources[1][1] * self.sources[1][2]
            case "matmul":
                return self.elements * self.sources[0][2]
        return 0


@dataclass(frozen=True, slots=True)
class Network:
    """Layers in the order they run; each takes its inputs from layers before it."""

    name: str
    title: str
    layers: tuple[Layer, ...]

    @property
    def parameters(self) -> int:
        """All trained numbers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulates per sample."""
        return sum(layer.macs for layer in self.layers)

    @property
    def by_name(self) -> Mapping[str, Layer]:
        """Layers by their names."""
        return {layer.name: layer for layer in self.layers}

    @property
    def sequence(self) -> int | None:
        """Tokens of its input where that is a sequence of tokens."""
        return next((layer.shape[1] for layer in self.layers if layer.kind == TOKENS), None)

    def users(self, name: str) -> int:
        """How many layers read what a layer produces."""
        return sum(layer.inputs.count(name) for layer in self.layers)


def volume(shape: Shape) -> int:
    """Elements of a shape."""
    return shape[0] * shape[1] * shape[2]


def written(shape: Iterable[int]) -> str:
    """A shape as messages and layer tables print it."""
    return "x".join(map(str, shape))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a layer stands in a file, for messages."""

    file: str | None = None
    line: int | None = None
    item: str = ""

    def wrong(self, message: str) -> InputError:
        """The error to raise here."""
        return InputError(f"{self.item}{message}", file=self.file, line=self.line)

