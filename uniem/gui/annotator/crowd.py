"""Many surfaces drawn as one, since each actor costs about as much time as a thousand triangles."""

# ruff: noqa: TID253 - only uniem.gui.annotator.scene imports this module.
from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer

from uniem.gui.annotator.surface import Surface
from uniem.gui.annotator.vtk_arrays import as_numpy, as_vtk

# While moving, all surfaces together have about this many triangles; a surface in n³ cells has about 5 n².
MOVING_TRIANGLES = 160_000
DIVISIONS = (4, 12)


def divisions_for(count: int) -> int:
    """Return into how many cells per axis each of this many surfaces is cut while moving."""
    fitting = round((MOVING_TRIANGLES / 5 / max(1, count)) ** 0.5)
    return min(DIVISIONS[1], max(DIVISIONS[0], fitting))


class Crowd:
    """Draw surfaces in one actor per opacity; it is made anew only when something changed."""

    def __init__(self, renderer: vtkRenderer) -> None:
        self._renderer = renderer
        self._actors: dict[bool, list[vtkActor]] = {}
        self._drawn: dict[bool, int] = {}

    def show(self, surfaces: Sequence[Surface], coarse: bool, version: int, ambient: float) -> None:
        """Draw these surfaces; `version` tells whether they, or their looks, are those of the last call."""
        if self._drawn.get(coarse) != version:
            for actor in self._actors.pop(coarse, ()):
                self._renderer.RemoveActor(actor)
            self._actors[coarse] = self._make(surfaces, coarse)
            self._drawn[coarse] = version
            for actor in self._actors[coarse]:
                self._renderer.AddActor(actor)
        for kind, actors in self._actors.items():
            for actor in actors:
                actor.SetVisibility(kind == coarse)
                actor.GetProperty().SetAmbient(ambient)

    def _make(self, surfaces: Sequence[Surface], coarse: bool) -> list[vtkActor]:
        divisions = divisions_for(len(surfaces))
        by_opacity: dict[float, list[tuple[Surface, vtkPolyData]]] = defaultdict(list)
        for surface in surfaces:
            polydata = surface.coarse(divisions) if coarse else surface.full
            if polydata.GetNumberOfCells():
                by_opacity[surface.actor.GetProperty().GetOpacity()].append((surface, polydata))
        return [_actor(parts, opacity) for opacity, parts in by_opacity.items()]


def _actor(parts: list[tuple[Surface, vtkPolyData]], opacity: float) -> vtkActor:
    mapper = vtkPolyDataMapper()
    mapper.SetInputData(_merged(parts))
    mapper.SetScalarModeToUsePointData()
    mapper.SetColorModeToDirectScalars()
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().SetOpacity(opacity)
    return actor


def _merged(parts: list[tuple[Surface, vtkPolyData]]) -> vtkPolyData:
    counts = np.array([polydata.GetNumberOfPoints() for _, polydata in parts])
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    colours = np.array([surface.actor.GetProperty().GetColor() for surface, _ in parts])
    points = vtkPoints()
    points.SetData(as_vtk(np.concatenate([as_numpy(p.GetPoints().GetData()) for _, p in parts])))
    faces = [
        as_numpy(p.GetPolys().GetConnectivityArray()).astype(np.int64) + start
        for (_, p), start in zip(parts, starts, strict=True)
    ]
    connectivity = np.concatenate(faces)
    cells = vtkCellArray()
    cells.SetData(as_vtk(np.arange(0, len(connectivity) + 1, 3, dtype=np.int64)), as_vtk(connectivity))
    merged = vtkPolyData()
    merged.SetPoints(points)
    merged.SetPolys(cells)
    data = merged.GetPointData()
    data.SetNormals(as_vtk(np.concatenate([as_numpy(p.GetPointData().GetNormals()) for _, p in parts])))
    data.SetScalars(as_vtk(np.repeat(np.round(colours * 255).astype(np.uint8), counts, axis=0)))
    return merged
