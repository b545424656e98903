"""Where a volume is: a path on this machine, perhaps with a dataset in it, or a web address."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from uniem.errors import UniemError

SCHEMES = ("http://", "https://", "s3://")
# Neuroglancer writes the format before the address, and in newer versions behind it.
FORMAT_PREFIXES = ("precomputed://", "zarr://", "zarr2://", "zarr3://")
FORMAT_ENDINGS = ("|neuroglancer-precomputed:", "|zarr:", "|zarr2:", "|zarr3:")
# What a browser shows of a volume is often one of these files in it.
METADATA_FILES = ("zarr.json", ".zattrs", ".zgroup", ".zarray", ".zmetadata", "info")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_web_address(location: str | Path) -> bool:
    """Tell whether a location is an http, https or s3 address, with Neuroglancer's prefix or without."""
    return isinstance(location, str) and web_address(location).lower().startswith(SCHEMES)


def normalised_address(location: str) -> str:
    """Return a web address without blanks around it or a slash at its end, for comparing and for keeping."""
    return location.strip().rstrip("/")


def web_address(location: str) -> str:
    """Return an address without what Neuroglancer writes before or behind it."""
    text = location.strip()
    for prefix in FORMAT_PREFIXES:
        text = text.removeprefix(prefix)
    for ending in FORMAT_ENDINGS:
        text = text.removesuffix(ending)
    return text


def address_of_volume(address: str) -> str:
    """Return the address of the volume to which a file of metadata belongs; any other stays as it is."""
    folder, _, name = address.rstrip("/").rpartition("/")
    return folder if name in METADATA_FILES else address


def split_location(location: str | Path) -> tuple[Path, str | None]:
    """Split `PATH::dataset` into an absolute path and the dataset, None if there is none."""
    text, _, dataset = str(location).partition("::")
    if not text.strip():
        raise UniemError("The path is empty.", "Name a file or folder.")
    if "\0" in text:
        raise UniemError("A path cannot hold the character 0.", "Check the spelling of the path.")
    return Path(text).expanduser().absolute(), dataset.strip("/") or None


def normalised_location(location: str | Path) -> str:
    """Return the absolute location with links followed, the same for every way of writing it.

    A web address stays as it is.
    """
    if is_web_address(location):
        return normalised_address(str(location))
    path, dataset = split_location(location)
    whole = os.path.normcase(os.path.realpath(path))  # which, unlike pathlib, takes links in a circle
    return f"{whole}::{dataset}" if dataset else whole


def read_location(text: str) -> str:
    """Return the location that a user typed, pasted or dropped: `file://` becomes a path, quotes go.

    Raises `UniemError` for an address of a kind that cannot be opened.
    """
    plain = text.strip().strip("\"'").strip()
    if plain.lower().startswith("file://"):
        # Loads everything that speaks http, which only this needs.
        from urllib.request import url2pathname

        parts = urlsplit(plain)
        path = url2pathname(parts.path)
        return path if parts.netloc in ("", "localhost") else f"//{parts.netloc}{path}"
    if is_web_address(plain):
        return normalised_address(plain)
    if scheme := _SCHEME.match(plain):
        raise UniemError(
            f"{plain} cannot be opened: {scheme.group()[:-3]} is not a known kind of address.",
            f"Known are {', '.join(SCHEMES)} and file://; data of Google's cloud (gs://BUCKET) are also at "
            "https://storage.googleapis.com/BUCKET.",
        )
    return plain


def name_of_location(location: str) -> str:
    """Return what to call a location in a list: the last part of its path, and its dataset."""
    if is_web_address(location):
        address, _, dataset = web_address(location).partition("::")
        name = address.rstrip("/").rpartition("/")[2]
    else:
        path, kept = split_location(location)
        name, dataset = path.name or str(path), kept or ""
    return f"{name}::{dataset}" if dataset else name
