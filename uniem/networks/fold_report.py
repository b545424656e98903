"""How the folds of a cross-validation went: a table, mean and spread, read off the models they left."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from uniem.data.model_folder import RECORD, ModelFolder
from uniem.data.table import Cell, Table

FOLDS = "folds"
# A file in the folder of a fold while its network learns.
UNFINISHED = "unfinished"
FAVOURITES = ("val_f1", "val_jaccard")


@dataclass(frozen=True, slots=True)
class FoldReport:
    """The scores of folds.

    Attributes
    ----------
    folds : the best scores of each finished fold, with step and minutes, under the names they have in curves.
    wanted : how many folds there were to be.
    """

    folds: tuple[dict[str, float], ...]
    wanted: int

    @staticmethod
    def of(folder: ModelFolder, wanted: int | None = None) -> FoldReport:
        """Read the report off the models of folds that a model's folder holds."""
        records = [model.record for model in models_of(folder)]
        folds = tuple({"minutes": record.seconds / 60, **record.best} for record in records)
        return FoldReport(folds, len(folds) if wanted is None else wanted)

    def values(self, name: str) -> list[float]:
        """Return a score of each fold that has it."""
        return [fold[name] for fold in self.folds if name in fold]

    def spread(self, name: str) -> str:
        """Return the mean of a score and its standard deviation, as in 0.953 ± 0.012; empty without it."""
        values = self.values(name)
        if len(values) < 2:
            return f"{values[0]:.3f}" if values else ""
        return f"{mean(values):.3f} ± {stdev(values):.3f}"

    def table(self) -> Table:
        """Return a row per fold, then their mean and, of several, their standard deviation."""
        names = sorted(set.intersection(*(set(fold) for fold in self.folds)))
        rows: list[dict[str, Cell]] = [
            {"fold": str(number), **{name: fold[name] for name in names}}
            for number, fold in enumerate(self.folds, 1)
        ]
        columns = {name: self.values(name) for name in names}
        rows.append({"fold": "mean", **{name: mean(column) for name, column in columns.items()}})
        if len(self.folds) > 1:
            rows.append({"fold": "sd", **{name: stdev(column) for name, column in columns.items()}})
        return Table.of_records(rows)

    def summary(self) -> dict[str, float]:
        """Return mean and standard deviation of the scores, for the record of a run."""
        found: dict[str, float] = {}
        scored = [name for name in self.folds[0] if name.startswith("val_")]
        # What people look for comes first.
        for name in sorted(scored, key=lambda name: name not in FAVOURITES):
            column = self.values(name)
            if len(column) > 1:
                found[f"{name}_mean"], found[f"{name}_sd"] = mean(column), stdev(column)
        return found

    def sentence(self) -> str:
        """Say in a sentence how many folds there are, and how good they became."""
        done, wanted = len(self.folds), self.wanted
        if not done:
            return "No fold is finished; if there is a model, it is the first network, as far as it came."
        count = f"{done} folds" if done == wanted else f"{done} of {wanted} folds"
        scores = (("F1", "val_f1"), ("Jaccard index", "val_jaccard"))
        told = ", ".join(f"{title} {self.spread(name)}" for title, name in scores if self.values(name))
        judged = f": {told}, each on the part that its network did not learn from." if told else "."
        return f"{count} {'is' if done == 1 else 'are'} finished{judged}"


def models_of(folder: ModelFolder) -> list[ModelFolder]:
    """Return the models of the finished folds of a cross-validation in a model's folder, in order."""
    return [
        ModelFolder.open(path)
        for path in _folds_in(folder)
        if ModelFolder.is_model(path) and not (path / UNFINISHED).exists()
    ]


def put_on_top(best: ModelFolder, folder: ModelFolder) -> None:
    """Copy a fold's model to the top, the record last, so that the folder is a model like any other."""
    for path in best.path.iterdir():
        if path.name not in (UNFINISHED, RECORD):
            part = folder.path / f".{path.name}.part"
            shutil.copyfile(path, part)
            part.replace(folder.path / path.name)
    name = folder.path.name.removesuffix(".part")
    folder.save_record(best.record.model_copy(update={"name": name}))


def drop_unfinished(folder: ModelFolder) -> None:
    """Take away folds that learnt for a shorter time than others, which would spoil report and ensemble.

    Where no fold is finished, the network of the first, as far as it came, is the model.
    """
    for path in _folds_in(folder):
        if (path / UNFINISHED).exists():
            if ModelFolder.is_model(path) and not ModelFolder.is_model(folder.path):
                put_on_top(ModelFolder(path), folder)
            shutil.rmtree(path)


def _folds_in(folder: ModelFolder) -> list[Path]:
    places = folder.path / FOLDS
    found = [path for path in places.iterdir() if path.name.isdigit()] if places.is_dir() else []
    return sorted(found, key=lambda path: int(path.name))
