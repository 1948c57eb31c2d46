"""Operations and stored tensors against PyTorch's own counts, kept in tests/reference/torch with the script."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dse.objectives.network.layer_tables import read_network
from dse.objectives.network.layers import Network
from dse.objectives.network.precision import FUSED, Storage
from dse.objectives.network.step import FORWARD
from dse.objectives.network.training import training_step

FOLDER = Path(__file__).parents[1] / "reference/torch"
FIGURES: dict[str, dict[str, int]] = json.loads((FOLDER / "figures.json").read_text(encoding="utf-8"))["modules"]
PYTORCH = Storage(in_place=False, mask_bytes=4, index_bytes=8, pool_input=True, attention=FUSED)
"""PyTorch on a CPU: indices of 64 bit, dropout's mask in single precision, pooling keeps its input."""

GROUPED = ("mobilenet_v2", "efficientnet_b0", "mnasnet1_0")
"""PyTorch's counter takes a grouped convolution's backward pass for one without groups."""
DIFFERENCES = {
    "alexnet": ("adaptive pooling from 6x6 to 6x6 keeps its input", 2 * 256 * 6 * 6 * 4),
    "vgg11": ("adaptive pooling from 7x7 to 7x7 keeps its input", 2 * 512 * 7 * 7 * 4),
    "vgg19": ("adaptive pooling from 7x7 to 7x7 keeps its input", 2 * 512 * 7 * 7 * 4),
    "efficientnet_b0": ("stochastic depth keeps a number per image in 9 blocks", 9 * 2 * 4),
    "vit_b_16": ("the class token is a view that keeps the whole sequence", 2 * 196 * 768 * 4),
    "gpt": ("positions are looked up, by numbers of 64 bit", 128 * 8),
}
"""What PyTorch stores more than the backward pass needs: tensor, and bytes."""


def network_of(name: str) -> Network:
    return read_network(FOLDER / "tables" / f"{name}.csv")


@pytest.mark.parametrize("name", FIGURES)
def test_operations(name: str) -> None:
    figures, network = FIGURES[name], network_of(name)
    operations = training_step(network, figures["batch"]).operations
    forward = 2 * sum(o.macs for o in operations if o.kind == FORWARD)
    backward = 2 * sum(o.macs for o in operations if o.kind != FORWARD)
    assert network.parameters == figures["parameters"]
    assert forward == figures["forward_flops"] == 2 * network.macs * figures["batch"]
    if name in GROUPED:
        assert backward < figures["backward_flops"]
    else:
        assert backward == figures["backward_flops"]


@pytest.mark.parametrize("name", FIGURES)
def test_stored_tensors(name: str) -> None:
    step = training_step(network_of(name), FIGURES[name]["batch"], storage=PYTORCH)
    stored = sum(tensor.size for tensor in step.stored())
    _, more = DIFFERENCES.get(name, ("", 0))
    assert stored + more == FIGURES[name]["saved_bytes"]
    assert more <= 0.05 * stored


def test_enough_agree() -> None:
    assert len(FIGURES) - len(GROUPED) >= 10
    assert len(FIGURES) - len(DIFFERENCES) >= 0.8 * 10


@pytest.mark.slow
def test_the_reference_is_made_anew(tmp_path: Path) -> None:
    """Where PyTorch and torchvision are installed."""
    pytest.importorskip("torch")
    pytest.importorskip("torchvision")
    subprocess.run([sys.executable, str(FOLDER / "make.py"), str(tmp_path)], check=True, capture_output=True)
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["modules"] == FIGURES
    for table in (FOLDER / "tables").glob("*.csv"):
        assert (tmp_path / "tables" / table.name).read_bytes() == table.read_bytes()
