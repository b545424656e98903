"""What is saved of a training: the best and the last weights, the record, and where to go on."""

from __future__ import annotations

from typing import Any

from uniem.data.model_folder import ModelFolder, ModelRecord
from uniem.networks.learner import Learner
from uniem.networks.settings import Criterion
from uniem.networks.validation import Scores
from uniem.networks.weights import save_weights


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
        save_weights(self._learner.network, self._folder.last_path)
        self.record = self.record.model_copy(update=update)
        self._folder.save_record(self.record)

    def _is_best(self, scores: Scores | None) -> bool:
        if scores is None or self._best is None:
            return scores is not None or self._best is None
        return scores.rank(self._criterion) > self._best.rank(self._criterion)
