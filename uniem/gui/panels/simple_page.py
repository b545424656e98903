"""The simple page of a training: what to find, how long, and what is chosen for that and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QPushButton, QWidget

from uniem.gui.forms.editors import Editor, QuietComboBox
from uniem.networks.label_facts import LabelFacts

EVERYTHING = "Everything that is painted"
CLASSES = "Each label as a class of its own"
BOUNDARIES = "The boundaries between labels"
GRAY = "A gray image like that given as labels"
MINUTES: tuple[tuple[str, float | None], ...] = (
    ("5 minutes, for a first look", 5.0),
    ("15 minutes", 15.0),
    ("30 minutes", 30.0),
    ("1 hour", 60.0),
    ("4 hours", 240.0),
    ("Overnight: 12 hours", 720.0),
    ("Until all steps are done", None),
)
TITLES = {"folds": "Folds", "further": "More volumes"}
USUAL_MINUTES, USUAL_MINUTES_OF_FOLDS = 15.0, 60.0


class SimplePage(QWidget):
    """Ask what to find and how long to train, and what else there are editors for, by name.

    Signals
    -------
    changed
        The user chose something.
    choice_wanted
        The user wants network and loss to be chosen again, instead of those set by hand.
    """

    changed = Signal()
    choice_wanted = Signal()

    def __init__(self, asked: Mapping[str, Editor]) -> None:
        super().__init__()
        self.asked = asked
        self.what, self.minutes = QuietComboBox(), QuietComboBox()
        self.what.setToolTip("What the network learns to mark, of all that is painted in the labels.")
        self.minutes.setToolTip(
            "When the training ends. It can be stopped earlier, and keeps the best model."
        )
        for text, minutes in MINUTES:
            self.minutes.addItem(text, minutes)
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.reason.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.choose = QPushButton("Choose for me")
        self.choose.setToolTip("Take back network, loss and batch that were set under Advanced.")
        self.choose.clicked.connect(self.choice_wanted)
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        layout.addRow("What to find", self.what)
        layout.addRow("How long in all" if "folds" in asked else "How long", self.minutes)
        for name, editor in asked.items():
            layout.addRow(TITLES[name], editor)
            editor.changed.connect(self.changed)
        if "folds" in asked:
            self.minutes.setToolTip("When the last fold ends. Stopped earlier, it keeps the finished folds.")
        layout.addRow(self.reason)
        layout.addRow(self.choose)
        self.offer(None)
        for combo in (self.what, self.minutes):
            combo.activated.connect(self.changed)

    def offer(self, facts: LabelFacts | None) -> None:
        """Offer what the labels hold, and keep what is chosen."""
        kept = self.values()
        self.what.clear()
        self.what.addItem(EVERYTHING, {"task": "binary", "object_label": None})
        for label in facts.classes if facts else ():
            self.what.addItem(f"Label {label} only", {"task": "binary", "object_label": label})
        for text, task in ((CLASSES, "multi-class"), (BOUNDARIES, "boundary"), (GRAY, "gray")):
            self.what.addItem(text, {"task": task, "object_label": None})
        if kept:
            self.show_values(kept)

    def values(self) -> dict[str, Any]:
        """Return task, label and time as parameters."""
        chosen = self.what.currentData()
        if not chosen:
            return {}
        asked = {name: editor.value() for name, editor in self.asked.items()}
        return {**chosen, "max_minutes": self.minutes.currentData(), **asked}

    def show_values(self, values: dict[str, Any]) -> None:
        """Show task, label and time as they are in the parameters, whatever they are."""
        for name, editor in self.asked.items():
            if name in values and editor.value() != values[name]:
                editor.set_value(values[name])
        task = str(values.get("task", "binary"))
        label = values.get("object_label") if task == "binary" else None
        wanted = {"task": task, "object_label": label}
        places = [place for place in range(self.what.count()) if self.what.itemData(place) == wanted]
        if not places:
            self.what.addItem(f"Label {label} only" if label is not None else task, wanted)
        self.what.setCurrentIndex(places[0] if places else self.what.count() - 1)
        minutes = values.get("max_minutes")
        spots = [place for place in range(self.minutes.count()) if self.minutes.itemData(place) == minutes]
        if not spots:
            self.minutes.addItem(f"{minutes:g} minutes", minutes)
        self.minutes.setCurrentIndex(spots[0] if spots else self.minutes.count() - 1)

    def explain(self, reason: str, is_by_hand: bool) -> None:
        """Say what is chosen and why, or that it was set by hand."""
        self.reason.setText(reason)
        self.choose.setVisible(is_by_hand)
