"""Balls as meshes, and where a place of the scene is on the widget."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QPoint

from uniem.data.mesh import Mesh
from uniem.data.palette import Colour
from uniem.gui.annotator.annotator import MeshAnnotator


def ball(
    label: int,
    centre_nm: tuple[float, float, float] = (500.0, 500.0, 500.0),
    radius_nm: float = 200.0,
    colour: Colour | None = None,
    name: str = "",
    rings: int = 32,
) -> Mesh:
    """Return a closed ball of rings × 2 rings points, wound outwards in x, y, z; centre z, y, x."""
    around = 2 * rings
    polar = np.linspace(0, np.pi, rings)[1:-1, None]
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)[None]
    z = np.broadcast_to(np.cos(polar), (rings - 2, around))
    body = np.stack([z, np.sin(polar) * np.sin(angle), np.sin(polar) * np.cos(angle)], axis=-1).reshape(-1, 3)
    points = np.concatenate([body, [[1, 0, 0], [-1, 0, 0]]])
    top, bottom = len(body), len(body) + 1
    i, j = np.meshgrid(np.arange(rings - 3), np.arange(around), indexing="ij")
    a, b = i * around + j, i * around + (j + 1) % around
    c, d = a + around, b + around
    j = np.arange(around)
    k = (j + 1) % around
    last = (rings - 3) * around
    faces = [
        np.stack([a, c, b], -1).reshape(-1, 3),
        np.stack([b, c, d], -1).reshape(-1, 3),
        np.stack([np.full(around, top), j, k], -1),
        np.stack([np.full(around, bottom), last + k, last + j], -1),
    ]
    vertices = points * radius_nm + np.asarray(centre_nm)
    return Mesh(vertices.astype(np.float32), np.concatenate(faces).astype(np.uint32), label, name, colour)


def place_of(annotator: MeshAnnotator, zyx: tuple[float, float, float]) -> QPoint:
    """Return where a place, z, y, x in nm, is on the view."""
    view = annotator.view
    scene = view._scene
    assert scene is not None
    right, up, _ = scene.view.axes()
    away = np.asarray(zyx[::-1]) - np.asarray(scene.view.camera.GetFocalPoint())
    nm = scene.view.nm_per_pixel(view.height())
    return QPoint(round(view.width() / 2 + away @ right / nm), round(view.height() / 2 - away @ up / nm))
