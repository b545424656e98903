"""Blocks of volumes kept in memory within a budget: those looked at last stay longest."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Triple
from uniem.data.machine_memory import machine_memory
from uniem.data.store import CACHE_BYTES

LARGEST_DEFAULT = 2 << 30
SHARE_OF_MEMORY = 0.15
_LEAST = 64 << 20


class BlockKey(NamedTuple):
    """Which block: the number of its volume, the level, and its place in the grid of blocks."""

    volume: int
    level: int
    block: Triple


def default_budget() -> int:
    """Return how much memory to use: 15 % of what the computer has, at most 2 GB.

    What the stores keep of their own accord is taken off.
    """
    memory = machine_memory()
    share = int(memory.total * SHARE_OF_MEMORY) if memory else LARGEST_DEFAULT
    return max(_LEAST, min(LARGEST_DEFAULT, share) - CACHE_BYTES)


class BlockCache:
    """Keep blocks; a stale one may be shown until it was read anew. Any thread may use it."""

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._blocks: OrderedDict[BlockKey, NDArray[Any]] = OrderedDict()
        self._stale: set[BlockKey] = set()
        self._lock = threading.Lock()
        self._used = 0

    @property
    def used_bytes(self) -> int:
        """How much memory the blocks take."""
        return self._used

    def get(self, key: BlockKey) -> NDArray[Any] | None:
        """Return a block, stale or not, and keep it longer."""
        with self._lock:
            block = self._blocks.get(key)
            if block is not None:
                self._blocks.move_to_end(key)
            return block

    def is_fresh(self, key: BlockKey) -> bool:
        """Tell whether a block is kept and up to date."""
        with self._lock:
            return key in self._blocks and key not in self._stale

    def put(self, key: BlockKey, block: NDArray[Any], is_stale: bool = False) -> None:
        """Keep a block, and drop those looked at longest ago if memory runs short."""
        block = _compact(block)
        with self._lock:
            self._drop(key)
            self._blocks[key] = block
            self._used += _held(block)
            if is_stale:
                self._stale.add(key)
            while self._used > self.budget_bytes and len(self._blocks) > 1:
                self._drop(next(iter(self._blocks)))

    def mark_stale(self, key: BlockKey) -> None:
        """Note that a block is no longer what is stored."""
        with self._lock:
            if key in self._blocks:
                self._stale.add(key)

    def set_budget(self, budget_bytes: int) -> None:
        """Change how much memory to use."""
        with self._lock:
            self.budget_bytes = budget_bytes
            while self._used > self.budget_bytes and len(self._blocks) > 1:
                self._drop(next(iter(self._blocks)))

    def keys_of(self, volume: int) -> list[BlockKey]:
        """Return the blocks kept of a volume."""
        with self._lock:
            return [key for key in self._blocks if key.volume == volume]

    def forget(self, staying: set[int]) -> None:
        """Drop the blocks of all volumes but these."""
        with self._lock:
            for key in [key for key in self._blocks if key.volume not in staying]:
                self._drop(key)

    def _drop(self, key: BlockKey) -> None:
        block = self._blocks.pop(key, None)
        if block is not None:
            self._used -= _held(block)
        self._stale.discard(key)


def _compact(block: NDArray[Any]) -> NDArray[Any]:
    """Return a block that holds no more than itself, and next to nothing where it is all background."""
    if not block.any():
        return np.broadcast_to(np.zeros((), block.dtype), block.shape)
    is_part = isinstance(block.base, np.ndarray) and block.base.size > block.size
    return block.copy() if is_part else block


def _held(block: NDArray[Any]) -> int:
    return block.dtype.itemsize if block.strides == (0,) * block.ndim else block.nbytes
