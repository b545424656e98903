"""What a tool of the canvas is: told what the mouse does in a view, it shows what it is about to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from qtpy.QtCore import QObject, QPointF

from uniem.gui.canvas.hand.preview import Preview
from uniem.gui.canvas.hand.proposal import Proposal
from uniem.gui.canvas.slice_view import SliceView
from uniem.gui.canvas.view_model import Tool


class CanvasTool(Protocol):
    """Turns presses and moves in one view into edits; places are pixels of the view."""

    def press(self, place: QPointF, is_erasing: bool) -> None:
        """Begin; with the right button, Ctrl or the eraser end of a pen it erases."""

    def move(self, place: QPointF) -> None:
        """Go on to a place with the button down."""

    def hover(self, place: QPointF) -> None:
        """Go to a place with no button down."""

    def release(self) -> None:
        """End a drag."""

    def click_right(self, place: QPointF) -> bool:
        """Take a click that would open the menu; return whether it did."""

    def accept(self) -> bool:
        """Do what was prepared (Enter); return whether there was anything."""

    def cancel(self) -> bool:
        """Forget what was begun (Esc); return whether there was anything."""

    def step_back(self) -> bool:
        """Take back the last part of what was begun (Backspace); return whether there was anything."""

    def preview(self) -> Preview | None:
        """Return what to draw over the section."""


class ToolHost(QObject):
    """Tell the tool in hand what happens in a view; a tool that is laid down forgets what it began.

    An edit that is proposed is drawn too, and comes first where something is accepted or cancelled.
    """

    def __init__(self, view: SliceView, tools: dict[Tool, CanvasTool], proposal: Proposal) -> None:
        super().__init__(view)
        self._view, self._tools, self._proposal = view, tools, proposal
        self._active: CanvasTool | None = None
        # Takes a press for itself, and tells whether it did.
        self.intercept: Callable[[QPointF], bool] = lambda place: False
        mouse = view.mouse
        mouse.takes_click = self._click_right
        mouse.stroke_began.connect(self._begin)
        mouse.stroke_moved.connect(self._move)
        mouse.stroke_ended.connect(self._end)
        mouse.stroke_cancelled.connect(self._forget)
        view.pointed.connect(self._hover)
        view.section_shown.connect(self.show_again)
        proposal.changed.connect(self.show_again)
        view.model.hand.events.tool.connect(self._change)
        view.model.position_changed.connect(self.show_again)

    def accept(self) -> bool:
        """Do what is proposed, or what the tool in hand has prepared."""
        tool = self._in_hand
        is_done = self._proposal.accept() or (tool is not None and tool.accept())
        self._show(tool)
        return is_done

    def cancel(self) -> bool:
        """Forget what is proposed, or what the tool in hand has begun."""
        tool = self._active or self._in_hand
        self._active = None
        is_done = self._proposal.forget() or (tool is not None and tool.cancel())
        self._show(tool)
        return is_done

    def step_back(self) -> bool:
        """Take back the last part of what the tool in hand has begun."""
        tool = self._in_hand
        is_done = tool is not None and tool.step_back()
        self._show(tool)
        return is_done

    def show_again(self) -> None:
        """Draw anew what is about to be done."""
        self._show(self._active or self._in_hand)

    def release(self) -> None:
        """Let go of the model."""
        self._view.model.hand.events.tool.disconnect(self._change, missing_ok=True)
        self._view.model.position_changed.disconnect(self.show_again, missing_ok=True)

    @property
    def _in_hand(self) -> CanvasTool | None:
        return self._tools.get(self._view.model.hand.tool)

    def _begin(self, is_erasing: bool, place: QPointF) -> None:
        hand = self._view.model.hand
        if self.intercept(place):
            return
        # In hands that hold no tool for painting, the eraser end of a pen still erases.
        self._active = self._tools.get(hand.tool) or self._tools.get(Tool.ERASER)
        if self._active is not None:
            self._active.press(place, is_erasing or hand.tool is Tool.ERASER)
            self._show(self._active)

    def _move(self, place: QPointF) -> None:
        if self._active is not None:
            self._active.move(place)
            self._show(self._active)

    def _end(self) -> None:
        active, self._active = self._active, None
        if active is not None:
            active.release()
            self._show(active)

    def _forget(self) -> None:
        self.cancel()

    def _click_right(self, place: QPointF) -> bool:
        tool = self._in_hand
        is_taken = tool is not None and tool.click_right(place)
        self._show(tool)
        return is_taken

    def _hover(self, place: QPointF) -> None:
        tool = self._in_hand
        if tool is not None and self._active is None:
            tool.hover(place)
            self._show(tool)

    def _change(self, tool: Tool, before: Tool = Tool.NAVIGATE) -> None:
        if before in self._tools and self._tools[before] is not self._tools.get(tool):
            self._tools[before].cancel()
        self._show(self._tools.get(tool))

    def _show(self, tool: CanvasTool | None) -> None:
        proposed = self._proposal.preview(self._view.axes, self._view.position)
        preview = tool.preview() if tool is not None else None
        self._view.preview_item.set_preview(preview or proposed)
