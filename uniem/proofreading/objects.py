"""The objects of a volume: name, colour, visibility, lock, size and box of each label, edit by edit."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from psygnal import Signal

from uniem.data.geometry import Box
from uniem.errors import UniemError
from uniem.progress import Context
from uniem.proofreading.edits import Edit, FieldChange, Patch, Relabelling
from uniem.proofreading.journal import Journal
from uniem.proofreading.live_volume import LiveVolume
from uniem.proofreading.object_columns import LiveColumns
from uniem.proofreading.occupancy import Occupancy, Rows
from uniem.proofreading.tally import Columns, Tally, join, measure_block, packed, unpacked

# Counting a block again takes about as long as accounting for this many patches.
_PATCHES_PER_BLOCK = 20
# How long a step waits for the counts to be put together.
_PATIENCE_S = 0.004


@dataclass(frozen=True, slots=True)
class Fields:
    """What a person says about an object.

    Attributes
    ----------
    colour : tuple of int, or None
        Red, green and blue, 0 to 255; None is the palette's.
    class_name : str
        Which kind of thing it is, such as axon or glia.
    confidence : int or None
        How sure the person is, in percent; None if nothing was said.
    """

    name: str = ""
    colour: tuple[int, int, int] | None = None
    visible: bool = True
    locked: bool = False
    class_name: str = ""
    confidence: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SegmentedObject:
    """One label: what a person says about it, how many voxels it has, and the box around them.

    `edited` is when it was changed last, in seconds since 1970; None if it never was here.
    """

    id: int
    fields: Fields
    voxels: int
    box: Box | None
    edited: float | None = None


class ObjectTable:
    """Know every object of a volume, at the cost of what an edit touches.

    The voxels are counted once, by `scan` or step by step by `scan_steps`; until then there are no objects,
    but their fields can be read and changed. `changed` carries the objects that an edit concerns, none when
    all were counted.
    """

    changed = Signal(frozenset)
    counted = Signal()

    def __init__(self, volume: LiveVolume) -> None:
        self._volume = volume
        self._fields: dict[int, Fields] = {}
        self._edited: dict[int, float] = {}
        # The row of the journal up to which it has kept counts.
        self.kept_at: int | None = None
        self._occupancy: Occupancy | None = None
        self._columns = LiveColumns()
        self._scan = _Scan(volume)

    @property
    def is_counted(self) -> bool:
        """Tell whether the voxels have been counted."""
        return self._occupancy is not None

    def scan_steps(self) -> Iterator[float]:
        """Count the voxels, yielding the part done, 0 to 1, after each block; edits may come between."""
        finishing: Future[Occupancy] | None = None
        while not self.is_counted:
            if not self._scan.is_complete:
                # What is being put together lacks an edit that came in between.
                finishing = None
                self._scan.measure_next()
            elif finishing is None:
                finishing = self._scan.finish()
            elif wait([finishing], _PATIENCE_S).done:
                self._occupancy = finishing.result()
                self.counted.emit()
                self.changed.emit(frozenset())
                return
            yield self._scan.part_done

    def scan(self, context: Context | None = None) -> None:
        """Count the voxels at one go."""
        context = context or Context()
        for part in self.scan_steps():
            context.check_cancelled()
            context.progress(int(part * 1000), 1000, "counting objects")

    def columns(self) -> Columns:
        """Return id, voxels and box of all objects as arrays, for sorting and filtering."""
        if self._occupancy is None:
            nothing = np.zeros((0, 3), np.int64)
            return Columns(np.zeros(0, np.uint64), np.zeros(0, np.int64), nothing, nothing)
        return self._columns.take(self._occupancy)

    def __len__(self) -> int:
        return len(self.columns().ids)

    def __iter__(self) -> Iterator[int]:
        """Yield the ids in ascending order."""
        yield from self.columns().ids.tolist()

    def __contains__(self, label: object) -> bool:
        return isinstance(label, int) and self[label].voxels > 0

    def __getitem__(self, label: int) -> SegmentedObject:
        """Return an object; one without voxels has no box."""
        voxels, box = self._occupancy.total_of(label) if self._occupancy else (0, None)
        return SegmentedObject(label, self.fields_of(label), voxels, box, self._edited.get(label))

    def fields_of(self, label: int) -> Fields:
        """Return what a person says about an object."""
        return self._fields.get(label, Fields())

    @property
    def said(self) -> Mapping[int, Fields]:
        """What a person says of objects, as far as anything was said."""
        return self._fields

    @property
    def edited(self) -> Mapping[int, float]:
        """When objects were changed last, in seconds since 1970, as far as they were."""
        return self._edited

    def boxes_of(self, label: int) -> list[Box]:
        """Return boxes that together hold all voxels of an object, none larger than a block."""
        return self.counts().boxes_of(label)

    def counts(self) -> Occupancy:
        """Return where each object is, block by block; raise while the voxels are being counted."""
        if self._occupancy is None:
            raise UniemError(
                f"The objects of {self._volume.name} are still being counted.", "Wait until that is done."
            )
        return self._occupancy

    def locked(self) -> frozenset[int]:
        """Return the objects that no tool may change."""
        return frozenset(label for label, fields in self._fields.items() if fields.locked)

    def hidden(self) -> frozenset[int]:
        """Return the objects that are not shown."""
        return frozenset(label for label, fields in self._fields.items() if not fields.visible)

    def largest_id(self) -> int:
        """Return the largest id in use, 0 if there is none."""
        ids = self.columns().ids
        return max([int(ids[-1]) if len(ids) else 0, *self._fields], default=0)

    def record(self, edit: Edit, when: float, before: Rows | None = None) -> None:
        """Account for an edit; once its voxels are written, `settle` must follow.

        `before` is how the objects stood before an edit that this one takes back; it then need not be found.
        """
        self.touch(edit.labels, when)
        self._columns.note(edit.labels)
        for part in edit.parts:
            if isinstance(part, FieldChange):
                self.record_field(part)
        self._record_voxels(edit, before)

    def record_many(self, changes: Sequence[tuple[Edit, Rows | None]]) -> None:
        """Account for the voxels of many edits in order, which are written, in whichever way is cheaper."""
        self._columns.note(label for edit, _ in changes for label in edit.labels)
        if self._occupancy is None:
            for edit, _ in changes:
                self._record_voxels(edit, None)
            return
        changed, relabelled = defaultdict[int, set[int]](set), set[int]()
        for edit, _ in changes:
            relabelled |= edit.relabelling.labels() if edit.relabelling is not None else set()
            for patch in edit.patches:
                for block in self._occupancy.grid.blocks_of(patch.box):
                    changed[block] |= patch.labels()
        count = sum(len(edit.patches) for edit, _ in changes)
        is_dense = count > _PATCHES_PER_BLOCK * len(changed)
        for edit, before in changes:
            if not is_dense or edit.relabelling is not None:
                self._record_voxels(edit, before)
        if is_dense:
            again = {block: labels | relabelled for block, labels in changed.items()}
            self._occupancy.measure_again(again, self._volume.read)

    def touch(self, labels: Iterable[int], when: float) -> None:
        """Note that objects were changed."""
        self._edited.update(dict.fromkeys(labels, when))

    def _record_voxels(self, edit: Edit, before: Rows | None) -> None:
        if before is not None and self._occupancy is not None:
            self._occupancy.put_rows(before)
            return
        for part in edit.parts:
            if isinstance(part, Patch):
                self._record_patch(part)
            elif isinstance(part, Relabelling):
                self._record_relabelling(part)

    def _record_patch(self, patch: Patch) -> None:
        # What is not counted yet will be counted as it is then.
        if self._occupancy is None:
            self._scan.measure_again(patch.box)
        else:
            self._occupancy.record(patch)

    def _record_relabelling(self, part: Relabelling) -> None:
        if self._occupancy is None:
            self._scan.measure_again(part.box)
        else:
            self._occupancy.relabel(dict(part.mapping))

    def record_field(self, change: FieldChange) -> None:
        """Account for a change of a field."""
        values: dict[str, Any] = {change.field: change.after}
        fields = replace(self.fields_of(change.label), **values)
        if fields == Fields():
            self._fields.pop(change.label, None)
        else:
            self._fields[change.label] = fields

    def settle(self) -> None:
        """Make the boxes exact again after edits."""
        if self._occupancy is not None:
            self._occupancy.settle(self._volume.read)

    def field_changes(self) -> tuple[FieldChange, ...]:
        """Return the changes that lead from an unnamed table to this one."""
        default = asdict(Fields())
        return tuple(
            FieldChange(label, name, default[name], value)
            for label, fields in self._fields.items()
            for name, value in _differing(fields).items()
        )

    def encoded(self) -> dict[str, bytes]:
        """Return fields, and when objects were changed last, as bytes for `keep`."""
        fields = {str(label): _differing(fields) for label, fields in self._fields.items()}
        labels, times = np.array(list(self._edited), np.uint64), np.array(list(self._edited.values()))
        return {
            "fields": json.dumps(fields).encode(),
            "edited": packed({"labels": labels, "times": times}),
        }

    def keep(self, journal: Journal, entry: int, encoded: Mapping[str, bytes]) -> None:
        """Keep in the journal what `encoded` returned for a checkpoint, and the counts after its entry."""
        for name, content in encoded.items():
            journal.put_snapshot(name, entry, content)
        self.keep_counts(journal, entry)

    def keep_counts(self, journal: Journal, entry: int) -> None:
        """Keep the counts in the journal, if there are any, as they are after an entry."""
        if self._occupancy is not None:
            self._occupancy.compact()
            if journal.fact("counts") != self._occupancy.base_name:
                journal.put_snapshot("counts", entry, self._occupancy.base_to_bytes())
                journal.remember("counts", self._occupancy.base_name)
            journal.put_snapshot("counts edited", entry, self._occupancy.edited_to_bytes())

    def restore(self, journal: Journal) -> int | None:
        """Take fields and counts from the journal; return the entry the counts belong to, or None."""
        if (kept := journal.snapshot("fields")) is not None:
            fields = json.loads(kept[1])
            self._fields = {int(label): _fields(values) for label, values in fields.items()}
        self.restore_times(journal)
        whole, edited = journal.snapshot("counts"), journal.snapshot("counts edited")
        if whole is None or edited is None:
            return None
        name = str(journal.fact("counts"))
        self._occupancy = Occupancy.from_bytes(self._volume.grid, name, whole[1], edited[1])
        self.kept_at = edited[0] if self._occupancy is not None else None
        return self.kept_at

    def restore_times(self, journal: Journal) -> None:
        """Take from the journal when objects were changed last, as it was at the checkpoint."""
        self._edited = {}
        if (kept := journal.snapshot("edited")) is not None:
            named = unpacked(kept[1])
            self._edited.update(zip(named["labels"].tolist(), named["times"].tolist(), strict=True))


class _Scan:
    """Count a volume block by block, while it may be edited."""

    def __init__(self, volume: LiveVolume) -> None:
        self._volume, self._grid = volume, volume.grid
        self._total = math.prod(self._grid.counts)
        self._left = (self._grid.box_of(block) for block in range(self._total))
        self._again: dict[int, Box] = {}
        self._measured: dict[int, Tally] = {}
        self._next: Box | None = next(self._left)

    @property
    def is_complete(self) -> bool:
        return self._next is None and not self._again

    @property
    def part_done(self) -> float:
        return len(self._measured) / self._total

    def measure_next(self) -> None:
        """Count one block, those that changed since they were counted last of all."""
        if self._next is not None:
            box, self._next = self._next, next(self._left, None)
        else:
            _, box = self._again.popitem()
        number = self._grid.block_of(box.start)
        if self._volume.has_data(box):
            self._measured[number] = measure_block(self._volume.read(box), box.start, number)
        else:
            self._measured[number] = join([])

    def measure_again(self, box: Box) -> None:
        """Count the blocks that a box meets once more, if they were counted."""
        for number in self._grid.blocks_of(box):
            if self._measured.pop(number, None) is not None:
                self._again[number] = self._grid.box_of(number)

    def finish(self) -> Future[Occupancy]:
        """Put the counts together in a thread: that takes seconds for a million labels."""
        measured = list(self._measured.values())

        def work() -> Occupancy:
            occupancy = Occupancy(self._grid, join(measured))
            occupancy.encode_base()
            return occupancy

        worker = ThreadPoolExecutor(1, "counts")
        future = worker.submit(work)
        worker.shutdown(wait=False)
        return future


def _differing(fields: Fields) -> dict[str, Any]:
    """Return the fields that say anything."""
    default = asdict(Fields())
    return {name: value for name, value in asdict(fields).items() if value != default[name]}


def _fields(values: dict[str, Any]) -> Fields:
    colour = values.pop("colour", None)
    return Fields(**values, colour=tuple(colour) if colour else None)
