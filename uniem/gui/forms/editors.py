"""One editor for each shape of a parameter; an editor keeps what was typed and never judges it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QValidator, QWheelEvent
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QWidget,
)

from uniem.operations.parameters import ParameterField, Shape


class Editor(QWidget):
    """A widget that holds one value: `value`, `set_value`, and a signal when the user changes it."""

    changed = Signal()

    # Abstract by hand: the metaclass of Qt's classes does not mix with that of abc.
    def value(self) -> Any:
        """Return what the user entered, as a plain JSON value; text that is no number stays text."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show a value."""
        raise NotImplementedError


class NumberBox(QAbstractSpinBox):
    """A spin box for integers of any size and floats of any precision: its text is its value.

    Steps are a tenth of the leading digit's place for floats, 1 for integers; Page Up and
    Page Down step ten times that.
    """

    changed = Signal()

    def __init__(self, field: ParameterField | None = None, is_integer: bool = False) -> None:
        super().__init__()
        self._is_integer = is_integer
        self._minimum = field.minimum if field else None
        self._maximum = field.maximum if field else None
        self._is_open = bool(field and field.open_minimum)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumWidth(70)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.lineEdit().textEdited.connect(self.changed)

    def value(self) -> int | float | str:
        """Return the number, or the text where it is none."""
        text = self.lineEdit().text().strip()
        try:
            return int(text.replace("_", "")) if self._is_integer else _plain(float(text))
        except ValueError:
            return text

    def set_value(self, value: Any) -> None:
        """Show a number exactly."""
        text = repr(float(value)) if isinstance(value, float) and not self._is_integer else str(value)
        text = "" if value is None else text
        self.lineEdit().setText(text.removesuffix(".0") if "e" not in text else text)

    def stepBy(self, steps: int) -> None:
        """Move by steps that suit the size of the number."""
        try:
            now = Decimal(self.lineEdit().text().strip())
        except InvalidOperation:
            now = Decimal(0)
        step = Decimal(1) if self._is_integer else _step_at(now)
        text = format(self._clamped(now + steps * step).normalize(), "f")
        self.lineEdit().setText(text)
        self.lineEdit().selectAll()
        self.changed.emit()

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabled:
        """Allow both directions; bounds stop a step, not the arrow."""
        either = QAbstractSpinBox.StepEnabledFlag
        return QAbstractSpinBox.StepEnabled(either.StepUpEnabled) | either.StepDownEnabled

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Accept any text: the parameter model judges it."""
        return QValidator.State.Acceptable, text, position

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn only when focused, so that scrolling a panel changes nothing."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def _clamped(self, number: Decimal) -> Decimal:
        if self._maximum is not None and number > Decimal(repr(self._maximum)):
            return Decimal(repr(self._maximum))
        if self._minimum is None:
            return number
        low = Decimal(repr(self._minimum))
        if number < low or (self._is_open and number <= low):
            return low if not self._is_open else _first_above(low, self._is_integer)
        return number


def _plain(number: float) -> float | str:
    return number if math.isfinite(number) else str(number)


def _step_at(number: Decimal) -> Decimal:
    if number == 0:
        return Decimal("0.1")
    return Decimal(1).scaleb(number.adjusted() - 1)


def _first_above(low: Decimal, is_integer: bool) -> Decimal:
    return low + (1 if is_integer else Decimal(1).scaleb(low.adjusted() - 3) if low else Decimal("0.001"))


class NumberEditor(Editor):
    """A number with its unit."""

    def __init__(self, field: ParameterField) -> None:
        super().__init__()
        self.box = NumberBox(field, field.shape is Shape.INT)
        self.box.changed.connect(self.changed)
        _in_a_row(self, [self.box, *_unit(field)])
        self.setFocusProxy(self.box)

    def value(self) -> int | float | str:
        """Return the number, or the text where it is none."""
        return self.box.value()

    def set_value(self, value: Any) -> None:
        """Show a number exactly."""
        self.box.set_value(value)


class BoolEditor(Editor):
    """Yes or no."""

    def __init__(self, field: ParameterField) -> None:
        super().__init__()
        self.box = QCheckBox()
        self.box.toggled.connect(self.changed)
        _in_a_row(self, [self.box])
        self.setFocusProxy(self.box)

    def value(self) -> bool:
        """Return whether the box is ticked."""
        return bool(self.box.isChecked())

    def set_value(self, value: Any) -> None:
        """Tick or clear the box."""
        self.box.setChecked(bool(value))


class TextEditor(Editor):
    """A line of text."""

    def __init__(self, field: ParameterField) -> None:
        super().__init__()
        self.line = QLineEdit()
        self.line.textEdited.connect(self.changed)
        _in_a_row(self, [self.line, *_unit(field)])
        self.setFocusProxy(self.line)

    def value(self) -> str:
        """Return the text."""
        return str(self.line.text())

    def set_value(self, value: Any) -> None:
        """Show a text."""
        self.line.setText("" if value is None else str(value))


class ChoiceEditor(Editor):
    """One of a few names."""

    def __init__(self, field: ParameterField) -> None:
        super().__init__()
        self.combo = QuietComboBox()
        for choice in field.choices:
            self.combo.addItem(choice, choice)
        self.combo.currentIndexChanged.connect(self.changed)
        _in_a_row(self, [self.combo, *_unit(field)])
        self.setFocusProxy(self.combo)

    def value(self) -> str:
        """Return the chosen name."""
        return str(self.combo.currentData())

    def set_value(self, value: Any) -> None:
        """Choose a name."""
        wanted = value.value if isinstance(value, Enum) else value
        self.combo.setCurrentIndex(max(0, self.combo.findData(str(wanted))))


class VoxelSizeEditor(Editor):
    """Three edge lengths in nm, z, y, x; three empty boxes mean that the size is unknown."""

    def __init__(self, field: ParameterField) -> None:
        super().__init__()
        self.boxes = [NumberBox(field) for _ in range(3)]
        widgets: list[QWidget] = []
        for axis, box in zip("zyx", self.boxes, strict=True):
            box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
            box.setMinimumWidth(48)
            box.lineEdit().setPlaceholderText(axis)
            box.setToolTip(f"Edge length along {axis} in nm")
            box.changed.connect(self.changed)
            widgets.append(box)
        _in_a_row(self, [*widgets, QLabel(field.unit or "nm")])
        self.setFocusProxy(self.boxes[0])

    def value(self) -> list[Any] | None:
        """Return z, y, x; None where all are empty."""
        numbers = [box.value() for box in self.boxes]
        return None if all(number == "" for number in numbers) else numbers

    def set_value(self, value: Any) -> None:
        """Show a voxel size; None empties the boxes."""
        numbers: Sequence[Any] = (None, None, None) if value is None else tuple(value)
        for box, number in zip(self.boxes, numbers, strict=True):
            box.set_value(float(number) if isinstance(number, int | float) else number)


class OptionalEditor(Editor):
    """A value that may be left to the program: a tick sets it, and what was entered is kept when unticked."""

    def __init__(self, inner: Editor) -> None:
        super().__init__()
        self.inner = inner
        self.tick = QCheckBox("set")
        self.tick.setToolTip("Ticked: use this value. Unticked: leave it to the program.")
        self.tick.toggled.connect(self._show_state)
        self.tick.toggled.connect(self.changed)
        inner.changed.connect(self.changed)
        inner.setEnabled(False)
        _in_a_row(self, [self.tick, inner])

    def value(self) -> Any:
        """Return the value, or None where it is not set."""
        return self.inner.value() if self.tick.isChecked() else None

    def set_value(self, value: Any) -> None:
        """Show a value; None unticks."""
        if value is not None:
            self.inner.set_value(value)
        self.tick.setChecked(value is not None)
        self._show_state(value is not None)

    def _show_state(self, is_set: bool) -> None:
        self.inner.setEnabled(is_set)


class QuietComboBox(QComboBox):
    """A combo box that the wheel turns only when it has the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        # The hint of the style counts the placeholder too, which may be a whole sentence.
        self.setMinimumWidth(70)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the panel unless focused."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


