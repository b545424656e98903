"""Volumes at web addresses: OME-Zarr and precomputed, read chunk by chunk over http, https or s3."""

from __future__ import annotations

from uniem.data.location import address_of_volume, normalised_address, web_address
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError


def open_address(location: str, kind: Kind | None) -> Volume:
    """Open the volume at `ADDRESS` or `ADDRESS::dataset`; the kind, if None, is what the volume says."""
    from uniem.data.formats import precomputed
    from uniem.data.tensor_volume import open_zarr_address

    address, _, dataset = location.strip().partition("::")
    address = address_of_volume(web_address(address))
    place = "/".join(part.rstrip("/") for part in (address, dataset.strip("/")) if part.strip("/"))
    volume = open_zarr_address(place) or precomputed.read_address(place, kind)
    if volume is None:
        raise UniemError(
            f"There is no volume at {place}, or it is not public.",
            "Looked for zarr.json or .zattrs of an OME-Zarr image and for info of a precomputed volume. "
            "Download files of other formats first.",
        )
    volume.kind = kind or volume.kind
    volume.source = normalised_address(location)
    return volume
