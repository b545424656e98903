"""The 3D annotator: the view on the left, its tables and settings on the right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QMimeData, QPoint, QSize, Qt, Signal
from qtpy.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from uniem.data.geometry import VoxelSize
from uniem.data.mesh import READERS, Mesh, read_meshes
from uniem.data.palette import Colour
from uniem.errors import UniemError
from uniem.gui.annotator.controls import ask_save, refresh_icons, show_error, tool_button
from uniem.gui.annotator.look_panel import LookPanel
from uniem.gui.annotator.marker_history import MarkerHistory
from uniem.gui.annotator.marker_panel import MarkerPanel
from uniem.gui.annotator.markers import Marker, MarkerSet
from uniem.gui.annotator.object_panel import ObjectPanel
from uniem.gui.annotator.objects import MeshObjects
from uniem.gui.annotator.overlay import format_length
from uniem.gui.annotator.picture_dialog import PictureDialog, write_picture
from uniem.gui.annotator.view import SceneView
from uniem.gui.elided_label import ElidedLabel

if TYPE_CHECKING:
    from uniem.gui.annotator.scene import Hit

VIEW_HINT = "Drag: turn · Right drag: move · Wheel: zoom · Click: select · Right click: menu"
MARKER_HINT = "Click on a surface: place marker · Drag: turn · M or Esc: end"


class MeshAnnotator(QWidget):
    """Show meshes, pick and measure them, set markers on them.

    `object_picked` carries the label and the place (z, y, x in nm) of a click on a surface;
    `selection_changed` a tuple of labels; `hint_changed` what the mouse does now; `told` what was just done.
    """

    object_picked = Signal(object, object)
    selection_changed = Signal(object)
    hint_changed = Signal(str)
    told = Signal(str)

    def __init__(self, markers: MarkerSet | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("mesh-annotator")
        self.objects = MeshObjects()
        self.markers = markers if markers is not None else MarkerSet()
        self._history = MarkerHistory(self.markers)
        self.view = SceneView(self.objects, self.markers, self)
        self.object_panel = ObjectPanel(self.objects, self)
        self.marker_panel = MarkerPanel(self.markers, self._history, self)
        self.look_panel = LookPanel(self)
        self._arrange()
        self._connect()
        self._set_keys()
        self.setAcceptDrops(True)
        QApplication.instance().aboutToQuit.connect(self.view.close_scene)

    def add_meshes(self, meshes: Iterable[Mesh], voxels: Mapping[int, int] | None = None) -> None:
        """Show meshes, with the voxel counts of their labels if known; known labels get the new surface."""
        self.objects.add(meshes)
        if voxels:
            self.objects.set_voxels(voxels)

    def open_files(self, paths: Iterable[Path]) -> int:
        """Show the meshes of files or folders and return how many; those without a label get a free one."""
        meshes = [mesh for path in paths for mesh in read_meshes(path)]
        taken = {item.label for item in self.objects} | {mesh.label for mesh in meshes}
        free = (label for label in count(1) if label not in taken)
        self.add_meshes(mesh if mesh.label else replace(mesh, label=next(free)) for mesh in meshes)
        self._tell(f"Read {len(meshes):,} meshes")
        return len(meshes)

    def clear(self) -> None:
        """Take out all objects; markers stay."""
        self.objects.remove([item.label for item in self.objects])

    def forget_history(self) -> None:
        """Let no change of markers be undone that was made before, such as in another project."""
        self._history.stack.clear()

    def remove(self, label: int) -> None:
        """Take out an object."""
        self.objects.remove([label])

    def set_visible(self, label: int, visible: bool) -> None:
        """Show or hide an object."""
        self.objects.set_field([label], "visible", visible)

    def set_colour(self, label: int, colour: Colour) -> None:
        """Colour an object, 0 to 255."""
        self.objects.set_field([label], "colour", colour)

    def set_opacity(self, label: int, opacity: float) -> None:
        """Make an object translucent, 0 to 1."""
        self.objects.set_field([label], "opacity", opacity)

    def centre_on(self, label: int) -> None:
        """Fill the view with an object and select it."""
        if label in self.objects:
            self.object_panel.select((label,))
            self.view.centre_on((label,))

    def set_voxel_size(self, voxel_size: VoxelSize) -> None:
        """Say how large voxels are, for the voxel columns of exported and imported markers."""
        self.marker_panel.voxel_size = voxel_size

    def take_picture(
        self, path: Path, size: QSize, transparent: bool = False, with_scale_bar: bool = True
    ) -> None:
        """Write the view as a PNG of any size in pixels."""
        if not len(self.objects):
            raise UniemError("There is nothing to picture.", "Show meshes first.")
        try:
            image = self.view.picture(size, transparent, with_scale_bar)
        except RuntimeError as error:
            raise UniemError("There is no 3D view to picture.", "Install the graphics driver.") from error
        write_picture(image, path)

    @property
    def hint(self) -> str:
        """What the mouse does now."""
        return MARKER_HINT if self.marker_panel.tool.isChecked() else VIEW_HINT

    def _arrange(self) -> None:
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        for panel, title, tip in (
            (self.object_panel, "Objects", "Table of the objects in the view"),
            (self.marker_panel, "Markers", "Markers on the surfaces"),
            (self.look_panel, "View", "Background, lights, box, scale bar"),
        ):
            self.tabs.setTabToolTip(self.tabs.addTab(panel, title), tip)
        self.readout = ElidedLabel(VIEW_HINT, self)
        self.readout.setContentsMargins(8, 3, 8, 3)
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_bar(left))
        column.addWidget(self.view, 1)
        column.addWidget(self.readout)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self.tabs)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setSizes([620, 420])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.splitter)

    def _make_bar(self, parent: QWidget) -> QWidget:
        bar = QWidget(parent)
        row = QHBoxLayout(bar)
        row.setContentsMargins(4, 2, 4, 2)
        row.setSpacing(2)
        for name, text, tip, do in (
            ("", "XY", "Face the sections (1)", lambda: self.view.look_along("xy")),
            ("", "XZ", "Face the xz plane (2)", lambda: self.view.look_along("xz")),
            ("", "YZ", "Face the yz plane (3)", lambda: self.view.look_along("yz")),
            ("cube-outline", "", "Oblique view of everything (0)", self.view.reset),
            ("image-filter-center-focus", "", "Centre on the selected objects (F)", self._centre_on_selected),
        ):
            row.addWidget(tool_button(name, text, tip, do, bar))
        row.addStretch(1)
        row.addWidget(self.marker_panel.tool)
        tip = "Save the view as a PNG of any size (P)"
        row.addWidget(tool_button("camera-outline", "Picture…", tip, self._ask_picture, bar))
        return bar

    def _connect(self) -> None:
        self.view.clicked.connect(self._on_clicked)
        self.view.menu_wanted.connect(self._on_menu)
        self.view.centre_wanted.connect(self.centre_on)
        self.object_panel.selection_changed.connect(self.view.select)
        self.object_panel.selection_changed.connect(self.selection_changed)
        self.object_panel.centre_wanted.connect(self.view.centre_on)
        self.marker_panel.centre_wanted.connect(self._centre_on_marker)
        self.look_panel.look_changed.connect(self.view.set_look)
        self.marker_panel.tool.toggled.connect(self._on_tool)
        for panel in (self.object_panel, self.marker_panel):
            panel.told.connect(self._tell)

    def _set_keys(self) -> None:
        tool = self.marker_panel.tool
        self.view.keys = {
            "1": lambda: self.view.look_along("xy"),
            "2": lambda: self.view.look_along("xz"),
            "3": lambda: self.view.look_along("yz"),
            "0": self.view.reset,
            "F": self._centre_on_selected,
            "H": self.object_panel.hide_selected,
            "Shift+H": self.object_panel.show_all,
            "I": self.object_panel.show_only_selected,
            "B": self.look_panel.toggle_box,
            "M": tool.toggle,
            "P": self._ask_picture,
            "Esc": lambda: tool.setChecked(False) if tool.isChecked() else self.object_panel.select(()),
        }

    def _on_clicked(self, hit: Hit | None, modifiers: Any) -> None:
        placing = self.marker_panel.tool.isChecked()
        if hit is None:
            if not placing:
                self.object_panel.select(())
            self._tell("Background")
            return
        if placing and not hit.marker:
            marker = self.marker_panel.place(hit.label, hit.position_nm)
            self.marker_panel.select(marker.id)
            self._tell(f"Placed {marker.name} on {self._name(hit.label)}")
            return
        if hit.marker:
            self.marker_panel.select(hit.marker)
        self._select_picked(hit.label, modifiers)
        self._tell(self._describe(hit))
        self.object_picked.emit(hit.label, hit.position_nm)

    def _select_picked(self, label: int, modifiers: Any) -> None:
        chosen = self.object_panel.selected
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            rest = tuple(other for other in chosen if other != label)
            self.object_panel.select(rest if label in chosen else (*chosen, label))
        elif label in self.objects:
            self.object_panel.select((label,))

    def _on_menu(self, hit: Hit | None, at: QPoint) -> None:
        if hit is not None and hit.label in self.objects:
            if hit.label not in self.object_panel.selected:
                self.object_panel.select((hit.label,))
            self.object_panel.menu().popup(at)

    def _on_tool(self, on: bool) -> None:
        self.view.setCursor(Qt.CursorShape.CrossCursor if on else Qt.CursorShape.ArrowCursor)
        if on:
            self.tabs.setCurrentWidget(self.marker_panel)
        self.readout.setText(self.hint)
        self.hint_changed.emit(self.hint)

    def _centre_on_selected(self) -> None:
        if chosen := self.object_panel.selected:
            self.view.centre_on(chosen)
        else:
            self.view.reset()

    def _centre_on_marker(self, marker: Marker) -> None:
        self.view.centre_on_point(marker.position_nm, 12 * marker.radius_nm)

    def _ask_picture(self) -> None:
        if not len(self.objects):
            self._tell("Nothing to picture yet")
            return
        dialog = PictureDialog(self.view.size() * self.view.devicePixelRatioF(), self)
        if dialog.exec_() != QDialog.DialogCode.Accepted:
            return
        path = ask_save("Take picture", "picture.png", "PNG pictures (*.png)", ".png", self)
        if path is None:
            return
        try:
            self.take_picture(
                path, dialog.size_px, dialog.transparent.isChecked(), dialog.scale_bar.isChecked()
            )
        except UniemError as error:
            show_error(error, self)
        else:
            self._tell(f"Wrote {path}")

    def _name(self, label: int) -> str:
        return self.objects[label].name if label in self.objects else f"object {label}"

    def _describe(self, hit: Hit) -> str:
        z, y, x = hit.position_nm
        place = f"x {format_length(x)}, y {format_length(y)}, z {format_length(z)}"
        marker = next((m for m in self.markers if m.id == hit.marker), None)
        on = f"{marker.name} on " if marker else ""
        return f"{on}{self._name(hit.label)} · ID {hit.label} · {place}"

    def _tell(self, text: str) -> None:
        self.readout.setText(text)
        self.told.emit(text)

    def event(self, event: QEvent) -> bool:
        """Take undo and redo of markers before the window does; give VTK's things back before the end."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and self._is_history(event)
        ):
            event.accept()
            return True
        if event.type() == QEvent.Type.DeferredDelete:
            self._let_go()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Undo and redo markers."""
        if event.matches(QKeySequence.StandardKey.Undo):
            self._tell(f"Undone: {self._history.undo()}")
        elif self._is_history(event):
            self._tell(f"Redone: {self._history.redo()}")
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            refresh_icons(self)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take mesh files, and folders of them."""
        paths = _paths_of(event.mimeData())
        if paths and all(path.is_dir() or path.suffix.lower().lstrip(".") in READERS for path in paths):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Show the meshes that were dropped."""
        try:
            self.open_files(_paths_of(event.mimeData()))
        except UniemError as error:
            show_error(error, self)
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Give back what VTK holds; shown again, the view is built anew."""
        self.view.close_scene()
        super().closeEvent(event)

    def _is_history(self, event: QKeyEvent) -> bool:
        if event.matches(QKeySequence.StandardKey.Undo):
            return bool(self._history.stack.canUndo())
        redo = event.matches(QKeySequence.StandardKey.Redo) or (
            event.key() == Qt.Key.Key_Y and event.modifiers() == Qt.KeyboardModifier.ControlModifier
        )
        return bool(redo and self._history.stack.canRedo())

    def _let_go(self) -> None:
        self.view.close_scene()
        self.view.disconnect_models()
        self.object_panel.disconnect_models()
        self.marker_panel.disconnect_models()


def _paths_of(data: QMimeData | None) -> list[Path]:
    urls = data.urls() if data else []
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
