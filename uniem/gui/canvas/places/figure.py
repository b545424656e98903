"""A picture of what a view shows, at any size: PNG, or SVG with the scale bar as lines and text."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass, replace
from pathlib import Path

from qtpy.QtCore import QBuffer, QByteArray, QIODevice, QObject, QRectF, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QFont, QImage, QPainter

from uniem.gui.canvas.block_reader import BlockReader
from uniem.gui.canvas.compose import Axis, Grid
from uniem.gui.canvas.label_overlay import LabelOverlay
from uniem.gui.canvas.label_style import LabelStyle
from uniem.gui.canvas.layer_view import LayerView, covered
from uniem.gui.canvas.scale_bar import length_text, round_length
from uniem.gui.canvas.sections import Window
from uniem.gui.canvas.slice_view import SliceView

PATIENCE_MS = 60_000
_BAR_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class FigureRequest:
    """A file to write, how many of its pixels one of the screen becomes, and what is on it."""

    path: Path
    scale: int = 1
    has_scale_bar: bool = True
    has_labels: bool = True


class Figure(QObject):
    """Read what the figure needs, compose it, and write it; the window goes on meanwhile.

    Signals: `written(str)`, the path; `failed(str)`.
    """

    written = Signal(str)
    failed = Signal(str)

    def __init__(
        self, view: SliceView, reader: BlockReader, style: LabelStyle, request: FigureRequest
    ) -> None:
        super().__init__(view)
        model, camera = view.model, view.camera
        scale = camera.scale * view.devicePixelRatioF() * request.scale
        self._request, self._axes = request, view.axes
        self._shape = view.axes.shape(model.shape)
        self._box = top, left, bottom, right = view.view_box()
        self._scales = (scale * camera.aspect, scale)
        width = view.axes.column_nm(model.reference)
        self._pixel_nm = None if width is None else width / scale
        coarseness = 1 / self._scales[0], 1 / self._scales[1]
        self._window = Window(view.position, (top, bottom), (left, right), coarseness)
        layers = [layer for layer in model.layers if request.has_labels or not layer.is_labels]
        self._layers = [LayerView(layer, reader, view.axes) for layer in layers]
        for each in self._layers:
            if isinstance(each.drawing, LabelOverlay):
                each.drawing.set_style(replace(style, opacity=each.layer.opacity))
        self._reader, self._display = reader, model.display
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(self._give_up)
        # What has been read but not yet put together comes without another arrival.
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self._go_on)

    def begin(self) -> None:
        """Start reading."""
        self._patience.start(PATIENCE_MS)
        self._reader.listen(self._go_on)
        self._go_on()

    def _go_on(self) -> None:
        hidden = covered(self._layers)
        for each, is_hidden in zip(self._layers, hidden, strict=True):
            each.load(self._window, is_hidden)
        waiting = [
            each
            for each, is_hidden in zip(self._layers, hidden, strict=True)
            if each.layer.is_visible and not is_hidden and not each.source.is_complete
        ]
        if not waiting:
            self._end()
            self._write(hidden)
        elif any(each.source.has_more for each in waiting):
            self._again.start(0)

    def _give_up(self) -> None:
        self._end()
        self.failed.emit(f"{self._request.path.name} was not written: reading its data took too long.")

    def _end(self) -> None:
        self._patience.stop()
        self._again.stop()
        self._reader.arrived.disconnect(self._go_on)
        for each in self._layers:
            each.source.stop()

    def _write(self, hidden: list[bool]) -> None:
        image = self._composed(hidden)
        path = self._request.path
        part = path.with_name(f".{path.name}.part")
        try:
            if path.suffix.lower() == ".svg":
                part.write_text(self._svg(image), encoding="utf-8")
            else:
                if (bar := self._bar(image)) is not None:
                    bar.draw(image)
                part.write_bytes(png_of(image))
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            self.failed.emit(f"{path} cannot be written: {error.strerror}. Choose another place.")
            return
        self.written.emit(str(path))

    def _composed(self, hidden: list[bool]) -> QImage:
        top, left, bottom, right = self._box
        width, height = round((right - left) * self._scales[1]), round((bottom - top) * self._scales[0])
        image = QImage(max(1, width), max(1, height), QImage.Format.Format_RGB32)
        image.fill(QColor("black"))
        rows = Axis.of_view(top, bottom, self._scales[0], self._shape[0])
        columns = Axis.of_view(left, right, self._scales[1], self._shape[1])
        grid = Grid(rows, columns)
        if grid.is_empty:
            return image
        target = QRectF(
            (columns.origin - left) * self._scales[1],
            (rows.origin - top) * self._scales[0],
            columns.step * len(columns.index) * self._scales[1],
            rows.step * len(rows.index) * self._scales[0],
        )
        painter = QPainter(image)
        for each, is_hidden in zip(self._layers, hidden, strict=True):
            each.take_looks(self._display, is_hidden)
            if each.drawing.is_drawn:
                each.drawing.render(grid)
                picture = each.drawing.picture()
                if picture is not None:
                    painter.setOpacity(each.drawing.opacity)
                    painter.drawImage(target, picture)
        painter.end()
        return image

    def _bar(self, image: QImage) -> FigureBar | None:
        if not self._request.has_scale_bar or self._pixel_nm is None:
            return None
        length = round_length(self._pixel_nm * image.width() * _BAR_SHARE)
        return FigureBar(image.width(), image.height(), length / self._pixel_nm, length_text(length))

    def _svg(self, image: QImage) -> str:
        width, height = image.width(), image.height()
        data = base64.b64encode(png_of(image)).decode("ascii")
        bar = self._bar(image)
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
            f'<image width="{width}" height="{height}" xlink:href="data:image/png;base64,{data}"/>',
            bar.svg() if bar is not None else "",
            "</svg>",
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class FigureBar:
    """A scale bar in the lower left corner of a figure, in proportion to its width."""

    width: int
    height: int
    length_px: float
    text: str

    @property
    def unit(self) -> float:
        """A hundredth of the figure's width."""
        return self.width / 100

    @property
    def ground(self) -> QRectF:
        """The dark ground below bar and text."""
        return QRectF(
            1.5 * self.unit, self.height - 7.5 * self.unit, self.length_px + 2 * self.unit, 6 * self.unit
        )

    @property
    def line(self) -> QRectF:
        """The bar itself."""
        return QRectF(2.5 * self.unit, self.height - 3.2 * self.unit, self.length_px, 0.7 * self.unit)

    def draw(self, image: QImage) -> None:
        """Draw it on a picture."""
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.ground, QColor(0, 0, 0, 128))
        painter.fillRect(self.line, QColor("white"))
        font = QFont()
        font.setPixelSize(max(6, round(2.4 * self.unit)))
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor("white"))
        place = self.ground.adjusted(0, 0, 0, -2.2 * self.unit)
        painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), self.text)
        painter.end()

    def svg(self) -> str:
        """Return it as shapes and text."""
        middle, baseline = self.ground.center().x(), self.line.top() - 1.0 * self.unit
        return (
            f'<g id="scale-bar" fill="white">{_rect(self.ground, "black", 0.5)}{_rect(self.line)}'
            f'<text x="{middle:.2f}" y="{baseline:.2f}" font-family="sans-serif" font-weight="bold" '
            f'font-size="{2.4 * self.unit:.2f}" text-anchor="middle">'
            f"{html.escape(self.text, quote=False)}</text></g>"
        )


def _rect(rect: QRectF, fill: str = "white", opacity: float = 1.0) -> str:
    place = f'x="{rect.x():.2f}" y="{rect.y():.2f}"'
    size = f'width="{rect.width():.2f}" height="{rect.height():.2f}"'
    return f'<rect {place} {size} fill="{fill}" fill-opacity="{opacity:g}"/>'


def png_of(image: QImage) -> bytes:
    """Return a picture as the bytes of a PNG file."""
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    buffer.close()
    return bytes(content)
