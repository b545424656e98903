"""A parameter model as a form: editors read off its fields, values as JSON, messages under the fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from pydantic import BaseModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from uniem.gui.forms.editors import Editor, QuietComboBox, make_editor, repolish
from uniem.gui.forms.search import is_meant
from uniem.gui.forms.section import Section
from uniem.operations.parameters import ParameterField, Shape, fields_of

MakeEditor = Callable[[ParameterField], Editor]


class Form(Editor):
    """The parameters of a model, editable.

    `values` gives plain nested values and `set_values` takes them, whole or in part. Nothing is validated
    here: the model does that, and `show_errors` puts each of its messages under the field it is about.

    Parameters
    ----------
    sections : dict of title to names of fields, optional
        Headed parts to put the fields into, the first of them open; what none of them names comes last.
    editors : dict of dotted path to function, optional
        Makers of editors that take the place of the usual ones.
    """

    def __init__(
        self,
        model: type[BaseModel],
        prefix: tuple[str, ...] = (),
        sections: Mapping[str, Sequence[str]] | None = None,
        editors: Mapping[str, MakeEditor] | None = None,
    ) -> None:
        super().__init__()
        self._model = model
        self._editors = editors or {}
        self._rows: dict[str, _Row] = {}
        self._folds: dict[Section, list[str]] = {}
        self._open_before: list[Section] | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._rest = _message_label()
        column.addWidget(self._rest)
        fields = {field.name: field for field in fields_of(model, prefix)}
        for title, names in (sections or {}).items():
            part = [fields.pop(name) for name in names if name in fields]
            self._fold(column, title, part, is_open=not self._folds)
        column.addWidget(self._make_part([field for field in fields.values() if not field.advanced]))
        self._fold(column, "Advanced", [field for field in fields.values() if field.advanced], is_open=False)
        self.reset()

    def values(self) -> dict[str, Any]:
        """Return what is entered, nested as the model is, as plain JSON values."""
        return {name: row.editor.value() for name, row in self._rows.items()}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show values; unknown names are passed over, and fields not named stay as they are."""
        for name, value in values.items():
            if name in self._rows:
                self._rows[name].editor.set_value(value)

    def reset(self) -> None:
        """Show the defaults."""
        for row in self._rows.values():
            row.editor.set_value(_plain(row.field.default))
        self.show_errors({})

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Put each message under the field at its dotted path, and what fits no field at the top."""
        left = dict(errors)
        for name, row in self._rows.items():
            mine = {path: text for path, text in left.items() if path.split(".")[0] == name}
            for path in mine:
                del left[path]
            row.show_errors({path.partition(".")[2]: text for path, text in mine.items()})
            for section, names in self._folds.items():
                if mine and name in names:
                    section.open()
        _show(self._rest, "\n".join(f"{path}: {text}" if path else text for path, text in left.items()))

    def editor(self, path: str) -> Editor:
        """Return the editor at a dotted path; variants are passed through to the kind in use."""
        name, _, rest = path.partition(".")
        editor = self._rows[name].editor
        return editor.editor(rest) if rest and isinstance(editor, Form | VariantEditor) else editor

    def search(self, words: str) -> int:
        """Show only the parameters that a search means, wherever they are; return how many there are.

        An empty search shows everything, folded as before.
        """
        found = {name: row.search(words) for name, row in self._rows.items()}
        if self._open_before is None:
            self._open_before = [section for section in self._folds if section.is_open]
        for section, names in self._folds.items():
            hits = sum(found[name] for name in names)
            section.setVisible(hits > 0)
            section.header.setChecked(hits > 0 if words.strip() else section in self._open_before)
        if not words.strip():
            self._open_before = None
        return sum(found.values())

    value = values

    def set_value(self, value: Any) -> None:
        """Show the values of a group."""
        if value is not None:
            self.set_values(_plain(value))

    def _fold(self, column: QVBoxLayout, title: str, fields: list[ParameterField], is_open: bool) -> None:
        if fields:
            section = Section(title, self._make_part(fields), is_open)
            self._folds[section] = [field.name for field in fields]
            column.addWidget(section)

    def _make_part(self, fields: Sequence[ParameterField]) -> QWidget:
        part = QWidget()
        grid = QGridLayout(part)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        for field in fields:
            row = _Row(field, _editor_of(field, self._editors))
            row.editor.changed.connect(self.changed)
            row.place(grid)
            self._rows[field.name] = row
        return part


class VariantEditor(Editor):
    """A choice of kinds, each with its own parameters, which are kept when another kind is chosen.

    The editor itself shows the parameters; `combo`, which chooses the kind, is placed by the form.
    """

    def __init__(self, field: ParameterField) -> None:
        super().__init__()
        self._discriminator = field.discriminator
        self.combo = QuietComboBox()
        self._stack = QStackedWidget()
        self._about = QLabel()
        self._about.setWordWrap(True)
        self._about.setProperty("role", "quiet")
        self.forms: dict[str, Form] = {}
        for kind, model in field.models.items():
            form = Form(model, field.path)
            form.changed.connect(self.changed)
            self.forms[kind] = form
            self.combo.addItem(kind, kind)
            self.combo.setItemData(self.combo.count() - 1, _about(model), Qt.ItemDataRole.ToolTipRole)
            self._stack.addWidget(form)
        self.combo.currentIndexChanged.connect(self._show_kind)
        self.combo.currentIndexChanged.connect(self.changed)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 0, 0, 4)
        column.setSpacing(2)
        column.addWidget(self._about)
        column.addWidget(self._stack)
        self._show_kind(0)
        self.setFocusProxy(self.combo)

    def value(self) -> dict[str, Any]:
        """Return the kind in use with its parameters."""
        kind = str(self.combo.currentData())
        return {self._discriminator: kind, **self.forms[kind].values()}

    def set_value(self, value: Any) -> None:
        """Choose a kind and show its parameters."""
        values = dict(_plain(value)) if value is not None else {}
        kind = str(values.pop(self._discriminator, self.combo.currentData()))
        if kind in self.forms:
            self.combo.setCurrentIndex(self.combo.findData(kind))
            self.forms[kind].set_values(values)

    def editor(self, path: str) -> Editor:
        """Return the editor at a path inside the kind in use."""
        return self.forms[str(self.combo.currentData())].editor(path)

    def search(self, words: str) -> int:
        """Show only what a search means of the kind in use; return how much there is."""
        return self.forms[str(self.combo.currentData())].search(words)

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Put messages under the fields of the kind in use; the kind may or may not be part of a path."""
        kind = str(self.combo.currentData())
        self.forms[kind].show_errors({path.removeprefix(kind + "."): text for path, text in errors.items()})

    def _show_kind(self, index: int) -> None:
        self._about.setText(str(self.combo.itemData(index, Qt.ItemDataRole.ToolTipRole) or ""))
        self._about.setVisible(bool(self._about.text()))
        self._stack.setCurrentIndex(index)
        for place in range(self._stack.count()):
            shown = place == index
            policy = QSizePolicy.Policy.Preferred if shown else QSizePolicy.Policy.Ignored
            self._stack.widget(place).setSizePolicy(QSizePolicy.Policy.Expanding, policy)
        self._stack.adjustSize()


