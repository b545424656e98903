"""The question for a web address, with those opened before."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from uniem.data.location import is_web_address

ASKED = "Address of an OME-Zarr or a Neuroglancer precomputed volume (http, https or s3), or a path:"
HINT = (
    "For example https://HOST/PATH/image.zarr, s3://BUCKET/PATH or precomputed://https://HOST/PATH. "
    "Only the part in view is read, not the whole volume."
)


class AddressDialog(QDialog):
    """Ask for an address; one in the clipboard is offered, those opened before are listed."""

    def __init__(self, recent: Sequence[str], copied: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Open address")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.combo = QComboBox()
        self.combo.setEditable(True)
        self.combo.addItems(list(recent))
        self.combo.setCurrentText(copied.strip() if is_web_address(copied) else "")
        self.combo.lineEdit().setPlaceholderText("https://…")
        self.combo.lineEdit().selectAll()
        self.combo.editTextChanged.connect(self._check)
        hint = QLabel(HINT)
        hint.setProperty("role", "quiet")
        hint.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.open_button = buttons.addButton("Open", QDialogButtonBox.ButtonRole.AcceptRole)
        self.open_button.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for widget in (QLabel(ASKED), self.combo, hint, buttons):
            column.addWidget(widget)
        self.resize(640, self.sizeHint().height())
        self._check()

    @property
    def address(self) -> str:
        """What was written."""
        return str(self.combo.currentText()).strip()

    def _check(self, _text: str = "") -> None:
        self.open_button.setEnabled(bool(self.address))
