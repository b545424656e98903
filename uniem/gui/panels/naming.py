"""Where the outputs of an operation go unless the user says otherwise."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from uniem import paths
from uniem.data.formats import endings
from uniem.operations.operation import Operation, Role
from uniem.operations.outputs import path_of

_SUFFIXES = {
    Role.IMAGE: ".zarr",
    Role.LABELS: ".zarr",
    Role.VOLUME: ".zarr",
    Role.MODEL: "",
    Role.MESHES: "",
    Role.TABLE: ".csv",
    Role.ONNX: ".onnx",
    Role.PACKAGE: ".zip",
}
# A name can have 255 bytes; what is made of a thing adds words, endings and a hidden folder's.
_MOST_BYTES = 180
_ENDINGS = (".ome.zarr", *endings(), ".csv")


def suggest(
    operation: Operation, name: str, inputs: Mapping[str, str], folder: Path, taken: Collection[Path] = ()
) -> Path:
    """Return a free place in a folder for one output, named after the first input and the operation."""
    first = next((inputs[key] for key in operation.inputs if inputs.get(key)), "")
    words = [stem_of(first) if first else "", operation.id]
    if len(operation.outputs) > 1:
        words.append(name)
    return paths.unused(
        folder / ("-".join(word for word in words if word) + _SUFFIXES[operation.outputs[name]]), taken
    )


def stem_of(location: str) -> str:
    """Return the name of a location without the endings of file formats, cut where it is very long."""
    name = path_of(location).name
    ending = next((ending for ending in _ENDINGS if name.lower().endswith(ending)), "")
    stem = name[: len(name) - len(ending)] or "untitled"
    return stem.encode("utf-8", "surrogateescape")[:_MOST_BYTES].decode("utf-8", "ignore").rstrip()
