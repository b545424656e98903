"""The canvas: views of the volumes shown, with the tools around them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from psygnal import SignalInstance
from qtpy.QtCore import QEvent, QPoint, QPointF, QSize, Qt, Signal
from qtpy.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from uniem.data.geometry import Box
from uniem.data.volume import Kind, Volume
from uniem.gui.canvas.block_reader import BlockReader
from uniem.gui.canvas.commands import Commands
from uniem.gui.canvas.compose import percentile_range
from uniem.gui.canvas.hand.hand_tools import HandTools
from uniem.gui.canvas.hints import Hint, chord_hint, hint_of
from uniem.gui.canvas.key_input import KeyInput
from uniem.gui.canvas.layers import Layer
from uniem.gui.canvas.layers_panel import LayersPanel
from uniem.gui.canvas.mouse import modifier_name
from uniem.gui.canvas.overlays import Invitation, Toast
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.places.places import Places
from uniem.gui.canvas.planes import VIEW_AXES
from uniem.gui.canvas.slice_view import SliceView
from uniem.gui.canvas.toolbar import OVERS, CanvasToolbar
from uniem.gui.canvas.view_grid import ViewGrid
from uniem.gui.canvas.view_model import CanvasModel, Tool
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.plane import Plane
from uniem.proofreading.tools.protect import Over
from uniem.workspace import Settings

# The part of a view on each side in which a place counts as being at its edge.
EDGE = 0.15
LAYOUT_KEY, MEMORY_KEY = "canvas/layout", "canvas/memory MB"


class Canvas(QWidget):
    """Show layers of images and labels in up to three views, and paint labels.

    Signals: `hovered(Voxel | None)`; `hint_changed(Hint)`, what the buttons do now; `brush_changed(str)`, its
    size; `stroke_finished(Stroke, label)`; `menu_wanted(Voxel | None, QPoint)`, the place on screen;
    `message(str)`; `view_changed()` when another part of the volume is in view.
    """

    hovered = Signal(object)
    hint_changed = Signal(object)
    brush_changed = Signal(str)
    stroke_finished = Signal(object, object)
    menu_wanted = Signal(object, QPoint)
    message = Signal(str)
    view_changed = Signal()

    def __init__(self, parent: QWidget | None = None, settings: Settings | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.model = CanvasModel()
        self.painting = PaintingController(self.model, self)
        self.reader = BlockReader(_budget(settings), self)
        self.commands = Commands(self.model, self.painting, self)
        self.keys = KeyInput(self.commands.actions, self.commands.endings, self)
        self.views = {
            plane: SliceView(self.model, self.reader, self.keys, axes) for plane, axes in VIEW_AXES.items()
        }
        self.view = self.views[Plane.XY]
        self.hand_tools = HandTools(self.model, self.painting, self.views, settings, self)
        self._modifier = ""
        self._tool_laid_down: Tool | None = None
        self._build()
        self.places = Places(self, settings)
        self.commands.add_views(self.grid, self.hand_tools.hosts)
        self.hand_tools.add_to(self.grid, self.commands.actions, self.commands.endings)
        self._connect_painting()
        for view in self.views.values():
            self._connect_view(view)
        self._connect_model()
        self._show_volumes()
        if settings is not None:
            self.grid.restore(settings.get(LAYOUT_KEY))
            self.grid.layout_changed.connect(self._keep_layout)

    @property
    def current_view(self) -> SliceView:
        """The view that the mouse was over last."""
        return self.grid.current_view

    @property
    def is_stroking(self) -> bool:
        """Tell whether a stroke is being drawn in any view."""
        return any(view.mouse.is_stroking for view in self.views.values())

    def show_volumes(self, image: Volume | None, labels: Volume | None = None) -> None:
        """Show an image with labels that are only looked at, or either alone, or nothing."""
        shown = [self._layer_of(image)] if image is not None else []
        if labels is not None:
            shown.append(self._layer_of(labels, Kind.LABELS))
        self.show_layers(shown)

    def edit_labels(self, image: Volume | None, session: ProofreadingSession) -> None:
        """Show an image with the labels of a session, to be painted."""
        shown = [self._layer_of(image)] if image is not None else []
        self.show_layers([*shown, self._layer_of(session.volume, Kind.LABELS)], session)

    def show_layers(self, layers: Sequence[Layer], session: ProofreadingSession | None = None) -> None:
        """Show layers, lowest first; labels of a session among them are painted.

        Raises `UniemError`, with nothing changed, if one does not lie over the others.
        """
        edited = session.volume if session is not None else None
        self.model.show(layers, edited)
        self.painting.set_session(session)
        self.reader.forget([layer.volume for layer in layers])
        for view in self.views.values():
            view.reload()
        self._offer_painting()

    def run(self, shortcut_id: str) -> None:
        """Do what the key of a shortcut does, for menus and the command palette."""
        self.commands.actions[shortcut_id]()

    def go_to(self, z: float, y: float, x: float) -> None:
        """Show a place, in voxels, in every view."""
        self.model.move_to((round(z), round(y), round(x)))
        place = self.model.position
        for view in self.views.values():
            row, column = place[view.axes.rows] + 0.5, place[view.axes.columns] + 0.5
            if view is not self.current_view and _is_near_edge(view, row, column):
                view.look_from(view.camera.scale, row, column)
            view.look_at(row, column)

    def auto_contrast(self, layer: Layer | None = None) -> None:
        """Choose the contrast of a layer, else of the image, that suits the section in view."""
        layer = layer or self.model.image_layer
        section = self.current_view.section_of(layer)
        if layer is not None and section is not None and not layer.is_labels:
            layer.low, layer.high = percentile_range(section.array)
            layer.has_contrast = True

    def reset_contrast(self) -> None:
        """Draw the smallest gray value black and the largest white."""
        if (layer := self.model.image_layer) is not None:
            layer.low, layer.high = layer.limits

    @contextlib.contextmanager
    def keeping_look(self) -> Iterator[None]:
        """Draw what is shown at the end as the image was drawn before: for a copy that takes its place."""
        before = self.model.image_layer
        yield
        after = self.model.image_layer
        if before is not None and after is not None and before.has_contrast:
            after.take_looks(before)

    def sizeHint(self) -> QSize:
        """Return a size that suits a window."""
        return QSize(900, 700)

    def close_views(self) -> None:
        """Stop reading and let go of models and session; call before the canvas is thrown away."""
        if self._settings is not None:
            self._keep_layout()
        self.painting.set_session(None)
        self.hand_tools.release()
        for view in self.views.values():
            view.release()
        self.toolbar.release()
        self.layers_panel.release()
        self.grid.release()
        for signal, slot in self._connections():
            signal.disconnect(slot, missing_ok=True)
        self.model.release()
        self.reader.close()

    def _layer_of(self, volume: Volume, kind: Kind | None = None) -> Layer:
        wanted = kind or volume.kind
        known = (layer for layer in self.model.layers if layer.volume is volume and layer.kind is wanted)
        return next(known, None) or Layer.of(volume, kind)

    def _build(self) -> None:
        self.toolbar = CanvasToolbar(self.model)
        self.grid = ViewGrid(self.views, self.model)
        self.layers_panel = LayersPanel(self.model)
        self.section_bar = self.grid.panes[Plane.XY].bar
        self.scale_bar = self.grid.panes[Plane.XY].scale_bar
        self.invitation = Invitation(self.grid)
        self.toast = Toast(self.grid)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.hand_tools.strip)
        row.addWidget(self.grid, 1)
        column.addWidget(self.toolbar)
        column.addWidget(self.hand_tools.options_bar)
        column.addLayout(row, 1)
        self.setFocusProxy(self.view)
        self.grid.installEventFilter(self)

    def _connect_painting(self) -> None:
        self.painting.changed.connect(self._refresh)
        self.painting.restyled.connect(self._restyle)
        self.painting.jumped.connect(self._jump)
        self.painting.message.connect(self.message)
        self.reader.failed.connect(self.message)
        self.message.connect(self.toast.say)
        self.hand_tools.stroke_finished.connect(self.stroke_finished)
        self.hand_tools.refused.connect(self.message)
        self.toolbar.new_label_wanted.connect(self.painting.new_label)
        self.toolbar.pin_wanted.connect(lambda slot: self.run(f"pin-{slot}"))
        self.toolbar.auto_wanted.connect(lambda: self.auto_contrast())
        self.toolbar.reset_wanted.connect(self.reset_contrast)
        self.layers_panel.auto_wanted.connect(self.auto_contrast)
        self.toolbar.three_wanted.connect(self._show_three)
        self.grid.layout_changed.connect(self._tell_layout)
        self.keys.modifiers_changed.connect(self._take_modifiers)
        self.keys.chord_changed.connect(self._tell_hint)
        self.keys.keymap_changed.connect(self._take_keymap)
        bars = (self.toolbar, self.hand_tools.options_bar, *(pane.bar for pane in self.grid.panes.values()))
        for bar in bars:
            bar.left.connect(lambda: self.current_view.setFocus())

    def _connect_view(self, view: SliceView) -> None:
        mouse, axis = view.mouse, view.axes.across
        mouse.stepped.connect(lambda notches: self.model.move_along(axis, view.position + notches))
        mouse.resized.connect(self.model.hand.resize)
        mouse.picked.connect(self._pick)
        mouse.placed.connect(lambda place: self._place_cross_hair(view, place))
        mouse.menu_wanted.connect(lambda place: self.menu_wanted.emit(self.model.hovered, place))
        view.section_shown.connect(self._set_due_contrast)
        view.section_shown.connect(self.view_changed)
        view.camera_changed.connect(self.view_changed)
        view.viewport().installEventFilter(self)

    def _connections(self) -> list[tuple[SignalInstance, Callable[..., None]]]:
        hand, display = self.model.hand.events, self.model.display.events
        return [
            (self.model.volumes_changed, self._show_volumes),
            (self.model.hovered_changed, self._tell_hovered),
            (self.model.selection_changed, self._restyle),
            (hand.label, self._restyle),
            (hand.slots, self._restyle),
            (hand.tool, self._tell_hint),
            (hand.brush_px, self._tell_brush),
            (self.model.hand.options.events.over, self._tell_brush),
            (display.outlines, self._restyle),
            (display.only, self._restyle),
        ]

    def _connect_model(self) -> None:
        for signal, slot in self._connections():
            signal.connect(slot)
        self._restyle()

    def _show_volumes(self) -> None:
        is_empty = self.model.depth == 0
        self.invitation.setVisible(is_empty)
        for bar in (self.toolbar, self.hand_tools.options_bar, self.hand_tools.strip):
            bar.setEnabled(not is_empty)
        for pane in self.grid.panes.values():
            pane.title.setVisible(not is_empty)
            pane.show_scale()
        self._set_due_contrast()
        self._restyle()
        self._place_overlays()
        self._tell_brush()

    def _offer_painting(self) -> None:
        is_allowed = not self.painting.refusal()
        self.toolbar.set_painting_allowed(is_allowed)
        self.hand_tools.set_painting_allowed(is_allowed)
        hand = self.model.hand
        if not is_allowed and hand.tool.paints:
            self._tool_laid_down, hand.tool = hand.tool, Tool.NAVIGATE
        elif is_allowed and self._tool_laid_down is not None:
            if hand.tool is Tool.NAVIGATE:
                hand.tool = self._tool_laid_down
            self._tool_laid_down = None
        self._restyle()

    def _refresh(self, boxes: list[Box]) -> None:
        labels = self.painting.session.volume if self.painting.session is not None else None
        if labels is not None:
            self.reader.refresh(labels, boxes)
            for view in self.views.values():
                view.refresh(labels, boxes)

    def _restyle(self) -> None:
        style = self.painting.style()
        for view in self.views.values():
            view.set_style(style)
        self.toolbar.set_style(style)

    def _jump(self, box: Box) -> None:
        place, middle = (
            [*self.model.position],
            [(a + b) // 2 for a, b in zip(box.start, box.stop, strict=True)],
        )
        for axis in range(3):
            if not box.start[axis] <= place[axis] < box.stop[axis]:
                place[axis] = min(middle[axis], box.stop[axis] - 1)
        self.model.move_to((place[0], place[1], place[2]))
        for view in self.views.values():
            view.look_at(middle[view.axes.rows], middle[view.axes.columns])

    def _pick(self, place: QPointF) -> None:
        self.commands.pick()

    def _place_cross_hair(self, view: SliceView, place: QPointF) -> None:
        row, column = view.voxel_under(place)
        height, width = view.axes.shape(self.model.shape)
        if self.grid.shows_three and 0 <= row < height and 0 <= column < width:
            self.go_to(*view.axes.zyx(view.position, row, column))

    def _show_three(self, is_wanted: bool) -> None:
        if is_wanted != self.grid.shows_three:
            self.grid.toggle()

    def _tell_layout(self) -> None:
        self.toolbar.set_three(self.grid.shows_three)
        self._place_overlays()

    def _keep_layout(self) -> None:
        assert self._settings is not None
        self._settings.set(LAYOUT_KEY, self.grid.record())

    def _set_due_contrast(self) -> None:
        for layer in self.model.layers:
            section = self.current_view.section_of(layer)
            if layer.has_contrast or layer.is_labels or section is None:
                continue
            layer.has_contrast = True
            is_byte = section.array.dtype == np.uint8
            layer.limits = (0.0, 255.0) if is_byte else percentile_range(section.array, 0.0, 100.0)
            layer.low, layer.high = percentile_range(section.array)

    def _place_overlays(self) -> None:
        self.invitation.fill()
        self.toast.place()

    def _tell_hovered(self, voxel: object) -> None:
        # What is being painted needs no light, and every dab would pay for it.
        over = None if self.is_stroking else self.model.hovered
        label = over.label if over is not None else None
        for view in self.views.values():
            view.shine(label or 0)
        self.hovered.emit(voxel)

    def _tell_brush(self) -> None:
        size_px, voxel_size = self.model.hand.brush_px, self.model.voxel_size
        in_nm = f" · {size_px * voxel_size.x:g} nm" if voxel_size is not None else ""
        over = self.model.hand.options.over
        rule = f" · {OVERS[over][2]}" if over is not Over.ALL else ""
        self.brush_changed.emit(f"{size_px} px{in_nm}{rule}")

    def _take_modifiers(self, modifiers: Qt.KeyboardModifiers) -> None:
        modifier = modifier_name(modifiers, self.current_view.mouse.space_is_held)
        if modifier != self._modifier:
            self._modifier = modifier
            self._tell_hint()

    def hint(self) -> Hint:
        """Return what mouse and wheel do now, or how the chord that was begun goes on."""
        if self.keys.chord:
            return chord_hint(self.keys.keymap, self.keys.chord)
        axis = self.current_view.axes.across
        return hint_of(self.keys.keymap, self._modifier, self.model.hand.tool, axis)

    def _tell_hint(self) -> None:
        self.hint_changed.emit(self.hint())

    def _take_keymap(self) -> None:
        self.toolbar.show_keys(self.keys.keymap)
        self.hand_tools.show_keys(self.keys.keymap)
        self._tell_hint()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Keep what lies over the views in its place, and the hint true when the mouse comes back."""
        if event.type() == QEvent.Type.Resize:
            self._place_overlays()
        elif event.type() == QEvent.Type.Enter and watched is not self.grid:
            self._take_modifiers(QApplication.keyboardModifiers())
            self._tell_hint()
        return False


def _is_near_edge(view: SliceView, row: float, column: float) -> bool:
    """Tell whether little is seen of what surrounds a place."""
    top, left, bottom, right = view.view_box()
    high, wide = (bottom - top) * EDGE, (right - left) * EDGE
    return not (top + high <= row < bottom - high and left + wide <= column < right - wide)


def _budget(settings: Settings | None) -> int | None:
    """Return how much memory the user gives to what is looked at; None: a share of the computer's."""
    chosen = settings.get(MEMORY_KEY) if settings is not None else None
    return chosen << 20 if isinstance(chosen, int) and 64 <= chosen <= 1 << 20 else None
