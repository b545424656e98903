from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from uniem.data.formats import export_volume
from uniem.data.mesh import Mesh, write_meshes
from uniem.data.model_folder import ModelFolder, ModelRecord, Normalisation
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError
from uniem.operations.operation import Role
from uniem.workspace import OpenItem, Settings, Workspace


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    grey = np.random.default_rng(1).integers(0, 255, (3, 20, 24)).astype(np.uint8)
    path = tmp_path / "stack.tif"
    export_volume(ArrayVolume(grey, None, Kind.IMAGE), path)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = ModelFolder.create(tmp_path / "net")
    folder.weights_path.write_bytes(b"weights")
    folder.save_record(
        ModelRecord(
            architecture={"kind": "unet"},
            normalisation=Normalisation(mean=0, std=1),
            patch=64,
            stride=8,
            receptive_field=32,
            parameters=9,
        )
    )
    return folder.path


def tetrahedron() -> Mesh:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    return Mesh(vertices, np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]], np.int32), label=7)


def test_everything_is_opened_in_its_role(stack: Path, model: Path, tmp_path: Path) -> None:
    workspace = Workspace()
    added: list[OpenItem] = []
    workspace.added.connect(added.append)
    write_meshes(tmp_path / "meshes", [tetrahedron()])
    (tmp_path / "table.csv").write_text("label,size\n7,1\n")
    items = [workspace.open(path) for path in (stack, model, tmp_path / "meshes", tmp_path / "table.csv")]
    assert [item.role for item in items] == [Role.IMAGE, Role.MODEL, Role.MESHES, Role.TABLE]
    assert [item.name for item in items] == ["stack.tif", "net", "meshes", "table.csv"]
    assert tuple(items) == workspace.items == tuple(added)
    assert isinstance(items[2].noun, list) and items[2].noun[0].label == 7
    assert items[3].noun == tmp_path / "table.csv"
    assert workspace.find(Role.MODEL) == [items[1]]
    assert workspace.find(Role.VOLUME) == [items[0]]
    assert workspace.find(Role.LABELS) == []


def test_the_same_place_is_one_item(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace()
    item = workspace.open(stack)
    monkeypatch.chdir(stack.parent)
    (stack.parent / "link").symlink_to(stack.parent, target_is_directory=True)
    for way in ("stack.tif", "./stack.tif", "link/../" + stack.parent.name + "/stack.tif", "link/stack.tif"):
        assert workspace.open(way) is item
    assert workspace.add(item.noun, location=str(stack)) is item
    assert len(workspace.items) == 1


def test_datasets_of_one_file_are_two_items(tmp_path: Path) -> None:
    volume = ArrayVolume(np.zeros((2, 3, 4), np.uint8), None, Kind.IMAGE)
    for name in ("raw", "more/raw"):
        export_volume(volume, f"{tmp_path / 'file.h5'}::{name}")
    workspace = Workspace()
    names = [workspace.open(f"{tmp_path / 'file.h5'}::{name}").name for name in ("raw", "more/raw")]
    assert names == ["file.h5::raw", "file.h5::more/raw"]


def test_names_are_unique() -> None:
    workspace = Workspace()
    volume = ArrayVolume(np.zeros((2, 3, 4), np.uint8), None, Kind.LABELS, "cells")
    first, second, third = (workspace.add(volume) for _ in range(3))
    assert [item.name for item in workspace.items] == ["cells", "cells (2)", "cells (3)"]
    assert (first.role, first.location) == (Role.LABELS, "")
    workspace.rename(third, "cells")
    assert third.name == "cells (3)"
    workspace.close(first)
    workspace.rename(second, "cells")
    assert second.name == "cells"


def test_changes_are_told_after_they_are_made() -> None:
    workspace = Workspace()
    told: list[tuple[str, bool, bool, Role]] = []
    workspace.changed.connect(lambda i: told.append((i.name, i.is_visible, i.is_modified, i.role)))
    item = workspace.add(ArrayVolume(np.zeros((2, 3, 4), np.uint8), None, Kind.IMAGE, "a"))
    workspace.rename(item, " b ")
    workspace.set_visible(item, False)
    workspace.set_visible(item, False)
    workspace.set_modified(item, True)
    workspace.set_kind(item, Kind.LABELS)
    assert told == [
        ("b", True, False, Role.IMAGE),
        ("b", False, False, Role.IMAGE),
        ("b", False, True, Role.IMAGE),
        ("b", False, True, Role.LABELS),
    ]
    removed: list[OpenItem] = []
    workspace.removed.connect(removed.append)
    workspace.close(item)
    workspace.close(item)
    assert removed == [item] and workspace.items == ()


def test_a_wrong_guess_is_corrected(stack: Path, model: Path) -> None:
    workspace = Workspace()
    item = workspace.open(stack)
    workspace.set_kind(item, Kind.LABELS)
    assert (item.role, workspace.find(Role.LABELS)) == (Role.LABELS, [item])
    with pytest.raises(UniemError, match="no volume"):
        workspace.set_kind(workspace.open(model), Kind.LABELS)


def test_a_replaced_file_is_read_anew(stack: Path) -> None:
    workspace = Workspace()
    item = workspace.open(stack)
    stack.unlink()
    export_volume(ArrayVolume(np.full((5, 6, 7), 3, np.uint8), None, Kind.IMAGE), stack)
    workspace.reload(item)
    assert item.noun.shape == (5, 6, 7)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["absent.tif", "empty", "text.txt", ""])
def test_what_cannot_be_opened_changes_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("hello")
    workspace = Workspace()
    with pytest.raises(UniemError):
        workspace.open(str(tmp_path / name) if name else "")
    assert workspace.items == ()


def test_settings_are_remembered(home: Path) -> None:
    settings = Settings()
    changes: list[str] = []
    settings.changed.connect(changes.append)
    assert settings.get("zoom", 1.5) == 1.5
    settings.set("zoom", 2.0)
    settings.set("zoom", 2.0)
    settings.set("window", {"size": (800, 600)})
    settings.save()
    assert changes == ["zoom", "window"]
    assert Settings().get("zoom") == 2.0
    assert Settings().get("window") == {"size": [800, 600]}
    assert [path.name for path in home.iterdir()] == ["settings.json"]


def test_recent_locations_are_the_newest(tmp_path: Path) -> None:
    settings = Settings()
    for i in [*range(25), 10]:
        settings.add_recent(tmp_path / f"{i}.tif")
    names = [Path(text).stem for text in settings.recent_locations]
    assert names[:3] == ["10", "24", "23"]
    assert len(names) == len(set(names)) == 20


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "\xff\xfe"])
def test_a_damaged_file_is_put_aside(home: Path, caplog: pytest.LogCaptureFixture, text: str) -> None:
    file = home / "settings.json"
    file.write_bytes(text.encode("latin-1"))
    with caplog.at_level(logging.WARNING):
        settings = Settings()
    assert "damaged" in caplog.text
    assert (home / "settings.json.damaged").read_bytes() == text.encode("latin-1")
    settings.set("a", 1)
    settings.save()
    assert json.loads(file.read_text()) == {"a": 1}


def test_settings_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings(tmp_path / "file" / "settings.json")
    settings.set("a", 1)
    with pytest.raises(UniemError, match="cannot be written"):
        settings.save()
