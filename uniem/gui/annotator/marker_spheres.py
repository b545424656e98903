"""The markers of the scene: all balls in one actor."""

# ruff: noqa: TID253 - only uniem.gui.annotator.view imports this module, when the first picture is drawn.
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkFiltersSources import vtkSphereSource
from vtkmodules.vtkRenderingCore import vtkActor, vtkGlyph3DMapper

from uniem.gui.annotator.markers import Marker
from uniem.gui.annotator.vtk_arrays import as_vtk


class MarkerSpheres:
    """Draw markers as balls of their radius and colour, and find the one on a line of sight."""

    def __init__(self) -> None:
        self._shown: list[Marker] = []
        ball = vtkSphereSource()
        ball.SetRadius(1.0)
        ball.SetThetaResolution(24)
        ball.SetPhiResolution(16)
        self._mapper = vtkGlyph3DMapper()
        self._mapper.SetSourceConnection(ball.GetOutputPort())
        self._mapper.SetInputData(vtkPolyData())
        self._mapper.ScalingOn()
        self._mapper.SetScaleModeToScaleByMagnitude()
        self._mapper.SetScaleArray("radius")
        self._mapper.SetScalarModeToUsePointFieldData()
        self._mapper.SelectColorArray("colour")
        self._mapper.SetColorModeToDirectScalars()
        self.actor = vtkActor()
        self.actor.SetMapper(self._mapper)
        self.actor.PickableOff()
        self.actor.VisibilityOff()

    def set_markers(self, markers: Sequence[Marker]) -> None:
        """Draw these markers, as far as they are visible."""
        self._shown = [marker for marker in markers if marker.visible]
        data = vtkPolyData()
        points = vtkPoints()
        centres = np.array([m.position_nm[::-1] for m in self._shown], np.float64).reshape(-1, 3)
        points.SetData(as_vtk(centres))
        data.SetPoints(points)
        for name, values in (
            ("radius", np.array([m.radius_nm for m in self._shown], np.float64)),
            ("colour", np.array([m.colour for m in self._shown], np.uint8).reshape(-1, 3)),
        ):
            array = as_vtk(values)
            array.SetName(name)
            data.GetPointData().AddArray(array)
        self._mapper.SetInputData(data)
        self.actor.SetVisibility(bool(self._shown))

    def set_ambient(self, ambient: float) -> None:
        """Set how bright the shaded side is."""
        self.actor.GetProperty().SetAmbient(ambient)

    def pick(self, near: NDArray[np.float64], far: NDArray[np.float64], reach: float) -> Marker | None:
        """Return the first marker whose ball the line meets before `reach`, in nm from its near end."""
        if not self._shown:
            return None
        along = (far - near) / np.linalg.norm(far - near)
        centres = np.array([m.position_nm[::-1] for m in self._shown]) - near
        radii = np.array([m.radius_nm for m in self._shown])
        middle = centres @ along
        inside = radii**2 - (centres**2).sum(axis=1) + middle**2
        entry = np.where(inside >= 0, middle - np.sqrt(np.maximum(inside, 0)), np.inf)
        first = int(entry.argmin())
        return self._shown[first] if entry[first] < reach else None
