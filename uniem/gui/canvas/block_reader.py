"""Blocks read by threads, so that the window never waits for a disk: what is needed most comes first."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from uniem.data.geometry import Box
from uniem.data.heap import HeapTrimmer
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.gui.canvas.block_cache import BlockCache, BlockKey, default_budget
from uniem.gui.canvas.levels import Level, levels_of

THREADS = min(4, max(2, os.cpu_count() or 2))
# Requests of this urgency and above are for later, and nobody waits for them.
LATER = 1e6
# Edits of more voxels or boxes are read again in the background instead of at once.
LARGEST_PATCH_VOXELS = 8 << 20
LARGEST_PATCH_BOXES = 64
# How long all views together may put pictures together before the window is given a turn.
TURN_S = 0.02
_SECOND_TRY_S = 0.05
_PATIENCE_S = 2.0


def is_quick(parts: list[Box]) -> bool:
    """Tell whether boxes are read again so fast that nobody notices."""
    return len(parts) <= LARGEST_PATCH_BOXES and sum(part.size for part in parts) <= LARGEST_PATCH_VOXELS


class Request(NamedTuple):
    """A block that is wanted, and how much: the smallest urgency is read first."""

    urgency: float
    key: BlockKey


class BlockReader(QObject):
    """Read the blocks that views want, each view's newest wishes replacing its older ones.

    Signals: `arrived()` after blocks were read, at most one waiting at a time; `failed(str)`.
    """

    arrived = Signal()
    failed = Signal(str)

    def __init__(self, budget_bytes: int | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cache = BlockCache(default_budget() if budget_bytes is None else budget_bytes)
        self._volumes: dict[int, tuple[Volume, list[Level]]] = {}
        self._wishes: dict[Hashable, list[Request]] = {}
        # What is being read, and whether an edit has changed it meanwhile.
        self._reading: dict[BlockKey, bool] = {}
        self._broken: set[BlockKey] = set()
        # Blocks that could not be read before anybody wanted to see them.
        self._unlucky: set[BlockKey] = set()
        self._told: set[tuple[int, str]] = set()
        self._condition = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._is_open = True
        self._arrival_is_told = False
        self._turn_ends: float | None = None
        self._heap = HeapTrimmer()
        self.arrived.connect(self._hear)

    def listen(self, slot: Callable[[], None]) -> None:
        """Call a slot after every arrival from now on, also while an earlier one still waits to be told."""
        self.arrived.connect(slot)
        self._hear()

    def levels(self, volume: Volume) -> list[Level]:
        """Return the resolutions of a volume."""
        entry = self._volumes.get(id(volume))
        if entry is None:
            entry = (volume, levels_of(volume))
            with self._condition:
                self._volumes[id(volume)] = entry
        return entry[1]

    def has_time(self) -> bool:
        """Tell whether there is time to put together another picture before the window is given a turn."""
        now = time.perf_counter()
        if self._turn_ends is None:
            self._turn_ends = now + TURN_S
            QTimer.singleShot(0, self._end_turn)
        return now < self._turn_ends

    def _end_turn(self) -> None:
        self._turn_ends = None

    def is_broken(self, key: BlockKey) -> bool:
        """Tell whether a block could not be read."""
        return key in self._broken

    def want(self, client: Hashable, requests: list[Request]) -> None:
        """Take a client's wishes, instead of its earlier ones that were not begun."""
        with self._condition:
            if requests:
                # The most urgent last, where it is taken from.
                self._wishes[client] = sorted(requests, key=lambda request: -request.urgency)
                self._start()
                self._condition.notify_all()
            else:
                self._wishes.pop(client, None)

    def refresh(self, volume: Volume, boxes: list[Box]) -> None:
        """Take the voxels of boxes that were edited into what is kept; coarser levels are read again."""
        number = id(volume)
        levels = self.levels(volume)
        with self._condition:
            self._broken = {key for key in self._broken if key.volume != number}
            self._unlucky = {key for key in self._unlucky if key.volume != number}
            reading = {key for key in self._reading if key.volume == number}
            for key, _ in _met(number, levels, boxes, reading):
                self._reading[key] = True
        parts: list[tuple[BlockKey, Box]] = []
        for key, part in _met(number, levels, boxes, set(self.cache.keys_of(number))):
            if key.level == 0:
                parts.append((key, part))
            else:
                self.cache.mark_stale(key)
        if is_quick([part for _, part in parts]):
            for key, part in parts:
                self._patch(levels[0], key, part, volume.read(part))
        else:
            for key, _ in parts:
                self.cache.mark_stale(key)

    def forget(self, volumes: list[Volume]) -> None:
        """Drop everything about volumes other than these."""
        staying = {id(volume) for volume in volumes}
        with self._condition:
            self._volumes = {number: entry for number, entry in self._volumes.items() if number in staying}
            self._broken = {key for key in self._broken if key.volume in staying}
            self._unlucky = {key for key in self._unlucky if key.volume in staying}
            self._told = {entry for entry in self._told if entry[0] in staying}
            for client, requests in list(self._wishes.items()):
                self._wishes[client] = [request for request in requests if request.key.volume in staying]
        self.cache.forget(staying)

    def is_idle(self) -> bool:
        """Tell whether nothing is left to read."""
        with self._condition:
            return not self._reading and self._most_urgent() is None

    def close(self) -> None:
        """Stop reading; a read that hangs, as on a network, is left behind."""
        with self._condition:
            self._is_open = False
            self._condition.notify_all()
        for thread in self._threads:
            thread.join(_PATIENCE_S)
        self._threads = []

    def _patch(self, level: Level, key: BlockKey, part: Box, data: NDArray[Any]) -> None:
        block = self.cache.get(key)
        if block is None:
            return
        inside = part.relative_to(level.block_box(key.block).start).slices
        if block.flags.writeable:
            block[inside] = data
        else:
            block = block.copy()
            block[inside] = data
            self.cache.put(key, block)

    def _start(self) -> None:
        if not self._threads and self._is_open:
            self._threads = [
                threading.Thread(target=self._read_on, name=f"block reader {n}", daemon=True)
                for n in range(THREADS)
            ]
            for thread in self._threads:
                thread.start()

    def _read_on(self) -> None:
        while work := self._next():
            request, level = work
            try:
                self._read(request.key, level)
            except (UniemError, OSError, ValueError, MemoryError) as error:
                self._fail(request, error)

    def _next(self) -> tuple[Request, Level] | None:
        with self._condition:
            while self._is_open:
                request = self._most_urgent()
                if request is not None:
                    self._reading[request.key] = False
                    return request, self._volumes[request.key.volume][1][request.key.level]
                self._condition.wait()
        return None

    def _most_urgent(self) -> Request | None:
        best: Request | None = None
        for requests in self._wishes.values():
            while requests and not self._is_to_read(requests[-1]):
                requests.pop()
            free = next((request for request in reversed(requests) if self._is_free(request)), None)
            if free is not None and (best is None or free.urgency < best.urgency):
                best = free
        return best

    def _is_free(self, request: Request) -> bool:
        return request.key not in self._reading and self._is_to_read(request)

    def _is_to_read(self, request: Request) -> bool:
        key = request.key
        if key in self._broken or (key in self._unlucky and request.urgency >= LATER):
            return False
        return key.volume in self._volumes and not self.cache.is_fresh(key)

    def _read(self, key: BlockKey, level: Level) -> None:
        box = level.block_box(key.block)
        try:
            block = level.volume.read(box)
        except ValueError:
            # A save or a revert may have ended the transaction that was read from.
            time.sleep(_SECOND_TRY_S)
            block = level.volume.read(box)
        self._heap.count(block.nbytes)
        with self._condition:
            was_edited = self._reading.pop(key)
            if key.volume in self._volumes:
                self.cache.put(key, np.asarray(block), is_stale=was_edited)
        self._tell_arrival()

    def _fail(self, request: Request, error: BaseException) -> None:
        key = request.key
        with self._condition:
            self._reading.pop(key, None)
            if request.urgency >= LATER:
                self._unlucky.add(key)
                return
            is_wanted = key.volume in self._volumes and self._is_open
            self._broken.add(key)
            is_news = (key.volume, str(error)) not in self._told
            self._told.add((key.volume, str(error)))
        if is_wanted and is_news:
            self.failed.emit(str(error))
        self._tell_arrival()

    def _tell_arrival(self) -> None:
        with self._condition:
            if self._arrival_is_told or not self._is_open:
                return
            self._arrival_is_told = True
        self.arrived.emit()

    def _hear(self) -> None:
        self._arrival_is_told = False


def _met(
    number: int, levels: list[Level], boxes: list[Box], keys: set[BlockKey]
) -> Iterator[tuple[BlockKey, Box]]:
    """Yield which of some blocks of a volume meet boxes, and where, in voxels of the block's level."""
    for place, level in enumerate(levels):
        own = [key for key in keys if key.level == place]
        for box in boxes if own else ():
            scaled = level.scaled(box)
            if level.count_blocks(scaled) < len(own):
                found = [BlockKey(number, place, block) for block in level.blocks_of(scaled)]
                found = [key for key in found if key in keys]
            else:
                found = own
            for key in found:
                part = level.block_box(key.block).intersection(scaled)
                if not part.is_empty:
                    yield key, part
