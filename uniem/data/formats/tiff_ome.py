"""OME-XML in TIFF files: what this suite says in it, and what it finds of that again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from uniem.data.volume import Volume
from uniem.errors import UniemError

OME_ENDINGS = (".ome.tif", ".ome.tiff", ".ome.btf")
OME_DTYPES = ("bool", "uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64")
NAMESPACE = "uniem"


def is_ome_name(path: Path) -> bool:
    """Tell whether a name asks for OME-XML."""
    return path.name.lower().endswith(OME_ENDINGS)


def check_ome_dtype(volume: Volume) -> None:
    """Raise if OME-XML has no word for the type of the voxels."""
    if volume.dtype.name not in OME_DTYPES:
        raise UniemError(
            f"OME-TIFF cannot hold {volume.dtype.name} voxels.",
            f"Convert to {', '.join(OME_DTYPES)}, or let the name end with .tif alone.",
        )


def ome_metadata(volume: Volume, axes: str) -> dict[str, Any]:
    """Return what tifffile is to say in OME-XML: axes, voxel size in nm, kind."""
    described: dict[str, Any] = {"axes": axes}
    if volume.voxel_size:
        for axis, edge in zip("ZYX", volume.voxel_size, strict=True):
            described |= {f"PhysicalSize{axis}": float(edge), f"PhysicalSize{axis}Unit": "nm"}
    described["MapAnnotation"] = {"Namespace": NAMESPACE, "kind": str(volume.kind)}
    return {"metadata": described}


def ome_record(xml: str) -> dict[str, Any]:
    """Return the kind that this suite noted in OME-XML; empty for files of others."""
    note = re.search(rf'<MapAnnotation\b[^>]*Namespace="{NAMESPACE}"[^>]*>(.*?)</MapAnnotation>', xml, re.S)
    return dict(re.findall(r'<M K="(\w+)">(\w+)</M>', note.group(1))) if note else {}
