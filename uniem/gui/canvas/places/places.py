"""What a user asks about places: go to one, remember it, list those remembered, take a picture."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QApplication, QDialog, QFileDialog

from uniem.data.geometry import Triple
from uniem.errors import UniemError
from uniem.gui.canvas.layers import Layer
from uniem.gui.canvas.places.bookmarks import Bookmark, Bookmarks
from uniem.gui.canvas.places.dialogs import BookmarkList, FigureDialog, JumpDialog
from uniem.gui.canvas.places.figure import Figure, FigureRequest
from uniem.gui.canvas.places.label_search import LabelSearch, missing
from uniem.gui.canvas.places.place_text import parse_goal
from uniem.proofreading.finding import counted_voxel
from uniem.workspace import Settings

if TYPE_CHECKING:
    from uniem.gui.canvas.canvas import Canvas

BOOKMARKS_KEY = "bookmarks"


class Places(QObject):
    """Answer the actions that concern places of a canvas."""

    def __init__(self, canvas: Canvas, settings: Settings | None) -> None:
        super().__init__(canvas)
        self._canvas, self._settings = canvas, settings
        self.bookmarks = Bookmarks()
        if settings is not None:
            self.bookmarks.take(settings.get(BOOKMARKS_KEY))
        self._list: BookmarkList | None = None
        self.bookmarks.changed.connect(self._take_change)

    @property
    def has_volume(self) -> bool:
        """Tell whether anything is shown."""
        return self._canvas.model.depth > 0

    def ask(self) -> None:
        """Ask where to go."""
        here = ", ".join(str(place) for place in self._canvas.model.position)
        JumpDialog(here, self.go, self._canvas).exec_()

    def go(self, text: str) -> LabelSearch | None:
        """Go to a place or a label, as `parse_goal` reads it; raise `UniemError` if there is none.

        A label of a volume whose objects are not counted is looked for in the background: the search is
        returned, and goes there itself.
        """
        model = self._canvas.model
        if not self.has_volume:
            raise UniemError("Nothing is shown.", "Open a volume first.")
        goal = parse_goal(text, model.position, model.shape, model.voxel_size)
        if goal.zyx is not None:
            self._canvas.go_to(*goal.zyx)
        return self._go_to_label(goal.label) if goal.label is not None else None

    def remember(self) -> None:
        """Remember the place in view; its name can be changed in the list."""
        if not self.has_volume:
            return
        view, source = self._canvas.view, self._source()
        z, y, x = self._canvas.model.z, round(view.camera.row), round(view.camera.column)
        name = f"Place {len(self.bookmarks.of(source)) + 1} (z {z})"
        self.bookmarks.add(source, Bookmark(name, z, y, x, view.camera.scale))
        self._canvas.message.emit(f"Remembered as {name}. Ctrl+Shift+G lists the bookmarks.")

    def show_list(self) -> None:
        """List the bookmarks of the volume shown."""
        if self._list is None:
            self._list = BookmarkList(self._canvas)
            self._list.chosen.connect(self.visit)
            self._list.renamed.connect(lambda mark, name: self.bookmarks.rename(self._source(), mark, name))
            self._list.removed.connect(lambda mark: self.bookmarks.remove(self._source(), mark))
        self._list.fill(self.bookmarks.of(self._source()))
        self._list.show()
        self._list.raise_()

    def visit(self, bookmark: Bookmark) -> None:
        """Go to a bookmark and draw it as large as it was."""
        self._canvas.go_to(*bookmark.zyx)
        self._canvas.view.look_from(bookmark.scale, bookmark.y + 0.5, bookmark.x + 0.5)

    def copy_view(self) -> None:
        """Copy what the view shows to the clipboard."""
        QApplication.clipboard().setPixmap(self._canvas.current_view.viewport().grab())
        self._canvas.message.emit("The view was copied; paste it where you need it.")

    def ask_figure(self) -> None:
        """Ask for a file and write a figure of the view into it."""
        view = self._canvas.current_view
        size = view.viewport().size() * view.devicePixelRatioF()
        has_size = self._canvas.model.voxel_size is not None
        dialog = FigureDialog((size.width(), size.height()), has_size, self._canvas)
        if dialog.exec_() != QDialog.DialogCode.Accepted:
            return
        start = str(Path.home() / f"{view.axes.plane}-{view.position}.png")
        name, kind = QFileDialog.getSaveFileName(
            self._canvas, "Write the figure", start, "PNG (*.png);;SVG, scale bar as lines (*.svg)"
        )
        if not name:
            return
        path = Path(name)
        if path.suffix.lower() not in (".png", ".svg"):
            path = path.with_name(path.name + (".svg" if "svg" in kind else ".png"))
        self.write_figure(
            FigureRequest(path, dialog.scale.value(), dialog.scale_bar.isChecked(), dialog.labels.isChecked())
        )

    def write_figure(self, request: FigureRequest) -> Figure:
        """Write a figure of the view the mouse was over last, in the background."""
        figure = Figure(
            self._canvas.current_view, self._canvas.reader, self._canvas.painting.style(), request
        )
        figure.written.connect(lambda path: self._canvas.message.emit(f"Written: {path}"))
        figure.failed.connect(self._canvas.message)
        figure.begin()
        return figure

    def _source(self) -> str:
        image = self._canvas.model.image or self._canvas.model.labels
        return (image.source or image.name) if image is not None else ""

    def _go_to_label(self, label: int) -> LabelSearch | None:
        layer, session = self._canvas.model.labels_layer, self._canvas.painting.session
        if layer is None:
            raise UniemError("No labels are shown.", "Show a label volume to find a label in it.")
        if session is not None and layer.volume is session.volume and session.objects.is_counted:
            zyx = counted_voxel(session.objects, session.volume, label)
            if zyx is None:
                raise missing(label)
            self._arrive(label, layer, zyx)
            return None
        search = LabelSearch(self._canvas.reader.levels(layer.volume), label, self)
        search.found.connect(partial(self._arrive, label, layer))
        search.begin()
        return search

    def _arrive(self, label: int, layer: Layer, zyx: Triple) -> None:
        self._canvas.model.hand.label = label
        self._canvas.go_to(*((place + 0.5) * by - 0.5 for place, by in zip(zyx, layer.scale, strict=True)))

    def _take_change(self) -> None:
        if self._settings is not None:
            self._settings.set(BOOKMARKS_KEY, self.bookmarks.record())
        if self._list is not None:
            self._list.fill(self.bookmarks.of(self._source()))
