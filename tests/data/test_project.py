"""Project files: written whole, read back, damaged, newer, moved, held by one window."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from uniem.data import project as module
from uniem.data.project import (
    BACKUP_NAME,
    DAMAGED_NAME,
    FILE_NAME,
    CanvasRecord,
    ItemRecord,
    Project,
    ProjectState,
    find_place,
    is_project,
    moved_place,
    places_of,
    stored_place,
)
from uniem.errors import UniemError


def state_of(*names: str, z: int = 0) -> ProjectState:
    items = tuple(ItemRecord(name=name, location=f"data/{name}") for name in names)
    return ProjectState(items=items, canvas=CanvasRecord(z=z), parameters={"clahe": {"tiles": 4}})


def test_a_project_is_read_as_it_was_written(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "mito 1")
    project.write(state_of("ミトコンドリア.tif", z=7))
    project.close()
    again = Project.open(tmp_path / "mito 1" / FILE_NAME)
    assert again.name == "mito 1"
    assert again.is_writable and not again.notice
    assert again.state.items == state_of("ミトコンドリア.tif").items
    assert again.state.canvas == CanvasRecord(z=7)
    assert "ミトコンドリア" in (tmp_path / "mito 1" / FILE_NAME).read_text("utf-8")
    again.close()


def test_the_version_before_is_kept_and_used_where_the_file_is_damaged(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    project.write(state_of("one"))
    project.write(state_of("one", "two"))
    project.close()
    file = project.path / FILE_NAME
    whole = file.read_bytes()
    for torn in (
        b"",
        whole[: len(whole) // 2],
        b"\0" * 300,
        whole.replace(b'"items": [', b'"items": 5, "x": ['),
    ):
        file.write_bytes(torn)
        again = Project.open(project.path)
        assert [item.name for item in again.state.items] == ["one"]
        assert "damaged" in again.notice
        assert (project.path / DAMAGED_NAME).read_bytes() == torn
        # What is written now must not push the good version before out by the damaged one.
        again.write(state_of("one", "three"))
        again.close()
        assert json.loads((project.path / BACKUP_NAME).read_text("utf-8"))["items"][0]["name"] == "one"
        (project.path / FILE_NAME).unlink()


def test_without_a_whole_version_the_message_says_so(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    project.close()
    (project.path / FILE_NAME).write_text('{"format": "uniem project", "version": 1, "items": ')
    with pytest.raises(UniemError, match="damaged"):
        Project.open(project.path)
    assert (project.path / FILE_NAME).exists()


def test_a_newer_project_is_refused_and_not_replaced_by_its_backup(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    project.write(state_of("one"))
    project.close()
    text = (project.path / FILE_NAME).read_text("utf-8").replace('"version": 1', '"version": 99')
    (project.path / FILE_NAME).write_text(text, "utf-8")
    with pytest.raises(UniemError, match="newer uniem") as caught:
        Project.open(project.path)
    assert "Update" in caught.value.hint
    assert (project.path / FILE_NAME).read_text("utf-8") == text


def test_what_a_later_program_added_is_kept(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    project.write(state_of("one"))
    project.close()
    file = project.path / FILE_NAME
    content = json.loads(file.read_text("utf-8"))
    content["items"][0]["tint"] = "red"
    file.write_text(json.dumps(content), "utf-8")
    again = Project.open(project.path)
    again.write(again.state.model_copy(update={"docks": "abc"}))
    again.close()
    assert json.loads(file.read_text("utf-8"))["items"][0]["tint"] == "red"


def test_only_one_window_writes(tmp_path: Path) -> None:
    first = Project.create(tmp_path / "p")
    second = Project.open(tmp_path / "p")
    assert first.is_writable and not second.is_writable
    assert f"process {os.getpid()}" in second.refusal
    first.write(state_of("first"))
    second.write(state_of("second"))
    assert Project.open(tmp_path / "p").state.items[0].name == "first"
    first.close()
    third = Project.open(tmp_path / "p")
    assert third.is_writable
    third.close()


def test_a_full_folder_becomes_no_project(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UniemError, match="not empty"):
        Project.create(tmp_path)


def test_what_is_a_project_and_what_is_not(tmp_path: Path) -> None:
    Project.create(tmp_path / "p").close()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / FILE_NAME).write_text('{"name": "of another program"}')
    (tmp_path / "x.uniem.zip").write_bytes(b"")
    assert is_project(tmp_path / "p") and is_project(str(tmp_path / "p" / FILE_NAME))
    assert is_project(tmp_path / "x.uniem.zip")
    for wrong in (tmp_path, tmp_path / "other", tmp_path / "absent", "https://host/p", "a.h5::raw"):
        assert not is_project(wrong)


def test_places_inside_beside_and_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "study" / "p"
    inside, beside = folder / "a" / "labels.zarr", tmp_path / "study" / "raw.h5"
    assert stored_place(str(inside), folder) == ("a/labels.zarr", "")
    assert stored_place(f"{beside}::raw/x", folder) == ("../raw.h5::raw/x", f"{beside}::raw/x")
    assert stored_place("/elsewhere/x.tif", folder) == ("/elsewhere/x.tif", "")
    assert stored_place("https://host/x.zarr", folder) == ("https://host/x.zarr", "")
    assert stored_place(str(inside), None) == (str(inside), "")


def test_places_are_found_after_the_folder_moved(tmp_path: Path) -> None:
    old = tmp_path / "old" / "p"
    old.mkdir(parents=True)
    (tmp_path / "old" / "raw.tif").write_bytes(b"1")
    location, elsewhere = stored_place(str(tmp_path / "old" / "raw.tif"), old)
    record = ItemRecord(name="raw", location=location, elsewhere=elsewhere)
    # The folder alone is moved: the data are where they were.
    alone = tmp_path / "far" / "away" / "p"
    shutil.copytree(old, alone)
    assert find_place(record, alone) == str(tmp_path / "old" / "raw.tif")
    # All of it is moved: the data are beside it again.
    (tmp_path / "old").rename(tmp_path / "new")
    assert find_place(record, tmp_path / "new" / "p") == str(tmp_path / "new" / "raw.tif")
    (tmp_path / "new" / "raw.tif").unlink()
    assert find_place(record, tmp_path / "new" / "p") is None


def test_what_was_written_on_windows_is_understood(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.tif").write_bytes(b"1")
    assert find_place(ItemRecord(name="x", location="a\\x.tif"), tmp_path) == str(tmp_path / "a" / "x.tif")
    far = ItemRecord(name="x", location="D:/data/x.tif")
    assert find_place(far, tmp_path) is None
    assert not places_of(far, tmp_path)[0].startswith(str(tmp_path))


def test_one_that_was_found_again_tells_where_others_are(tmp_path: Path) -> None:
    new = tmp_path / "disk" / "study"
    (new / "raw").mkdir(parents=True)
    for name in ("raw/a.tif", "raw/b.tif", "labels.zarr"):
        (new / name).write_bytes(b"1")
    old = "E:/study/raw/a.tif"
    found = str(new / "raw" / "a.tif")
    assert moved_place("E:\\study\\raw\\b.tif", old, found) == str(new / "raw" / "b.tif")
    assert moved_place("E:/study/labels.zarr::0", old, found) == f"{new / 'labels.zarr'}::0"
    assert moved_place("E:/other/c.tif", old, found) is None
    # One that was renamed still tells where its neighbours are.
    assert moved_place("/x/b.tif", "/x/old name.tif", found) == str(new / "raw" / "b.tif")


def test_a_project_in_a_read_only_folder_is_opened_for_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project.create(tmp_path / "p")
    project.write(state_of("one"))
    project.close()

    class Refusing(module.FileLock):
        def take(self, note: str, patience_s: float = 0.0) -> bool:
            raise PermissionError(13, "Permission denied", str(self.path))

    # The tests may run as root, whom no rights stop.
    monkeypatch.setattr(module, "FileLock", Refusing)
    again = Project.open(project.path)
    assert again.refusal == "its folder cannot be written (Permission denied)"
    assert again.state.items[0].name == "one"
