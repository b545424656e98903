"""The panel of an operation, read off its declaration: inputs, parameters, outputs, Preview and Run."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from uniem import paths
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.gui.forms.form import Form
from uniem.gui.forms.section import Section, TallArea
from uniem.gui.panels import naming
from uniem.gui.panels.command_line import command_of
from uniem.gui.panels.pickers import InputPicker, OutputField
from uniem.gui.panels.preview import Comparison, Curtain, Field, PreviewMaker, compare
from uniem.gui.panels.progress_row import ProgressRow
from uniem.jobs.events import Phase
from uniem.jobs.queue import Job, JobQueue
from uniem.jobs.request import JobRequest
from uniem.operations.operation import Operation, Role
from uniem.operations.outputs import path_of
from uniem.operations.parameters import Parameters, messages_of
from uniem.workspace import Settings, Workspace

FieldInView = Callable[[], Field | None]


class OperationPanel(QWidget):
    """Ask for what an operation needs, run it as a job, and follow the job.

    Signals
    -------
    submitted : Job
        A job was queued from here.
    before_run
        Emitted before anything is read, so that unsaved edits can be saved.
    """

    submitted = Signal(object)
    before_run = Signal(list)

    def __init__(
        self,
        operation: Operation,
        workspace: Workspace,
        queue: JobQueue,
        settings: Settings,
        field_in_view: FieldInView = lambda: None,
    ) -> None:
        super().__init__()
        self.operation = operation
        self.job: Job | None = None
        self._workspace, self._queue, self._settings = workspace, queue, settings
        self._field_in_view = field_in_view
        self.form = self.make_form()
        self.inputs = {name: InputPicker(role, workspace) for name, role in operation.inputs.items()}
        self.outputs = {name: OutputField(role) for name, role in operation.outputs.items()}
        self.progress = ProgressRow()
        self.run_button = QPushButton("Run")
        self._message = QLabel()
        self._opens_results = QCheckBox("Open results")
        self.preview_button = QPushButton("Preview")
        self.curtain = Curtain()
        self._maker = PreviewMaker(self)
        self._build()
        self._connect()
        self._remember_back()
        self._suggest_outputs()

    @property
    def opens_results(self) -> bool:
        """Tell whether results are to be opened when the job is done."""
        return bool(self._opens_results.isChecked())

    def run(self) -> Job | None:
        """Validate and queue the job; None, with messages in the panel, where something is wrong."""
        self._suggest_outputs()
        parameters = self.parameters()
        if parameters is None:
            return None
        inputs = {name: picker.location for name, picker in self.inputs.items()}
        outputs = {name: field.location for name, field in self.outputs.items()}
        try:
            self._check_complete(inputs, outputs)
            self.before_run.emit(list(inputs.values()))
            job = self._queue.submit(self._request(parameters, inputs, outputs))
        except UniemError as error:
            self.show_error(str(error))
            return None
        self.job = job
        self._settings.set(f"parameters/{self.operation.id}", self.form.values())
        self._show_job(job)
        self.submitted.emit(job)
        return job

    def parameters(self) -> Parameters | None:
        """Return the validated parameters; None, with messages under the fields, where one is wrong."""
        self.show_error("")
        try:
            parameters = self.operation.parameters.model_validate(self.form.values())
        except ValidationError as error:
            self.form.show_errors(messages_of(error, self.operation.parameters))
            self.show_error("Correct the marked parameters.")
            return None
        self.form.show_errors({})
        return parameters

    def show_error(self, text: str) -> None:
        """Show a message above the Run button; an empty one takes it away."""
        self._message.setText(text)
        self._message.setVisible(bool(text))

    def field_moved(self) -> None:
        """Take notice that another part of the volume is in view."""
        if self.preview_button.isChecked():
            self._ask_preview()

    def close_down(self) -> None:
        """Stop listening and computing."""
        self._maker.stop()
        self._queue.changed.disconnect(self._follow)
        for picker in self.inputs.values():
            picker.close_down()

    def make_middle(self, form_area: QWidget) -> QWidget:
        """Return what stands above the buttons: the form alone, unless a panel made by hand adds to it."""
        return form_area

    def make_form(self) -> Form:
        """Return the form of the parameters."""
        return Form(self.operation.parameters)

    def make_parameters(self) -> QWidget:
        """Return what stands between inputs and outputs: the form, unless a panel adds to it."""
        return Section("Parameters", _padded(self.form))

    def add_button(self, button: QPushButton) -> None:
        """Put a further button before Run."""
        self._buttons.insertWidget(self._buttons.count() - 1, button)

    def _build(self) -> None:
        body = QWidget()
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(10, 8, 10, 8)
        self._column.addWidget(self._make_heading())
        self._column.addWidget(self._make_fields("Input", self.inputs))
        if self.operation.parameters.model_fields:
            self._column.addWidget(self.make_parameters())
        self._column.addWidget(self._make_fields("Output", self.outputs))
        self.curtain.hide()
        self._column.addWidget(self.curtain, 1)
        self._column.addStretch(1)
        scroll = TallArea()
        scroll.setWidget(body)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.make_middle(scroll), 1)
        column.addWidget(self._make_foot())
        self.setMinimumWidth(330)

    def _make_heading(self) -> QWidget:
        heading, summary = QLabel(self.operation.title), QLabel(self.operation.summary)
        heading.setProperty("role", "heading")
        summary.setProperty("role", "quiet")
        summary.setWordWrap(True)
        summary.setToolTip(self.operation.description)
        widget = QWidget()
        column = QVBoxLayout(widget)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(1)
        column.addWidget(heading)
        column.addWidget(summary)
        return widget

    def _make_fields(self, title: str, fields: dict[str, Any]) -> QWidget:
        widget = QWidget()
        layout = QFormLayout(widget)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        layout.setVerticalSpacing(4)
        for name, field in fields.items():
            layout.addRow(name.replace("_", " ").capitalize(), field)
        return Section(title, widget)

    def _make_foot(self) -> QWidget:
        self._message.setProperty("role", "error")
        self._message.setWordWrap(True)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._message.hide()
        self.run_button.setDefault(True)
        self.run_button.setToolTip("Run in the background, in a process of its own.")
        self._opens_results.setToolTip("Show the results in the window when the job is done.")
        self.preview_button.setCheckable(True)
        self.preview_button.setVisible(self.operation.preview is not None)
        self.preview_button.setToolTip("Show the result on the visible part of the section, live.")
        self._buttons = row = QHBoxLayout()
        row.addWidget(self._make_more())
        row.addWidget(self._opens_results)
        row.addStretch(1)
        row.addWidget(self.preview_button)
        row.addWidget(self.run_button)
        foot = QWidget()
        foot.setProperty("role", "bar")
        column = QVBoxLayout(foot)
        column.setContentsMargins(10, 6, 10, 8)
        column.addWidget(self._message)
        column.addWidget(self.progress)
        column.addLayout(row)
        return foot

    def _make_more(self) -> QToolButton:
        menu = QMenu(self)
        menu.addAction("Reset to defaults", self.form.reset)
        menu.addAction("Load parameters…", self._load)
        menu.addAction("Save parameters…", self._save)
        menu.addSeparator()
        menu.addAction("Copy as command", self._copy_command)
        more = QToolButton()
        more.setText("⋯")
        more.setToolTip("Reset, load, save, copy as command")
        more.setMenu(menu)
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return more

    def _connect(self) -> None:
        self.run_button.clicked.connect(self._run_clicked)
        self.progress.cancel_wanted.connect(self._cancel)
        self.preview_button.toggled.connect(self._show_preview)
        self.form.changed.connect(self._ask_preview)
        self._opens_results.toggled.connect(functools.partial(self._settings.set, "open results"))
        for picker in self.inputs.values():
            picker.changed.connect(self._suggest_outputs)
            picker.changed.connect(self._ask_preview)
        self._maker.arrived.connect(self._show_comparison)
        self._queue.changed.connect(self._follow)

    def _remember_back(self) -> None:
        self._opens_results.setChecked(bool(self._settings.get("open results", True)))
        kept = self._settings.get(f"parameters/{self.operation.id}", {})
        if isinstance(kept, dict):
            self._take_values(kept)

    def _take_values(self, values: dict[str, Any]) -> None:
        """Show kept values, or the defaults where an older version's no longer fit."""
        self.form.set_values(values)
        try:
            self.operation.parameters.model_validate(self.form.values())
        except ValidationError:
            self.form.reset()

    def _suggest_outputs(self) -> None:
        folder = paths.work_folder()
        inputs = {name: picker.location for name, picker in self.inputs.items()}
        living = (job for job in self._queue.jobs if job.status.phase is not Phase.ENDED)
        taken = {path_of(place) for job in living for place in job.request.outputs.values()}
        for name, field in self.outputs.items():
            field.suggest(naming.suggest(self.operation, name, inputs, folder, taken))

    def _check_complete(self, inputs: dict[str, str], outputs: dict[str, str]) -> None:
        for name, location in (*inputs.items(), *outputs.items()):
            if not location:
                raise UniemError(f"Choose the {name.replace('_', ' ')}.")

    def _request(self, parameters: Parameters, inputs: dict[str, str], outputs: dict[str, str]) -> JobRequest:
        return JobRequest(
            operation=self.operation.id,
            version=self.operation.version,
            parameters=parameters.model_dump(mode="json"),
            inputs=inputs,
            outputs=outputs,
        )

    def _run_clicked(self) -> None:
        self.run()

    def _cancel(self) -> None:
        if self.job is not None:
            self._queue.cancel(self.job)

    def _follow(self, job: Job) -> None:
        if self.job is not None and job.id == self.job.id:
            self.job = job
            self._show_job(job)

    def _show_job(self, job: Job) -> None:
        self.progress.show_status(job.status)
        if job.status.phase is Phase.ENDED:
            self._suggest_outputs()

    def _show_preview(self, is_on: bool) -> None:
        self.curtain.setVisible(is_on)
        if is_on:
            self._ask_preview()

    def _ask_preview(self) -> None:
        if not self.preview_button.isChecked() or self.operation.preview is None:
            return
        picker = next(iter(self.inputs.values()))
        item, field = picker.item, self._field_in_view()
        parameters = self.parameters()
        if parameters is None or item is None or not isinstance(item.noun, Volume):
            return
        field = field or Field(item.noun.shape[0] // 2, (0, item.noun.shape[1]), (0, item.noun.shape[2]))
        is_labels = next(iter(self.operation.outputs.values())) is Role.LABELS
        preview = self.operation.preview
        self._maker.ask(functools.partial(compare, preview, item.noun, field, parameters, is_labels))

    def _show_comparison(self, comparison: Comparison) -> None:
        self.curtain.show_comparison(comparison)

    def _load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load parameters", "", "Parameters (*.json)")
        if path:
            self.load(Path(path))

    def load(self, path: Path) -> None:
        """Show the parameters of a JSON file: parameters alone, or a whole request."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            self.show_error(f"{path} holds no parameters: {error}.")
            return
        values = content.get("parameters", content) if isinstance(content, dict) else None
        if not isinstance(values, dict):
            self.show_error(f"{path} holds no parameters. Choose a file that was saved here.")
            return
        self.form.set_values(values)
        self.parameters()

    def _save(self) -> None:
        name = f"{self.operation.id}.json"
        path, _ = QFileDialog.getSaveFileName(self, "Save parameters", name, "Parameters (*.json)")
        if not path:
            return
        try:
            Path(path).write_text(json.dumps(self.form.values(), indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            self.show_error(f"Cannot write {path}: {error.strerror}. Choose another place.")

    def _copy_command(self) -> None:
        inputs = [picker.location or name.upper() for name, picker in self.inputs.items()]
        outputs = [field.location or name.upper() for name, field in self.outputs.items()]
        QApplication.clipboard().setText(command_of(self.operation, inputs, outputs, self.form.values()))


def _padded(form: Form) -> QWidget:
    widget = QWidget()
    column = QVBoxLayout(widget)
    column.addWidget(form)
    return widget
