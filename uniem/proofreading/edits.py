"""Edits: absolute changes of voxels and of object fields, exact in compact bytes."""

from __future__ import annotations

import functools
import json
import math
import struct
import zlib
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.errors import UniemError

FieldValue: TypeAlias = str | bool | int | tuple[int, int, int] | None
# Edits whose boxes hold more voxels than this are seen at once and written block by block later.
LARGE = 1 << 21
_FORMAT = 1
_PREFIX = struct.Struct("<BI")
NOWHERE = Box((0, 0, 0), (0, 0, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Some voxels of a box, with the labels they had and the labels they get.

    Attributes
    ----------
    box : Box
        The smallest box around the voxels.
    count : int
        How many voxels change.
    mask : (bytes,) uint8
        Which voxels of the box, in z, y, x order, packed to bits.
    before, after : (count,) or (1,) labels
        In z, y, x order; a single label stands for all voxels.
    """

    box: Box
    count: int
    mask: NDArray[np.uint8]
    before: NDArray[Any]
    after: NDArray[Any]

    @staticmethod
    def of(
        start: Triple, selection: NDArray[np.bool_], before: NDArray[Any], after: NDArray[Any] | int
    ) -> Patch | None:
        """Make a patch of the selected voxels whose label differs; None if there are none.

        `selection`, (z, y, x) bool, lies at `start`; `before` has its shape, `after` too or is one label.
        """
        new = np.broadcast_to(np.asarray(after, dtype=before.dtype), before.shape)
        changing = selection & (before != new)
        inner = tight_box(changing)
        if inner is None:
            return None
        changing = changing[inner.slices]
        return Patch(
            inner.translated(start),
            int(np.count_nonzero(changing)),
            np.packbits(changing, axis=None),
            _shortened(before[inner.slices][changing]),
            _shortened(new[inner.slices][changing]),
        )

    def selection(self) -> NDArray[np.bool_]:
        """Return which voxels of the box change, (z, y, x) bool."""
        shape = self.box.shape
        return np.unpackbits(self.mask, count=math.prod(shape)).view(np.bool_).reshape(shape)

    def within(self, box: Box) -> Patch:
        """Return the part inside a box, which need not be the smallest around its voxels."""
        inner, selection = self.box.intersection(box), self.selection()
        is_inside = np.zeros_like(selection)
        is_inside[inner.relative_to(self.box.start).slices] = True
        kept = is_inside[selection]
        before, after = (v if len(v) == 1 else v[kept] for v in (self.before, self.after))
        mask = np.packbits(selection[inner.relative_to(self.box.start).slices], axis=None)
        return Patch(inner, int(kept.sum()), mask, before, after)

    def inverse(self) -> Patch:
        """Return the patch that takes this one back."""
        return Patch(self.box, self.count, self.mask, self.after, self.before)

    def labels(self) -> frozenset[int]:
        """Return the labels that gain or lose voxels, background left out."""
        return frozenset(distinct(self.before) + distinct(self.after)) - {0}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one object, as it was and as it becomes."""

    label: int
    field: str
    before: FieldValue
    after: FieldValue

    def inverse(self) -> FieldChange:
        """Return the change that takes this one back."""
        return FieldChange(self.label, self.field, self.after, self.before)

    def labels(self) -> frozenset[int]:
        """Return the object it concerns."""
        return frozenset({self.label})


@dataclass(frozen=True, slots=True)
class Relabelling:
    """All voxels of some objects get other labels, all at once; a target of 0 deletes.

    It costs the same for any size: what it changes is found block by block when it is written. The session
    fills in `box`, which lies around all voxels that change.
    """

    mapping: tuple[tuple[int, int], ...]
    box: Box = NOWHERE
    is_taken_back: bool = False

    def inverse(self) -> Relabelling:
        """Return the change that takes this one back."""
        return replace(self, is_taken_back=not self.is_taken_back)

    def sources(self) -> list[int]:
        """Return the labels that are given up."""
        return [source for source, _ in self.mapping]

    def labels(self) -> frozenset[int]:
        """Return the objects it concerns."""
        return frozenset(label for pair in self.mapping for label in pair) - {0}


Part: TypeAlias = Patch | FieldChange | Relabelling


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """One gesture: one row of the journal, one step of undo."""

    title: str
    parts: tuple[Part, ...]

    @property
    def patches(self) -> list[Patch]:
        """The parts that change voxels."""
        return [part for part in self.parts if isinstance(part, Patch)]

    @property
    def box(self) -> Box:
        """The smallest box around all voxels that change; empty if none does."""
        boxes = [part.box for part in self.parts if not isinstance(part, FieldChange)]
        return functools.reduce(Box.union, boxes, NOWHERE)

    @property
    def relabelling(self) -> Relabelling | None:
        """The part that changes whole objects, if there is one; an edit has no patches beside it."""
        return next((part for part in self.parts if isinstance(part, Relabelling)), None)

    @property
    def is_large(self) -> bool:
        """Tell whether writing it takes longer than a user should wait."""
        return self.relabelling is not None or sum(patch.box.size for patch in self.patches) > LARGE

    @property
    def labels(self) -> frozenset[int]:
        """The objects concerned, background left out."""
        return frozenset().union(*(part.labels() for part in self.parts))

    def inverse(self) -> Edit:
        """Return the edit that takes this one back."""
        return Edit(self.title, tuple(part.inverse() for part in reversed(self.parts)))

    def to_bytes(self) -> bytes:
        """Encode exactly: a JSON header, then bits and labels by runs, all deflated."""
        body: list[bytes] = []
        header = {"title": self.title, "parts": [_encoded(part, body) for part in self.parts]}
        text = json.dumps(header, separators=(",", ":")).encode()
        return _PREFIX.pack(_FORMAT, len(text)) + zlib.compress(b"".join([text, *body]), 6)

    @staticmethod
    def from_bytes(data: bytes) -> Edit:
        """Decode what `to_bytes` made; raise if it is damaged or from a newer version."""
        try:
            version, header_size = _PREFIX.unpack_from(data)
            if version != _FORMAT:
                raise ValueError(f"its format is {version}, this version reads {_FORMAT}")
            content = _Reader(zlib.decompress(data[_PREFIX.size :]))
            header = json.loads(content.take(header_size))
            return Edit(header["title"], tuple(_decoded(part, content) for part in header["parts"]))
        except (ValueError, KeyError, struct.error, zlib.error) as error:
            raise UniemError(
                f"An edit in the journal cannot be read: {error}.",
                "Update the program if the journal was written by a newer one.",
            ) from error


class _Reader:
    """Take pieces off the front of bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._position = 0

    def take(self, size: int) -> bytes:
        piece = self._data[self._position : self._position + size]
        if len(piece) != size:
            raise ValueError("it ends too early")
        self._position += size
        return bytes(piece)

    def array(self, dtype: str, length: int) -> NDArray[Any]:
        """Return an array that looks into the bytes."""
        kind, start = np.dtype(dtype), self._position
        self._position += length * kind.itemsize
        if self._position > len(self._data):
            raise ValueError("it ends too early")
        return np.frombuffer(self._data, kind, length, start)


def _encoded(part: Part, body: list[bytes]) -> dict[str, Any]:
    if isinstance(part, Relabelling):
        return {"mapping": part.mapping, "start": part.box.start, "stop": part.box.stop}
    if isinstance(part, FieldChange):
        return {"label": part.label, "field": part.field, "before": part.before, "after": part.after}
    dtype = part.before.dtype.newbyteorder("<").str
    header = {"start": part.box.start, "shape": part.box.shape, "count": part.count, "dtype": dtype}
    body.append(part.mask.tobytes())
    header["runs"] = [_encode_labels(values, dtype, body) for values in (part.before, part.after)]
    return header


def _decoded(header: dict[str, Any], content: _Reader) -> Part:
    if "field" in header:
        values = (tuple(v) if isinstance(v, list) else v for v in (header["before"], header["after"]))
        return FieldChange(header["label"], header["field"], *values)
    z, y, x = header["start"]
    if "mapping" in header:
        pairs = tuple((int(source), int(target)) for source, target in header["mapping"])
        return Relabelling(pairs, Box((z, y, x), tuple(header["stop"])))
    depth, height, width = header["shape"]
    box = Box((z, y, x), (z + depth, y + height, x + width))
    mask = content.array("u1", -(-math.prod(box.shape) // 8))
    before, after = (_decode_labels(n, header["dtype"], header["count"], content) for n in header["runs"])
    return Patch(box, header["count"], mask, before, after)


def _encode_labels(values: NDArray[Any], dtype: str, body: list[bytes]) -> int:
    """Append labels by runs where that is shorter; return the number of runs, or 0 for plain labels."""
    starts = np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])
    if len(starts) * 2 > len(values) and len(values) > 1:
        body.append(values.astype(dtype).tobytes())
        return 0
    body.append(values[starts].astype(dtype).tobytes())
    if len(starts) > 1:
        body.append(np.diff(starts, append=len(values)).astype("<u4").tobytes())
    return len(starts)


def _decode_labels(runs: int, dtype: str, count: int, content: _Reader) -> NDArray[Any]:
    values = content.array(dtype, runs or count)
    if runs > 1:
        values = np.repeat(values, content.array("<u4", runs))
        if len(values) != count:
            raise ValueError("its runs do not add up")
    return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))


def _shortened(values: NDArray[Any]) -> NDArray[Any]:
    """Return one label instead of many equal ones."""
    return values[:1].copy() if bool(np.all(values == values[0])) else values


def distinct(values: NDArray[Any]) -> list[int]:
    """Return the labels among values, ascending."""
    if len(values) == 1:
        return [int(values[0])]
    # Labels lie in runs, and what is left of each run is quick to sort.
    firsts = values[np.concatenate([[True], values[1:] != values[:-1]])]
    listed: list[int] = np.unique(firsts).tolist()
    return listed


def tight_box(selection: NDArray[np.bool_]) -> Box | None:
    """Return the smallest box around True in (z, y, x) bool, or None."""
    if not selection.any():
        return None
    ranges = []
    for axes in ((1, 2), (0, 2), (0, 1)):
        places = np.flatnonzero(selection.any(axis=axes))
        ranges.append((int(places[0]), int(places[-1]) + 1))
    (z0, z1), (y0, y1), (x0, x1) = ranges
    return Box((z0, y0, x0), (z1, y1, x1))
