"""A training learns, ends when told, and always leaves a usable model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from tests.networks.conftest import Recorder, discs, quick_settings
from uniem.data.formats import open_volume
from uniem.data.model_folder import ModelFolder
from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError
from uniem.networks.architectures import ResNet, Unet
from uniem.networks.clock import Clock
from uniem.networks.learner import Learner
from uniem.networks.settings import TrainingSettings
from uniem.networks.training import FineTuning, resume_training, train
from uniem.networks.weights import load_network
from uniem.progress import Cancelled

Sample = tuple[ArrayVolume, ArrayVolume]


def test_a_network_learns_and_its_folder_says_how_well(tmp_path: Path, sample: Sample) -> None:
    recorder = Recorder()
    settings = quick_settings(steps=40, validate_every=20, network=Unet(depth=1, base_features=8))
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
    files = sorted(file.name for file in (tmp_path / "model").iterdir())
    assert files[0].startswith("events.out.tfevents.")
    assert files[1:] == ["last.keras", "model.json", "preview.png", "resume.npz", "weights.keras"]
    picture = open_volume(tmp_path / "model" / "preview.png")
    assert np.array_equal(picture[0], recorder.previews[-1])


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
    # On a slow computer the judging at the end is told of, too.
    training = [total for _, total, label in recorder.progresses if label == "Training"]
    assert training and set(training) == {1000}


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
    from uniem.networks.checkpoints import Checkpoints, Standing
    from uniem.networks.validation import Scores

    prepare_backend("cpu")
    source = ModelFolder.create(tmp_path / "source")
    train(*sample, quick_settings(steps=1), source)
    folder = ModelFolder.create(tmp_path / "model")
    learner = Learner(quick_settings(), "float32")
    checkpoints = Checkpoints(
        folder, source.record.model_copy(update={"history": (), "best": {}}), learner, "f1"
    )
    zero = np.zeros((1, 8, 8, 1), np.float32)
    answers = []
    for step, f1 in enumerate((0.5, 0.9, 0.7), start=1):
        learner.network.layers[-1].bias.assign([float(step)])
        answers.append(learner.network.predict_on_batch(zero))
        checkpoints.save_judged(Standing(step, 1.0, 0, (0.1,)), Scores(loss=0.1, f1=f1, jaccard=0.4))
    assert folder.record.best["step"] == 2
    assert checkpoints.judgements_since_best == 1
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


def _weights(folder: ModelFolder) -> list[np.ndarray]:
    """Return all numbers in the file from which a training goes on."""
    with np.load(folder.path / "resume.npz", allow_pickle=False) as kept:
        return [kept[name] for name in sorted(kept.files) if name != "seconds"]


EXACT: dict[str, Any] = {
    "network": Unet(depth=1, base_features=4, dropout=0.3),
    "precision": "float32",
    "optimiser": {"kind": "radam"},
    "seed": 3,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a model whose training nothing interrupted."""
    folder = ModelFolder.create(tmp_path_factory.mktemp("models") / "whole")
    train(*discs((2, 96, 80)), quick_settings(**EXACT), folder)
    return folder


@pytest.mark.parametrize("after", [4, 9])
def test_an_interrupted_and_resumed_training_equals_an_uninterrupted_one(
    after: int, whole: ModelFolder, tmp_path: Path, sample: Sample
) -> None:
    settings = quick_settings(**EXACT)
    begun = ModelFolder.create(tmp_path / "begun")
    with pytest.raises(Cancelled):
        train(*sample, settings, begun, Recorder(cancel_after=4 + after))
    assert begun.record.steps == after
    resumed = ModelFolder.create(tmp_path / "resumed")
    result = resume_training(*sample, begun, resumed)

    assert result.steps == 12 and resumed.record.steps == 12
    for a, b in zip(_weights(whole), _weights(resumed), strict=True):
        np.testing.assert_array_equal(a, b)
    assert resumed.record.history == whole.record.history
    assert resumed.record.best == whole.record.best
    images = np.random.default_rng(0).normal(size=(1, 32, 32, 1)).astype(np.float32)
    answers = [load_network(folder).predict_on_batch(images) for folder in (whole, resumed)]
    np.testing.assert_array_equal(*answers)


class _Pausing(Recorder):
    """Asks for a pause at the third step, and is content when it was asked three times."""

    looks = 0

    def paused(self) -> bool:
        self.looks += 1
        return 3 <= self.looks < 6


