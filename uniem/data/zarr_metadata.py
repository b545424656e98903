"""The metadata of OME-Zarr groups, versions 0.4 (Zarr 2) and 0.5 (Zarr 3): reading, making and writing."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from uniem.data.geometry import VoxelSize
from uniem.data.volume import Kind
from uniem.errors import UniemError

NEWEST = "0.5"
VERSIONS = ("0.5", "0.4")
_NM_PER = {"nanometer": 1.0, "micrometer": 1e3, "millimeter": 1e6, "angstrom": 0.1, "meter": 1e9}


def group_attributes(path: Path) -> dict[str, Any]:
    """Return the attributes of the Zarr group in a folder; none if there is no group."""
    try:
        if (path / "zarr.json").is_file():
            return parsed_attributes((path / "zarr.json").read_bytes(), "zarr.json")
        if (path / ".zattrs").is_file():
            return parsed_attributes((path / ".zattrs").read_bytes(), ".zattrs")
    except (OSError, ValueError, RecursionError) as error:
        raise UniemError(
            f"The metadata of {path} cannot be read: {error}.", "Copy the folder again."
        ) from error
    return {}


def parsed_attributes(content: bytes, name: str) -> dict[str, Any]:
    """Return the attributes in a group's `zarr.json` or `.zattrs`; raise ValueError for what is no JSON."""
    parsed = json.loads(content.decode("utf-8"))
    if isinstance(parsed, dict) and name == "zarr.json":
        parsed = parsed.get("attributes", {})
    return dict(parsed) if isinstance(parsed, dict) else {}


def write_group(path: Path, attributes: dict[str, Any]) -> None:
    """Write a group's attributes, atomically, in the Zarr version that they are of."""
    if "ome" not in attributes and not (path / "zarr.json").exists():
        _replace(path / ".zgroup", {"zarr_format": 2})
        _replace(path / ".zattrs", attributes)
    else:
        _replace(path / "zarr.json", {"zarr_format": 3, "node_type": "group", "attributes": attributes})


def _replace(path: Path, content: dict[str, Any]) -> None:
    temporary = path.with_name(path.name + ".part")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def multiscale_of(attributes: dict[str, Any]) -> dict[str, Any] | None:
    """Return the first pyramid that a group describes; None if it is no OME-Zarr image."""
    ome = attributes.get("ome", attributes)
    multiscales = ome.get("multiscales") if isinstance(ome, dict) else None
    first = multiscales[0] if isinstance(multiscales, list) and multiscales else None
    return first if isinstance(first, dict) else None


def with_multiscale(
    attributes: dict[str, Any], multiscale: dict[str, Any], version: str = NEWEST
) -> dict[str, Any]:
    """Return a group's attributes with another pyramid in them, where the version keeps it."""
    if version == "0.4":
        return {**attributes, "multiscales": [{"version": version, **multiscale}]}
    ome = {**attributes.get("ome", {}), "version": version, "multiscales": [multiscale]}
    return {**attributes, "ome": ome}


def first_attributes(kind: Kind, dtype: str, is_size_known: bool, version: str = NEWEST) -> dict[str, Any]:
    """Return what a new group says before it describes its pyramid; other programs know labels by it."""
    own: dict[str, Any] = {"uniem": {"kind": kind.value, "voxel_size_known": is_size_known}}
    if kind is not Kind.LABELS or dtype.startswith("float"):
        return own
    if version == "0.4":
        return {**own, "image-label": {"version": version}}
    return {**own, "ome": {"image-label": {}}}


def version_of(attributes: dict[str, Any]) -> str:
    """Return the version of OME-Zarr that attributes are written in."""
    return NEWEST if "ome" in attributes else "0.4"


def multiscale(name: str, voxel_size: VoxelSize | None, factors: list[Any]) -> dict[str, Any]:
    """Describe a pyramid whose levels are coarser than the first by these factors, in z, y, x."""
    unit = {"unit": "nanometer"} if voxel_size else {}
    base = voxel_size or (1.0, 1.0, 1.0)
    scales = [[float(b * f) for b, f in zip(base, factor, strict=True)] for factor in factors]
    # The centre of a coarse voxel lies between the centres of the voxels it was made of.
    shifts = [[float(b * (f - 1) / 2) for b, f in zip(base, factor, strict=True)] for factor in factors]
    return {
        "name": name,
        "axes": [{"name": axis, "type": "space", **unit} for axis in "zyx"],
        "datasets": [
            {
                "path": str(i),
                "coordinateTransformations": [
                    {"type": "scale", "scale": scale},
                    {"type": "translation", "translation": shift},
                ],
            }
            for i, (scale, shift) in enumerate(zip(scales, shifts, strict=True))
        ],
    }


