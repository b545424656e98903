"""What is saved of a training: the best and the last weights, the record, and where to go on."""

from __future__ import annotations

import math
import shutil
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.model_folder import ModelFolder, ModelRecord
from uniem.errors import UniemError
from uniem.networks.learner import Learner, State
from uniem.networks.settings import Criterion
from uniem.networks.validation import Scores
from uniem.networks.weights import save_weights

# Between judgements that are quick, a large network would be written all the time.
SAVING_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a training is.

    Attributes
    ----------
    losses : those of the steps since the network was judged last.
    """

    step: int = 0
    seconds: float = 0.0
    judged_at: int = 0
    losses: tuple[float, ...] = ()

    @property
    def mean_loss(self) -> float:
        """The mean loss since the last judgement."""
        return sum(self.losses) / max(len(self.losses), 1)


class Checkpoints:
    """The model folder of a training: the best and the last weights, the record, and where to go on.

    What only serves to go on, and the last weights, are written at the end and when the training is
    interrupted, and in between as often as takes little of the time, in case the worker is killed.
    """

    def __init__(
        self, folder: ModelFolder, record: ModelRecord, learner: Learner, criterion: Criterion
    ) -> None:
        self._folder, self._learner, self._criterion = folder, learner, criterion
        self.record = record
        self._best = Scores.from_metrics(record.best)
        self._saved_step: int | None = None
        self._saved_at = -math.inf
        self._saving_seconds = 0.0

    @property
    def judgements_since_best(self) -> int:
        """How often the network was judged since it was best."""
        best = self.record.best.get("step", 0)
        return sum(entry["step"] > best for entry in self.record.history)

    def save_judged(self, standing: Standing, scores: Scores | None) -> None:
        """Save the last weights, and the best if these are; without scores the last ones are the best."""
        entry = {"step": float(standing.step), "loss": standing.mean_loss}
        entry.update(scores.metrics() if scores else {})
        update: dict[str, Any] = {"history": (*self.record.history, entry)}
        if self._is_best(scores):
            self._best = scores
            update["best"] = entry
            save_weights(self._learner.network, self._folder.weights_path)
        # What comes after a judgement begins with no losses.
        self._save(Standing(standing.step, standing.seconds, standing.step), update, is_urgent=False)

    def save_as_it_is(self, standing: Standing) -> None:
        """Save a training that ends or waits; where nothing was judged yet, as the best so far."""
        update: dict[str, Any] = {}
        if not self.record.best:
            update["best"] = {"step": float(standing.step), "loss": standing.mean_loss}
            save_weights(self._learner.network, self._folder.weights_path)
        self._save(standing, update, is_urgent=self._saved_step != standing.step)

    def save_picture(self, picture: NDArray[np.uint8]) -> None:
        """Save a picture, (y, x), of what the network does."""
        self._folder.save_picture(picture)

    def _save(self, standing: Standing, update: dict[str, Any], is_urgent: bool) -> None:
        if is_urgent or standing.seconds - self._saved_at >= self._saving_seconds / SAVING_SHARE:
            began = time.monotonic()
            save_weights(self._learner.network, self._folder.last_path)
            _save_standing(self._folder.resume_path, standing, self._learner.state())
            self._saving_seconds = time.monotonic() - began
            self._saved_at, self._saved_step = standing.seconds, standing.step
        update.update(steps=standing.step, seconds=standing.seconds)
        self.record = self.record.model_copy(update=update)
        self._folder.save_record(self.record)

    def _is_best(self, scores: Scores | None) -> bool:
        if scores is None or self._best is None:
            return scores is not None or self._best is None
        return scores.rank(self._criterion) > self._best.rank(self._criterion)


def read_standing(folder: ModelFolder) -> tuple[Standing, State]:
    """Return how far the training of a model was, and its learner's state."""
    path = folder.resume_path
    if not path.is_file():
        raise UniemError(
            f"{folder} does not hold what is needed to resume its training ({path.name}).",
            "Fine-tune it instead: that begins with its weights.",
        )
    try:
        with np.load(path, allow_pickle=False) as kept:
            state = {name: kept[name] for name in kept.files}
        step, judged_at = (int(state.pop(name)) for name in ("step", "judged_at"))
        losses = tuple(state.pop("losses").tolist())
        return Standing(step, float(state.pop("seconds")), judged_at, losses), state
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UniemError(f"{path} is damaged.", "Fine-tune the model instead, or train it again.") from error


def copy_best(source: ModelFolder, target: ModelFolder) -> None:
    """Copy the best weights of a model to the folder of the training that goes on from it."""
    shutil.copyfile(source.weights_path, target.weights_path)


def _save_standing(path: Path, standing: Standing, state: State) -> None:
    part = path.with_name("resume.part.npz")
    np.savez(
        part,
        step=standing.step,
        seconds=standing.seconds,
        judged_at=standing.judged_at,
        losses=np.array(standing.losses, np.float64),
        **state,  # type: ignore[arg-type]  # numpy's stubs take the names for options
    )
    part.replace(path)
