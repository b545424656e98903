"""What a training will cost, said before it begins: time, memory, disk; and measuring it."""

from __future__ import annotations

import shutil
import statistics
from itertools import pairwise
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QLabel

from uniem.errors import UniemError
from uniem.gui import job_words
from uniem.gui.forms.editors import repolish
from uniem.jobs.events import Metric
from uniem.jobs.queue import Job
from uniem.networks.planning import Plan, free_memory, plan_folds, plan_training, step_gflop
from uniem.networks.settings import TrainingSettings
from uniem.workspace import Settings

SPEEDS = "training speeds"
# A measurement ends after so many steps or so many minutes, whichever comes first.
MEASURED_STEPS = 40
MEASURED_MINUTES = 0.75
# The first steps include the engine's preparations.
UNCOUNTED_STEPS = 2
FEWEST_INTERVALS = 3
SHARE_OF_MEMORY = 0.9


class Speeds:
    """How fast this computer trained each kind of network; what is unknown is inferred from the others."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.processor: float | None = None

    def of(self, kind: str) -> float | None:
        """Return billions of operations a second; None where nothing is known yet."""
        known = self._known()
        if kind in known:
            return known[kind]
        rates = sorted(known.values())
        return rates[len(rates) // 2] if rates else self.processor

    def is_measured(self, kind: str) -> bool:
        """Tell whether this kind of network was trained here."""
        return kind in self._known()

    def note(self, kind: str, gflops: float) -> None:
        """Remember what was measured."""
        self._settings.set(SPEEDS, {**self._known(), kind: float(f"{gflops:.3g}")})

    def _known(self) -> dict[str, float]:
        kept = self._settings.get(SPEEDS, {})
        numbers = kept.items() if isinstance(kept, dict) else ()
        return {
            str(kind): float(rate) for kind, rate in numbers if isinstance(rate, int | float) and rate > 0
        }


class PlanLine(QLabel):
    """A line that tells the plan, in the colour of a warning where memory or disk will not do."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)

    def show_plan(self, settings: TrainingSettings, speeds: Speeds, place: Path, folds: int = 1) -> None:
        """Tell what training with these settings will cost; `place` is where the model goes."""
        kind = settings.network.kind
        speed = speeds.of(kind)
        if speed is None:
            self.show_note("Estimating time and memory…")
            return
        plan = plan_folds(settings, folds, speed) if folds > 1 else plan_training(settings, speed)
        warning = _memory_warning(settings, plan) or _disk_warning(plan, place)
        how = "as measured here" if speeds.is_measured(kind) else "estimated"
        self.setText(f"{words_of(plan, settings, folds)} ({how}).{' ' + warning if warning else ''}")
        self._dress("warning" if warning else "quiet")

    def show_note(self, text: str) -> None:
        """Show a sentence instead of a plan."""
        self.setText(text)
        self._dress("quiet")

    def _dress(self, role: str) -> None:
        self.setProperty("role", role)
        repolish(self)


def words_of(plan: Plan, settings: TrainingSettings, folds: int = 1) -> str:
    """Return time, steps, memory and disk in one line."""
    times = f"{folds} folds of {plan.steps:,} steps" if folds > 1 else f"{plan.steps:,} steps"
    work = f"{about(plan.seconds)} for {times} of {settings.batch_size} patches"
    memory = f"{gigabytes(plan.memory)} memory of {gigabytes(free_memory())} free"
    return f"About {work}, {memory}, {gigabytes(plan.disk)} disk"


def about(seconds: float) -> str:
    """Return a time that is not known to the second."""
    if seconds < 100:
        return job_words.duration(seconds)
    return f"{seconds / 60:.0f} min" if seconds < 7000 else f"{seconds / 3600:.1f} h"


def gigabytes(count: float) -> str:
    """Return a number of bytes as people say it."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(count / 1e6, 1):.0f} MB"


def measured_speed(job: Job, settings: TrainingSettings) -> float | None:
    """Return the billions of operations a second that a job's steps took; None where there are too few."""
    try:
        events, _ = job.folder.tail(0)
    except UniemError:
        return None
    marks = [
        (event.step, event.time)
        for event in events
        if isinstance(event, Metric) and any(map(_is_of_step, event.values))
    ]
    marks = [mark for mark in marks if mark[0] > UNCOUNTED_STEPS]
    # The middle of many: a training that is paused, or judged in between, is no slower for it.
    pairs = [(later[0] - step, later[1] - when) for (step, when), later in pairwise(marks)]
    paces = [seconds / steps for steps, seconds in pairs if steps > 0 and seconds > 0]
    return step_gflop(settings) / statistics.median(paces) if len(paces) >= FEWEST_INTERVALS else None


def _is_of_step(name: str) -> bool:
    """Tell whether a number is reported as steps go by, in a training or in one of several folds."""
    return name == "loss" or (name.startswith("fold_") and name.endswith("_loss") and "val_" not in name)


def measuring(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a training that is only to tell how fast it is."""
    quick = {"steps": MEASURED_STEPS, "max_minutes": MEASURED_MINUTES, "validation_windows": 1}
    return {**parameters, **quick, "validate_every": MEASURED_STEPS}


def _memory_warning(settings: TrainingSettings, plan: Plan) -> str:
    free = free_memory()
    if plan.memory <= SHARE_OF_MEMORY * free:
        return ""
    remedy = "a smaller batch or patch" if settings.batch_size > 1 else "a smaller patch or a lighter network"
    return (
        f"The memory may not suffice: {gigabytes(plan.memory)} wanted, {gigabytes(free)} free. Close other "
        f"programs, or choose {remedy}."
    )


def _disk_warning(plan: Plan, place: Path) -> str:
    folder = next((each for each in (place, *place.parents) if each.is_dir()), None)
    if folder is None:
        return ""
    free = shutil.disk_usage(folder).free
    if plan.disk <= free:
        return ""
    return (
        f"The disk is too full: {gigabytes(plan.disk)} wanted, {gigabytes(free)} free. Choose another place."
    )
