"""Trainings from a model, further, in folds and on lists of pictures, as they are started by a user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.operations.conftest import Recorder, run
from uniem.data.model_folder import ModelFolder
from uniem.data.table import read_csv
from uniem.errors import UniemError
from uniem.networks.fold_report import UNFINISHED, drop_unfinished, models_of
from uniem.operations.training_pairs import read_pairs
from uniem.progress import Cancelled

TINY: dict[str, Any] = {
    "network": {"kind": "unet", "depth": 1, "base_features": 4},
    "patch_size": 32,
    "batch_size": 2,
    "device": "cpu",
}


def test_a_cancelled_training_is_resumed_and_a_model_fine_tuned(
    image: Path, labels: Path, tmp_path: Path
) -> None:
    inputs = {"image": image, "labels": labels}
    with pytest.raises(Cancelled):
        run("train-2d", inputs, {"model": tmp_path / "a"}, Recorder(cancel_after=14), steps=8, **TINY)
    done = ModelFolder.open(tmp_path / "a").record.steps
    assert 0 < done < 8
    run("resume-2d", {**inputs, "start": tmp_path / "a"}, {"model": tmp_path / "b"})
    assert ModelFolder.open(tmp_path / "b").record.steps == 8
    assert ModelFolder.open(tmp_path / "a").record.steps == done
    values = {name: value for name, value in TINY.items() if name != "network"}
    start = {**inputs, "start": tmp_path / "b"}
    run("fine-tune-2d", start, {"model": tmp_path / "c"}, steps=2, freeze_encoder=True, **values)
    tuned = ModelFolder.open(tmp_path / "c").record
    assert tuned.architecture["base_features"] == 4 and tuned.steps == 2


def test_folds_are_reported_with_mean_and_spread(image: Path, labels: Path, tmp_path: Path) -> None:
    outputs = {"model": tmp_path / "model", "report": tmp_path / "folds.csv"}
    context = run("cross-validate-2d", {"image": image, "labels": labels}, outputs, folds=2, steps=3, **TINY)
    rows = {row["fold"]: row for row in read_csv(tmp_path / "folds.csv", {"fold": str}).records()}
    assert list(rows) == ["1", "2", "mean", "sd"]
    f1 = [float(rows[fold]["val_f1"]) for fold in ("1", "2")]  # type: ignore[arg-type]
    assert rows["mean"]["val_f1"] == pytest.approx(np.mean(f1))
    assert rows["sd"]["val_f1"] == pytest.approx(np.std(f1, ddof=1))
    best = context.results["best_fold"]  # type: ignore[attr-defined]
    assert ModelFolder.open(tmp_path / "model").record.best["val_f1"] == max(f1)
    models = [ModelFolder.open(tmp_path / "model" / "folds" / fold) for fold in ("1", "2")]
    top = ModelFolder.open(tmp_path / "model")
    assert top.weights_path.read_bytes() == models[best - 1].weights_path.read_bytes()


class _Stopping(Recorder):
    """Ask to end once a fold has learnt so many steps."""

    def __init__(self, fold: int, step: int) -> None:
        super().__init__()
        self._at = f"fold_{fold}_loss", step

    def cancelled(self) -> bool:
        name, step = self._at
        return any(name in values and at >= step for at, values in self.metrics)


def test_a_cancelled_cross_validation_leaves_the_folds_that_are_finished(
    image: Path, labels: Path, tmp_path: Path
) -> None:
    inputs = {"image": image, "labels": labels}
    outputs = {"model": tmp_path / "model", "report": tmp_path / "folds.csv"}
    context = _Stopping(3, 2)
    with pytest.raises(Cancelled):
        # Steps are told four times a second at most, so there are many.
        run("cross-validate-2d", inputs, outputs, context, folds=4, steps=400, **TINY)
    rows = read_csv(tmp_path / "folds.csv", {"fold": str}).records()
    assert [row["fold"] for row in rows] == ["1", "2", "mean", "sd"]
    assert context.messages[-1].startswith("2 of 4 folds are finished: F1 ")
    assert context.results["finished_folds"] == 2
    model = ModelFolder.open(tmp_path / "model")
    assert sorted(path.name for path in (model.path / "folds").iterdir()) == ["1", "2"]
    found = {"result": tmp_path / "found.zarr"}
    ensemble = {"folds": True}
    run("infer-2d", {"image": image, "model": model.path}, found, ensemble=ensemble, device="cpu")
    start = {**inputs, "start": model.path / "folds" / "2"}
    resumed = run("resume-2d", start, {"model": tmp_path / "further"}, steps=401)
    assert any(context.messages.count(f"Fold 2 of 4: {_lower(said)}") for said in _splits(resumed))
    assert ModelFolder.open(tmp_path / "further").record.training["fold"] == [2, 4]


def _splits(context: Any) -> list[str]:
    return [said for said in context.messages if "held out" in said and "Trained" not in said]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


class _Breaking(Recorder):
    """Have the caller fail once a number was told at a step or later."""

    def __init__(self, name: str, step: int) -> None:
        super().__init__()
        self._name, self._step = name, step

    def metric(self, step: int, **values: float) -> None:
        super().metric(step, **values)
        if self._name in values and step >= self._step:
            raise RuntimeError("the disk is gone")


def test_a_training_that_fails_leaves_its_best_model_which_is_resumed(
    image: Path, labels: Path, tmp_path: Path
) -> None:
    inputs = {"image": image, "labels": labels}
    with pytest.raises(RuntimeError, match="the disk is gone"):
        context = _Breaking("val_f1", 6)
        run("train-2d", inputs, {"model": tmp_path / "a"}, context, steps=9, validate_every=3, **TINY)
    record = ModelFolder.open(tmp_path / "a").record
    assert record.best["val_f1"] == max(
        values["val_f1"] for _, values in context.metrics if "val_f1" in values
    )
    assert (tmp_path / "a" / "provenance.json").is_file()
    run("resume-2d", {**inputs, "start": tmp_path / "a"}, {"model": tmp_path / "b"})
    assert ModelFolder.open(tmp_path / "b").record.steps == 9
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_training_that_fails_never_takes_the_place_of_a_model(
    image: Path, labels: Path, tmp_path: Path
) -> None:
    inputs, outputs = {"image": image, "labels": labels}, {"model": tmp_path / "a.model"}
    run("train-2d", inputs, outputs, steps=2, **TINY)
    before = (tmp_path / "a.model" / "model.json").read_bytes()
    for name in ("a-unfinished.model", "a-unfinished-2.model"):
        with pytest.raises(RuntimeError):
            run("train-2d", inputs, outputs, _Breaking("val_f1", 3), overwrite=True, steps=3, **TINY)
        assert ModelFolder.is_model(tmp_path / name)
    assert (tmp_path / "a.model" / "model.json").read_bytes() == before


def test_what_a_killed_training_has_left_is_told_of(image: Path, labels: Path, tmp_path: Path) -> None:
    inputs = {"image": image, "labels": labels}
    run("train-2d", inputs, {"model": tmp_path / "a.model"}, steps=2, **TINY)
    rest = (tmp_path / "a.model").rename(tmp_path / ".a.abc123.part.model")
    context = run("train-2d", inputs, {"model": tmp_path / "a.model"}, steps=2, **TINY)
    assert any(str(rest) in said for said in context.messages)  # type: ignore[attr-defined]
    run("resume-2d", {**inputs, "start": rest}, {"model": tmp_path / "b.model"}, steps=3)
    assert ModelFolder.open(tmp_path / "b.model").record.steps == 3


def test_a_cross_validation_that_fails_leaves_the_folds_that_are_finished(
    image: Path, labels: Path, tmp_path: Path
) -> None:
    outputs = {"model": tmp_path / "model", "report": tmp_path / "folds.csv"}
    with pytest.raises(RuntimeError, match="the disk is gone"):
        context = _Breaking("fold_3_val_f1", 3)
        run("cross-validate-2d", {"image": image, "labels": labels}, outputs, context, steps=3, **TINY)
    rows = read_csv(tmp_path / "folds.csv", {"fold": str}).records()
    assert [row["fold"] for row in rows] == ["1", "2", "mean", "sd"]
    model = ModelFolder.open(tmp_path / "model")
    assert sorted(path.name for path in (model.path / "folds").iterdir()) == ["1", "2"]
    assert not list(model.path.rglob("unfinished"))


def test_a_cross_validation_cancelled_in_its_first_fold_leaves_that_network(
    image: Path, labels: Path, tmp_path: Path
) -> None:
    outputs = {"model": tmp_path / "model", "report": tmp_path / "folds.csv"}
    context = _Stopping(1, 2)
    with pytest.raises(Cancelled):
        run("cross-validate-2d", {"image": image, "labels": labels}, outputs, context, steps=4000, **TINY)
    model = ModelFolder.open(tmp_path / "model")
    assert 0 < model.record.steps < 4000 and not models_of(model)
    assert not (tmp_path / "folds.csv").exists()
    assert context.messages[-1].startswith("No fold is finished")


def test_of_a_killed_cross_validation_the_unfinished_fold_is_dropped(
    image: Path, labels: Path, tmp_path: Path
) -> None:
    inputs, folder = {"image": image, "labels": labels}, ModelFolder(tmp_path / "model")
    for number, steps in ((1, 3), (2, 2)):
        fold = folder.path / "folds" / str(number)
        run("train-2d", inputs, {"model": fold}, steps=steps, **TINY)
        (fold / UNFINISHED).touch()
        assert not models_of(folder)
        if number == 1:
            # Killed in the first fold: its network, as far as it came, is all there is.
            drop_unfinished(folder)
            assert ModelFolder.open(folder.path).record.steps == 3
    drop_unfinished(folder)
    assert ModelFolder.open(folder.path).record.steps == 3
    assert not list((folder.path / "folds").iterdir())
    run("resume-2d", {**inputs, "start": folder.path}, {"model": tmp_path / "further"}, steps=4)


class _Pausing(Recorder):
    """Ask to wait for a moment after the first judgement."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def paused(self) -> bool:
        self.asked += any("fold_1_val_f1" in values for _, values in self.metrics)
        return 0 < self.asked < 3


