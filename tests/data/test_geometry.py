from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniem.data.geometry import Box, VoxelSize, blocks, chunked_pieces, count_blocks, slabs
from uniem.errors import UniemError

coordinate = st.integers(-20, 20)
boxes = st.builds(
    Box, st.tuples(coordinate, coordinate, coordinate), st.tuples(coordinate, coordinate, coordinate)
)
shapes = st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12))


@given(boxes, boxes)
def test_an_intersection_lies_in_both_and_a_union_around_both(a: Box, b: Box) -> None:
    common = a.intersection(b)
    assert common.is_empty or (a.contains(common) and b.contains(common))
    around = a.union(b)
    assert (a.is_empty or around.contains(a)) and (b.is_empty or around.contains(b))


@given(shapes, shapes, st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)))
def test_blocks_cover_every_voxel_once_and_their_halo_ends_at_the_border(
    shape: tuple[int, int, int], block: tuple[int, int, int], halo: tuple[int, int, int]
) -> None:
    seen = np.zeros(shape, dtype=int)
    cut = list(blocks(shape, block, halo))
    for piece in cut:
        seen[piece.core.slices] += 1
        assert Box.of_shape(shape).contains(piece.outer)
        assert seen[piece.outer.slices][piece.core_in_outer].shape == piece.core.shape
    assert (seen == 1).all()
    assert len(cut) == count_blocks(shape, block)


@pytest.mark.parametrize(("budget", "depth"), [(10_000, 96), (900, 8), (799, 7), (1, 1)])
def test_slabs_hold_whole_chunks_where_the_budget_allows(budget: int, depth: int) -> None:
    cut = slabs((100, 10, 10), 1, budget)
    assert cut[0].shape == (depth, 10, 10)
    assert sum(slab.shape[0] for slab in cut) == 100


@pytest.mark.parametrize(
    ("text", "size"), [("50,4.6,4.6", (50, 4.6, 4.6)), ("8", (8, 8, 8)), ("40x4x4", (40, 4, 4))]
)
def test_a_voxel_size_is_read(text: str, size: tuple[float, float, float]) -> None:
    assert VoxelSize.parse(text) == size


@pytest.mark.parametrize("text", ["", "a", "1,2", "0,1,1", "-1", "nan", "inf,1,1"])
def test_a_wrong_voxel_size_is_refused(text: str) -> None:
    with pytest.raises(UniemError, match="not a voxel size"):
        VoxelSize.parse(text)


@given(boxes, shapes, st.integers(1, 5000))
def test_pieces_cover_a_box_once_and_touch_few_chunks(
    box: Box, chunk: tuple[int, int, int], most: int
) -> None:
    box = Box((abs(box.start[0]), abs(box.start[1]), abs(box.start[2])), (25, 25, 25))
    seen = np.zeros((25, 25, 25), dtype=int)
    for piece in chunked_pieces(box, chunk, most):
        seen[piece.slices] += 1
        layers, rows, columns = (
            -(-stop // edge) - start // edge
            for start, stop, edge in zip(piece.start, piece.stop, chunk, strict=True)
        )
        assert layers * rows == 1 or layers * rows * columns * np.prod(chunk) <= most
    assert (seen[box.slices] == 1).all() and seen.sum() == box.size
