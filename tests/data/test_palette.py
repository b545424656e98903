"""Colours depend on the id alone, are bright, differ between neighbours, and are the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from uniem.data.palette import (
    Hues,
    Palette,
    argb_table,
    colour_of,
    colours_of,
    painted,
    palette_in_use,
    slots_of,
    use_palette,
)


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


@pytest.mark.parametrize("palette", [Palette(), Palette(Hues.SAFE), Palette(Hues.SAFE, 0.3)])
def test_a_colour_depends_on_id_and_palette_alone(palette: Palette) -> None:
    ids = np.array([0, 5, 5, 70_000, 9])
    colours = colours_of(ids, palette)
    assert np.array_equal(colours[1], colours[2])
    assert np.array_equal(colours[[1, 3, 4]], colours_of([5, 70_000, 9], palette))
    assert not colours[0].any()
    assert colour_of(5, palette) == tuple(colours[1].tolist())
    assert argb_table(palette=palette)[5] == 0xFF000000 + int.from_bytes(bytes(colours[1].tolist()), "big")


def test_the_palette_in_use_colours_what_names_none() -> None:
    use_palette(Palette(Hues.SAFE))
    try:
        assert palette_in_use().hues is Hues.SAFE
        assert colour_of(3) == colour_of(3, Palette(Hues.SAFE))
        assert painted(np.array([[3]]))[0, 0].tolist() == list(colour_of(3))
    finally:
        use_palette(Palette())
    assert painted(np.array([[3]]))[0, 0].tolist() == list(colour_of(3, Palette()))


def test_less_vivid_colours_keep_their_lightness() -> None:
    gray = np.array([0.299, 0.587, 0.114])
    for hues in Hues:
        full, faint = (colours_of(np.arange(1, 200), Palette(hues, share)) for share in (1.0, 0.2))
        assert np.abs(full @ gray - faint @ gray).max() < 2
        spread = np.ptp(faint.astype(int), axis=1)
        assert (spread <= np.ptp(full.astype(int), axis=1) * 0.2 + 2).all()


def test_safe_colours_differ_for_red_green_blind_eyes() -> None:
    colours = colours_of(np.arange(1, 300), Palette(Hues.SAFE)).astype(float) / 255
    # Machado et al. 2009, deuteranopia, severity 1.
    seen = (
        colours
        @ np.array(
            [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
        ).T
    )
    step = np.abs(np.diff(seen, axis=0)).max(axis=1)
    assert (step > 0.08).mean() > 0.97
