"""Colours depend on the id alone, are bright, differ between neighbours, and are the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from uniem.data.palette import argb_table, colour_of, colours_of, slots_of


def test_colours_are_bright_distinct_and_pure() -> None:
    colours = colours_of(np.arange(1, 2000)).astype(int)
    assert colours.max(axis=1).min() > 150
    assert np.abs(np.diff(colours, axis=0)).max(axis=1).min() > 25
    assert len({tuple(c) for c in colours.tolist()}) > 1950
    assert colours_of([0]).tolist() == [[0, 0, 0]]
    assert colour_of(17) == tuple(colours[16])


def test_large_ids_have_a_slot_that_is_not_the_background() -> None:
    ids = np.array([0, 1, 65535, 65536, 131070, 131071, 2**32 - 1, 2**40], np.uint64)
    slots = slots_of(ids)
    assert slots[:3].tolist() == [0, 1, 65535]
    assert (slots[1:] > 0).all()
    assert (slots < 65536).all()
    np.testing.assert_array_equal(colours_of(ids), colours_of(slots))


def test_the_table_is_premultiplied_and_takes_overrides() -> None:
    table = argb_table(0.5, {3: (255, 0, 100), 4: None, 70000: (9, 9, 9)})
    assert (table.dtype, table.shape, table[0], table[4]) == (np.uint32, (65536,), 0, 0)
    assert table[3] == (128 << 24) | (128 << 16) | 50
    opaque = argb_table()
    red, green, blue = colour_of(5)
    assert opaque[5] == (255 << 24) | (red << 16) | (green << 8) | blue


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "int64", "uint64"])
def test_slots_are_right_for_every_type_of_label(dtype: str) -> None:
    assert slots_of(np.array([0, 1], dtype)).tolist() == [0, 1]
