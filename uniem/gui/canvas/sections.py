"""Sections of volumes, read by a thread so that the window never waits for a disk, within a memory budget."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from uniem.data.geometry import Box
from uniem.data.volume import ArrayVolume, Kind, Volume
from uniem.errors import UniemError

DEFAULT_BUDGET = 768 << 20


@dataclass(frozen=True, slots=True)
class Section:
    """A section of one level of a volume.

    Attributes
    ----------
    array : (y, x) array
        Its voxels.
    z : int
        The section of the full resolution it shows.
    factor : float
        How many voxels of the full resolution one of its voxels spans in y and x.
    """

    array: NDArray[Any]
    z: int
    factor: float = 1.0


Key = tuple[int, int, int]  # the volume's number, the level, the section of that level


@dataclass(frozen=True, slots=True)
class _Request:
    key: Key
    volume: Volume
    level: Volume


class SectionReader(QObject):
    """Answer with the best picture of a section there is, and read the right one in the background.

    Only what was asked for last is read: older wishes that were not begun are dropped.
    """

    arrived = Signal()
    failed = Signal(str)

    def __init__(self, budget_bytes: int = DEFAULT_BUDGET, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._budget = budget_bytes
        self._kept: OrderedDict[Key, NDArray[Any]] = OrderedDict()
        self._kept_bytes = 0
        self._views: dict[int, tuple[ArrayVolume, Section]] = {}
        self._volumes: dict[int, tuple[Volume, list[Volume]]] = {}
        self._wishes: dict[int, list[_Request]] = {}
        self._edits: dict[int, int] = {}
        self._broken: set[Key] = set()
        self._condition = threading.Condition()
        self._is_open = True
        self._thread: threading.Thread | None = None

    def section(self, volume: Volume, z: int, coarseness: float = 1.0) -> Section | None:
        """Return a section that shows z, coarser than wished if that is all there is, or None.

        `coarseness` is how many voxels a screen pixel spans: from 2 on a coarser level suffices.
        """
        if isinstance(volume, ArrayVolume) and isinstance(volume.array, np.ndarray):
            return self._in_memory(volume, z)
        levels = self._levels(volume)
        wanted = _level_for(volume, levels, coarseness)
        keys = [_key(volume, levels, index, z) for index in range(len(levels))]
        with self._condition:
            self._wish(volume, levels, keys, wanted)
            # The wished level, else the next finer, else the least coarse of the coarser.
            for index in [*range(wanted, -1, -1), *range(wanted + 1, len(levels))]:
                if keys[index] in self._kept:
                    self._kept.move_to_end(keys[index])
                    return Section(self._kept[keys[index]], z, _factor(volume, levels[index]))
        return None

    def refresh(self, volume: Volume, box: Box) -> None:
        """Read again what is kept of a box that was edited; only the box is read."""
        with self._condition:
            number = id(volume)
            self._edits[number] = self._edits.get(number, 0) + 1
            self._broken = {key for key in self._broken if key[0] != number}
            kept = [(key[2], array) for key, array in self._kept.items() if key[0] == number and key[1] == 0]
        for z, array in kept:
            if box.start[0] <= z < box.stop[0]:
                part = Box((z, *box.start[1:]), (z + 1, *box.stop[1:]))
                array[part.slices[1:]] = volume.read(part)[0]

    def forget(self, volumes: list[Volume]) -> None:
        """Drop everything about volumes other than these."""
        staying = {id(volume) for volume in volumes}
        with self._condition:
            self._views = {number: view for number, view in self._views.items() if number in staying}
            for key in [key for key in self._kept if key[0] not in staying]:
                self._kept_bytes -= self._kept.pop(key).nbytes
            for number in [number for number in self._volumes if number not in staying]:
                del self._volumes[number]
                self._wishes.pop(number, None)
            self._broken = {key for key in self._broken if key[0] in staying}

    def is_idle(self) -> bool:
        """Tell whether nothing is left to read."""
        with self._condition:
            return not any(self._wishes.values())

    def close(self) -> None:
        """Stop reading."""
        with self._condition:
            self._is_open = False
            self._condition.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _in_memory(self, volume: ArrayVolume, z: int) -> Section:
        # The same object for the same section, so that a view can tell whether it shows something new.
        entry = self._views.get(id(volume))
        if entry is None or entry[0] is not volume or entry[1].z != z:
            entry = self._views[id(volume)] = (volume, Section(volume.array[z], z))
        return entry[1]

    def _levels(self, volume: Volume) -> list[Volume]:
        entry = self._volumes.get(id(volume))
        if entry is None:
            # Labels are always shown in full: what is painted must be what is seen, and the coarser levels of
            # labels that are being edited belong to their session.
            levels = [volume] if volume.kind is Kind.LABELS else volume.levels
            entry = self._volumes[id(volume)] = (volume, levels)
        return entry[1]

    def _wish(self, volume: Volume, levels: list[Volume], keys: list[Key], wanted: int) -> None:
        order = [wanted]
        if not any(key in self._kept for key in keys) and wanted < len(levels) - 1:
            order.insert(0, len(levels) - 1)
        self._wishes[id(volume)] = [
            _Request(keys[index], volume, levels[index])
            for index in order
            if keys[index] not in self._kept and keys[index] not in self._broken
        ]
        if self._wishes[id(volume)]:
            self._start()
            self._condition.notify()

    def _start(self) -> None:
        if self._thread is None and self._is_open:
            self._thread = threading.Thread(target=self._read_on, name="section reader", daemon=True)
            self._thread.start()

    def _read_on(self) -> None:
        while request := self._next():
            try:
                self._read(request)
            except (UniemError, OSError, ValueError) as error:
                with self._condition:
                    self._broken.add(request.key)
                    self._fulfil(request)
                self._tell(self.failed, str(error))

    def _next(self) -> _Request | None:
        with self._condition:
            while self._is_open:
                for requests in self._wishes.values():
                    if requests:
                        return requests[0]
                self._condition.wait()
        return None

    def _read(self, request: _Request) -> None:
        number, _, z = request.key
        with self._condition:
            edits = self._edits.get(number, 0)
        array = np.array(request.level.read(Box.section(z, request.level.shape))[0])
        with self._condition:
            if self._edits.get(number, 0) != edits:
                return  # an edit came between; the wish still stands and is read again
            self._fulfil(request)
            if number in self._volumes:
                self._keep(request.key, array)
        self._tell(self.arrived)

    def _fulfil(self, request: _Request) -> None:
        requests = self._wishes.get(request.key[0], [])
        if request in requests:
            requests.remove(request)

    def _keep(self, key: Key, array: NDArray[Any]) -> None:
        if key in self._kept:
            self._kept_bytes -= self._kept.pop(key).nbytes
        self._kept[key] = array
        self._kept_bytes += array.nbytes
        while self._kept_bytes > self._budget and len(self._kept) > 2:
            _, dropped = self._kept.popitem(last=False)
            self._kept_bytes -= dropped.nbytes

    def _tell(self, signal: Any, *values: str) -> None:
        if self._is_open:
            signal.emit(*values)


def _level_for(volume: Volume, levels: list[Volume], coarseness: float) -> int:
    """Return the coarsest level that is still as fine as the screen."""
    fitting = [i for i, level in enumerate(levels) if _factor(volume, level) <= max(1.0, coarseness)]
    return fitting[-1]


def _factor(volume: Volume, level: Volume) -> float:
    return 1.0 if level is volume else float(round(volume.shape[2] / level.shape[2]))


def _key(volume: Volume, levels: list[Volume], index: int, z: int) -> Key:
    step = max(1, round(volume.shape[0] / levels[index].shape[0]))
    return id(volume), index, min(z // step, levels[index].shape[0] - 1)
