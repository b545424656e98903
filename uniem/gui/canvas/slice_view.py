"""A view of one section of the shared model: draws it, moves over it, and tells gestures in voxels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pyqtgraph as pg
from psygnal import SignalInstance
from qtpy.QtCore import QEvent, QPointF, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QCursor,
    QEnterEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QResizeEvent,
    QTabletEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from uniem.data.geometry import Box
from uniem.gui.canvas.camera import Camera
from uniem.gui.canvas.cursor import BrushCursor
from uniem.gui.canvas.key_input import KeyInput
from uniem.gui.canvas.label_style import LabelStyle
from uniem.gui.canvas.mouse import MouseInput
from uniem.gui.canvas.sections import Section, SectionReader
from uniem.gui.canvas.slice_item import SliceItem
from uniem.gui.canvas.view_model import CanvasModel, Tool, Voxel
from uniem.proofreading.tools.plane import Plane, brush_aspect

_CURSORS = {
    Tool.NAVIGATE: Qt.CursorShape.OpenHandCursor,
    Tool.BRUSH: Qt.CursorShape.CrossCursor,
    Tool.ERASER: Qt.CursorShape.CrossCursor,
    Tool.PICK: Qt.CursorShape.PointingHandCursor,
}
_TYPING = (QLineEdit, QAbstractSpinBox, QTextEdit, QPlainTextEdit, QComboBox)


class SliceView(pg.GraphicsView):
    """Show the section at the model's z; rows are y and columns x."""

    camera_changed = Signal()
    section_shown = Signal()

    def __init__(
        self, model: CanvasModel, reader: SectionReader, keys: KeyInput, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, background=QColor(24, 24, 26))
        self.model = model
        self.camera = Camera()
        self.item = SliceItem()
        self.cursor_item = BrushCursor()
        self.mouse = MouseInput(lambda: model.hand.tool, self)
        self._reader = reader
        self._keys = keys
        self._sections: tuple[Section | None, Section | None] = (None, None)
        self._style = LabelStyle()
        self._fits_at_once = True
        self._build()
        self._connect()
        self._draw_style()

    @property
    def image_section(self) -> Section | None:
        """The section of the image that is shown."""
        return self._sections[0]

    def fit(self) -> None:
        """Show the whole section."""
        _, height, width = self.model.shape
        if height and width:
            self._set_camera(Camera.fitting((height, width), self._size(), self.camera.aspect))

    def zoom(self, factor: float, place: QPointF | None = None) -> None:
        """Zoom by a factor; what is under the place (or the mouse, or in the middle) stays there."""
        if place is None:
            place = QPointF(self.viewport().mapFromGlobal(QCursor.pos()))
            if not self.viewport().rect().contains(place.toPoint()):
                place = QPointF(self.viewport().rect().center())
        self._set_camera(self.camera.zoomed(factor, place.x(), place.y(), self._size()))

    def look_at(self, row: float, column: float) -> None:
        """Move a place into the middle, if it is not in view."""
        top, left, bottom, right = self.camera.view_box(self._size())
        if not (top <= row < bottom and left <= column < right):
            self._set_camera(replace(self.camera, row=row, column=column))

    def voxel_under(self, place: QPointF) -> tuple[int, int]:
        """Return the (y, x) of the voxel under a place of the view, which may lie outside of the section."""
        row, column = self.camera.to_section(place.x(), place.y(), self._size())
        return math.floor(row), math.floor(column)

    def place_of(self, y: int, x: int) -> QPointF:
        """Return the place in the view of the middle of a voxel."""
        return QPointF(*self.camera.to_screen(y + 0.5, x + 0.5, self._size()))

    def set_style(self, style: LabelStyle) -> None:
        """Draw labels in these colours; each stroke asks for it, so the same ones cost nothing."""
        if style != self._style:
            self._style = style
            self._draw_style()

    def refresh(self, box: Box) -> None:
        """Draw a box of voxels again whose labels were edited."""
        if box.start[0] <= self.model.z < box.stop[0]:
            self.item.overlay.end_draft()
            self.item.redraw_box(box.start[1], box.start[2], box.stop[1], box.stop[2])
            self.reload()
        self.hover_again()

    def hover_again(self) -> None:
        """Look again at what is under the mouse."""
        if self.model.hovered is not None:
            self._hover(self.model.hovered.y, self.model.hovered.x)

    def release(self) -> None:
        """Let go of the model; call before the view is thrown away."""
        for signal, slot in self._connections():
            signal.disconnect(slot, missing_ok=True)

    def _draw_style(self) -> None:
        self.item.overlay.table = self._style.table()
        self.item.overlay.outlines = self._style.outlines
        self.item.redraw_labels()
        self._show_cursor_colour()

    def _show_cursor_colour(self) -> None:
        is_erasing = self.model.hand.tool is Tool.ERASER or not self._style.active
        colour = (255, 255, 255) if is_erasing else self._style.colour(self._style.active)
        self.cursor_item.set_colour(QColor(*colour))

    def _build(self) -> None:
        self.setFrameShape(self.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self.scene_box = pg.ViewBox(enableMouse=False, enableMenu=False, invertY=True, defaultPadding=0)
        self.scene_box.disableAutoRange()
        self.scene_box.addItem(self.item, ignoreBounds=True)
        self.scene_box.addItem(self.cursor_item, ignoreBounds=True)
        self.setCentralItem(self.scene_box)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.WheelFocus)
        # A Japanese input method would swallow single letters; dropped files are for the window.
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.setAcceptDrops(False)
        self.viewport().setAcceptDrops(False)
        self.mouse.panned.connect(self._pan)
        self.mouse.zoomed.connect(self.zoom)
        self._reader.arrived.connect(self.reload)

    def _connections(self) -> list[tuple[SignalInstance, Callable[..., None]]]:
        display, hand = self.model.display.events, self.model.hand.events
        return [
            (self.model.volumes_changed, self._show_volumes),
            (self.model.z_changed, self._show_section),
            (display.low, self._show_contrast),
            (display.high, self._show_contrast),
            (display.show_labels, self._show_or_hide_labels),
            (display.peek_raw, self._show_or_hide_labels),
            (hand.tool, self._show_tool),
            (hand.brush_px, self._show_brush),
        ]

    def _connect(self) -> None:
        for signal, slot in self._connections():
            signal.connect(slot)
        self._show_tool()

    def _show_volumes(self) -> None:
        self.mouse.cancel()
        self._sections = (None, None)
        self.item.set_sections(None, None)
        self.item.set_shape(self.model.shape[1:])
        voxel_size = self.model.voxel_size
        self.camera = replace(self.camera, aspect=voxel_size.y / voxel_size.x if voxel_size else 1.0)
        self._fits_at_once = True
        self._place_camera()
        self.reload()

    def _show_section(self) -> None:
        self.mouse.finish()
        self.reload()

    def reload(self) -> None:
        """Show the best there is of the section at the model's z, and have the rest read."""
        image, labels, z = self.model.image, self.model.labels, self.model.z
        coarseness = 1 / (self.camera.scale * self.devicePixelRatioF())
        shown_image = self._reader.section(image, z, coarseness) if image is not None else None
        shown_labels = self._reader.section(labels, z) if labels is not None else None
        if shown_image is None and (shown_labels is None or image is not None):
            return  # the section before stays until this one is there
        if _same(shown_image, self._sections[0]) and _same(shown_labels, self._sections[1]):
            return
        self._sections = (shown_image, shown_labels)
        self.item.set_sections(shown_image, shown_labels)
        self.section_shown.emit()
        self.hover_again()

    def _show_contrast(self) -> None:
        self.item.set_contrast(self.model.display.low, self.model.display.high)

    def _show_or_hide_labels(self) -> None:
        self.item.labels_are_drawn = self.model.display.labels_are_drawn
        self.item.update()

    def _show_tool(self) -> None:
        tool = self.model.hand.tool
        self.viewport().setCursor(_CURSORS[tool])
        self.cursor_item.setVisible(tool.is_brush_like and self.model.hovered is not None)
        self._show_brush()
        self._show_cursor_colour()

    def _show_brush(self) -> None:
        aspect_yx = brush_aspect(self.model.voxel_size, Plane.XY)
        self.cursor_item.set_brush(self.model.hand.radius_px, aspect_yx, self.camera.scale)

    def _pan(self, by: QPointF) -> None:
        self._set_camera(self.camera.panned(by.x(), by.y()))

    def _set_camera(self, camera: Camera) -> None:
        self.camera = camera
        top, left, bottom, right = camera.view_box(self._size())
        self.scene_box.setRange(xRange=(left, right), yRange=(top, bottom), padding=0, update=True)
        ratio = self.devicePixelRatioF()
        self.item.set_view(
            (top, left, bottom, right), camera.scale * camera.aspect * ratio, camera.scale * ratio
        )
        self._show_brush()
        self.reload()
        self.camera_changed.emit()

    def _place_camera(self) -> None:
        if self._fits_at_once and self.isVisible() and self.model.depth:
            self._fits_at_once = False
            self.fit()
        else:
            self._set_camera(self.camera)

    def _size(self) -> tuple[int, int]:
        return max(1, self.viewport().width()), max(1, self.viewport().height())

    def _hover(self, y: int, x: int) -> None:
        _, height, width = self.model.shape
        if not (0 <= y < height and 0 <= x < width):
            self.model.hover(None)
            return
        value, label = self.item.value_at(y, x), self.item.overlay.label_at(y, x)
        self.model.hover(Voxel(self.model.z, y, x, value, label))

    # What follows overrides Qt: events go to the mouse and the keys, and no further.

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the middle and the zoom."""
        super().resizeEvent(event)
        if hasattr(self, "scene_box"):
            self._place_camera()

    def showEvent(self, event: QEvent) -> None:
        """Fit the section when it is first seen."""
        super().showEvent(event)
        self._place_camera()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a gesture and take the focus."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.mouse.press(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take the second press of a quick pair like any other."""
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Carry on a gesture and tell what is under the mouse."""
        self._point_at(event.localPos())
        self.mouse.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a gesture."""
        self.mouse.release(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step, zoom or resize, and take the focus."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.mouse.wheel(event)
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        """Take the pen's events before Qt makes mouse events of them."""
        if isinstance(event, QTabletEvent):
            self._point_at(event.posF())
            self.mouse.tablet(event)
            event.accept()
            return True
        return bool(super().viewportEvent(event))

    def event(self, event: QEvent) -> bool:
        """Claim the canvas's keys from the menus while it has the focus."""
        if event.type() == QEvent.Type.ShortcutOverride and self._keys.knows(event):
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Start what the key stands for."""
        if not self._keys.press(event):
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """End what a held key stands for."""
        if not self._keys.release(event):
            event.ignore()

    def focusOutEvent(self, event: QEvent) -> None:
        """End what held keys stand for: their release will not be seen."""
        self._keys.release_all()
        super().focusOutEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Take the keyboard, unless something is being typed elsewhere."""
        if self.isActiveWindow() and not isinstance(QApplication.focusWidget(), _TYPING):
            self.setFocus(Qt.FocusReason.MouseFocusReason)
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Forget what was under the mouse."""
        self.cursor_item.setVisible(False)
        self.model.hover(None)

    def _point_at(self, place: QPointF) -> None:
        y, x = self.voxel_under(place)
        self._hover(y, x)
        self.cursor_item.setPos(x, y)
        self.cursor_item.setVisible(self.model.hand.tool.is_brush_like)


def _same(one: Section | None, other: Section | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.array is other.array and one.z == other.z
