"""The camera of the annotator: trackball turns, pans, zooms, views along the axes."""

# ruff: noqa: TID253 - only uniem.gui.annotator.view imports this module, when the first picture is drawn.
from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkCamera, vtkRenderer

Plane = Literal["xy", "xz", "yz"]
Vector = NDArray[np.float64]

# From where one looks, and which way is up, in x, y, z. As on the canvas: x to the right and y down in xy; x
# to the right and z down in xz; z to the right and y down in yz. None of them mirrors the data.
_VIEWS: dict[Plane, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "xy": ((0, 0, -1), (0, -1, 0)),
    "xz": ((0, 1, 0), (0, 0, -1)),
    "yz": ((1, 0, 0), (0, -1, 0)),
}
DEGREES_PER_PIXEL = 0.45
FIT_MARGIN = 1.08


class Trackball:
    """Move a renderer's camera by pixels of the mouse; bounds are (3, 2) in x, y, z nm."""

    def __init__(self, renderer: vtkRenderer) -> None:
        self._renderer = renderer
        self.camera: vtkCamera = renderer.GetActiveCamera()
        self.camera.ParallelProjectionOn()
        self.look_along("xy")

    def rotate(self, right_px: float, down_px: float) -> None:
        """Turn the scene under the mouse."""
        self.camera.Azimuth(-right_px * DEGREES_PER_PIXEL)
        self.camera.Elevation(down_px * DEGREES_PER_PIXEL)
        self.camera.OrthogonalizeViewUp()

    def pan(self, right_px: float, down_px: float, height_px: int) -> None:
        """Drag the scene with the mouse."""
        scale = self.nm_per_pixel(height_px)
        right, up, _ = self.axes()
        self._shift((up * down_px - right * right_px) * scale)

    def zoom(self, factor: float, from_centre_px: tuple[float, float], height_px: int) -> None:
        """Enlarge the scene by a factor, keeping what is under the mouse in place."""
        before = self.nm_per_pixel(height_px)
        if self.camera.GetParallelProjection():
            self.camera.SetParallelScale(self.camera.GetParallelScale() / factor)
        else:
            self.camera.Dolly(factor)
        moved = before - self.nm_per_pixel(height_px)
        right, up, _ = self.axes()
        self._shift((right * from_centre_px[0] - up * from_centre_px[1]) * moved)

    def look_along(self, plane: Plane) -> None:
        """Face a plane of the volume, keeping centre and zoom."""
        towards_eye, up = _VIEWS[plane]
        self._look_from(np.asarray(towards_eye, float), np.asarray(up, float))

    def look_obliquely(self) -> None:
        """Face the volume from above its first section's corner, where depth can be seen."""
        self.look_along("xy")
        self.camera.Azimuth(-32)
        self.camera.Elevation(24)
        self.camera.OrthogonalizeViewUp()

    def fit(self, bounds: NDArray[np.float64], aspect: float) -> None:
        """Centre on bounds and show them whole in a window of this width to height."""
        centre = bounds.mean(axis=1)
        self._shift(centre - np.asarray(self.camera.GetFocalPoint()))
        right, up, forward = self.axes()
        half = (bounds[:, 1] - bounds[:, 0]) / 2
        width, height, depth = (float(np.abs(axis) @ half) for axis in (right, up, forward))
        scale = max(height, width / max(aspect, 1e-3), 1e-6) * FIT_MARGIN
        self.camera.SetParallelScale(scale)
        distance = scale / math.tan(math.radians(self.camera.GetViewAngle()) / 2) + depth
        self.camera.SetPosition(*(centre - forward * distance))

    def axes(self) -> tuple[Vector, Vector, Vector]:
        """Return the directions right, up and forward of the screen in x, y, z."""
        forward = np.asarray(self.camera.GetDirectionOfProjection())
        up = np.asarray(self.camera.GetViewUp())
        right = np.cross(forward, up)
        right /= np.linalg.norm(right)
        return right, np.cross(right, forward), forward

    def nm_per_pixel(self, height_px: int) -> float:
        """Return the size of a pixel in the plane of the focal point."""
        if self.camera.GetParallelProjection():
            half = self.camera.GetParallelScale()
        else:
            half = self.camera.GetDistance() * math.tan(math.radians(self.camera.GetViewAngle()) / 2)
        return float(2 * half / max(1, height_px))

    def set_perspective(self, on: bool) -> None:
        """Let far things look smaller, or not; what is at the focal point keeps its size."""
        camera = self.camera
        tangent = math.tan(math.radians(camera.GetViewAngle()) / 2)
        if on and camera.GetParallelProjection():
            distance = camera.GetParallelScale() / tangent
            focal = np.asarray(camera.GetFocalPoint())
            camera.SetPosition(*(focal - np.asarray(camera.GetDirectionOfProjection()) * distance))
        elif not on and not camera.GetParallelProjection():
            camera.SetParallelScale(camera.GetDistance() * tangent)
        camera.SetParallelProjection(on is False)

    def ray(self, x_px: float, y_px: float) -> tuple[Vector, Vector]:
        """Return two points of the line of sight through a pixel (y counted upwards), near and far."""
        ends = []
        for depth in (0.0, 1.0):
            self._renderer.SetDisplayPoint(x_px, y_px, depth)
            self._renderer.DisplayToWorld()
            point = np.asarray(self._renderer.GetWorldPoint())
            ends.append(point[:3] / point[3])
        return ends[0], ends[1]

    def _look_from(self, towards_eye: Vector, up: Vector) -> None:
        focal = np.asarray(self.camera.GetFocalPoint())
        self.camera.SetPosition(*(focal + towards_eye * self.camera.GetDistance()))
        self.camera.SetViewUp(*up)

    def _shift(self, by: Vector) -> None:
        self.camera.SetFocalPoint(*(np.asarray(self.camera.GetFocalPoint()) + by))
        self.camera.SetPosition(*(np.asarray(self.camera.GetPosition()) + by))


def boxes_met(boxes: NDArray[np.float64], start: Vector, end: Vector) -> NDArray[np.bool_]:
    """Tell which boxes, (n, 3, 2), the line through two points meets (the slab test)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = (boxes - start[:, None]) / (end - start)[:, None]
    ends = np.where(np.isnan(ends), np.array([-np.inf, np.inf]), ends)
    met: NDArray[np.bool_] = ends.min(axis=2).max(axis=1) <= ends.max(axis=2).min(axis=1)
    return met
