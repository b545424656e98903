"""Press, paint and type at random in the real window, with its dialogs; count what goes wrong.

Run `python -m benchmarks.monkey [FILE...]`, under xvfb-run where there is no display; without files the
sample is opened. The same seed makes the same choices, though not at the same moments.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import json
import os
import random
import sys
import tempfile
import time
import traceback
from collections import deque
from pathlib import Path
from types import TracebackType

os.environ.setdefault("QT_API", "pyqt5")

from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QApplication, QFileDialog, QLineEdit, QWidget

from uniem.cli.sample import keep_sample, opened_locations
from uniem.gui.app import make_application, make_window
from uniem.gui.main_window import MainWindow
from uniem.progress import Context

MODAL_MS, REMEMBERED = 150, 6
# Without an answer for so long after its end, the window hangs.
PATIENCE_S = 60.0
SLOW_S = 2.0
KEYS = (
    *range(Qt.Key.Key_A, Qt.Key.Key_Z + 1),
    *range(Qt.Key.Key_0, Qt.Key.Key_9 + 1),
    *(Qt.Key.Key_Space, Qt.Key.Key_Tab, Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Delete),
    *(Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Comma, Qt.Key.Key_Period),
    *(Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight, Qt.Key.Key_Up, Qt.Key.Key_Down),
)
TEXTS = ("1", "-5", "1e9", "abc", "0", "", ", ", "50%")
# These end what is tried, or show something of another program.
LEFT_OUT = {"quit", "tensorboard"}
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CONTROL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


class Monkey:
    """Somebody who knows nothing and is afraid of nothing."""

    def __init__(self, window: MainWindow, seed: int) -> None:
        self.window, self.chance = window, random.Random(seed)
        self.errors, self.gestures, self.slowest = 0, 0, 0.0
        self._last: deque[str] = deque(maxlen=REMEMBERED)
        sys.excepthook = self._note_error

    def play(self, seconds: float) -> None:
        """Make gestures for a time."""
        kinds = (self._action, self._widget, self._stroke, self._key)
        QTimer.singleShot(MODAL_MS, self._answer)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                self.chance.choices(kinds, (2, 3, 4, 3))[0]()
            except RuntimeError as error:
                # A widget may go away under the mouse.
                if "deleted" not in str(error):
                    self._note_error(RuntimeError, error, error.__traceback__)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
                self._note_error(type(error), error, error.__traceback__)
            self.gestures += 1
            self._note_time(time.monotonic() - began)
            QTest.qWait(2)

    def _note_error(self, kind: type, error: BaseException, trace: TracebackType | None) -> None:
        self.errors += 1
        text = "".join(traceback.format_exception(kind, error, trace))
        print(f"after {', '.join(self._last)}:\n{text}", file=sys.stderr, flush=True)

    def _note_time(self, seconds: float) -> None:
        self.slowest = max(self.slowest, seconds)
        if seconds > SLOW_S:
            print(f"{seconds:.1f} s: {self._last[-1]}", file=sys.stderr, flush=True)

    def _answer(self) -> None:
        """Answer what the window asks, now and from now on; a dialog may ask on its own."""
        QTimer.singleShot(MODAL_MS, self._answer)
        asked = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        if asked is None:
            return
        choice = self.chance.random()
        inside = asked.findChildren(QAbstractButton)
        buttons = [each for each in inside if each.isVisible() and each.isEnabled()]
        if isinstance(asked, QFileDialog) or choice < 0.4:
            asked.close()
        elif buttons and choice < 0.85:
            button = self.chance.choice(buttons)
            self._last.append(f"{type(asked).__name__}: {button.text()}")
            button.click()
        else:
            QTest.keyClick(asked, self.chance.choice((Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Tab)))

    def _action(self) -> None:
        actions = self.window.action_set
        actions.refresh()
        id = self.chance.choice(actions.made()).id
        if id not in LEFT_OUT and actions[id].isEnabled():
            self._last.append(f"action {id}")
            actions[id].trigger()

    def _widget(self) -> None:
        tops = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
        inside = [
            widget
            for widget in (self.chance.choice(tops).findChildren(QWidget) if tops else [])
            if widget.isVisible() and widget.isEnabled() and not widget.size().isEmpty()
        ]
        if not inside:
            return
        widget = self.chance.choice(inside)
        self._last.append(f"{type(widget).__name__} {widget.objectName()}")
        place = QPoint(self.chance.randrange(widget.width()), self.chance.randrange(widget.height()))
        choice = self.chance.random()
        if choice < 0.65:
            button = Qt.MouseButton.RightButton if choice < 0.1 else Qt.MouseButton.LeftButton
            QTest.mouseClick(widget, button, NONE, place)
        elif choice < 0.75:
            QTest.mouseDClick(widget, Qt.MouseButton.LeftButton, NONE, place)
        elif isinstance(widget, QLineEdit):
            QTest.keyClicks(widget, self.chance.choice(TEXTS))
        else:
            QTest.keyClick(widget, self.chance.choice(KEYS))

    def _stroke(self) -> None:
        view = self.window.canvas.view.viewport()
        if not view.isVisible():
            return
        buttons = [Qt.MouseButton.LeftButton] * 4 + [Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton]
        button, modifier = self.chance.choice(buttons), self.chance.choice([NONE] * 4 + [SHIFT, CONTROL, ALT])
        self._last.append(f"stroke {self.window.canvas.model.hand.tool}")
        places = [
            QPoint(self.chance.randrange(view.width()), self.chance.randrange(view.height()))
            for _ in range(self.chance.randrange(2, 6))
        ]
        QTest.mousePress(view, button, modifier, places[0])
        for place in places[1:]:
            QTest.mouseMove(view, place)
            QApplication.processEvents()
        if self.chance.random() < 0.1:
            self._action()
        QTest.mouseRelease(view, button, modifier, places[-1])

    def _key(self) -> None:
        key, modifier = self.chance.choice(KEYS), self.chance.choice([NONE] * 5 + [SHIFT, CONTROL])
        if modifier == CONTROL and key == Qt.Key.Key_Q:
            return
        self._last.append(f"key {key}")
        QTest.keyClick(self.window.canvas.view.viewport(), key, modifier)


def digests(files: list[str]) -> list[str]:
    """Return what tells whether files have changed."""
    return [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files if Path(file).is_file()]


def play(files: list[str], seconds: float, seed: int) -> dict[str, float]:
    """Open files in a window and play; return what was counted."""
    application = make_application()
    if not files:
        keep_sample(Context())
    before = digests(files)
    window = make_window()
    window.show()
    window.opening.open(files or opened_locations())
    QTest.qWait(1500)
    monkey = Monkey(window, seed)
    faulthandler.dump_traceback_later(seconds + PATIENCE_S, exit=True)

    def begin() -> None:
        monkey.play(seconds)
        window.queue.stop_all()
        application.exit()

    # Inside an event loop, as everywhere: outside of one, what is to be deleted later goes too early.
    QTimer.singleShot(0, begin)
    application.exec_()
    return {
        "gestures": monkey.gestures,
        "errors": monkey.errors,
        "changed_inputs": sum(a != b for a, b in zip(before, digests(files), strict=True)),
        "slowest_s": round(monkey.slowest, 2),
    }


def main() -> None:
    """Read the flags; print the counts as JSON and end with 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    files = [str(Path(file).absolute()) for file in arguments.files]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["UNIEM_HOME"] = folder
        # What is shown in a browser is not what is tried.
        os.environ["BROWSER"] = "true"
        os.chdir(folder)
        counts = play(files, arguments.seconds, arguments.seed)
    print(json.dumps(counts, indent=2), flush=True)
    # Windows and their threads are left as they stand: how they end is tested elsewhere.
    os._exit(int(bool(counts["errors"] or counts["changed_inputs"])))


if __name__ == "__main__":
    main()
