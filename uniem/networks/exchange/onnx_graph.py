"""ONNX files, written node by node: the few parts of the format that networks of images need."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What is used of ONNX is in every version of its operators from 13 on; readers of 2022 know 17.
OPSET = 17
IR_VERSION = 8
DATA_TYPES = {"float32": 1, "int32": 6, "int64": 7}
FLOAT_KIND, INT_KIND, TEXT_KIND, INTS_KIND = 1, 2, 3, 7

# A size of an array: a number, or the name of what is known only when it is run.
Size = int | str
Attribute = int | float | str | Sequence[int]


class OnnxGraph:
    """A graph that grows node by node; values are known by their names.

    The numbers of fields are those of onnx.proto3 (https://github.com/onnx/onnx, IR version 8), written as
    protocol buffers are encoded.
    """

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []
        self._inputs: list[bytes] = []
        self._outputs: list[bytes] = []
        self._count = 0

    def add_input(self, name: str, sizes: Sequence[Size]) -> str:
        """Declare a float32 input."""
        self._inputs.append(_value(name, sizes))
        return name

    def add_output(self, name: str, sizes: Sequence[Size]) -> None:
        """Declare a float32 value to be an output."""
        self._outputs.append(_value(name, sizes))

    def constant(self, array: NDArray[Any] | Sequence[int]) -> str:
        """Add an array; plain numbers become int64."""
        held = np.ascontiguousarray(array if isinstance(array, np.ndarray) else np.array(array, np.int64))
        name = self._new("constant")
        sizes = [(1, int(size)) for size in held.shape]
        little = held.astype(held.dtype.newbyteorder("<"), copy=False)
        self._constants.append(
            _message(*sizes, (2, DATA_TYPES[held.dtype.name]), (8, name), (9, little.tobytes()))
        )
        return name

    def node(self, kind: str, inputs: Sequence[str], name: str = "", **attributes: Attribute) -> str:
        """Add an operator with one output, and return its name."""
        return self.nodes(kind, inputs, 1, name, **attributes)[0]

    def nodes(
        self, kind: str, inputs: Sequence[str], outputs: int, name: str = "", **attributes: Attribute
    ) -> list[str]:
        """Add an operator with several outputs, and return their names."""
        names = [name] if name else [self._new(kind.lower()) for _ in range(outputs)]
        self._nodes.append(
            _message(
                *((1, each) for each in inputs),
                *((2, each) for each in names),
                (3, f"{kind}_{names[0]}"),
                (4, kind),
                *((5, _attribute(key, value)) for key, value in attributes.items()),
            )
        )
        return names

    def serialized(self, name: str, description: str, facts: Mapping[str, str]) -> bytes:
        """Return the file's content, with facts that programs can read."""
        from uniem import __version__

        graph = _message(
            *((1, node) for node in self._nodes),
            (2, name),
            *((5, constant) for constant in self._constants),
            (10, description),
            *((11, value) for value in self._inputs),
            *((12, value) for value in self._outputs),
        )
        return _message(
            (1, IR_VERSION),
            (2, "uniem"),
            (3, __version__),
            (6, description),
            (7, graph),
            (8, _message((1, ""), (2, OPSET))),
            *((14, _message((1, key), (2, value))) for key, value in facts.items()),
        )

    def _new(self, word: str) -> str:
        self._count += 1
        return f"{word}_{self._count}"


def _value(name: str, sizes: Sequence[Size]) -> bytes:
    dimensions = [(1, _message((1, size) if isinstance(size, int) else (2, size))) for size in sizes]
    tensor = _message((1, DATA_TYPES["float32"]), (2, _message(*dimensions)))
    return _message((1, name), (2, _message((1, tensor))))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, float):
        return _message((1, name), (2, value), (20, FLOAT_KIND))
    if isinstance(value, int):
        return _message((1, name), (3, value), (20, INT_KIND))
    if isinstance(value, str):
        return _message((1, name), (4, value), (20, TEXT_KIND))
    return _message((1, name), *((8, int(number)) for number in value), (20, INTS_KIND))


def _message(*fields: tuple[int, bytes | str | int | float]) -> bytes:
    """Return a protocol buffer message: numbered fields one after the other."""
    parts = []
    for number, value in fields:
        if isinstance(value, float):
            parts.append(_varint(number << 3 | 5) + struct.pack("<f", value))
        elif isinstance(value, int):
            parts.append(_varint(number << 3) + _varint(value))
        else:
            held = value.encode() if isinstance(value, str) else value
            parts += [_varint(number << 3 | 2), _varint(len(held)), held]
    return b"".join(parts)


def _varint(number: int) -> bytes:
    rest, found = number & (1 << 64) - 1, bytearray()
    while rest > 0x7F:
        found.append(rest & 0x7F | 0x80)
        rest >>= 7
    found.append(rest)
    return bytes(found)
