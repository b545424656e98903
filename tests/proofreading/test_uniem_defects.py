"""What went wrong with people's data in UNI-EM, tried here on real files; the window's part is in tests/gui."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.operations.conftest import run
from uniem.algorithms.meshing import mesh_labels, mesh_volume_nm3
from uniem.data.formats import export_volume, open_volume
from uniem.data.geometry import Box
from uniem.data.store import open_store
from uniem.data.volume import Kind
from uniem.errors import UniemError
from uniem.proofreading.edits import Edit
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools import fields
from uniem.proofreading.tools.brush import Stroke, paint
from uniem.proofreading.tools.split import split_by_line
from uniem.proofreading.tools.whole_objects import delete_objects, merge_objects

Make = Callable[..., Path]
Open = Callable[[Path], ProofreadingSession]
BAR, ISLAND, NEIGHBOUR = 5, (1, 400, 20), 6


@pytest.fixture
def opened() -> Iterator[Open]:
    sessions: list[ProofreadingSession] = []

    def open_session(path: Path) -> ProofreadingSession:
        sessions.append(ProofreadingSession.open(path, "tester"))
        sessions[-1].objects.scan()
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


def section_of_many_tiles() -> np.ndarray:
    """Return a long bar with an island of the same label, neighbours with the next ids, and noise elsewhere."""
    labels = np.random.default_rng(0).integers(100, 200, (3, 600, 560)).astype(np.uint32)
    labels[:, 20:60, 20:300] = BAR
    labels[:, 390:420, 10:40] = BAR
    for step in range(4):
        labels[:, 20:60, 310 + 40 * step : 340 + 40 * step] = NEIGHBOUR + step
    return labels


def whole(session: ProofreadingSession) -> np.ndarray:
    return session.volume.read(Box.of_shape(session.volume.shape)).copy()


def split(session: ProofreadingSession) -> Edit:
    """Cut the bar in two at x = 100 in section 1."""
    box = session.objects[BAR].box
    assert box is not None
    line = [(1.0, 10.0, 100.0), (1.0, 70.0, 100.0)]
    edit = split_by_line(session.volume, BAR, line, box, session.next_label)
    session.apply(edit)
    return edit


def stroke(session: ProofreadingSession, y: int, label: int) -> Edit:
    edit = paint(session.volume, Stroke(((0.0, float(y), 50.0), (0.0, float(y), 90.0)), 6), label)
    assert edit is not None
    session.apply(edit)
    return edit


def test_saving_a_split_changes_nothing_of_the_section_but_the_object(new_labels: Make, opened: Open) -> None:
    """UNI-EM defect 9: saving a split deleted every other tile of the section, then crashed."""
    labels = section_of_many_tiles()
    path = new_labels(labels=labels)
    session = opened(path)
    split(session)
    session.save()
    session.close()
    saved = np.array(open_store(path)[:])
    changed = saved != labels
    assert changed.any() and set(labels[changed]) == {BAR}
    assert set(np.argwhere(changed)[:, 0]) == {1} and np.argwhere(changed)[:, 1].max() < 60


def test_a_split_leaves_islands_alone_and_joins_no_other_segment(new_labels: Make, opened: Open) -> None:
    """UNI-EM defect 10: with an island in the section, a part fused with the segment that had the next id."""
    labels = section_of_many_tiles()
    session = opened(new_labels(labels=labels))
    split(session)
    after = whole(session)
    assert after[ISLAND] == BAR
    new = set(np.unique(after)) - set(np.unique(labels))
    assert new == {200} and set(labels[after == 200]) == {BAR}
    assert (after[labels != BAR] == labels[labels != BAR]).all()


def test_undoing_a_split_brings_back_every_voxel(new_labels: Make, opened: Open) -> None:
    """UNI-EM defect 11: undo left the last row and column of the split's box as they were split."""
    labels = section_of_many_tiles()
    session = opened(new_labels(labels=labels))
    split(session)
    session.undo()
    np.testing.assert_array_equal(whole(session), labels)
    session.redo()
    session.save()
    session.undo()
    np.testing.assert_array_equal(whole(session), labels)


