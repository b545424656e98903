"""An object that is being split: proposed in colours, one for each part, before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from qtpy.QtCore import QObject, QRectF, Signal
from qtpy.QtGui import QColor, QImage

from uniem.data.geometry import Box, Triple
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.gui.canvas.drawing import as_image
from uniem.gui.canvas.hand.edit_maker import Make
from uniem.gui.canvas.hand.fresh_labels import StandIns, labels_given, with_fresh
from uniem.gui.canvas.hand.options import Reach
from uniem.gui.canvas.hand.preview import Preview
from uniem.gui.canvas.hand.proposal import Manner, Proposal
from uniem.gui.canvas.hand.reshape_tool import box_of
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.planes import ViewAxes
from uniem.gui.canvas.view_model import CanvasModel
from uniem.progress import Context
from uniem.proofreading.edits import Edit
from uniem.proofreading.tools.fields import listed
from uniem.proofreading.tools.parts import exchange, labels_after, split_through
from uniem.proofreading.tools.plane import Plane, Point
from uniem.proofreading.tools.split import cut_from_neighbours, split_by_line, split_by_seeds

# The first is the part that keeps its label. They are told apart by hands that see few colours, too.
PART_COLOURS = (
    QColor(70, 170, 255),
    QColor(255, 150, 30),
    QColor(90, 220, 90),
    QColor(240, 90, 230),
    QColor(250, 230, 60),
    QColor(120, 240, 240),
    QColor(255, 110, 110),
    QColor(180, 140, 255),
    QColor(230, 230, 230),
)
_ALPHA = 165
_ALL_PARTS = range(1, len(PART_COLOURS) + 1)


@dataclass(frozen=True, slots=True)
class _Object:
    """What is split: an object, the box of its voxels that are concerned, and where in it they are."""

    volume: Volume
    label: int
    box: Box
    places: tuple[Box, ...] = ()


class Splitting(QObject):
    """Propose how an object is split, the same in all views.

    `strokes` are the seeds of a split in 3D: pairs of a part, from 1, and its points. `changed()`: there are
    others.
    """

    changed = Signal()

    def __init__(self, model: CanvasModel, painting: PaintingController, proposal: Proposal) -> None:
        super().__init__(painting)
        self._model, self._painting, self._proposal = model, painting, proposal
        self.label = 0
        self.strokes: list[tuple[int, list[Triple]]] = []
        self._now: _Object | None = None
        painting.changed.connect(lambda _: self._clear())
        painting.restyled.connect(self._check_session)
        self._session = painting.session

    def by_line(self, label: int, line: Sequence[Point], plane: Plane) -> None:
        """Propose to split an object along a line; the larger side keeps its label."""
        now = self._object(label)
        if now is None:
            return
        options = self._model.hand.options
        image, protect, band = self._image(), self._painting.protect(), options.cut_band_px
        places = now.places
        split = (
            split_by_line if options.split_reach is Reach.SECTION else partial(split_through, places=places)
        )
        if options.split_reach is Reach.SECTION:
            section = plane.section(int(line[0][plane.fixed_axis]), now.volume.shape)
            now = _Object(now.volume, label, now.box.intersection(section))
        stand_ins = StandIns(label, now.volume.dtype)
        self._now = now

        def make(context: Context) -> Edit:
            return split(
                now.volume,
                label,
                line,
                now.box,
                stand_ins,
                image=image,
                plane=plane,
                band_px=band,
                protect=protect,
                context=context,
            )

        self._propose(make, now, "Click the part that keeps the label.")

    def by_seeds(self) -> None:
        """Propose to split the object among the strokes, as soon as two parts are marked."""
        parts = sorted({part for part, _ in self.strokes})
        groups = [[p for part, points in self.strokes if part == number for p in points] for number in parts]
        now = self._object(self.label)
        if now is None or len(groups) < 2:
            self._proposal.forget()
            return
        image, protect = self._image(), self._painting.protect()
        stand_ins = StandIns(now.label, now.volume.dtype)
        self._now = now

        def make(context: Context) -> Edit:
            return split_by_seeds(
                now.volume,
                now.label,
                groups,
                now.box,
                stand_ins,
                image=image,
                places=now.places,
                protect=protect,
                context=context,
            )

        self._propose(make, now, "Mark more where it is wrong.", parts)

    def cut_out(self, label: int, voxel: Triple) -> None:
        """Propose to cut the part of an object around a voxel from all parts next to it."""
        now = self._object(label)
        if now is None:
            return
        image, protect = self._image(), self._painting.protect()
        stand_ins = StandIns(label, now.volume.dtype)
        self._now = now

        def make(context: Context) -> Edit:
            return cut_from_neighbours(
                now.volume,
                label,
                voxel,
                now.box,
                stand_ins,
                image=image,
                places=now.places,
                protect=protect,
                context=context,
            )

        self._propose(make, now, "The part gets a label of its own.")

    def keep(self, point: Triple) -> bool:
        """Let the part at a voxel keep the label; return whether there is a part."""
        now, edit = self._now, self._proposal.edit
        if now is None or edit is None or not now.box.contains(_one(point)):
            return False
        if int(now.volume.read(_one(point)).item()) != now.label:
            return False
        part = int(labels_after(now.volume, edit, _one(point)).item())
        if part == now.label:
            return True
        make = partial(exchange, now.volume, edit, now.label, part, now.box)
        self._propose(make, now, "This part keeps the label; click another one to change that.")
        return True

    def mark(self, part: int, points: list[Triple]) -> None:
        """Add a stroke to a part."""
        self.strokes = [*self.strokes, (part, points)]
        self.changed.emit()

    def step_back(self) -> bool:
        """Take back the last stroke; return whether there was one."""
        if not self.strokes:
            return False
        self.strokes = self.strokes[:-1]
        if not self.strokes:
            self.label = 0
        self._painting.maker.cancel()
        self.by_seeds()
        self.changed.emit()
        return True

    def forget(self) -> bool:
        """Forget strokes and object; return whether there were any."""
        had_any = bool(self.strokes)
        self._clear()
        return had_any

    def _clear(self) -> None:
        self.label, self.strokes = 0, []
        self._now = None
        self.changed.emit()

    def _propose(self, make: Make, now: _Object, advice: str, parts: Sequence[int] = _ALL_PARTS) -> None:
        """Propose what `make` makes, its parts drawn in the colours of these numbers."""
        draw = partial(self._draw, now, [part_colour(part) for part in parts])
        manner = Manner(self._finish, draw, advice, partial(_told, now.label))
        self._proposal.make(f"Splitting {now.label}", make, "", manner)

    def _finish(self, edit: Edit) -> Edit:
        assert self._painting.session is not None
        return with_fresh(edit, self._painting.session.next_label)

    def _draw(
        self, now: _Object, colours: list[QColor], edit: Edit, axes: ViewAxes, position: int
    ) -> Preview | None:
        """Return the parts in a section, each in its colour."""
        box = now.box.intersection(axes.plane.section(position, now.volume.shape))
        if box.is_empty:
            return None
        labels = axes.section_of(labels_after(now.volume, edit, box), 0)
        ink = np.zeros(labels.shape, np.uint32)
        for number, label in enumerate([now.label, *labels_given(edit)]):
            ink[labels == label] = _ink(colours[number % len(colours)])
        # Another object may have the number that stands for a part.
        own = axes.section_of(now.volume.read(box), 0) == now.label
        ink[~own] = 0
        if not ink.any():
            return None
        picture = as_image(np.ascontiguousarray(ink), QImage.Format.Format_ARGB32_Premultiplied).copy()
        height, width = labels.shape
        place = QRectF(box.start[axes.columns], box.start[axes.rows], width, height)
        return Preview(tint=picture, place=place)

    def _object(self, label: int) -> _Object | None:
        session = self._painting.session
        if session is None or not label:
            return None
        try:
            box = box_of(self._painting, label)
        except UniemError as error:
            self._painting.message.emit(str(error))
            return None
        places = tuple(session.objects.boxes_of(label))
        return _Object(session.volume, label, box, places) if box is not None else None

    def _image(self) -> Volume | None:
        """Return the image that guides the cut, if there is one and it is wanted."""
        if not self._model.hand.options.cut_on_image:
            return None
        try:
            return self._painting.image()
        except UniemError:
            return None

    def _check_session(self) -> None:
        if self._painting.session is not self._session:
            self._session = self._painting.session
            self.forget()


def part_colour(part: int) -> QColor:
    """Return the colour of a part, from 1."""
    return PART_COLOURS[(part - 1) % len(PART_COLOURS)]


def _told(old: int, edit: Edit) -> str:
    new = labels_given(edit)
    return f"Split {old}: {listed(new)} {'is' if len(new) == 1 else 'are'} new."


def _one(point: Triple) -> Box:
    z, y, x = point
    return Box(point, (z + 1, y + 1, x + 1))


def _ink(colour: QColor) -> np.uint32:
    red, green, blue = (part * _ALPHA // 255 for part in (colour.red(), colour.green(), colour.blue()))
    return np.uint32(_ALPHA << 24 | red << 16 | green << 8 | blue)