def levels_of(described: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the levels of a pyramid, each with the path of its array; raise ValueError if it has none."""
    levels = described.get("datasets")
    if not isinstance(levels, list) or not levels:
        raise ValueError("it names no arrays")
    for level in levels:
        if not isinstance(level, dict) or not isinstance(level.get("path"), str):
            raise ValueError(f"it names no path of an array, but {level!r}")
    return levels


def scale_of(dataset: dict[str, Any]) -> tuple[float, ...] | None:
    """Return the size of a level's voxels in the unit of the axes, in z, y, x; None if it is no size."""
    transformations = dataset.get("coordinateTransformations")
    for transformation in transformations if isinstance(transformations, list) else []:
        if isinstance(transformation, dict) and transformation.get("type") == "scale":
            try:
                scale = tuple(float(s) for s in transformation["scale"][-3:])
            except (LookupError, TypeError, ValueError, OverflowError):
                return None
            return scale if len(scale) == 3 and all(0 < s < math.inf for s in scale) else None
    return (1.0, 1.0, 1.0)


def voxel_size_of_level(
    attributes: dict[str, Any], described: dict[str, Any], level: dict[str, Any]
) -> VoxelSize | None:
    """Return the voxel size of a level in nm; None if it is not known."""
    unit, scale = nm_per_unit(described), scale_of(level)
    if scale is None or not is_voxel_size_known(attributes, unit):
        return None
    size = VoxelSize(*(s * (unit or 1.0) for s in scale))
    return size if all(0 < s < math.inf for s in size) else None


def nm_per_unit(described: dict[str, Any]) -> float | None:
    """Return how many nm the unit of a pyramid's axes is; None if it names none."""
    axes = described.get("axes")
    last = axes[-1] if isinstance(axes, list) and axes else None
    unit = last.get("unit") if isinstance(last, dict) else None
    return _NM_PER.get(unit) if isinstance(unit, str) else None


def is_voxel_size_known(attributes: dict[str, Any], unit: float | None) -> bool:
    """Tell whether scales are a voxel size: the suite says so, else a unit is named."""
    return bool(_own(attributes).get("voxel_size_known", unit is not None))


def _own(attributes: dict[str, Any]) -> dict[str, Any]:
    noted = attributes.get("uniem")
    return noted if isinstance(noted, dict) else {}


def kind_of(attributes: dict[str, Any]) -> Kind:
    """Return what a group says its numbers mean; an image if it says nothing."""
    stated = _own(attributes).get("kind")
    if isinstance(stated, str) and stated in list(Kind):
        return Kind(stated)
    return Kind.LABELS if "image-label" in attributes.get("ome", attributes) else Kind.IMAGE


def zarr_3_array(shape: list[int], chunk: list[int], dtype: str, is_compressed: bool) -> dict[str, Any]:
    """Return the metadata of a Zarr 3 array; labels and probabilities are compressed, images are not."""
    codecs: list[dict[str, Any]] = [{"name": "bytes", "configuration": {"endian": "little"}}]
    if is_compressed:
        codecs.append({"name": "zstd", "configuration": {"level": 1}})
    return {
        "shape": shape,
        "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
        "codecs": codecs,
        "dimension_names": ["z", "y", "x"],
    }


def zarr_2_array(shape: list[int], chunk: list[int], dtype: str, is_compressed: bool) -> dict[str, Any]:
    """Return the metadata of a Zarr 2 array, as `zarr_3_array`."""
    return {
        "shape": shape,
        "dtype": np.dtype(dtype).newbyteorder("<").str,
        "chunks": chunk,
        "compressor": {"id": "zstd", "level": 1} if is_compressed else None,
        "dimension_separator": "/",
        "fill_value": 0,
        "order": "C",
        "filters": None,
    }
