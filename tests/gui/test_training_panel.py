"""The training panel: simple and advanced, the plan, patches, a pause, a trial beside the training, a verdict."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt

from uniem.data.model_folder import ModelFolder
from uniem.gui.main_window import MainWindow
from uniem.gui.panels.live_panel import LivePanel
from uniem.gui.panels.simple_page import BOUNDARIES
from uniem.gui.panels.training_panel import TrainingPanel
from uniem.gui.panels.training_setup import ADVANCED, SIMPLE
from uniem.jobs.events import Ending
from uniem.operations.operation import Role
from uniem.workspace import OpenItem

LEFT = Qt.MouseButton.LeftButton
TINY = {
    "network": {"kind": "unet", "depth": 1, "base_features": 4},
    "patch_size": 32,
    "batch_size": 2,
    "validation_windows": 2,
}


@pytest.fixture
def panel(window: MainWindow, stack: Path, discs: Path, qtbot: Any) -> TrainingPanel:
    """Open an image and labels of two kinds, and the panel."""
    window.workspace.open(str(stack))
    window.showing.show(window.workspace.items[-1])
    window.workspace.open(str(discs))
    panel = window.panels.open("train-2d")
    window.layout_of_docks.bring_up("panels")
    assert isinstance(panel, TrainingPanel)
    panel.inputs["image"].choose(str(stack))
    panel.inputs["labels"].choose(str(discs))
    qtbot.waitUntil(lambda: panel.setup.speeds.of("unet") is not None and panel.setup.simple.what.count() > 4)
    return panel


def choose(combo: Any, text: str) -> None:
    """Choose an entry as a user does."""
    combo.setCurrentIndex(combo.findText(text))
    combo.activated.emit(combo.currentIndex())


def test_the_simple_page_asks_little_and_says_what_it_chose(panel: TrainingPanel) -> None:
    setup = panel.setup
    assert setup.is_simple and setup.is_automatic
    entries = [setup.simple.what.itemText(place) for place in range(setup.simple.what.count())]
    assert {"Label 3 only", "Label 700 only"} <= set(entries)
    assert setup.simple.values()["max_minutes"] == panel.form.values()["max_minutes"] == 15
    assert setup.simple.reason.text() and "memory" in setup.plan.text()
    choose(setup.simple.what, "Label 700 only")
    assert panel.form.values()["object_label"] == 700
    assert "Focal" in setup.simple.reason.text(), "the small disc is rare"
    assert panel.form.values()["loss"]["kind"] == "sum"
    choose(setup.simple.what, BOUNDARIES)
    assert panel.form.values()["task"] == "boundary" and panel.form.values()["object_label"] is None
    assert panel.form.values()["loss"]["kind"] == "cross-entropy-dice"
    choose(setup.simple.minutes, "5 minutes, for a first look")
    assert panel.form.values()["max_minutes"] == 5 and "5 min" in setup.plan.text()


def test_what_is_set_by_hand_is_kept_and_can_be_given_back(panel: TrainingPanel, qtbot: Any) -> None:
    setup = panel.setup
    qtbot.mouseClick(setup.modes[ADVANCED], LEFT)
    assert panel.form.isVisible() and not setup.simple.isVisible()
    panel.form.set_values({**TINY, "max_minutes": 7.0})
    qtbot.mouseClick(setup.modes[SIMPLE], LEFT)
    assert setup.simple.isVisible() and not panel.form.isVisible()
    assert setup.simple.minutes.currentText() == "7 minutes"
    assert setup.simple.choose.isVisible() and ADVANCED in setup.simple.reason.text()
    assert panel.form.values()["patch_size"] == 32
    setup.prepare()
    assert panel.form.values()["network"]["depth"] == 1, "a start keeps it, too"
    qtbot.mouseClick(setup.simple.choose, LEFT)
    assert panel.form.values()["patch_size"] == 256 and not setup.simple.choose.isVisible()


def test_a_search_finds_parameters_and_the_page_is_remembered(
    window: MainWindow, panel: TrainingPanel, qtbot: Any
) -> None:
    qtbot.mouseClick(panel.setup.modes[ADVANCED], LEFT)
    qtbot.keyClicks(panel.setup.search, "elastic")
    assert panel.form.editor("augmentation.elastic").isVisible()
    assert not panel.form.editor("task").isVisible()
    panel.setup.search.clear()
    assert panel.form.editor("task").isVisible()
    window.panels.forget()
    again = window.panels.open("train-2d")
    assert isinstance(again, TrainingPanel) and not again.setup.is_simple


def test_a_plan_warns_where_the_memory_does_not_suffice(panel: TrainingPanel, qtbot: Any) -> None:
    panel.form.set_values({"batch_size": 1024, "patch_size": 4096})
    panel.setup.refresh()
    text = panel.setup.plan.text()
    assert "The memory may not suffice" in text and "wanted" in text and "a smaller batch" in text
    assert panel.setup.plan.property("role") == "warning"


def test_patches_are_shown_and_follow_the_parameters(panel: TrainingPanel, qtbot: Any) -> None:
    panel.form.set_values(TINY)
    qtbot.mouseClick(panel.setup.patches, LEFT)
    window = panel.window_of_patches
    qtbot.waitUntil(lambda: window.grid.count == 12, timeout=20_000)
    first = window.grid.pixels(0)
    qtbot.mouseClick(window.another, LEFT)
    qtbot.waitUntil(lambda: "13 to 24" in window.words.text(), timeout=20_000)
    assert window.grid.pixels(0) != first
    second = window.grid.pixels(0)
    panel.form.editor("augmentation").set_values({"noise": 3.0})
    panel.form.changed.emit()
    qtbot.waitUntil(lambda: window.grid.count == 12 and window.grid.pixels(0) != second, timeout=20_000)
    panel.form.set_values({"object_label": 12345})
    panel.setup.refresh()
    qtbot.waitUntil(lambda: "holds no object" in window.words.text(), timeout=20_000)
    window.close()


def test_a_training_is_paused_tried_and_judged(window: MainWindow, panel: TrainingPanel, qtbot: Any) -> None:
    panel.form.set_values({**TINY, "steps": 100_000, "validate_every": 5, "max_minutes": None})
    qtbot.mouseClick(panel.run_button, LEFT)
    job = panel.job
    assert job is not None
    qtbot.waitUntil(lambda: "val_f1" in job.status.metrics, timeout=120_000)
    trials: list[Any] = []
    panel.tried.connect(lambda trial, field: trials.append(trial))
    qtbot.mouseClick(panel.live.pause, LEFT)
    qtbot.waitUntil(lambda: job.status.message.startswith("Paused"), timeout=60_000)
    assert "Paused" in panel.live.pace.text()
    step = job.status.metrics["loss"][-1][0]
    before = window.canvas.model.labels
    qtbot.mouseClick(panel.try_button, LEFT)
    assert not panel.try_button.isEnabled() and panel.job is job
    qtbot.waitUntil(lambda: bool(trials), timeout=120_000)
    qtbot.waitUntil(lambda: window.canvas.model.labels is not before, timeout=20_000)
    assert panel.try_button.isEnabled()
    assert job.status.metrics["loss"][-1][0] == step and job.status.ending is None
    qtbot.mouseClick(panel.live.pause, LEFT)
    qtbot.waitUntil(lambda: job.status.metrics["loss"][-1][0] > step + 30, timeout=60_000)
    # The pace is taken from the middle of a few.
    qtbot.waitUntil(lambda: len(job.status.metrics["loss"]) > 10, timeout=60_000)
    stop_and_judge(window, panel, qtbot)


def stop_and_judge(window: MainWindow, panel: TrainingPanel, qtbot: Any) -> None:
    """Stop the training, and see what is said of its model."""
    qtbot.mouseClick(panel.progress.cancel, LEFT)
    job = panel.job
    assert job is not None
    qtbot.waitUntil(lambda: job.status.ending is not None, timeout=60_000)
    assert job.status.ending is Ending.CANCELLED
    qtbot.waitUntil(lambda: bool(window.workspace.find(Role.MODEL)), timeout=20_000)
    assert "10% of what is painted" in panel.live.pace.text() and "F1" in panel.live.pace.text()
    assert panel.setup.speeds.is_measured("unet")
    model = ModelFolder.open(window.workspace.find(Role.MODEL)[-1].location)
    assert model.picture_path.is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_the_model_of_a_training_that_dies_is_there_and_the_death_is_told(
    window: MainWindow, panel: TrainingPanel, qtbot: Any
) -> None:
    panel.form.set_values({**TINY, "steps": 100_000, "validate_every": 5, "max_minutes": None})
    qtbot.mouseClick(panel.run_button, LEFT)
    job = panel.job
    assert job is not None
    qtbot.waitUntil(lambda: "val_f1" in job.status.metrics, timeout=120_000)
    process = job.folder.worker_id
    assert process
    os.kill(process, signal.SIGKILL)
    qtbot.waitUntil(lambda: job.status.ending is Ending.LOST, timeout=20_000)
    (item,) = window.workspace.find(Role.MODEL)
    assert "F1" in panel.live.pace.text()
    for told in (window.message.label.text(), panel.progress.words.text()):
        assert "was killed" in told and f"kept in {Path(item.location).name}" in told

    window.jobs.select(job)
    window.jobs.actions_by_id["again"].trigger()
    again = window.queue.jobs[-1]
    assert again is not job
    assert again.request.outputs["model"] == f"{item.location}-2", "what is kept stays"
    window.queue.cancel(again)
    qtbot.waitUntil(lambda: again.has_ended, timeout=60_000)

    go_on(window, item, qtbot)


def go_on(window: MainWindow, item: OpenItem, qtbot: Any) -> None:
    """Train a model further from the menu of the data dock, on what it was trained on."""
    before = ModelFolder.open(item.location).record
    actions = {action.text(): action for action in window.data.menu_of(item).actions()}
    assert "Fine-tune…" in actions
    actions["Go on with its training…"].trigger()
    panel = window.panels.currentWidget()
    assert isinstance(panel, LivePanel) and panel.operation.id == "resume-2d"
    panel.form.set_values({"steps": before.steps + 3})
    qtbot.mouseClick(panel.run_button, LEFT)
    job = panel.job
    assert job is not None
    qtbot.waitUntil(lambda: job.has_ended, timeout=120_000)
    assert job.status.ending is Ending.FINISHED, job.status.error
    assert ModelFolder.open(job.request.outputs["model"]).record.steps == before.steps + 3
