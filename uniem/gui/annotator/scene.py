"""The scene of the annotator in VTK: surfaces, markers, box and lights, drawn off screen, picked by cells."""

# ruff: noqa: TID253 - only uniem.gui.annotator.view imports this module, when the first picture is drawn.
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401 - registers the OpenGL classes of VTK
from numpy.typing import NDArray
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
from vtkmodules.vtkFiltersSources import vtkOutlineSource
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkCellPicker,
    vtkLight,
    vtkPolyDataMapper,
    vtkRenderer,
    vtkRenderWindow,
    vtkWindowToImageFilter,
)

from uniem.data.mesh import Mesh
from uniem.data.palette import Colour
from uniem.gui.annotator.camera import Trackball
from uniem.gui.annotator.marker_spheres import MarkerSpheres
from uniem.gui.annotator.surface import Surface
from uniem.gui.annotator.vtk_arrays import as_numpy

COARSE_ABOVE_TRIANGLES = 200_000
OUTLINE_COLOUR = (255, 200, 40)
OUTLINE_PIXELS = 2
PICTURE_SAMPLES = 8
SCREEN_SAMPLES = 4
# With both lights at their defaults (80 and 50) a face turned to the light has just its own colour.
AMBIENT_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Hit:
    """What a line of sight met: an object (0: none), a marker on it (0: none), and where (z, y, x in nm)."""

    label: int
    marker: int
    position_nm: tuple[float, float, float]


