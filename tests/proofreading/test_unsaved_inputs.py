"""Commands and jobs on a volume that is being edited see what is not saved, and say so."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from uniem.data.formats import open_volume
from uniem.data.formats.mojo import read_segments
from uniem.data.geometry import Box
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, paint
from uniem.proofreading.tools.fields import lock, recolour, rename
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


def converted(source: Path, target: Path, *flags: str) -> None:
    command = [sys.executable, "-m", "uniem", "convert", str(source), str(target), *flags]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr


def test_edits_that_are_not_saved_are_in_a_copy_whose_kind_is_given(
    new_labels: Callable[..., Path], tmp_path: Path
) -> None:
    columns = np.arange(1, 61, dtype=np.uint32).reshape(1, 6, 10).repeat(6, 0).repeat(100, 1).repeat(56, 2)
    path = new_labels(labels=columns)
    session = edited(path)
    try:
        converted(path, tmp_path / "copy.npy", "--kind", "labels")
        np.testing.assert_array_equal(np.load(tmp_path / "copy.npy"), session.volume.read(WHOLE))
    finally:
        session.close()


def test_names_locks_and_colours_go_into_a_dojo_folder_and_from_one_to_another(
    new_labels: Callable[..., Path], tmp_path: Path
) -> None:
    columns = np.arange(1, 61, dtype=np.uint32).reshape(1, 6, 10).repeat(6, 0).repeat(100, 1).repeat(56, 2)
    path = new_labels(labels=columns)
    session = edited(path)
    try:
        for edit in (
            rename(session.objects, 7, "soma 日本"),
            lock(session.objects, [7, 9]),
            recolour(session.objects, [9], (9, 8, 7)),
        ):
            assert edit is not None
            session.apply(edit)
        session.save()
        unsaved = rename(session.objects, 9, "axon")
        assert unsaved is not None
        session.apply(unsaved)
        converted(path, tmp_path / "one.mojo")
        converted(path, tmp_path / "few.mojo", "--only", "7,9", "--relabel")
    finally:
        session.close()
    converted(tmp_path / "one.mojo", tmp_path / "two.mojo")
    for name, ids in (("one", (7, 9)), ("two", (7, 9)), ("few", (1, 2))):
        found = {each.id: each for each in read_segments(tmp_path / f"{name}.mojo")}
        soma, axon = (found[id] for id in ids)
        assert (soma.name, soma.is_locked, axon.name, axon.is_locked) == ("soma 日本", True, "axon", True)
        assert axon.colour == (9, 8, 7), name
        assert len(found) == (2 if name == "few" else 59)
        assert sum(each.is_locked for each in found.values()) == 2


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
