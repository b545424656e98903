"""Write the generated pages of the manual: operations, formats, shortcuts, tools, and the rooms.

Run `python -m docs.generate` (or `make docs`). A test fails when a page no longer equals what this writes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from docs.format_pages import formats_page
from uniem.cli.flags import leaves_of
from uniem.cli.reference import default_of, leaves_alike
from uniem.operations.operation import Operation
from uniem.operations.parameters import ParameterField, Shape
from uniem.operations.registry import operations, plugins

FOLDER = Path(__file__).resolve().parent


def pages() -> dict[str, str]:
    """Return the text of every generated page, by file name."""
    return {
        "operations.md": operations_page(),
        "formats.md": formats_page(),
        "shortcuts.md": shortcuts_page(),
        "tools.md": tools_page(),
        "rooms.md": rooms_page(),
    }


def operations_page() -> str:
    """Describe every operation, read off its declaration."""
    plugin_ids = {id for plugin in plugins() for id in plugin.operations}
    lines = [
        "# Operations",
        "",
        "Generated from the declarations by `make docs`. Every operation has a panel in the window, a",
        "command on the command line, and an id for request files. `PATH::dataset` names a dataset inside",
        "HDF5 or Zarr.",
        "",
        "| Operation | What it does | Menu |",
        "|---|---|---|",
    ]
    built_in = [operation for id, operation in sorted(operations().items()) if id not in plugin_ids]
    lines += [f"| [`{o.id}`](#{o.id}) | {o.summary} | {o.menu.replace('/', ' > ')} |" for o in built_in]
    for operation in built_in:
        lines += ["", *_section(operation)]
    return "\n".join(lines) + "\n"


def _section(operation: Operation) -> Iterator[str]:
    nouns = " ".join(name.upper() for name in (*operation.inputs, *operation.outputs))
    yield f"## {operation.id}"
    yield ""
    yield operation.summary
    if operation.description:
        yield ""
        yield operation.description
    yield ""
    yield f"    uniem {operation.id} {nouns}"
    yield ""
    for word, nouns_of in (("Input", operation.inputs), ("Output", operation.outputs)):
        yield from (f"- {word} `{name}`: {role.value}" for name, role in nouns_of.items())
    rows = list(_rows(operation.parameters))
    if rows:
        yield ""
        yield "| Parameter | Default | Allowed | Meaning |"
        yield "|---|---|---|---|"
        yield from rows


def _rows(model: type[BaseModel]) -> Iterator[str]:
    for alike in leaves_alike(leaves_of(model)):
        field, kinds = alike[0].field, [leaf.kind for leaf in alike if leaf.kind]
        note = f" (for {', '.join(kinds)})" if kinds else ""
        default = default_of(alike, [_shown(leaf.field.default) for leaf in alike])
        yield f"| `{field.flag}` | {default} | {_allowed(field)} | {_help(field)}{note} |"


def _help(field: ParameterField) -> str:
    return f"{field.help} In {field.unit}." if field.unit else field.help


def _shown(value: Any) -> str:
    if value is None:
        return "unset"
    return str(value.value if hasattr(value, "value") else value)


def _allowed(field: ParameterField) -> str:
    if field.choices:
        return ", ".join(field.choices)
    if field.shape is Shape.BOOL:
        return "yes, no"
    low, high = field.minimum, field.maximum
    bounds = []
    if low is not None:
        bounds.append(f"above {low:g}" if field.open_minimum else f"from {low:g}")
    if high is not None:
        bounds.append(f"to {high:g}")
    return " ".join(bounds) or {Shape.TEXT: "text", Shape.VOXEL_SIZE: "z,y,x"}.get(field.shape, "any number")


def shortcuts_page() -> str:
    """List the keys and buttons of window and canvas in every preset, read off their tables."""
    from uniem.gui.actions import WINDOW_ACTIONS
    from uniem.gui.canvas.keymap_presets import PRESETS, keymap_of
    from uniem.gui.shortcuts import shortcut_groups

    keymaps = [keymap_of(preset.id, WINDOW_ACTIONS) for preset in PRESETS]
    names = " | ".join(preset.title for preset in PRESETS)
    lines = [
        "# Shortcuts",
        "",
        "Generated from the tables of actions by `make docs`. A preset is chosen, and every key and button",
        "changed, under Edit > Preferences. Keys go by the character they produce, on every keyboard.",
        "",
        *(f"- **{preset.title}**: {preset.about}" for preset in PRESETS),
    ]
    for title, rows in shortcut_groups(keymaps, WINDOW_ACTIONS):
        lines += ["", f"## {title}", "", f"| What | {names} | |", f"|---|{'---|' * len(PRESETS)}---|"]
        lines += [f"| {' | '.join(_escaped(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def tools_page() -> str:
    """Give every tool of the canvas its page, with the keys of the default preset."""
    from uniem.gui.canvas.keymap_presets import keymap_of
    from uniem.gui.canvas.tool_pages import tool_page
    from uniem.gui.canvas.view_model import Tool

    keymap = keymap_of()
    pages = (tool_page(tool, keymap).replace("\n#", "\n##") for tool in Tool)
    head = "# Tools of the canvas\n\nF1 shows the page of the tool in hand, with the keys of your preset.\n"
    return head + "".join(f"\n#{page}" for page in pages)


def rooms_page() -> str:
    """List every file of the source tree with the first line of its docstring."""
    lines = [
        "# Rooms",
        "",
        "Generated from the modules' own first lines by `make docs`. Who may import whom is in",
        "[architecture.md](architecture.md).",
    ]
    root = FOLDER.parent / "uniem"
    folders = [root, *sorted(path.parent for path in root.rglob("__init__.py") if path.parent != root)]
    for folder in folders:
        name = folder.relative_to(root.parent).as_posix()
        lines += [
            "",
            f"## {name}",
            "",
            _first_line(folder / "__init__.py"),
            "",
            "| File | What it is |",
            "|---|---|",
        ]
        files = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
        lines += [f"| {path.name} | {_first_line(path)} |" for path in files]
    return "\n".join(lines) + "\n"


def _first_line(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the pages that changed."""
    for name, text in pages().items():
        path = FOLDER / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
