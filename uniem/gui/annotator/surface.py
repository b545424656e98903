"""One mesh as VTK sees it: full and coarse polygons, an actor, an outline, a locator for picking."""

# ruff: noqa: TID253 - only uniem.gui.annotator.view imports this module, when the first picture is drawn.
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData, vtkStaticCellLocator
from vtkmodules.vtkFiltersCore import vtkPolyDataNormals, vtkQuadricClustering
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

from uniem.data.mesh import Mesh
from uniem.gui.annotator.vtk_arrays import as_vtk


class Surface:
    """Hold what is drawn for one object.

    `actor` is the surface and `shadow` the same in plain white, of which the outline of a selection is made.
    World coordinates of the scene are x, y, z in nm.
    """

    def __init__(self, mesh: Mesh) -> None:
        self.label = int(mesh.label)
        self.full = _with_normals(_polydata(mesh))
        self.triangles = int(self.full.GetNumberOfCells())
        self.bounds = np.asarray(self.full.GetBounds() if self.triangles else (0.0, -1.0) * 3).reshape(3, 2)
        self._coarse: tuple[int, vtkPolyData] | None = None
        self._locator: vtkStaticCellLocator | None = None
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(self.full)
        mapper.ScalarVisibilityOff()
        self.actor = vtkActor()
        self.actor.SetMapper(mapper)
        self.shadow = _shadow(mapper)

    def coarse(self, divisions: int) -> vtkPolyData:
        """Return the surface as it is in a grid of this many cells per axis."""
        if self._coarse is None or self._coarse[0] != divisions:
            is_small = self.triangles <= 5 * divisions**2
            self._coarse = divisions, self.full if is_small else _coarsened(self.full, divisions)
        return self._coarse[1]

    def is_coarse_ready(self, divisions: int) -> bool:
        """Tell whether the coarse surface has been made."""
        return self._coarse is not None and self._coarse[0] == divisions

    @property
    def locator(self) -> vtkStaticCellLocator:
        """The search tree for picking, made when first asked for."""
        if self._locator is None:
            self._locator = vtkStaticCellLocator()
            self._locator.SetDataSet(self.full)
            self._locator.BuildLocator()
        return self._locator


def _polydata(mesh: Mesh) -> vtkPolyData:
    xyz = np.ascontiguousarray(np.asarray(mesh.vertices, np.float32)[:, ::-1])
    faces = np.asarray(mesh.faces, np.int64)
    points = vtkPoints()
    points.SetData(as_vtk(xyz))
    cells = vtkCellArray()
    offsets = np.arange(0, faces.size + 1, 3, dtype=np.int64)
    connectivity = np.ascontiguousarray(_outward(xyz, faces)).ravel()
    cells.SetData(as_vtk(offsets), as_vtk(connectivity))
    polydata = vtkPolyData()
    polydata.SetPoints(points)
    polydata.SetPolys(cells)
    return polydata


def _outward(xyz: NDArray[np.float32], faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the faces wound so that normals point out, as some imported meshes are inside out."""
    if not len(faces):
        return faces
    corners = xyz[faces].astype(np.float64) - xyz[faces[0, 0]]
    volume = np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    return faces if volume >= 0 else faces[:, ::-1]


def _with_normals(polydata: vtkPolyData) -> vtkPolyData:
    normals = vtkPolyDataNormals()
    normals.SetInputData(polydata)
    normals.SplittingOff()
    normals.ConsistencyOff()
    normals.Update()
    return normals.GetOutput()


def _coarsened(polydata: vtkPolyData, divisions: int) -> vtkPolyData:
    clustering = vtkQuadricClustering()
    clustering.SetInputData(polydata)
    clustering.SetNumberOfDivisions(divisions, divisions, divisions)
    clustering.AutoAdjustNumberOfDivisionsOff()
    clustering.CopyCellDataOff()
    clustering.Update()
    return _with_normals(clustering.GetOutput())


def _shadow(mapper: vtkPolyDataMapper) -> vtkActor:
    shadow = vtkActor()
    shadow.SetMapper(mapper)
    shadow.GetProperty().LightingOff()
    shadow.VisibilityOff()
    return shadow
