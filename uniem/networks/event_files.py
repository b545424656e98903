"""Curves as TensorBoard reads them: event files, written without TensorFlow.

An event file is a row of records: length, masked CRC-32C of the length, bytes, masked CRC-32C of the bytes.
The bytes are an `Event` in Protocol Buffers: 1 wall time (double), 2 step (int64), 3 file version (string),
5 summary; a summary's values, 1, have a tag, 1, and a simple value, 2 (float).
"""

from __future__ import annotations

import functools
import os
import socket
import struct
import time
from pathlib import Path

POLYNOMIAL = 0x82F63B78
MASK_DELTA = 0xA282EAD8
VERSION = b"brain.Event:2"


class EventFile:
    """An event file in a folder, to which numbers are appended."""

    def __init__(self, folder: Path) -> None:
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}"
        self._path = folder / name
        self._append(_field(3, VERSION))

    def write(self, step: int, **values: float) -> None:
        """Append named numbers at a step."""
        entries = b"".join(
            _field(1, _field(1, name.encode()) + b"\x15" + struct.pack("<f", value))
            for name, value in values.items()
        )
        self._append(b"\x10" + _varint(step) + _field(5, entries))

    def _append(self, content: bytes) -> None:
        event = b"\x09" + struct.pack("<d", time.time()) + content
        length = struct.pack("<Q", len(event))
        record = length + _masked_crc(length) + event + _masked_crc(event)
        with self._path.open("ab") as file:
            file.write(record)


def _field(number: int, content: bytes) -> bytes:
    """Return a field of bytes."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    groups = []
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


def _masked_crc(content: bytes) -> bytes:
    crc = 0xFFFFFFFF
    table = _table()
    for byte in content:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    rotated = (crc >> 15 | crc << 17) & 0xFFFFFFFF
    return struct.pack("<I", (rotated + MASK_DELTA) & 0xFFFFFFFF)


@functools.cache
def _table() -> tuple[int, ...]:
    entries = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (POLYNOMIAL if number & 1 else 0)
        entries.append(number)
    return tuple(entries)
