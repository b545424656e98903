"""What the tools that are no brushes have in common."""

from __future__ import annotations

from qtpy.QtCore import QObject, QPointF, Signal

from uniem.gui.canvas.hand.preview import Preview
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.slice_view import SliceView

Place = tuple[float, float]


class SectionTool(QObject):
    """A tool used in the section of a view; by itself it does nothing. `refused(str)` says why it cannot."""

    refused = Signal(str)

    def __init__(self, view: SliceView, painting: PaintingController) -> None:
        super().__init__(view)
        self._view, self._painting = view, painting

    def press(self, place: QPointF, is_erasing: bool) -> None:
        """Begin."""

    def move(self, place: QPointF) -> None:
        """Go on to a place with the button down."""

    def hover(self, place: QPointF) -> None:
        """Go to a place with no button down."""

    def release(self) -> None:
        """End a drag."""

    def click_right(self, place: QPointF) -> bool:
        """Leave the click to the menu."""
        return False

    def accept(self) -> bool:
        """Do nothing: nothing waits for Enter."""
        return False

    def step_back(self) -> bool:
        """Do nothing: there are no parts to take back."""
        return False

    def cancel(self) -> bool:
        """Do nothing: nothing is begun."""
        return False

    def preview(self) -> Preview | None:
        """Return nothing."""
        return None

    def _refusal(self, label: int) -> bool:
        """Tell why nothing can be done with a label; return whether that is so."""
        reason = self._painting.refusal(label)
        if reason:
            self.refused.emit(reason)
        return bool(reason)

    def _place(self, place: QPointF) -> Place:
        """Return the row and column under a place of the view, as edges of voxels count."""
        viewport = self._view.viewport()
        size = max(1, viewport.width()), max(1, viewport.height())
        return self._view.camera.to_section(place.x(), place.y(), size)

    def _voxel(self, place: QPointF) -> tuple[int, int] | None:
        """Return the row and column under a place of the view, None outside of the section."""
        row, column = self._view.voxel_under(place)
        height, width = self._view.axes.shape(self._view.model.shape)
        return (row, column) if 0 <= row < height and 0 <= column < width else None

    def _label_at(self, row: int, column: int) -> int:
        return label_under(self._view, self._painting, row, column)


def label_under(view: SliceView, painting: PaintingController, row: int, column: int) -> int:
    """Return the label of a voxel of the section in view, also before that section is shown."""
    label = view.label_at(row, column)
    return painting.label_of(view.axes.zyx(view.position, row, column)) if label is None else label
