"""The record of a result reads back, and fingerprints tell volumes apart in bounded time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.data.provenance import InputRecord, Provenance, fingerprint
from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError

RECORD = Provenance(
    operation="infer-2d",
    version=1,
    parameters={"tile": 512, "network": {"kind": "unet"}},
    inputs={"image": InputRecord(location="/データ/a.tif", fingerprint="sampled-1:00")},
    seed=3,
    device="cpu",
    started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)


def test_it_reads_back_from_a_folder_and_from_attributes(tmp_path: Path) -> None:
    RECORD.write(tmp_path)
    assert Provenance.read(tmp_path) == RECORD
    assert Provenance.of_attributes(RECORD.to_attributes()) == RECORD


@pytest.mark.parametrize("content", ["", "[]", '{"operation": "x"}'])
def test_damaged_records_are_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "provenance.json").write_text(content)
    with pytest.raises(UniemError, match=r"provenance\.json is not"):
        Provenance.read(tmp_path)


def test_a_fingerprint_follows_shape_type_and_voxels() -> None:
    voxels = np.random.default_rng(0).integers(0, 255, (8, 60, 60), np.uint8)
    changed = voxels.copy()
    changed[3, 30, 30] += 1
    variants = [voxels, changed, voxels.astype(np.uint16), voxels.reshape(8, 40, 90)]
    prints = {fingerprint(ArrayVolume(v)) for v in variants}
    assert len(prints) == 4
    assert fingerprint(ArrayVolume(voxels.copy(), name="other")) in prints


def test_a_fingerprint_reads_little_of_a_large_volume() -> None:
    class Counting(ArrayVolume):
        """Counts the voxels that are read."""

        voxels = 0

        def read(self, box: Box) -> NDArray[Any]:
            self.voxels += box.size
            return super().read(box)

    volume = Counting(np.broadcast_to(np.zeros(1, np.uint8), (5000, 9000, 9000)))
    fingerprint(volume)
    assert volume.voxels == 8 * 9 * 64 * 64
