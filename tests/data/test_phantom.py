"""The synthetic sample is the same each time, whole or in blocks, and its ground truth is true."""

from __future__ import annotations

import numpy as np
import pytest

from uniem.data import phantom as phantom_module
from uniem.data.geometry import VoxelSize
from uniem.data.phantom import Phantom, make_phantom, write_phantom
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError
from uniem.progress import Cancelled, Context


@pytest.fixture(scope="module")
def sample() -> Phantom:
    return make_phantom((6, 300, 280), seed=5)


def test_the_same_seed_gives_the_same_voxels(sample: Phantom) -> None:
    again = make_phantom((6, 300, 280), seed=5)
    np.testing.assert_array_equal(sample.image, again.image)
    np.testing.assert_array_equal(sample.cells, again.cells)
    np.testing.assert_array_equal(sample.mitochondria, again.mitochondria)
    assert (make_phantom((1, 300, 280), seed=6).image != sample.image[:1]).mean() > 0.5


def test_blocks_fit_together(sample: Phantom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phantom_module, "BLOCK_SHAPE", (4, 128, 200))
    blocks = make_phantom((6, 300, 280), seed=5)
    # Distances are measured window by window, so a border may move by a pixel at most where rounding decides.
    assert (blocks.cells != sample.cells).mean() < 1e-3
    assert (blocks.mitochondria != sample.mitochondria).mean() < 1e-3
    assert abs(blocks.image.astype(int) - sample.image).mean() < 20


def test_cells_are_separated_and_mitochondria_lie_inside_them(sample: Phantom) -> None:
    for a, b in (
        (sample.cells[:, 1:], sample.cells[:, :-1]),
        (sample.cells[:, :, 1:], sample.cells[:, :, :-1]),
    ):
        assert not ((a != b) & (a > 0) & (b > 0)).any()
    assert 0.6 < (sample.cells > 0).mean() < 0.95
    assert (sample.cells[sample.mitochondria > 0] > 0).all()
    assert 0.02 < (sample.mitochondria > 0).mean() < 0.2
    for label in np.unique(sample.mitochondria)[1:]:
        assert len(np.unique(sample.cells[sample.mitochondria == label])) == 1


def test_objects_go_on_from_section_to_section(sample: Phantom) -> None:
    same = (sample.cells[1:] == sample.cells[:-1]) & (sample.cells[1:] > 0)
    assert same.mean() > 0.5
    assert len(np.unique(sample.cells)) > 20


def test_membranes_and_mitochondria_can_be_seen(sample: Phantom) -> None:
    cytoplasm = sample.image[(sample.cells > 0) & (sample.mitochondria == 0)].mean()
    assert sample.image[sample.cells == 0].mean() < cytoplasm - 40
    assert sample.image[sample.mitochondria > 0].mean() < cytoplasm - 25


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 7, 300), (1, 200, 3)])
@pytest.mark.parametrize("voxel_size", [VoxelSize(40, 8, 8), VoxelSize(10, 10, 10), VoxelSize(50, 30, 20)])
def test_any_size(shape: tuple[int, int, int], voxel_size: VoxelSize) -> None:
    made = make_phantom(shape, 1, voxel_size)
    assert made.image.shape == made.cells.shape == made.mitochondria.shape == shape
    assert (made.image.dtype, made.cells.dtype, made.mitochondria.dtype) == (np.uint8, np.uint32, np.uint32)


def test_it_can_be_cancelled_and_needs_volumes_of_one_shape() -> None:
    class Stop(Context):
        """Asks to end at once."""

        def cancelled(self) -> bool:
            return True

    image = ArrayVolume(np.zeros((2, 50, 50), np.uint8))
    labels = ArrayVolume(np.zeros((2, 50, 50), np.uint32), None, Kind.LABELS)
    with pytest.raises(Cancelled):
        write_phantom(image, labels, labels, 0, Stop())
    with pytest.raises(UniemError, match="shapes differ"):
        write_phantom(image, ArrayVolume(np.zeros((2, 50, 51), np.uint32)), labels)
