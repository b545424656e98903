"""A model in the data dock: its card, and using it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from uniem.data.model_folder import ModelFolder, ModelRecord, Normalisation
from uniem.gui.main_window import MainWindow
from uniem.gui.model_words import verdict_of
from uniem.gui.panels.inference_panel import InferencePanel

LEFT = Qt.MouseButton.LeftButton


def make_model(path: Path, **more: Any) -> ModelFolder:
    """Write a model folder whose weights nobody reads here."""
    model = ModelFolder.create(path)
    model.weights_path.write_bytes(b"weights")
    values: dict[str, Any] = {
        "architecture": {"kind": "em-net-v1-2x"},
        "normalisation": Normalisation(mean=1, std=2),
        "patch": 64,
        "stride": 8,
        "receptive_field": 100,
        "parameters": 1_234_567,
        "steps": 300,
        "seconds": 90.0,
        "training": {"validation_fraction": 0.1},
        "voxel_size": (50.0, 4.6, 4.6),
    }
    model.save_record(ModelRecord(**{**values, **more}))
    return model


@pytest.fixture
def model(tmp_path: Path) -> ModelFolder:
    best = {"step": 250.0, "val_f1": 0.93, "val_jaccard": 0.87, "val_loss": 0.1}
    model = make_model(tmp_path / "model", best=best)
    model.save_picture(np.zeros((20, 60), np.uint8))
    return model


def test_a_model_has_a_card_and_is_used_from_it(
    window: MainWindow, model: ModelFolder, stack: Path, qtbot: Any
) -> None:
    image = window.workspace.open(str(stack))
    item = window.workspace.open(str(model.path))
    data = window.data
    data.select(item)
    assert data.card.isVisible() and data.card.picture.has_picture
    facts = " ".join(data.card.facts.values())
    for part in ("one kind of object", "F1 0.930", "EM-net V1 2X", "50×4.6×4.6 nm", "300 steps"):
        assert part in facts
    qtbot.mouseClick(data.card.use, LEFT)
    panel = window.panels.shown
    assert isinstance(panel, InferencePanel)
    assert panel.inputs["model"].location == item.location
    data.select(image)
    assert not data.card.isVisible()


def test_a_double_click_on_a_model_uses_it(window: MainWindow, model: ModelFolder, qtbot: Any) -> None:
    item = window.workspace.open(str(model.path))
    tree = window.data.tree
    place = tree.visualItemRect(tree.topLevelItem(0)).center()
    qtbot.mouseClick(tree.viewport(), LEFT, pos=place)
    qtbot.mouseDClick(tree.viewport(), LEFT, pos=place)
    panel = window.panels.shown
    assert panel is not None and panel.operation.id == "infer-2d"
    assert panel.inputs["model"].location == item.location
    assert "Use for inference" in [action.text() for action in window.data.menu_of(item).actions()]


def test_a_verdict_is_a_plain_sentence(tmp_path: Path, model: ModelFolder) -> None:
    good = verdict_of(model.record)
    assert "The model is good" in good and "10% of what is painted" in good and "93%" in good
    best = {"step": 10.0, "val_f1": 0.4, "val_jaccard": 0.25}
    bad = verdict_of(make_model(tmp_path / "bad", best=best, training={"validation_sections": "2, 5"}).record)
    assert "not good yet" in bad and "sections 2, 5" in bad and "Painting another section" in bad
    assert "was not measured" in verdict_of(make_model(tmp_path / "none").record)
