"""Sampling of sections against slow, obvious models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uniem.data.palette import argb_table, slots_of
from uniem.gui.canvas.compose import (
    Axis,
    Grid,
    colour,
    edges_only,
    percentile_range,
    sample_mean,
    sample_nearest,
)
from uniem.gui.canvas.draft import DraftSection
from uniem.gui.canvas.label_overlay import LabelOverlay
from uniem.gui.canvas.label_style import LabelStyle
from uniem.gui.canvas.sections import Section
from uniem.proofreading.tools.protect import Protect

places = st.floats(-50, 350, allow_nan=False)


@settings(max_examples=200, deadline=None)
@given(start=places, extent=st.floats(1, 400), scale=st.floats(0.02, 0.999))
def test_each_pixel_shows_the_voxel_at_its_middle(start: float, extent: float, scale: float) -> None:
    axis = Axis.of_view(start, start + extent, scale, 300)
    middles = axis.origin + (np.arange(len(axis.index)) + 0.5) * axis.step
    assert ((middles > -1e-6) & (middles < 300 + 1e-6)).all()
    assert ((axis.index <= middles + 1e-6) & (middles - 1e-6 <= axis.index + 1)).all()
    seen = max(0.0, min(300, start + extent) - max(0, start))
    assert abs(len(axis.index) * axis.step - seen) <= 2 * axis.step


@given(start=places, extent=st.floats(1, 400), scale=st.floats(1, 30))
def test_large_voxels_are_shown_one_by_one(start: float, extent: float, scale: float) -> None:
    axis = Axis.of_view(start, start + extent, scale, 300)
    expected = [i for i in range(300) if i + 1 > start and i < start + extent]
    assert axis.index.tolist() == expected


@pytest.mark.parametrize("scale", [0.13, 0.5, 0.8, 1.0, 3.0])
@pytest.mark.parametrize("outlines", [False, True])
def test_a_part_is_drawn_as_the_whole_would_be(scale: float, outlines: bool) -> None:
    generator = np.random.default_rng(1)
    labels = np.kron(generator.integers(0, 70_000, (40, 40)), np.ones((8, 8), int)).astype(np.uint32)
    overlay = LabelOverlay()
    overlay.set_style(LabelStyle(opacity=0.7, outlines=outlines))
    overlay.set_section(Section(labels, 0))
    grid = Grid(Axis.of_view(20.3, 290, scale, 320), Axis.of_view(-11, 210.7, scale, 320))
    overlay.render(grid)
    labels[100:130, 90:150] = 5
    pixels = overlay.render_box(100, 90, 130, 150)
    assert pixels is not None
    partly = overlay.buffer.copy()
    overlay.render(grid)
    np.testing.assert_array_equal(partly, overlay.buffer)


def test_colours_are_those_of_the_palette_for_any_id() -> None:
    labels = np.array([[0, 1, 65535], [65536, 70_000, 2**32 - 1]], np.uint32)
    table, out = argb_table(0.5), np.zeros((2, 3), np.uint32)
    colour(labels, table, out)
    np.testing.assert_array_equal(out, table[slots_of(labels)])
    assert out[0, 0] == 0
    assert (out.ravel()[1:] != 0).all()


def test_shrinking_takes_means() -> None:
    section = np.random.default_rng(2).integers(0, 255, (1024, 1024), np.uint8)
    grid = Grid(Axis.of_view(0, 1024, 0.25, 1024), Axis.of_view(0, 1024, 0.25, 1024))
    expected = section.reshape(256, 4, 256, 4).mean(axis=(1, 3))
    assert np.abs(sample_mean(Section(section, 0), grid) - expected).max() <= 2


def test_a_coarse_section_stands_for_the_fine_one() -> None:
    fine = np.kron(np.arange(64, dtype=np.uint32).reshape(8, 8), np.ones((4, 4), np.uint32))
    rows, columns = Axis.of_view(3, 30, 2, 32), Axis.of_view(0, 31, 0.7, 32)
    coarse = fine[::4, ::4]
    np.testing.assert_array_equal(
        sample_nearest(Section(coarse, 0, (4.0, 4.0)), rows, columns),
        sample_nearest(Section(fine, 0), rows, columns),
    )


def test_edges_are_where_a_neighbour_differs() -> None:
    labels = np.zeros((7, 7), np.uint32)
    labels[1:6, 1:6] = 4
    expected = labels.copy()
    expected[2:5, 2:5] = 0
    np.testing.assert_array_equal(edges_only(labels), expected)


def test_a_draft_leaves_the_section_alone() -> None:
    section = np.random.default_rng(3).integers(0, 4, (700, 600)).astype(np.uint32)
    before = section.copy()
    draft = DraftSection(Section(section, 0))
    mask = np.random.default_rng(4).random((300, 340)) < 0.5
    draft.paint(200, 190, mask, 9, Protect(locked=frozenset({2})))
    expected = before.copy()
    part = expected[200:500, 190:530]
    part[mask & (part != 2)] = 9
    for scale in (1.0, 0.37):
        rows, columns = Axis.of_view(0, 700, scale, 700), Axis.of_view(0, 600, scale, 600)
        np.testing.assert_array_equal(
            draft.sample(rows, columns), expected[np.ix_(rows.index, columns.index)]
        )
    np.testing.assert_array_equal(section, before)
    assert draft.label_at(300, 300) == expected[300, 300]


def test_contrast_ignores_what_is_not_a_number() -> None:
    section = np.linspace(0, 1, 10_000).reshape(100, 100)
    section[0, 0] = np.nan
    low, high = percentile_range(section)
    assert 0 <= low < 0.01
    assert 0.99 < high <= 1
    assert percentile_range(np.full((4, 4), np.nan)) == (0.0, 1.0)
    assert percentile_range(np.full((4, 4), 7, np.uint8)) == (7.0, 8.0)
    assert percentile_range(np.eye(4, dtype=np.bool_)) == (0.0, 1.0)
