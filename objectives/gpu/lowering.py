"""Layers become kernels: inference and training, by the im2col or the implicit engine, in single precision (Caffe).

Training runs every layer forward, then in reverse its gradients by input (dgrad) and by weight (wgrad), then the
solver's update. The data layer gets no gradient. Networks with other layers go by their step (`step_kernels`).
"""

from collections.abc import Callable

from dse.errors import InputError
from dse.objectives.gpu.cheap import (
    add_backward,
    add_forward,
    batch_norm_backward,
    batch_norm_forward,
    concat_backward,
    concat_forward,
    dropout_backward,
    dropout_forward,
    fc_backward,
    fc_forward,
    lrn_backward,
    lrn_forward,
    pool_backward,
    pool_forward,
    relu_backward,
    relu_forward,
    softmax_backward,
    softmax_forward,
    update,
)
from dse.objectives.gpu.convolutions import conv_backward, conv_forward
from dse.objectives.gpu.kernel import DGRAD, Kernel, KernelPart
from dse.objectives.gpu.machine import Gpu, load_gpu
from dse.objectives.gpu.profiles import Profile
from dse.objectives.gpu.run import Kernels, Run, storage_of, stream
from dse.objectives.network.layers import INPUT, Layer, Network
from dse.objectives.network.training import INFERENCE, TRAINING
from dse.text import quoted

__all__ = ["INFERENCE", "LARGEST_BATCH", "PHASES", "TRAINING", "kernels_of", "lowers"]

PHASES = (INFERENCE, TRAINING)
LARGEST_BATCH = 1 << 14


def kernels_of(network: Network, phase: str, batch: int, profile: Profile, gpu: Gpu | None = None) -> list[Kernel]:
    """Kernels of one inference or training iteration over a batch, in the order they run."""
    if phase not in PHASES:
        raise InputError(f"phase {quoted(phase)} is not one of {', '.join(PHASES)}")
    if not 1 <= batch <= LARGEST_BATCH:
        raise InputError(f"batch {batch}: give a whole number from 1 to {LARGEST_BATCH}")
    run = Run(network=network, phase=phase, batch=batch, profile=profile, gpu=gpu or load_gpu(),
              storage=storage_of(network))
    kernels = [kernel for layer in network.layers for kernel in _forward(run, layer)]
    if run.training:
        for layer in reversed(network.layers):
            kernels += _backward(run, layer)
        for layer in network.layers:
            kernels += update(layer)
    return kernels


def lowers(network: Network) -> bool:
    """Whether all layers of a network are known here."""
    return all(layer.kind == INPUT or layer.kind in _FORWARD for layer in network.layers)


def _forward(run: Run, layer: Layer) -> Kernels:
    """Kernels of a layer forward."""
    if layer.kind in _FORWARD:
        yield from _FORWARD[layer.kind](run, layer)


def _backward(run: Run, layer: Layer) -> Kernels:
    """Kernels of a layer backward: gradients of several users are added up first."""
    if not run.wants_gradient(layer):
        return
    users = run.network.users(layer.name)
    if users > 1:
        whole = run.gradient(layer)
        branches = [KernelPart(f"gradient {layer.name} branch {number}", 0, whole.size) for number in range(users)]
        yield stream("split", layer, DGRAD, branches, [whole], {"read": users, "write": 1})
    if layer.kind in _BACKWARD:
        yield from _BACKWARD[layer.kind](run, layer)


_FORWARD: dict[str, Callable[[Run, Layer], Kernels]] = {
    "conv": conv_forward, "fc": fc_forward, "relu": relu_forward, "clamp": relu_forward, "dropout": dropout_forward,
    "max_pool": pool_forward, "avg_pool": pool_forward, "global_avg_pool": pool_forward, "lrn": lrn_forward,
    "batch_norm": batch_norm_forward, "add": add_forward, "concat": concat_forward, "softmax": softmax_forward,
}
_BACKWARD: dict[str, Callable[[Run, Layer], Kernels]] = {
    "conv": conv_backward, "fc": fc_backward, "relu": relu_backward, "clamp": relu_backward, "dropout":
    dropout_backward, "max_pool": pool_backward, "avg_pool": pool_backward, "global_avg_pool": pool_backward, "lrn":
    lrn_backward, "batch_norm": batch_norm_backward, "add": add_backward, "concat": concat_backward, "softmax":
    softmax_backward, }
