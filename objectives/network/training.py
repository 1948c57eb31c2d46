"""Steps of training and inference, from a network."""

from collections.abc import Collection

from dse.errors import InputError
from dse.objectives.network.backward import run_backward, run_update
from dse.objectives.network.forward import run_forward
from dse.objectives.network.gradients import Gradients
from dse.objectives.network.layers import Network
from dse.objectives.network.ledger import Ledger, make_plan
from dse.objectives.network.precision import Storage, load_precision, states_of
from dse.objectives.network.recompute import NONE, dropped
from dse.objectives.network.shapes import with_sequence
from dse.objectives.network.step import Access, Step, with_lifetimes
from dse.text import quoted

INFERENCE, TRAINING, PREFILL, DECODE = "inference", "training", "prefill", "decode"
SEQUENCE_PHASES = (PREFILL, DECODE)
NO_OPTIMIZER = "none"


def training_step(
    network: Network, batch: int, *, precision: str = "fp32", optimizer: str = "momentum",
    recompute: str | Collection[str] = NONE, microbatches: int = 1, storage: Storage | None = None,
) -> Step:
    """One training iteration over a batch: forward, backward, then the update of all weights.

    `recompute`: what the forward pass drops, see `dse.objectives.network.recompute`. `microbatches`: equal parts of
    the batch that pass one after the other and whose gradients of weights add up. Raises InputError for unknown names
    and for a batch that does not divide.
    """
    if batch < 1 or microbatches < 1 or batch % microbatches:
        raise InputError(f"batch {batch}: give a whole number from 1 that {microbatches} microbatches divide")
    plan = make_plan(network, batch // microbatches, load_precision(precision), storage or Storage(), keeps=True)
    states_of(optimizer)
    drop = dropped(plan.layers, recompute)
    ledger = Ledger(plan)
    slopes: dict[str, Access] = {}
    for number in range(microbatches):
        ledger.begin_microbatch(number, microbatches)
        gradients = Gradients(ledger, slopes)
        gradients.stale = run_forward(ledger, drop)
        for layer in reversed(plan.layers):
            run_backward(gradients, layer)
    ledger.begin_microbatch(0, 1)
    run_update(ledger, slopes, optimizer)
    return _step(ledger, network, TRAINING, batch, optimizer)


def inference_step(
    network: Network, batch: int, *, phase: str = INFERENCE, context: int | None = None, precision: str = "fp32",
    storage: Storage | None = None,
) -> Step:
    """One forward pass over a batch.

    `phase`: ``inference``; ``prefill`` of a prompt of `context` tokens, whose keys and values are kept; or ``decode``
    of one token per sequence after `context` tokens. Without a context it is the network's own sequence. Raises
    InputError for a phase that the network has not.
    """
    if batch < 1:
        raise InputError(f"batch {batch}: give a whole number from 1")
    cached = None
    if phase in SEQUENCE_PHASES:
        tokens = context or network.sequence
        if tokens is None or not any(layer.kind == "attention" for layer in network.layers):
            raise InputError(f"phase {quoted(phase)}: {network.name} does not attend to a sequence of tokens")
        network = with_sequence(network, tokens if phase == PREFILL else 1)
        cached = 0 if phase == PREFILL else tokens
    elif phase != INFERENCE:
        raise InputError(f"phase {quoted(phase)} is not one of {', '.join((INFERENCE, TRAINING, *SEQUENCE_PHASES))}")
    elif context is not None:
        network = with_sequence(network, context)
    storage = storage or Storage(dropout=False)
    plan = make_plan(network, batch, load_precision(precision), storage, keeps=False, cached=cached)
    ledger = Ledger(plan)
    run_forward(ledger, ())
    return _step(ledger, network, phase, batch, NO_OPTIMIZER)


def _step(ledger: Ledger, network: Network, phase: str, batch: int, optimizer: str) -> Step:
    """A finished step."""
    return Step(
        network=network.name, phase=phase, batch=batch, precision=ledger.plan.precision.name, optimizer=optimizer,
        parameters=network.parameters, macs=network.macs, operations=tuple(ledger.operations),
        tensors=with_lifetimes(ledger.tensors, ledger.operations),
    )