def test_a_merge_is_in_the_table_the_mesh_and_every_export(
    new_labels: Make, opened: Open, tmp_path: Path
) -> None:
    """UNI-EM defect 12: exports, sizes and the 3D annotator showed the segments as they were before."""
    labels = np.zeros((4, 40, 80), np.uint32)
    labels[:, 5:35, 5:40], labels[:, 5:35, 40:75] = 3, 4
    path = new_labels(labels=labels)
    session = opened(path)
    edit = merge_objects(session.objects, 3, [4])
    assert edit is not None
    session.apply(edit)
    expected = np.where(labels == 4, 3, labels)
    assert list(session.objects) == [3] and session.objects[3].voxels == (expected == 3).sum()
    (mesh,) = mesh_labels(session.volume)
    voxel_nm3 = 50 * 5 * 5
    assert mesh.label == 3 and mesh_volume_nm3(mesh) == pytest.approx(
        (expected == 3).sum() * voxel_nm3, rel=0.1
    )
    export_volume(session.volume, tmp_path / "unsaved.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "unsaved.tif"), expected)
    session.save()
    session.close()
    run("convert", {"source": path}, {"result": tmp_path / "saved.npy"})
    np.testing.assert_array_equal(np.load(tmp_path / "saved.npy"), expected)
    run("measure", {"labels": path}, {"table": tmp_path / "sizes.csv"})
    rows = (tmp_path / "sizes.csv").read_text().splitlines()
    assert len(rows) == 2 and str((expected == 3).sum()) in rows[1].split(",")


def test_names_locks_and_confidence_are_the_same_after_every_save(new_labels: Make, opened: Open) -> None:
    """UNI-EM defect 14: every save wrote all names and locks anew, and so lost them."""
    path = new_labels(labels=section_of_many_tiles())
    session = opened(path)
    for change in (
        fields.rename(session.objects, BAR, "axon 5"),
        fields.lock(session.objects, [BAR]),
        fields.rate(session.objects, [BAR], 80),
    ):
        assert change is not None
        session.apply(change)
    for y in (200, 300):
        session.save()
        stroke(session, y, 150)
    session.save()
    session.close()
    kept = opened(path).objects.fields_of(BAR)
    assert (kept.name, kept.locked, kept.confidence) == ("axon 5", True, 80)


@pytest.mark.parametrize("name", ["out.tif", "out.mojo", "out/"])
def test_an_export_has_the_size_of_the_stack(new_labels: Make, tmp_path: Path, name: str) -> None:
    """UNI-EM defect 15: a stack of 600 x 700 was exported as 1024 x 1024."""
    labels = np.random.default_rng(1).integers(0, 9, (2, 600, 700)).astype(np.uint32)
    target = f"{tmp_path}/{name}"
    run("convert", {"source": new_labels(labels=labels)}, {"result": target})
    back = open_volume(f"{target}::ids" if name.endswith("mojo") else target)
    np.testing.assert_array_equal(back.read(Box.of_shape(back.shape)), labels)


def test_small_and_16_bit_images_are_imported_as_they_are(tmp_path: Path) -> None:
    """UNI-EM defect 16: images up to 256 pixels wide failed, 16-bit values came in modulo 256."""
    image = np.linspace(0, 65_535, 2 * 30 * 40).astype(np.uint16).reshape(2, 30, 40)
    tifffile.imwrite(tmp_path / "small.tif", image)
    run("convert", {"source": tmp_path / "small.tif"}, {"result": tmp_path / "small.zarr"}, kind="image")
    store = open_store(tmp_path / "small.zarr")
    assert store.dtype == np.uint16
    np.testing.assert_array_equal(store[:], image)
    run("convert", {"source": tmp_path / "small.zarr"}, {"result": tmp_path / "eight.npy"}, dtype="uint8")
    eight = np.load(tmp_path / "eight.npy").ravel().astype(int)
    assert (np.diff(eight) >= 0).all() and (eight[0], eight[-1]) == (0, 255)


def test_16_bit_images_and_colour_labels_reach_a_network_as_they_are(tmp_path: Path) -> None:
    """UNI-EM defect 17: the 2D CNN took 16-bit images modulo 256, and colour label pictures became grey.

    That the network itself takes any type of grey values as it is, is tried in tests/networks/test_tiling.py.
    """
    image = np.arange(32 * 32, dtype=np.uint16).reshape(1, 32, 32) * 60
    Image.fromarray(image[0]).save(tmp_path / "image.png")
    np.testing.assert_array_equal(open_volume(tmp_path / "image.png")[0], image[0])
    colours = np.zeros((8, 8, 3), np.uint8)
    # The same grey: 0.299 R + 0.587 G + 0.114 B.
    colours[:4], colours[4:] = (114, 0, 0), (0, 58, 0)
    Image.fromarray(colours).save(tmp_path / "labels.png")
    assert len(np.unique(open_volume(tmp_path / "labels.png", Kind.LABELS)[0])) == 2


def test_ids_never_wrap(tmp_path: Path) -> None:
    """UNI-EM defect 18: of 288,497 components the largest id came back as 65,535; exports wrapped too."""
    dots = np.zeros((2, 1040, 1040), np.uint8)
    dots[:, ::2, ::2] = 255
    dots[1] = 0
    tifffile.imwrite(tmp_path / "dots.tif", dots)
    run("label", {"image": tmp_path / "dots.tif"}, {"result": tmp_path / "ids.zarr"}, level=100)
    ids = np.array(open_store(tmp_path / "ids.zarr")[:])
    assert ids.max() == 520 * 520 == len(np.unique(ids)) - 1
    with pytest.raises(UniemError, match="uint16"):
        run("convert", {"source": tmp_path / "ids.zarr"}, {"result": tmp_path / "a.tif"}, dtype="uint16")
    assert not (tmp_path / "a.tif").exists()


def test_deleting_an_object_deletes_that_object_only(new_labels: Make, opened: Open) -> None:
    """UNI-EM defect 19: the key deleted all labels within half a brush of the mouse, in the whole volume."""
    labels = section_of_many_tiles()
    session = opened(new_labels(labels=labels))
    edit = delete_objects(session.objects, [NEIGHBOUR])
    assert edit is not None
    session.apply(edit)
    np.testing.assert_array_equal(whole(session), np.where(labels == NEIGHBOUR, 0, labels))
    session.undo()
    np.testing.assert_array_equal(whole(session), labels)


def test_painting_is_undone_and_takes_no_other_undo_away(new_labels: Make, opened: Open) -> None:
    """UNI-EM defect 21: painting had no undo, saved pending merges unasked and emptied the undo stack."""
    labels = section_of_many_tiles()
    session = opened(new_labels(labels=labels))
    merge = merge_objects(session.objects, BAR, [NEIGHBOUR])
    assert merge is not None
    session.apply(merge)
    merged = whole(session)
    stroke(session, 200, 7)
    assert session.unsaved_edits == 2
    session.undo()
    np.testing.assert_array_equal(whole(session), merged)
    session.undo()
    np.testing.assert_array_equal(whole(session), labels)
