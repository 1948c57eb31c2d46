"""What PyTorch counts of modules, kept as reference data: python tests/reference/torch/make.py [FOLDER]

Per module: FLOPs of a forward and a backward pass (torch.utils.flop_counter), and the bytes of distinct storages that
the forward pass saves for the backward pass (torch.autograd.graph.saved_tensors_hooks), parameters and buffers left out.
FLOPs are those of attention as products and a softmax, since the counter leaves the CPU's fused attention out; the
saved bytes are those of fused attention. The layer table is what the importer makes of the module. On the CPU, in single precision, in training mode; running
statistics and numbers do not matter.
"""

import json
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def counted(torch: Any, module: Any, example: Any) -> dict[str, int]:
    """FLOPs and saved bytes of one module."""
    from torch.utils.flop_counter import FlopCounterMode

    module.train()
    owned = {value.untyped_storage().data_ptr() for value in (*module.parameters(), *module.buffers())}
    saved: dict[int, Any] = {}

    def keep(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in owned:
            saved[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept):
        module(example)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        with FlopCounterMode(display=False) as forward:
            result = module(example)
        with FlopCounterMode(display=False) as backward:
            result.sum().backward()
    return {
        "parameters": sum(value.numel() for value in module.parameters()),
        "forward_flops": forward.get_total_flops(), "backward_flops": backward.get_total_flops(),
        "saved_bytes": sum(storage.nbytes() for storage in saved.values()),
    }


def main() -> None:
    """Write figures.json and the layer tables."""
    import torch
    import torchvision

    sys.path.insert(0, str(FOLDER))
    from modules import modules

    from dse.objectives.network.importers.layer_table import write_network
    from dse.objectives.network.importers.torch_fx import read_module

    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    (folder / "tables").mkdir(exist_ok=True)
    figures = {}
    for name, (module, example) in modules(torch, torchvision).items():
        write_network(read_module(module.train(), example, name), folder / "tables" / f"{name}.csv")
        figures[name] = {"batch": example.shape[0], **counted(torch, module, example)}
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    (folder / "figures.json").write_text(json.dumps({"made_with": versions, "modules": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
