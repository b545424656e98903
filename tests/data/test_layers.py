"""Stepping through thick chunks decodes them once, in both directions, and gives the right voxels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from uniem.data.formats import export_volume, open_volume
from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.layers import LayerCache
from uniem.data.volume import ArrayVolume

SHAPE: Triple = (20, 30, 40)


class Counted:
    """An array that counts how often it is read."""

    def __init__(self) -> None:
        self.array = np.random.default_rng(0).integers(0, 255, SHAPE, np.uint8)
        self.boxes: list[Box] = []

    def read(self, box: Box) -> NDArray[Any]:
        self.boxes.append(box)
        return self.array[box.slices].copy()


@pytest.mark.parametrize("order", [range(20), range(19, -1, -1)], ids=["up", "down"])
def test_each_layer_is_read_once(order: range) -> None:
    source = Counted()
    layers = LayerCache(8, 1, source.read)
    for z in order:
        box = Box.section(z, SHAPE)
        np.testing.assert_array_equal(layers.read(box, SHAPE[0]), source.array[box.slices])
    assert len(source.boxes) == 4  # one section, then three layers


def test_back_and_forth_over_a_border_reads_two_layers() -> None:
    source = Counted()
    layers = LayerCache(8, 1, source.read)
    for z in (6, 7, 8, 7, 8, 9, 8, 7, 6):
        layers.read(Box.section(z, SHAPE), SHAPE[0])
    assert len(source.boxes) == 3


@pytest.mark.parametrize("order", [range(20), range(19, -1, -1)], ids=["up", "down"])
def test_layers_beyond_the_memory_are_read_in_parts_ahead(
    order: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uniem.data.layers.LAYER_BYTES", 4 * SHAPE[1] * SHAPE[2])
    source = Counted()
    layers = LayerCache(8, 1, source.read)
    for z in order:
        box = Box.section(z, SHAPE)
        np.testing.assert_array_equal(layers.read(box, SHAPE[0]), source.array[box.slices])
    assert len(source.boxes) <= 8
    assert max(box.shape[0] for box in source.boxes) <= 4


def test_a_jump_reads_the_section_alone() -> None:
    source = Counted()
    layers = LayerCache(8, 1, source.read)
    for z in (3, 17, 9):
        layers.read(Box.section(z, SHAPE), SHAPE[0])
    assert [box.shape[0] for box in source.boxes] == [1, 1, 1]


def test_blocks_and_thin_chunks_are_read_as_they_are() -> None:
    source = Counted()
    block = Box((0, 0, 0), (3, 30, 40))
    LayerCache(8, 1, source.read).read(block, SHAPE[0])
    LayerCache(1, 1, source.read).read(Box.section(3, SHAPE), SHAPE[0])
    assert source.boxes == [block, Box.section(3, SHAPE)]


def test_sections_and_coarser_levels_of_a_precomputed_volume(tmp_path: Path) -> None:
    voxels = np.random.default_rng(1).integers(0, 255, (70, 600, 520), np.uint8)
    export_volume(ArrayVolume(voxels, VoxelSize(8, 8, 8)), tmp_path / "a.precomputed")
    volume = open_volume(tmp_path / "a.precomputed")
    for z in (0, 1, 63, 64, 69, 63, 2):
        np.testing.assert_array_equal(volume[z], voxels[z])
    coarse, again = volume.levels[1], volume.levels[1]
    for z in (3, 4, 34):
        np.testing.assert_array_equal(coarse[z], again[z])
