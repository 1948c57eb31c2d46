"""Transformers from model configurations, the ``config.json`` files of Hugging Face.

Each family's layers follow its published model; keys and their defaults are those of the files. Sources: BERT, Devlin
et al., arXiv 1810.04805; GPT-2, Radford et al. 2019; Llama, Touvron et al., arXiv 2307.09288; Mixtral, Jiang et al.,
arXiv 2401.04088; ViT, Dosovitskiy et al., arXiv 2010.11929. A key ``source`` and a key ``title`` may stand beside the
model's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dse.errors import InputError
from dse.objectives.network.blocks import Stack
from dse.objectives.network.layers import Network
from dse.objectives.network.shapes import infer_shapes, with_sequence
from dse.objectives.network.transformer import Transformer
from dse.text import nearest, quoted

LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelConfiguration:
    """A configuration's values, with the file that they stand in."""

    values: Mapping[str, Any]
    file: str

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number. Raises InputError where it is none, or missing without a default."""
        value = self.values.get(key)
        value = default if value is None else value
        if value is None:
            raise InputError(f"{key} is missing: a model of type {self.values['model_type']} needs it", file=self.file)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST:
            raise InputError(f"{key}: {quoted(str(value))} is not a whole number from 1 to {LARGEST}", file=self.file)
        return value

    def heads(self, key: str, width: int) -> int:
        """Heads that divide a width."""
        heads = self.whole(key)
        if width % heads:
            raise InputError(f"{key}: {heads} heads do not divide {width} channels", file=self.file)
        return heads

    def flag(self, key: str, default: bool) -> bool:
        """A switch."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise InputError(f"{key}: {quoted(str(value))} is neither true nor false", file=self.file)
        return value

    def share(self, key: str, default: float) -> float:
        """A probability."""
        value = self.values.get(key, default)
        if not isinstance(value, int | float) or not 0 <= value < 1:
            raise InputError(f"{key}: {quoted(str(value))} is not a number from 0 to 1", file=self.file)
        return float(value)

    def gate(self, key: str, default: str) -> str:
        """The kind of layer that an activation function is."""
        text = str(self.values.get(key, default))
        for name, kind in {"gelu": "gelu", "silu": "silu", "swish": "silu", "relu": "relu", "tanh": "tanh"}.items():
            if text.startswith(name):
                return kind
        raise InputError(f"{key}: {quoted(text)} is unknown, write gelu, silu, relu or tanh", file=self.file)


def network_from_configuration(name: str, values: Mapping[str, Any], file: str) -> Network:
    """Network of a configuration. Raises InputError naming file and key."""
    family = str(values.get("model_type"))
    if family not in FAMILIES:
        raise InputError(f"model_type: {quoted(family)} is not supported, the nearest is {nearest(family, FAMILIES)}: "
                         f"supported are {', '.join(FAMILIES)}", file=file)
    stack = FAMILIES[family](ModelConfiguration(values, file))
    try:
        layers = infer_shapes(stack.layers)
    except InputError as problem:
        raise InputError(f"the sizes do not fit: {problem}", file=file) from None
    return Network(name, str(values.get("title", name)), layers)


def network_of_transformer(model: Transformer) -> Network:
    """The layers of a decoder that is given by its sizes, for sequences of its context."""
    values = {
        "model_type": "llama", "title": model.title, "hidden_size": model.hidden, "num_hidden_layers": model.layers,
        "num_attention_heads": model.heads, "num_key_value_heads": model.kv_heads, "vocab_size": model.vocabulary,
        "intermediate_size": model.feed_forward,
    }
    return with_sequence(network_from_configuration(model.name, values, model.name), model.context)


def _bert(given: ModelConfiguration) -> Stack:
    """Encoder: three embeddings, blocks that normalize after each sum, and a pooler over the first token."""
    width, tokens = given.whole("hidden_size"), given.whole("max_position_embeddings", 512)
    stack = Stack(dropout=given.share("hidden_dropout_prob", 0.1) > 0,
                  attention_dropout=given.share("attention_probs_dropout_prob", 0.1) > 0)
    stack.add("tokens", "tokens", shape=(1, tokens, 1))
    stack.add("types", "tokens", shape=(1, tokens, 1))
    words = stack.add("words", "embedding", "tokens", channels=width, rows=given.whole("vocab_size"), split="column")
    kinds = stack.add("token_types", "embedding", "types", channels=width, rows=given.whole("type_vocab_size", 2))
    stack.add("embedded", "add", words, kinds)
    stack.add("positions", "position", rows=tokens)
    stack.add("embedding_norm", "layer_norm")
    stack.drop("embedding")
    for number in range(given.whole("num_hidden_layers")):
        stack.begin(f"layer{number}")
        entry = stack.top
        stack.attention(given.heads("num_attention_heads", width), width, bias=1)
        stack.residual("attention_sum", entry)
        entry = stack.add("attention_norm", "layer_norm")
        stack.feed_forward(given.whole("intermediate_size"), width, given.gate("hidden_act", "gelu"))
        stack.residual("output_sum", entry)
        stack.add("output_norm", "layer_norm")
    stack.end()
    stack.add("first_token", "select")
    stack.add("pooler", "linear", channels=width)
    stack.add("pooler_tanh", "tanh")
    return stack


