"""Where a volume is: a path on this machine or a web address."""

from __future__ import annotations

from pathlib import Path

SCHEMES = ("http://", "https://", "s3://")
# Neuroglancer writes the format before the address.
FORMAT_PREFIXES = ("precomputed://", "zarr://", "zarr2://", "zarr3://")


def is_web_address(location: str | Path) -> bool:
    """Tell whether a location is an http, https or s3 address, with Neuroglancer's prefix or without."""
    return isinstance(location, str) and web_address(location).lower().startswith(SCHEMES)


def normalised_address(location: str) -> str:
    """Return a web address without blanks around it or a slash at its end, for comparing and for keeping."""
    return location.strip().rstrip("/")


def web_address(location: str) -> str:
    """Return an address without what Neuroglancer writes before it."""
    text = location.strip()
    for prefix in FORMAT_PREFIXES:
        text = text.removeprefix(prefix)
    return text
