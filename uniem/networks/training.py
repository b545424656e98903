"""Training a two-dimensional network on images and their labels."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Literal

from uniem.data.model_folder import ModelFolder, ModelRecord
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.networks.backend import Backend, prepare_backend
from uniem.networks.checkpoints import Checkpoints, Standing, copy_best, read_standing
from uniem.networks.clock import Clock
from uniem.networks.event_files import EventFile
from uniem.networks.learner import Learner
from uniem.networks.patches import Batch
from uniem.networks.prefetching import prepared_ahead
from uniem.networks.settings import TrainingSettings
from uniem.networks.splitting import Fold
from uniem.networks.training_data import TrainingData, VolumePair, prepare_data
from uniem.networks.validation import Scores, judge, strip
from uniem.networks.weights import copy_weights, load_network
from uniem.progress import Cancelled, Context

Ending = Literal["steps", "time", "patience"]

REPORT_SECONDS = 0.25
SAME_GRAY = 1e-6
PAUSE_SECONDS = 0.2
# Beside the settings in the record of a fine-tuned model, and of one of several folds.
FROZEN, FOLD = "freeze_encoder", "fold"


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
    stopped_by: Ending
    device: str
    precision: str


@dataclass(frozen=True, slots=True)
class FineTuning:
    """A model whose weights a training begins with, and whether its encoder stays as it is."""

    model: ModelFolder
    freeze_encoder: bool = False


def train(
    image: Volume,
    labels: Volume,
    settings: TrainingSettings,
    folder: ModelFolder,
    context: Context | None = None,
    provenance: Mapping[str, Any] | None = None,
    *,
    further: Sequence[VolumePair] = (),
    start: FineTuning | None = None,
    fold: Fold | None = None,
) -> TrainingResult:
    """Train a network that finds what is labelled, and leave it in the folder.

    Each section is an image of its own, with its neighbours where the network sees several. The folder holds
    a usable model from the first judgement on; a cancelled training saves what it has and raises `Cancelled`.
    `further` images and labels may differ in size. Without a model to `start` with the weights are random.
    A fold is held out instead of what the settings say.
    """
    begun = _Begun.now(settings, context or Context())
    pairs = [(image, labels), *further]
    data = prepare_data(pairs, settings, settings.network.sections, begun.context, fold)
    learner = begun.learner(data)
    if start is not None:
        _begin_with(start, learner, begun.context)
    record = _begin_record(image, settings, data, learner, begun)
    update: dict[str, Any] = {"provenance": dict(provenance or {})}
    update["name"] = folder.path.name.removesuffix(".part")
    if start is not None:
        update["training"] = {**record.training, FROZEN: start.freeze_encoder}
    if fold is not None:
        update["training"] = {**record.training, FOLD: list(fold)}
    return begun.run(data, learner, folder, record.model_copy(update=update), Standing())


def resume_training(
    image: Volume,
    labels: Volume,
    model: ModelFolder,
    folder: ModelFolder,
    context: Context | None = None,
    provenance: Mapping[str, Any] | None = None,
    *,
    further: Sequence[VolumePair] = (),
    steps: int | None = None,
    more_minutes: float | None = None,
) -> TrainingResult:
    """Go on with a training where it was interrupted, on the same data, and leave the model in a new folder.

    On a CPU, by the framework that began, the model becomes the same, bit for bit, as if it had not been
    interrupted. `steps` are those in all, `more_minutes` the longest time from now on; without them the
    limits are those of before.
    """
    standing, state = read_standing(model)
    record = model.record
    training = dict(record.training)
    freeze_encoder = bool(training.pop(FROZEN, False))
    fold = Fold(*training.pop(FOLD)) if FOLD in training else None
    settings = TrainingSettings.model_validate(training)
    limits: dict[str, Any] = {"steps": steps} if steps is not None else {}
    if more_minutes is not None:
        limits["max_minutes"] = standing.seconds / 60 + more_minutes
    settings = settings.model_copy(update=limits)
    begun = _Begun.now(settings, context or Context(), standing.seconds, record.precision)
    pairs = [(image, labels), *further]
    data = prepare_data(pairs, settings, settings.network.sections, begun.context, fold)
    _check_same_data(record, data)
    learner = begun.learner(data)
    if freeze_encoder:
        learner.freeze_encoder()
    learner.restore(state)
    copy_best(model, folder)
    # A worker that was killed may have judged the network after it last saved where to go on.
    update: dict[str, Any] = {
        "training": {**record.training, **settings.model_dump(mode="json")},
        "history": tuple(entry for entry in record.history if entry["step"] <= standing.step),
        "device": str(begun.backend),
    }
    if provenance is not None:
        update["provenance"] = dict(provenance)
    begun.context.message(f"Going on after step {standing.step}.{begun.difference_to(record)}")
    return begun.run(data, learner, folder, record.model_copy(update=update), standing)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A training whose device is ready."""

    settings: TrainingSettings
    context: Context
    clock: Clock
    backend: Backend
    policy: str

    @staticmethod
    def now(
        settings: TrainingSettings, context: Context, seconds: float = 0.0, policy: str | None = None
    ) -> _Begun:
        limit = (settings.max_minutes or math.inf) * 60
        clock = Clock(settings.steps, limit, time.monotonic() - seconds)
        backend = prepare_backend(settings.device)
        return _Begun(settings, context, clock, backend, policy or backend.policy(settings.precision))

    def difference_to(self, record: ModelRecord) -> str:
        """Return a sentence where what was begun by one framework goes on by another; else nothing."""
        name = self.backend.framework.name
        if not record.device or record.device.startswith(f"{name} "):
            return ""
        return f" It was begun by {record.device}, and does not become exactly what it would have there."

    def learner(self, data: TrainingData) -> Learner:
        return Learner(
            self.settings, self.policy, len(data.names), data.class_weights, told=self.context.message
        )

    def run(
        self,
        data: TrainingData,
        learner: Learner,
        folder: ModelFolder,
        record: ModelRecord,
        standing: Standing,
    ) -> TrainingResult:
        """Learn to the end and say how it went."""
        checkpoints = Checkpoints(folder, record, learner, self.settings.criterion)
        arithmetic = self.policy.replace("_", " ")
        self.context.message(f"Training in {arithmetic} by {self.backend.explanation}.")
        events = EventFile(folder.path)
        run = _Run(self.settings, data, learner, checkpoints, self.clock, self.context, events, standing)
        done, ending = run.to_the_end()
        best, minutes = checkpoints.record.best, self.clock.elapsed / 60
        self.context.message(_verdict(best, done, minutes, ending))
        return TrainingResult(done, minutes, best, ending, str(self.backend), self.policy)


