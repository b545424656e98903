"""The tools of the canvas put together: one set for each view, their keys, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic

from qtpy.QtCore import QObject, QPointF, Signal
from qtpy.QtWidgets import QWidget

from uniem.gui.canvas.hand.between_sections import BetweenSections
from uniem.gui.canvas.hand.fill_tool import FillTool
from uniem.gui.canvas.hand.gray_pick import take_gray
from uniem.gui.canvas.hand.lasso_tool import LassoTool
from uniem.gui.canvas.hand.merge_tool import MergeTool, Merging
from uniem.gui.canvas.hand.options import OPTIONS_KEY, Reach
from uniem.gui.canvas.hand.options_bar import OptionsBar
from uniem.gui.canvas.hand.proposal import Proposal
from uniem.gui.canvas.hand.reshape_tool import ReshapeTool
from uniem.gui.canvas.hand.seed_tool import SeedTool
from uniem.gui.canvas.hand.split_tool import SplitTool
from uniem.gui.canvas.hand.splitting import Splitting
from uniem.gui.canvas.hand.supervoxel_tool import SupervoxelTool
from uniem.gui.canvas.hand.tool_strip import ToolStrip
from uniem.gui.canvas.hand.work_bar import WorkBar
from uniem.gui.canvas.keymap import Keymap
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.slice_view import SliceView
from uniem.gui.canvas.stroke_drawing import LineDrawing, StrokeDrawing
from uniem.gui.canvas.toolbar import OVERS
from uniem.gui.canvas.tools import CanvasTool, ToolHost
from uniem.gui.canvas.view_grid import ViewGrid
from uniem.gui.canvas.view_model import CanvasModel, Tool
from uniem.proofreading.tools.brush import Tip
from uniem.proofreading.tools.plane import Plane
from uniem.workspace import Settings

# A key held longer than this takes its tool only while it is held.
HOLD_S = 0.3
BRUSH = "brush_px"


class HandTools(QObject):
    """Build the tools and do what their keys ask.

    Signals: `stroke_finished(Stroke, label)`; `refused(str)`, why something cannot be done.
    """

    stroke_finished = Signal(object, object)
    refused = Signal(str)

    def __init__(
        self,
        model: CanvasModel,
        painting: PaintingController,
        views: Mapping[Plane, SliceView],
        settings: Settings | None,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._model, self._painting, self._settings = model, painting, settings
        self._restore()
        self.proposal, self.merging = Proposal(painting), Merging(painting)
        self.splitting = Splitting(model, painting, self.proposal)
        self.options_bar, self.strip = OptionsBar(model), ToolStrip(model)
        self._is_taking_gray = False
        self._superpixels: dict[Plane, SupervoxelTool] = {}
        self._reshapes: dict[Plane, ReshapeTool] = {}
        self.hosts = {plane: self._host(plane, view) for plane, view in views.items()}
        self._before, self._held_since = Tool.NAVIGATE, 0.0
        self._tool = model.hand.tool
        model.hand.events.tool.connect(self._note_tool)
        model.hand.events.brush_px.connect(self._keep_options)
        model.hand.options.events.connect(self._keep_options)
        self.options_bar.gray_wanted.connect(self._arm)

    def add_to(
        self, grid: ViewGrid, actions: dict[str, Callable[[], None]], endings: dict[str, Callable[[], None]]
    ) -> None:
        """Put what lies over the views in its place, and add what the keys of tools start."""
        self._grid = grid
        self.work_bar = WorkBar(grid, self._painting.maker, self.proposal)
        self.between = BetweenSections(self._model, self._painting, self.proposal, lambda: grid.current_view)
        hand = self._model.hand
        tools = ("line", "lasso", "fill", "superpixels", "reshape", "merge", "split", "split-3d")
        cancel = actions["cancel"]
        actions |= {id: partial(setattr, hand, "tool", Tool(id)) for id in tools}
        actions |= {
            "smaller-brush": partial(hand.resize, -1),
            "larger-brush": partial(hand.resize, 1),
            "step-back": lambda: self._say(self.hosts[grid.current].step_back()),
            "cancel": lambda: self._cancel(cancel),
            "protect": self._next_over,
            "scope": self._change_scope,
            "last-tool": self._take_last_tool,
            "interpolate": self.between.interpolate,
            "copy-next": partial(self.between.copy, 1),
            "copy-previous": partial(self.between.copy, -1),
        }
        actions |= {f"slot-{n}": partial(self._take_number, n, actions[f"slot-{n}"]) for n in range(1, 10)}
        endings["last-tool"] = self._lay_last_tool_down
        grid.current_changed.connect(self._leave_others)
        self.strip.wanted.connect(lambda id: actions[id]())
        self.options_bar.wanted.connect(lambda id: actions[id]())

    def show_keys(self, keymap: Keymap) -> None:
        """Tell the keys of a keymap in all tooltips."""
        for bar in (self.options_bar, self.strip, self.work_bar):
            bar.show_keys(keymap)

    def set_painting_allowed(self, is_allowed: bool) -> None:
        """Offer what needs labels that can be painted, or not."""
        self.strip.set_painting_allowed(is_allowed)

    def release(self) -> None:
        """Give up all work and let go of the model."""
        self._painting.maker.close()
        for tool in self._superpixels.values():
            tool.close()
        for host in self.hosts.values():
            host.release()
        for bar in (self.options_bar, self.strip):
            bar.release()
        self._model.hand.events.tool.disconnect(self._note_tool, missing_ok=True)
        for signals in (self._model.hand.options.events, self._model.hand.events.brush_px):
            signals.disconnect(self._keep_options, missing_ok=True)

    def _host(self, plane: Plane, view: SliceView) -> ToolHost:
        brush, line = StrokeDrawing(view, self._painting), LineDrawing(view, self._painting)
        lasso, fill = LassoTool(view, self._painting), FillTool(view, self._painting)
        superpixels = SupervoxelTool(view, self._painting)
        reshape = self._reshapes[plane] = ReshapeTool(view, self._painting, self.proposal)
        merge = MergeTool(view, self._painting, self.merging)
        split = SplitTool(view, self._painting, self.proposal, self.splitting)
        seeds = SeedTool(view, self._painting, self.proposal, self.splitting)
        for stroke in (brush, line):
            stroke.finished.connect(self.stroke_finished)
        for tool in (brush, line, lasso, fill, superpixels, reshape, merge, split, seeds):
            tool.refused.connect(self.refused)
        superpixels.working.connect(self.options_bar.show_working)
        self._superpixels[plane] = superpixels
        tools: dict[Tool, CanvasTool] = {
            Tool.BRUSH: brush,
            Tool.ERASER: brush,
            Tool.LINE: line,
            Tool.LASSO: lasso,
            Tool.FILL: fill,
            Tool.SUPERVOXELS: superpixels,
            Tool.RESHAPE: reshape,
            Tool.MERGE: merge,
            Tool.SPLIT: split,
            Tool.SEEDS: seeds,
        }
        host = ToolHost(view, tools, self.proposal)
        for shared in (self.merging, self.splitting):
            shared.changed.connect(host.show_again)
        host.intercept = partial(self._take_gray, view)
        superpixels.working.connect(lambda _: host.show_again())
        return host

    def _leave_others(self) -> None:
        for plane, tool in self._superpixels.items():
            if plane is not self._grid.current:
                tool.leave()

    def _cancel(self, cancel: Callable[[], None]) -> None:
        self._arm(False)
        if not self._painting.maker.cancel():
            cancel()

    def _say(self, was_done: bool) -> None:
        if not was_done:
            self.refused.emit("There is nothing to take back here; undo takes back edits.")

    def _take_number(self, number: int, take_slot: Callable[[], None]) -> None:
        """Take the label of a number key, or choose the part of an object that is marked."""
        if self._model.hand.tool is Tool.SEEDS:
            self._model.hand.options.seed_part = number
            self._painting.message.emit(f"The left button marks part {number}.")
        else:
            take_slot()

    def _next_over(self) -> None:
        options = self._model.hand.options
        options.next_over()
        self._painting.message.emit(OVERS[options.over][1])

    def _change_scope(self) -> None:
        """Let the tool in hand reach through sections, or not."""
        hand, options = self._model.hand, self._model.hand.options
        if hand.tool is Tool.FILL:
            options.fill_reach = _other(options.fill_reach)
        elif hand.tool is Tool.RESHAPE:
            options.change_reach = _other(options.change_reach)
        elif hand.tool is Tool.SPLIT:
            options.split_reach = _other(options.split_reach)
        else:
            options.tip = Tip.DISC if options.tip is Tip.BALL else Tip.BALL
            shape = "a ball" if options.tip is Tip.BALL else "a disc"
            self._painting.message.emit(f"The brush is {shape}.")

    def _note_tool(self, tool: Tool) -> None:
        if tool is not self._tool:
            self._model.hand.options.seed_part = 1
            self._before, self._tool = self._tool, tool
        self._arm(False)

    def _take_last_tool(self) -> None:
        self._held_since = monotonic()
        if self._before.paints and not self.strip.tools[self._before].isEnabled():
            return
        self._model.hand.tool = self._before

    def _lay_last_tool_down(self) -> None:
        if monotonic() - self._held_since > HOLD_S:
            self._model.hand.tool = self._before

    def _arm(self, is_on: bool) -> None:
        self._is_taking_gray = is_on
        self.options_bar.show_taking(is_on)

    def _take_gray(self, view: SliceView, place: QPointF) -> bool:
        """Take the gray range at a press, if that is what it is for."""
        if not self._is_taking_gray:
            return False
        self._arm(False)
        options = self._model.hand.options
        if take_gray(view, *view.voxel_under(place)):
            self._painting.message.emit(f"Gray {options.gray_low:g} to {options.gray_high:g}")
        else:
            self.refused.emit("There is no image here to take gray values from.")
        return True

    def _restore(self) -> None:
        kept = self._settings.get(OPTIONS_KEY) if self._settings is not None else None
        self._model.hand.options.restore(kept)
        if isinstance(kept, dict) and isinstance(size := kept.get(BRUSH), int):
            self._model.hand.set_brush(size)

    def _keep_options(self) -> None:
        options = self._model.hand.options
        if self.proposal.edit is not None and self._model.hand.tool is Tool.RESHAPE:
            self._reshapes[self._grid.current].propose()
        if self._settings is not None:
            self._settings.set(OPTIONS_KEY, options.record() | {BRUSH: self._model.hand.brush_px})


def _other(reach: Reach) -> Reach:
    return Reach.SECTION if reach is Reach.VOLUME else Reach.VOLUME
