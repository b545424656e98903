"""Patches as the network will get them, with outlines of what it should find, while parameters are chosen."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, QSize, Qt, QTimer
from qtpy.QtGui import QCloseEvent, QImage, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from uniem.data.palette import argb_table, slots_of
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.gui.background import Background, Task
from uniem.gui.painter import painter_on
from uniem.networks.patches import PatchSampler
from uniem.networks.settings import TrainingSettings
from uniem.networks.training_data import prepare_data
from uniem.progress import Context

ROWS, COLUMNS = 3, 4
PATCHES = ROWS * COLUMNS
DEBOUNCE_MS = 200
GAP = 6
# Gray values from black to white, in standard deviations.
GRAY_SPAN = 5.0


@dataclass(frozen=True, slots=True)
class Source:
    """What patches are drawn from."""

    image: Volume
    labels: Volume
    settings: TrainingSettings


AskSource = Callable[[], Source | str]


class PatchWindow(QDialog):
    """Show a dozen patches, and another dozen when asked; they follow the parameters.

    Parameters
    ----------
    ask : function
        Returns what to draw from, or why there is nothing.
    """

    def __init__(self, ask: AskSource, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Training patches")
        self.setWindowFlag(Qt.WindowType.WindowContextHelpButtonHint, False)
        self.grid = PatchGrid()
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.another = QPushButton(f"Another {PATCHES}")
        self.another.clicked.connect(self.show_others)
        self._ask = ask
        self._first = 0
        self._kept: tuple[object, PatchSampler] | None = None
        self._task: Task | None = None
        self._background = Background(self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(DEBOUNCE_MS)
        self._soon.timeout.connect(self._draw)
        row = QHBoxLayout()
        row.addWidget(self.words, 1)
        row.addWidget(self.another)
        column = QVBoxLayout(self)
        column.addWidget(self.grid, 1)
        column.addLayout(row)
        self.resize(760, 630)

    def refresh(self) -> None:
        """Draw anew, soon: parameters, images or labels are others."""
        if self.isVisible():
            self._soon.start()

    def show_others(self) -> None:
        """Draw the patches that come next."""
        self._first += PATCHES
        self._draw()

    def open_beside(self) -> None:
        """Show the window and leave the panel usable."""
        self.show()
        self.raise_()
        self._draw()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Drop what is being drawn."""
        self.close_down()
        super().closeEvent(event)

    def close_down(self) -> None:
        """Drop what is being drawn, and what was kept of the labels."""
        self._soon.stop()
        self._background.cancel()
        self._kept = None

    def _draw(self) -> None:
        source = self._ask()
        if self._task is not None:
            self._task.cancel()
        if isinstance(source, str):
            self._fail(source)
            return
        self.words.setText("Drawing patches…")
        key = _key(source)
        kept = self._kept[1] if self._kept is not None and self._kept[0] == key else None
        self._task = self._background.run(
            lambda task: _patches(source, kept, self._first, task),
            functools.partial(self._show, key),
            lambda error: self._fail(str(error)),
        )

    def _show(self, key: object, made: tuple[PatchSampler, list[NDArray[np.uint8]]]) -> None:
        sampler, pictures = made
        self._kept = (key, sampler)
        self.grid.show_pictures(pictures)
        last = self._first + PATCHES
        self.words.setText(
            f"Patches {self._first + 1} to {last} of the training, as the network sees them. Outlined is "
            "what it should find; what is dark is not annotated."
        )

    def _fail(self, text: str) -> None:
        self.grid.show_pictures([])
        self.words.setText(text)


class PatchGrid(QWidget):
    """Pictures in rows and columns."""

    def __init__(self) -> None:
        super().__init__()
        self._images: list[QImage] = []

    @property
    def count(self) -> int:
        """The number of pictures shown."""
        return len(self._images)

    def pixels(self, place: int) -> bytes:
        """Return the bytes of a picture, to compare it with others."""
        bits = self._images[place].constBits()
        return bytes(bits.asarray(self._images[place].sizeInBytes()))

    def show_pictures(self, pictures: list[NDArray[np.uint8]]) -> None:
        """Show pictures, (y, x, 3) uint8."""
        self._images = [_image(picture) for picture in pictures]
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for room in the pictures' proportions."""
        return QSize(COLUMNS * 180, ROWS * 180)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pictures, as large as they fit."""
        with painter_on(self) as painter:
            painter.fillRect(self.rect(), self.palette().brush(QPalette.ColorRole.Base))
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            side = min((self.width() - GAP) / COLUMNS, (self.height() - GAP) / ROWS)
            left, top = (self.width() - COLUMNS * side) / 2, (self.height() - ROWS * side) / 2
            for place, image in enumerate(self._images):
                row, column = divmod(place, COLUMNS)
                corner = left + column * side + GAP / 2, top + row * side + GAP / 2
                painter.drawImage(QRectF(*corner, side - GAP, side - GAP), image)


def _key(source: Source) -> object:
    """Return what must be the same for a look through the labels to hold: all but how patches change."""
    return source.image, source.labels, source.settings.model_dump_json(exclude={"augmentation"})


def _patches(
    source: Source, kept: PatchSampler | None, first: int, task: Task
) -> tuple[PatchSampler, list[NDArray[np.uint8]]]:
    """Draw patches without a network, and return them as pictures, with what draws further ones."""
    settings = source.settings
    if kept is None:
        context = _Stoppable(task)
        quick = settings.model_copy(update={"validation_windows": 1})
        data = prepare_data([(source.image, source.labels)], quick, settings.network.sections, context)
        kept = data.sampler
    sampler = kept.changed(settings.augmentation)
    return sampler, [drawn(*sampler.patch(first + place)) for place in range(PATCHES)]


class _Stoppable(Context):
    """Ends the look through the labels when nobody waits for it any more."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def cancelled(self) -> bool:
        if self._task.is_cancelled:
            raise UniemError("The patches are no longer wanted.")
        return False


def drawn(image: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a patch, (y, x, sections), as a picture with outlines of its truth, (y, x, 2)."""
    gray = np.clip(image[..., image.shape[-1] // 2] / GRAY_SPAN + 0.5, 0, 1) * 255
    gray = np.where(truth[..., 1] > 0, gray, gray * 0.4)
    picture = np.repeat(gray.astype(np.uint8)[..., None], 3, -1)
    target = np.rint(truth[..., 0]).astype(np.uint32)
    edges = _edges(target)
    colours = argb_table(1.0)[slots_of(target)]
    for channel, shift in enumerate((16, 8, 0)):
        picture[..., channel][edges] = ((colours >> np.uint32(shift)) & np.uint32(255))[edges]
    return picture


def _edges(target: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Tell which pixels of objects touch another value, two pixels deep so that they are seen when small."""
    import cv2

    eroded = cv2.erode(target.astype(np.float32), np.ones((5, 5), np.uint8))
    return np.asarray((target > 0) & (eroded != target))


def _image(picture: NDArray[np.uint8]) -> QImage:
    pixels: Any = np.ascontiguousarray(picture)
    height, width = pixels.shape[:2]
    return QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
