"""Two points of the past compared, against reading both as they were."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import Kind
from uniem.proofreading.comparison import Comparison
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, paint
from uniem.proofreading.tools.whole_objects import delete_objects, merge_objects

SHAPE = (8, 300, 300)


def test_it_finds_what_differs_between_any_two_points(tmp_path: Path) -> None:
    path = tmp_path / "labels.zarr"
    store = create_store(path, SHAPE, np.uint32, VoxelSize(8, 8, 8), Kind.LABELS)
    labels = np.zeros(SHAPE, np.uint32)
    labels[:, 20:280, 20:140], labels[:, 20:280, 140:260] = 3, 4
    store.write(Box.of_shape(SHAPE), labels)
    session = ProofreadingSession.open(path)
    try:
        session.objects.scan()
        made = [np.array(labels)]

        def apply(edit: object) -> None:
            assert edit is not None
            session.apply(edit)  # type: ignore[arg-type]
            made.append(session.volume.read(Box.of_shape(SHAPE)).copy())

        apply(paint(session.volume, Stroke(((3, 10, 10), (3, 250, 200)), 9), 7))
        apply(merge_objects(session.objects, 3, [4]))
        session.save()
        apply(paint(session.volume, Stroke(((5, 100, 10), (5, 100, 290)), 6), 4))
        apply(delete_objects(session.objects, [3]))
        points = [0, *(edit.id for edit in session.timeline.edits())]
        for now in (points[4], points[1]):
            session.go_to(now)
            for first, second in itertools.permutations(range(len(points)), 2):
                comparison = Comparison(session, points[first], points[second])
                for _ in comparison.prepare():
                    pass
                before, after = made[first].copy(), made[first].copy()
                for block in comparison.blocks:
                    if (difference := comparison.find(block)) is not None:
                        was, became = difference.labels()
                        assert (before[difference.box.slices] == was).all()
                        after[difference.box.slices] = became
                np.testing.assert_array_equal(after, made[second])
                assert comparison.totals.voxels == (made[first] != made[second]).sum()
    finally:
        session.close()
