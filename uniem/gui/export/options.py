"""What of a volume is exported, and how: the parameters of `convert` that suit the volume and the form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFormLayout, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from uniem.data.palette import Colour
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.gui.export import plan
from uniem.gui.export.plan import ExportForm
from uniem.gui.forms.editors import QuietComboBox
from uniem.gui.forms.form import Form
from uniem.gui.forms.section import Section
from uniem.gui.panels.preview import Field
from uniem.operations.convert_parameters import (
    Colouring,
    Downsampling,
    GreyRange,
    Numbers,
    Region,
    Relabelling,
)

ALL, VISIBLE, SELECTED = "All objects", "Only those that are visible", "Only those selected in the table"
# So that the fields of all parts begin below one another.
LABEL_PX = 116


@dataclass(frozen=True, slots=True)
class OnScreen:
    """What the window shows of a volume.

    Attributes
    ----------
    view : Field or None
        The rows and columns in view; None where the volume is not shown.
    contrast : (low, high) or None
        The grey values drawn black and white.
    has_objects : bool
        Whether the labels are open for editing, so that there is a table of objects.
    hidden, selected : ids
        Objects that the user has hidden or selected.
    """

    view: Field | None = None
    contrast: tuple[float, float] | None = None
    has_objects: bool = False
    colours: Mapping[int, Colour] = field(default_factory=dict)
    hidden: frozenset[int] = frozenset()
    selected: tuple[int, ...] = ()


class ExportOptions(QWidget):
    """Ask for the parameters of an export; `look` tells what the window shows of the volume now."""

    changed = Signal()
    complained = Signal(str)

    def __init__(self, volume: Volume, forms: list[ExportForm], look: Callable[[], OnScreen]) -> None:
        super().__init__()
        self._volume, self._look, self._form = volume, look, forms[0]
        self._is_labels = volume.kind is Kind.LABELS
        self._make_forms(forms)
        self._make_choices()
        self._lay_out()
        self._connect()
        self.set_form(forms[0])

    def set_form(self, form: ExportForm) -> None:
        """Show what belongs to a form."""
        self._form = form
        for group, options in self.options.items():
            options.setVisible(group == form.group)
        self.colouring.setVisible(form.has_colours and self._is_labels)

    def values(self) -> dict[str, Any]:
        """Return the parameters of `convert`, as plain values; raise where no object is chosen."""
        values = {**self.numbers.values(), "kind": str(self._volume.kind), "region": self.region.values()}
        values["downsample"] = self.downsampling.values()
        if self._form.group:
            values[self._form.group] = self.options[self._form.group].values()
        return values | (self._label_values() if self._is_labels else self.greys.values())

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Put each message under its field, in whichever part that is."""
        left = dict(errors)
        groups = {"region": self.region, "downsample": self.downsampling, **self.options}
        for name, form in groups.items():
            mine = {path: left.pop(path) for path in list(left) if path.partition(".")[0] == name}
            form.show_errors({path.partition(".")[2]: text for path, text in mine.items()})
            if mine and form in (self.region, self.downsampling):
                self.part.open()
        for form in (self.numbers, self.greys, self.relabelling, self.colouring):
            known = form.values()
            form.show_errors({path: text for path, text in left.items() if path.partition(".")[0] in known})

    def kept(self) -> dict[str, Any]:
        """Return what suits other volumes too: not grey values, parts, prefixes or objects."""
        options = {group: form.values() for group, form in self.options.items()}
        options.get("sections", {}).pop("prefix", None)
        return {
            "options": options,
            "dtype": self.numbers.values()["dtype"],
            "clipped_percent": self.greys.values()["clipped_percent"],
            "relabelling": self.relabelling.values(),
            "colouring": self.colouring.values(),
        }

    def set_kept(self, kept: Mapping[str, Any], prefix: str) -> None:
        """Show what was kept, and a prefix for the names of sections."""
        for group, values in dict(kept.get("options", {})).items():
            if group in self.options:
                self.options[group].set_values(values)
        self.numbers.set_values({"dtype": kept.get("dtype", "same")})
        self.greys.set_values({"clipped_percent": kept.get("clipped_percent", 0.0)})
        self.relabelling.set_values(kept.get("relabelling", {}))
        self.colouring.set_values(kept.get("colouring", {}))
        self.options["sections"].set_values({"prefix": prefix})

    def _label_values(self) -> dict[str, Any]:
        seen, chosen = self._look(), self.objects.currentText()
        values = dict(self.relabelling.values())
        if chosen == VISIBLE:
            values["without"] = plan.ids_in_words(seen.hidden)
        elif chosen == SELECTED:
            if not seen.selected:
                raise UniemError("No object is selected.", "Select some in the table of objects.")
            values["only"] = plan.ids_in_words(seen.selected)
        if self._form.has_colours and self.colouring.values()["colour"]:
            values |= {"colour": True, "colours": plan.colours_in_words(seen.colours)}
        return values

    def _make_forms(self, forms: list[ExportForm]) -> None:
        self.numbers, self.greys, self.relabelling = Form(Numbers), Form(GreyRange), Form(Relabelling)
        self.colouring, self.region = Form(Colouring), Form(Region, ("region",))
        self.downsampling = Form(Downsampling, ("downsample",))
        models = {form.group: plan.model_of(form) for form in forms}
        self.options = {group: Form(model, (group,)) for group, model in models.items() if model is not None}

    def _make_choices(self) -> None:
        self.from_screen = QPushButton("Contrast on screen")
        self.from_screen.setToolTip("Take the grey values that are black and white on the canvas now.")
        self.from_view = QPushButton("What is in view")
        self.from_view.setToolTip("Take the rows and columns that the canvas shows now, in every section.")
        self.whole = QPushButton("Whole volume")
        self.objects = QuietComboBox()
        has_objects = self._look().has_objects
        self.objects.addItems([ALL, VISIBLE, SELECTED] if has_objects else [ALL])
        self.objects.setEnabled(has_objects)
        self.objects.setToolTip(
            "Hide or select objects in their table, while the labels are open for editing, to export only "
            "some of them."
        )

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (*self.options.values(), self.colouring):
            column.addWidget(part)
        column.addWidget(Section("Numbers", self._lay_out_numbers()))
        self.part = Section("Part and scale", self._lay_out_region(), is_open=False)
        column.addWidget(self.part)
        for grid in self.findChildren(QGridLayout):
            grid.setColumnMinimumWidth(0, LABEL_PX)

    def _lay_out_numbers(self) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.addWidget(self.numbers)
        if self._is_labels:
            rows = QFormLayout()
            rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
            label = QLabel("Objects")
            label.setMinimumWidth(LABEL_PX)
            rows.addRow(label, self.objects)
            column.addLayout(rows)
            column.addWidget(self.relabelling)
        else:
            column.addWidget(self.greys)
            column.addLayout(in_a_row([self.from_screen], []))
        return part

    def _lay_out_region(self) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.addWidget(self.region)
        column.addLayout(in_a_row([self.from_view, self.whole], []))
        column.addWidget(wrapped("quiet", "Coarser by how many sections, rows and columns that become one:"))
        column.addWidget(self.downsampling)
        return part

    def _connect(self) -> None:
        common = [self.numbers, self.greys, self.relabelling, self.colouring, self.region, self.downsampling]
        for form in (*common, *self.options.values()):
            form.changed.connect(self.changed)
        self.objects.currentIndexChanged.connect(self.changed)
        self.from_screen.clicked.connect(self._take_contrast)
        self.from_view.clicked.connect(self._take_view)
        self.whole.clicked.connect(self._take_whole)

    def _take_contrast(self) -> None:
        contrast = self._look().contrast
        if contrast is None:
            self.complained.emit("The volume is not on the canvas. Show it first.")
            return
        self.greys.set_values({"low": contrast[0], "high": contrast[1], "clipped_percent": 0.0})
        self.changed.emit()

    def _take_view(self) -> None:
        view = self._look().view
        if view is None:
            self.complained.emit("The volume is not on the canvas. Show it first.")
            return
        (top, bottom), (left, right) = view.y, view.x
        rows = {"first_row": top, "row_count": bottom - top}
        self.region.set_values({**rows, "first_column": left, "column_count": right - left})
        self.changed.emit()

    def _take_whole(self) -> None:
        self.region.reset()
        self.downsampling.reset()
        self.changed.emit()


def wrapped(role: str, text: str = "") -> QLabel:
    """Return a text that wraps and can be copied, in the style of a role; hidden while it is empty."""
    label = QLabel(text)
    label.setProperty("role", role)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setVisible(bool(text))
    return label


def in_a_row(left: list[QWidget], right: list[QWidget]) -> QHBoxLayout:
    """Return widgets side by side, some at the left and some at the right."""
    row = QHBoxLayout()
    for widget in left:
        row.addWidget(widget)
    row.addStretch(1)
    for widget in right:
        row.addWidget(widget)
    return row
