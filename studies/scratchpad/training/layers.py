"""Layers of small networks in NumPy: what they compute forward and backward."""

from typing import Protocol

import numpy as np

from dse.batch import Floats


class Trained(Protocol):
    """A layer with weights: outputs of inputs; errors of the inputs and gradients of the weights."""

    @property
    def shape(self) -> tuple[int, int]: ...  # noqa: D102

    def forward(self, inputs: Floats, weights: Floats) -> Floats:
        """Outputs before the rectifier."""

    def backward(self, inputs: Floats, weights: Floats, errors: Floats) -> tuple[Floats, Floats]:
        """Errors of the inputs, gradients of the weights."""


class Dense:
    """y = x·W for inputs (batch, features); images are flattened."""

    def __init__(self, inputs: int, outputs: int) -> None:
        self.shape = (inputs, outputs)

    def forward(self, inputs: Floats, weights: Floats) -> Floats:
        """Y = x·W."""
        return np.asarray(inputs.reshape(len(inputs), -1) @ weights)

    def backward(self, inputs: Floats, weights: Floats, errors: Floats) -> tuple[Floats, Floats]:
        """Dx = dy·Wᵀ, dW = xᵀ·dy."""
        flat = inputs.reshape(len(inputs), -1)
        return (errors @ weights.T).reshape(inputs.shape), flat.T @ errors


class Convolution:
    """3×3 convolution with stride, zeros around images (batch, height, width, channels), as one product."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        self.shape = (9 * inputs, outputs)
        self._stride = stride

    def _patches(self, inputs: Floats) -> Floats:
        """Patches (batch, height, width, 9·channels)."""
        border = np.pad(inputs, ((0, 0), (1, 1), (1, 1), (0, 0)))
        height, width = inputs.shape[1:3]
        shifted = [
            border[:, row : row + height : self._stride, column : column + width : self._stride]
            for row in range(3) for column in range(3)
        ]
        return np.concatenate(shifted, axis=3)

    def forward(self, inputs: Floats, weights: Floats) -> Floats:
        """Patches times W."""
        return np.asarray(self._patches(inputs) @ weights)

    def backward(self, inputs: Floats, weights: Floats, errors: Floats) -> tuple[Floats, Floats]:
        """Errors scattered from patches, and patchesᵀ·dy."""
        patches = self._patches(inputs)
        gradient = patches.reshape(-1, patches.shape[3]).T @ errors.reshape(-1, errors.shape[3])
        spread = errors @ weights.T
        height, width, channels = inputs.shape[1:]
        border = np.zeros((len(inputs), height + 2, width + 2, channels), np.float32)
        for number in range(9):
            row, column = divmod(number, 3)
            part = spread[..., number * channels : (number + 1) * channels]
            border[:, row : row + height : self._stride, column : column + width : self._stride] += part
        return border[:, 1:-1, 1:-1], gradient
