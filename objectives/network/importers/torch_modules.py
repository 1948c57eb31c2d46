"""PyTorch's own modules of several layers, which torch.fx does not look into."""

from collections.abc import Callable
from typing import Any

from dse.objectives.network.importers.layer_table import LayerTable, Operator
from dse.objectives.network.importers.sequences import Head, put_attention
from dse.objectives.network.layers import Place


def add_attention_module(table: LayerTable, operator: Operator, module: Any) -> list[str]:
    """``torch.nn.MultiheadAttention`` of queries, keys and values (batch x tokens x channels); its results' layers."""
    sources = table.arranged(operator)
    sources = sources if len(sources) == 3 else (sources[0],) * 3
    last = put_attention(table, operator.name, sources, _head(module, operator.place), operator.place,
                         dropout=module.dropout > 0 and module.training)
    return [last, last]


def _head(module: Any, place: Place) -> Head:
    """Sizes of an attention module. Raises InputError where its results do not begin with the batch."""
    if not module.batch_first or module.kdim != module.embed_dim or module.vdim != module.embed_dim:
        raise place.wrong("give attention batch_first=True, and keys and values as wide as queries")
    return Head(width=module.embed_dim, heads=module.num_heads, bias=int(module.in_proj_bias is not None))


def add_encoder_layer(table: LayerTable, operator: Operator, module: Any) -> list[str]:
    """``torch.nn.TransformerEncoderLayer``: attention and a feed-forward part, each added to what it began with."""
    (entry,) = table.arranged(operator)[:1]
    return [_encoder_layer(table, operator.name, entry, operator.place, module)]


def _encoder_layer(table: LayerTable, name: str, entry: str, place: Place, module: Any) -> str:
    """The last layer of an encoder layer whose norms stand before or after the sums."""
    attended = _branch(table, f"{name}/norm1", entry, place, module.norm_first)
    attended = put_attention(table, f"{name}/self_attn", (attended,) * 3, _head(module.self_attn, place), place,
                             dropout=module.self_attn.dropout > 0 and module.training)
    attended = _dropped(table, f"{name}/dropout1", attended, place, module.dropout1)
    entry = table.put(f"{name}/sum1", "add", (entry, attended), place)
    entry = _branch(table, f"{name}/norm1", entry, place, not module.norm_first)
    result = _branch(table, f"{name}/norm2", entry, place, module.norm_first)
    result = table.put(f"{name}/linear1", "linear", (result,), place, channels=module.linear1.out_features,
                       bias=int(module.linear1.bias is not None))
    gate = "gelu" if "gelu" in str(getattr(module.activation, "__name__", module.activation)).lower() else "relu"
    result = table.put(f"{name}/activation", gate, (result,), place)
    result = _dropped(table, f"{name}/dropout", result, place, module.dropout)
    result = table.put(f"{name}/linear2", "linear", (result,), place, channels=module.linear2.out_features,
                       bias=int(module.linear2.bias is not None))
    result = _dropped(table, f"{name}/dropout2", result, place, module.dropout2)
    last = table.put(f"{name}/sum2", "add", (entry, result), place)
    return _branch(table, f"{name}/norm2", last, place, not module.norm_first)


def _branch(table: LayerTable, name: str, source: str, place: Place, normalizes: bool) -> str:
    """A norm where there is one here."""
    return table.put(name, "layer_norm", (source,), place) if normalizes else source


def _dropped(table: LayerTable, name: str, source: str, place: Place, module: Any) -> str:
    """Dropout where there is any."""
    return table.put(name, "dropout", (source,), place) if module.p > 0 and module.training else source


def add_encoder(table: LayerTable, operator: Operator, module: Any) -> list[str]:
    """``torch.nn.TransformerEncoder``: layers one after the other."""
    (entry,) = table.arranged(operator)[:1]
    for number, layer in enumerate(module.layers):
        entry = _encoder_layer(table, f"{operator.name}/layers/{number}", entry, operator.place, layer)
    return [_branch(table, f"{operator.name}/norm", entry, operator.place, module.norm is not None)]


def add_recurrent(table: LayerTable, operator: Operator, module: Any) -> list[str]:
    """``torch.nn.LSTM``, ``GRU`` and ``RNN``, layer by layer."""
    if not module.batch_first or module.bidirectional or getattr(module, "proj_size", 0):
        raise operator.place.wrong("give recurrent modules batch_first=True, one direction and no projection")
    (entry,) = table.arranged(operator)[:1]
    for number in range(module.num_layers):
        entry = table.put(f"{operator.name}/{number}", module.mode.partition("_")[0].lower(), (entry,), operator.place,
                          channels=module.hidden_size, bias=2 if module.bias else 0)
    return [entry]


GROUPS: dict[str, Callable[[LayerTable, Operator, Any], list[str]]] = {
    "multiheadattention": add_attention_module, "transformerencoderlayer": add_encoder_layer,
    "transformerencoder": add_encoder, "lstm": add_recurrent, "gru": add_recurrent, "rnn": add_recurrent,
}
"""Modules of several layers by their names in lower case; each yields the layers behind its results."""
