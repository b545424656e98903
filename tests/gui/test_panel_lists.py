"""Lists in panels: further images with their labels of a training, further models of an inference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialogButtonBox

from uniem.data.table import read_csv
from uniem.gui.forms.editors import Editor
from uniem.gui.main_window import MainWindow
from uniem.gui.panels.inference_panel import InferencePanel
from uniem.gui.panels.model_list import ModelListEditor
from uniem.gui.panels.pair_list import PairDialog, PairListEditor
from uniem.gui.panels.training_panel import TrainingPanel
from uniem.operations.operation import Role
from uniem.operations.training_pairs import read_pairs

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def pairs(window: MainWindow, stack: Path, discs: Path) -> PairListEditor:
    """Open the training panel beside an image and its labels, and return its simple page's list."""
    for path in (stack, discs):
        window.workspace.open(str(path))
    panel = window.panels.open("train-2d")
    window.layout_of_docks.bring_up("panels")
    assert isinstance(panel, TrainingPanel)
    editor: Editor = panel.setup.simple.asked["further"]
    assert isinstance(editor, PairListEditor)
    return editor


def test_further_volumes_are_added_by_hand_and_read_by_the_job(
    window: MainWindow, pairs: PairListEditor, stack: Path, discs: Path, qtbot: Any
) -> None:
    pairs.ask()
    dialog = pairs.findChild(PairDialog)
    assert dialog is not None
    dialog.pickers[Role.IMAGE].choose(str(stack))
    dialog.pickers[Role.LABELS].choose(str(discs))
    qtbot.mouseClick(dialog.buttons.button(QDialogButtonBox.StandardButton.Ok), LEFT)
    panel = window.panels.shown
    assert panel is not None
    listed = panel.form.values()["further"]
    assert read_csv(Path(listed), {"image": str, "labels": str}).records() == [
        {"image": str(stack), "labels": str(discs)}
    ]
    assert len(read_pairs(listed)) == 1
    assert pairs.list.count() == 1 and pairs.list.isVisible()
    before = Path(listed).read_bytes()
    pairs.list.setCurrentRow(0)
    qtbot.mouseClick(pairs.remove, LEFT)
    assert panel.form.values()["further"] == "" and not pairs.list.isVisible()
    assert Path(listed).read_bytes() == before, "a job that waits reads it still"


def test_a_list_of_ones_own_is_shown_and_never_changed(
    pairs: PairListEditor, stack: Path, discs: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own.csv"
    own.write_text(f"image,labels\n{stack.name},{discs.name}\n", encoding="utf-8")
    pairs.set_value(str(own))
    assert pairs.pairs == [(stack.name, discs.name)] and pairs.value() == str(own)
    pairs.take(("other.tif", "painted.tif"))
    assert pairs.value() != str(own) and own.read_text(encoding="utf-8").count("\n") == 2
    assert pairs.pairs == [(str(stack), str(discs)), ("other.tif", "painted.tif")]
    pairs.set_value(str(tmp_path / "missing.csv"))
    assert pairs.trouble.text() and not pairs.pairs


def test_further_models_are_chosen_from_those_that_are_open(window: MainWindow, qtbot: Any) -> None:
    panel = window.panels.open("infer-2d")
    window.layout_of_docks.bring_up("panels")
    assert isinstance(panel, InferencePanel)
    editor = panel.form.editor("ensemble.further")
    assert isinstance(editor, ModelListEditor)
    editor.fill_menu()
    assert [action.text() for action in editor.menu.actions() if action.text()] == ["Folder…"]
    for name in ("first", "second", "first"):
        editor.take(f"/models/{name}")
    assert panel.form.values()["ensemble"]["further"] == "/models/first; /models/second"
    editor.list.setCurrentRow(0)
    qtbot.mouseClick(editor.remove, LEFT)
    assert editor.value() == "/models/second"
    panel.form.set_values({"ensemble": {"further": "a; b ;c"}})
    assert [editor.list.item(row).text() for row in range(3)] == ["a", "b", "c"]
