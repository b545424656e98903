"""The layers of the canvas: volumes one above the other, each with how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from psygnal import SignalGroupDescriptor

from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.gui.canvas.colour_maps import GRAY
from uniem.gui.canvas.levels import Factor

LABEL_OPACITY = 0.45
# Voxel sizes in headers are rounded; a ratio as close as this to a whole number is meant to be one.
_TOLERANCE = 0.02
LOOKS = (
    "opacity",
    "limits",
    "low",
    "high",
    "colours",
    "is_inverted",
    "is_normalised",
    "has_contrast",
    "is_visible",
)


@dataclass(eq=False)
class Layer:
    """A volume and how it is drawn. `events.NAME` is emitted when a field changes.

    Attributes
    ----------
    kind : Kind
        As what it is drawn.
    low, high : float
        The values drawn black and white.
    limits : (float, float)
        Between which they can be chosen.
    colours : str
        One of `COLOUR_MAPS`.
    is_normalised : bool
        Black and white are found anew for each section.
    has_contrast : bool
        Black and white have been chosen, by the program or the user.
    scale : (z, y, x)
        How many voxels of the reference, the volume by which the canvas counts, one of its voxels spans.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()
    volume: Volume
    kind: Kind = Kind.IMAGE
    name: str = ""
    is_visible: bool = True
    opacity: float = 1.0
    low: float = 0.0
    high: float = 255.0
    limits: tuple[float, float] = (0.0, 255.0)
    colours: str = GRAY
    is_inverted: bool = False
    is_normalised: bool = False
    has_contrast: bool = False
    scale: Factor = (1.0, 1.0, 1.0)

    @staticmethod
    def of(volume: Volume, kind: Kind | None = None, name: str = "") -> Layer:
        """Return a layer that is drawn as volumes of its kind are at first."""
        layer = Layer(volume, kind or volume.kind, name or volume.name)
        if layer.kind is Kind.LABELS:
            layer.opacity = LABEL_OPACITY
        elif layer.kind is Kind.PROBABILITY:
            layer.opacity = 0.55
            highest = 1.0 if volume.dtype.kind == "f" else float(np.iinfo(volume.dtype).max)
            layer.limits, layer.low, layer.high, layer.has_contrast = (0.0, highest), 0.0, highest, True
        return layer

    @property
    def is_labels(self) -> bool:
        """Tell whether it holds labels."""
        return self.kind is Kind.LABELS

    @property
    def hides_below(self) -> bool:
        """Tell whether nothing can be seen through it."""
        is_solid = self.colours in (GRAY, "viridis") and self.opacity >= 1
        return self.is_visible and not self.is_labels and is_solid

    def take_looks(self, other: Layer) -> None:
        """Draw as another layer is drawn."""
        for name in LOOKS:
            setattr(self, name, getattr(other, name))

    def change_opacity(self, step: float) -> None:
        """Add to the opacity, within 0 and 1."""
        self.opacity = round(min(1.0, max(0.0, self.opacity + step)), 2)


def reference_of(layers: list[Layer], edited: Volume | None = None) -> Volume | None:
    """Return the volume by whose voxels the canvas counts: labels being edited, else the lowest image."""
    if edited is not None:
        return edited
    images = [layer.volume for layer in layers if not layer.is_labels]
    return images[0] if images else (layers[0].volume if layers else None)


def scale_to(volume: Volume, reference: Volume) -> Factor:
    """Return how many voxels of a reference one of a volume spans along z, y and x.

    Both must show the same piece of the specimen: of one shape, or of voxel sizes whose ratio is a small
    whole number or one over it. Raises `UniemError` otherwise.
    """
    if volume.shape == reference.shape:
        return (1.0, 1.0, 1.0)
    factors = []
    for axis, name in enumerate(("z", "y", "x")):
        factor = _ratio(volume, reference, axis)
        if factor is None:
            raise UniemError(
                f"{_described(volume)} does not lie over {_described(reference)}: they differ along {name}.",
                "Crop or convert one of them, or set its voxel size if that is wrong.",
            )
        factors.append(factor)
    return (factors[0], factors[1], factors[2])


def _ratio(volume: Volume, reference: Volume, axis: int) -> float | None:
    own, other = volume.shape[axis], reference.shape[axis]
    if volume.voxel_size is None or reference.voxel_size is None:
        return None
    ratio = volume.voxel_size[axis] / reference.voxel_size[axis]
    whole = max(ratio, 1 / ratio)
    if abs(whole - round(whole)) > _TOLERANCE * whole or round(whole) > 64:
        return None
    factor = float(round(whole)) if ratio >= 1 else 1 / round(whole)
    # The last voxel of the coarser one may reach beyond the finer one's end.
    is_alike = abs(own * factor - other) < max(1.0, factor) + 1e-6
    return factor if is_alike else None


def _described(volume: Volume) -> str:
    size = f", {volume.voxel_size}" if volume.voxel_size is not None else ""
    return f"{volume.name or volume.kind} ({' × '.join(map(str, volume.shape))}{size})"
