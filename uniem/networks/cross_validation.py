"""K-fold cross-validation: as many networks as folds, each judged on the part that it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.model_folder import ModelFolder
from uniem.data.volume import Volume
from uniem.networks.fold_report import FOLDS, UNFINISHED, FoldReport, drop_unfinished, models_of, put_on_top
from uniem.networks.planning import share_of_fold
from uniem.networks.settings import Criterion, TrainingSettings
from uniem.networks.splitting import Fold
from uniem.networks.training import train
from uniem.networks.training_data import VolumePair
from uniem.networks.validation import Scores
from uniem.progress import Context


def cross_validate(
    image: Volume,
    labels: Volume,
    settings: TrainingSettings,
    folds: int,
    folder: ModelFolder,
    context: Context | None = None,
    *,
    further: Sequence[VolumePair] = (),
) -> FoldReport:
    """Train a fresh network for each fold; the folder holds the best, and all of them in `folds`.

    Every annotated pixel judges exactly one network. A time limit is shared out among the folds. When it is
    cancelled or fails, the folds that are finished stay, with the best of them on top; if none is, the
    network of the first, as far as it came, is the model.
    """
    import keras

    context = context or Context()
    settings = share_of_fold(settings, folds)
    for number in range(1, folds + 1):
        context.message(f"Fold {number} of {folds}.")
        keras.backend.clear_session()
        model = ModelFolder.create(folder.path / FOLDS / str(number))
        told = _Told(context, number, folds)
        # What is left of a worker that was killed is known by it.
        mark = model.path / UNFINISHED
        mark.touch()
        try:
            train(image, labels, settings, model, told, further=further, fold=Fold(number, folds))
        except BaseException:
            drop_unfinished(folder)
            raise
        mark.unlink()
        put_on_top(models_of(folder)[best_of(folder, settings.criterion) - 1], folder)
    return FoldReport.of(folder)


def best_of(folder: ModelFolder, criterion: Criterion) -> int:
    """Return the number of the best fold that a model's folder holds, from 1."""
    ranks = [_rank(model.record.best, criterion) for model in models_of(folder)]
    return ranks.index(max(ranks)) + 1


def _rank(best: dict[str, float], criterion: Criterion) -> tuple[float, float]:
    scores = Scores.from_metrics({name: value for name, value in best.items() if name.startswith("val_")})
    return scores.rank(criterion) if scores else (-1.0, 0.0)


class _Told(Context):
    """Pass on what the training of one fold tells, as a part of the whole."""

    def __init__(self, to: Context, number: int, folds: int) -> None:
        self._to, self._number, self._folds = to, number, folds

    def cancelled(self) -> bool:
        return self._to.cancelled()

    def paused(self) -> bool:
        return self._to.paused()

    def progress(self, done: int, total: int | None, label: str) -> None:
        share = done / total if total and label == "Training" else 0.0
        self._to.progress(round(1000 * (self._number - 1 + share)), 1000 * self._folds, "Training folds")

    def metric(self, step: int, **values: float) -> None:
        self._to.metric(step, **{f"fold_{self._number}_{name}": value for name, value in values.items()})

    def preview(self, name: str, image: NDArray[np.uint8]) -> None:
        self._to.preview(name, image)

    def message(self, text: str) -> None:
        self._to.message(f"Fold {self._number} of {self._folds}: {text[:1].lower()}{text[1:]}")

    def result(self, **values: Any) -> None:
        self._to.result(**values)
