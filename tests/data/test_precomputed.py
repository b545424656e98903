"""Precomputed volumes keep voxels, voxel size and kind, and follow Neuroglancer's description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorstore as ts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.test_formats import SHAPES, SIZES, FullDisk, Stopping, random_voxels
from uniem.data.formats import export_volume, open_volume
from uniem.data.geometry import Box, VoxelSize
from uniem.data.pyramid import downsample
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError
from uniem.progress import Cancelled

DTYPES = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "float32"]


@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=st.sampled_from(SHAPES), size=SIZES, kind=st.sampled_from(list(Kind)), seed=st.integers(0, 99))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, dtype: str, shape: Any, size: Any, kind: Kind, seed: int
) -> None:
    path = tmp_path_factory.mktemp("round") / "a.precomputed"
    voxels = random_voxels(shape, dtype, seed)
    export_volume(ArrayVolume(voxels, size, kind), path)
    back = open_volume(path)
    assert (back.shape, back.dtype, back.kind, back.voxel_size) == (shape, voxels.dtype, kind, size)
    np.testing.assert_array_equal(back.read(Box.of_shape(shape)), voxels)
    np.testing.assert_array_equal(back[shape[0] - 1], voxels[-1])
    assert [p.name for p in path.parent.iterdir()] == ["a.precomputed"]


@pytest.mark.parametrize("kind", [Kind.LABELS, Kind.IMAGE])
def test_the_pyramid_and_the_description(tmp_path: Path, kind: Kind) -> None:
    blocks = random_voxels((70, 30, 60), "uint32")
    voxels = np.kron(blocks, np.ones((1, 20, 20), np.uint32))
    voxels[0, 0, 0] = 2**32 - 1
    export_volume(ArrayVolume(voxels, VoxelSize(50, 4.6, 4.6), kind), tmp_path / "a.precomputed")
    info = json.loads((tmp_path / "a.precomputed" / "info").read_text())
    assert info["@type"] == "neuroglancer_multiscale_volume"
    assert info["type"] == ("segmentation" if kind is Kind.LABELS else "image")
    assert info["scales"][0]["size"] == [1200, 600, 70]
    assert info["scales"][0]["resolution"] == [4.6, 4.6, 50]
    assert info["scales"][0]["encoding"] == ("compressed_segmentation" if kind is Kind.LABELS else "raw")
    levels = open_volume(tmp_path / "a.precomputed").levels
    assert [level.shape for level in levels] == [(70, 600, 1200), (70, 300, 600), (70, 150, 300)]
    assert levels[1].voxel_size == VoxelSize(50, 9.2, 9.2)
    expected = downsample(voxels, (1, 2, 2), is_labels=kind is Kind.LABELS)
    np.testing.assert_array_equal(levels[1][:], expected)


def test_one_that_others_made_with_an_offset(tmp_path: Path) -> None:
    voxels = random_voxels((5, 60, 70), "uint16")
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "file", "path": f"{tmp_path}/made/"},
        "multiscale_metadata": {"type": "image", "data_type": "uint16", "num_channels": 1},
        "scale_metadata": {
            "size": [70, 60, 5],
            "resolution": [8, 8, 30],
            "voxel_offset": [100, -200, 7],
            "chunk_size": [16, 16, 4],
            "encoding": "raw",
        },
    }
    ts.open(spec, create=True).result()[..., 0].write(voxels.T).result()
    volume = open_volume(tmp_path / "made")
    assert (volume.voxel_size, volume.kind) == (VoxelSize(30, 8, 8), Kind.IMAGE)
    np.testing.assert_array_equal(volume.read(Box((1, 2, 3), (4, 50, 60))), voxels[1:4, 2:50, 3:60])


class TestBadInput:
    @pytest.fixture
    def made(self, tmp_path: Path) -> Path:
        export_volume(ArrayVolume(random_voxels((5, 60, 70), "uint32")), tmp_path / "a.precomputed")
        return tmp_path / "a.precomputed"

    @pytest.mark.parametrize(
        "info",
        [b"", b"{", b"[]", b'{"scales": []}', b'{"@type": "neuroglancer_legacy_mesh"}', b"\xff\xfe"],
    )
    def test_what_is_no_description(self, made: Path, info: bytes) -> None:
        (made / "info").write_bytes(info)
        with pytest.raises(UniemError, match="no volume in the folder"):
            open_volume(made)

    @pytest.mark.parametrize(
        "change", [{"data_type": "complex64"}, {"num_channels": 3}, {"scales": [{}]}, {"scales": [7]}]
    )
    def test_a_description_that_cannot_be(self, made: Path, change: dict[str, Any]) -> None:
        info = json.loads((made / "info").read_text()) | change
        (made / "info").write_text(json.dumps(info))
        with pytest.raises(UniemError, match="is damaged"):
            open_volume(made)

    def test_missing_chunks_are_zero_and_damaged_ones_are_told(self, made: Path) -> None:
        chunk = next((made / "1_1_1").iterdir())
        chunk.write_bytes(chunk.read_bytes()[:9])
        with pytest.raises(UniemError, match="cannot be read"):
            open_volume(made)[:]
        for each in list((made / "1_1_1").iterdir()):
            each.unlink()
        assert not open_volume(made)[:].any()

    @pytest.mark.parametrize("dtype", ["float64", "int64"])
    def test_types_that_it_cannot_hold(self, tmp_path: Path, dtype: str) -> None:
        with pytest.raises(UniemError, match=f"cannot hold {dtype}"):
            export_volume(ArrayVolume(random_voxels((2, 3, 4), dtype)), tmp_path / "b.precomputed")

    def test_a_dataset(self, made: Path) -> None:
        with pytest.raises(UniemError, match="no dataset 'raw'"):
            open_volume(f"{made}::raw")


def test_cancelling_and_a_full_disk_leave_nothing(tmp_path: Path) -> None:
    voxels = random_voxels((140, 30, 30), "uint16")
    with pytest.raises(Cancelled):
        export_volume(ArrayVolume(voxels), tmp_path / "a.precomputed", Stopping())
    with pytest.raises(UniemError, match="disk is full"):
        export_volume(FullDisk(voxels), tmp_path / "a.precomputed")
    assert not list(tmp_path.iterdir())
