"""Checkpoints: what a save leaves in journal and store, and noticing changes made elsewhere."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from uniem.data.geometry import Box, Triple, blocks, count_blocks
from uniem.data.store import StoredVolume
from uniem.errors import UniemError
from uniem.proofreading.history import History
from uniem.proofreading.journal import Entry, EntryKind, Journal
from uniem.proofreading.objects import ObjectTable

_MOST_SAMPLES = 32
_LARGEST: Triple = (8, 256, 256)


class VolumeChanged(UniemError):
    """The voxels are not those that the journal tells of; `unsaved` edits are only in the journal."""

    unsaved = 0


@dataclass(frozen=True, slots=True)
class Reached:
    """What a checkpoint records: a sample of the voxels on the disk, and what is said of objects."""

    samples: list[int]
    said: Mapping[str, bytes]


def mark_checkpoint(
    store: StoredVolume, journal: Journal, objects: ObjectTable, number: int, name: str, reached: Reached
) -> Entry:
    """Record what the disk holds: the number in store and journal, a sample of voxels, the object table."""
    try:
        known = store.attributes.get("journal", {}).get("next_label", 1)
        next_label = max(int(journal.fact("next_label") or 1), int(known))
        store.update_attributes(journal={"id": journal.id, "checkpoint": number, "next_label": next_label})
    except OSError as error:
        raise UniemError(
            f"Cannot save {store.path}: {error}.", "Check the disk's free space and rights."
        ) from error
    with journal.together():
        entry = journal.append(EntryKind.CHECKPOINT, number, name, {"samples": reached.samples})
        objects.keep(journal, entry.id, reached.said)
    return entry


def check_unchanged(store: StoredVolume, journal: Journal, history: History, touched: Iterable[Box]) -> None:
    """Raise `VolumeChanged` unless the store is as saved; a torn save may have changed `touched`."""
    checkpoint = history.checkpoint
    assert checkpoint is not None
    mark = store.attributes.get("journal", {})
    if mark.get("id") != journal.id:
        raise changed_outside(store, history, "the journal in its folder belongs to another volume")
    allowed = (checkpoint.ref, checkpoint.ref + 1) if history.is_torn else (checkpoint.ref,)
    if mark.get("checkpoint") not in allowed:
        found = f"it was saved {mark.get('checkpoint')} times, the journal tells of {checkpoint.ref}"
        raise changed_outside(store, history, found)
    expected, boxes = checkpoint.details["samples"], sample_boxes(store)
    excused = list(touched) if history.is_torn else []
    if len(expected) != len(boxes):
        raise changed_outside(store, history, "it has another size")
    for box, before, now in zip(boxes, expected, fingerprint(store), strict=True):
        if before != now and all(box.intersection(other).is_empty for other in excused):
            raise changed_outside(store, history, f"its voxels at {box} are not those saved last")


def sample_boxes(volume: StoredVolume) -> list[Box]:
    """Return the boxes that are sampled: all chunks of a small volume, 32 scattered ones of a large one."""
    chunk = volume.chunk_shape
    count = count_blocks(volume.shape, chunk)
    if count <= _MOST_SAMPLES:
        chosen = [block.core for block in blocks(volume.shape, chunk)]
    else:
        grid = tuple(-(-n // c) for n, c in zip(volume.shape, chunk, strict=True))
        numbers = np.random.default_rng(count).choice(count, _MOST_SAMPLES, replace=False)
        indices = np.stack(np.unravel_index(numbers, grid), axis=1).tolist()
        chosen = [_chunk_box(index, chunk, volume.shape) for index in indices]
    return [box.intersection(Box.of_shape(_LARGEST).translated(box.start)) for box in chosen]


def fingerprint(volume: StoredVolume) -> list[int]:
    """Return a checksum of each sampled box as it is on the disk; 0 where it is all background."""
    return [_checksum(volume, box) for box in sample_boxes(volume)]


def _checksum(volume: StoredVolume, box: Box) -> int:
    if not volume.has_data(box):
        return 0
    array = volume.read_saved(box)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return zlib.crc32(np.ascontiguousarray(little).data) if array.any() else 0


def _chunk_box(index: list[int], chunk: Triple, shape: Triple) -> Box:
    z, y, x = (i * c for i, c in zip(index, chunk, strict=True))
    return Box.of_shape(chunk).translated((z, y, x)).intersection(Box.of_shape(shape))


def changed_outside(store: StoredVolume, history: History, found: str) -> VolumeChanged:
    """Return the error that names the choice."""
    assert history.checkpoint is not None
    saved = time.strftime("%Y-%m-%d %H:%M", time.localtime(history.checkpoint.time))
    error = VolumeChanged(
        f"{store.name} was changed outside its history: {found}.",
        f"Either restore the volume as it was saved on {saved}, or set its history aside: the voxels then "
        f"stay as they are now, without undo. The {len(history.steps)} edits that were not saved can be made "
        "again on them; the old history stays in a file beside them.",
    )
    error.unsaved = len(history.steps)
    return error
