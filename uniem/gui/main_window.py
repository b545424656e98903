"""The main window: the parts put together; what they do is in the parts."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QMenu, QVBoxLayout, QWidget

from uniem.errors import UniemError
from uniem.gui.action import Action
from uniem.gui.actions import WINDOW_ACTIONS, canvas_actions, operation_actions
from uniem.gui.appearance import Appearance
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.view_model import Voxel
from uniem.gui.command_palette import CommandPalette
from uniem.gui.data_dock import DataDock
from uniem.gui.first_paint import FirstPaint
from uniem.gui.help import Help
from uniem.gui.hint_bar import HintBar
from uniem.gui.item_actions import ItemActions, Screen
from uniem.gui.jobs_dock import JobsDock
from uniem.gui.layout import BOTTOM, LEFT, RIGHT, Layout
from uniem.gui.log_dock import LogDock
from uniem.gui.menus import ActionSet
from uniem.gui.meshing import Meshing
from uniem.gui.messages import MessageBar
from uniem.gui.notices import NoticeArea
from uniem.gui.opening.dropping import locations_in
from uniem.gui.opening.importing import Imports
from uniem.gui.opening.opening import Opening
from uniem.gui.opening.voxel_size import VoxelSizes
from uniem.gui.panel_dock import PanelDock
from uniem.gui.panels.preview import Field
from uniem.gui.preferences.dialog import PreferencesDialog
from uniem.gui.preferences.preferences import Preferences
from uniem.gui.projects.leaving import may_leave_jobs
from uniem.gui.projects.projects import Projects
from uniem.gui.proofreading.proofreading import Proofreading
from uniem.gui.results import Results, Viewer
from uniem.gui.sessions import Sessions
from uniem.gui.showing import Showing
from uniem.gui.status_bar import StatusBar
from uniem.gui.tables.object_table import ObjectTableView
from uniem.gui.tables.table_view import TableView
from uniem.gui.tensorboard import TensorBoard
from uniem.gui.window import Window
from uniem.jobs.queue import Job, JobQueue
from uniem.operations.operation import Role
from uniem.operations.registry import operations
from uniem.workspace import OpenItem, Settings, Workspace

if TYPE_CHECKING:
    from uniem.gui.annotator.annotator import MeshAnnotator

logger = logging.getLogger(__name__)

SETTINGS_DELAY_MS = 1000


class MainWindow(Window):
    """Everything a user sees; actions find what they call among its parts."""

    def __init__(self, workspace: Workspace, queue: JobQueue, settings: Settings) -> None:
        super().__init__()
        self.workspace, self.queue, self.settings = workspace, queue, settings
        self.setWindowTitle("uniem")
        self.setObjectName("main-window")
        self.setAcceptDrops(True)
        self.setDockOptions(
            self.DockOptions(self.DockOption.AllowTabbedDocks) | self.DockOption.AnimatedDocks
        )
        self.annotator = None
        self._is_closed = False
        self.first_paint = FirstPaint(self)
        self._make_parts()
        self._make_docks()
        self.proofreading = Proofreading(self)
        self.projects = Projects(self)
        self.action_set = ActionSet(self, [*WINDOW_ACTIONS, *canvas_actions()], _operation_actions)
        self.action_set.filled.connect(self._fill_menus)
        self.preferences = Preferences(self)
        self.help = Help(self, self.preferences.keymaps, self.canvas.model.hand)
        self._connect()
        room = QApplication.primaryScreen().availableSize()
        self.resize(min(1920, round(room.width() * 0.9)), min(1200, round(room.height() * 0.9)))
        if not self.layout_of_docks.restore():
            self.layout_of_docks.arrange()
        self.action_set.refresh()

    def show_palette(self) -> None:
        """Open the command palette."""
        self.action_set.refresh()
        CommandPalette(
            self.action_set.found(), self.preferences.keymaps.keymap, self.settings, self
        ).show_over(self)

    def show_preferences(self) -> None:
        """Open the preferences, or bring them to the front."""
        PreferencesDialog.bring_up(self.preferences, self)

    def show_annotator(self) -> None:
        """Open the 3D view; VTK is loaded only now."""
        self.layout_of_docks.bring_up("annotator")
        self._annotator()

    def dress(self) -> None:
        """Take the icons and colours of the present theme."""
        self.action_set.dress()
        self.jobs.dress()
        self.data.refresh()

    # Parts

    def _make_parts(self) -> None:
        self.canvas = Canvas(settings=self.settings)
        self.message = MessageBar(self.canvas.view)
        self.showing = Showing(self.workspace, self.canvas)
        viewers: dict[Role, Viewer] = {
            Role.IMAGE: self.showing.show,
            Role.LABELS: self.showing.show,
            Role.VOLUME: self.showing.show,
            Role.MODEL: self._show_in_list,
            Role.MESHES: self._show_meshes,
            Role.TABLE: self._show_table,
        }
        self.results = Results(self.workspace, self.queue, viewers)
        self.imports = Imports(
            self.workspace, self.queue, self.canvas, self.results, lambda: self.data.current, self
        )
        self.sessions = Sessions(self.workspace, self.imports, self.canvas, self.showing, self)
        self.opening = Opening(self.workspace, self.results, self.settings, self)
        self.panels = PanelDock(self.workspace, self.queue, self.settings, self.showing.field_in_view)
        self.voxel_sizes = VoxelSizes(self.workspace, self.settings, self.sessions, self)
        self.notices = NoticeArea(self.canvas.view, self.message)
        for bar in (self.opening.busy_bar, self.voxel_sizes.bar):
            self.notices.add(bar)
        screen = Screen(self.canvas, self.showing, lambda: self.objects.selected)
        self.items = ItemActions(
            self.workspace, self.queue, self.sessions, self.results, self.panels, self.settings, screen, self
        )
        self.data = DataDock(self.workspace, self.message.show_error)
        self.jobs = JobsDock(self.queue, self.message.show_error)
        self.log = LogDock()
        self.objects = ObjectTableView(self.message.show_error)
        self.table = TableView()
        self.meshing = Meshing(
            self.queue, self.showing, self.sessions, self.results, self.objects, self.voxel_sizes.ask
        )
        self.tensorboard = TensorBoard(self.workspace, self.queue, self)
        self.appearance = Appearance(self.settings, self.dress)
        self.status = StatusBar(self.canvas, self.sessions, self.queue)
        self.setStatusBar(self.status)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.canvas, 1)
        column.addWidget(HintBar(self.canvas))
        self.setCentralWidget(middle)

    def _make_docks(self) -> None:
        self.setCorner(Qt.Corner.BottomRightCorner, RIGHT)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, self.tabPosition(LEFT))
        docks = self.layout_of_docks = Layout(self, self.settings)
        docks.add("data", "Data", LEFT, self.data)
        docks.add("layers", "Layers", LEFT, self.canvas.layers_panel, below="data")
        docks.add("panels", "Operation", RIGHT, self.panels)
        docks.add("objects", "Objects", RIGHT, self.objects)
        docks.add("annotator", "3D annotator", RIGHT).hide()
        docks.add("jobs", "Jobs", BOTTOM, self.jobs)
        docks.add("table", "Table", BOTTOM, self.table)
        docks.add("log", "Log", BOTTOM, self.log)
        for name in ("panels", "jobs"):
            docks.bring_up(name)

    def _fill_menus(self) -> None:
        recent = QMenu("Open recent", self)
        recent.aboutToShow.connect(lambda: self.opening.fill_recent(recent))
        recent.aboutToShow.connect(lambda: self.projects.add_recent(recent))
        file = self.action_set.menu("File")
        file.insertMenu(self.action_set["new-labels"], recent)
        file.insertSeparator(self.action_set["new-labels"])
        view = self.action_set.menu("View")
        view.addSeparator()
        docks = view.addMenu("Docks")
        for dock in self.layout_of_docks.docks.values():
            docks.addAction(dock.toggleViewAction())

    def _connect(self) -> None:
        for part in (
            self.sessions,
            self.meshing,
            self.imports,
            self.items,
            self.results,
            self.voxel_sizes,
            self.projects,
            self.tensorboard,
        ):
            part.told.connect(self.message.show_note)
            part.failed.connect(self.message.show_error)
        self.showing.told.connect(self.message.show_note)
        self.opening.failed.connect(self.message.show_error)
        self.opening.project_wanted.connect(self.projects.open)
        self.opening.opened.connect(self.voxel_sizes.want)
        self.opening.opened.connect(self.data.select)
        self.voxel_sizes.changed.connect(self.showing.measure_anew)
        self.voxel_sizes.changed.connect(lambda _: self.objects.model.refresh())
        self.table.failed.connect(self.message.show_error)
        self.showing.changed.connect(self.action_set.refresh)
        self.data.selected.connect(self.action_set.refresh)
        self.data.show_wanted.connect(self.results.show)
        self.data.add_wanted.connect(self.showing.add)
        self.data.hide_wanted.connect(self.showing.hide)
        self.data.edit_wanted.connect(self.sessions.edit)
        self.data.export_wanted.connect(self.items.ask_export)
        self.data.import_wanted.connect(self.imports.ask)
        self.data.voxel_size_wanted.connect(self.voxel_sizes.ask)
        self.data.rerun_wanted.connect(self.items.run_again)
        self.data.use_wanted.connect(self.items.infer_with)
        self.data.train_wanted.connect(self.items.train_with)
        self.data.close_wanted.connect(self.items.close)
        self.jobs.result_wanted.connect(self.results.open_results)
        self.panels.opened.connect(lambda _: self.layout_of_docks.bring_up("panels"))
        self.panels.submitted.connect(self._take_job)
        self.panels.before_run.connect(self.sessions.save_for)
        self.panels.tried.connect(self._show_trial)
        self._connect_objects()
        self.settings.changed.connect(self._keep_settings_soon)
        self._settings_clock = QTimer(self)
        self._settings_clock.setSingleShot(True)
        self._settings_clock.setInterval(SETTINGS_DELAY_MS)
        self._settings_clock.timeout.connect(self._keep_settings)
        self.layout_of_docks.docks["annotator"].visibilityChanged.connect(self._fill_annotator)

    def _connect_objects(self) -> None:
        self.sessions.session_changed.connect(self._take_session)
        self.sessions.history_changed.connect(self.action_set.refresh)
        self.objects.jump_wanted.connect(self.showing.jump_to)
        self.objects.chosen.connect(self._take_label)
        self.objects.meshes_wanted.connect(self.meshing.show_selected)
        self.table.jump_wanted.connect(self.showing.jump_to)
        self.canvas.menu_wanted.connect(self._show_canvas_menu)
        self.canvas.view_changed.connect(self.panels.field_moved)

    # Answers

    def _take_session(self, session: object) -> None:
        self.objects.set_session(self.sessions.session)
        if session is not None:
            self.layout_of_docks.bring_up("objects")
        self.action_set.refresh()

    def _take_label(self, label: int) -> None:
        self.canvas.model.hand.label = label

    def _take_job(self, job: Job) -> None:
        self.layout_of_docks.bring_up("jobs")
        self.jobs.select(job)
        panel = self.panels.shown
        if panel is not None and panel.opens_results:
            self.results.open_when_done(job)

    def _show_trial(self, job: Job, field: Field) -> None:
        try:
            item = self.results.open(next(iter(job.status.outputs.values())))
            self.showing.show_trial(item.noun, field)  # type: ignore[arg-type]  # infer-2d makes a volume
            self.workspace.close(item)
        except UniemError as error:
            self.message.show_error(str(error))

    def _show_in_list(self, item: OpenItem) -> None:
        self.layout_of_docks.bring_up("data")
        self.data.select(item)

    def _show_meshes(self, item: OpenItem) -> None:
        self.show_annotator()
        if isinstance(item.noun, list):
            session = self.sessions.session if self.items.is_of_edited(item) else None
            voxels = (
                {mesh.label: session.objects[mesh.label].voxels for mesh in item.noun} if session else None
            )
            self._annotator().add_meshes(item.noun, voxels)

    def _show_table(self, item: OpenItem) -> None:
        if isinstance(item.noun, Path):
            self.table.show_file(item.noun)
            self.layout_of_docks.bring_up("table")

    def _show_canvas_menu(self, voxel: Voxel | None, place: QPoint) -> None:
        menu = QMenu(self)
        if voxel is not None and voxel.label:
            label = voxel.label
            menu.addAction(f"Take label {label} into the hand", lambda: self._take_label(label))
            menu.addAction("Show in the object table", lambda: self._show_row(label))
            menu.addSeparator()
            self.proofreading.objects.fill_menu(menu, label)
        for id in ("undo", "redo", "new-labels", "edit-labels", "fit", "auto-contrast"):
            menu.addAction(self.action_set[id])
        menu.exec_(place)

    def _show_row(self, label: int) -> None:
        self.layout_of_docks.bring_up("objects")
        self.objects.select(label)

    # The 3D view

    def _fill_annotator(self, is_visible: bool) -> None:
        # A dock that was open when the window was last closed gets its view after the first paint.
        if is_visible and self.annotator is None:
            QTimer.singleShot(0, self._make_annotator)

    def _make_annotator(self) -> None:
        self._annotator()

    def _annotator(self) -> MeshAnnotator:
        if self.annotator is None:
            from uniem.gui.annotator.annotator import MeshAnnotator

            self.annotator = MeshAnnotator(self.markers)
            # Beside the canvas there is more height than width to spare.
            self.annotator.splitter.setOrientation(Qt.Orientation.Vertical)
            self.annotator.object_picked.connect(self._take_picked)
            self.layout_of_docks.docks["annotator"].setWidget(self.annotator)
        size = self.canvas.model.labels.voxel_size if self.canvas.model.labels is not None else None
        if size is not None:
            self.annotator.set_voxel_size(size)
        return self.annotator

    def _take_picked(self, label: int, place_nm: tuple[float, float, float]) -> None:
        self.objects.select(label)
        labels = self.canvas.model.labels
        if labels is not None and labels.voxel_size is not None:
            z, y, x = (nm / edge for nm, edge in zip(place_nm, labels.voxel_size, strict=True))
            self.showing.jump_to(z, y, x)

    # Settings and the end

    def _keep_settings_soon(self, _key: str = "") -> None:
        self._settings_clock.start()

    def _keep_settings(self) -> None:
        try:
            self.settings.save()
        except UniemError as error:
            logger.warning("%s", error)

    def _may_close(self) -> bool:
        return self.sessions.may_close() and may_leave_jobs(self, self.queue)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take any file, folder or address."""
        if locations_in(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        event.acceptProposedAction()
        self.opening.open(locations_in(event.mimeData()))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about what would be lost; then remember the layout and let go of everything."""
        if self._is_closed:
            return
        if not self._may_close():
            event.ignore()
            return
        self._is_closed = True
        self.layout_of_docks.remember()
        self.projects.close_down()
        self._settings_clock.stop()
        self.settings.changed.disconnect(self._keep_settings_soon)
        self._keep_settings()
        for part in (
            self.tensorboard,
            self.items,
            self.proofreading,
            self.opening,
            self.voxel_sizes,
            self.imports,
            self.sessions,
            self.panels,
            self.results,
            self.showing,
        ):
            part.close_down()
        for view in (self.data, self.jobs, self.log, self.objects, self.status):
            view.close_down()
        self.canvas.close_views()
        if self.annotator is not None:
            self.annotator.close()
        super().closeEvent(event)


def _operation_actions() -> list[Action]:
    return operation_actions(operations().values())
