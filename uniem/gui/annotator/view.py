"""The 3D picture as a widget: draws the scene when something changed, turns the mouse into moves and clicks.

VTK draws off screen and the picture is painted like any other. So the widget can float, hide, be grabbed and
be closed freely, and text can be painted over it; reading the picture back takes about a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from qtpy.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import QApplication, QWidget

from uniem.gui.annotator import loading
from uniem.gui.annotator.builder import SurfaceBuilder
from uniem.gui.annotator.look import Look, ink_on
from uniem.gui.annotator.markers import MarkerSet
from uniem.gui.annotator.objects import MeshObject, MeshObjects
from uniem.gui.annotator.opengl import reason_against_3d
from uniem.gui.annotator.overlay import (
    paint_axes,
    paint_badge,
    paint_message,
    paint_scale_bar,
    paint_scale_bar_into,
    to_image,
)
from uniem.gui.painter import painter_on

if TYPE_CHECKING:
    from uniem.gui.annotator.camera import Plane
    from uniem.gui.annotator.scene import Hit, Scene

EMPTY_TITLE = "No meshes yet"
EMPTY_TEXT = "Make meshes of a label volume, or drop mesh files here: PLY, STL or OBJ."
STILL_MS = 220


class SceneView(QWidget):
    """Show objects and markers in 3D.

    `clicked` carries a Hit or None and the keyboard modifiers; `menu_wanted` a Hit or None and the place on
    the screen; `centre_wanted` the label that was double-clicked.
    """

    clicked = Signal(object, object)
    menu_wanted = Signal(object, object)
    centre_wanted = Signal(object)

    def __init__(self, objects: MeshObjects, markers: MarkerSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("scene-view")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 200)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.keys: dict[str, Callable[[], None]] = {}
        self.look = Look()
        self.empty_text = EMPTY_TEXT
        self._objects, self._markers = objects, markers
        self._scene: Scene | None = None
        self._no_3d: str | None = None
        self._selected: tuple[int, ...] = ()
        self._image: QImage | None = None
        self._dirty = self._moving = False
        self._pressed_at: QPoint | None = None
        self._dragged_from: QPoint | None = None
        self._builder = SurfaceBuilder(objects, self._opacity_of, self)
        self._builder.built.connect(self._on_built)
        self._builder.advanced.connect(self.refresh)
        self._still_timer = QTimer(self)
        self._still_timer.setSingleShot(True)
        self._still_timer.setInterval(STILL_MS)
        self._still_timer.timeout.connect(self._come_to_rest)
        objects.added.connect(self._on_added)
        objects.removed.connect(self._on_removed)
        objects.changed.connect(self._on_changed)
        markers.changed.connect(self._on_markers)

    def select(self, labels: Sequence[int]) -> None:
        """Outline these objects."""
        self._selected = tuple(labels)
        if self._scene:
            self._scene.select(labels)
            self.refresh()

    def look_along(self, plane: Plane) -> None:
        """Face a plane of the volume and show all that is visible."""
        if scene := self._scene:
            scene.view.look_along(plane)
            self._fit(None)

    def reset(self) -> None:
        """Show all visible objects from an oblique direction."""
        if scene := self._scene:
            scene.view.look_obliquely()
            self._fit(None)

    def centre_on(self, labels: Sequence[int]) -> None:
        """Fill the picture with these objects, keeping the direction."""
        self.finish_building()
        self._fit(labels)

    def centre_on_point(self, position_nm: tuple[float, float, float], extent_nm: float) -> None:
        """Show a place, z, y, x in nm, and this much around it."""
        self.finish_building()
        if self._scene:
            x, y, z = position_nm[::-1]
            half = extent_nm / 2
            box = np.array([(x - half, x + half), (y - half, y + half), (z - half, z + half)])
            self._scene.view.fit(box, self.width() / max(1, self.height()))
            self.refresh()

    def set_look(self, look: Look) -> None:
        """Take over background, lights, box, scale bar and so on."""
        self.look = look
        self._apply_look()
        self.refresh()

    def refresh(self) -> None:
        """Draw anew at the next chance."""
        self._dirty = True
        self.update()

    def finish_building(self) -> None:
        """Build at once the surfaces that are still waiting."""
        if len(self._objects) and self._make_scene():
            self._builder.finish()

    def picture(self, size: QSize, transparent: bool, with_scale_bar: bool) -> QImage:
        """Return a picture of any size in pixels; raise RuntimeError where there is nothing to draw."""
        self.finish_building()
        if self._scene is None:
            raise RuntimeError("there is no scene to picture")
        pixels = self._scene.picture(size.width(), size.height(), transparent)
        image = to_image(pixels, transparent)
        if with_scale_bar:
            nm = self._scene.view.nm_per_pixel(size.height())
            # On paper, transparent is white.
            on_white = transparent and self.look.background == "theme"
            paint_scale_bar_into(image, nm, QColor("black") if on_white else self._ink())
        self.refresh()
        return image

    def close_scene(self) -> None:
        """Give back what VTK holds; the scene is built again when the widget is next painted."""
        self._builder.end()
        self._still_timer.stop()
        scene, self._scene = self._scene, None
        if scene is not None:
            scene.close()
        self._image = None
        self.update()

    def disconnect_models(self) -> None:
        """Stop listening to the objects and markers."""
        self._objects.added.disconnect(self._on_added, missing_ok=True)
        self._objects.removed.disconnect(self._on_removed, missing_ok=True)
        self._objects.changed.disconnect(self._on_changed, missing_ok=True)
        self._markers.changed.disconnect(self._on_markers, missing_ok=True)

    def _on_added(self, labels: tuple[int, ...]) -> None:
        self._builder.add(labels)
        self.update()

    def _on_removed(self, labels: tuple[int, ...]) -> None:
        if self._scene:
            self._scene.remove(labels)
        self.refresh()

    def _on_changed(self, labels: tuple[int, ...], field: str) -> None:
        if self._scene is None or field not in ("colour", "opacity", "visible"):
            return
        for label in labels:
            item = self._objects[label]
            if field == "visible":
                self._scene.set_visible([label], item.visible)
            else:
                self._scene.set_look([label], item.colour, self._opacity_of(item))
        self.refresh()

    def _on_markers(self) -> None:
        if self._scene:
            self._scene.markers.set_markers(self._markers.all)
        self.refresh()

    def _make_scene(self) -> bool:
        """Start VTK when first needed; return whether there is a scene."""
        if self._no_3d is None:
            self._no_3d = reason_against_3d()
        if self._no_3d:
            return False
        if self._scene is None:
            from uniem.gui.annotator.scene import Scene

            self._scene = Scene()
            self._scene.markers.set_markers(self._markers.all)
            self._apply_look()
            self._builder.begin(self._scene)
        return True

    def _on_built(self, from_nothing: bool) -> None:
        assert self._scene is not None
        self._scene.select(self._selected)
        if from_nothing:
            self.reset()
        self.refresh()

    def _apply_look(self) -> None:
        if scene := self._scene:
            background = self._background()
            scene.set_background((background.red(), background.green(), background.blue()))
            scene.set_lights(self.look.directional, self.look.ambient)
            scene.show_box(self.look.box)
            scene.view.set_perspective(self.look.perspective)
            for item in self._objects:
                scene.set_look([item.label], item.colour, self._opacity_of(item))

    def _opacity_of(self, item: MeshObject) -> float:
        return item.opacity * self.look.opacity / 100

    def _fit(self, labels: Sequence[int] | None) -> None:
        if self._scene is None:
            return
        bounds = self._scene.bounds(labels, shown_only=labels is None)
        if bounds is not None:
            self._scene.view.fit(bounds, self.width() / max(1, self.height()))
        self.refresh()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the scene if something changed, then what lies over it."""
        with painter_on(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(self.rect(), self._background())
            area = QRectF(self.rect())
            if not len(self._objects):
                paint_message(painter, area, EMPTY_TITLE, self.empty_text, self._ink())
            elif self._scene is None and loading.is_awaited(self):
                paint_message(painter, area, "Starting the 3D view…", "", self._ink())
            elif not self._make_scene():
                paint_message(painter, area, "3D view unavailable", self._no_3d or "", self._ink())
            else:
                self._paint_scene(painter, area)

    def _paint_scene(self, painter: QPainter, area: QRectF) -> None:
        assert self._scene is not None
        if self._dirty or self._image is None:
            self._draw()
        if self._image is not None:
            painter.drawImage(QPointF(0, 0), self._image)
        if self.look.scale_bar:
            nm = self._scene.view.nm_per_pixel(self.height())
            paint_scale_bar(painter, area, nm, self._ink(), 1.0)
        if self.look.axes:
            paint_axes(painter, area, [list(axis) for axis in self._scene.view.axes()], 1.0)
        if waiting := self._builder.waiting:
            done = len(self._objects) - waiting
            paint_badge(painter, area, f"Preparing surfaces: {done:,} of {len(self._objects):,}")

    def _draw(self) -> None:
        assert self._scene is not None
        started = perf_counter()
        ratio = self.devicePixelRatioF()
        width, height = max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio))
        pixels = self._scene.frame(width, height, self._moving, max(2, round(2 * ratio)))
        self._image = to_image(pixels, transparent=False)
        self._image.setDevicePixelRatio(ratio)
        self._dirty = False
        # Building goes before looking at what is half built.
        self._builder.redraw_seconds = max(1.0, 6 * (perf_counter() - started))

    def _background(self) -> QColor:
        return self.look.background_colour(self.palette())

    def _ink(self) -> QColor:
        return ink_on(self._background())

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._apply_look()
            self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw in the new size."""
        self.refresh()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click or a drag."""
        self._pressed_at = event.pos()
        self._dragged_from = None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Turn, pan or zoom."""
        if self._pressed_at is None or self._scene is None:
            return
        if self._dragged_from is None:
            if (event.pos() - self._pressed_at).manhattanLength() < QApplication.startDragDistance() // 2:
                return
            self._dragged_from = self._pressed_at
        by = event.pos() - self._dragged_from
        self._dragged_from = event.pos()
        view, height = self._scene.view, self.height()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            view.zoom(1.01 ** -by.y(), (0, 0), height)
        elif event.buttons() & Qt.MouseButton.LeftButton and not shift:
            view.rotate(by.x(), by.y())
        else:
            view.pan(by.x(), by.y(), height)
        self._move()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag, or tell what was clicked."""
        was_click = self._pressed_at is not None and self._dragged_from is None
        self._pressed_at = self._dragged_from = None
        if not was_click:
            self._still_timer.start()
        elif event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(self.pick(event.pos()), event.modifiers())
        elif event.button() == Qt.MouseButton.RightButton:
            self.menu_wanted.emit(self.pick(event.pos()), event.globalPos())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Centre on what was double-clicked."""
        self._pressed_at = None
        hit = self.pick(event.pos())
        if hit is not None and event.button() == Qt.MouseButton.LeftButton:
            self.centre_wanted.emit(hit.label)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the mouse."""
        if self._scene is None:
            return
        at = event.position()
        from_centre = (at.x() - self.width() / 2, at.y() - self.height() / 2)
        self._scene.view.zoom(1.2 ** (event.angleDelta().y() / 120), from_centre, self.height())
        self._move()
        event.accept()

    def pick(self, at: QPoint) -> Hit | None:
        """Return what is seen at a place of the widget."""
        if self._scene is None:
            return None
        ratio = self.devicePixelRatioF()
        return self._scene.pick(at.x() * ratio, at.y() * ratio)

    def event(self, event: QEvent) -> bool:
        """Take the view's own keys before shortcuts of the window get them."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and _key(event) in self.keys
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Run the action of a key."""
        if action := self.keys.get(_key(event)):
            action()
        else:
            event.ignore()

    def _move(self) -> None:
        self._moving = True
        self._builder.pause()
        self._still_timer.start()
        self.refresh()

    def _come_to_rest(self) -> None:
        if self._pressed_at is not None:
            self._still_timer.start()
            return
        self._moving = False
        self._builder.resume()
        self.refresh()


def _key(event: QKeyEvent) -> str:
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return QKeySequence(int(modifiers) | event.key()).toString()