class Scene:
    """Draw surfaces and markers into pictures; pixels count from the top left, positions are z, y, x."""

    def __init__(self) -> None:
        self._renderer = vtkRenderer()
        self._window = vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)
        self._window.SetAlphaBitPlanes(1)
        self._window.AddRenderer(self._renderer)
        self._shadows = vtkRenderer()
        self._shadows.SetActiveCamera(self._renderer.GetActiveCamera())
        self._shadows.DrawOff()
        self._window.AddRenderer(self._shadows)
        self._light = vtkLight()
        self._light.SetLightTypeToCameraLight()
        self._light.SetPosition(-0.35, 0.45, 1.0)
        self._light.SetFocalPoint(0, 0, 0)
        self._renderer.AutomaticLightCreationOff()
        self._renderer.AddLight(self._light)
        self._surfaces: dict[int, Surface] = {}
        self._selected: frozenset[int] = frozenset()
        self._ambient = 0.0
        self._box_shown = False
        self._box_source, self._box = _box_actor()
        self._renderer.AddActor(self._box)
        self.markers = MarkerSpheres()
        self._renderer.AddActor(self.markers.actor)
        self.view = Trackball(self._renderer)
        self.set_lights(80, 50)
        self._capabilities = ""

    def add(self, mesh: Mesh, colour: Colour, opacity: float, visible: bool) -> None:
        """Build and show the surface of a mesh in place of an earlier one of the same label."""
        self.remove([int(mesh.label)])
        surface = Surface(mesh)
        self._surfaces[surface.label] = surface
        self._renderer.AddActor(surface.actor)
        self._shadows.AddActor(surface.shadow)
        surface.actor.GetProperty().SetAmbient(self._ambient)
        surface.actor.SetVisibility(visible)
        self.set_look([surface.label], colour, opacity)

    def remove(self, labels: Iterable[int]) -> None:
        """Take surfaces out of the scene."""
        for label in labels:
            if surface := self._surfaces.pop(label, None):
                self._renderer.RemoveActor(surface.actor)
                self._shadows.RemoveActor(surface.shadow)

    def set_look(self, labels: Iterable[int], colour: Colour, opacity: float) -> None:
        """Give surfaces a colour (0 to 255) and an opacity (0 to 1)."""
        for surface in self._known(labels):
            look = surface.actor.GetProperty()
            look.SetColor(*(part / 255 for part in colour))
            look.SetOpacity(opacity)

    def set_visible(self, labels: Iterable[int], visible: bool) -> None:
        """Show or hide surfaces."""
        for surface in self._known(labels):
            surface.actor.SetVisibility(visible)
            surface.shadow.SetVisibility(visible and surface.label in self._selected)

    def select(self, labels: Iterable[int]) -> None:
        """Draw an outline around these surfaces and no others."""
        before, self._selected = self._selected, frozenset(labels)
        for surface in self._known(before | self._selected):
            shown = surface.label in self._selected and surface.actor.GetVisibility()
            surface.shadow.SetVisibility(bool(shown))

    def set_background(self, colour: Colour) -> None:
        """Fill the background; the box takes the contrasting shade."""
        self._renderer.SetBackground(*(part / 255 for part in colour))
        shade = 0.75 if sum(colour) < 384 else 0.3
        self._box.GetProperty().SetColor(shade, shade, shade)

    def set_lights(self, directional: int, ambient: int) -> None:
        """Set both lights, 0 to 100."""
        self._light.SetIntensity(directional / 100)
        self._ambient = AMBIENT_SHARE * ambient / 100
        for surface in self._surfaces.values():
            surface.actor.GetProperty().SetAmbient(self._ambient)
        self.markers.set_ambient(self._ambient)

    def show_box(self, shown: bool) -> None:
        """Show or hide the box around all surfaces."""
        self._box_shown = shown

    def bounds(
        self, labels: Iterable[int] | None = None, shown_only: bool = False
    ) -> NDArray[np.float64] | None:
        """Return the (3, 2) bounds in x, y, z nm of surfaces, or None where there is nothing."""
        surfaces = self._surfaces.values() if labels is None else self._known(labels)
        boxes = [s.bounds for s in surfaces if s.triangles and (s.actor.GetVisibility() or not shown_only)]
        if not boxes:
            return None
        stacked = np.stack(boxes)
        return np.stack((stacked[:, :, 0].min(axis=0), stacked[:, :, 1].max(axis=0)), axis=1)

    def frame(self, width: int, height: int, moving: bool) -> NDArray[np.uint8]:
        """Draw and return a (height, width, 4) picture; coarsely while moving if triangles are many."""
        self._use_detail(full=not (moving and self.triangles_shown() > COARSE_ABOVE_TRIANGLES))
        self._window.SetSize(width, height)
        self._prepare()
        self._window.Render()
        if not self._capabilities:
            self._capabilities = self._window.ReportCapabilities()
            if not self.is_software:
                self._window.SetMultiSamples(SCREEN_SAMPLES)
                self._window.Render()
        picture = self._pixels()
        if any(surface.shadow.GetVisibility() for surface in self._known(self._selected)):
            outline = outline_of(self._shadow_mask(), OUTLINE_PIXELS)
            picture[outline] = (*OUTLINE_COLOUR, 255)
        return np.ascontiguousarray(picture[::-1])

    def picture(self, width: int, height: int, transparent: bool) -> NDArray[np.uint8]:
        """Draw a (height, width, 4) picture of any size, smooth and in full detail.

        A transparent one has no background; its colours are premultiplied by alpha.
        """
        before = self._window.GetSize()
        samples, background = self._window.GetMultiSamples(), self._renderer.GetBackground()
        if transparent:
            self._renderer.SetBackground(0, 0, 0)
        self._renderer.SetBackgroundAlpha(0.0 if transparent else 1.0)
        self._window.SetMultiSamples(PICTURE_SAMPLES)
        self._window.SetSize(width, height)
        self._use_detail(full=True)
        self._prepare()
        try:
            return self._grab()
        finally:
            self._renderer.SetBackground(*background)
            self._window.SetMultiSamples(samples)
            self._window.SetSize(*before)

    def pick(self, x_px: float, y_px: float) -> Hit | None:
        """Return what is seen at a pixel of the last frame, or None for the background."""
        height = self._window.GetSize()[1]
        y_up = height - 1 - y_px
        self._prepare()
        near, far = self.view.ray(x_px, y_up)
        hit = self._pick_surface(x_px, y_up, near, far)
        reach = np.linalg.norm(hit[1] - near) if hit else np.inf
        marker = self.markers.pick(near, far, float(reach))
        if marker is not None:
            return Hit(marker.parent, marker.id, marker.position_nm)
        if hit is None:
            return None
        x, y, z = (float(value) for value in hit[1])
        return Hit(hit[0], 0, (z, y, x))

    def triangles_shown(self) -> int:
        """Return how many triangles a full picture draws."""
        return sum(s.triangles for s in self._surfaces.values() if s.actor.GetVisibility())

    def coarsen_next(self) -> bool:
        """Prepare one coarse surface for moving; return whether more are wanting."""
        for surface in self._surfaces.values():
            if not surface.is_coarse_ready:
                _ = surface.coarse
                return True
        return False

    @property
    def is_software(self) -> bool:
        """Tell whether pictures are drawn without a graphics card, known after the first frame."""
        text = self._capabilities.lower()
        return any(name in text for name in ("llvmpipe", "softpipe", "swrast", "swr"))

    def close(self) -> None:
        """Release the window and all it holds; the scene is of no use afterwards."""
        self.remove(list(self._surfaces))
        self._renderer.RemoveAllViewProps()
        self._window.RemoveRenderer(self._renderer)
        self._window.Finalize()

    def _pick_surface(
        self, x_px: float, y_up: float, near: NDArray[np.float64], far: NDArray[np.float64]
    ) -> tuple[int, NDArray[np.float64]] | None:
        # Locators are built only for surfaces whose box the line of sight meets.
        candidates = [
            s
            for s in self._surfaces.values()
            if s.actor.GetVisibility() and _meets(s.bounds, near, far - near)
        ]
        self._use_detail(full=True)
        picker = vtkCellPicker()
        picker.SetTolerance(1e-6)
        picker.PickFromListOn()
        for surface in candidates:
            picker.AddPickList(surface.actor)
            picker.AddLocator(surface.locator)
        if not candidates or not picker.Pick(x_px, y_up, 0, self._renderer):
            return None
        actor = picker.GetActor()
        label = next(s.label for s in candidates if s.actor is actor)
        return label, np.asarray(picker.GetPickPosition())

    def _pixels(self) -> NDArray[np.uint8]:
        width, height = self._window.GetSize()
        pixels = vtkUnsignedCharArray()
        # VTK's stubs lack this form.
        self._window.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, pixels)  # type: ignore[call-overload]
        return as_numpy(pixels).reshape(height, width, 4)

    def _shadow_mask(self) -> NDArray[np.bool_]:
        """Return where selected surfaces are, also behind others."""
        self._renderer.DrawOff()
        self._shadows.DrawOn()
        self._window.Render()
        self._renderer.DrawOn()
        self._shadows.DrawOff()
        return self._pixels()[:, :, 0] > 127

    def _prepare(self) -> None:
        bounds = self.bounds()
        self._box.SetVisibility(self._box_shown and bounds is not None)
        if bounds is not None:
            self._box_source.SetBounds(*bounds.ravel())
        self._renderer.ResetCameraClippingRange()

    def _use_detail(self, full: bool) -> None:
        for surface in self._surfaces.values():
            if surface.actor.GetVisibility():
                surface.draw_full() if full else surface.draw_coarse()

    def _grab(self) -> NDArray[np.uint8]:
        reader = vtkWindowToImageFilter()
        reader.SetInput(self._window)
        reader.SetInputBufferTypeToRGBA()
        reader.ReadFrontBufferOff()
        reader.Update()
        image = reader.GetOutput()
        width, height, _ = image.GetDimensions()
        values = as_numpy(image.GetPointData().GetScalars())
        return np.ascontiguousarray(values.reshape(height, width, 4)[::-1])

    def _known(self, labels: Iterable[int]) -> list[Surface]:
        return [self._surfaces[label] for label in labels if label in self._surfaces]


