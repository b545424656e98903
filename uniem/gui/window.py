"""What the parts of the window may use of it: the other parts, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMainWindow

from uniem.gui.annotator.markers import MarkerSet

if TYPE_CHECKING:
    from uniem.gui.annotator.annotator import MeshAnnotator
    from uniem.gui.appearance import Appearance
    from uniem.gui.canvas.canvas import Canvas
    from uniem.gui.layout import Layout
    from uniem.gui.menus import ActionSet
    from uniem.gui.messages import MessageBar
    from uniem.gui.notices import NoticeArea
    from uniem.gui.opening.opening import Opening
    from uniem.gui.panel_dock import PanelDock
    from uniem.gui.results import Results
    from uniem.gui.sessions import Sessions
    from uniem.gui.showing import Showing
    from uniem.gui.tables.object_table import ObjectTableView
    from uniem.jobs.queue import JobQueue
    from uniem.workspace import Settings, Workspace


class Window(QMainWindow):
    """A window whose parts know each other through it; `MainWindow` makes them."""

    workspace: Workspace
    queue: JobQueue
    settings: Settings
    canvas: Canvas
    message: MessageBar
    notices: NoticeArea
    showing: Showing
    results: Results
    sessions: Sessions
    opening: Opening
    panels: PanelDock
    objects: ObjectTableView
    annotator: MeshAnnotator | None
    markers: MarkerSet
    appearance: Appearance
    layout_of_docks: Layout
    action_set: ActionSet

    def __init__(self) -> None:
        super().__init__()
        # They are there, and are kept, whether or not the 3D view is.
        self.markers = MarkerSet()
