"""What the command line tells about operations: lists and descriptions, as text and as JSON."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel

from uniem.cli.flags import Leaf, leaves_of, places_of, usage_of
from uniem.operations.operation import Operation
from uniem.operations.parameters import ParameterField, Shape

WIDTH = 100

GENERAL_HELP = """\
uniem: from a raw electron-microscopy stack to measured 3D objects.

  uniem                                  open the window
  uniem gui [--sample] [PATH...]         open the window with a project, volumes, models, meshes or tables
  uniem PATH...                          the same, for what is dropped on the program's icon
  uniem info PATH... [--json]            tell format, size, type, kind and voxel size of what is there
  uniem OPERATION INPUT... OUTPUT...     run an operation; --help shows its parameters
  uniem list [--json]                    list the operations
  uniem describe OPERATION [--json]      describe an operation and its parameters
  uniem networks [--json]                list the 2D networks, what they cost and when to choose which
  uniem run REQUEST.json [--overwrite]   run a saved request
  uniem run-job FOLDER                   run the job in a folder, as the window's workers do
  uniem status FOLDER [--json]           tell how far the job in a folder is, or how it ended
  uniem project PROJECT [--json]         tell what a project holds, what is missing and how large it is
  uniem sample FOLDER [--shape Z,Y,X]    make the synthetic sample: an image with exact ground truth
  uniem demo FOLDER                      make a sample, and do the whole job on it
  uniem tensorboard MODEL... [--port N]  show the curves of trainings in a browser, until Ctrl-C
  uniem help COMMAND                     tell about one of these, or an operation, as COMMAND --help does
  uniem --version

