"""Neuroglancer's precomputed volumes through TensorStore; its x, y, z, channel seen as z, y, x."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from uniem.data.geometry import Triple, VoxelSize
from uniem.data.store import shared_context
from uniem.data.tensor_reading import waited
from uniem.data.tensor_volume import key_values

if TYPE_CHECKING:
    import tensorstore as ts

CHUNK_EDGE = 64
DTYPES = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "float32")


def open_scale(place: str | Path, index: int) -> ts.TensorStore:
    """Open a level of a precomputed volume as z, y, x from its own corner; raise ValueError if it is bad."""
    import tensorstore as ts

    spec = {"driver": "neuroglancer_precomputed", "kvstore": key_values(place), "scale_index": index}
    opening = ts.open(spec, read=True, context=shared_context(), recheck_cached_data="open")
    array = waited(opening, place)
    return _seen_as_zyx(array)


def create_scale(
    folder: Path, shape: Triple, dtype: str, voxel_size: VoxelSize, is_labels: bool
) -> ts.TensorStore:
    """Add a level to the precomputed volume in a folder and open it for writing as z, y, x."""
    import tensorstore as ts

    is_packed = is_labels and dtype in ("uint32", "uint64")
    encoding: dict[str, Any] = {"encoding": "raw"}
    if is_packed:
        encoding = {"encoding": "compressed_segmentation", "compressed_segmentation_block_size": [8, 8, 8]}
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": key_values(folder),
        "multiscale_metadata": {
            "type": "segmentation" if is_labels else "image",
            "data_type": dtype,
            "num_channels": 1,
        },
        "scale_metadata": {
            "size": list(shape[::-1]),
            "resolution": list(voxel_size[::-1]),
            "chunk_size": [CHUNK_EDGE] * 3,
            **encoding,
        },
    }
    return _seen_as_zyx(ts.open(spec, create=True, open=True, context=shared_context()).result())


def _seen_as_zyx(array: ts.TensorStore) -> ts.TensorStore:
    import tensorstore as ts

    if array.shape[3] != 1:
        raise ValueError(f"it has {array.shape[3]} channels, not one")
    return array[ts.d[3][0]].transpose([2, 1, 0])[ts.d[:].translate_to[0]]
