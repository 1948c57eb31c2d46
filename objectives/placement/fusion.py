"""Operations that libraries run as one: a normalization's gradients of weights and input.

cuDNN's batch normalization backward (cudnnBatchNormalizationBackward) and PyTorch's ``native_batch_norm_backward`` and
``native_layer_norm_backward`` return all three gradients from one call, so that x and dy are read once.
"""

from dataclasses import replace

from dse.objectives.network.step import INPUT_GRADIENT, WEIGHT_GRADIENT, Access, Operation, Step, with_lifetimes


def with_fused_gradients(step: Step) -> Step:
    """The same step with both gradients of a layer in one operation, where neither is a matrix product."""
    operations: list[Operation] = []
    for operation in step.operations:
        if operations and _belong_together(operations[-1], operation):
            operation = _fused(operations.pop(), operation)
        operations.append(operation)
    return replace(step, operations=tuple(operations), tensors=with_lifetimes(step.tensors, operations))


def _belong_together(first: Operation, second: Operation) -> bool:
    """Whether two operations are the two gradients of one layer without a product."""
    kinds = (first.kind, second.kind) == (WEIGHT_GRADIENT, INPUT_GRADIENT)
    return kinds and first.layer == second.layer and not first.products and not second.products


def _fused(first: Operation, second: Operation) -> Operation:
    """One operation that reads and writes what two do."""
    def both(one: tuple[Access, ...], other: tuple[Access, ...]) -> tuple[Access, ...]:
        return tuple(dict.fromkeys((*one, *other)))

    return replace(second, words=max(first.words, second.words), reads=both(first.reads, second.reads),
                   writes=both(first.writes, second.writes))
