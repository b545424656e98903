"""The canvas: a view of the volumes shown, with the tools around it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from psygnal import SignalInstance
from qtpy.QtCore import QEvent, QPoint, QPointF, QSize, Qt, Signal
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

from uniem.data.geometry import Box
from uniem.data.volume import Volume
from uniem.gui.canvas.commands import Commands
from uniem.gui.canvas.compose import percentile_range
from uniem.gui.canvas.key_input import KeyInput
from uniem.gui.canvas.keymap import hint
from uniem.gui.canvas.label_style import LabelStyle
from uniem.gui.canvas.mouse import modifier_name
from uniem.gui.canvas.overlays import Invitation, Toast
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.scale_bar import ScaleBar
from uniem.gui.canvas.section_bar import SectionBar
from uniem.gui.canvas.sections import SectionReader
from uniem.gui.canvas.slice_view import SliceView
from uniem.gui.canvas.stroke_drawing import StrokeDrawing
from uniem.gui.canvas.toolbar import CanvasToolbar
from uniem.gui.canvas.view_model import CanvasModel, Tool
from uniem.proofreading.session import ProofreadingSession


class Canvas(QWidget):
    """Show an image with labels over it, and paint them.

    Signals: `hovered(Voxel | None)`; `hint_changed(str)`, what the buttons do now; `brush_changed(str)`, its
    size; `stroke_finished(Stroke, label)`; `menu_wanted(Voxel | None, QPoint)`, the place on screen;
    `message(str)`.
    """

    hovered = Signal(object)
    hint_changed = Signal(str)
    brush_changed = Signal(str)
    stroke_finished = Signal(object, object)
    menu_wanted = Signal(object, QPoint)
    message = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = CanvasModel()
        self.painting = PaintingController(self.model, self)
        self.reader = SectionReader(parent=self)
        self.commands = Commands(self.model, self.painting, self)
        self.keys = KeyInput(self.commands.actions, self.commands.endings, self)
        self.view = SliceView(self.model, self.reader, self.keys)
        self.drawing = StrokeDrawing(self.view, self.painting)
        self.commands.add_view(self.view)
        self._modifier = ""
        self._contrast_is_due = False
        self._tool_laid_down: Tool | None = None
        self._build()
        self._connect_painting()
        self._connect_view()
        self._connect_model()
        self._show_volumes()

    def show_volumes(self, image: Volume | None, labels: Volume | None = None) -> None:
        """Show an image with labels that are only looked at, or either alone, or nothing."""
        self.painting.set_session(None)
        self._show(image, labels)

    def edit_labels(self, image: Volume | None, session: ProofreadingSession) -> None:
        """Show an image with the labels of a session, to be painted."""
        self._show(image, session.volume)
        self.painting.set_session(session)
        self._offer_painting()

    def run(self, shortcut_id: str) -> None:
        """Do what the key of a shortcut does, for menus and the command palette."""
        self.commands.actions[shortcut_id]()

    def auto_contrast(self) -> None:
        """Choose the contrast that suits the section in view."""
        section = self.view.image_section
        if section is not None:
            self.model.display.low, self.model.display.high = percentile_range(section.array)

    def reset_contrast(self) -> None:
        """Draw the smallest gray value black and the largest white."""
        self.model.display.low, self.model.display.high = self.toolbar.contrast_range()

    @contextlib.contextmanager
    def keeping_look(self) -> Iterator[None]:
        """Keep place, zoom and contrast while what is shown is replaced by an equal volume."""
        camera, is_due, display = self.view.camera, self._contrast_is_due, self.model.display
        contrast = (display.low, display.high)
        yield
        self._contrast_is_due = is_due
        if not is_due:
            display.low, display.high = contrast
        self.view.camera = replace(camera, aspect=self.view.camera.aspect)
        self.view.zoom(1.0, QPointF(self.view.viewport().rect().center()))

    def sizeHint(self) -> QSize:
        """Return a size that suits a window."""
        return QSize(900, 700)

    def close_views(self) -> None:
        """Stop reading and let go of models and session; call before the canvas is thrown away."""
        self.painting.set_session(None)
        self.view.release()
        self.toolbar.release()
        self.section_bar.release()
        for signal, slot in self._connections():
            signal.disconnect(slot, missing_ok=True)
        self.reader.close()

    def _show(self, image: Volume | None, labels: Volume | None) -> None:
        is_other_image = image is not self.model.image
        self.reader.forget([volume for volume in (image, labels) if volume is not None])
        self._contrast_is_due = self._contrast_is_due or (is_other_image and image is not None)
        self.model.show(image, labels)
        self._offer_painting()

    def _build(self) -> None:
        self.toolbar = CanvasToolbar(self.model)
        self.section_bar = SectionBar(self.model)
        self.scale_bar = ScaleBar(self.view.viewport())
        self.invitation = Invitation(self.view.viewport())
        self.toast = Toast(self.view.viewport())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.toolbar)
        column.addWidget(self.view, 1)
        column.addWidget(self.section_bar)
        self.setFocusProxy(self.view)
        self.view.viewport().installEventFilter(self)

    def _connect_painting(self) -> None:
        self.drawing.finished.connect(self.painting.apply)
        self.drawing.finished.connect(self.stroke_finished)
        self.drawing.refused.connect(self.message)
        self.painting.changed.connect(self._refresh)
        self.painting.restyled.connect(self._restyle)
        self.painting.jumped.connect(self._jump)
        self.painting.message.connect(self.message)
        self.reader.failed.connect(self.message)
        self.message.connect(self.toast.say)

    def _connect_view(self) -> None:
        mouse, hand = self.view.mouse, self.model.hand
        mouse.stepped.connect(lambda notches: self.model.go_to(self.model.z + notches))
        mouse.resized.connect(hand.grow_brush)
        mouse.picked.connect(self._pick)
        mouse.menu_wanted.connect(lambda place: self.menu_wanted.emit(self.model.hovered, place))
        self.keys.modifiers_changed.connect(self._take_modifiers)
        self.view.camera_changed.connect(self._show_scale)
        self.view.section_shown.connect(self._set_due_contrast)
        self.toolbar.new_label_wanted.connect(self.painting.new_label)
        self.toolbar.auto_wanted.connect(self.auto_contrast)
        self.toolbar.reset_wanted.connect(self.reset_contrast)
        for bar in (self.toolbar, self.section_bar):
            bar.left.connect(self.view.setFocus)

    def _connections(self) -> list[tuple[SignalInstance, Callable[..., None]]]:
        hand, display = self.model.hand.events, self.model.display.events
        return [
            (self.model.volumes_changed, self._show_volumes),
            (self.model.hovered_changed, self._tell_hovered),
            (hand.label, self._restyle),
            (hand.tool, self._tell_hint),
            (hand.brush_px, self._tell_brush),
            (display.opacity, self._restyle),
            (display.outlines, self._restyle),
        ]

    def _connect_model(self) -> None:
        for signal, slot in self._connections():
            signal.connect(slot)
        self._restyle()

    def _show_volumes(self) -> None:
        is_empty = self.model.depth == 0
        self.invitation.setVisible(is_empty)
        self.toolbar.setEnabled(not is_empty)
        self._show_scale()
        self._tell_brush()

    def _offer_painting(self) -> None:
        is_allowed = not self.painting.refusal()
        self.toolbar.set_painting_allowed(is_allowed)
        hand = self.model.hand
        if not is_allowed and hand.tool.is_brush_like:
            self._tool_laid_down, hand.tool = hand.tool, Tool.NAVIGATE
        elif is_allowed and self._tool_laid_down is not None:
            if hand.tool is Tool.NAVIGATE:
                hand.tool = self._tool_laid_down
            self._tool_laid_down = None
        self._restyle()

    def _refresh(self, box: Box) -> None:
        if self.model.labels is not None:
            self.reader.refresh(self.model.labels, box)
            self.view.refresh(box)

    def _restyle(self) -> None:
        hand, display = self.model.hand, self.model.display
        colours, hidden = self.painting.colours(), self.painting.hidden()
        style = LabelStyle(display.opacity, display.outlines, hand.label, colours, hidden)
        self.view.set_style(style)
        self.toolbar.set_swatch(style.colour(hand.label) if hand.label else None)

    def _jump(self, box: Box) -> None:
        if not box.start[0] <= self.model.z < box.stop[0]:
            self.model.go_to((box.start[0] + box.stop[0] - 1) // 2)
        self.view.look_at((box.start[1] + box.stop[1]) / 2, (box.start[2] + box.stop[2]) / 2)

    def _pick(self, place: QPointF) -> None:
        self.commands.pick()

    def _set_due_contrast(self) -> None:
        section = self.view.image_section
        if self._contrast_is_due and section is not None:
            self._contrast_is_due = False
            is_byte = section.array.dtype == np.uint8
            low, high = (0.0, 255.0) if is_byte else percentile_range(section.array, 0.0, 100.0)
            self.toolbar.set_contrast_range(low, high)
            self.auto_contrast()

    def _show_scale(self) -> None:
        voxel_size = self.model.voxel_size
        self.scale_bar.set_pixel_nm(voxel_size.x / self.view.camera.scale if voxel_size is not None else None)
        self._place_overlays()

    def _place_overlays(self) -> None:
        self.scale_bar.move(12, self.view.viewport().height() - self.scale_bar.height() - 12)
        self.invitation.fill()
        self.toast.place()

    def _tell_hovered(self, voxel: object) -> None:
        self.hovered.emit(voxel)

    def _tell_brush(self) -> None:
        size_px, voxel_size = self.model.hand.brush_px, self.model.voxel_size
        in_nm = f" · {size_px * voxel_size.x:g} nm" if voxel_size is not None else ""
        self.brush_changed.emit(f"{size_px} px{in_nm}")

    def _take_modifiers(self, modifiers: Qt.KeyboardModifiers) -> None:
        modifier = modifier_name(modifiers, self.view.mouse.space_is_held)
        if modifier != self._modifier:
            self._modifier = modifier
            self._tell_hint()

    def _tell_hint(self) -> None:
        self.hint_changed.emit(hint(self._modifier, self.model.hand.tool))

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Keep what lies over the view in its place, and the hint true when the mouse comes back."""
        if event.type() == QEvent.Type.Resize:
            self._place_overlays()
        elif event.type() == QEvent.Type.Enter:
            self._take_modifiers(QApplication.keyboardModifiers())
            self._tell_hint()
        return False
