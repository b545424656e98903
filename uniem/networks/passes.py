"""The ways through a volume: sections as they are, across other axes, or with pixels of another size."""

from __future__ import annotations

from typing import NamedTuple

from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.networks.ensembles import Ensemble
from uniem.networks.prediction_settings import PredictionSettings
from uniem.networks.seen_volumes import (
    ACROSS_X,
    ACROSS_Y,
    ACROSS_Z,
    Axes,
    ResampledVolume,
    TurnedVolume,
    inverse,
)
from uniem.progress import Context

# Pixels that differ by more than this are resampled.
OTHER_PIXEL = 1.1
# Voxels whose edges differ by more than this are not cut across all axes.
ISOTROPIC = 1.2


class Pass(NamedTuple):
    """One way through a volume: how its axes are turned, and the pixels that the network sees of sections."""

    axes: Axes
    shape_yx: tuple[int, int]

    def seen(self, image: Volume) -> Volume:
        """Return a volume as the network sees it."""
        turned = TurnedVolume(image, self.axes) if self.axes != ACROSS_Z else image
        return ResampledVolume(turned, self.shape_yx) if turned.shape[1:] != self.shape_yx else turned

    def back(self, found: Volume, image: Volume) -> Volume:
        """Return what was found, as it lies in the image."""
        plain = image.shape[self.axes[1]], image.shape[self.axes[2]]
        resampled = ResampledVolume(found, plain) if plain != self.shape_yx else found
        return TurnedVolume(resampled, inverse(self.axes)) if self.axes != ACROSS_Z else resampled

    def is_plain(self, image: Volume) -> bool:
        """Tell whether the network sees the image as it is."""
        return self.axes == ACROSS_Z and self.shape_yx == image.shape[1:]


def passes_through(
    ensemble: Ensemble, image: Volume, settings: PredictionSettings, context: Context
) -> list[Pass]:
    """Return the ways through a volume that are asked for; raise if it cannot be cut across all axes."""
    across = [ACROSS_Z]
    if settings.planes == "orthoplane":
        _check_isotropic(image)
        across += [ACROSS_Y, ACROSS_X]
    return [Pass(axes, _shape_seen(ensemble, image, axes, settings, context)) for axes in across]


def _check_isotropic(image: Volume) -> None:
    if image.voxel_size is None:
        raise UniemError(
            f"The voxel size of {image} is not known, so sections across other axes may be distorted.",
            "Set its voxel size, or predict sections as they are.",
        )
    if max(image.voxel_size) > ISOTROPIC * min(image.voxel_size):
        raise UniemError(
            f"The voxels of {image} are {image.voxel_size}: sections across other axes would be distorted.",
            "Predict sections as they are, or resample the image to voxels as high as they are wide.",
        )


def _shape_seen(
    ensemble: Ensemble, image: Volume, axes: Axes, settings: PredictionSettings, context: Context
) -> tuple[int, int]:
    """Return how many pixels the sections have for the network, and tell where they are resampled."""
    height, width = image.shape[axes[1]], image.shape[axes[2]]
    trained, size = ensemble.record.voxel_size_nm, image.voxel_size
    if trained is None or size is None:
        return height, width
    ratios = size[axes[1]] / trained.y, size[axes[2]] / trained.x
    if max(max(ratio, 1 / ratio) for ratio in ratios) <= OTHER_PIXEL:
        return height, width
    facts = f"The model was trained at {trained}, the image is {size}"
    if settings.rescale == "none":
        context.message(f"{facts}: expect worse results.")
        return height, width
    seen = max(1, round(height * ratios[0])), max(1, round(width * ratios[1]))
    context.message(
        f"{facts}: sections of {height} × {width} pixels are resampled to {seen[0]} × {seen[1]} for the "
        "network, and its answer back."
    )
    return seen