def _gpt2(given: ModelConfiguration) -> Stack:
    """Decoder: blocks that normalize before each branch; the output shares the embedding's weights."""
    width = given.whole("n_embd")
    dropout = given.share("resid_pdrop", 0.1) > 0
    stack = Stack(dropout=dropout, attention_dropout=given.share("attn_pdrop", 0.1) > 0)
    tokens = given.whole("n_positions", 1024)
    vocabulary = given.whole("vocab_size", 50257)
    stack.add("tokens", "tokens", shape=(1, tokens, 1))
    stack.add("words", "embedding", channels=width, rows=vocabulary, split="column")
    stack.add("positions", "position", rows=tokens)
    stack.drop("embedding")
    for number in range(given.whole("n_layer")):
        stack.begin(f"layer{number}")
        entry = stack.top
        stack.add("norm1", "layer_norm")
        stack.attention(given.heads("n_head", width), width, bias=1)
        entry = stack.residual("attention_sum", entry)
        stack.add("norm2", "layer_norm")
        stack.feed_forward(given.whole("n_inner", 4 * width), width, given.gate("activation_function", "gelu_new"))
        stack.residual("output_sum", entry)
    stack.end()
    stack.add("norm", "layer_norm")
    stack.add("logits", "linear", channels=vocabulary, bias=0, shares="words", split="column")
    return stack


def _llama(given: ModelConfiguration) -> Stack:
    """Decoder: root-mean-square norms, rotary positions, grouped queries, and a gated feed-forward part or experts."""
    width, vocabulary = given.whole("hidden_size"), given.whole("vocab_size")
    heads = given.whole("num_attention_heads") if "head_dim" in given.values else given.heads(
        "num_attention_heads", width
    )
    stack = Stack(dropout=False, attention_dropout=given.share("attention_dropout", 0.0) > 0)
    stack.add("tokens", "tokens", shape=(1, min(given.whole("max_position_embeddings", 2048), DEFAULT_CONTEXT), 1))
    stack.add("words", "embedding", channels=width, rows=vocabulary, split="column")
    for number in range(given.whole("num_hidden_layers")):
        stack.begin(f"layer{number}")
        entry = stack.top
        stack.add("norm1", "rms_norm")
        stack.attention(heads, width, kv_heads=given.whole("num_key_value_heads", heads),
                        size=given.whole("head_dim", width // heads), bias=int(given.flag("attention_bias", False)),
                        output_bias=int(given.flag("attention_bias", False)), rotary=True)
        entry = stack.residual("attention_sum", entry)
        stack.add("norm2", "rms_norm")
        _gated(given, stack, width)
        stack.residual("output_sum", entry)
    stack.end()
    stack.add("norm", "rms_norm")
    tied = {"shares": "words"} if given.flag("tie_word_embeddings", False) else {}
    stack.add("logits", "linear", channels=vocabulary, bias=0, split="column", **tied)
    return stack


def _gated(given: ModelConfiguration, stack: Stack, width: int) -> None:
    """The gated feed-forward part of a Llama, or a Mixtral's routed experts."""
    gate, inner = given.gate("hidden_act", "silu"), given.whole("intermediate_size")
    if given.values["model_type"] == "mixtral":
        stack.experts(inner, width, gate, given.whole("num_local_experts", 8), given.whole("num_experts_per_tok", 2))
    else:
        stack.gated(inner, width, gate)


def _vit(given: ModelConfiguration) -> Stack:
    """Encoder of image patches with a class token, and a classifier over that token."""
    width, image, patch = given.whole("hidden_size"), given.whole("image_size", 224), given.whole("patch_size", 16)
    dropout = given.share("hidden_dropout_prob", 0.0) > 0
    stack = Stack(dropout=dropout, attention_dropout=given.share("attention_probs_dropout_prob", 0.0) > 0)
    patches = (image // patch) ** 2
    stack.add("image", "input", shape=(given.whole("num_channels", 3), image, image))
    stack.add("patches", "conv", channels=width, kernel=(patch, patch), stride=(patch, patch))
    stack.add("sequence", "reshape", shape=(width, patches, 1))
    stack.add("class_token", "class_token")
    stack.add("positions", "position", rows=patches + 1)
    stack.drop("embedding")
    for number in range(given.whole("num_hidden_layers")):
        stack.begin(f"layer{number}")
        entry = stack.top
        stack.add("norm1", "layer_norm")
        stack.attention(given.heads("num_attention_heads", width), width, bias=int(given.flag("qkv_bias", True)))
        entry = stack.residual("attention_sum", entry)
        stack.add("norm2", "layer_norm")
        stack.feed_forward(given.whole("intermediate_size"), width, given.gate("hidden_act", "gelu"))
        stack.residual("output_sum", entry)
    stack.end()
    stack.add("norm", "layer_norm")
    stack.add("first_token", "select")
    stack.add("head", "linear", channels=given.whole("num_labels", 1000))
    return stack


DEFAULT_CONTEXT = 2048
"""Tokens of a Llama's sequence where none are asked for: its configuration may allow far more."""
FAMILIES: dict[str, Callable[[ModelConfiguration], Stack]] = {
    "bert": _bert, "gpt2": _gpt2, "llama": _llama, "mistral": _llama, "mixtral": _llama, "vit": _vit,
}
"""Families of models, by ``model_type``."""
