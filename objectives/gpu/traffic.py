"""Traffic of a workload: transactions at the L2 cache and at the DRAM, per kernel, layer and in total."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Protocol

from dse.errors import InputError
from dse.objectives.gpu.dram import DramCurve, dram_curve
from dse.objectives.gpu.kernel import STEPS, Kernel
from dse.objectives.gpu.lowering import INFERENCE, TRAINING, kernels_of, lowers
from dse.objectives.gpu.machine import load_gpu
from dse.objectives.gpu.profiles import DEFAULT, load_profile
from dse.objectives.gpu.step_kernels import step_kernels
from dse.objectives.gpu.transformer import transformer_kernels
from dse.objectives.network.catalog import OWN_SUFFIXES, load_network, network_names
from dse.objectives.network.layers import Network
from dse.objectives.network.precision import FUSED, Storage
from dse.objectives.network.step import Step
from dse.objectives.network.training import PREFILL, inference_step, training_step
from dse.objectives.network.transformer import Transformer, load_transformer, transformer_names
from dse.text import nearest, quoted

Model = Network | Transformer

PAPER_NETWORKS = ("alexnet", "googlenet", "vgg-16", "resnet-18", "squeezenet")
"""The networks of DeepNVM++, Table III."""
PAPER_BATCHES = {INFERENCE: 4, TRAINING: 64}
"""DeepNVM++, section IV-A."""
MODELLED = "modelled"


class Below(Protocol):
    """Traffic below an L2 cache of a capacity [bytes], in sectors of 32 B."""

    def transactions(self, capacity: int) -> int:
        """Sectors read and written."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What a run asks of the memories: `reads` and `writes` at the L2 cache [sectors of 32 B], `dram` below it.

    `counts` says where the numbers come from: ``modelled``, or the profiler that took them. `kernel_sizes` holds
    (multiply-accumulates, L2 transactions) of each kernel.
    """

    name: str
    phase: str
    batch: int
    reads: float
    writes: float
    dram: Below
    kernel_sizes: tuple[tuple[float, float], ...] = ()
    counts: str = MODELLED

    @property
    def label(self) -> str:
        """Name, with I for inference or T for training as in the paper."""
        return f"{self.name} ({self.phase[0].upper()})"

    @property
    def write_share(self) -> float:
        """Writes over all L2 transactions, the paper's w."""
        return self.writes / (self.reads + self.writes)


@dataclass(frozen=True, slots=True)
class LayerTraffic:
    """L2 transactions of one layer in one step of a run [sectors], and its multiply-accumulates."""

    layer: str
    step: str
    reads: float
    writes: float
    macs: float


def workload_names() -> list[str]:
    """Names of the networks and transformers that come with the package."""
    return [*network_names(), *transformer_names()]


def load_model(name: str) -> Model:
    """Network or transformer by its name, or from a layer table or model configuration (``.csv``, ``.json``)."""
    if name in transformer_names():
        return load_transformer(name)
    if name in network_names() or name.endswith(OWN_SUFFIXES):
        return load_network(name)
    raise InputError(f"workload {quoted(name)} is not known, the nearest is {nearest(name, workload_names())}: known "
                     f"are {', '.join(workload_names())}, layer tables (.csv, .json) and model configurations "
                     "(config.json)")


def default_phase(model: Model) -> str:
    """The phase that is meant where none is given."""
    return PREFILL if isinstance(model, Transformer) else INFERENCE


def default_batch(phase: str, model: Model | None = None) -> int:
    """The batch that is meant where none is given: DeepNVM++'s for images, one sequence else."""
    images = not isinstance(model, Network) or model.sequence is None
    return PAPER_BATCHES.get(phase, 1) if images else 1


def default_precision(network: Network) -> str:
    """The precision that is meant where none is given: bf16 for sequences of tokens, else single precision."""
    return "fp32" if network.sequence is None else "bf16"


def default_step(network: Network, phase: str, batch: int) -> Step:
    """The step that is meant where only phase and batch are given: Adam for sequences of tokens, else momentum."""
    precision = default_precision(network)
    if phase == TRAINING:
        optimizer = "momentum" if network.sequence is None else "adam"
        return training_step(network, batch, precision=precision, optimizer=optimizer)
    return inference_step(network, batch, phase=phase, precision=precision,
                          storage=Storage(dropout=False, attention=FUSED))


def kernels_for(model: Model, phase: str, batch: int, profile: str = DEFAULT) -> list[Kernel]:
    """Kernels of a run: by layer in single precision where all layers are DeepNVM++'s, else by the step."""
    if isinstance(model, Transformer):
        return transformer_kernels(model, phase, batch)
    if lowers(model):
        return kernels_of(model, phase, batch, load_profile(profile))
    return step_kernels(default_step(model, phase, batch), load_profile(profile), load_gpu())


def workload_of(
    model: Model | str, phase: str | None = None, batch: int | None = None, profile: str = DEFAULT
) -> Workload:
    """Modelled workload of a network or transformer, or of the name of one."""
    if isinstance(model, str):
        model = load_model(model)
    phase = phase or default_phase(model)
    return _workload(model, phase, batch or default_batch(phase, model), profile)


@lru_cache(maxsize=256)
def _workload(model: Model, phase: str, batch: int, profile: str) -> Workload:
    """Modelled workload; the DRAM curve is computed when it is asked for."""
    kernels = kernels_for(model, phase, batch, profile)
    return Workload(
        model.name, phase, batch, sum(kernel.reads for kernel in kernels),
        sum(kernel.writes for kernel in kernels), ModelledDram(model, phase, batch, profile),
        tuple((kernel.macs, kernel.reads + kernel.writes) for kernel in kernels),
    )


@dataclass(frozen=True, slots=True)
class ModelledDram:
    """DRAM traffic of a modelled run, its miss curve computed once."""

    model: Model
    phase: str
    batch: int
    profile: str

    @property
    def curve(self) -> DramCurve:
        """Miss curve."""
        return _curve(self.model, self.phase, self.batch, self.profile)

    def transactions(self, capacity: int) -> int:
        """Sectors read and written with an L2 cache of a capacity [bytes]."""
        return self.curve.transactions(capacity)


@lru_cache(maxsize=64)
def _curve(model: Model, phase: str, batch: int, profile: str) -> DramCurve:
    """Miss curve of a run."""
    return dram_curve(kernels_for(model, phase, batch, profile))


def layer_traffic(kernels: Iterable[Kernel]) -> list[LayerTraffic]:
    """Traffic by layer and step: steps in the order they run, layers in the order they first appear."""
    sums: dict[tuple[str, str], list[float]] = {}
    for kernel in kernels:
        entry = sums.setdefault((kernel.step, kernel.layer), [0.0, 0.0, 0.0])
        for place, value in enumerate((kernel.reads, kernel.writes, kernel.macs)):
            entry[place] += value
    return [
        LayerTraffic(layer, step, *values)
        for wanted in STEPS for (step, layer), values in sums.items() if step == wanted
    ]


@cache
def paper_workloads(profile: str = DEFAULT) -> tuple[Workload, ...]:
    """The ten workloads of DeepNVM++: five networks, inference with batch 4 and training with batch 64."""
    return tuple(
        workload_of(name, phase, batch, profile) for phase, batch in PAPER_BATCHES.items() for name in PAPER_NETWORKS
    )
