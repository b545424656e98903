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
from uniem.gui.annotator.camera import Trackball, boxes_met
from uniem.gui.annotator.crowd import Crowd, divisions_for
from uniem.gui.annotator.marker_spheres import MarkerSpheres
from uniem.gui.annotator.outline import outline_of
from uniem.gui.annotator.surface import Surface
from uniem.gui.annotator.vtk_arrays import as_numpy

COARSE_ABOVE_TRIANGLES = 200_000
COARSE_ABOVE_ON_GPU = 5_000_000
CROWD_FROM = 100
OUTLINE_COLOUR = (255, 200, 40)
PICTURE_SAMPLES = 8
SCREEN_SAMPLES = 4
# With both lights at their defaults (80 and 50) a face turned to the camera has nearly its own colour.
AMBIENT_SHARE = 0.4
# Where lights hang before the camera: the key light models the shape, the other fills the shade.
KEY_LIGHT = (-0.35, 0.45, 1.0)
FILL_LIGHT = (0.6, -0.5, 0.8)
KEY_SHARE = 0.78


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
        # The same scene three times, of which one is drawn: single surfaces, a crowd in one actor, shadows.
        self._crowd_renderer, self._shadows = vtkRenderer(), vtkRenderer()
        self._lights = [_camera_light(*position) for position in (KEY_LIGHT, FILL_LIGHT)]
        for renderer in (self._renderer, self._crowd_renderer, self._shadows):
            renderer.SetActiveCamera(self._renderer.GetActiveCamera())
            renderer.AutomaticLightCreationOff()
            for light in self._lights:
                renderer.AddLight(light)
            self._window.AddRenderer(renderer)
        self._crowd = Crowd(self._crowd_renderer)
        self._version = 0
        self._boxes: tuple[int, list[Surface], NDArray[np.float64]] | None = None
        self._surfaces: dict[int, Surface] = {}
        self._selected: frozenset[int] = frozenset()
        self._ambient = 0.0
        self._box_shown = False
        self._box_source, self._box = _box_actor()
        self.markers = MarkerSpheres()
        for renderer in (self._renderer, self._crowd_renderer):
            renderer.AddActor(self._box)
            renderer.AddActor(self.markers.actor)
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
        self._version += 1
        for label in labels:
            if surface := self._surfaces.pop(label, None):
                self._renderer.RemoveActor(surface.actor)
                self._shadows.RemoveActor(surface.shadow)

    def set_look(self, labels: Iterable[int], colour: Colour, opacity: float) -> None:
        """Give surfaces a colour (0 to 255) and an opacity (0 to 1)."""
        self._version += 1
        for surface in self._known(labels):
            look = surface.actor.GetProperty()
            look.SetColor(*(part / 255 for part in colour))
            look.SetOpacity(opacity)

    def set_visible(self, labels: Iterable[int], visible: bool) -> None:
        """Show or hide surfaces."""
        self._version += 1
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
        for renderer in (self._renderer, self._crowd_renderer):
            renderer.SetBackground(*(part / 255 for part in colour))
        shade = 0.75 if sum(colour) < 384 else 0.3
        self._box.GetProperty().SetColor(shade, shade, shade)

    def set_lights(self, directional: int, ambient: int) -> None:
        """Set both lights, 0 to 100."""
        for light, share in zip(self._lights, (KEY_SHARE, 1 - KEY_SHARE), strict=True):
            light.SetIntensity(share * directional / 100)
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

    def frame(self, width: int, height: int, moving: bool, outline_px: int = 2) -> NDArray[np.uint8]:
        """Draw and return a (height, width, 4) picture; coarsely while moving if triangles are many."""
        limit = COARSE_ABOVE_TRIANGLES if self.is_software else COARSE_ABOVE_ON_GPU
        is_coarse = moving and self.triangles_shown() > limit
        self._window.SetSize(width, height)
        self._prepare()
        self._draw_only(self._chosen_renderer(is_coarse))
        self._window.Render()
        if not self._capabilities:
            self._capabilities = self._window.ReportCapabilities()
            if not self.is_software:
                self._window.SetMultiSamples(SCREEN_SAMPLES)
                self._window.Render()
        picture = self._pixels()
        shadows = [surface for surface in self._known(self._selected) if surface.shadow.GetVisibility()]
        if shadows and not (is_coarse and sum(surface.triangles for surface in shadows) > limit):
            outline = outline_of(self._shadow_mask(), outline_px)
            picture[outline] = (*OUTLINE_COLOUR, 255)
        return np.ascontiguousarray(picture[::-1])

    def picture(self, width: int, height: int, transparent: bool) -> NDArray[np.uint8]:
        """Draw a (height, width, 4) picture of any size, smooth and in full detail.

        A transparent one has no background; its colours are premultiplied by alpha.
        """
        before = self._window.GetSize()
        renderer = self._chosen_renderer(coarse=False)
        samples, background = self._window.GetMultiSamples(), renderer.GetBackground()
        if transparent:
            renderer.SetBackground(0, 0, 0)
        renderer.SetBackgroundAlpha(0.0 if transparent else 1.0)
        self._window.SetMultiSamples(PICTURE_SAMPLES)
        self._window.SetSize(width, height)
        self._prepare()
        self._draw_only(renderer)
        try:
            return self._grab()
        finally:
            renderer.SetBackground(*background)
            renderer.SetBackgroundAlpha(1.0)
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
        return sum(surface.triangles for surface in self._shown()[0])

    def coarsen_next(self) -> bool:
        """Prepare one coarse surface for moving; return whether more are wanting."""
        divisions = divisions_for(len(self._surfaces))
        for surface in self._surfaces.values():
            if not surface.is_coarse_ready(divisions):
                surface.coarse(divisions)
                return True
        return False

    @property
    def is_software(self) -> bool:
        """Tell whether pictures are drawn without a graphics card; assumed before the first frame."""
        text = self._capabilities.lower()
        return not text or any(name in text for name in ("llvmpipe", "softpipe", "swrast", "swr"))

    def close(self) -> None:
        """Release the window and all it holds; the scene is of no use afterwards."""
        self.remove(list(self._surfaces))
        for renderer in (self._renderer, self._crowd_renderer, self._shadows):
            renderer.RemoveAllViewProps()
            self._window.RemoveRenderer(renderer)
        self._window.Finalize()

    def _pick_surface(
        self, x_px: float, y_up: float, near: NDArray[np.float64], far: NDArray[np.float64]
    ) -> tuple[int, NDArray[np.float64]] | None:
        # Locators are built only for surfaces whose box the line of sight meets.
        shown, boxes = self._shown()
        candidates = [shown[k] for k in np.flatnonzero(boxes_met(boxes, near, far))]
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
        self._draw_only(self._shadows)
        self._window.Render()
        return self._pixels()[:, :, 0] > 127

    def _draw_only(self, chosen: vtkRenderer) -> None:
        for renderer in (self._renderer, self._crowd_renderer, self._shadows):
            renderer.SetDraw(renderer is chosen)

    def _chosen_renderer(self, coarse: bool) -> vtkRenderer:
        """Return what draws the surfaces: each alone if they are few and wanted in full, else together."""
        shown, _ = self._shown()
        if not coarse and len(shown) <= CROWD_FROM:
            return self._renderer
        self._crowd.show(shown, coarse, self._version, self._ambient)
        return self._crowd_renderer

    def _shown(self) -> tuple[list[Surface], NDArray[np.float64]]:
        """Return the visible surfaces and their (n, 3, 2) bounds."""
        if self._boxes is None or self._boxes[0] != self._version:
            shown = [s for s in self._surfaces.values() if s.triangles and s.actor.GetVisibility()]
            self._boxes = self._version, shown, np.array([s.bounds for s in shown]).reshape(-1, 3, 2)
        return self._boxes[1:]

    def _prepare(self) -> None:
        bounds = self.bounds()
        self._box.SetVisibility(self._box_shown and bounds is not None)
        if bounds is not None:
            self._box_source.SetBounds(*bounds.ravel())
        self._renderer.ResetCameraClippingRange()

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


def _camera_light(x: float, y: float, z: float) -> vtkLight:
    light = vtkLight()
    light.SetLightTypeToCameraLight()
    light.SetPosition(x, y, z)
    light.SetFocalPoint(0, 0, 0)
    return light
