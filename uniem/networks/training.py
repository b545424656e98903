"""Training a two-dimensional network on an image and its labels."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

from uniem.data.model_folder import ModelFolder, ModelRecord, Normalisation
from uniem.data.volume import Volume, check_same_shape
from uniem.errors import UniemError
from uniem.networks.backend import prepare_backend
from uniem.networks.checkpoints import Checkpoints
from uniem.networks.learner import Learner
from uniem.networks.patches import (
    Batch,
    Pairs,
    PatchSampler,
    Sections,
    measure_normalisation,
    prepared_ahead,
    validation_batches,
)
from uniem.networks.settings import TrainingSettings
from uniem.networks.splitting import split_sections, survey_labels
from uniem.networks.validation import judge, strip
from uniem.progress import Cancelled, Context

REPORT_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """How a training went.

    Attributes
    ----------
    best : the scores of the saved weights and their step.
    stopped_by : what ended the training.
    """

    steps: int
    minutes: float
    best: dict[str, float]
    stopped_by: Literal["steps", "time"]
    device: str
    precision: str


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Patches to learn from, windows to be judged by, and how their gray values were normalised."""

    sampler: PatchSampler
    windows: list[Batch]
    normalisation: Normalisation


@dataclass(slots=True)
class Clock:
    """Tells how much of a training is over, by steps and by time, so that it ends before the limit."""

    steps: int
    limit: float
    started: float
    step_seconds: float = 0.0
    closing_seconds: float = 1.0

    @property
    def elapsed(self) -> float:
        """The seconds since the training was started."""
        return time.monotonic() - self.started

    def progress(self, done: int) -> float:
        """Return the share of the training that is over, 0 to 1."""
        by_time = self.elapsed / max(self.limit - self.closing_seconds, 1e-9)
        return min(max(done / self.steps, by_time), 1.0)

    def ending(self, done: int) -> Literal["steps", "time"] | None:
        """Return what ends the training now; another step must leave the time to judge and save."""
        if done >= self.steps:
            return "steps"
        if done and self.elapsed + self.step_seconds + self.closing_seconds > self.limit:
            return "time"
        return None

    def expect_judgement(self, windows: int) -> None:
        """Guess how long judging and saving will take, before the first time: generously."""
        self.closing_seconds = 3.0 + self.step_seconds * windows / 8

    def note_step(self, seconds: float) -> None:
        """Remember how long a step took, recent ones more."""
        self.step_seconds = 0.7 * self.step_seconds + 0.3 * seconds if self.step_seconds else seconds


