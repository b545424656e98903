"""What is in a folder, shown before it is opened: format, facts, its stacks, and a few sections."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from uniem.data.formats.contents import Part
from uniem.data.formats.glimpse import Contents, Glimpse, contents_of, glimpse
from uniem.errors import UniemError
from uniem.gui.background import Background, Task
from uniem.gui.opening.part_chooser import PartList

THUMBNAIL_PX = 176
PICTURES = 3
# Keys held down run through many folders, which need not all be looked at.
SETTLE_MS = 120
EMPTY = "Choose a folder to see what is in it."
NOTHING = "Nothing here that uniem opens; look further inside."


class FolderPreview(QWidget):
    """Look into a folder in a thread; `looked` tells when it is known what it is."""

    looked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._background = Background(self)
        self._looking: Task | None = None
        self._glimpsing: Task | None = None
        self.folder: Path | None = None
        self.is_known = False
        self.title, self.facts = QLabel(), QLabel()
        self.title.setProperty("role", "heading")
        for label in (self.title, self.facts):
            label.setWordWrap(True)
        self.list = PartList()
        self.list.currentItemChanged.connect(lambda *_: self._glimpse())
        self.thumbnails = [_Thumbnail() for _ in range(PICTURES)]
        pictures = QHBoxLayout()
        for thumbnail in self.thumbnails:
            pictures.addWidget(thumbnail)
        pictures.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 0, 0)
        column.addWidget(self.title)
        column.addWidget(self.facts)
        column.addLayout(pictures)
        column.addWidget(self.list, 1)
        column.addStretch(0)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SETTLE_MS)
        self._soon.timeout.connect(self._look)
        self.setMinimumWidth(PICTURES * (THUMBNAIL_PX + 12))
        self._clear(EMPTY)

    @property
    def chosen(self) -> list[str]:
        """The locations that are ticked, or the folder itself where it need not be chosen from.

        While it is not known what is in a folder, it may be something.
        """
        if self.title.text() == NOTHING:
            return []
        if self.list.isHidden():
            return [str(self.folder)] if self.folder is not None else []
        return [part.location for part in self.list.ticked]

    def show_folder(self, folder: Path) -> None:
        """Look into a folder soon."""
        self.folder = folder
        self._cancel()
        self._clear("Looking…")
        self._soon.start()

    def close_down(self) -> None:
        """Wait for nothing any more."""
        self._soon.stop()
        self._background.cancel()

    def _cancel(self) -> None:
        for task in (self._looking, self._glimpsing):
            if task is not None:
                task.cancel()

    def _look(self) -> None:
        folder = self.folder
        assert folder is not None
        self._looking = self._background.run(
            lambda task: contents_of(folder, lambda: task.is_cancelled), self._take, self._fail
        )

    def _take(self, contents: Contents) -> None:
        self.is_known = bool(contents.title)
        self.title.setText(contents.title[:1].upper() + contents.title[1:] or NOTHING)
        has_choice = len(contents.parts) > 1
        self.list.setVisible(has_choice)
        self.list.set_parts(contents.parts)
        self.facts.setText("")
        if has_choice:
            self.facts.setText(f"{len(contents.parts):,} volumes; tick those to open.")
        self._glimpse()
        self.looked.emit()

    def _glimpse(self) -> None:
        if self._glimpsing is not None:
            self._glimpsing.cancel()
        part = self.list.current
        if part is None:
            return
        self._glimpsing = self._background.run(
            lambda task: glimpse(part.location, THUMBNAIL_PX),
            functools.partial(self._show, part),
            self._fail,
        )

    def _show(self, part: Part, seen: Glimpse) -> None:
        name = f"{part.name}: " if not self.list.isHidden() else ""
        self.facts.setText(name + facts_of_glimpse(seen))
        for thumbnail, picture in zip(self.thumbnails, (*seen.pictures, None, None, None), strict=False):
            thumbnail.set_picture(picture)

    def _fail(self, error: UniemError) -> None:
        self.facts.setText(str(error))
        for thumbnail in self.thumbnails:
            thumbnail.set_picture(None)
        if not self.title.text() or self.title.text() == "Looking…":
            self.title.setText("")
        self.looked.emit()

    def _clear(self, text: str) -> None:
        self.is_known = False
        self.title.setText(text)
        self.facts.setText("")
        self.list.hide()
        self.list.set_parts([])
        for thumbnail in self.thumbnails:
            thumbnail.set_picture(None)


class _Thumbnail(QWidget):
    """A picture of a section with its number below."""

    def __init__(self) -> None:
        super().__init__()
        self.picture, self.caption = QLabel(), QLabel()
        self.picture.setFixedSize(THUMBNAIL_PX, THUMBNAIL_PX)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.caption.setProperty("role", "quiet")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.picture)
        column.addWidget(self.caption)

    def set_picture(self, picture: tuple[int, NDArray[np.uint8]] | None) -> None:
        """Show a section's number and picture, or nothing; the place stays, so that nothing jumps."""
        if picture is None:
            self.picture.clear()
            self.caption.clear()
            return
        z, pixels = picture
        height, width, _ = pixels.shape
        image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format_RGB888)
        shown = QPixmap.fromImage(image).scaled(
            THUMBNAIL_PX,
            THUMBNAIL_PX,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        self.picture.setPixmap(shown)
        self.caption.setText(f"section {z:,}")


def facts_of_glimpse(seen: Glimpse) -> str:
    """Return sections, size, type, kind and voxel size in one line."""
    depth, height, width = seen.shape
    size = str(seen.voxel_size) if seen.voxel_size else "voxel size not known"
    count = "1 section" if depth == 1 else f"{depth:,} sections"
    return f"{count} of {height:,} × {width:,}  ·  {seen.dtype}  ·  {seen.kind}  ·  {size}"
