"""K-fold cross-validation: as many networks as folds, each judged on the part that it never saw."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.model_folder import ModelFolder
from uniem.data.table import Cell, Table
from uniem.data.volume import Volume
from uniem.networks.settings import TrainingSettings
from uniem.networks.splitting import fold_splits
from uniem.networks.training import train
from uniem.networks.training_data import VolumePair, survey_pairs
from uniem.networks.validation import Scores
from uniem.progress import Context

FOLDS = "folds"


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """How the folds went.

    Attributes
    ----------
    folds : the best scores of each fold, with steps and minutes, under the names they have in curves.
    best : the number of the best fold, from 1.
    """

    folds: tuple[dict[str, float], ...]
    best: int

    def table(self) -> Table:
        """Return a row per fold, then their means and standard deviations."""
        names = sorted(set.intersection(*(set(fold) for fold in self.folds)))
        rows: list[dict[str, Cell]] = [
            {"fold": str(number), **{name: fold[name] for name in names}}
            for number, fold in enumerate(self.folds, 1)
        ]
        values = {name: [fold[name] for fold in self.folds] for name in names}
        rows.append({"fold": "mean", **{name: mean(column) for name, column in values.items()}})
        rows.append({"fold": "sd", **{name: stdev(column) for name, column in values.items()}})
        return Table.of_records(rows)

    def summary(self) -> dict[str, float]:
        """Return mean and standard deviation of the scores, for the record of a run."""
        scored = [name for name in self.folds[0] if name.startswith("val_")]
        found: dict[str, float] = {}
        for name in scored:
            column = [fold[name] for fold in self.folds if name in fold]
            if len(column) > 1:
                found[f"{name}_mean"], found[f"{name}_sd"] = mean(column), stdev(column)
        return found


def cross_validate(
    image: Volume,
    labels: Volume,
    settings: TrainingSettings,
    folds: int,
    folder: ModelFolder,
    context: Context | None = None,
    *,
    further: Sequence[VolumePair] = (),
) -> CrossValidation:
    """Train a fresh network for each fold; the folder holds the best, and all of them in `folds`.

    Every annotated pixel judges exactly one network. A time limit is shared out among the folds.
    """
    import keras

    context = context or Context()
    survey = survey_pairs([(image, labels), *further], settings, context)
    splits = fold_splits(survey, folds)
    if settings.max_minutes is not None:
        settings = settings.model_copy(update={"max_minutes": settings.max_minutes / folds})
    results: list[dict[str, float]] = []
    models: list[ModelFolder] = []
    for number, split in enumerate(splits, 1):
        context.message(f"Fold {number} of {folds}.")
        keras.backend.clear_session()
        models.append(ModelFolder.create(folder.path / FOLDS / str(number)))
        fold = _Fold(context, number, folds)
        result = train(image, labels, settings, models[-1], fold, further=further, split=split)
        results.append({"minutes": result.minutes, **result.best})
    best = max(range(folds), key=lambda i: _rank(results[i], settings))
    _put_on_top(models[best], folder)
    return CrossValidation(tuple(results), best + 1)


def _rank(result: dict[str, float], settings: TrainingSettings) -> tuple[float, float]:
    scores = Scores.from_metrics({k: v for k, v in result.items() if k.startswith("val_")})
    return scores.rank(settings.criterion) if scores else (-1.0, 0.0)


def _put_on_top(best: ModelFolder, folder: ModelFolder) -> None:
    """Copy the best fold's model, so that the folder is a model like any other."""
    for path in best.path.iterdir():
        shutil.copyfile(path, folder.path / path.name)
    name = folder.path.name.removesuffix(".part")
    folder.save_record(best.record.model_copy(update={"name": name}))


class _Fold(Context):
    """Pass on what the training of one fold tells, as a part of the whole."""

    def __init__(self, to: Context, number: int, folds: int) -> None:
        self._to, self._number, self._folds = to, number, folds

    def cancelled(self) -> bool:
        return self._to.cancelled()

    def progress(self, done: int, total: int | None, label: str) -> None:
        share = done / total if total and label == "Training" else 0.0
        self._to.progress(round(1000 * (self._number - 1 + share)), 1000 * self._folds, "Training folds")

    def metric(self, step: int, **values: float) -> None:
        self._to.metric(step, **{f"fold_{self._number}_{name}": value for name, value in values.items()})

    def preview(self, name: str, image: NDArray[np.uint8]) -> None:
        self._to.preview(name, image)

    def message(self, text: str) -> None:
        self._to.message(text)

    def result(self, **values: Any) -> None:
        self._to.result(**values)
