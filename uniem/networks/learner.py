"""A network being trained: one step, one prediction, and all that its next step depends on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from uniem.errors import UniemError
from uniem.networks.backend import dtype_policy, out_of_memory_errors
from uniem.networks.losses import loss_of
from uniem.networks.optimisation import optimiser_of
from uniem.networks.patches import Batch, Floats
from uniem.networks.settings import TrainingSettings

Result = TypeVar("Result")
State = dict[str, NDArray[Any]]

# Architectures name the layers before the first doubling of size so.
ENCODER = "encoder"

logger = logging.getLogger(__name__)


class Learner:
    """A network with its loss and its optimiser.

    Where the memory is too small for a batch it is learnt from in parts, and the weights change once for all
    of them, as if it had been one; only batch normalisation sees the parts for themselves.

    Parameters
    ----------
    channels_out : the number of logits.
    class_weights : what the loss multiplies pixels by: background and object, or one weight per class.
    told : called with a sentence when batches are divided.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        policy: str,
        channels_out: int = 1,
        class_weights: tuple[float, ...] | None = None,
        told: Callable[[str], None] = logger.info,
    ) -> None:
        import keras

        self._settings, self._told = settings, told
        keras.utils.set_random_seed(settings.seed % 2**32)
        with dtype_policy(policy):
            self.network = settings.network.build(channels_out=channels_out)
        self.loss = loss_of(settings.loss, class_weights)
        self.parts = 1
        # The same layers twice: the plain network is saved without the optimiser.
        self.compiled = keras.Model(self.network.inputs[0], self.network.outputs[0])
        self._compile()

    def learn(self, batch: Batch, learning_rate: float) -> float:
        """Improve the weights by one batch and return its loss."""
        return self._dividing(lambda: self._learn_in_parts(batch, learning_rate), len(batch.images))

    def predict(self, images: Floats) -> Floats:
        """Return the logits, (batch, y, x, channels), of normalised images of the same shape."""

        def predict() -> Floats:
            parts = _divided(images, self.parts)
            return np.concatenate([np.asarray(self.compiled.predict_on_batch(x), np.float32) for x in parts])

        return self._dividing(predict, len(images))

    def state(self) -> State:
        """Return all that the next step depends on: weights, random generators and the optimiser's memory."""
        state: State = {"parts": np.array(self.parts)}
        for name, variables in self._variables().items():
            for number, variable in enumerate(variables):
                state[f"{name}-{number:05d}"] = np.array(variable)
        return state

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state; raise if it is that of another network or optimiser."""
        if (parts := int(state["parts"])) != self.parts:
            self.parts = parts
            self._compile()
        named = {
            f"{name}-{number:05d}": variable
            for name, variables in self._variables().items()
            for number, variable in enumerate(variables)
        }
        kept = {name: state[name] for name in state if name.startswith(("network-", "optimiser-"))}
        if kept.keys() != named.keys() or any(kept[n].shape != tuple(v.shape) for n, v in named.items()):
            raise UniemError(
                "What the training was interrupted with does not fit its network.", "Train the model again."
            )
        for name, variable in named.items():
            variable.assign(kept[name])

    def freeze_encoder(self) -> int:
        """Keep the encoder, with the moving averages of its batch normalisation, and count its layers."""
        encoder = [layer for layer in self.network.layers if layer.name.startswith(ENCODER)]
        for layer in encoder:
            layer.trainable = False
        self._compile()
        return sum(bool(layer.weights) for layer in encoder)

    def _variables(self) -> dict[str, list[Any]]:
        return {"network": self.network.variables, "optimiser": self.compiled.optimizer.variables}

    def _compile(self) -> None:
        optimiser = optimiser_of(self._settings.optimiser, self._settings.learning_rate, self.parts)
        # XLA is several times slower on a CPU.
        self.compiled.compile(optimizer=optimiser, loss=self.loss, jit_compile=False)
        optimiser.build(self.compiled.trainable_variables)

    def _learn_in_parts(self, batch: Batch, learning_rate: float) -> float:
        self.compiled.optimizer.learning_rate = learning_rate
        losses = []
        pairs = zip(_divided(batch.images, self.parts), _divided(batch.truths, self.parts), strict=True)
        for images, truths in pairs:
            # Keras would return the mean over all batches so far.
            self.compiled.reset_metrics()
            logs: dict[str, Any] = self.compiled.train_on_batch(images, truths, return_dict=True)
            losses.append(float(logs["loss"]))
        return sum(losses) / len(losses)

    def _dividing(self, work: Callable[[], Result], size: int) -> Result:
        """Do some work, in more parts where the memory does not suffice."""
        while True:
            try:
                return work()
            except out_of_memory_errors() as error:
                parts = next((n for n in range(self.parts + 1, size + 1) if size % n == 0), None)
                if parts is None:
                    side = self._settings.patch_size
                    raise UniemError(
                        f"The memory does not suffice for a single patch of {side} × {side} pixels.",
                        "Choose a smaller patch size, or a smaller network.",
                    ) from error
            self._told(
                f"The memory does not suffice for {size // self.parts} patches at a time; going on with "
                f"{size // parts}, {parts} times per step."
            )
            self._divide(parts)

    def _divide(self, parts: int) -> None:
        """Learn in more parts from now on, with what the optimiser remembers."""
        old, before = self.compiled.optimizer, self.parts
        self.parts = parts
        self._compile()
        new = self.compiled.optimizer
        for source, target in zip(_memory(old), _memory(new), strict=True):
            target.assign(source)
        # Keras counts the parts; those of a step that was not finished are learnt from again.
        new._iterations.assign(int(np.array(old._iterations)) // before * parts)


def _divided(array: Floats, parts: int) -> list[Floats]:
    return np.array_split(array, min(parts, len(array)))


def _memory(optimiser: Any) -> list[Any]:
    """Return what an optimiser remembers from step to step, in order."""
    gradients = {id(variable) for variable in getattr(optimiser, "_accumulated_gradients", [])}
    return [variable for variable in optimiser.variables if id(variable) not in gradients]
