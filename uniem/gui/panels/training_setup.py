"""What is to be trained and how: a simple page and one with everything, on the same parameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from uniem.data.volume import Volume
from uniem.gui.background import Background, Task
from uniem.gui.forms.editors import make_editor
from uniem.gui.forms.form import Form, MakeEditor
from uniem.gui.panels.plan_line import PlanLine, Speeds, about
from uniem.gui.panels.simple_page import USUAL_MINUTES, USUAL_MINUTES_OF_FOLDS, SimplePage
from uniem.networks.advice import advise
from uniem.networks.label_facts import LabelFacts, look_through
from uniem.networks.planning import free_memory, measure_processor, share_of_fold
from uniem.networks.settings import TrainingSettings
from uniem.operations.parameters import Parameters, defaults_of, fields_of
from uniem.workspace import Settings

MODE, CHOSEN, CHOSEN_FOR_FOLDS = "training page", "training choice", "cross-validation choice"
SIMPLE, ADVANCED = "Simple", "Advanced"
REFRESH_MS = 80
# What the advice sets: parameters that somebody changed by hand are left alone.
ADVISED = ("network", "loss", "steps", "patch_size", "batch_size", "validate_every")
# Parameters that the simple page asks for as the advanced one does.
ASKED = ("folds", "further")
SECTIONS = {
    "What to find": ("task", "object_label", "class_names", "boundary_width", "background_label",
                     "ignore_label", "use_empty_sections", "further"),
    "Network": ("network",),
    "Duration": ("max_minutes", "steps", "patience"),
    "Loss": ("loss", "class_weights", "manual_weights"),
    "Patches": ("patch_size", "batch_size", "foreground", "seed"),
    "Changes to patches": ("augmentation",),
    "Learning": ("optimiser", "learning_rate", "schedule"),
    "Judging": ("folds", "validation_fraction", "validation_sections", "validation_boxes", "criterion",
                "validate_every", "validation_windows"),
    "Computer": ("device", "precision"),
}  # fmt: skip


class TrainingSetup(QWidget):
    """Two pages on one form of parameters; the simple one chooses what the user does not.

    Signals
    -------
    changed
        Parameters are others, or what the labels hold is known now.
    measure_wanted, patches_wanted
        The user wants to know how fast it is, or to see patches.
    """

    changed = Signal()
    measure_wanted = Signal()
    patches_wanted = Signal()

    def __init__(
        self, form: Form, model: type[Parameters], settings: Settings, editors: Mapping[str, MakeEditor]
    ) -> None:
        super().__init__()
        asked = {
            field.name: editors[field.name](field) if field.name in editors else make_editor(field)
            for field in fields_of(model)
            if field.name in ASKED
        }
        for name, editor in asked.items():
            editor.setToolTip(form.editor(name).toolTip())
        folds = asked.get("folds")
        self.form, self.simple, self.plan = form, SimplePage(asked), PlanLine()
        self._chosen = CHOSEN if folds is None else CHOSEN_FOR_FOLDS
        self.speeds = Speeds(settings)
        self.search = QLineEdit()
        self.measure, self.patches = QPushButton("Measure"), QPushButton("Show patches…")
        self._model, self._settings = model, settings
        self._facts: LabelFacts | None = None
        self._looking: Task | None = None
        self._place = Path()
        self._background = Background(self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(REFRESH_MS)
        self._soon.timeout.connect(self.refresh)
        self._build()
        self._connect()
        if settings.get(self._chosen) is None:
            form.set_values({"max_minutes": USUAL_MINUTES if folds is None else USUAL_MINUTES_OF_FOLDS})
        self._show_mode()
        self._background.run(lambda task: measure_processor(), self._take_processor)

    @property
    def is_simple(self) -> bool:
        """Tell whether the simple page is in front."""
        return bool(self.modes[SIMPLE].isChecked())

    @property
    def is_automatic(self) -> bool:
        """Tell whether network, loss and batch are those that were chosen here, not by hand."""
        now = self._advised(self.form.values())
        kept = self._settings.get(self._chosen)
        return now in (kept, self._advised(defaults_of(self._model)))

    @property
    def folds(self) -> int:
        """How many networks are trained: 1, or as many as there are folds."""
        return int(self.form.values().get("folds") or 1)

    def close_down(self) -> None:
        """Drop what is being looked at."""
        self._soon.stop()
        self._background.cancel()

    def settings_now(self) -> Any:
        """Return the parameters as a model; None where one is wrong."""
        try:
            return self._model.model_validate(self.form.values())
        except ValidationError:
            return None

    def look_at(self, labels: Volume | None) -> None:
        """Find out, in the background, what labels hold."""
        if self._looking is not None:
            self._looking.cancel()
        if labels is None:
            self._take_facts(None)
            return
        self._looking = self._background.run(
            lambda task: look_through(labels, lambda: task.is_cancelled), self._take_facts
        )

    def plan_for(self, place: Path) -> None:
        """Take notice of where the model will go."""
        self._place = place
        self._soon.start()

    def choose(self) -> None:
        """Choose network, loss and batch anew, whatever they are."""
        settings = self.settings_now()
        if settings is None:
            self.form.set_values({name: defaults_of(self._model)[name] for name in ADVISED})
            settings = self.settings_now()
        speed = self.speeds.of(settings.network.kind) if settings is not None else None
        if settings is None or speed is None:
            return
        facts = self._facts or LabelFacts(0, 0, {})
        folds = self.folds
        advice = advise(share_of_fold(settings, folds), facts, speed, free_memory())
        if self._advised(self.form.values()) != advice.values:
            self.form.set_values(advice.values)
        self._settings.set(self._chosen, self._advised(self.form.values()))
        self.simple.explain(self._caution() + self._about_folds(settings) + advice.reason, is_by_hand=False)

    def prepare(self) -> None:
        """Before a start: choose for the user who left it to us."""
        if self.is_simple and self.is_automatic:
            self.choose()

    def refresh(self) -> None:
        """Show on both pages what the parameters are, and what they will cost."""
        self.simple.show_values(self.form.values())
        if self.is_simple and self.is_automatic:
            self.choose()
        elif self.is_simple:
            kind = self.form.values()["network"]["kind"]
            text = f"Network ({kind}), loss and batch are as they were set under {ADVANCED}."
            self.simple.explain(self._caution() + text, is_by_hand=True)
        settings = self.settings_now()
        if settings is None:
            self.plan.show_note("Some parameters do not go together: Train tells which.")
        else:
            self.plan.show_plan(settings, self.speeds, self._place, self.folds)
        self.changed.emit()

    def _build(self) -> None:
        self.search.setPlaceholderText("Search the parameters")
        self.search.setClearButtonEnabled(True)
        self._found = QLabel()
        self._found.setProperty("role", "quiet")
        self._found.hide()
        self._advanced = QWidget()
        inner = QVBoxLayout(self._advanced)
        inner.setContentsMargins(0, 4, 0, 0)
        for widget in (self.search, self._found, self.form):
            inner.addWidget(widget)
        self.measure.setToolTip("Train a few steps, for less than a minute, to know time and speed for sure.")
        self.patches.setToolTip("See what the network will learn from, and how the parameters change it.")
        buttons = QHBoxLayout()
        buttons.addWidget(self.measure)
        buttons.addWidget(self.patches)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.addLayout(self._make_modes())
        column.addWidget(self.simple)
        column.addWidget(self._advanced)
        column.addWidget(self.plan)
        column.addLayout(buttons)

    def _make_modes(self) -> QHBoxLayout:
        self.modes = {name: QToolButton() for name in (SIMPLE, ADVANCED)}
        group, row = QButtonGroup(self), QHBoxLayout()
        row.setSpacing(0)
        tips = {SIMPLE: "The little that has to be said", ADVANCED: "Every parameter; what is set is kept"}
        for name, button in self.modes.items():
            button.setText(name)
            button.setCheckable(True)
            button.setProperty("role", "choice")
            button.setToolTip(tips[name])
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            group.addButton(button)
            row.addWidget(button)
        kept = str(self._settings.get(MODE, SIMPLE))
        self.modes[kept if kept in self.modes else SIMPLE].setChecked(True)
        return row

    def _connect(self) -> None:
        self.modes[SIMPLE].toggled.connect(self._show_mode)
        self.simple.changed.connect(self._take_simple)
        self.simple.choice_wanted.connect(self._choose_again)
        self.form.changed.connect(self._soon.start)
        self.search.textChanged.connect(self._search)
        self.measure.clicked.connect(self.measure_wanted)
        self.patches.clicked.connect(self.patches_wanted)

    def _show_mode(self) -> None:
        self.simple.setVisible(self.is_simple)
        self._advanced.setVisible(not self.is_simple)
        self._settings.set(MODE, SIMPLE if self.is_simple else ADVANCED)
        self.refresh()

    def _search(self, words: str) -> None:
        count = self.form.search(words)
        self._found.setText("No parameter is called or described so." if not count else "")
        self._found.setVisible(not count)

    def _take_simple(self) -> None:
        self.form.set_values(self.simple.values())
        self.refresh()

    def _choose_again(self) -> None:
        self.choose()
        self.refresh()

    def _take_facts(self, facts: LabelFacts | None) -> None:
        self._facts = facts
        self.simple.offer(facts)
        self.refresh()

    def _take_processor(self, gflops: float) -> None:
        self.speeds.processor = gflops
        self.refresh()

    def _caution(self) -> str:
        if self._facts is not None and not self._facts.sections:
            return "Nothing is painted in these labels yet. "
        return ""

    def _about_folds(self, settings: TrainingSettings) -> str:
        minutes = share_of_fold(settings, self.folds).max_minutes
        if self.folds == 1 or minutes is None:
            return ""
        each = about(minutes * 60)
        return f"{self.folds} networks learn for {each} each, and each is judged on another part. "

    @staticmethod
    def _advised(values: dict[str, Any]) -> dict[str, Any]:
        return {name: values[name] for name in ADVISED}
