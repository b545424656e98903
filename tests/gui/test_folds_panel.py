"""The panel of a cross-validation: shared time, folds followed one by one, a report, and all of them applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from tests.gui.test_training_panel import TINY, choose
from uniem.gui.forms.section import TallArea
from uniem.gui.main_window import MainWindow
from uniem.gui.panels.curves import CurvesView
from uniem.gui.panels.folds_live import ALL, FoldsLive
from uniem.gui.panels.folds_panel import FoldsPanel
from uniem.gui.panels.inference_panel import InferencePanel
from uniem.gui.panels.training_live import TrainingLive
from uniem.jobs.events import Ending
from uniem.networks.fold_report import FoldReport

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(window: MainWindow, stack: Path, discs: Path, qtbot: Any) -> FoldsPanel:
    """Open an image and labels of two kinds, and the panel."""
    window.workspace.open(str(stack))
    window.showing.show(window.workspace.items[-1])
    window.workspace.open(str(discs))
    panel = window.panels.open("cross-validate-2d")
    window.layout_of_docks.bring_up("panels")
    assert isinstance(panel, FoldsPanel)
    panel.inputs["image"].choose(str(stack))
    panel.inputs["labels"].choose(str(discs))
    qtbot.waitUntil(lambda: panel.setup.speeds.of("unet") is not None and panel.setup.simple.what.count() > 4)
    return panel


def live_of(panel: FoldsPanel) -> FoldsLive:
    """Return what shows the folds."""
    assert isinstance(panel.live, FoldsLive)
    return panel.live


def cells(live: FoldsLive) -> list[list[str]]:
    """Return the texts of the table."""
    table = live.table
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


def test_the_simple_page_shares_the_time_out_among_the_folds(panel: FoldsPanel) -> None:
    setup = panel.setup
    assert setup.is_simple and setup.is_automatic and setup.folds == 5
    assert setup.simple.values()["max_minutes"] == 60
    assert "5 networks learn for 12 min each" in setup.simple.reason.text()
    assert setup.plan.text().startswith("About 60 min for 5 folds of ")
    setup.simple.asked["folds"].set_value(3)
    setup.simple.asked["folds"].changed.emit()
    assert panel.form.values()["folds"] == 3
    assert "3 networks learn for 20 min each" in setup.simple.reason.text()
    every = panel.form.values()["validate_every"]
    choose(setup.simple.minutes, "5 minutes, for a first look")
    assert "3 networks learn for 100 s" in setup.simple.reason.text() or "2 min" in setup.simple.reason.text()
    assert panel.form.values()["validate_every"] <= every, "the advice is for the time of one fold"
    panel.form.set_values({"folds": 4})
    setup.refresh()
    assert setup.simple.asked["folds"].value() == 4, "both pages show the same"


def test_folds_are_followed_reported_and_applied_together(
    window: MainWindow, panel: FoldsPanel, qtbot: Any
) -> None:
    panel.form.set_values({**TINY, "folds": 2, "steps": 400, "validate_every": 100, "max_minutes": None})
    qtbot.mouseClick(panel.run_button, LEFT)
    job, live = panel.job, live_of(panel)
    assert job is not None and panel.pages.currentIndex() == 1
    qtbot.waitUntil(lambda: "fold_2_loss" in job.status.metrics, timeout=120_000)
    assert "fold 2 of 2" in live.pace.text() and live.shown.currentText() == "Fold 2"
    assert "loss" in live.curves.names and "fold_2_loss" not in live.curves.names
    assert live.table.isVisible() and [row[0] for row in cells(live)] == ["1"]
    assert not live.infer.isVisible()
    choose(live.shown, "Fold 1")
    assert "val_f1" in live.curves.names
    choose(live.shown, ALL)
    assert {"loss 1", "val_f1 1"} <= set(live.curves.names)
    qtbot.waitUntil(lambda: job.status.ending is not None, timeout=120_000)
    assert job.status.ending is Ending.FINISHED
    report = FoldReport.of(window.workspace.open(job.status.outputs["model"]).noun)  # type: ignore[arg-type]
    table = cells(live)
    assert [row[0] for row in table] == ["1", "2", "Mean", "± SD"]
    assert f"{table[2][1]} ± {table[3][1]}" == report.spread("val_f1")
    assert "half of what is painted that each did not learn from" in live.pace.text()
    assert panel.setup.speeds.is_measured("unet")
    apply_all_folds(window, live, qtbot)


def apply_all_folds(window: MainWindow, live: FoldsLive, qtbot: Any) -> None:
    """Press the button, run, and see that both networks were used."""
    assert live.infer.isVisible()
    qtbot.mouseClick(live.infer, LEFT)
    panel = window.panels.shown
    assert isinstance(panel, InferencePanel)
    assert panel.form.values()["ensemble"]["folds"] is True
    assert "2 networks predict together" in panel.ensemble.words.text()
    panel.form.set_values({"device": "cpu"})
    qtbot.mouseClick(panel.run_button, LEFT)
    job = panel.job
    assert job is not None
    qtbot.waitUntil(lambda: job.status.ending is not None, timeout=120_000)
    assert job.status.ending is Ending.FINISHED


def test_a_cross_validation_that_is_stopped_keeps_what_is_finished(
    window: MainWindow, panel: FoldsPanel, qtbot: Any
) -> None:
    panel.form.set_values({**TINY, "folds": 3, "steps": 300, "validate_every": 100, "max_minutes": None})
    qtbot.mouseClick(panel.run_button, LEFT)
    job, live = panel.job, live_of(panel)
    assert job is not None
    qtbot.waitUntil(lambda: "fold_2_loss" in job.status.metrics, timeout=120_000)
    qtbot.mouseClick(live.pause, LEFT)
    qtbot.waitUntil(lambda: "paused after step" in job.status.message, timeout=60_000)
    trials: list[Any] = []
    panel.tried.connect(lambda trial, field: trials.append(trial))
    qtbot.mouseClick(panel.try_button, LEFT)
    qtbot.waitUntil(lambda: bool(trials), timeout=120_000)
    qtbot.mouseClick(panel.progress.cancel, LEFT)
    qtbot.waitUntil(lambda: job.status.ending is not None, timeout=60_000)
    assert job.status.ending is Ending.CANCELLED
    assert [row[0] for row in cells(live)] == ["1"]
    assert live.pace.text().startswith("1 of 3 folds is finished.")
    assert set(job.status.outputs) == {"model", "report"}
    assert "finished folds 1" in panel.progress.words.text()


def test_a_measurement_trains_one_network_only(panel: FoldsPanel, qtbot: Any) -> None:
    panel.form.set_values({**TINY, "folds": 3})
    parameters = panel.parameters()
    assert parameters is not None
    request = panel.request_to_measure(parameters, {"image": "a", "labels": "b"}, "c")
    assert request.operation == "train-2d" and "folds" not in request.parameters


def test_a_fold_has_the_same_colour_in_both_plots(qtbot: Any) -> None:
    view = CurvesView()
    qtbot.addWidget(view)
    curve = ((1, 0.5), (2, 0.4))
    view.show_curves({f"{name} {fold}": curve for name in ("loss", "val_f1") for fold in (1, 2)})
    assert view.colour_of("loss 2") == view.colour_of("val_f1 2") != view.colour_of("loss 1")
    assert "F1&nbsp;2" in view.legend_of("val_f1 1") and "F1" not in view.legend_of("loss 1")
    view.show_curves({"loss 1": curve})
    assert "loss&nbsp;2" not in view.legend_of("loss 1")


def test_both_plots_are_in_view_where_there_is_room(qtbot: Any) -> None:
    live, area = TrainingLive(), TallArea()
    curve = ((1, 0.5), (2, 0.4))
    live.curves.show_curves(dict.fromkeys(("loss", "val_loss", "val_f1", "val_jaccard", "val_auc"), curve))
    area.setWidget(live)
    area.resize(340, 480)
    area.show()
    qtbot.addWidget(area)
    qtbot.waitExposed(area)
    assert live.height() <= area.viewport().height()
    assert live.curves.height() > 300, "they take what room there is"
    # pyqtgraph complains where its plots are deleted with what is around them.
    qtbot.addWidget(area.takeWidget())


def test_a_low_window_scrolls_instead_of_laying_parts_over_each_other(qtbot: Any) -> None:
    live, area = FoldsLive(), TallArea()
    qtbot.addWidget(area)
    live.pace.setText("A long sentence that takes several lines of a narrow panel. " * 4)
    live.table.show()
    live.table.setFixedHeight(140)
    foot = QLabel("picture")
    foot.setFixedHeight(110)
    live.layout().addWidget(foot)
    area.setWidget(live)
    area.resize(340, 420)
    area.show()
    qtbot.waitExposed(area)
    qtbot.waitUntil(lambda: live.height() > area.height())
    assert live.curves.height() >= 240
    assert live.table.geometry().bottom() < live.curves.geometry().top()
    assert live.curves.geometry().bottom() < foot.geometry().top()
    # pyqtgraph complains where its plots are deleted with what is around them.
    qtbot.addWidget(area.takeWidget())


@pytest.mark.parametrize("operation", ["fine-tune-2d", "resume-2d"])
def test_going_on_with_a_training_has_a_panel_too(window: MainWindow, operation: str) -> None:
    panel = window.panels.open(operation)
    assert panel.run_button.text() == "Train" and panel.form.values()
