"""The export dialog: what of a volume goes where in which form, what that makes, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from qtpy.QtCore import QTimer, QUrl
from qtpy.QtGui import QCloseEvent, QDesktopServices
from qtpy.QtWidgets import (
    QDialog,
    QFileDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from uniem import paths
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.gui.export import plan
from uniem.gui.export.options import LABEL_PX, ExportOptions, OnScreen, in_a_row, wrapped
from uniem.gui.export.plan import ExportForm
from uniem.gui.forms.editors import QuietComboBox
from uniem.gui.forms.section import TallArea
from uniem.gui.messages import choose
from uniem.gui.panels.naming import stem_of
from uniem.gui.panels.pickers import facts_of
from uniem.gui.panels.progress_row import ProgressRow
from uniem.jobs.events import Ending, Phase
from uniem.jobs.queue import Job, JobQueue
from uniem.operations.convert_parameters import ConvertParameters
from uniem.operations.outputs import path_of
from uniem.operations.parameters import messages_of
from uniem.workspace import OpenItem, Settings

REPLACE, ADD, CANCEL = "Replace", "Add", "Cancel"
SETTLE_MS = 150

Exporter = Callable[[OpenItem, str, dict[str, Any], bool], Job | None]


class ExportDialog(QDialog):
    """Ask how to export a volume, start the job, and follow it.

    Parameters
    ----------
    export : callable
        `(item, location, parameters, overwrite)` saves edits and queues the job; None where it refused.
    look : callable
        Returns what the window shows of the item now.
    """

    def __init__(
        self,
        item: OpenItem,
        queue: JobQueue,
        settings: Settings,
        export: Exporter,
        look: Callable[[], OnScreen],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        assert isinstance(item.noun, Volume)
        self.item, self.volume = item, item.noun
        self.job: Job | None = None
        self._queue, self._settings, self._export = queue, settings, export
        self._is_suggested = True
        self._make_choices(look)
        self._make_end()
        self._lay_out()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.show_summary)
        self._remember_back()
        self._connect()
        queue.changed.connect(self._follow)
        self._take_form()

    @property
    def form(self) -> ExportForm:
        """The form chosen."""
        return self._forms[self.form_choice.currentIndex()]

    @property
    def location(self) -> str:
        """The place chosen, with the name of a dataset where one is given."""
        place = self.place.text().strip()
        if place and self.form.is_folder and not self.form.ending and not place.endswith(("/", "\\")):
            place += "/"
        dataset = self.dataset.text().strip() if self.form.has_datasets else ""
        return f"{place}::{dataset}" if place and dataset else place

    def parameters(self) -> ConvertParameters | None:
        """Return the parameters; None, with messages under the fields, where they are wrong."""
        try:
            params = ConvertParameters.model_validate(self.options.values())
        except ValidationError as error:
            errors = messages_of(error, ConvertParameters)
            self.options.show_errors(errors)
            named = [f"{path.replace('.', ' ').replace('_', ' ')}: {text}" for path, text in errors.items()]
            self._say("", f"{'; '.join(named).capitalize()}.")
            return None
        except UniemError as error:
            self._say("", str(error))
            return None
        self.options.show_errors({})
        return params

    def show_summary(self) -> None:
        """Say what will be made, or what is wrong."""
        params = self.parameters()
        if params is None:
            return
        try:
            words = plan.summary(self.volume, params, self.form)
            needed = plan.bytes_of(self.volume, params, self.form)
            self._say(words, plan.shortage(self.location, needed) if self.location else "")
        except UniemError as error:
            self._say("", str(error))

    def run(self) -> Job | None:
        """Check everything and export; None, with messages in the dialog, where something is wrong."""
        params = self.parameters()
        if params is None:
            return None
        try:
            plan.check_place(self.location, self.form)
            plan.outline(self.volume, params, self.form)
        except UniemError as error:
            self._say("", str(error))
            return None
        is_there = path_of(self.location).exists()
        if is_there and not self._may_write():
            return None
        self._remember()
        self.job = self._export(self.item, self.location, params.model_dump(mode="json"), is_there)
        if self.job is not None:
            self._follow(self.job)
        return self.job

    def _run_clicked(self) -> None:
        self.run()

    def show_in_folder(self) -> None:
        """Show the result in the file manager."""
        show_in_folder(self.location)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop following; a job that runs goes on."""
        self._let_go()
        super().closeEvent(event)

    def reject(self) -> None:
        """Close by Esc."""
        self._let_go()
        super().reject()

    # Parts

    def _make_choices(self, look: Callable[[], OnScreen]) -> None:
        self._forms = plan.forms()
        self.options = ExportOptions(self.volume, self._forms, look)
        self.form_choice = QuietComboBox()
        self.form_choice.addItems([form.title for form in self._forms])
        self.place = QLineEdit()
        self.place.setPlaceholderText("File or folder to make")
        self.browse = QToolButton()
        self.browse.setText("Browse…")
        self.dataset = QLineEdit()
        self.dataset.setPlaceholderText("by itself in a new file")
        self.dataset.setToolTip(
            "Name of the volume in the file, which may already hold others, such as volumes/labels."
        )

    def _make_end(self) -> None:
        self.summary, self.problem = wrapped(""), wrapped("error")
        self.progress = ProgressRow()
        self.export_button = QPushButton("Export")
        self.export_button.setDefault(True)
        self.reveal = QPushButton("Show in folder")
        self.reveal.hide()
        self.close_button = QPushButton("Close")

    def _lay_out(self) -> None:
        self.setWindowTitle(f"Export {self.item.name}")
        column = QVBoxLayout(self)
        heading, facts = QLabel(self.item.name), QLabel(facts_of(self.item))
        heading.setProperty("role", "heading")
        facts.setProperty("role", "quiet")
        column.addWidget(heading)
        column.addWidget(facts)
        self.body = QWidget()
        inside = QVBoxLayout(self.body)
        inside.setContentsMargins(0, 6, 8, 0)
        inside.addLayout(self._lay_out_place())
        inside.addWidget(self.options)
        inside.addStretch(1)
        area = TallArea()
        area.setWidget(self.body)
        self.body.installEventFilter(area)
        column.addWidget(area, 1)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        for widget in (line, self.summary, self.problem, self.progress):
            column.addWidget(widget)
        column.addLayout(in_a_row([self.reveal], [self.close_button, self.export_button]))
        self.resize(600, 720)

    def _lay_out_place(self) -> QFormLayout:
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        format_label = QLabel("Format")
        format_label.setMinimumWidth(LABEL_PX)
        rows.addRow(format_label, self.form_choice)
        place = QHBoxLayout()
        place.addWidget(self.place, 1)
        place.addWidget(self.browse)
        rows.addRow("Place", place)
        self.dataset_label = QLabel("Dataset")
        rows.addRow(self.dataset_label, self.dataset)
        return rows

    def _connect(self) -> None:
        self.form_choice.currentIndexChanged.connect(self._take_form)
        self.place.textEdited.connect(self._take_place)
        self.browse.clicked.connect(self._browse)
        self.dataset.textEdited.connect(self._change)
        self.options.changed.connect(self._change)
        self.options.complained.connect(lambda text: self._say("", text))
        self.export_button.clicked.connect(self._run_clicked)
        self.reveal.clicked.connect(self.show_in_folder)
        self.close_button.clicked.connect(self.reject)
        self.progress.cancel_wanted.connect(self._cancel)

    # Answers

    def _take_form(self) -> None:
        """Show what belongs to the form chosen, and give the place its ending."""
        form = self.form
        self.options.set_form(form)
        self.dataset.setVisible(form.has_datasets)
        self.dataset_label.setVisible(form.has_datasets)
        if self._is_suggested:
            self._suggest()
        elif self.place.text():
            self.place.setText(plan.with_ending(self.place.text(), form))
        self._change()

    def _suggest(self) -> None:
        folder = Path(str(self._settings.get("export folder", "")) or Path.home())
        name = stem_of(self.item.location or self.item.name) + self.form.ending
        self.place.setText(str(paths.unused(folder / name)))

    def _take_place(self, text: str) -> None:
        self._is_suggested = not text.strip()
        self._change()

    def _change(self) -> None:
        self.reveal.hide()
        self._settle.start()

    def _browse(self) -> None:
        kind = "All files (*)" if self.form.is_folder else f"{self.form.title} (*{self.form.ending})"
        # What is there is asked about when it is about to be replaced.
        options = QFileDialog.Options(QFileDialog.Option.DontConfirmOverwrite)
        path, _ = QFileDialog.getSaveFileName(self, "Export to", self.place.text(), kind, options=options)
        if path:
            self.choose(path)

    def choose(self, place: str) -> None:
        """Take a place that the user chose, with the ending of the form."""
        self._is_suggested = False
        self.place.setText(plan.with_ending(place, self.form))
        self._change()

    def _may_write(self) -> bool:
        """Ask before anything that is there is replaced or added to."""
        path = path_of(self.location)
        adds = self.form.is_added_to(self.location)
        if not adds:
            text, hint = f"{path.name} is there already.", "What it holds will be lost."
        else:
            text = f"{path.name} is there already and is added to."
            hint = "What it holds under other names stays; what has the same name is replaced."
        return choose(self, "Export", text, (ADD if adds else REPLACE, CANCEL), hint) != CANCEL

    def _say(self, summary: str, problem: str = "") -> None:
        self.summary.setText(f"Makes {summary}." if summary else "")
        self.summary.setVisible(bool(summary))
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))

    # The job

    def _cancel(self) -> None:
        if self.job is not None:
            self._queue.cancel(self.job)

    def _follow(self, job: Job) -> None:
        if self.job is None or job.id != self.job.id:
            return
        self.job = job
        has_ended = job.status.phase is Phase.ENDED
        self.progress.show_status(job.status)
        self.body.setEnabled(has_ended)
        self.export_button.setEnabled(has_ended)
        self.reveal.setVisible(has_ended and job.status.ending is Ending.FINISHED)

    def _let_go(self) -> None:
        self._settle.stop()
        self._queue.changed.disconnect(self._follow, missing_ok=True)

    # What is remembered

    def _key(self) -> str:
        return f"export/{'labels' if self.volume.kind is Kind.LABELS else 'image'}"

    def _remember(self) -> None:
        """Remember what suits other volumes too."""
        kept = {"form": self.form.format.title, **self.options.kept()}
        self._settings.set(self._key(), kept)
        self._settings.set("export folder", str(path_of(self.location).parent))

    def _remember_back(self) -> None:
        kept = self._settings.get(self._key(), {})
        kept = kept if isinstance(kept, dict) else {}
        titles = [form.format.title for form in self._forms]
        if kept.get("form") in titles:
            self.form_choice.setCurrentIndex(titles.index(kept["form"]))
        self.options.set_kept(kept, f"{stem_of(self.item.location or self.item.name)}_")


def show_in_folder(location: str) -> None:
    """Show a file or folder in the file manager."""
    path = path_of(location)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path if path.is_dir() else path.parent)))
