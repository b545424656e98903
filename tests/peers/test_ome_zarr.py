"""What we write is OME-Zarr to its own project's validator and reader, pyramid and labels too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uniem.data.formats import export_volume, open_volume
from uniem.data.geometry import VoxelSize
from uniem.data.store import VERSIONS
from uniem.data.volume import ArrayVolume, Kind

SIZE = VoxelSize(40, 4.6, 0.1 + 0.2)


def volumes() -> dict[str, ArrayVolume]:
    """Return volumes of all kinds: with three levels, with one, of one voxel, of unknown voxel size."""
    generator = np.random.default_rng(0)
    image = generator.integers(0, 255, (5, 1100, 700), np.uint8, endpoint=True)
    ids = generator.integers(0, 2**32 - 1, (5, 110, 70), np.uint32, endpoint=True)
    return {
        "image": ArrayVolume(image, SIZE, Kind.IMAGE),
        "labels": ArrayVolume(ids.repeat(10, 1).repeat(10, 2), SIZE, Kind.LABELS),
        "wide-labels": ArrayVolume(np.full((1, 1, 1), 2**64 - 1, np.uint64), SIZE, Kind.LABELS),
        "probability": ArrayVolume(generator.random((3, 20, 30), np.float32), SIZE, Kind.PROBABILITY),
        "unknown-size": ArrayVolume(image[:2, :20, :30], None, Kind.IMAGE),
    }


@pytest.fixture(scope="module")
def seen(run_peer: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Any]:
    """Return where our volumes are, where the voxels that the reader saw are, and its report."""
    written, result = tmp_path_factory.mktemp("written"), tmp_path_factory.mktemp("seen") / "result"
    for name, volume in volumes().items():
        for version in VERSIONS:
            export_volume(volume, written / f"{name}-{version}.zarr", version=version)
    run_peer("read_with_ome_zarr.py", result, *sorted(written.iterdir()))
    return written, result, json.loads((result / "report.json").read_text())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", volumes())
class TestOmeZarr:
    def test_the_validator_accepts_it_as_what_it_is(self, seen: Any, name: str, version: str) -> None:
        found = seen[2][f"{name}-{version}.zarr"]
        is_labels = "labels" in name
        model = "image_label" if is_labels else "image"
        assert found["model"] == f"ome_zarr_models.v{version.replace('.', '')}.{model}"
        assert found["version"] == version
        assert found["specs"] == (["Label"] if is_labels else []) + ["Multiscales"]

    def test_the_reader_sees_every_voxel_of_every_level(self, seen: Any, name: str, version: str) -> None:
        written, result, report = seen
        file = f"{name}-{version}.zarr"
        levels = open_volume(written / file).levels
        assert report[file]["levels"] == len(levels)
        assert len(levels) == (3 if name in ("image", "labels") else 1)
        np.testing.assert_array_equal(np.load(result / f"{file}-0.npy"), volumes()[name].array)
        for number, level in enumerate(levels):
            there = np.load(result / f"{file}-{number}.npy")
            assert there.dtype == level.dtype
            np.testing.assert_array_equal(there, level[:])

    def test_the_reader_sees_voxel_sizes_in_nm(self, seen: Any, name: str, version: str) -> None:
        written, _, report = seen
        file = f"{name}-{version}.zarr"
        found = report[file]
        is_known = name != "unknown-size"
        unit = {"unit": "nanometer"} if is_known else {}
        assert found["axes"] == [{"name": axis, "type": "space", **unit} for axis in "zyx"]
        for level, (scale, shift) in zip(
            open_volume(written / file).levels, found["transformations"], strict=True
        ):
            assert scale["type"] == "scale"
            assert tuple(scale["scale"]) == (level.voxel_size if is_known else (1, 1, 1))
            # The first voxel of a coarser level covers the same corner as that of the finest.
            finest = SIZE if is_known else (1, 1, 1)
            halves = [(a - b) / 2 for a, b in zip(scale["scale"], finest, strict=True)]
            assert shift == {"type": "translation", "translation": pytest.approx(halves)}
