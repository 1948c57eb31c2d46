"""Layers of sequences for the importers: embeddings, attention, and results that are divided among several readers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dse.objectives.network.importers.layer_table import LayerTable, Operator
from dse.objectives.network.layers import INPUT, TOKENS, Place


@dataclass(frozen=True, slots=True)
class Head:
    """Sizes of a module that projects queries, keys and values, attends and projects the result."""

    width: int
    heads: int
    bias: int


def add_embedding(table: LayerTable, operator: Operator, rows: int, width: int) -> None:
    """Rows of a table for tokens; the input that they come from holds whole numbers."""
    (tensor,) = operator.inputs
    source = table.behind(tensor)
    if source.kind == INPUT and source.shape[1:] == (1, 1):
        tokens = replace(source, kind=TOKENS, shape=(1, source.shape[0], 1))
        table.replace_unread(source.name, (tokens,), operator.place)
    name = table.put(operator.name, "embedding", (source.name,), operator.place, channels=width, rows=rows)
    table.stand(operator.output, name)


def add_normalization(table: LayerTable, operator: Operator, kind: str, sizes: Sequence[int]) -> None:
    """A normalization along the last size of a tensor."""
    if len(sizes) != 1:
        raise operator.place.wrong(f"normalizes {len(sizes)} sizes together, layer tables normalize the last alone")
    table.add_last(operator, kind)


def add_position(table: LayerTable, operator: Operator, rows: int) -> None:
    """A learned number for each place of a sequence, added to it."""
    table.add(operator, "position", rows=rows)


def add_matmul(table: LayerTable, operator: Operator) -> None:
    """A product of two activations, for each head by itself."""
    ranks = [len(table.shape_of(tensor, operator.place)) for tensor in operator.inputs]
    if ranks == [3, 3]:
        left, right = (table.image_of(tensor, operator.place) for tensor in operator.inputs)
        names = (
            table.reshaped(table.behind(operator.inputs[0]).name, (1, left[1], left[0]), operator.place),
            table.reshaped(table.behind(operator.inputs[1]).name, (1, right[1], right[0]), operator.place),
        )
        table.stand(operator.output, table.put(operator.name, "matmul", names, operator.place))
    elif ranks == [4, 4]:
        table.add(operator, "matmul")
    else:
        raise operator.place.wrong("multiplies two activations that are no sequences with as many heads")


def add_attention(table: LayerTable, operator: Operator, *, dropout: bool) -> None:
    """Attention of queries, keys and values with a size each for batch, heads, tokens and numbers of a head."""
    names, heads = [], []
    for tensor in operator.inputs[:3]:
        shape = table.shape_of(tensor, operator.place)
        if len(shape) != 4:
            raise operator.place.wrong("attends to sequences without heads: give batch x heads x tokens x size")
        heads.append(shape[1])
        names.append(table.reshaped(table.behind(tensor).name, (shape[1] * shape[3], shape[2], 1), operator.place))
    name = table.put(operator.name, "attention", tuple(names), operator.place, heads=heads[0], kv_heads=heads[1],
                     dropout=int(dropout))
    table.stand(operator.output, name)


def put_attention(
    table: LayerTable, name: str, sources: Sequence[str], head: Head, place: Place, *, dropout: bool
) -> str:
    """Projections of queries, keys and values, attention, and the projection of its result; the last layer's name."""
    query, key, value = (
        table.put(f"{name}/{what}", "linear", (source,), place, channels=head.width, bias=head.bias)
        for what, source in zip(("query", "key", "value"), sources, strict=True)
    )
    attended = table.put(f"{name}/attention", "attention", (query, key, value), place, heads=head.heads,
                         kv_heads=head.heads, dropout=int(dropout))
    return table.put(f"{name}/projection", "linear", (attended,), place, channels=head.width, bias=head.bias)


def divide(table: LayerTable, operator: Operator, sizes: Sequence[int]) -> list[str]:
    """The result of a product along its channels, for several readers: a product for each.

    Weights and products are the same in all. Raises InputError where the result is not a product's, or read elsewhere.
    """
    (tensor,) = operator.inputs
    source = table.behind(tensor)
    parts = tuple(
        replace(source, name=f"{source.name}/{number}", channels=size) for number, size in enumerate(sizes)
    )
    if source.kind != "linear" or source.channels != sum(sizes) or not table.replace_unread(
        source.name, parts, operator.place
    ):
        raise operator.place.wrong("divides a result: only that of a product along its outputs can be, and only whole")
    return [part.name for part in parts]

