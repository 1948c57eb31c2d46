"""Runs one phase of a torchvision model under a profiler.

``ncu ... python -m dse.objectives.gpu.collect alexnet --phase training``

Not tested on a GPU by this project. Weights are random, inputs are zeros in single precision; the iteration between
``cudaProfilerStart`` and ``cudaProfilerStop`` is the one to count (``ncu --profile-from-start off``,
``nvprof --profile-from-start off``). What runs, and on what, is written to standard error for the record.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from dse.errors import DseError, InputError
from dse.objectives.gpu.lowering import INFERENCE, PHASES, TRAINING
from dse.objectives.gpu.traffic import PAPER_BATCHES

MODELS = {
    "alexnet": "alexnet", "googlenet": "googlenet", "vgg-16": "vgg16", "resnet-18": "resnet18",
    "squeezenet": "squeezenet1_0",
}
"""Names in torchvision; its AlexNet and GoogLeNet differ from Caffe's (filters, batch normalization)."""
WARM_UP = 3
SIZE = 224
CLASSES = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m dse.objectives.gpu.collect", description=__doc__)
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("--phase", choices=PHASES, default=INFERENCE)
    parser.add_argument("--batch", type=int, help="images; DeepNVM++'s unless given")
    parser.add_argument("--device", default="cuda", help="cuda, or cpu to try the script")
    given = parser.parse_args(arguments)
    try:
        collect(given.model, given.phase, given.batch or PAPER_BATCHES[given.phase], given.device)
    except DseError as error:
        print(f"dse.objectives.gpu.collect: {error}", file=sys.stderr)
        return error.exit_status
    return 0


def collect(name: str, phase: str, batch: int, device: str) -> None:
    """Warm up, then run one iteration between the profiler's marks."""
    try:
        import torch
        import torchvision
    except ImportError as error:
        raise InputError(f"needs PyTorch and torchvision: {error}") from None
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("no GPU that PyTorch can use: give --device cpu to try the script")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    model = torchvision.models.get_model(MODELS[name], weights=None).to(device)
    images = torch.zeros(batch, 3, SIZE, SIZE, device=device)
    step = _training(torch, model, images) if phase == TRAINING else _inference(torch, model, images)
    for _ in range(WARM_UP):
        step()
    _mark(torch, device, "start")
    step()
    _mark(torch, device, "stop")
    print(json.dumps(_provenance(torch, torchvision, name, phase, batch, device)), file=sys.stderr)


def _inference(torch: Any, model: Any, images: Any) -> Any:
    """One forward pass."""
    model.eval()

    def step() -> None:
        with torch.no_grad():
            model(images)
    return step


def _training(torch: Any, model: Any, images: Any) -> Any:
    """Forward, backward and the solver's update, momentum and weight decay as in Caffe's examples."""
    model.train()
    solver = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    labels = torch.zeros(len(images), dtype=torch.long, device=images.device)

    def step() -> None:
        solver.zero_grad(set_to_none=False)
        found = model(images)
        found = getattr(found, "logits", found)
        torch.nn.functional.cross_entropy(found, labels).backward()
        solver.step()
    return step


def _mark(torch: Any, device: str, which: str) -> None:
    """Tell the profiler where the iteration starts or stops."""
    if device == "cuda":
        torch.cuda.synchronize()
        getattr(torch.cuda.profiler, which)()


def _provenance(torch: Any, torchvision: Any, name: str, phase: str, batch: int, device: str) -> dict[str, Any]:
    """What ran: to be kept with the counts."""
    return {
        "model": name, "phase": phase, "batch": batch, "classes": CLASSES,
        "gpu": torch.cuda.get_device_name() if device == "cuda" else "none",
        "torch": torch.__version__, "torchvision": torchvision.__version__, "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version() if device == "cuda" else None,
        "date": datetime.now(UTC).isoformat(timespec="seconds"), "command": " ".join(sys.argv),
    }


if __name__ == "__main__":
    sys.exit(main())
