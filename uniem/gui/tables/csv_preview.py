"""What a CSV file would change in the object table, looked at before it does."""

from __future__ import annotations

from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from uniem.proofreading.edits import FieldValue
from uniem.proofreading.object_csv import FIELDS, TableChange

_MOST_ROWS = 1000
_COLUMNS = {field: column for column, field in FIELDS.items()}


class CsvPreview(QDialog):
    """List the changes of a file, and ask whether to make them."""

    def __init__(self, change: TableChange, source: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Take fields from a table")
        self.table = QTableWidget(min(_MOST_ROWS, len(change.changes)), 4)
        self.table.setHorizontalHeaderLabels(["ID", "Column", "Now", "Becomes"])
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for row, each in enumerate(change.changes[:_MOST_ROWS]):
            texts = (str(each.label), _COLUMNS[each.field], _written(each.before), _written(each.after))
            for column, text in enumerate(texts):
                self.table.setItem(row, column, QTableWidgetItem(text))
        words = QLabel(_summary(change, source))
        words.setWordWrap(True)
        self.buttons = QDialogButtonBox()
        for button in (QDialogButtonBox.StandardButton.Apply, QDialogButtonBox.StandardButton.Cancel):
            self.buttons.addButton(button)
        apply = self.buttons.button(QDialogButtonBox.StandardButton.Apply)
        assert apply is not None
        apply.clicked.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (words, self.table, self.buttons):
            layout.addWidget(widget)
        self.resize(520, 420)


def _summary(change: TableChange, source: str) -> str:
    objects = len({each.label for each in change.changes})
    lines = [
        f"{source} has {change.rows:,} rows and changes {len(change.changes):,} cells of {objects:,} objects,"
        " in one step that can be undone."
    ]
    if change.ignored:
        lines.append(f"Not taken, because it is measured or unknown here: {', '.join(change.ignored)}.")
    if len(change.changes) > _MOST_ROWS:
        lines.append(f"The first {_MOST_ROWS:,} changes are listed.")
    return "\n".join(lines)


def _written(value: FieldValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "#{:02x}{:02x}{:02x}".format(*value)
    return "" if value is None else str(value)