class _Row:
    """A label, an editor and the message under it."""

    def __init__(self, field: ParameterField, editor: Editor) -> None:
        self.field = field
        self.editor = editor
        self.label = QLabel(field.title)
        self.message = _message_label()
        self.editor.setToolTip(_tip(field))
        self.label.setToolTip(_tip(field))
        self.label.setBuddy(self.editor)
        self.editor.setAccessibleName(field.title)
        self.editor.setObjectName(".".join(field.path))
        self._widgets: list[QWidget] = []

    def place(self, grid: QGridLayout) -> None:
        """Put the row at the end of a grid."""
        at = grid.rowCount()
        if self.field.shape is Shape.GROUP:
            self._widgets = [Section(self.field.title, self.editor)]
            grid.addWidget(self._widgets[0], at, 0, 1, 2)
        elif isinstance(self.editor, VariantEditor):
            self._widgets = [self.label, self.editor.combo, self.editor]
            grid.addWidget(self.label, at, 0)
            grid.addWidget(self.editor.combo, at, 1)
            grid.addWidget(self.editor, at + 1, 0, 1, 2)
        else:
            self._widgets = [self.label, self.editor]
            grid.addWidget(self.label, at, 0)
            grid.addWidget(self.editor, at, 1)
        grid.addWidget(self.message, at + 2, 1)

    def search(self, words: str) -> int:
        """Hide the row unless a search means it or something inside; return how many parameters it means."""
        is_meant_itself = is_meant(self.field, words)
        found = int(is_meant_itself)
        if isinstance(self.editor, Form | VariantEditor):
            # What is meant as a whole is shown as a whole.
            found += self.editor.search("" if is_meant_itself else words)
        for widget in self._widgets:
            widget.setVisible(found > 0)
        return found

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Show messages about this field, or hand them to the fields inside."""
        if isinstance(self.editor, Form | VariantEditor):
            self.editor.show_errors(errors)
        else:
            _show(self.message, "\n".join(errors.values()))


def _editor_of(field: ParameterField, editors: Mapping[str, MakeEditor]) -> Editor:
    if field.shape is Shape.GROUP:
        return Form(field.models[""], field.path, editors=editors)
    if (path := ".".join(field.path)) in editors:
        return editors[path](field)
    return VariantEditor(field) if field.shape is Shape.VARIANT else make_editor(field)


def _about(model: type[BaseModel]) -> str:
    """Return what a kind is, and when to choose it where the model says so."""
    return str(getattr(model, "advice", "") or (model.__doc__ or "").strip().partition("\n")[0])


def _tip(field: ParameterField) -> str:
    bounds = []
    if field.minimum is not None:
        bounds.append(f"{'above' if field.open_minimum else 'at least'} {field.minimum:g}")
    if field.maximum is not None:
        bounds.append(f"at most {field.maximum:g}")
    limits = f"<br><i>{', '.join(bounds)}</i>" if bounds else ""
    return f"<p>{field.help}{limits}<br><code>{field.flag}</code></p>"


def _message_label() -> QLabel:
    label = QLabel()
    label.setProperty("role", "error")
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.hide()
    return label


def _show(label: QLabel, text: str) -> None:
    label.setText(text[:1].upper() + text[1:])
    label.setVisible(bool(text))
    repolish(label)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return value.value if isinstance(value, Enum) else value
