from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from uniem.data.formats import open_volume
from uniem.data.geometry import VoxelSize
from uniem.data.provenance import Provenance
from uniem.data.volume import ArrayVolume, Kind
from uniem.operations.outputs import PathOutput, VolumeOutput, unfinished
from uniem.progress import Context

PROVENANCE = Provenance(operation="convert", version=1, started=datetime.now(UTC))


def copied(location: str, source: ArrayVolume, **options: object) -> None:
    output = VolumeOutput(location, Kind.IMAGE)
    output.copy_from(source, Context(), **options)
    output.publish(PROVENANCE, Context())


@pytest.mark.parametrize(
    "name", ["out.zarr", "out.tif", "out.npy", "out.h5::volume", "out.mojo", "out", "out.d/"]
)
def test_a_volume_is_copied_straight_into_any_format(tmp_path: Path, name: str) -> None:
    labels = np.random.default_rng(0).integers(0, 1000, (5, 40, 50), np.uint32)
    copied(f"{tmp_path}/{name}", ArrayVolume(labels, VoxelSize(30, 4, 4), Kind.LABELS))
    again = open_volume(f"{tmp_path}/{name}", Kind.LABELS)
    assert np.array_equal(again[:], labels)
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_options_of_a_format_go_along(tmp_path: Path) -> None:
    source = ArrayVolume(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    copied(f"{tmp_path}/sections", source, prefix="cut", first=7, digits=3)
    assert {"cut007.png", "cut008.png"} <= {path.name for path in (tmp_path / "sections").iterdir()}
    copied(f"{tmp_path}/old.zarr", source, version="0.4")
    assert (tmp_path / "old.zarr" / ".zattrs").is_file()


def test_a_copy_that_is_not_published_leaves_nothing(tmp_path: Path) -> None:
    for name in ("out.zarr", "out.npy", "out"):
        output = VolumeOutput(str(tmp_path / name), Kind.IMAGE)
        output.copy_from(ArrayVolume(np.ones((2, 3, 4), np.uint8), VoxelSize(1, 1, 1)), Context())
        output.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_found_while_it_is_being_made(tmp_path: Path) -> None:
    final = tmp_path / "a [model]"
    assert unfinished(final) is None
    other, output = PathOutput(str(tmp_path / "a")), PathOutput(str(final))
    other.path.mkdir()
    output.path.mkdir()
    assert unfinished(final) == output.path
    output.publish(PROVENANCE, Context())
    assert unfinished(final) is None and final.is_dir()
