"""Markers as CSV: nothing is lost, nothing is dropped in silence."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from uniem.data.geometry import VoxelSize
from uniem.errors import UniemError
from uniem.gui.annotator.markers import COLUMNS, Marker, MarkerSet, read_markers, write_markers

VOXEL_SIZE = VoxelSize(50, 4.6, 4.6)
MARKERS = (
    Marker(1, "Marker1", 7, (1234.5678901, 460.1, 92.3), 51.75, (255, 0, 3), "synapse"),
    Marker(4, 'späte "Spine", 2', 4_000_000_001, (0.0, 0.1 + 0.2, 1e-3), 10.0, (0, 128, 255), "", False),
)


def test_markers_come_back_exactly_the_first_included(tmp_path: Path) -> None:
    path = tmp_path / "markers.csv"
    assert write_markers(path, MARKERS, VOXEL_SIZE) == 2
    result = read_markers(path, VOXEL_SIZE, MarkerSet())
    assert result.markers == MARKERS
    assert result.skipped == ()
    # Positions in nm do not depend on the voxel size of where they are read.
    assert read_markers(path, VoxelSize(1, 2, 3), MarkerSet()).markers == MARKERS


def test_the_columns_are_those_of_uni_em_and_lengths_in_voxels(tmp_path: Path) -> None:
    path = tmp_path / "markers.csv"
    write_markers(path, [Marker(3, "M3", 9, (100.0, 46.0, 23.0), 9.2, (1, 2, 3))], VOXEL_SIZE)
    with path.open(newline="", encoding="utf-8") as file:
        header, row = list(csv.reader(file))
    assert tuple(header[: len(COLUMNS)]) == COLUMNS
    expected = [1, 3, 9, 2, 1, 2, 3, 5, 10, 2]
    assert [float(cell) for cell in row[:2] + row[3:11]] == pytest.approx(expected)


def test_a_table_of_uni_em_is_read_in_voxels(tmp_path: Path) -> None:
    path = tmp_path / "MarkerTable.csv"
    path.write_text(
        "\ufeffAct,ID,Name,Parent ID,Radius,R,G,B,X,Y,Z\n"
        "1,0,Marker0,12,2.0,255,0,0,10,20,3\n"
        "1,1,Marker1,12,2.0,0,255,0,11,20,3\n",
        encoding="utf-8",
    )
    markers = read_markers(path, VOXEL_SIZE, MarkerSet()).markers
    assert [marker.name for marker in markers] == ["Marker0", "Marker1"]
    assert markers[0].position_nm == pytest.approx((150, 92, 46))
    assert markers[0].radius_nm == pytest.approx(9.2)
    assert markers[0].id > 0 and markers[0].id != markers[1].id


def test_rows_left_out_are_reported_by_line(tmp_path: Path) -> None:
    path = tmp_path / "markers.csv"
    path.write_text(
        "Act;ID;Name;Parent ID;Radius;R;G;B;X;Y;Z\n"
        "1;1;good;5;2;255;0;0;1;1;1\n"
        "1;2;no place;5;2;255;0;0;one;1;1\n"
        "1;3;too red;5;2;256;0;0;1;1;1\n"
        "1;4;flat;5;-2;255;0;0;1;1;1\n"
        "1;5;endless;5;2;255;0;0;inf;1;1\n"
        "1;6;short;5\n"
        "1;7;good;5;2;255;0;0;1;1;1\n"
    )
    result = read_markers(path, VoxelSize(1, 1, 1), MarkerSet())
    assert [marker.name for marker in result.markers] == ["good"]
    assert [line.split(":")[0] for line in result.skipped] == [f"line {n}" for n in range(3, 9)]
    for line, reason in zip(
        result.skipped,
        ("'one' is not a number", "256", "positive", "finite", "Z ''", "there already"),
        strict=True,
    ):
        assert reason in line


def test_ids_in_use_give_way_and_known_markers_stay_out(tmp_path: Path) -> None:
    path = tmp_path / "markers.csv"
    write_markers(path, MARKERS, VOXEL_SIZE)
    present = MarkerSet()
    present.put((MARKERS[0], Marker(4, "other", 1, (5.0, 5.0, 5.0))))
    result = read_markers(path, VOXEL_SIZE, present)
    assert [marker.name for marker in result.markers] == [MARKERS[1].name]
    assert result.markers[0].id not in (1, 4)
    assert "there already" in result.skipped[0]


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"", b"\xff\xfe\x00\x01"])
def test_what_is_no_table_of_markers_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "markers.csv"
    path.write_bytes(content)
    with pytest.raises(UniemError):
        read_markers(path, VOXEL_SIZE, MarkerSet())


def test_an_empty_set_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UniemError, match="no markers"):
        write_markers(tmp_path / "markers.csv", [], VOXEL_SIZE)


def test_numbers_run_on_behind_each_prefix() -> None:
    markers = MarkerSet()
    assert markers.next_number("Spine") == 1
    markers.put(tuple(Marker(k, f"Spine{k * 3}", 1, (0.0, 0.0, 0.0)) for k in (1, 2)))
    assert markers.next_number("Spine") == 7
    assert markers.next_number("Bouton") == 1
    markers.put(())
    assert markers.new_id() == 3
