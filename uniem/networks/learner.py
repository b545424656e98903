"""A network being trained: one step, one prediction, and what is saved of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from uniem.data.model_folder import ModelFolder, ModelRecord
from uniem.networks.backend import dtype_policy
from uniem.networks.losses import loss_of
from uniem.networks.patches import Batch, Floats
from uniem.networks.settings import Criterion, TrainingSettings
from uniem.networks.validation import Scores
from uniem.networks.weights import save_weights


class Learner:
    """A network with its loss and its optimiser."""

    def __init__(self, settings: TrainingSettings, policy: str) -> None:
        import keras

        keras.utils.set_random_seed(settings.seed % 2**32)
        with dtype_policy(policy):
            self.network = settings.network.build()
        # The same layers twice: the plain network is saved without the optimiser, the compiled one with it.
        self.compiled = keras.Model(self.network.inputs, self.network.outputs)
        self.loss = loss_of(settings.loss)
        optimiser = keras.optimizers.Adam(settings.learning_rate)
        # XLA is several times slower on a CPU.
        self.compiled.compile(optimizer=optimiser, loss=self.loss, jit_compile=False)

    def learn(self, batch: Batch, learning_rate: float) -> float:
        """Improve the weights by one batch and return its loss."""
        self.compiled.optimizer.learning_rate = learning_rate
        # Keras would return the mean over all batches so far.
        self.compiled.reset_metrics()
        logs: dict[str, Any] = self.compiled.train_on_batch(batch.images, batch.truths, return_dict=True)
        return float(logs["loss"])

    def predict(self, images: Floats) -> Floats:
        """Return the logits, (batch, y, x, 1), of normalised images of the same shape."""
        return np.asarray(self.compiled.predict_on_batch(images), np.float32)


class Checkpoints:
    """The model folder of a training: the best and the last weights, and the record."""

    def __init__(
        self, folder: ModelFolder, record: ModelRecord, learner: Learner, criterion: Criterion
    ) -> None:
        self._folder, self._learner, self._criterion = folder, learner, criterion
        self.record = record
        self._best: Scores | None = None

    @property
    def has_weights(self) -> bool:
        """Tell whether there is a usable model already."""
        return self._folder.weights_path.exists()

    def save(self, step: int, seconds: float, loss: float, scores: Scores | None) -> None:
        """Save the last weights, and the best if these are; without scores the last ones are the best."""
        entry = {"step": float(step), "loss": loss, **(scores.metrics() if scores else {})}
        update: dict[str, Any] = {
            "steps": step,
            "seconds": seconds,
            "history": (*self.record.history, entry),
        }
        if self._is_best(scores):
            self._best = scores
            update["best"] = entry
            save_weights(self._learner.network, self._folder.weights_path)
        save_weights(self._learner.compiled, self._folder.last_path)
        self.record = self.record.model_copy(update=update)
        self._folder.save_record(self.record)

    def _is_best(self, scores: Scores | None) -> bool:
        if scores is None or self._best is None:
            return scores is not None or self._best is None
        return scores.rank(self._criterion) > self._best.rank(self._criterion)
