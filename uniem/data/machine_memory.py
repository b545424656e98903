"""How much memory the computer has, and how much of it is free."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import NamedTuple


class Memory(NamedTuple):
    """The bytes of memory of a computer, and of these the ones that programs may still take."""

    total: int
    free: int


def machine_memory() -> Memory | None:
    """Return the memory of this computer; None where it does not tell."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    try:
        return Memory(kilobytes["MemTotal"] * 1024, kilobytes["MemAvailable"] * 1024)
    except KeyError:  # an old kernel
        return None


def _windows_memory() -> Memory | None:
    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "a", "b", "c", "d", "e")),
        )

    status = Status()
    status.length = ctypes.sizeof(status)
    is_told = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # type: ignore[attr-defined]
    return Memory(int(status.total), int(status.free)) if is_told else None