class _Run:
    """One training from its first step, or the one it was interrupted at, to its last."""

    def __init__(
        self,
        settings: TrainingSettings,
        data: TrainingData,
        learner: Learner,
        checkpoints: Checkpoints,
        clock: Clock,
        context: Context,
        events: EventFile,
        standing: Standing,
    ) -> None:
        self._settings, self._data, self._learner = settings, data, learner
        self._checkpoints, self._clock, self._context = checkpoints, clock, context
        self._events = events
        self._at = standing
        self._first = standing.step + 1
        self._recent: list[float] = []
        self._reported = 0.0
        self._shown = _window_to_show(data)

    def to_the_end(self) -> tuple[int, Ending]:
        """Learn until something ends the training, and return the number of steps and what ended it."""
        size = self._settings.batch_size
        made = prepared_ahead(lambda index: self._data.sampler.batch(index, size), self._at.step)
        with closing(made) as batches:
            while not (ending := self._ending()):
                self._wait_while_paused()
                if self._context.cancelled():
                    self._checkpoints.save_as_it_is(self._standing())
                    raise Cancelled
                self._step(self._at.step + 1, next(batches))
                if self._at.step - self._at.judged_at >= self._settings.validate_every:
                    self._judge()
        if self._at.judged_at < self._at.step or not self._checkpoints.record.best:
            self._judge()
        self._checkpoints.save_as_it_is(self._standing())
        return self._at.step, ending

    def _wait_while_paused(self) -> None:
        """Wait as long as the caller wants; what is learnt so far is saved, and the clock stands still."""
        if not self._context.paused():
            return
        began = time.monotonic()
        self._checkpoints.save_as_it_is(self._standing())
        self._context.message(f"Paused after step {self._at.step}; what is learnt so far is saved.")
        while self._context.paused() and not self._context.cancelled():
            time.sleep(PAUSE_SECONDS)
        self._clock.started += time.monotonic() - began

    def _ending(self) -> Ending | None:
        patience = self._settings.patience
        if patience is not None and self._checkpoints.judgements_since_best >= patience:
            return "patience"
        return self._clock.ending(self._at.step)

    def _step(self, number: int, batch: Batch) -> None:
        started = time.monotonic()
        factor = self._settings.schedule.factor(self._clock.progress(number - 1))
        loss = self._learner.learn(batch, self._settings.learning_rate * factor)
        if not math.isfinite(loss):
            raise UniemError(
                f"The loss became infinite at step {number}.",
                "Lower the learning rate, or choose another loss.",
            )
        if number > self._first:
            # The first step includes the engine's preparations.
            self._clock.note_step(time.monotonic() - started)
            if self._at.judged_at < self._first:
                self._clock.expect_judgement(len(self._data.windows))
        self._at = replace(self._at, step=number, losses=(*self._at.losses, loss))
        self._recent.append(loss)
        self._report(number)

    def _report(self, done: int) -> None:
        if self._clock.elapsed - self._reported < REPORT_SECONDS and done < self._settings.steps:
            return
        self._reported = self._clock.elapsed
        self._tell(done, loss=sum(self._recent) / len(self._recent))
        self._recent.clear()
        if math.isinf(self._clock.limit):
            self._context.progress(done, self._settings.steps, "Training")
        else:
            share = round(1000 * self._clock.progress(done))
            self._context.progress(share, 1000, "Training")

    def _judge(self) -> None:
        """Score the network, save it if it is the best so far, and show what it does."""
        started = time.monotonic()
        scores = self._scores()
        self._checkpoints.save_judged(self._standing(), scores)
        if scores:
            self._tell(self._at.step, **scores.metrics())
        images, truths = self._shown
        logits = self._learner.predict(images)
        middle = images[0, ..., images.shape[-1] // 2]
        picture = strip(middle, truths[0, ..., 0], logits[0])
        self._context.preview("input | truth | prediction", picture)
        self._checkpoints.save_picture(picture)
        self._at = Standing(self._at.step, judged_at=self._at.step)
        self._clock.closing_seconds = time.monotonic() - started

    def _scores(self) -> Scores | None:
        if not self._data.windows:
            return None
        is_boundary = self._settings.task == "boundary"
        return judge(self._learner.predict, self._learner.loss, self._data.windows, is_boundary)

    def _standing(self) -> Standing:
        return replace(self._at, seconds=self._clock.elapsed)

    def _tell(self, step: int, **values: float) -> None:
        self._context.metric(step, **values)
        self._events.write(step, **values)


def _begin_with(start: FineTuning, learner: Learner, context: Context) -> None:
    """Take over the weights of a model, as far as they fit."""
    different = copy_weights(load_network(start.model), learner.network)
    if different:
        context.message(f"The layers {', '.join(different)} begin anew: there are other classes.")
    if start.freeze_encoder and not learner.freeze_encoder():
        raise UniemError(
            f"The network of {start.model} has no encoder that could stay as it is.",
            "Switch off freeze encoder.",
        )


def _check_same_data(record: ModelRecord, data: TrainingData) -> None:
    before, now = record.normalisation, data.normalisation
    same = all(
        math.isclose(a, b, rel_tol=SAME_GRAY) for a, b in ((before.mean, now.mean), (before.std, now.std))
    )
    if not same or record.classes != data.names:
        raise UniemError(
            f"The training was on other data: gray values {before.mean:.6g} ± {before.std:.6g} and classes "
            f"{', '.join(record.classes)}; here they are {now.mean:.6g} ± {now.std:.6g} and "
            f"{', '.join(data.names)}.",
            "Resume with the same images and labels, or fine-tune the model.",
        )


def _verdict(best: Mapping[str, float], steps: int, minutes: float, ending: Ending) -> str:
    """Say in a sentence how good the model is, and on what."""
    why = ", which no longer made it better" if ending == "patience" else ""
    text = f"Trained {steps} steps in {minutes:.1f} minutes{why}."
    if "val_f1" not in best:
        return f"{text} Nothing was held out, so how good the model is was not measured."
    return (
        f"{text} Best at step {best['step']:.0f}: F1 {best['val_f1']:.3f}, Jaccard index "
        f"{best['val_jaccard']:.3f} on the held-out part."
    )


def _window_to_show(data: TrainingData) -> Batch:
    """Return the window with the object's share nearest to a half, as a batch of one."""
    batches = data.windows or [data.sampler.batch(0, 4)]
    pairs = [(b.images[i : i + 1], b.truths[i : i + 1]) for b in batches for i in range(len(b.images))]
    return Batch(*min(pairs, key=lambda pair: abs(float((pair[1][..., 0] > 0).mean()) - 0.5)))


def _begin_record(
    image: Volume, settings: TrainingSettings, data: TrainingData, learner: Learner, begun: _Begun
) -> ModelRecord:
    network, target = settings.network, data.target
    return ModelRecord(
        task=target.task,
        classes=data.names,
        class_labels=target.labels,
        top=target.top if target.is_gray else None,
        architecture=network.model_dump(mode="json"),
        normalisation=data.normalisation,
        voxel_size=tuple(image.voxel_size) if image.voxel_size else None,
        patch=settings.patch_size,
        stride=network.stride,
        receptive_field=network.receptive_field,
        precision=begun.policy,
        device=str(begun.backend),
        parameters=learner.network.count_params(),
        training=settings.model_dump(mode="json"),
    )
