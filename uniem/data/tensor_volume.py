"""Read-only volumes on TensorStore arrays: OME-Zarr and precomputed, in a folder or at a web address."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.layers import LayerCache
from uniem.data.location import web_address
from uniem.data.store import shared_context, with_three_axes
from uniem.data.tensor_reading import check_levels, read_box, unreadable, waited
from uniem.data.volume import Kind, Volume
from uniem.data.zarr_metadata import (
    kind_of,
    levels_of,
    multiscale_of,
    parsed_attributes,
    voxel_size_of_level,
)

if TYPE_CHECKING:
    import tensorstore as ts

GROUP_FILES = ("zarr.json", ".zattrs")


class TensorVolume(Volume):
    """A volume and its pyramid, each level an array with the axes z, y, x; nothing can be written.

    `place` is the folder or address that messages name.
    """

    def __init__(
        self, arrays: list[ts.TensorStore], voxel_sizes: list[VoxelSize | None], kind: Kind, place: str
    ) -> None:
        first = arrays[0]
        super().__init__(
            (first.shape[0], first.shape[1], first.shape[2]), first.dtype.numpy_dtype, voxel_sizes[0], kind
        )
        self.source = place
        self.name = place.rstrip("/").rpartition("/")[2]
        self._arrays, self._voxel_sizes = arrays, voxel_sizes
        self._layers = [_layers_of(array, place) for array in arrays]

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box; what was read last is kept in memory."""
        return self._layers[0].read(box, self.shape[0])

    @property
    def chunk_shape(self) -> Triple:
        """The shape of a chunk, the unit of transfer."""
        shape: Any = self._arrays[0].chunk_layout.read_chunk.shape
        return (int(shape[0]), int(shape[1]), int(shape[2]))

    @property
    def levels(self) -> list[Volume]:
        """The pyramid, full resolution first."""
        return [self, *(self._from_level(i) for i in range(1, len(self._arrays)))]

    def _from_level(self, index: int) -> TensorVolume:
        level = TensorVolume(self._arrays[index:], self._voxel_sizes[index:], self.kind, self.source)
        level.name = self.name
        level._layers = self._layers[index:]
        level.voxel_size = self._size_of(index)
        return level

    def _size_of(self, index: int) -> VoxelSize | None:
        """Return the voxel size of a level, also where the user gave that of the volume."""
        full, coarse = self._voxel_sizes[0], self._voxel_sizes[index]
        if self.voxel_size is None:
            return coarse
        if full is None or coarse is None:
            ratios = [a / b for a, b in zip(self.shape, self._arrays[index].shape, strict=True)]
        else:
            ratios = [b / a for a, b in zip(full, coarse, strict=True)]
        return VoxelSize(*(edge * ratio for edge, ratio in zip(self.voxel_size, ratios, strict=True)))


def _layers_of(array: ts.TensorStore, place: str) -> LayerCache:
    chunk: Any = array.chunk_layout.read_chunk.shape
    return LayerCache(
        int(chunk[0]), array.dtype.numpy_dtype.itemsize, lambda box: read_box(array, box, place)
    )


def key_values(place: str | Path) -> dict[str, Any] | str:
    """Return TensorStore's way to name a folder or a web address as a place of keys and values."""
    if isinstance(place, Path):
        return {"driver": "file", "path": f"{place}/"}
    address = web_address(place).rstrip("/") + "/"
    if not address.startswith("s3://"):
        return address
    bucket, _, path = address.removeprefix("s3://").partition("/")
    return {"driver": "s3", "bucket": bucket, "path": path, **_s3_access()}


def _s3_access() -> dict[str, Any]:
    """Return who asks S3 and where: anybody, unless the environment or ~/.aws names an account."""
    access: dict[str, Any] = {}
    is_account = "AWS_ACCESS_KEY_ID" in os.environ or (Path.home() / ".aws" / "credentials").is_file()
    if not is_account:
        access["aws_credentials"] = {"type": "anonymous"}
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        access |= {"endpoint": endpoint, "aws_region": os.environ.get("AWS_REGION", "us-east-1")}
    return access


def read_key(place: str | Path, name: str) -> bytes | None:
    """Return what a folder or a web address holds under a name; None if there is nothing to be had.

    S3 forbids, rather than misses, what is not in a bucket whose contents it may not list.
    """
    import tensorstore as ts

    try:
        keys = ts.KvStore.open(key_values(place), context=shared_context()).result()
        found = waited(keys.read(name), place)
    except (ValueError, OSError, RuntimeError) as error:
        if str(error).startswith("PERMISSION_DENIED"):
            return None
        raise unreadable(place, error) from error
    return bytes(found.value) if found.state == "value" else None


def open_zarr_address(address: str) -> TensorVolume | None:
    """Open the OME-Zarr image at a web address; None if there is none."""
    for name in GROUP_FILES:
        content = read_key(address, name)
        if content is None:
            continue
        try:
            attributes = parsed_attributes(content, name)
            if multiscale_of(attributes) is not None:
                return _opened_zarr(address, attributes, "zarr3" if name == "zarr.json" else "zarr")
        except (ValueError, OSError, RuntimeError) as error:
            raise unreadable(address, error) from error
    return None


def _opened_zarr(address: str, attributes: dict[str, Any], driver: str) -> TensorVolume:
    import tensorstore as ts

    described = multiscale_of(attributes) or {}
    opening = [
        ts.open(
            {"driver": driver, "kvstore": key_values(f"{address.rstrip('/')}/{level['path']}")},
            read=True,
            context=shared_context(),
            recheck_cached_data="open",
        )
        for level in levels_of(described)
    ]
    arrays = [with_three_axes(each.result()) for each in opening]
    check_levels(arrays, address)
    sizes = [voxel_size_of_level(attributes, described, level) for level in levels_of(described)]
    return TensorVolume(arrays, sizes, kind_of(attributes), address)
