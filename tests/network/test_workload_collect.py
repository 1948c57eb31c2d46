"""The collection script without PyTorch, and with a stand-in for it: nothing here runs on a GPU."""

import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from dse.objectives.gpu.collect import MODELS, WARM_UP, main
from dse.objectives.gpu.traffic import PAPER_NETWORKS


def test_without_pytorch(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["alexnet"]) == 2
    assert "needs PyTorch and torchvision" in capsys.readouterr().err


class Model:
    """Counts how often it runs."""

    def __init__(self) -> None:
        self.runs = 0

    def to(self, device: str) -> "Model":
        return self

    def eval(self) -> None:
        pass

    def __call__(self, images: Any) -> None:
        self.runs += 1


class NoGrad:
    """Stands in for torch.no_grad."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


def test_one_iteration_after_the_warm_up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    model = Model()
    switch = SimpleNamespace(allow_tf32=True)
    torch = SimpleNamespace(
        __version__="0", version=SimpleNamespace(cuda=None), no_grad=NoGrad,
        zeros=lambda *shape, device: shape, cuda=SimpleNamespace(is_available=lambda: False),
        backends=SimpleNamespace(cuda=SimpleNamespace(matmul=switch), cudnn=switch),
    )
    models = SimpleNamespace(get_model=lambda name, weights: model)
    monkeypatch.setitem(sys.modules, "torch", torch)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace(models=models, __version__="0"))  # type: ignore[arg-type]
    assert main(["alexnet"]) == 2
    assert "no GPU that PyTorch can use" in capsys.readouterr().err
    assert main(["alexnet", "--device", "cpu"]) == 0
    found = json.loads(capsys.readouterr().err)
    assert (found["model"], found["batch"], found["gpu"]) == ("alexnet", 4, "none")
    assert model.runs == WARM_UP + 1
    assert not switch.allow_tf32


def test_every_network_of_the_paper() -> None:
    assert set(MODELS) == set(PAPER_NETWORKS)
