"""The three views side by side or one alone, each with its title, slider and scale bar."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QEvent, QObject, Qt, QTimer, Signal
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from uniem.gui.canvas.planes import AXIS_NAMES
from uniem.gui.canvas.scale_bar import ScaleBar
from uniem.gui.canvas.section_bar import SectionBar
from uniem.gui.canvas.slice_view import SliceView
from uniem.gui.canvas.view_model import CanvasModel
from uniem.proofreading.tools.plane import Plane

ONE, THREE = "one", "three"


class ViewTitle(QLabel):
    """Name a view in its corner; a double click makes it the only one, or one of three again."""

    toggled = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setStyleSheet(
            "color: #e6e8eb; background: rgba(0, 0, 0, 140); border-radius: 5px; padding: 2px 7px;"
        )
        self.setToolTip("Double-click, or press . (full stop), to show this view alone or all three.")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask for another layout."""
        self.toggled.emit()


class ViewPane(QWidget):
    """A view with its title, its scale bar, and the strip that chooses the section."""

    toggled = Signal()

    def __init__(self, view: SliceView, model: CanvasModel) -> None:
        super().__init__()
        self.view, self._model = view, model
        self.bar = SectionBar(model, view.axes.across)
        self.title = ViewTitle(view.viewport())
        self.scale_bar = ScaleBar(view.viewport())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(view, 1)
        column.addWidget(self.bar)
        self.title.toggled.connect(self.toggled)
        view.camera_changed.connect(self.show_scale)
        view.viewport().installEventFilter(self)
        model.position_changed.connect(self.show_title)
        self.show_title()

    def show_title(self) -> None:
        """Name the plane and its section."""
        axes = self.view.axes
        self.title.setText(f"{axes.plane}   {AXIS_NAMES[axes.across]} {self.view.position}")
        self.title.adjustSize()
        self.title.move(10, 10)

    def show_scale(self) -> None:
        """Tell the length of a part of the screen."""
        width = self.view.axes.column_nm(self._model.reference)
        self.scale_bar.set_pixel_nm(None if width is None else width / self.view.camera.scale)
        self._place()

    def release(self) -> None:
        """Let go of the model."""
        self._model.position_changed.disconnect(self.show_title, missing_ok=True)
        self.bar.release()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep what lies over the view in its place."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        self.scale_bar.move(12, self.view.viewport().height() - self.scale_bar.height() - 12)


class ViewGrid(QWidget):
    """Show one view, or the xy view beside the other two.

    Signals: `layout_changed()`; `current_changed()` when the mouse went to another view.
    """

    layout_changed = Signal()
    current_changed = Signal()

    def __init__(self, views: dict[Plane, SliceView], model: CanvasModel) -> None:
        super().__init__()
        self._model = model
        self.panes = {plane: ViewPane(view, model) for plane, view in views.items()}
        self.current = Plane.XY
        self._layout_name = ONE
        self._build()
        for plane, pane in self.panes.items():
            pane.toggled.connect(partial(self._toggle, plane))
            pane.view.entered.connect(partial(self._take_current, plane))
            pane.view.zoomed.connect(partial(self._zoom_others, plane))
        self._arrange(ONE, Plane.XY)

    @property
    def current_view(self) -> SliceView:
        """The view that the mouse was over last, among those shown."""
        return self.panes[self.current].view

    @property
    def views(self) -> list[SliceView]:
        """All views, shown or not."""
        return [pane.view for pane in self.panes.values()]

    @property
    def shows_three(self) -> bool:
        """Tell whether all views are shown."""
        return self._layout_name == THREE

    def record(self) -> dict[str, object]:
        """Return the layout as plain values, to be remembered."""
        return {
            "layout": self._layout_name,
            "plane": self.current.value,
            "sizes": self._shares(),
        }

    def restore(self, record: object) -> None:
        """Take a layout that `record` returned; anything else is ignored."""
        if not isinstance(record, dict):
            return
        plane = next((p for p in Plane if p.value == record.get("plane")), Plane.XY)
        sizes = record.get("sizes")
        if isinstance(sizes, list) and len(sizes) == 2:
            for number, share in enumerate(sizes):
                is_pair = isinstance(share, list) and len(share) == 2
                if is_pair and all(isinstance(n, int) and n > 0 for n in share):
                    self._sizes[number] = share
        self._arrange(THREE if record.get("layout") == THREE else ONE, plane)

    def toggle(self) -> None:
        """Show the view under the mouse alone, or all three."""
        self._toggle(self.current)

    def show_alone(self, plane: str) -> None:
        """Show one view only."""
        self._arrange(ONE, Plane(plane))

    def show_three(self) -> None:
        """Show all views, at one scale, around the place they have in common."""
        if self.shows_three:
            return
        self._arrange(THREE, self.current)
        # The views get their new sizes first.
        QTimer.singleShot(0, self._align)

    def release(self) -> None:
        """Let go of the model."""
        for pane in self.panes.values():
            pane.release()

    def _build(self) -> None:
        self._inner = QSplitter(Qt.Orientation.Vertical)
        self._inner.addWidget(self.panes[Plane.YZ])
        self._inner.addWidget(self.panes[Plane.XZ])
        self._outer = QSplitter(Qt.Orientation.Horizontal)
        self._outer.addWidget(self.panes[Plane.XY])
        self._outer.addWidget(self._inner)
        self._sizes = [[600, 400], [500, 500]]
        for splitter in (self._outer, self._inner):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(4)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._outer)

    def _toggle(self, plane: Plane) -> None:
        if self.shows_three:
            self._arrange(ONE, plane)
        else:
            self.show_three()

    def _shares(self) -> list[list[int]]:
        """Return how the splitters share their room while all views are shown."""
        if self.shows_three and self.isVisible():
            self._sizes = [self._outer.sizes(), self._inner.sizes()]
        return self._sizes

    def _arrange(self, name: str, plane: Plane) -> None:
        shares = self._shares()
        self._layout_name = name
        self.current = plane
        for each, pane in self.panes.items():
            pane.view.shows_cross_hair = name == THREE
            pane.view.show_cross_hair()
            pane.setVisible(name == THREE or each is plane)
        self._inner.setVisible(name == THREE or plane is not Plane.XY)
        if name == THREE:
            for splitter, share in zip((self._outer, self._inner), shares, strict=True):
                splitter.setSizes(share)
        self.current_changed.emit()
        self.layout_changed.emit()

    def _align(self) -> None:
        """Give all views one scale, and put the common place into their middle."""
        size = self._model.voxel_size
        main = self.current_view
        main.hold()
        nm = (size[main.axes.columns] if size is not None else 1.0) / main.camera.scale
        for pane in self.panes.values():
            axes = pane.view.axes
            scale = (size[axes.columns] if size is not None else 1.0) / nm
            place = self._model.position
            if pane.view is not main:
                pane.view.look_from(scale, place[axes.rows] + 0.5, place[axes.columns] + 0.5)

    def _take_current(self, plane: Plane) -> None:
        if plane is not self.current:
            self.current = plane
            self.current_changed.emit()

    def _zoom_others(self, plane: Plane, factor: float) -> None:
        if not self.shows_three:
            return
        place = self._model.position
        for each, pane in self.panes.items():
            if each is not plane:
                axes = pane.view.axes
                at = pane.view.place_of(place[axes.rows], place[axes.columns])
                pane.view.zoom(factor, at)
