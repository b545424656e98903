"""Meshes keep positions, faces, labels, names and colours in every file, and damaged files are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uniem.data.mesh import Mesh, read_mesh, read_meshes, write_mesh, write_meshes
from uniem.errors import UniemError

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def a_mesh(seed: int = 0, label: int = 7, name: str = "axon", colour: Any = (1, 2, 255)) -> Mesh:
    generator = np.random.default_rng(seed)
    count = int(generator.integers(3, 40))
    vertices = generator.uniform(-1e5, 1e5, (count, 3))
    return Mesh(vertices, generator.integers(0, count, (generator.integers(0, 60), 3)), label, name, colour)


@pytest.mark.parametrize("suffix", ["ply", "obj"])
@given(seed=st.integers(0, 999), label=st.integers(1, 2**32 - 1), name=NAMES)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_ply_and_obj_keep_everything(tmp_path: Path, suffix: str, seed: int, label: int, name: str) -> None:
    mesh = a_mesh(seed, label, name)
    write_mesh(mesh, tmp_path / f"a.{suffix}")
    back = read_mesh(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(back.vertices, mesh.vertices)
    np.testing.assert_array_equal(back.faces, mesh.faces)
    assert (back.label, back.name, back.colour) == (label, name or "a", mesh.colour)


@given(seed=st.integers(0, 999))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_stl_keeps_triangles_and_label(tmp_path: Path, seed: int) -> None:
    mesh = a_mesh(seed)
    write_mesh(mesh, tmp_path / "a.stl")
    back = read_mesh(tmp_path / "a.stl")
    np.testing.assert_array_equal(back.vertices[back.faces], mesh.vertices[mesh.faces])
    assert len(back.vertices) <= len(mesh.vertices)
    assert back.label == 7


@pytest.mark.parametrize("suffix", ["ply", "obj", "stl"])
def test_files_hold_x_y_z_and_vtk_reads_them(tmp_path: Path, suffix: str) -> None:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOGeometry import vtkOBJReader, vtkSTLReader
    from vtkmodules.vtkIOPLY import vtkPLYReader

    write_mesh(
        Mesh(np.array([[0, 0, 1], [0, 2, 0], [3, 0, 0]]), np.array([[0, 1, 2]])), tmp_path / f"a.{suffix}"
    )
    reader = {"ply": vtkPLYReader, "obj": vtkOBJReader, "stl": vtkSTLReader}[suffix]()
    reader.SetFileName(str(tmp_path / f"a.{suffix}"))
    reader.Update()
    points = vtk_to_numpy(reader.GetOutput().GetPoints().GetData())
    np.testing.assert_array_equal(points, [[1, 0, 0], [0, 2, 0], [0, 0, 3]])
    assert reader.GetOutput().GetNumberOfCells() == 1


def test_a_folder_keeps_names_and_colours(tmp_path: Path) -> None:
    meshes = [a_mesh(i, i + 1, f"ミト {i}", (i, 2, 3) if i else None) for i in range(3)]
    for file_format in ("ply", "stl", "obj"):
        assert write_meshes(tmp_path / file_format, iter(meshes), file_format) == 3
        back = read_meshes(tmp_path / file_format)
        assert [(m.label, m.name, m.colour) for m in back] == [(m.label, m.name, m.colour) for m in meshes]
    with pytest.raises(UniemError, match="not empty"):
        write_meshes(tmp_path / "ply", meshes)


def test_foreign_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "cell_12.obj").write_text(
        "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1/1 2/2 3/3 4/4\nf -4 -3 -2\n"
    )
    quad = read_mesh(tmp_path / "cell_12.obj")
    assert (quad.label, quad.faces.tolist()) == (12, [[0, 1, 2], [0, 2, 3], [0, 1, 2]])
    header = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
    header += "property uchar red\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
    (tmp_path / "a.ply").write_text(header + "0 0 1 9\n0 2 0 9\n3 0 0 9\n3 0 1 2\n")
    assert read_mesh(tmp_path / "a.ply").vertices.tolist() == [[1, 0, 0], [0, 2, 0], [0, 0, 3]]
    facet = "facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\n"
    (tmp_path / "a.stl").write_text(f"solid a\n{facet}endsolid a\n")
    assert len(read_mesh(tmp_path / "a.stl").faces) == 1
    assert len(read_meshes(tmp_path)) == 3


@pytest.mark.parametrize("suffix", ["ply", "stl", "obj"])
@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"ply\nend_header\n", b"v 1 2\nf 1 2 3\n", b"\0" * 84 + b"x"]
)
def test_damaged_files_are_told(tmp_path: Path, suffix: str, content: bytes) -> None:
    (tmp_path / f"a.{suffix}").write_bytes(content)
    with pytest.raises(UniemError, match=r"damaged|uses vertex"):
        read_mesh(tmp_path / f"a.{suffix}")


def test_an_index_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "meshes.json").write_text(json.dumps({"meshes": [{"id": 1, "file": "../secret.ply"}]}))
    with pytest.raises(UniemError, match="outside"):
        read_meshes(tmp_path)