def train(
    image: Volume,
    labels: Volume,
    settings: TrainingSettings,
    folder: ModelFolder,
    context: Context | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> TrainingResult:
    """Train a network that finds what is labelled, and leave it in the folder.

    Every label but 0 is the object; each section is an image of its own. The folder holds a usable model
    from the first judgement on; a cancelled training saves what it has and raises `Cancelled`.
    """
    context = context or Context()
    clock = Clock(settings.steps, (settings.max_minutes or math.inf) * 60, time.monotonic())
    check_same_shape(image, labels)
    backend = prepare_backend(settings.device)
    policy = backend.policy(settings.precision)
    data = _prepare(image, labels, settings, context)
    learner = Learner(settings, policy, told=context.message)
    record = _begin_record(image, settings, data, learner, policy)
    update = {"name": folder.path.name.removesuffix(".part"), "provenance": dict(provenance or {})}
    checkpoints = Checkpoints(folder, record.model_copy(update=update), learner, settings.criterion)
    context.message(f"Training by {backend}, in {policy.replace('_', ' ')}.")
    done, ending = _Run(settings, data, learner, checkpoints, clock, context).to_the_end()
    best = checkpoints.record.best
    context.message(_verdict(best, done, clock.elapsed / 60))
    return TrainingResult(done, clock.elapsed / 60, best, ending, str(backend), policy)


def _verdict(best: Mapping[str, float], steps: int, minutes: float) -> str:
    """Say in a sentence how good the model is, and on what."""
    text = f"Trained {steps} steps in {minutes:.1f} minutes."
    if "val_f1" not in best:
        return f"{text} Nothing was held out, so how good the model is was not measured."
    return (
        f"{text} Best at step {best['step']:.0f}: F1 {best['val_f1']:.3f}, Jaccard index "
        f"{best['val_jaccard']:.3f} on the held-out part."
    )


def _prepare(image: Volume, labels: Volume, settings: TrainingSettings, context: Context) -> TrainingData:
    survey = survey_labels(
        labels, settings.ignore_label, settings.use_empty_sections, context, settings.background_label
    )
    if unused := labels.shape[0] - len(survey.sections):
        context.message(f"{unused} sections hold no object and count as not annotated.")
    split = split_sections(survey, settings.validation_fraction)
    context.message(str(split))
    normalisation = measure_normalisation(image, split.training, context)
    pairs = Pairs(
        Sections(image), Sections(labels), normalisation, settings.ignore_label, settings.background_label
    )
    sampler = PatchSampler(
        pairs,
        split.training,
        survey,
        settings.patch_size,
        settings.foreground,
        settings.augmentation,
        settings.seed,
    )
    windows = validation_batches(
        pairs,
        split.validation,
        survey,
        settings.patch_size,
        settings.validation_windows,
        settings.batch_size,
    )
    return TrainingData(sampler, windows, normalisation)


class _Run:
    """One training from its first step to its last."""

    def __init__(
        self,
        settings: TrainingSettings,
        data: TrainingData,
        learner: Learner,
        checkpoints: Checkpoints,
        clock: Clock,
        context: Context,
    ) -> None:
        self._settings, self._data, self._learner = settings, data, learner
        self._checkpoints, self._clock, self._context = checkpoints, clock, context
        self._losses: list[float] = []
        self._recent: list[float] = []
        self._reported = 0.0
        self._judged_at = 0
        self._shown = _window_to_show(data)

    def to_the_end(self) -> tuple[int, Literal["steps", "time"]]:
        """Learn until the steps or the time are used up, and return the number of steps and what ended it."""
        done = 0
        size = self._settings.batch_size
        with closing(prepared_ahead(lambda index: self._data.sampler.batch(index, size))) as batches:
            while not (ending := self._clock.ending(done)):
                if self._context.cancelled():
                    self._save_as_it_is(done)
                    raise Cancelled
                done += 1
                self._step(done, next(batches))
                if done - self._judged_at >= self._settings.validate_every:
                    self._judge(done)
        if self._judged_at < done:
            self._judge(done)
        return done, ending

    def _step(self, done: int, batch: Batch) -> None:
        started = time.monotonic()
        factor = self._settings.schedule.factor(self._clock.progress(done - 1))
        loss = self._learner.learn(batch, self._settings.learning_rate * factor)
        if not math.isfinite(loss):
            raise UniemError(
                f"The loss became infinite at step {done}.",
                "Lower the learning rate, or choose another loss.",
            )
        if done > 1:
            # The first step includes the engine's preparations.
            self._clock.note_step(time.monotonic() - started)
            if self._judged_at == 0:
                self._clock.expect_judgement(len(self._data.windows))
        self._losses.append(loss)
        self._recent.append(loss)
        self._report(done)

    def _report(self, done: int) -> None:
        if self._clock.elapsed - self._reported < REPORT_SECONDS and done < self._settings.steps:
            return
        self._reported = self._clock.elapsed
        self._context.metric(done, loss=sum(self._recent) / len(self._recent))
        self._recent.clear()
        if math.isinf(self._clock.limit):
            self._context.progress(done, self._settings.steps, "Training")
        else:
            share = round(1000 * self._clock.progress(done))
            self._context.progress(share, 1000, "Training")

    def _judge(self, done: int) -> None:
        """Score the network, save it if it is the best so far, and show what it does."""
        started = time.monotonic()
        scores = (
            judge(self._learner.predict, self._learner.loss, self._data.windows)
            if self._data.windows
            else None
        )
        self._checkpoints.save(done, self._clock.elapsed, self._mean_loss(), scores)
        if scores:
            self._context.metric(done, **scores.metrics())
        images, truths = self._shown
        logits = self._learner.predict(images)
        self._context.preview(
            "input | truth | prediction", strip(images[0, ..., 0], truths[0, ..., 0], logits[0, ..., 0])
        )
        self._judged_at = done
        self._clock.closing_seconds = time.monotonic() - started

    def _save_as_it_is(self, done: int) -> None:
        """Save a training that was cancelled; where nothing was judged yet, as the best so far."""
        if done > self._judged_at or not self._checkpoints.has_weights:
            self._checkpoints.save(done, self._clock.elapsed, self._mean_loss(), None)

    def _mean_loss(self) -> float:
        """Return the mean loss since the last judgement."""
        mean = sum(self._losses) / max(len(self._losses), 1)
        self._losses.clear()
        return mean


def _window_to_show(data: TrainingData) -> Batch:
    """Return the window with the object's share nearest to a half, as a batch of one."""
    batches = data.windows or [data.sampler.batch(0, 4)]
    pairs = [(b.images[i : i + 1], b.truths[i : i + 1]) for b in batches for i in range(len(b.images))]
    return Batch(*min(pairs, key=lambda pair: abs(float(pair[1][..., 0].mean()) - 0.5)))


def _begin_record(
    image: Volume, settings: TrainingSettings, data: TrainingData, learner: Learner, policy: str
) -> ModelRecord:
    network = settings.network
    return ModelRecord(
        architecture=network.model_dump(mode="json"),
        normalisation=data.normalisation,
        voxel_size=tuple(image.voxel_size) if image.voxel_size else None,
        patch=settings.patch_size,
        stride=network.stride,
        receptive_field=network.receptive_field,
        precision=policy,
        parameters=learner.network.count_params(),
        training=settings.model_dump(mode="json"),
    )
