"""Labels that another process edits, or that were changed behind their history, in the window."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from tests.gui.proofreading.conftest import SHAPE, scene
from tests.gui.test_window import drop
from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import create_store, open_store
from uniem.data.volume import Kind
from uniem.gui.main_window import MainWindow
from uniem.gui.proofreading.edited_views import ViewingBar
from uniem.gui.sessions import AGAIN, BEGIN
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, paint

WHOLE = Box.of_shape(SHAPE)
# Edits when it is told to, and ends with its standard input.
EDITOR = """
import sys
from pathlib import Path
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, paint

session = ProofreadingSession.open(Path(sys.argv[1]), "Ada")
for number, line in enumerate(sys.stdin):
    session.apply(paint(session.volume, Stroke(((2.0, 50.0, 20.0 + 20 * number),), 4), 9))
    print("done", flush=True)
session.close()
"""


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "objects.zarr"
    store = create_store(path, SHAPE, np.uint32, VoxelSize(40.0, 4.0, 4.0), Kind.LABELS)
    store.write(WHOLE, scene())
    return path


class Editor:
    """A process that edits labels."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", EDITOR, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.edit()

    def edit(self) -> None:
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def end(self) -> None:
        self._process.communicate(timeout=60)


@pytest.fixture
def editor(labels: Path) -> Iterator[Editor]:
    process = Editor(labels)
    yield process
    process.end()


def test_labels_edited_by_another_process_are_seen_and_taken_over(
    window: MainWindow, labels: Path, editor: Editor, qtbot: Any
) -> None:
    drop(window, labels)
    item, bar = window.workspace.at(labels), window.findChild(ViewingBar)
    qtbot.waitUntil(lambda: item.is_read_only)
    assert item.noun[2][50, 20] == 9
    assert "being edited by Ada" in bar.label.text() and "1 edit that is not saved" in bar.label.text()
    assert bar.isVisible() and bar.edit.isHidden() and bar.refresh.isHidden()
    assert "(read-only)" in window.data.tree.topLevelItem(0).text(0)
    window.sessions.edit(item)
    assert window.sessions.session is None
    editor.edit()
    window.sessions.views._poll()
    qtbot.waitUntil(bar.refresh.isVisible)
    QTest.mouseClick(bar.refresh, Qt.LeftButton)
    qtbot.waitUntil(lambda: item.noun[2][50, 40] == 9)
    editor.end()
    window.sessions.views._poll()
    qtbot.waitUntil(bar.edit.isVisible)
    assert "2 edits that are not saved" in bar.label.text()
    QTest.mouseClick(bar.edit, Qt.LeftButton)
    session = window.sessions.session
    assert session is not None and session.recovered_edits == 2
    assert not bar.isVisible() and not item.is_read_only
    assert session.volume[2][50, 40] == 9


def test_labels_left_with_unsaved_edits_are_shown_with_them(
    window: MainWindow, labels: Path, qtbot: Any
) -> None:
    drop(window, labels)
    item = window.workspace.at(labels)
    window.sessions.edit(item)
    session = window.sessions.session
    stroke = paint(session.volume, Stroke(((2.0, 50.0, 20.0),), 4), 9)
    session.apply(stroke)
    window.sessions.end()
    qtbot.waitUntil(lambda: item.is_read_only)
    assert item.noun[2][50, 20] == 9
    assert "1 edit that is not saved" in window.findChild(ViewingBar).label.text()
    window.sessions.edit(item)
    assert window.sessions.unsaved == 1 and not item.is_read_only


@pytest.fixture
def changed(labels: Path) -> Path:
    """Leave a stroke unsaved, then change the voxels behind the history."""
    session = ProofreadingSession.open(labels)
    session.apply(paint(session.volume, Stroke(((2.0, 50.0, 20.0),), 4), 9))
    session.apply(paint(session.volume, Stroke(((3.0, 50.0, 20.0),), 4), 9))
    session.close()
    open_store(labels, writable=True)[4] = np.full(SHAPE[1:], 3, np.uint32)
    return labels


@pytest.mark.parametrize("choice", [AGAIN, BEGIN, "Cancel"])
def test_what_becomes_of_unsaved_edits_on_changed_voxels_is_asked(
    window: MainWindow, changed: Path, answer: Callable[[str], list[str]], choice: str, qtbot: Any
) -> None:
    drop(window, changed)
    asked = answer(choice)
    window.sessions.edit(window.workspace.at(changed))
    assert "changed outside its history" in asked[0]
    session = window.sessions.session
    if choice == "Cancel":
        assert session is None
        return
    qtbot.waitUntil(lambda: session.objects.is_counted)
    qtbot.waitUntil(lambda: session.set_aside is None)
    assert session.unsaved_edits == (2 if choice == AGAIN else 0)
    assert (session.volume[2][50, 20] == 9) == (choice == AGAIN)
    assert session.volume[4][0, 0] == 3
    assert list(changed.glob("journal-aside-*.sqlite"))
    if choice == AGAIN:
        qtbot.waitUntil(lambda: "Made 2 edits again" in window.message.text)
        window.action_set["undo"].trigger()
        assert session.volume[3][50, 20] == 0
