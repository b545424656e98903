"""Names of outputs, commands copied from a panel, and what happens when a slot raises."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent

from uniem.cli.flags import parse_command
from uniem.data.geometry import VoxelSize
from uniem.data.volume import ArrayVolume
from uniem.gui.panels.command_line import command_of
from uniem.gui.panels.naming import stem_of, suggest
from uniem.gui.panels.pickers import InputPicker
from uniem.gui.panels.preview import CroppedVolume, Field, limited
from uniem.operations.operation import Role
from uniem.operations.registry import find
from uniem.workspace import Workspace


@pytest.mark.parametrize(
    ("id", "changed"),
    [
        ("gaussian", {"sigma": 3.5}),
        ("threshold", {"level": 1e-4, "invert": True}),
        ("convert", {"voxel_size": [50.0, 4.6, 4.6], "region": {"first_section": 2}}),
        (
            "train-2d",
            {
                "network": {"kind": "resnet"},
                "max_minutes": 5.0,
                "augmentation": {"flips": False},
                "learning_rate": 1e-5,
            },
        ),
    ],
)
def test_a_copied_command_does_the_same(id: str, changed: dict[str, Any], tmp_path: Path) -> None:
    operation = find(id)
    parameters = operation.parameters.model_validate(_overlaid(operation.parameters(), changed))
    inputs = [str(tmp_path / f"in put {name}.tif") for name in operation.inputs]
    outputs = [str(tmp_path / name) for name in operation.outputs]
    text = command_of(operation, inputs, outputs, parameters.model_dump(mode="json"))
    words = shlex.split(text)
    assert words[:2] == ["uniem", id]
    request = parse_command(operation, words[2:]).request
    assert operation.parameters.model_validate(request.parameters) == parameters
    assert list(request.inputs.values()) == inputs
    assert len(words) < 20


def _overlaid(defaults: Any, changed: dict[str, Any]) -> dict[str, Any]:
    values = defaults.model_dump(mode="json")
    for name, value in changed.items():
        same_kind = isinstance(value, dict) and "kind" not in value
        values[name] = {**values[name], **value} if same_kind else value
    return dict(values)


def test_outputs_get_free_names_after_their_input(tmp_path: Path) -> None:
    gaussian = find("gaussian")
    inputs = {"image": f"{tmp_path}/brain.h5::volumes/raw"}
    first = suggest(gaussian, "result", inputs, tmp_path)
    assert first == tmp_path / "brain-gaussian.zarr"
    first.mkdir()
    second = suggest(gaussian, "result", inputs, tmp_path)
    assert second == tmp_path / "brain-gaussian-2.zarr"
    assert suggest(gaussian, "result", inputs, tmp_path, {second}).name == "brain-gaussian-3.zarr"


@pytest.mark.parametrize(
    ("location", "stem"),
    [
        ("a/b.ome.zarr", "b"),
        ("x.TIF", "x"),
        ("dir", "dir"),
        ("c.d", "c.d"),
        ("x" * 250 + ".tif", "x" * 180),
        ("脳" * 80 + ".npy", "脳" * 60),
    ],
)
def test_stems_have_no_endings_of_formats(location: str, stem: str) -> None:
    assert stem_of(location) == stem


def test_a_picker_prefers_the_right_kind_and_takes_what_is_dropped(
    qtbot: Any, stack: Path, discs: Path
) -> None:
    workspace = Workspace()
    picker = InputPicker(Role.LABELS, workspace)
    qtbot.addWidget(picker)
    assert picker.location == ""
    image, labels = workspace.open(stack), workspace.open(discs)
    assert picker.location == labels.location
    assert picker.combo.count() == 2
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(stack))])
    action = Qt.DropActions(Qt.DropAction.CopyAction)
    picker.dropEvent(QDropEvent(QPointF(5, 5), action, data, Qt.LeftButton, Qt.NoModifier))
    assert picker.location == image.location
    workspace.close(image)
    assert picker.location == labels.location
    picker.close_down()


def test_a_preview_reads_only_its_field() -> None:
    array = np.arange(3 * 40 * 50).reshape(3, 40, 50)
    volume = ArrayVolume(array, VoxelSize(40, 4, 4))
    window = CroppedVolume(volume, Field(1, (10, 30), (5, 45)))
    assert np.array_equal(window[1], array[1, 10:30, 5:45])
    large = limited(Field(9, (-5, 4000), (100, 3000)), (3, 4096, 4096))
    assert large.z == 2
    assert large.y[1] - large.y[0] == large.x[1] - large.x[0] == 768
    assert large.y[0] == (4000 - 768) // 2


def test_an_error_in_a_slot_is_shown_and_the_window_lives_on() -> None:
    code = (
        "import sys\n"
        "from qtpy.QtCore import QTimer\n"
        "from qtpy.QtWidgets import QApplication, QMessageBox\n"
        "from uniem.gui import app\n"
        "application = app.make_application()\n"
        "app.install_excepthook()\n"
        "window = app.make_window()\n"
        "window.show()\n"
        "def look():\n"
        "    box = QApplication.activeModalWidget()\n"
        "    print(type(box).__name__, box.text())\n"
        "    box.close()\n"
        "    QTimer.singleShot(50, window.close)\n"
        "QTimer.singleShot(300, look)\n"
        "QTimer.singleShot(50, lambda: 1 / 0)\n"
        "code = application.exec_()\n"
        "print('ended', code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "QMessageBox Something went wrong: ZeroDivisionError" in done.stdout, done.stderr
    assert "ended 0" in done.stdout