def _box_actor() -> tuple[vtkOutlineSource, vtkActor]:
    source = vtkOutlineSource()
    mapper = vtkPolyDataMapper()
    mapper.SetInputConnection(source.GetOutputPort())
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().LightingOff()
    actor.PickableOff()
    return source, actor


def _meets(bounds: NDArray[np.float64], start: NDArray[np.float64], along: NDArray[np.float64]) -> bool:
    """Tell whether a line meets a box (the slab test)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = (bounds - start[:, None]) / along[:, None]
    ends = np.where(np.isnan(ends), np.array([-np.inf, np.inf]), ends)
    return bool(ends.min(axis=1).max() <= ends.max(axis=1).min())


def outline_of(mask: NDArray[np.bool_], thickness: int) -> NDArray[np.bool_]:
    """Return the band of this many pixels around the true part of a (y, x) mask."""
    band = np.zeros_like(mask)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return band
    part = tuple(slice(max(0, k[0] - thickness), k[-1] + thickness + 1) for k in (rows, columns))
    inner = mask[part]
    grown = inner.copy()
    for axis in (0, 1):
        before = grown.copy()
        for step in range(1, thickness + 1):
            ahead, behind = [slice(None)] * 2, [slice(None)] * 2
            ahead[axis], behind[axis] = slice(step, None), slice(None, -step)
            grown[tuple(ahead)] |= before[tuple(behind)]
            grown[tuple(behind)] |= before[tuple(ahead)]
    band[part] = grown & ~inner
    return band
