"""Meshes: closed, facing outwards, of the right size, and the same whichever way the volume is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import zmesh

from uniem.algorithms import meshing
from uniem.algorithms.meshing import mesh_area_nm2, mesh_labels, mesh_volume_nm3
from uniem.data.geometry import VoxelSize
from uniem.data.mesh import Mesh
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError
from uniem.progress import Cancelled, Context

UNIT = VoxelSize(1, 1, 1)


def meshes(array: Any, ids: Any = None, size: VoxelSize | None = UNIT, **options: Any) -> dict[int, Mesh]:
    volume = ArrayVolume(array, size, Kind.LABELS)
    return {mesh.label: mesh for mesh in mesh_labels(volume, ids, **options)}


def blobs(seed: int = 0, scale: int = 1) -> Any:
    coarse = np.random.default_rng(seed).integers(0, 5, (5, 6, 7), np.uint32) * np.uint32(scale)
    return coarse.repeat(4, 0).repeat(3, 1).repeat(3, 2)


def ball(radius: int) -> Any:
    grid = np.arange(-radius - 3, radius + 4) ** 2
    return ((grid[:, None, None] + grid[:, None] + grid) < radius**2).astype(np.uint32)


def is_closed(mesh: Mesh) -> bool:
    edges = np.stack([mesh.faces, np.roll(mesh.faces, -1, axis=1)], axis=-1).reshape(-1, 2).astype(np.int64)
    forth, back = edges @ [len(mesh.vertices), 1], edges @ [1, len(mesh.vertices)]
    return np.array_equal(np.sort(forth), np.sort(back))


def triangles(mesh: Mesh) -> Any:
    """Return the triangles by position, each from its least corner on, sorted."""
    corners = (mesh.vertices * 2).astype(np.int64) @ [1_000_000, 1000, 1]
    rows = corners[mesh.faces]
    turn = np.argmin(rows, axis=1)
    rows = np.stack([rows[np.arange(len(rows)), (turn + k) % 3] for k in range(3)], axis=1)
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize("shape", [(4, 5, 6), (1, 1, 1), (20, 18, 7)])
def test_blocks_equal_the_whole_volume(shape: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = meshes(blobs())
    monkeypatch.setattr(meshing, "BLOCK_SHAPE", shape)
    monkeypatch.setattr(meshing, "WAITING_BYTES", 1000)
    parts = meshes(blobs())
    assert list(whole) == list(parts) == [1, 2, 3, 4]
    for label, mesh in whole.items():
        assert is_closed(parts[label])
        assert len(np.unique(parts[label].vertices, axis=0)) == len(parts[label].vertices)
        assert np.array_equal(triangles(mesh), triangles(parts[label]))


def test_equals_zmesh_of_the_padded_volume() -> None:
    mesher = zmesh.Mesher((1, 1, 1))
    mesher.mesh(np.pad(blobs(), 1).T)
    expected = mesher.get(3)
    found = meshes(blobs())[3]
    assert np.array_equal(triangles(Mesh(expected.vertices[:, ::-1] - 0.5, expected.faces)), triangles(found))


def test_place_size_and_orientation() -> None:
    array = np.zeros((8, 9, 10), np.uint16)
    array[2:5, 3:7, 4:9] = 9
    mesh = meshes(array, size=VoxelSize(50, 4, 8))[9]
    assert mesh.vertices.min(axis=0).tolist() == [100, 12, 32]
    assert mesh.vertices.max(axis=0).tolist() == [250, 28, 72]
    assert mesh_volume_nm3(mesh) == pytest.approx(150 * 16 * 40, rel=0.15)
    xyz = mesh.vertices[:, ::-1].astype(float)
    a, b, c = np.moveaxis(xyz[mesh.faces], 1, 0)
    normals = np.cross(b - a, c - a)
    outwards = (a + b + c) / 3 - xyz.mean(axis=0)
    assert np.all((normals * outwards).sum(axis=1) > 0)


def test_closed_at_the_border_of_the_volume() -> None:
    mesh = meshes(np.full((3, 4, 5), 7, np.uint8))[7]
    assert is_closed(mesh)
    assert mesh.vertices.min(axis=0).tolist() == [0, 0, 0]
    assert mesh.vertices.max(axis=0).tolist() == [3, 4, 5]


@pytest.mark.parametrize("dtype", [np.uint32, np.uint64, np.int64])
def test_chosen_and_huge_ids(dtype: Any) -> None:
    array = blobs(scale=10**9).astype(dtype)
    array.flags.writeable = False
    assert list(meshes(array)) == [10**9, 2 * 10**9, 3 * 10**9, 4 * 10**9]
    chosen = meshes(array, [4 * 10**9, 77, 10**9, 0, 2**40])
    assert list(chosen) == [10**9, 4 * 10**9]
    assert np.array_equal(chosen[10**9].faces, meshes(array)[10**9].faces)


def test_volume_and_area_of_a_ball() -> None:
    radius = 15
    rough = meshes(ball(radius), size=VoxelSize(10, 10, 10))[1]
    smooth = meshes(ball(radius), size=VoxelSize(10, 10, 10), smoothing_iterations=10)[1]
    exact_volume = np.count_nonzero(ball(radius)) * 1000.0
    exact_area = 4 * np.pi * (radius * 10) ** 2
    assert mesh_volume_nm3(rough) == pytest.approx(exact_volume, rel=0.01)
    assert mesh_volume_nm3(smooth) == pytest.approx(exact_volume, rel=0.01)
    assert mesh_area_nm2(smooth) == pytest.approx(exact_area, rel=0.03)
    assert mesh_area_nm2(smooth) < mesh_area_nm2(rough)


def test_simplified_within_the_error() -> None:
    smooth = {"smoothing_iterations": 10}
    full = meshes(ball(15), size=VoxelSize(10, 10, 10), **smooth)[1]
    simple = meshes(ball(15), size=VoxelSize(10, 10, 10), simplify_error_nm=4, **smooth)[1]
    assert len(simple.faces) < 0.5 * len(full.faces)
    assert is_closed(simple)
    nearest = np.linalg.norm(simple.vertices[:, None] - full.vertices, axis=2).min(axis=1)
    assert nearest.max() < 10
    few = meshes(ball(15), size=VoxelSize(10, 10, 10), reduction=0.9)[1]
    rough = meshes(ball(15), size=VoxelSize(10, 10, 10))[1]
    assert len(few.faces) == pytest.approx(0.1 * len(rough.faces), rel=0.1)
    assert is_closed(few)
    assert mesh_volume_nm3(few) == pytest.approx(mesh_volume_nm3(rough), rel=0.02)


def test_one_voxel_survives_everything() -> None:
    array = np.zeros((3, 3, 3), np.uint8)
    array[1, 1, 1] = 1
    mesh = meshes(array, smoothing_iterations=3, simplify_error_nm=100, reduction=0.99)[1]
    assert len(mesh.faces) >= 4
    assert is_closed(mesh)


def test_nothing_to_mesh() -> None:
    assert meshes(np.zeros((3, 3, 3), np.uint8)) == {}
    assert mesh_volume_nm3(Mesh(np.zeros((0, 3)), np.zeros((0, 3)))) == 0
    assert mesh_area_nm2(Mesh(np.zeros((0, 3)), np.zeros((0, 3)))) == 0


def test_unknown_voxel_size_and_images_are_refused() -> None:
    with pytest.raises(UniemError, match="voxel size"):
        meshes(blobs(), size=None)
    with pytest.raises(UniemError, match="does not hold labels"):
        meshes(np.ones((2, 2, 2), np.float32))


class CancellingLater(Context):
    calls = 0

    def cancelled(self) -> bool:
        self.calls += 1
        return self.calls > 2


def test_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meshing, "BLOCK_SHAPE", (4, 4, 4))
    with pytest.raises(Cancelled):
        meshes(blobs(), context=CancellingLater())