def test_a_paused_training_waits_and_goes_on_as_before(
    whole: ModelFolder, tmp_path: Path, sample: Sample
) -> None:
    folder = ModelFolder.create(tmp_path / "paused")
    recorder = _Pausing()
    train(*sample, quick_settings(**EXACT), folder, recorder)
    assert "Paused after step 2; what is learnt so far is saved." in recorder.messages
    for a, b in zip(_weights(whole), _weights(folder), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_training_is_resumed_with_other_limits_but_not_on_other_data(
    tmp_path: Path, sample: Sample
) -> None:
    first = ModelFolder.create(tmp_path / "first")
    train(*sample, quick_settings(steps=4), first)
    longer = ModelFolder.create(tmp_path / "longer")
    assert resume_training(*sample, first, longer, steps=6, more_minutes=5).steps == 6
    assert [entry["step"] for entry in longer.record.history] == [4, 6]
    with pytest.raises(UniemError, match="was on other data"):
        resume_training(*discs((2, 96, 80), seed=9), first, ModelFolder.create(tmp_path / "other"))
    (first.path / "resume.npz").unlink()
    with pytest.raises(UniemError, match=r"resume\.npz"):
        resume_training(*sample, first, ModelFolder.create(tmp_path / "none"))


def test_a_training_that_no_longer_gets_better_ends(tmp_path: Path, sample: Sample) -> None:
    recorder = Recorder()
    settings = quick_settings(steps=500, patience=2, validate_every=1, learning_rate=1e-9)
    result = train(*sample, settings, ModelFolder.create(tmp_path / "model"), recorder)
    assert result.stopped_by == "patience" and result.steps < 100
    assert "no longer made it better" in recorder.messages[-1]


def test_a_model_is_fine_tuned_with_its_encoder_as_it_is(tmp_path: Path, sample: Sample) -> None:
    source = ModelFolder.create(tmp_path / "source")
    train(*sample, quick_settings(steps=2, validation_fraction=0), source)
    tuned = ModelFolder.create(tmp_path / "tuned")
    start = FineTuning(source, freeze_encoder=True)
    train(*sample, quick_settings(steps=3, validation_fraction=0), tuned, start=start)
    before, after = load_network(source), load_network(tuned)
    pairs = list(zip(before.layers, after.layers, strict=True))
    for old, new in pairs:
        same = all((a == b).all() for a, b in zip(old.get_weights(), new.get_weights(), strict=True))
        assert same == (new.name.startswith("encoder") or not new.weights), new.name
    assert TrainingSettings.model_validate(
        {name: value for name, value in tuned.record.training.items() if name != "freeze_encoder"}
    )
    longer = ModelFolder.create(tmp_path / "longer")
    resume_training(*sample, tuned, longer, steps=5)
    encoder = next(layer for layer in load_network(longer).layers if layer.weights)
    first = next(layer for layer in before.layers if layer.weights)
    np.testing.assert_array_equal(encoder.get_weights()[0], first.get_weights()[0])


def _classes(seed: int = 0) -> Sample:
    """Return discs, of which those in the lower half are a class of their own, labelled 7."""
    image, labels = discs((2, 96, 80), seed)
    array = (labels.array > 0).astype(np.uint32)
    array[:, 48:] *= 7
    values = image.array.copy()
    values[array == 7] = 20
    return ArrayVolume(values, image.voxel_size, image.kind, "discs"), ArrayVolume(array, name="classes")


def test_classes_are_told_apart(tmp_path: Path) -> None:
    folder = ModelFolder.create(tmp_path / "model")
    settings = quick_settings(
        task="multi-class", class_names="bright, dark", steps=60, validate_every=60, class_weights="auto",
        network=Unet(depth=1, base_features=8),
    )  # fmt: skip
    recorder = Recorder()
    train(*_classes(), settings, folder, recorder)
    record = folder.record
    assert (record.task, record.classes) == ("multi-class", ("background", "bright", "dark"))
    assert record.class_labels == (0, 1, 7)
    assert record.best["val_f1"] > 0.4 and record.best["val_auc"] > 0.8
    logits = load_network(folder).predict_on_batch(np.zeros((1, 16, 16, 1), np.float32))
    assert logits.shape == (1, 16, 16, 3)
    assert recorder.previews[0].shape == (32, 96)
    with pytest.raises(UniemError, match="1 class names and 2 classes"):
        train(*_classes(), settings.model_copy(update={"class_names": "one"}), folder)


@pytest.mark.parametrize("task", ["boundary", "gray"])
def test_boundaries_and_gray_images_are_learnt(task: str, tmp_path: Path, sample: Sample) -> None:
    image, labels = sample
    if task == "gray":
        labels = ArrayVolume(np.where(labels.array > 0, 255, 0).astype(np.uint8), name="gray")
    folder = ModelFolder.create(tmp_path / "model")
    recorder = Recorder()
    settings = quick_settings(task=task, loss="square", steps=40, validate_every=20)
    train(image, labels, settings, folder, recorder)
    losses = [values["loss"] for _, values in recorder.metrics if "loss" in values]
    assert losses[-1] < 0.85 * losses[0]
    assert (folder.record.task, folder.record.classes) == (task, (task,))
    assert folder.record.top == (255 if task == "gray" else None)


def test_several_volumes_of_different_sizes_are_learnt_from(tmp_path: Path, sample: Sample) -> None:
    folder = ModelFolder.create(tmp_path / "model")
    further = [discs((1, 40, 120), seed=4), discs((1, 70, 33), seed=5)]
    recorder = Recorder()
    train(*sample, quick_settings(steps=4, validation_fraction=0.25), folder, recorder, further=further)
    assert "3 sections train the network, 1 are held out to judge it." in recorder.messages
    with pytest.raises(UniemError, match="40 × 120"):
        odd = (further[0][0], further[1][1])
        train(*sample, quick_settings(steps=1), ModelFolder.create(tmp_path / "odd"), further=[odd])
