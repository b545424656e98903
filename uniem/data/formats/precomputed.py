"""Neuroglancer's precomputed volumes: folders of chunks that a web server can hand out.

Reading works on a folder or an address; levels are kept. Writing makes a pyramid, raw for images and
compressed for labels. What the format cannot say is in `uniem.json` beside its `info`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from uniem.data.formats.files import replacing
from uniem.data.formats.format import Format, describe, described_kind, settle, voxel_size_of
from uniem.data.geometry import Box, Triple, VoxelSize, blocks, count_blocks
from uniem.data.heap import HeapTrimmer
from uniem.data.precomputed_arrays import DTYPES, create_scale, open_scale
from uniem.data.pyramid import downsample, next_factor
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

INFO = "info"
RECORD = "uniem.json"
VOLUME_TYPE = "neuroglancer_multiscale_volume"
BLOCK_SHAPE: Triple = (64, 512, 512)
COARSE_BLOCK_SHAPE: Triple = (64, 256, 256)
SMALLEST_EDGE = 512
UNKNOWN_SIZE = VoxelSize(1, 1, 1)
HOLDS = {**{name: name for name in DTYPES}, "bool": "uint8", "float16": "float32"}


def probe(path: Path) -> bool:
    """Tell whether a folder holds the description of a precomputed volume."""
    return (path / INFO).is_file() and _is_volume(_parsed((path / INFO).read_bytes()))


def read(path: Path, dataset: str | None, kind: Kind | None) -> Volume:
    """Open a precomputed volume in a folder; nothing is read but its description."""
    if dataset:
        raise UniemError(f"{path} is one volume and holds no dataset '{dataset}'.", f"Leave off ::{dataset}.")
    volume = _opened(path, (path / INFO).read_bytes(), kind)
    return settle(volume, path, None, volume.kind)


def read_address(address: str, kind: Kind | None) -> Volume | None:
    """Open the precomputed volume at a web address; None if there is none."""
    from uniem.data.tensor_volume import read_key

    info = read_key(address, INFO)
    return _opened(address, info, kind) if info and _is_volume(_parsed(info)) else None


def _opened(place: str | Path, content: bytes, kind: Kind | None) -> Volume:
    from uniem.data.tensor_reading import check_levels, plain_reason
    from uniem.data.tensor_volume import TensorVolume, read_key

    info, record = _parsed(content), _parsed(read_key(place, RECORD) or b"")
    try:
        arrays = [open_scale(place, i) for i in range(len(info["scales"]))]
        sizes = [voxel_size_of(scale["resolution"][::-1]) for scale in info["scales"]]
    except (LookupError, TypeError, ValueError, OSError, RuntimeError) as error:
        raise UniemError(f"{place} is damaged: {plain_reason(error)}.", "Make or copy it again.") from error
    check_levels(arrays, place)
    if isinstance(record, dict) and record.get("voxel_size_nm", 1) is None and sizes[0] == UNKNOWN_SIZE:
        sizes = [None] * len(sizes)
    stated = Kind.LABELS if info.get("type") == "segmentation" else Kind.IMAGE
    return TensorVolume(arrays, sizes, kind or described_kind(record) or stated, str(place))


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _is_volume(info: Any) -> bool:
    if not isinstance(info, dict) or not isinstance(info.get("scales"), list) or not info["scales"]:
        return False
    return bool(info.get("@type", VOLUME_TYPE) == VOLUME_TYPE)


def write(volume: Volume, path: Path, dataset: str | None, context: Context) -> None:
    """Write a volume and its pyramid block by block; means of images, modes of labels."""
    if dataset:
        raise UniemError(f"A precomputed volume holds no dataset '{dataset}'.", f"Leave off ::{dataset}.")
    is_labels = volume.kind is Kind.LABELS
    with replacing(path) as part:
        part.mkdir()
        base = volume.voxel_size or UNKNOWN_SIZE
        try:
            level = create_scale(part, volume.shape, volume.dtype.name, base, is_labels)
            total = count_blocks(volume.shape, BLOCK_SHAPE)
            heap = HeapTrimmer()
            for block in context.track(blocks(volume.shape, BLOCK_SHAPE), "writing", total):
                level[block.core.slices].write(volume.read(block.core)).result()
                heap.count(block.core.size * volume.dtype.itemsize)
            _write_pyramid(level, part, volume, context)
        except ValueError as error:
            raise OSError(str(error)) from error
        (part / RECORD).write_text(json.dumps(describe(volume)), "utf-8")


def _write_pyramid(level: Any, folder: Path, volume: Volume, context: Context) -> None:
    base, is_labels = volume.voxel_size or UNKNOWN_SIZE, volume.kind is Kind.LABELS
    heap = HeapTrimmer()
    done: Triple = (1, 1, 1)
    while max(level.shape[1:]) > SMALLEST_EDGE:
        factor = next_factor(_triple(level.shape), volume.voxel_size, done)
        shape = _triple([-(-n // f) for n, f in zip(level.shape, factor, strict=True)])
        done = _triple([a * b for a, b in zip(done, factor, strict=True)])
        size = VoxelSize(*(b * f for b, f in zip(base, done, strict=True)))
        coarse = create_scale(folder, shape, volume.dtype.name, size, is_labels)
        total = count_blocks(shape, COARSE_BLOCK_SHAPE)
        for block in context.track(blocks(shape, COARSE_BLOCK_SHAPE), "pyramid", total):
            fine = level[_finer(block.core, factor, _triple(level.shape)).slices].read().result()
            coarse[block.core.slices].write(downsample(fine, factor, is_labels=is_labels)).result()
            heap.count(fine.nbytes)
        level = coarse


def _finer(box: Box, factor: Triple, shape: Triple) -> Box:
    start = [a * f for a, f in zip(box.start, factor, strict=True)]
    stop = [min(n, b * f) for b, f, n in zip(box.stop, factor, shape, strict=True)]
    return Box(_triple(start), _triple(stop))


def _triple(values: Any) -> Triple:
    return (int(values[0]), int(values[1]), int(values[2]))


FORMAT = Format("a precomputed volume", (".precomputed",), probe, read, write, HOLDS)
