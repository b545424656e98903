"""Objects in order and their columns edit by edit, against plain sorting and columns made anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import Kind
from uniem.proofreading import object_order as order
from uniem.proofreading.edits import Edit
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools import fields
from uniem.proofreading.tools.brush import Stroke, paint
from uniem.proofreading.tools.whole_objects import delete_objects, merge_objects, relabel_object

SHAPE = (8, 64, 64)


def check(session: ProofreadingSession, before: order.Order, old: np.ndarray) -> None:
    """Compare the columns with new ones, and each order with Python's own sorting."""
    objects, found = session.objects, session.objects.columns()
    exact = objects.counts().columns()
    for name in ("ids", "voxels", "start", "stop"):
        np.testing.assert_array_equal(getattr(found, name), getattr(exact, name))
    ids = found.ids.tolist()
    keys = {
        order.ID: lambda label: label,
        order.VOXELS: lambda label: objects[label].voxels,
        order.PLACE: lambda label: objects[label].box.start,
        order.EDITED: lambda label: objects.edited.get(label, 0.0),
        "name": lambda label: objects.fields_of(label).name.lower(),
        "locked": lambda label: objects.fields_of(label).locked,
        "confidence": lambda label: -1 if (c := objects.fields_of(label).confidence) is None else c,
        "colour": lambda label: objects.fields_of(label).colour or (),
    }
    for by, key in keys.items():
        rows = order.ascending(objects, found, by)
        assert found.ids[rows].tolist() == sorted(ids, key=key), by
    carried = order.carried_over(before, old, found.ids)
    assert sorted(carried.tolist()) == list(range(len(ids)))
    again = order.ascending(objects, found, order.VOXELS, carried)
    assert (np.diff(found.voxels[again]) >= 0).all()


def test_orders_and_columns_follow_edits(tmp_path: Path) -> None:
    store = create_store(tmp_path / "labels.zarr", SHAPE, np.uint32, VoxelSize(8, 8, 8), Kind.LABELS)
    cubes = np.arange(1, 257, dtype=np.uint32).reshape(1, 16, 16).repeat(4, 1).repeat(4, 2)
    labels = np.repeat(cubes, 8, 0)
    labels[np.random.default_rng(0).random(SHAPE) < 0.3] = 0
    store.write(Box.of_shape(SHAPE), labels)
    session = ProofreadingSession.open(tmp_path / "labels.zarr")
    try:
        session.objects.scan()
        objects = session.objects

        def edits() -> list[Edit | None]:
            return [
                fields.rename(objects, 40, "Beta"),
                fields.rename(objects, 9, "alpha"),
                fields.lock(objects, [3, 200]),
                fields.rate(objects, [7, 8], 30),
                fields.recolour(objects, [12], (1, 2, 3)),
                paint(session.volume, Stroke(((4, 10, 10), (4, 40, 50)), 5), 1000),
                merge_objects(objects, 5, [6, 100, 256]),
                delete_objects(objects, [1, 2]),
                relabel_object(objects, 50, 600),
            ]

        for number in range(len(edits())):
            columns = objects.columns()
            old, before = columns.ids.copy(), order.ascending(objects, columns, order.VOXELS)
            edit = edits()[number]
            assert edit is not None
            session.apply(edit)
            check(session, before, old)
        for _ in range(3):
            old, before = objects.columns().ids.copy(), order.ascending(objects, objects.columns(), "voxels")
            session.undo()
            check(session, before, old)
    finally:
        session.close()
