"""A row of widgets that goes on in a second row where there is no room."""

from __future__ import annotations

from qtpy.QtCore import QPoint, QRect, QSize, Qt
from qtpy.QtWidgets import QLayout, QLayoutItem, QWidget


class FlowLayout(QLayout):
    """Lay widgets out from left to right, each at its preferred width, and wrap."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(6, 2, 6, 2)
        self.setSpacing(5)

    def addItem(self, item: QLayoutItem) -> None:
        """Add an item at the end."""
        self._items.append(item)

    def count(self) -> int:
        """Return the number of items."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """Return an item."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Remove an item and return it."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientations:
        """Want no more room than needed."""
        return Qt.Orientations()

    def hasHeightForWidth(self) -> bool:
        """Tell that the height depends on the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of all rows."""
        return self._arrange(QRect(0, 0, width, 0), is_trial=True)

    def setGeometry(self, rectangle: QRect) -> None:
        """Put the widgets in their places."""
        super().setGeometry(rectangle)
        self._arrange(rectangle, is_trial=False)

    def sizeHint(self) -> QSize:
        """Return the size of one row."""
        shown = [item.sizeHint() for item in self._items if not item.isEmpty()]
        margins = self.contentsMargins()
        width = sum(size.width() for size in shown) + self.spacing() * max(0, len(shown) - 1)
        height = max((size.height() for size in shown), default=0)
        return QSize(width + margins.left() + margins.right(), height + margins.top() + margins.bottom())

    def minimumSize(self) -> QSize:
        """Return the size of the widest widget."""
        margins, size = self.contentsMargins(), QSize()
        for item in self._items:
            if not item.isEmpty():
                size = size.expandedTo(item.minimumSize())
        return size + QSize(margins.left() + margins.right(), margins.top() + margins.bottom())

    def _arrange(self, rectangle: QRect, is_trial: bool) -> int:
        margins = self.contentsMargins()
        inner = rectangle.adjusted(margins.left(), margins.top(), -margins.right(), -margins.bottom())
        rows: list[list[QLayoutItem]] = [[]]
        used = 0
        for item in self._items:
            if item.isEmpty():
                continue
            width = item.sizeHint().width()
            if rows[-1] and used + width > inner.width():
                rows.append([])
                used = 0
            rows[-1].append(item)
            used += width + self.spacing()
        top = inner.top()
        for row in rows:
            height = max((item.sizeHint().height() for item in row), default=0)
            if len(rows) == 1 and not is_trial:
                height = max(height, inner.height())
            if not is_trial:
                self._place(row, inner.left(), top, height, inner.width())
            top += height + self.spacing()
        return top - self.spacing() + margins.bottom() - rectangle.top()

    def _place(self, row: list[QLayoutItem], left: int, top: int, height: int, most: int) -> None:
        for item in row:
            size = item.sizeHint()
            width = min(size.width(), most)
            item.setGeometry(
                QRect(QPoint(left, top + (height - size.height()) // 2), QSize(width, size.height()))
            )
            left += width + self.spacing()
