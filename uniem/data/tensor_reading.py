"""Reading arrays through TensorStore, and what it says when that fails, in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.data.limits import check_chunk, check_shape
from uniem.errors import UniemError

if TYPE_CHECKING:
    import tensorstore as ts

LARGEST_EDGE = 1 << 53
PATIENCE_S = 4.0
VOXEL_KINDS = "buif"


def read_box(array: ts.TensorStore, box: Box, place: str | Path) -> NDArray[Any]:
    """Return the voxels of a box; `place` is the folder or address that a message names."""
    try:
        voxels: NDArray[Any] = waited(array[box.slices].read(), place)
    except (LookupError, ValueError, OSError, RuntimeError) as error:
        raise unreadable(place, error) from error
    return voxels


def waited(future: Any, place: str | Path) -> Any:
    """Return the result of one of TensorStore's futures; raise if it waits for a pipe in a folder."""
    try:
        return future.result(timeout=PATIENCE_S)
    except TimeoutError:
        folder = Path(place)
        inside = folder.rglob("*") if folder.is_dir() else iter(())
        if pipe := next((path for path in inside if path.is_fifo()), None):
            raise UniemError(
                f"{pipe} is a pipe, not a file.", "Remove it and copy the folder again."
            ) from None
    return future.result()


def check_levels(arrays: list[ts.TensorStore], place: str | Path) -> None:
    """Raise if the levels of a volume do not hold voxels, or are cut into chunks that no memory holds."""
    for array in arrays:
        check_shape(array.shape, place)
        if max(array.shape) > LARGEST_EDGE:
            raise UniemError(f"{place} says that it is {max(array.shape)} voxels long.", "Make it again.")
        if array.dtype.numpy_dtype.kind not in VOXEL_KINDS:
            raise UniemError(f"{place} holds values of type {array.dtype.name}.", "Save numbers instead.")
        chunk: Any = array.chunk_layout.read_chunk.shape
        check_chunk(chunk, array.dtype.numpy_dtype.itemsize, place)
    if any(array.dtype != arrays[0].dtype for array in arrays):
        raise UniemError(f"The levels of {place} are of different types.", "Make or copy it again.")


def unreadable(place: str | Path, error: Exception) -> UniemError:
    """Return what to tell the user about an error of TensorStore."""
    is_address = isinstance(place, str) and "://" in place
    hint = "Check the address and the network." if is_address else "Make or copy it again."
    return UniemError(f"{place} cannot be read: {plain_reason(error)}.", hint)


def plain_reason(error: Exception) -> str:
    """Return what an error of TensorStore says, without where in its source."""
    reason = str(error).split(" [")[0].split("\n")[0].rstrip(".")
    return "its name is not text in UTF-8" if "Unable to cast Python instance" in reason else reason
