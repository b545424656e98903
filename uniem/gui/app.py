"""The application: Qt set up, the window shown, what was named opened, until the last window is closed."""

from __future__ import annotations

import functools
import gc
import logging
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from types import TracebackType

os.environ.setdefault("QT_API", "pyqt5")

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QApplication, QMessageBox

from uniem import paths
from uniem.errors import UniemError
from uniem.gui import style
from uniem.gui.appearance import Appearance
from uniem.gui.main_window import MainWindow
from uniem.gui.startup_report import is_asked, report_if_asked
from uniem.jobs.queue import JobQueue
from uniem.operations import registry
from uniem.workspace import Settings, Workspace

logger = logging.getLogger(__name__)

POLL_MS = 50


def run(locations: Sequence[str]) -> int:
    """Show the window, open what is named, and return the exit code when it is closed."""
    application = make_application()
    install_excepthook()
    # The font of the icons takes longer to read than the window to be made.
    style.icon.hold()
    window = make_window()
    window.first_paint.first(functools.partial(_show_icons, window))
    window.first_paint.then(functools.partial(_open, window, list(locations)))
    report_if_asked(window, window.first_paint)
    window.show()
    # What is there now stays to the end, so that garbage need not be looked for among it.
    gc.freeze()
    gc.enable()
    return int(application.exec_())


def _show_icons(window: MainWindow) -> None:
    style.icon.release()
    window.update()


def _open(window: MainWindow, locations: list[str]) -> None:
    if locations:
        window.opening.open(locations)
    else:
        window.projects.offer_last()
        if not is_asked():
            window.preferences.welcome()


def make_application() -> QApplication:
    """Return the application, set up for high resolutions, made where it was not."""
    known = QApplication.instance()
    if isinstance(known, QApplication):
        return known
    # OpenCV with its own Qt points this at plugins that end the program.
    if "cv2" in os.environ.get("QT_QPA_PLATFORM_PLUGIN_PATH", ""):
        del os.environ["QT_QPA_PLATFORM_PLUGIN_PATH"]
    # Contexts of OpenGL are not shared: VTK has its own, and to make one here costs a tenth of a second.
    for attribute in (
        Qt.ApplicationAttribute.AA_EnableHighDpiScaling,
        Qt.ApplicationAttribute.AA_UseHighDpiPixmaps,
    ):
        QApplication.setAttribute(attribute)
    rounding = Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
    QApplication.setHighDpiScaleFactorRoundingPolicy(rounding)
    application = QApplication(sys.argv[:1])
    application.setApplicationName("uniem")
    application.setDesktopFileName("uniem")
    style.remember_system(application)
    return application


def make_window() -> MainWindow:
    """Return a main window with its models, dressed as remembered, that polls its jobs."""
    logging.getLogger("uniem").setLevel(logging.INFO)
    settings = Settings()
    appearance = Appearance(settings, lambda: None)
    style.apply_theme(appearance.theme, appearance.font_size)
    queue = JobQueue()
    window = MainWindow(Workspace(), queue, settings)
    clock = QTimer(window)
    clock.timeout.connect(queue.poll)
    clock.start(POLL_MS)
    window.dress()
    window.first_paint.then(*registry.loaders(), window.action_set.fill, _set_window_icon)
    return window


def _set_window_icon() -> None:
    QApplication.setWindowIcon(QIcon(str(paths.resources() / "uniem.svg")))


def install_excepthook() -> None:
    """Show an error that nobody caught instead of ending the program, as PyQt5 would."""
    sys.excepthook = _show_uncaught
    threading.excepthook = _log_uncaught


def _log_uncaught(what: threading.ExceptHookArgs) -> None:
    """Note an error that nobody caught in a thread, which has told the window in its own way."""
    if what.exc_value is not None:
        logger.error("An error in a thread:", exc_info=what.exc_value)


_is_shown = False


def _show_uncaught(kind: type[BaseException], error: BaseException, place: TracebackType | None) -> None:
    global _is_shown
    if issubclass(kind, KeyboardInterrupt):
        QApplication.quit()
        return
    text = "".join(traceback.format_exception(kind, error, place))
    logger.error("An error that nobody caught:\n%s", text)
    if _is_shown or QApplication.instance() is None:
        return
    _is_shown = True
    try:
        box = QMessageBox(QMessageBox.Icon.Critical, "uniem", _first_line(error))
        box.setInformativeText("Your edits are safe in the journal. The details are in the log.")
        box.setDetailedText(text)
        box.exec_()
    finally:
        _is_shown = False


def _first_line(error: BaseException) -> str:
    if isinstance(error, UniemError):
        return str(error)
    return f"Something went wrong: {type(error).__name__}: {error}"
