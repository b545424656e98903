"""A training learns, ends when told, and always leaves a usable model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from tests.networks.conftest import Recorder, discs, quick_settings
from uniem.data.model_folder import ModelFolder
from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError
from uniem.networks.architectures import ResNet, Unet
from uniem.networks.learner import Learner
from uniem.networks.settings import TrainingSettings
from uniem.networks.training import Clock, train
from uniem.networks.weights import load_network
from uniem.progress import Cancelled

Sample = tuple[ArrayVolume, ArrayVolume]


def test_a_network_learns_and_its_folder_says_how_well(tmp_path: Path, sample: Sample) -> None:
    recorder = Recorder()
    settings = quick_settings(steps=40, validate_every=20)
    result = train(*sample, settings, ModelFolder.create(tmp_path / "model"), recorder, {"by": "a test"})

    record = ModelFolder.open(tmp_path / "model").record
    losses = [values["loss"] for _, values in recorder.metrics if "loss" in values]
    assert losses[-1] < 0.7 * losses[0]
    assert [entry["step"] for entry in record.history] == [20, 40]
    assert record.best in record.history
    assert record.best["val_f1"] == max(entry["val_f1"] for entry in record.history)
    assert record.best["val_f1"] > 0.7
    assert result.steps == record.steps == 40 and result.stopped_by == "steps"
    assert result.best == record.best
    assert record.architecture == settings.network.model_dump()
    assert (record.patch, record.stride) == (32, 2)
    assert record.precision == result.precision
    assert record.receptive_field == settings.network.receptive_field
    assert record.voxel_size == (50.0, 4.0, 4.0)
    assert record.normalisation.mean == pytest.approx(float(sample[0].array.mean()), rel=0.1)
    assert record.provenance == {"by": "a test"}
    assert TrainingSettings.model_validate(record.training) == settings
    assert recorder.previews[0].shape == (32, 3 * 32)
    assert recorder.progresses[-1] == (40, 40, "Training")
    assert "F1 0." in recorder.messages[-1]
    assert sorted(file.name for file in (tmp_path / "model").iterdir()) == [
        "last.keras",
        "model.json",
        "weights.keras",
    ]


@pytest.mark.parametrize(
    ("network", "precision"),
    [(Unet(depth=1, base_features=4), "bfloat16"), (ResNet(blocks=1), "float32")],
    ids=["unet", "resnet"],
)
def test_a_saved_network_answers_as_before(
    network: Unet | ResNet, precision: str, tmp_path: Path, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    learners: list[Learner] = []
    original = Learner.__init__

    def remember(self: Learner, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        learners.append(self)

    monkeypatch.setattr(Learner, "__init__", remember)
    folder = ModelFolder.create(tmp_path / "model")
    settings = quick_settings(network=network, steps=3, validation_fraction=0, precision=precision)
    result = train(*sample, settings, folder)

    assert result.precision == ("float32" if precision == "float32" else "mixed_bfloat16")
    images = np.random.default_rng(0).normal(size=(2, 64, 48, 1)).astype(np.float32)
    reloaded = load_network(folder, result.precision)
    np.testing.assert_array_equal(reloaded.predict_on_batch(images), learners[0].predict(images))


def test_without_a_held_out_part_the_last_weights_are_kept(tmp_path: Path, sample: Sample) -> None:
    recorder = Recorder()
    folder = ModelFolder.create(tmp_path / "model")
    train(*sample, quick_settings(validation_fraction=0), folder, recorder)
    assert folder.record.best["step"] == 12
    assert "Nothing was held out" in recorder.messages[-1]


@pytest.mark.parametrize("after", [0, 9])
def test_a_cancelled_training_leaves_a_usable_model(after: int, tmp_path: Path, sample: Sample) -> None:
    folder = ModelFolder.create(tmp_path / "model")
    # Two sections are looked at and two measured before the first step asks.
    with pytest.raises(Cancelled):
        train(*sample, quick_settings(), folder, Recorder(cancel_after=4 + after))
    record = ModelFolder.open(folder.path).record
    assert record.steps == after
    assert record.best["step"] == min(after, 6)
    assert folder.last_path.is_file()
    logits = load_network(folder).predict_on_batch(np.zeros((1, 16, 16, 1), np.float32))
    assert np.isfinite(logits).all()


def test_the_time_limit_ends_the_training(tmp_path: Path, sample: Sample) -> None:
    recorder = Recorder()
    settings = quick_settings(steps=1_000_000, max_minutes=0.05, validate_every=1_000_000)
    result = train(*sample, settings, ModelFolder.create(tmp_path / "model"), recorder)
    assert result.stopped_by == "time"
    assert 1 <= result.steps < 1_000_000
    record = ModelFolder.open(tmp_path / "model").record
    assert record.steps == record.best["step"] == result.steps
    assert recorder.progresses[-1][1] == 1000


def test_the_clock_goes_by_whichever_is_nearer_to_its_end() -> None:
    clock = Clock(steps=100, limit=float("inf"), started=time.monotonic() - 1000)
    assert clock.progress(25) == 0.25
    clock = Clock(steps=100, limit=2000, started=time.monotonic() - 1000, closing_seconds=0)
    assert clock.progress(25) == pytest.approx(0.5, abs=0.01)
    assert clock.ending(25) is None
    clock.note_step(3000)
    assert clock.ending(25) == "time"
    assert clock.ending(0) is None, "one step is always done"
    assert clock.ending(100) == "steps"


def test_a_seed_gives_the_same_losses(tmp_path: Path, sample: Sample) -> None:
    histories = []
    for name in ("a", "b"):
        folder = ModelFolder.create(tmp_path / name)
        train(*sample, quick_settings(seed=3, precision="float32"), folder)
        histories.append([entry["loss"] for entry in folder.record.history])
    assert histories[0] == pytest.approx(histories[1], rel=1e-3)


def test_the_best_weights_are_not_always_the_last(tmp_path: Path, sample: Sample) -> None:
    from uniem.networks.backend import prepare_backend
    from uniem.networks.checkpoints import Checkpoints
    from uniem.networks.validation import Scores

    prepare_backend("cpu")
    source = ModelFolder.create(tmp_path / "source")
    train(*sample, quick_settings(steps=1), source)
    folder = ModelFolder.create(tmp_path / "model")
    learner = Learner(quick_settings(), "float32")
    checkpoints = Checkpoints(folder, source.record.model_copy(update={"history": ()}), learner, "f1")
    zero = np.zeros((1, 8, 8, 1), np.float32)
    answers = []
    for step, f1 in enumerate((0.5, 0.9, 0.7), start=1):
        learner.network.layers[-1].bias.assign([float(step)])
        answers.append(np.asarray(learner.network(zero)))
        checkpoints.save(step, 1.0, 0.1, Scores(loss=0.1, f1=f1, jaccard=0.4))
    assert folder.record.best["step"] == 2
    np.testing.assert_array_equal(load_network(folder).predict_on_batch(zero), answers[1])


def test_bad_input_is_refused_with_both_sides(tmp_path: Path, sample: Sample) -> None:
    folder = ModelFolder.create(tmp_path / "model")
    with pytest.raises(UniemError, match=r"2 × 96 × 80 .* 2 × 90 × 80"):
        train(sample[0], discs((2, 90, 80))[1], quick_settings(), folder)
    with pytest.raises(ValidationError, match="patch size 40 is not a multiple of 16"):
        TrainingSettings(patch_size=40)
    assert list(folder.path.iterdir()) == []


def test_damaged_weights_are_named(tmp_path: Path, sample: Sample) -> None:
    folder = ModelFolder.create(tmp_path / "model")
    train(*sample, quick_settings(steps=1, validation_fraction=0), folder)
    whole = folder.weights_path.read_bytes()
    folder.weights_path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UniemError, match="damaged"):
        load_network(folder)
    folder.weights_path.write_bytes(whole)
    folder.save_record(folder.record.model_copy(update={"architecture": Unet(depth=2).model_dump()}))
    with pytest.raises(UniemError, match="not of the network"):
        load_network(folder)
