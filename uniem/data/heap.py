"""Freed memory given back to the system, which the allocator of Linux otherwise keeps."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable

TRIM_EVERY_BYTES = 128 << 20


class HeapTrimmer:
    """Trim the heap after every so many bytes of work.

    Writing large volumes chunk by chunk from many threads leaves glibc with freed pieces, gigabytes in the
    end, that it does not return by itself. `benchmarks/memory.py` measures what operations take.
    """

    def __init__(self) -> None:
        self._bytes = 0

    def count(self, size_bytes: int) -> None:
        """Note work of a size."""
        self._bytes += size_bytes
        if self._bytes >= TRIM_EVERY_BYTES:
            self._bytes = 0
            if trim := _malloc_trim():
                trim(0)


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        trim: Callable[[int], int] = ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):  # another C library
        return None
    return trim
