"""Two lines that meet at the place which all views have in common."""

from __future__ import annotations

from qtpy.QtCore import QLineF, QPointF, QRectF
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget

# Red, green and blue for x, y and z, as in other viewers; each line has the colour of the plane it shows.
AXIS_COLOURS = (QColor(90, 150, 255), QColor(90, 200, 90), QColor(240, 90, 80))
_GAP_PX = 14.0


class CrossHair(QGraphicsObject):
    """Draw where two other planes cut this one, leaving the place itself free."""

    def __init__(self, row_axis: int, column_axis: int) -> None:
        super().__init__()
        self.setZValue(5)
        self._row_colour, self._column_colour = AXIS_COLOURS[row_axis], AXIS_COLOURS[column_axis]
        self._shape = (0, 0)
        self._place = (0.5, 0.5)
        self._scales = (1.0, 1.0)

    def set_place(self, shape: tuple[int, int], row: int, column: int) -> None:
        """Set the size of the section and the voxel at which the lines meet."""
        self.prepareGeometryChange()
        self._shape, self._place = shape, (row + 0.5, column + 0.5)
        self.update()

    def set_scale(self, row_scale: float, column_scale: float) -> None:
        """Set how many pixels of the screen a voxel takes, for the gap in the middle."""
        self._scales = (row_scale, column_scale)
        self.update()

    def boundingRect(self) -> QRectF:
        """Return the section's rectangle."""
        return QRectF(0, 0, self._shape[1], self._shape[0])

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw four half lines."""
        row, column = self._place
        height, width = self._shape
        gap_y, gap_x = _GAP_PX / self._scales[0], _GAP_PX / self._scales[1]
        for colour, lines in (
            (self._row_colour, [(0, row, column - gap_x, row), (column + gap_x, row, width, row)]),
            (self._column_colour, [(column, 0, column, row - gap_y), (column, row + gap_y, column, height)]),
        ):
            pen = QPen(colour, painter.device().devicePixelRatioF())
            pen.setCosmetic(True)
            painter.setPen(pen)
            for x0, y0, x1, y1 in lines:
                if x1 >= x0 and y1 >= y0:
                    painter.drawLine(QLineF(QPointF(x0, y0), QPointF(x1, y1)))
