"""Edits are exact in bytes and can be taken back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from uniem.data.geometry import Box
from uniem.errors import UniemError
from uniem.proofreading.edits import Edit, FieldChange, Patch

SHAPES = st.tuples(*[st.integers(1, 6)] * 3)


@st.composite
def patches(draw: st.DrawFn) -> tuple[Patch | None, np.ndarray, np.ndarray, np.ndarray]:
    shape = draw(SHAPES)
    dtype = draw(st.sampled_from([np.uint32, np.uint64, np.uint8]))
    labels = st.integers(0, draw(st.sampled_from([1, 3, np.iinfo(dtype).max])))
    before = draw(hnp.arrays(dtype, shape, elements=labels))
    after = draw(hnp.arrays(dtype, shape, elements=labels))
    selection = draw(hnp.arrays(np.bool_, shape))
    return Patch.of((3, 1, 2), selection, before, after), selection, before, after


@given(patches())
@settings(max_examples=200, deadline=None)
def test_a_patch_survives_bytes_and_its_inverse_takes_it_back(
    made: tuple[Patch | None, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    patch, selection, before, after = made
    expected = np.where(selection, after, before)
    if patch is None:
        assert np.array_equal(expected, before)
        return
    edit = Edit.from_bytes(Edit("Paint 7", (patch,)).to_bytes())
    array = before.copy()
    for part, result in ((edit.patches[0], expected), (edit.inverse().patches[0], before)):
        array[part.box.relative_to((3, 1, 2)).slices][part.selection()] = part.after
        assert np.array_equal(array, result)
        assert part.before.dtype == before.dtype
    changed = set(before[before != expected]) | set(expected[before != expected])
    assert edit.labels == {int(label) for label in changed} - {0}


@given(patches(), st.integers(3, 8))
@settings(max_examples=100, deadline=None)
def test_a_patch_can_be_cut_in_two(
    made: tuple[Patch | None, np.ndarray, np.ndarray, np.ndarray], border: int
) -> None:
    patch, selection, before, after = made
    if patch is None or not patch.box.start[0] < border < patch.box.stop[0]:
        return
    array = before.copy()
    low = Box(patch.box.start, (border, *patch.box.stop[1:]))
    high = Box((border, *patch.box.start[1:]), patch.box.stop)
    for part in (patch.within(low), patch.within(high)):
        array[part.box.relative_to((3, 1, 2)).slices][part.selection()] = part.after
    assert np.array_equal(array, np.where(selection, after, before))


def test_changes_of_fields_survive_bytes() -> None:
    parts = (
        FieldChange(2**40, "name", "", "soma µ"),
        FieldChange(3, "colour", None, (1, 2, 255)),
        FieldChange(3, "locked", False, True),
    )
    assert Edit.from_bytes(Edit("Change", parts).to_bytes()).parts == parts


def test_a_dab_takes_no_more_than_500_bytes() -> None:
    y, x = np.ogrid[-24:25, -24:25]
    disc = (y * y + x * x <= 24.5**2)[None]
    before = np.zeros((1, 49, 49), np.uint32)
    before[:, :, 20:] = 12345
    patch = Patch.of((5, 1000, 2000), disc, before, 7)
    assert patch is not None
    assert len(Edit("Paint 7", (patch,)).to_bytes()) <= 500


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-5], lambda b: b"\x09" + b[1:], lambda b: b"", lambda b: b[:9] + b"x" + b[10:]]
)
def test_damaged_bytes_are_told(damage: object) -> None:
    data = Edit("Lock", (FieldChange(1, "locked", False, True),)).to_bytes()
    with pytest.raises(UniemError, match="cannot be read"):
        Edit.from_bytes(damage(data))  # type: ignore[operator]
