"""Train a network in a memory, and tell how many digits it then reads right."""

import numpy as np

from dse.batch import Floats, Ints
from dse.studies.scratchpad.training.memory import TensorMemory
from dse.studies.scratchpad.training.networks import CLASSES, Images, SmallNetwork, images


def train(network: SmallNetwork, memory: TensorMemory, seed: int, *, in_place: bool = False) -> float:
    """Accuracy on the test's images [1] after training; the test's activations are free of faults.

    The master copy of the weights (fp32), biases and momentum stay in reliable memory, and the test reads the master.
    With weights `in_place` there is no master: the memory holds the weights (bf16) from one step to the next, and the
    test reads these. NaN weights read nothing: 0.1.
    """
    random = np.random.default_rng(seed)
    run = TrainingRun(network, memory, random, in_place=in_place)
    known, unknown = images()
    with np.errstate(all="ignore"):
        for _ in range(network.epochs):
            order = random.permutation(len(known.digits))
            for start in range(0, len(order) - network.batch + 1, network.batch):
                rows = order[start : start + network.batch]
                run.step(Images(known.pixels[rows], known.digits[rows]))
        return run.accuracy(unknown)


class TrainingRun:
    """Weights and momentum of a network under training."""

    def __init__(
        self, network: SmallNetwork, memory: TensorMemory, random: np.random.Generator, *, in_place: bool = False
    ) -> None:
        self._network = network
        self._memory = memory
        self._in_place = in_place
        self._layers = network.layers()
        self._master = [
            random.normal(0, np.sqrt(2 / layer.shape[0]), layer.shape).astype(np.float32) for layer in self._layers
        ]
        if in_place:
            self._master = [memory.through("weight", f"{n}", master) for n, master in enumerate(self._master)]
        self._bias = [np.zeros(layer.shape[1], np.float32) for layer in self._layers]
        self._speed = [np.zeros_like(weights) for weights in self._master]
        self._bias_speed = [np.zeros_like(bias) for bias in self._bias]

    def step(self, batch: Images) -> None:
        """One step: weights, activations, errors and gradients pass through the memory."""
        memory = self._memory
        weights = self._weights()
        inputs = [memory.through("activation", "0", batch.pixels)]
        for number, layer in enumerate(self._layers[:-1]):
            outputs = np.maximum(layer.forward(inputs[-1], weights[number]) + self._bias[number], 0)
            inputs.append(memory.through("activation", f"{number + 1}", outputs))
        scores = self._layers[-1].forward(inputs[-1], weights[-1]) + self._bias[-1]
        errors = memory.through("error", f"{len(self._layers)}", score_errors(scores, batch.digits))
        for number in reversed(range(len(self._layers))):
            passed, gradient = self._layers[number].backward(inputs[number], weights[number], errors)
            gradient = memory.through("gradient", f"{number}", gradient)
            bias_gradient = errors.reshape(-1, errors.shape[-1]).sum(axis=0)
            if number:
                errors = memory.through("error", f"{number}", passed * (inputs[number] > 0))
            self._update(number, gradient, bias_gradient)

    def _weights(self) -> list[Floats]:
        """What a step reads: copies of the master, or the weights themselves."""
        if self._in_place:
            return list(self._master)
        return [self._memory.through("weight", f"{n}", master) for n, master in enumerate(self._master)]

    def _update(self, number: int, gradient: Floats, bias_gradient: Floats) -> None:
        """Gradient descent with momentum, in fp32."""
        network = self._network
        self._speed[number] = network.momentum * self._speed[number] - network.rate * gradient
        self._bias_speed[number] = network.momentum * self._bias_speed[number] - network.rate * bias_gradient
        self._master[number] = self._master[number] + self._speed[number]
        if self._in_place:
            self._master[number] = self._memory.through("weight", f"{number}", self._master[number])
        self._bias[number] = self._bias[number] + self._bias_speed[number]

    def accuracy(self, test: Images) -> float:
        """Share of digits read right, in fp32."""
        signal = test.pixels
        for number, layer in enumerate(self._layers):
            signal = layer.forward(signal, self._master[number]) + self._bias[number]
            signal = signal if number == len(self._layers) - 1 else np.maximum(signal, 0)
        if not np.isfinite(signal).all():
            return 1 / CLASSES
        return float((signal.argmax(axis=1) == test.digits).mean())


def score_errors(scores: Floats, digits: Ints) -> Floats:
    """(softmax − one-hot)/batch: derivative of the mean cross-entropy."""
    likely = np.exp(scores - scores.max(axis=1, keepdims=True))
    likely = likely / likely.sum(axis=1, keepdims=True)
    likely[np.arange(len(digits)), digits] -= 1
    return np.asarray((likely / len(digits)).astype(np.float32))
