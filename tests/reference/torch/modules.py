"""Modules whose operations and stored tensors PyTorch counts, built without numbers of their own."""

from typing import Any


def modules(torch: Any, torchvision: Any) -> dict[str, tuple[Any, Any]]:
    """Each module with an example of its input, by name."""
    images = torch.zeros(2, 3, 224, 224)
    names = ("alexnet", "vgg11", "vgg19", "resnet18", "resnet34", "resnet50", "wide_resnet50_2", "squeezenet1_0",
             "mobilenet_v2", "densenet121", "efficientnet_b0", "mnasnet1_0", "vit_b_16")
    found = {name: (torchvision.models.get_model(name, weights=None), images) for name in names}
    found["gpt"] = (_gpt(torch), torch.zeros(2, 128, dtype=torch.long))
    found["explicit-attention"] = (_explicit_attention(torch), torch.zeros(2, 64, 96))
    layer = torch.nn.TransformerEncoderLayer(128, 4, 512, dropout=0.0, batch_first=True, norm_first=True)
    found["encoder-layer"] = (layer, torch.zeros(2, 64, 128))
    return found


def _gpt(torch: Any) -> Any:
    """A small decoder as it is commonly written: a fused product for queries, keys and values, tables of positions."""
    nn, functional = torch.nn, torch.nn.functional

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.heads, self.width = heads, width
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x: Any) -> Any:
            shape = (2, 128, self.heads, self.width // self.heads)
            query, key, value = self.qkv(self.norm1(x)).split(self.width, dim=2)
            query, key, value = (part.view(shape).transpose(1, 2) for part in (query, key, value))
            attended = functional.scaled_dot_product_attention(query, key, value)
            x = x + self.projection(attended.transpose(1, 2).reshape(2, 128, self.width))
            return x + self.down(functional.gelu(self.up(self.norm2(x))))

    class Gpt(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.words, self.positions = nn.Embedding(1000, 192), nn.Embedding(128, 192)
            self.blocks = nn.Sequential(*[Block(192, 6) for _ in range(3)])
            self.norm, self.logits = nn.LayerNorm(192), nn.Linear(192, 1000, bias=False)

        def forward(self, tokens: Any) -> Any:
            x = self.words(tokens) + self.positions(torch.arange(128))
            return self.logits(self.norm(self.blocks(x)))

    return Gpt()


def _explicit_attention(torch: Any) -> Any:
    """Attention written as products and a softmax, with a gated feed-forward part."""
    nn, functional = torch.nn, torch.nn.functional

    class Explicit(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key, self.value = (nn.Linear(96, 96, bias=False) for _ in range(3))
            self.norm, self.gate, self.up = nn.LayerNorm(96), nn.Linear(96, 256), nn.Linear(96, 256)
            self.down = nn.Linear(256, 96)

        def forward(self, x: Any) -> Any:
            query, key, value = (
                part(x).view(2, 64, 3, 32).transpose(1, 2) for part in (self.query, self.key, self.value)
            )
            scores = torch.matmul(query, key.transpose(-2, -1)) * 0.125
            attended = torch.matmul(scores.softmax(dim=-1), value)
            x = self.norm(x + attended.transpose(1, 2).reshape(2, 64, 96))
            return x + self.down(functional.silu(self.gate(x)) * self.up(x))

    return Explicit()