An output's format follows from its name: .zarr, .tif, .h5::DATASET, .npy, or NAME/ for a folder of sections.
PATH::DATASET names a dataset inside HDF5 or Zarr, FOLDER::a_#.png the pictures of one stack among others;
a PATH to read may be a web address. With --json, events are written as lines of JSON.
Ctrl-C cancels cleanly. Exit codes: 0 done, 1 failed, 2 bad arguments or bad input, 3 cancelled.
"""


def commands() -> dict[str, str]:
    """Return what the general help says of each command that is no operation, by its name."""
    listed, _, notes = GENERAL_HELP.partition("\n  uniem --version\n")
    rows = re.findall(r"^  (uniem ([a-z-]+)\b.*?)  +(.+)$", listed, re.MULTILINE)
    return {name: f"{usage}\n\n{what[:1].upper()}{what[1:]}.\n{notes.rstrip()}" for usage, name, what in rows}


def list_text(operations: Iterable[Operation]) -> str:
    """Return a table of operations, by menu."""
    chosen = sorted(operations, key=lambda operation: (operation.menu, operation.id))
    rows = [(o.id, " ".join(places_of(o)), o.summary) for o in chosen]
    return aligned([("OPERATION", "LOCATIONS", "WHAT IT DOES"), *rows])


def describe_text(operation: Operation) -> str:
    """Return everything a user of the command needs to know."""
    parts = [f"{usage_of(operation)} [--overwrite] [--json] [--parameter value]...", "", operation.summary]
    if operation.description:
        parts += ["", operation.description]
    for title, nouns in (("Inputs", operation.inputs), ("Outputs", operation.outputs)):
        parts += ["", f"{title}:"]
        parts.append(aligned([(f"  {name.upper()}", role.value) for name, role in nouns.items()]))
    leaves = leaves_of(operation.parameters)
    if leaves:
        parts += ["", "Parameters:", *(_leaves_text(alike) for alike in leaves_alike(leaves))]
    parts += ["", "--overwrite replaces outputs that exist; --json writes what happens as JSON lines."]
    return "\n".join(parts)


def leaves_alike(leaves: Iterable[Leaf]) -> list[list[Leaf]]:
    """Put together what differs in its kind and its default only."""
    groups: dict[Any, list[Leaf]] = {}
    for leaf in leaves:
        field = leaf.field
        key = (field.flag, field.help, field.shape, field.choices, field.minimum, field.maximum)
        groups.setdefault(key, []).append(leaf)
    return list(groups.values())


def default_of(leaves: Sequence[Leaf], shown: Sequence[str]) -> str:
    """Return the default of leaves alike; where it differs, for which kinds it is which."""
    kinds: dict[str, list[str]] = {}
    for leaf, text in zip(leaves, shown, strict=True):
        kinds.setdefault(text, []).append(leaf.kind)
    most = max(kinds, key=lambda text: len(kinds[text]))
    others = [f"{text} for {', '.join(names)}" for text, names in kinds.items() if text != most]
    return " or ".join([most, *others])


def list_json(operations: Iterable[Operation]) -> list[dict[str, Any]]:
    """Return the operations as JSON values."""
    return [_head(operation) for operation in sorted(operations, key=lambda operation: operation.id)]


def describe_json(operation: Operation) -> dict[str, Any]:
    """Return an operation with its parameters as JSON values."""
    leaves = [_leaf_json(leaf) for leaf in leaves_of(operation.parameters)]
    return {**_head(operation), "description": operation.description, "parameters": leaves}


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of text in columns."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _head(operation: Operation) -> dict[str, Any]:
    return {
        "id": operation.id,
        "version": operation.version,
        "menu": operation.menu,
        "device": operation.device,
        "summary": operation.summary,
        "inputs": {name: role.value for name, role in operation.inputs.items()},
        "outputs": {name: role.value for name, role in operation.outputs.items()},
    }


def _leaf_json(leaf: Leaf) -> dict[str, Any]:
    field = leaf.field
    default = field.default.model_dump(mode="json") if isinstance(field.default, BaseModel) else field.default
    is_plain = default is None or isinstance(default, bool | int | float | str)
    return {
        "name": ".".join(field.path),
        "flag": field.flag,
        "type": field.shape.value,
        "kind": leaf.kind,
        "default": default if is_plain else str(field.default),
        "optional": field.optional,
        "minimum": field.minimum,
        "minimum_is_open": field.open_minimum,
        "maximum": field.maximum,
        "choices": list(field.choices),
        "unit": field.unit,
        "advanced": field.advanced,
        "help": field.help,
    }


def _leaves_text(leaves: Sequence[Leaf]) -> str:
    """Describe one parameter, which several kinds of a variant may have."""
    field = leaves[0].field
    flag = field.flag
    if field.shape is Shape.BOOL and not field.optional:
        head = f"  {flag}, --no-{flag.removeprefix('--')}"
    else:
        head = f"  {flag} {_metavar(field)}"
    notes = [f"default {default_of(leaves, [_shown(leaf.field) for leaf in leaves])}"]
    if leaves[0].kind:
        notes.insert(0, f"for {', '.join(leaf.kind for leaf in leaves)}")
    if limits := _range_text(field):
        notes.append(limits)
    if field.optional:
        notes.append("none leaves it open")
    text = f"{field.help} ({'; '.join(notes)})"
    return head + "\n" + _filled(text)


def _filled(text: str) -> str:
    indent = " " * 6
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _metavar(field: ParameterField) -> str:
    if field.choices:
        return "{" + ",".join(field.choices) + "}"
    names = {Shape.INT: "N", Shape.FLOAT: "X", Shape.VOXEL_SIZE: "Z,Y,X", Shape.BOOL: "{true,false,none}"}
    name = names.get(field.shape, "TEXT")
    return f"{name} ({field.unit})" if field.unit else name


def _shown(field: ParameterField) -> str:
    if field.shape is Shape.BOOL and field.default is not None:
        return "yes" if field.default else "no"
    if isinstance(field.default, float):
        return f"{field.default:g}"
    return "none" if field.default is None else str(field.default) or "empty"


def _range_text(field: ParameterField) -> str:
    low, high = field.minimum, field.maximum
    words = []
    if low is not None:
        words.append(f"above {low:g}" if field.open_minimum else f"at least {low:g}")
    if high is not None:
        words.append(f"at most {high:g}")
    return ", ".join(words)
