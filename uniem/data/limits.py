"""What a file declares held against what can be: absurd sizes are refused before memory is asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from uniem.errors import UniemError

# The largest piece, such as a picture or a chunk, that is decoded at once without a question.
LARGEST_PIECE_BYTES = 1 << 30
# Electron micrographs shrink less than 3 times and maps of labels up to 300 times; zeros shrink 1000 times.
MOST_SHRINKING = 400


def check_shape(shape: Sequence[int], place: str | Path) -> None:
    """Raise if a volume holds no voxel."""
    if min(shape) < 1:
        size = " × ".join(map(str, shape))
        raise UniemError(f"{place} holds no voxel: its size is {size} (z, y, x).", "Copy or save it again.")


def check_piece(declared_bytes: int, stored_bytes: int, place: str | Path) -> None:
    """Raise if a piece that is decoded at once would be huge and so few bytes can hardly be all of it."""
    if declared_bytes > max(LARGEST_PIECE_BYTES, MOST_SHRINKING * stored_bytes):
        raise UniemError(
            f"{place} says that it holds {readable(declared_bytes)} of pixels, in {readable(stored_bytes)}.",
            "It is damaged or made to fill the memory. Copy or save it again, in parts if it is that large.",
        )


def check_chunk(shape: Sequence[int], itemsize: int, place: str | Path) -> None:
    """Raise if a chunk, which is decoded as a whole, is too large."""
    size = math.prod(int(n) for n in shape) * itemsize
    if size > LARGEST_PIECE_BYTES:
        edges = " × ".join(str(int(n)) for n in shape)
        raise UniemError(
            f"The chunks of {place} are {edges} voxels, {readable(size)} each.",
            f"Write it in chunks of at most {readable(LARGEST_PIECE_BYTES)}, better a few megabytes.",
        )


def readable(size: int) -> str:
    """Return a number of bytes in a unit that suits it."""
    unit = min(max(size, 1).bit_length() // 10, 5)
    return f"{size / 1024**unit:.3g} {('bytes', 'kB', 'MB', 'GB', 'TB', 'PB')[unit]}"
