"""A view of one section of the shared model: draws it, moves over it, and tells gestures in voxels."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import replace

from psygnal import SignalInstance
from qtpy.QtCore import QEvent, QPointF, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QCursor, QPainter, QResizeEvent, QShowEvent, QTransform
from qtpy.QtWidgets import QGraphicsItem, QGraphicsRectItem, QWidget

from uniem.data.geometry import Box
from uniem.data.volume import Volume
from uniem.gui.canvas.block_reader import BlockReader
from uniem.gui.canvas.camera import Camera
from uniem.gui.canvas.cross_hair import CrossHair
from uniem.gui.canvas.cursor import BrushCursor
from uniem.gui.canvas.key_input import KeyInput
from uniem.gui.canvas.label_overlay import LabelOverlay
from uniem.gui.canvas.label_style import LabelStyle
from uniem.gui.canvas.layer_view import LayerView, covered
from uniem.gui.canvas.layers import Layer
from uniem.gui.canvas.mouse import MouseInput
from uniem.gui.canvas.planes import ViewAxes
from uniem.gui.canvas.preview_item import PreviewItem
from uniem.gui.canvas.sections import Section, Window
from uniem.gui.canvas.slice_item import SliceItem
from uniem.gui.canvas.view_events import EventView
from uniem.gui.canvas.view_model import CanvasModel, Tool, Voxel

_CURSORS = {
    Tool.NAVIGATE: Qt.CursorShape.OpenHandCursor,
    Tool.PICK: Qt.CursorShape.PointingHandCursor,
}
# Blocks that arrive one after the other are drawn together.
ARRIVAL_MS = 12


class SliceView(EventView):
    """Show the section of a plane at the model's position.

    Signals: `camera_changed()`; `section_shown()` when there is another picture; `zoomed(float)` by
    the user.
    """

    camera_changed = Signal()
    section_shown = Signal()
    zoomed = Signal(float)

    def __init__(
        self,
        model: CanvasModel,
        reader: BlockReader,
        keys: KeyInput,
        axes: ViewAxes,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(MouseInput(lambda: model.hand.tool, lambda: keys.keymap), keys, parent)
        self.mouse.setParent(self)
        self.model, self.axes = model, axes
        self.camera = Camera()
        self.item = SliceItem()
        self.cursor_item = BrushCursor()
        self.preview_item = PreviewItem()
        self.cross_hair = CrossHair(axes.rows, axes.columns)
        self.shows_cross_hair = False
        self._reader = reader
        self._layers: list[LayerView] = []
        self._style = LabelStyle()
        self._stays_fitted = True
        self._position = 0
        self._direction = 0
        self._pointed: tuple[int, int] | None = None
        self._build()
        self._connect()

    @property
    def position(self) -> int:
        """The section in view."""
        return self.model.position[self.axes.across]

    @property
    def image_section(self) -> Section | None:
        """The section of the image that is shown."""
        return self.section_of(self.model.image_layer)

    def section_of(self, layer: Layer | None) -> Section | None:
        """Return what is shown of a layer."""
        return next((view.section for view in self._layers if view.layer is layer), None)

    @property
    def is_complete(self) -> bool:
        """Tell whether all that is to be seen is there, in the right resolution."""
        return all(view.source.is_complete for view in self._layers if view.drawing.is_drawn)

    def fit(self) -> None:
        """Show the whole section, and go on doing so when the view changes its size, until it is moved."""
        height, width = self.axes.shape(self.model.shape)
        if height and width:
            self._stays_fitted = True
            self._set_camera(Camera.fitting((height, width), self._size(), self.camera.aspect))

    def zoom(self, factor: float, place: QPointF | None = None) -> None:
        """Zoom by a factor; what is under the place (or the mouse, or in the middle) stays there."""
        if place is None:
            place = QPointF(self.viewport().mapFromGlobal(QCursor.pos()))
            if not self.viewport().rect().contains(place.toPoint()):
                place = QPointF(self.viewport().rect().center())
        self._stays_fitted = False
        self._set_camera(self.camera.zoomed(factor, place.x(), place.y(), self._size()))

    def look_at(self, row: float, column: float) -> None:
        """Move a place into the middle, if it is not in view."""
        top, left, bottom, right = self.camera.view_box(self._size())
        if not (top <= row < bottom and left <= column < right):
            self._stays_fitted = False
            self._set_camera(replace(self.camera, row=row, column=column))

    def hold(self) -> None:
        """Keep the scale from now on, also of a section that was shown whole; fit it a last time."""
        if self._stays_fitted:
            self.fit()
            self._stays_fitted = False

    def look_from(self, scale: float, row: float, column: float) -> None:
        """Put a place into the middle, at so many pixels per voxel along a row."""
        self._stays_fitted = False
        self._set_camera(
            replace(self.camera, row=row, column=column).zoomed(
                scale / self.camera.scale, self._size()[0] / 2, self._size()[1] / 2, self._size()
            )
        )

    def voxel_under(self, place: QPointF) -> tuple[int, int]:
        """Return the row and column under a place of the view, which may lie outside of the section."""
        row, column = self.camera.to_section(place.x(), place.y(), self._size())
        return math.floor(row), math.floor(column)

    def place_of(self, row: int, column: int) -> QPointF:
        """Return the place in the view of the middle of a voxel."""
        return QPointF(*self.camera.to_screen(row + 0.5, column + 0.5, self._size()))

    def label_at(self, row: int, column: int) -> int | None:
        """Return the label shown at a voxel; None while there is none, or another section is still shown."""
        section = self.item.overlay.section
        is_here = section is not None and section.position == self.position
        return self.item.overlay.label_at(row, column) if is_here else None

    def view_box(self) -> tuple[float, float, float, float]:
        """Return the first row, first column, last row and last column in view."""
        return self.camera.view_box(self._size())

    def set_style(self, style: LabelStyle) -> None:
        """Draw the labels in these colours; each stroke asks for it, so the same ones cost nothing."""
        if style != self._style:
            self._style = style
            self._show_style()

    def refresh(self, volume: Volume, boxes: list[Box]) -> None:
        """Draw boxes of voxels again whose labels were edited."""
        across, rows, columns = self.axes.across, self.axes.rows, self.axes.columns
        for view in self._layers:
            if view.layer.volume is not volume or not isinstance(view.drawing, LabelOverlay):
                continue
            view.source.refresh(boxes)
            here = [box for box in boxes if box.start[across] <= self.position < box.stop[across]]
            if here:
                around = functools.reduce(Box.union, here)
                view.drawing.end_draft(is_kept=not view.source.is_exact)
                self.item.redraw_box(
                    view.drawing,
                    around.start[rows],
                    around.start[columns],
                    around.stop[rows],
                    around.stop[columns],
                )
        self.reload()
        self.hover_again()

    def hover_again(self) -> None:
        """Look again at what is under the mouse."""
        if self._pointed is not None:
            self._hover(*self._pointed)

    def shine(self, label: int) -> None:
        """Let a label stand out."""
        self.item.update_pixels(self.item.overlay, self.item.overlay.hover(label))

    def release(self) -> None:
        """Let go of the model; call before the view is thrown away."""
        for signal, slot in self._connections():
            signal.disconnect(slot, missing_ok=True)
        for view in self._layers:
            view.source.stop()

    def reload(self) -> None:
        """Show the best there is of the section in view, and have the rest read."""
        if not self._layers or not self.isVisible():
            return
        window = self._window()
        changes = [
            view.load(window, is_covered)
            for view, is_covered in zip(self._layers, covered(self._layers), strict=True)
        ]
        if any(view.source.has_more for view in self._layers):
            self._arrival.start()
        if any(changes):
            self.item.update()
            self.section_shown.emit()
            self.hover_again()

    def _window(self) -> Window:
        top, left, bottom, right = self.view_box()
        ratio = self.devicePixelRatioF()
        coarseness = 1 / (self.camera.scale * self.camera.aspect * ratio), 1 / (self.camera.scale * ratio)
        return Window(self.position, (top, bottom), (left, right), coarseness, self._direction)

    def _build(self) -> None:
        self.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        # What is in it has voxels for units: x is the column, y the row.
        self.scene_box = QGraphicsRectItem()
        self.scene_box.setFlag(QGraphicsItem.GraphicsItemFlag.ItemHasNoContents)
        for item in (self.item, self.cross_hair, self.preview_item, self.cursor_item):
            item.setParentItem(self.scene_box)
        self.cross_hair.setVisible(False)
        self.scene().addItem(self.scene_box)
        self.pointed.connect(self._point_at)
        self.mouse.panned.connect(self._pan)
        self.mouse.zoomed.connect(self._zoom_by_hand)
        self._arrival = QTimer(self)
        self._arrival.setSingleShot(True)
        self._arrival.setInterval(ARRIVAL_MS)
        self._arrival.timeout.connect(self.reload)
        self._reader.listen(self._arrival.start)

    def _connections(self) -> list[tuple[SignalInstance, Callable[..., None]]]:
        display, hand = self.model.display.events, self.model.hand.events
        return [
            (self.model.volumes_changed, self._show_volumes),
            (self.model.position_changed, self._show_position),
            (self.model.layer_changed, self._show_style),
            (display.show_labels, self._show_looks),
            (display.peek_raw, self._show_looks),
            (display.cross_hair, self.show_cross_hair),
            (hand.tool, self._show_tool),
            (hand.brush_px, self._show_brush),
        ]

    def _connect(self) -> None:
        for signal, slot in self._connections():
            signal.connect(slot)
        self._show_tool()

    def _show_volumes(self) -> None:
        self.mouse.cancel()
        for view in self._layers:
            view.source.stop()
        kept = {(view.layer, view.source.scale): view for view in self._layers}
        shape, aspect = self.axes.shape(self.model.shape), self.axes.aspect(self.model.voxel_size)
        is_same_place = shape == self.item.shape and aspect == self.camera.aspect
        self._layers = [
            kept.get((layer, layer.scale)) or LayerView(layer, self._reader, self.axes)
            for layer in self.model.layers
        ]
        self.item.set_shape(shape)
        self._show_drawings()
        if not is_same_place:
            self.camera = replace(self.camera, aspect=aspect)
            self._stays_fitted = True
        self._position, self._direction = self.position, 0
        self.show_cross_hair()
        self._place_camera()

    def _show_drawings(self) -> None:
        own = next((v.drawing for v in self._layers if v.layer is self.model.labels_layer), None)
        overlay = own if isinstance(own, LabelOverlay) else None
        self.item.set_drawings([view.drawing for view in self._layers], overlay)
        self._show_style()

    def _show_position(self) -> None:
        self.show_cross_hair()
        if self.position != self._position:
            self._direction = 1 if self.position > self._position else -1
            self._position = self.position
            self.mouse.finish()
            self.reload()

    def _show_looks(self) -> None:
        for view, is_covered in zip(self._layers, covered(self._layers), strict=True):
            view.take_looks(self.model.display, is_covered)
        self.item.update()
        self.reload()

    def _show_style(self) -> None:
        for view in self._layers:
            if isinstance(view.drawing, LabelOverlay):
                is_own = view.drawing is self.item.overlay
                # Labels that are only looked at have no names, locks or colours of their own.
                style = self._style if is_own else LabelStyle(outlines=self._style.outlines)
                view.drawing.set_style(replace(style, opacity=view.layer.opacity))
        self._show_looks()
        self._show_cursor_colour()

    def _show_cursor_colour(self) -> None:
        is_erasing = self.model.hand.tool is Tool.ERASER or not self._style.active
        colour = (255, 255, 255) if is_erasing else self._style.colour(self._style.active)
        self.cursor_item.set_colour(QColor(*colour))

    def show_cross_hair(self) -> None:
        """Show where the other views cut this one, if there are any."""
        place = self.model.position
        shape = self.axes.shape(self.model.shape)
        self.cross_hair.set_place(shape, place[self.axes.rows], place[self.axes.columns])
        is_wanted = self.shows_cross_hair and self.model.display.cross_hair and self.model.depth > 0
        self.cross_hair.setVisible(is_wanted)

    def _show_tool(self) -> None:
        tool = self.model.hand.tool
        self.viewport().setCursor(_CURSORS.get(tool, Qt.CursorShape.CrossCursor))
        self.cursor_item.setVisible(tool.is_brush_like and self._pointed is not None)
        self._show_brush()
        self._show_cursor_colour()

    def _show_brush(self) -> None:
        aspect = self.axes.brush_aspect(self.model.voxel_size)
        scales = self.camera.scale * self.camera.aspect, self.camera.scale
        self.cursor_item.set_brush(self.model.hand.radius_px, aspect, scales, self.axes.is_turned)

    def _pan(self, by: QPointF) -> None:
        self._stays_fitted = False
        self._set_camera(self.camera.panned(by.x(), by.y()))

    def _zoom_by_hand(self, factor: float, place: QPointF) -> None:
        before = self.camera.scale
        self.zoom(factor, place)
        self.zoomed.emit(self.camera.scale / before)

    def _set_camera(self, camera: Camera) -> None:
        self.camera = camera
        top, left, bottom, right = camera.view_box(self._size())
        across, down = self._size()[0] / (right - left), self._size()[1] / (bottom - top)
        self.scene_box.setTransform(QTransform(across, 0, 0, down, -left * across, -top * down))
        # Qt forgets what an item leaves bare that moves twice between two paintings.
        self.viewport().update()
        ratio = self.devicePixelRatioF()
        scales = camera.scale * camera.aspect, camera.scale
        self.item.set_view((top, left, bottom, right), scales[0] * ratio, scales[1] * ratio)
        self.cross_hair.set_scale(*scales)
        self._show_brush()
        self.reload()
        self.camera_changed.emit()

    def _place_camera(self) -> None:
        if self._stays_fitted and self.isVisible() and self.model.depth:
            self.fit()
        else:
            self._set_camera(self.camera)

    def _size(self) -> tuple[int, int]:
        return max(1, self.viewport().width()), max(1, self.viewport().height())

    def _hover(self, row: int, column: int) -> None:
        self._pointed = (row, column)
        height, width = self.axes.shape(self.model.shape)
        if not (0 <= row < height and 0 <= column < width):
            self.model.hover(None)
            return
        section = self.image_section
        has_value = section is not None and section.position == self.position
        value = float(section.value_at(row, column)) if section is not None and has_value else None
        label = self.label_at(row, column)
        self.model.hover(Voxel(*self.axes.zyx(self.position, row, column), value, label))

    # What follows overrides Qt.

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the middle and the zoom."""
        super().resizeEvent(event)
        if hasattr(self, "scene_box"):
            self._place_camera()

    def showEvent(self, event: QShowEvent) -> None:
        """Fit the section when it is first seen."""
        super().showEvent(event)
        self._place_camera()

    def leaveEvent(self, event: QEvent) -> None:
        """Forget what was under the mouse."""
        self.cursor_item.setVisible(False)
        self._pointed = None
        self.model.hover(None)

    def _point_at(self, place: QPointF) -> None:
        row, column = self.voxel_under(place)
        self._hover(row, column)
        self.cursor_item.setPos(column, row)
        self.cursor_item.setVisible(self.model.hand.tool.is_brush_like)