def test_a_cross_validation_can_be_paused(image: Path, labels: Path, tmp_path: Path) -> None:
    outputs = {"model": tmp_path / "model", "report": tmp_path / "folds.csv"}
    inputs, context = {"image": image, "labels": labels}, _Pausing()
    run("cross-validate-2d", inputs, outputs, context, folds=2, steps=4, validate_every=2, **TINY)
    assert any(message.startswith("Fold 1 of 2: paused after step 2") for message in context.messages)


def _pictures(folder: Path) -> None:
    """Write three pictures of different sizes, and what is bright in them."""
    for part in ("raw", "mito"):
        (folder / part).mkdir()
    for number, side in enumerate((40, 56, 48), 9):
        rng = np.random.default_rng(number)
        gray = rng.integers(0, 255, (side, side + 8), np.uint8)
        cv2.imwrite(str(folder / "raw" / f"im{number}.png"), gray)
        cv2.imwrite(str(folder / "mito" / f"lab{number}.png"), (gray > 200).astype(np.uint8))


def test_pictures_that_are_no_stack_are_paired_in_natural_order(
    image: Path, labels: Path, tmp_path: Path
) -> None:
    _pictures(tmp_path)
    listed = tmp_path / "pairs.csv"
    listed.write_text("image,labels\nraw/*.png,mito/*.png\n", encoding="utf-8")
    pairs = read_pairs(str(listed))
    assert [pair[0].shape for pair in pairs] == [(1, 40, 48), (1, 56, 64), (1, 48, 56)]
    for gray, found in pairs:
        np.testing.assert_array_equal(found[0], gray[0] > 200)
    model = {"model": tmp_path / "model"}
    run("train-2d", {"image": image, "labels": labels}, model, steps=2, further=str(listed), **TINY)
    assert ModelFolder.open(tmp_path / "model").record.steps == 2
    (tmp_path / "mito" / "lab10.png").unlink()
    with pytest.raises(UniemError, match="names 3 images and 2 labels"):
        read_pairs(str(listed))
    assert read_pairs("  ") == []
