"""Projects on the command line: what they hold, packing, unpacking, and opening by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from uniem.cli import main
from uniem.data.project import ItemRecord, Project, ProjectState

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project with a table, and a volume that is missing."""
    made = Project.create(tmp_path / "study")
    (made.path / "table.csv").write_text("label,size\n7,1\n")
    items = (
        ItemRecord(name="sizes", location="table.csv", role="table"),
        ItemRecord(name="raw", location="raw.zarr", role="image", kind="image"),
    )
    made.write(ProjectState(items=items))
    made.close()
    return made.path


def test_a_project_is_described(project: Path, capsys: Capture) -> None:
    assert main(["project", str(project)]) == 0
    text = capsys.readouterr().out
    assert "sizes" in text and "missing" in text and "raw.zarr" in text
    assert main(["project", str(project), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [item["is_missing"] for item in report["items"]] == [False, True]
    assert report["parts"][0] == {"name": "table.csv", "bytes": 15, "files": 1}
    assert main(["project", str(project.parent)]) == 2
    assert "is no project" in capsys.readouterr().err


def test_a_project_is_packed_and_unpacked(project: Path, tmp_path: Path, capsys: Capture) -> None:
    packed, copy = tmp_path / "for you.uniem.zip", tmp_path / "copy"
    assert main(["pack-project", str(project), str(packed)]) == 0
    assert main(["pack-project", str(project), str(packed)]) == 2
    assert "already exists" in capsys.readouterr().err
    assert main(["unpack-project", str(packed), str(copy)]) == 0
    assert (copy / "table.csv").read_text() == "label,size\n7,1\n"
    assert Project.open(copy).state.items == Project.open(project).state.items
    assert main(["pack-project", str(project), str(project / "inside.uniem.zip")]) == 2
    assert "lies in the input" in capsys.readouterr().err


def test_a_project_is_opened_by_its_name(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    wanted: list[list[str]] = []

    def open_window(locations: list[str]) -> int:
        wanted.append(locations)
        return 0

    assert main([str(project)], open_window) == 0
    assert main(["gui", str(project / "project.json")], open_window) == 0
    assert wanted == [[str(project)], [str(project / "project.json")]]
