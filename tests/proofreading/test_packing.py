"""Packing and unpacking projects: voxels, journals with unsaved edits, leaving out, and refusing what harms."""

from __future__ import annotations

import json
import sqlite3
import stat
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from uniem.data import packing
from uniem.data.formats import export_volume, open_volume
from uniem.data.geometry import Box, VoxelSize
from uniem.data.packing import pack_project, unpack_project
from uniem.data.project import FILE_NAME, ItemRecord, Project, ProjectState, find_place, stored_place
from uniem.data.project_parts import OTHER_FILES, files_of, parts_of
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError
from uniem.progress import Cancelled, Context
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, paint

SHAPE = (3, 40, 50)


def grey() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 255, SHAPE).astype(np.uint8)


def stroke(session: ProofreadingSession, label: int, z: int) -> None:
    edit = paint(session.volume, Stroke(((float(z), 20.0, 20.0),), 8), label)
    assert edit is not None
    session.apply(edit)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Make a project with an image beside it, labels and a job inside, and a note."""
    study = tmp_path / "study"
    study.mkdir()
    image = study / "raw [1].npy"
    export_volume(ArrayVolume(grey(), VoxelSize(40, 4, 4), Kind.IMAGE), image)
    made = Project.create(study / "p")
    create_store(made.path / "labels.zarr", SHAPE, "uint32", VoxelSize(40, 4, 4), Kind.LABELS)
    (made.jobs / "one").mkdir(parents=True)
    (made.jobs / "one" / "request.json").write_text("{}")
    (made.jobs / "one" / "launched").write_text("")
    (made.jobs / "waiting").mkdir()
    (made.jobs / "waiting" / "request.json").write_text("{}")
    (made.jobs / "one" / "lock").write_text("")
    (made.path / "notes.txt").write_text("mine")
    (made.path / ".half.zarr.part").mkdir()
    (made.path / ".half.zarr.part" / "x").write_text("begun")
    places = [stored_place(str(path), made.path) for path in (image, study / "gone.tif")]
    items = [ItemRecord(name="raw", location=place, elsewhere=elsewhere) for place, elsewhere in places]
    items.append(ItemRecord(name="labels", location="labels.zarr", is_edited=True))
    made.write(ProjectState(items=tuple(items)))
    made.close()
    return made


def unpacked(packed: Path, tmp_path: Path) -> Project:
    (tmp_path / "elsewhere").mkdir()
    unpack_project(packed, tmp_path / "elsewhere" / "copy")
    opened = Project.open(tmp_path / "elsewhere" / "copy")
    opened.close()
    return opened


def test_voxels_and_journal_travel_though_they_are_being_edited(project: Project, tmp_path: Path) -> None:
    with_session = ProofreadingSession.open(project.path / "labels.zarr")
    stroke(with_session, 5, 0)
    with_session.save()
    stroke(with_session, 9, 1)
    wanted = with_session.volume.read(Box.of_shape(SHAPE))
    target = tmp_path / "p.uniem.zip"
    pack_project(project.path, target)
    with_session.close()
    copy = unpacked(target, tmp_path)
    raw, gone, labels = copy.state.items
    assert raw.location == "data/raw [1].npy" and labels.location == "labels.zarr"
    image = open_volume(find_place(raw, copy.path) or "")
    assert np.array_equal(image.read(Box.of_shape(SHAPE)), grey())
    assert image.voxel_size == VoxelSize(40, 4, 4)
    assert find_place(gone, copy.path) is None and gone.name == "raw"
    session = ProofreadingSession.open(copy.path / "labels.zarr")
    assert session.unsaved_edits == 1 and session.recovered_edits == 1
    assert np.array_equal(session.volume.read(Box.of_shape(SHAPE)), wanted)
    session.undo()
    session.undo()
    assert not session.volume.read(Box.of_shape(SHAPE)).any()
    session.close()
    names = {path.relative_to(copy.path).as_posix() for path in copy.path.rglob("*") if path.is_file()}
    assert {"notes.txt", "jobs/one/request.json"} <= names
    assert not names & {"jobs/one/lock", "jobs/waiting/request.json", ".half.zarr.part/x"}


def test_a_save_while_packing_is_noticed_and_copied_again(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = ProofreadingSession.open(project.path / "labels.zarr")
    stroke(session, 5, 0)
    session.save()
    copy_database, saves = packing.copy_database, []

    def save_once_then_copy(source: Path, target: Path) -> None:
        if not saves:
            stroke(session, 7, 2)
            session.save()
            saves.append(1)
        copy_database(source, target)

    monkeypatch.setattr(packing, "copy_database", save_once_then_copy)
    pack_project(project.path, tmp_path / "p.uniem.zip")
    wanted = session.volume.read(Box.of_shape(SHAPE))
    session.close()
    with zipfile.ZipFile(tmp_path / "p.uniem.zip") as archive:
        assert archive.testzip() is None
        assert len(set(archive.namelist())) == len(archive.namelist())
    copy = unpacked(tmp_path / "p.uniem.zip", tmp_path)
    again = ProofreadingSession.open(copy.path / "labels.zarr")
    assert again.unsaved_edits == 0
    assert np.array_equal(again.volume.read(Box.of_shape(SHAPE)), wanted)
    again.close()


def test_a_journal_is_copied_whole_while_it_is_written(tmp_path: Path) -> None:
    path, copy = tmp_path / "j.sqlite", tmp_path / "copy.sqlite"
    source = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    source.execute("PRAGMA journal_mode=WAL")
    source.execute("CREATE TABLE t (a INTEGER, b BLOB)")
    is_over = threading.Event()

    def write() -> None:
        while not is_over.is_set():
            source.execute("INSERT INTO t SELECT count(*), randomblob(2000) FROM t")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(5):
            copy.unlink(missing_ok=True)
            packing.copy_database(path, copy)
            found = sqlite3.connect(copy)
            assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            count, last = found.execute("SELECT count(*), max(a) FROM t").fetchone()
            assert last is None or count == last + 1
            found.close()
    finally:
        is_over.set()
        thread.join()
        source.close()


def test_parts_can_be_left_out_and_are_still_listed(project: Project, tmp_path: Path) -> None:
    parts = parts_of(project.state, project.path)
    assert [part.name for part in parts] == ["data/raw [1].npy", "labels.zarr", "jobs", OTHER_FILES]
    assert [part.is_outside for part in parts] == [True, False, False, False]
    raw = parts[0]
    assert [place for _, place in files_of(raw, parts)] == ["data/raw [1].npy", "data/raw [1].npy.json"]
    pack_project(project.path, tmp_path / "p.uniem.zip", [raw.name, "jobs"])
    with zipfile.ZipFile(tmp_path / "p.uniem.zip") as archive:
        names = archive.namelist()
        kept = json.loads(archive.read(FILE_NAME))
    assert names[0] == FILE_NAME and "notes.txt" in names
    assert not [name for name in names if name.startswith(("data/", "jobs/"))]
    assert kept["items"][0]["location"] == (tmp_path / "study" / "raw [1].npy").as_posix()
    with pytest.raises(UniemError, match="no part named nonsense"):
        pack_project(project.path, tmp_path / "q.uniem.zip", ["nonsense"])


def test_a_project_is_copied_to_another_folder(project: Project, tmp_path: Path) -> None:
    pack_project(project.path, tmp_path / "copy")
    opened = Project.open(tmp_path / "copy")
    assert [find_place(item, opened.path) is not None for item in opened.state.items] == [True, False, True]
    assert (tmp_path / "copy" / "notes.txt").read_text() == "mine"
    opened.close()


def test_packing_can_be_cancelled(project: Project, tmp_path: Path) -> None:
    class Impatient(Context):
        def cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        pack_project(project.path, tmp_path / "p.uniem.zip", context=Impatient())


@pytest.mark.parametrize(
    "name",
    ["../evil.txt", "a/../../evil.txt", "/evil.txt", "C:\\evil.txt", "..\\evil.txt", "\\\\host\\share\\x"],
)
def test_what_would_be_written_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.uniem.zip", "w") as archive:
        archive.writestr(FILE_NAME, "{}")
        archive.writestr(zipfile.ZipInfo(name), "evil")
    with pytest.raises(UniemError, match="outside of the project"):
        unpack_project(tmp_path / "bad.uniem.zip", tmp_path / "deep" / "copy")
    assert not (tmp_path / "deep").exists() and not (tmp_path / "evil.txt").exists()


def test_links_strangers_and_torn_files_are_refused(project: Project, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.uniem.zip", "w") as archive:
        archive.writestr(FILE_NAME, "{}")
        archive.writestr(link, "/etc/passwd")
    with zipfile.ZipFile(tmp_path / "other.uniem.zip", "w") as archive:
        archive.writestr("readme.txt", "")
    pack_project(project.path, tmp_path / "p.uniem.zip")
    whole = (tmp_path / "p.uniem.zip").read_bytes()
    (tmp_path / "torn.uniem.zip").write_bytes(whole[: len(whole) // 2])
    flipped = bytearray(whole)
    flipped[whole.index(grey().tobytes()[:64])] ^= 255
    (tmp_path / "flipped.uniem.zip").write_bytes(flipped)
    for name, message in (
        ("link", "outside of the project"),
        ("other", "no packed project"),
        ("torn", "damaged"),
        ("flipped", "damaged"),
    ):
        with pytest.raises(UniemError, match=message):
            unpack_project(tmp_path / f"{name}.uniem.zip", tmp_path / f"copy of {name}")
