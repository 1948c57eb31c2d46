"""Transformers on several devices: what each holds, computes and exchanges, in closed form.

Sources: tensor and sequence parallelism, activations and interleaved pipelines, Korthikanti et al., arXiv 2205.05198,
equations 1 to 6 and section 5; pipelines, Narayanan et al., SC 2021, section 2.2; states divided among data parallel
devices, Rajbhandari et al., arXiv 1910.02054 (ZeRO), section 3, and DeepSpeed's documentation of memory
requirements for its stages.
"""

from dataclasses import dataclass
from enum import Enum

from dse.errors import InputError

MIXED, MIXED_WIDE_GRADIENTS = 16, 18
"""Bytes of states per parameter with Adam in mixed precision: 2 weight + 2 gradient + 12 master and states; with
gradients in single precision 18 (Megatron, Calculon)."""


class Recompute(Enum):
    """What is computed again in the backward pass."""

    NONE = "none"
    SELECTIVE = "selective"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class TransformerTraining:
    """A decoder of `layers` x `hidden` with `heads` over `sequence` tokens, and how it is trained.

    `microbatch` samples at a time; degrees of `tensor`, `pipeline` and `data` parallelism; `interleaving`: stretches
    of layers per pipeline stage; `sequence_parallel`: what tensor parallelism leaves whole is divided along the
    sequence.
    """

    layers: int
    hidden: int
    heads: int
    sequence: int
    microbatch: int
    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    interleaving: int = 1
    vocabulary: int = 51200
    sequence_parallel: bool = False
    recompute: Recompute = Recompute.NONE

    @property
    def layer_parameters(self) -> float:
        """12 h²: attention 4 h², feed-forward part 8 h²."""
        return 12.0 * self.hidden**2

    @property
    def device_parameters(self) -> float:
        """Weights of the layers that a device holds: 12 L h² / (t p)."""
        return self.layers * self.layer_parameters / (self.tensor * self.pipeline)


def state_bytes(training: TransformerTraining, bytes_per_parameter: float = MIXED_WIDE_GRADIENTS) -> float:
    """Weights, gradients and states of a device [B]: 18 · 12 L h² / (t p)."""
    return bytes_per_parameter * training.device_parameters


def layer_activation_bytes(training: TransformerTraining) -> float:
    """Activations that a layer stores per microbatch and device [B], in half precision.

    s b h (10 + 24/t + 5 a s/(h t)); with sequence parallelism s b h (34/t + 5 a s/(h t)); without the last term where
    attention is computed again; 2 s b h where all is.
    """
    tokens = training.sequence * training.microbatch * training.hidden
    if training.recompute is Recompute.FULL:
        return 2.0 * tokens
    attention = 5 * training.heads * training.sequence / (training.hidden * training.tensor)
    rest = 34 / training.tensor if training.sequence_parallel else 10 + 24 / training.tensor
    return tokens * (rest + (attention if training.recompute is Recompute.NONE else 0.0))


def activation_bytes(training: TransformerTraining) -> float:
    """Activations of the first pipeline stage [B]: L layers' worth, times 1 + (p-1)/(p m) where m > 1.

    A stage of L/p layers has p microbatches under way.
    """
    factor = 1.0
    if training.interleaving > 1:
        factor += (training.pipeline - 1) / (training.pipeline * training.interleaving)
    return layer_activation_bytes(training) * training.layers * factor


def zero_bytes_per_parameter(stage: int, devices: int) -> float:
    """Bytes per parameter of ZeRO's stages over N devices, mixed precision with Adam.

    16; 4 + 12/N (states divided); 2 + 14/N (gradients too); 16/N (weights too).
    """
    stages = {0: MIXED, 1: 4 + 12 / devices, 2: 2 + 14 / devices, 3: MIXED / devices}
    if stage not in stages:
        raise InputError(f"ZeRO stage {stage} is not one of {', '.join(map(str, stages))}")
    return float(stages[stage])


DEEPSPEED_NOW, DEEPSPEED_OLDER = "now", "older"


def deepspeed_bytes(stage: int, parameters: float, devices: int, *, largest_layer: float = 0.0,
                    version: str = DEEPSPEED_NOW) -> float:
    """Bytes on a device as DeepSpeed estimates them, nothing moved to the host.

    Stage 2: 2 P + 18 P/N, in older versions 4 P + 16 P/N; stage 3: 4 times the largest layer's parameters + 18 P/N.
    """
    if stage == 3:
        return 4 * largest_layer + 18 * parameters / devices
    if stage == 2:
        return (2 * parameters + 18 * parameters / devices if version == DEEPSPEED_NOW
                else 4 * parameters + 16 * parameters / devices)
    raise InputError(f"DeepSpeed's estimate is for stages 2 and 3, not {stage}")


@dataclass(frozen=True, slots=True)
class TransformerWork:
    """What an iteration asks of the busiest device.

    Operations (a multiply-accumulate is two), bytes stored for the backward pass, passes of a layer by a microbatch
    (`passes`), and all-reduces: `tensor_exchanges` of `tensor_bytes` each, and one of `data_bytes`.
    """

    operations: float
    stored: float
    passes: float
    tensor_exchanges: float
    tensor_bytes: float
    data_bytes: float


def transformer_work(training: TransformerTraining, batch: int) -> TransformerWork:
    """Work of an iteration over `batch` samples of all devices, on the last pipeline stage.

    (microbatches + p - 1) times the layers of a stage, as one forward, one backward of twice the operations, and one
    forward again where all is computed again; each pass of a layer forward (and again) and backward has two
    all-reduces among tensor parallel devices. The stage also has the output's product.
    """
    b, s, h, t = training.microbatch, training.sequence, training.hidden, training.tensor
    microbatches = batch / training.data / b
    passes = training.layers / training.pipeline * (microbatches + training.pipeline - 1)
    again = training.recompute is Recompute.FULL
    forward = (24 * b * s * h**2 + 4 * b * s**2 * h) / t
    output = 6 * b * s * h * training.vocabulary / t * microbatches
    stored = layer_activation_bytes(TransformerTraining(
        layers=1, hidden=h, heads=training.heads, sequence=s, microbatch=b, tensor=t,
        sequence_parallel=training.sequence_parallel,
    ))
    return TransformerWork(
        operations=passes * forward * (4 if again else 3) + output, stored=stored * passes, passes=passes,
        tensor_exchanges=passes * (6 if again else 4) if t > 1 else 0.0, tensor_bytes=2.0 * b * s * h,
        data_bytes=2 * (training.device_parameters + training.vocabulary * h / t) if training.data > 1 else 0.0,
    )
