"""Searching ids by their beginnings, against their decimal texts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from uniem.proofreading.object_search import begins_with, places_of


@given(
    st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 2000), unique=True, max_size=50),
    st.from_regex(r"[0-9]{0,3}x?", fullmatch=True) | st.integers(0, 2**64 - 1).map(lambda n: str(n)[:18]),
)
def test_ids_are_found_by_their_first_digits(ids: list[int], text: str) -> None:
    ids.sort()
    found = begins_with(np.array(ids, np.uint64), text)
    assert found.tolist() == [str(label).startswith(text) for label in ids]


def test_places_of_labels_that_are_there() -> None:
    ids = np.array([2, 5, 9, 2**63], np.uint64)
    assert places_of(ids, [9, 2**63, 3, 2**64 - 1, 2]).tolist() == [0, 2, 3]
    assert places_of(ids[:0], [1]).tolist() == []
