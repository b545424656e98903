"""The manual's page of each tool: its text, and its mouse and keys read off the keymap."""

from __future__ import annotations

from uniem import paths
from uniem.gui.canvas.hints import hint_of
from uniem.gui.canvas.keymap import MODIFIERS, Keymap, weaker
from uniem.gui.canvas.keymap_presets import SHORTCUTS
from uniem.gui.canvas.view_model import Tool

KEYS = "keys:"


def tool_page(tool: Tool, keymap: Keymap) -> str:
    """Return the page of a tool as Markdown: what it does, what the mouse does with it, and its keys."""
    text, ids = _read(tool)
    mouse = [
        f"| {f'{modifier} + {button}' if modifier else button} | {words} |"
        for modifier in MODIFIERS
        for button, words in _new_with(keymap, modifier, tool)
    ]
    titles = {shortcut.id: shortcut for shortcut in SHORTCUTS}
    keys = [
        f"| {', '.join(f'`{key}`' for key in keymap.of(id))} | {titles[id].title} | {titles[id].tooltip} |"
        for id in ids
        if keymap.of(id)
    ]
    lines = [text, "", "## Mouse", "", "| Button | What it does |", "|---|---|", *mouse]
    return "\n".join(
        [*lines, "", "## Keys", "", "| Key | Action | What it does |", "|---|---|---|", *keys, ""]
    )


def keys_of(tool: Tool) -> list[str]:
    """Return the ids of the shortcuts that belong to a tool."""
    return _read(tool)[1]


def _read(tool: Tool) -> tuple[str, list[str]]:
    text = (paths.resources() / "tools" / f"{tool}.md").read_text("utf-8")
    page, _, others = text.rpartition(KEYS)
    return page.strip(), [*(one.id for one in SHORTCUTS if one.id == tool), *others.split()]


def _new_with(keymap: Keymap, modifier: str, tool: Tool) -> list[tuple[str, str]]:
    """Return what buttons do with a modifier that they do not do without it, or without a part of it."""
    weak = [dict(hint_of(keymap, less, tool).buttons) for less in weaker(modifier)[1:]]
    return [
        (button, words)
        for button, words in hint_of(keymap, modifier, tool).buttons
        if all(less.get(button) != words for less in weak)
    ]
