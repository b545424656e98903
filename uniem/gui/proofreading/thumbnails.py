"""Small pictures of where edits were, made by a thread for those rows of the history that are looked at."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QRectF, QTimer, Signal
from qtpy.QtGui import QColor, QImage, QPainter, QPen, QPixmap

from uniem.data.geometry import Box
from uniem.data.palette import Colour, colours_of
from uniem.errors import UniemError
from uniem.gui.background import Background, Task
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.drawing import as_image
from uniem.gui.canvas.levels import Level
from uniem.proofreading.timeline import PastEdit

WIDTH, HEIGHT = 48, 36
# What is around an edit is shown too, else nobody knows the place.
_AROUND, _LEAST = 1.6, 96
_KEPT, _MOST_WANTED = 512, 40
_LATER_MS = 250
_BARE, _FRAME = 40, QColor(255, 230, 90)
_OPACITY = 0.55


@dataclass(frozen=True)
class _Source:
    """What a picture is made of, as it was when it was asked for."""

    past: PastEdit
    labels: list[Level]
    image: list[Level]
    scale: tuple[float, float, float]
    contrast: tuple[float, float]
    own: dict[int, Colour]
    ratio: float


class Thumbnails(QObject):
    """Keep the pictures made; `ready(edit id)` when there is another one."""

    ready = Signal(object)

    def __init__(self, canvas: Canvas, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._kept: OrderedDict[int, QPixmap | None] = OrderedDict()
        self._wanted: list[PastEdit] = []
        self._background = Background(self)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._make_next)

    def picture(self, past: PastEdit) -> QPixmap | None:
        """Return the picture of an edit, or None where there is none yet: then it will be made."""
        if past.id in self._kept:
            self._kept.move_to_end(past.id)
            return self._kept[past.id]
        if not past.box.is_empty and past not in self._wanted:
            # What was asked for long ago has been scrolled away.
            self._wanted = [*self._wanted[-_MOST_WANTED:], past]
            if not self._background.is_busy and not self._later.isActive():
                self._later.start(0)
        return None

    def forget(self) -> None:
        """Keep no pictures: they were of another volume."""
        self._background.cancel()
        self._kept.clear()
        self._wanted.clear()

    def _make_next(self) -> None:
        session = self._canvas.painting.session
        if not self._wanted or session is None or self._background.is_busy:
            return
        if self._canvas.is_stroking or self._canvas.painting.maker.is_busy:
            self._later.start(_LATER_MS)
            return
        layer = self._canvas.model.image_layer
        reader = self._canvas.reader
        source = _Source(
            self._wanted.pop(),
            reader.levels(session.volume),
            reader.levels(layer.volume) if layer is not None else [],
            layer.scale if layer is not None else (1.0, 1.0, 1.0),
            (layer.low, layer.high) if layer is not None else (0.0, 255.0),
            dict(self._canvas.painting.colours()),
            self._canvas.devicePixelRatioF(),
        )

        def work(task: Task) -> QImage:
            return _drawn(source)

        self._background.run(work, partial(self._take, source.past.id), partial(self._fail, source.past.id))

    def _take(self, edit: int, picture: QImage) -> None:
        self._keep(edit, QPixmap.fromImage(picture))

    def _fail(self, edit: int, _error: UniemError) -> None:
        self._keep(edit, None)

    def _keep(self, edit: int, picture: QPixmap | None) -> None:
        self._kept[edit] = picture
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        self.ready.emit(edit)
        self._later.start(0)


def _drawn(source: _Source) -> QImage:
    """Draw the image, the objects that the edit concerns, and a frame around what it changed."""
    box, window = source.past.box, _window(source.past.box)
    size = round(HEIGHT * source.ratio), round(WIDTH * source.ratio)
    gray = _gray(source, window, size)
    labels = _sampled(source.labels, window, size, (1.0, 1.0, 1.0))
    ids, places = np.unique(labels, return_inverse=True)
    colours = colours_of(ids).astype(np.float32)
    alpha = np.zeros(len(ids), np.float32)
    for i, label in enumerate(ids.tolist()):
        colours[i] = source.own.get(label, colours[i])
        alpha[i] = _OPACITY if label in source.past.labels else 0.0
    places = places.reshape(size)
    mixed = gray[..., None] * (1 - alpha[places])[..., None] + colours[places] * alpha[places][..., None]
    red, green, blue = np.moveaxis(mixed.astype(np.uint32), -1, 0)
    buffer = np.ascontiguousarray(0xFF000000 | red << 16 | green << 8 | blue, np.uint32)
    picture = as_image(buffer, QImage.Format.Format_RGB32).copy()
    down, across = (n / length for n, length in zip(size, window.shape[1:], strict=True))
    frame = QRectF(
        (box.start[2] - window.start[2]) * across,
        (box.start[1] - window.start[1]) * down,
        max(2.0, box.shape[2] * across),
        max(2.0, box.shape[1] * down),
    )
    painter = QPainter(picture)
    painter.setPen(QPen(_FRAME, source.ratio))
    painter.drawRect(frame)
    painter.end()
    picture.setDevicePixelRatio(source.ratio)
    return picture


def _window(box: Box) -> Box:
    """Return the part of the middle section of a box that is shown, of the picture's proportions."""
    z, y, x = ((a + b) // 2 for a, b in zip(box.start, box.stop, strict=True))
    _, rows, columns = box.shape
    height = max(_LEAST * HEIGHT / WIDTH, rows * _AROUND, columns * _AROUND * HEIGHT / WIDTH)
    height, width = round(height), round(height * WIDTH / HEIGHT)
    return Box(
        (z, y - height // 2, x - width // 2), (z + 1, y - height // 2 + height, x - width // 2 + width)
    )


def _gray(source: _Source, window: Box, size: tuple[int, int]) -> NDArray[np.float32]:
    if not source.image:
        return np.full(size, _BARE, np.float32)
    low, high = source.contrast
    values = _sampled(source.image, window, size, source.scale).astype(np.float32)
    return np.clip((values - low) / max(1e-9, high - low), 0, 1) * 255


def _sampled(
    levels: list[Level], window: Box, size: tuple[int, int], scale: tuple[float, float, float]
) -> NDArray[np.generic]:
    """Return (rows, columns) of a section of a volume at the size of a picture; 0 outside."""
    pitch = [n / length for n, length in zip(window.shape[1:], size, strict=True)]
    fits = [
        level
        for level in levels
        if all(level.factor[axis + 1] * scale[axis + 1] <= pitch[axis] for axis in (0, 1))
    ]
    level = fits[-1] if fits else levels[0]
    factors = [a * b for a, b in zip(level.factor, scale, strict=True)]
    shape = level.volume.shape
    section = min(shape[0] - 1, max(0, int((window.start[0] + 0.5) / factors[0])))
    found = np.zeros(size, level.volume.dtype)
    spans, places = [], []
    for axis in (1, 2):
        at = (window.start[axis] + (np.arange(size[axis - 1]) + 0.5) * pitch[axis - 1]) / factors[axis]
        inside = np.flatnonzero((at >= 0) & (at < shape[axis]))
        if not len(inside):
            return found
        index = at[inside].astype(np.intp)
        spans.append((int(index[0]), int(index[-1]) + 1))
        places.append((inside, index - index[0]))
    (y0, y1), (x0, x1) = spans
    block = level.volume.read(Box((section, y0, x0), (section + 1, y1, x1)))[0]
    (rows, from_rows), (columns, from_columns) = places
    found[np.ix_(rows, columns)] = block[np.ix_(from_rows, from_columns)]
    return found
