"""Commands and jobs on a volume that is being edited see what is not saved, and say so."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from uniem.data.formats import open_volume
from uniem.data.geometry import Box
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, paint
from uniem.proofreading.tools.whole_objects import merge_objects
from uniem.proofreading.viewing import see_unsaved, view_edited

WHOLE = Box((0, 0, 0), (6, 600, 560))


def edited(path: Path) -> ProofreadingSession:
    session = ProofreadingSession.open(path, "Ada")
    session.objects.scan()
    stroke = paint(session.volume, Stroke(((1.0, 50.0, 60.0),), 20), 7)
    merge = merge_objects(session.objects, 1, [2])
    assert stroke is not None and merge is not None
    session.apply(stroke)
    session.apply(merge)
    return session


def test_a_command_reads_edits_that_are_not_saved_and_says_so(
    new_labels: Callable[..., Path], tmp_path: Path
) -> None:
    columns = np.arange(1, 61, dtype=np.uint32).reshape(1, 6, 10).repeat(6, 0).repeat(100, 1).repeat(56, 2)
    path, target = new_labels(labels=columns), tmp_path / "copy.zarr"
    session = edited(path)
    try:
        command = [sys.executable, "-m", "uniem", "convert", str(path), str(target), "--json"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert ended.returncode == 0, ended.stderr
        lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
        told = [line["text"] for line in lines if "text" in line]
        assert "labels.zarr is read with 2 edits that are not saved yet." in told
        seen = open_volume(target).read(WHOLE)
        np.testing.assert_array_equal(seen, session.volume.read(WHOLE))
        assert not np.array_equal(seen, columns)
        assert session.unsaved_edits == 2
    finally:
        session.close()


def test_a_save_while_a_volume_is_read_is_told(new_labels: Callable[..., Path]) -> None:
    columns = np.arange(1, 61, dtype=np.uint32).reshape(1, 6, 10).repeat(6, 0).repeat(100, 1).repeat(56, 2)
    path = new_labels(labels=columns)
    assert see_unsaved(path) is None
    session = edited(path)
    try:
        seen, view = see_unsaved(path), view_edited(path)
        assert seen is not None and view is not None and view.is_current and view.is_held
        assert not seen.warning()
        session.save()
        assert "was saved while it was read" in seen.warning()
        assert not view.is_current and see_unsaved(path) is None
    finally:
        session.close()
    assert not view.is_held