_EDITORS: dict[Shape, Callable[[ParameterField], Editor]] = {
    Shape.BOOL: BoolEditor,
    Shape.INT: NumberEditor,
    Shape.FLOAT: NumberEditor,
    Shape.TEXT: TextEditor,
    Shape.CHOICE: ChoiceEditor,
    Shape.VOXEL_SIZE: VoxelSizeEditor,
}


def make_editor(field: ParameterField) -> Editor:
    """Return the editor of a parameter that is one value."""
    editor = _EDITORS[field.shape](field)
    if field.optional and field.shape is not Shape.VOXEL_SIZE:
        return OptionalEditor(editor)
    return editor


def is_typing(widget: QObject | None) -> bool:
    """Tell whether a widget takes letters, so that single-letter shortcuts must stay away."""
    return isinstance(widget, QLineEdit | QAbstractSpinBox) or (
        isinstance(widget, QComboBox) and widget.isEditable()
    )


def repolish(widget: QWidget) -> None:
    """Let the style see a changed dynamic property."""
    QApplication.style().unpolish(widget)
    QApplication.style().polish(widget)
    QApplication.sendEvent(widget, QEvent(QEvent.Type.StyleChange))


def _unit(field: ParameterField) -> list[QWidget]:
    return [QLabel(field.unit)] if field.unit else []


def _in_a_row(widget: QWidget, children: Sequence[QWidget]) -> None:
    row = QHBoxLayout(widget)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    for child in children:
        stretch = 0 if isinstance(child, QLabel | QCheckBox) else 1
        row.addWidget(child, stretch)
    if all(isinstance(child, QLabel | QCheckBox) for child in children):
        row.addStretch(1)
