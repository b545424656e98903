"""Locations as people type, paste and drop them."""

from __future__ import annotations

from pathlib import Path

import pytest

from uniem.data.location import (
    address_of_volume,
    is_web_address,
    name_of_location,
    normalised_location,
    read_location,
    web_address,
)
from uniem.errors import UniemError


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("file:///data/my%20stack.tif", "/data/my stack.tif"),
        ("file://localhost/data/%E6%97%A5.tif\n", "/data/日.tif"),
        ('"/data/my stack.tif"', "/data/my stack.tif"),
        ("  https://host/a.zarr/ ", "https://host/a.zarr"),
        ("s3://bucket/a.zarr", "s3://bucket/a.zarr"),
        ("/data/x.h5::raw", "/data/x.h5::raw"),
    ],
)
def test_what_is_typed_or_dropped_becomes_a_location(text: str, location: str) -> None:
    assert read_location(text) == location


def test_an_unknown_kind_of_address_is_told_with_what_is_known() -> None:
    with pytest.raises(UniemError, match=r"ftp is not a known.*https://, s3:// and file://"):
        read_location("ftp://host/a.zarr")


@pytest.mark.parametrize(
    "text", ["precomputed://https://host/v", "https://host/v|neuroglancer-precomputed:", "https://host/v"]
)
def test_neuroglancers_ways_of_writing_an_address_are_understood(text: str) -> None:
    assert is_web_address(text)
    assert web_address(text) == "https://host/v"


def test_a_file_of_metadata_stands_for_its_volume() -> None:
    assert address_of_volume("https://host/a.zarr/zarr.json") == "https://host/a.zarr"
    assert address_of_volume("https://host/a.zarr") == "https://host/a.zarr"


def test_locations_have_names_and_one_spelling(tmp_path: Path) -> None:
    assert name_of_location("https://host/deep/a.zarr/") == "a.zarr"
    assert name_of_location("/data/x.h5::volumes/raw") == "x.h5::volumes/raw"
    (tmp_path / "link").symlink_to(tmp_path)
    assert normalised_location(tmp_path / "link" / "x.h5::a/") == normalised_location(tmp_path / "x.h5::a")
