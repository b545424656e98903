"""Voxel sizes in the metadata of TIFF files by ImageJ and by OME; None where a part is missing."""

from __future__ import annotations

import re
from typing import Any

from uniem.data.formats.format import voxel_size_of
from uniem.data.geometry import VoxelSize

NM_PER_UNIT = {
    "nm": 1.0,
    "nanometer": 1.0,
    "nanometre": 1.0,
    "um": 1e3,
    "µm": 1e3,  # the micro sign
    "μm": 1e3,  # the Greek letter
    "\\u00b5m": 1e3,  # as ImageJ writes it
    "micron": 1e3,
    "microns": 1e3,
    "micrometer": 1e3,
    "micrometre": 1e3,
    "mm": 1e6,
    "cm": 1e7,
    "m": 1e9,
    "pm": 1e-3,
    "å": 0.1,
    "angstrom": 0.1,
    "inch": 2.54e7,
}


def imagej_voxel_size(metadata: dict[str, Any], y_resolution: Any, x_resolution: Any) -> VoxelSize | None:
    """Return the voxel size of an ImageJ file from `unit`, `spacing` and pixels per unit.

    ImageJ leaves out a spacing of 1 and one that nobody set, so that a missing spacing is unknown.
    """
    units = [
        str(metadata.get(key, metadata.get("unit", ""))).strip().lower() for key in ("zunit", "yunit", "unit")
    ]
    scales = [NM_PER_UNIT.get(unit) for unit in units]
    steps = [metadata.get("spacing"), _per_pixel(y_resolution), _per_pixel(x_resolution)]
    pairs = [(s, u) for s, u in zip(steps, scales, strict=True) if s is not None and u is not None]
    return voxel_size_of([_rounded(float(s) * u) for s, u in pairs])


def imagej_pixel_size(
    metadata: dict[str, Any], y_resolution: Any, x_resolution: Any
) -> tuple[float, float] | None:
    """Return y and x of a pixel of an ImageJ file in nm, None without a unit of length."""
    # The thickness is not asked of the file, so that any will do.
    size = imagej_voxel_size({**metadata, "spacing": 1.0}, y_resolution, x_resolution)
    return (size.y, size.x) if size else None


def ome_voxel_size(xml: str) -> VoxelSize | None:
    """Return the voxel size of the first image in OME-XML, whose unit is µm unless it names one."""
    return voxel_size_of([edge for axis in "ZYX" if (edge := _ome_edge(xml, axis))])


def ome_pixel_size(xml: str) -> tuple[float, float] | None:
    """Return y and x of a pixel of the first image in OME-XML in nm."""
    y, x = _ome_edge(xml, "Y"), _ome_edge(xml, "X")
    return (y, x) if y and x else None


def _ome_edge(xml: str, axis: str) -> float | None:
    pixels = re.search(r"<(?:\w+:)?Pixels\b[^>]*>", xml)
    if not pixels:
        return None
    given = dict(re.findall(r'(PhysicalSize[XYZ](?:Unit)?)="([^"]*)"', pixels.group()))
    scale = NM_PER_UNIT.get(given.get(f"PhysicalSize{axis}Unit", "µm").lower())
    try:
        stated = float(given[f"PhysicalSize{axis}"])
        edge = stated if scale == 1 else _rounded(stated * (scale or 0))
    except (KeyError, ValueError):
        return None
    return edge if 0 < edge < float("inf") else None


def _per_pixel(resolution: Any) -> float | None:
    try:
        pixels, units = resolution
        return float(units) / float(pixels)
    except (TypeError, ValueError, ZeroDivisionError):
        return None


def _rounded(value: float) -> float:
    """Drop the digits that come from a fraction of integers or from a change of unit."""
    return float(f"{value:.9g}")
