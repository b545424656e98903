"""Which pictures of a folder make a stack, and the selections that name some of them."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from uniem.data.formats import open_volume
from uniem.data.formats.picture_series import natural_order, selected, selection_of, series_in
from uniem.errors import UniemError


def names(*patterns: str, count: int = 12) -> list[str]:
    return sorted((p.format(i) for p in patterns for i in range(count)), key=natural_order)


def test_two_prefixes_are_two_stacks_in_natural_order() -> None:
    both = names("a_{}.png", "b_{}.png")
    first, second = series_in(both)
    assert first.names == tuple(f"a_{i}.png" for i in range(12))
    assert (first.selection, second.selection) == ("a_#.png", "b_#.png")
    assert selected(both, first.selection) == list(first.names)


def test_a_number_that_seldom_changes_tells_stacks_apart() -> None:
    found = series_in(names("brain1_z{:03}.tif", "brain2_z{:03}.tif"))
    assert [each.selection for each in found] == ["brain1_z#.tif", "brain2_z#.tif"]


def test_numbers_that_change_together_make_one_stack() -> None:
    stamped = sorted(f"2026-01-{day:02}_{day + 40}.png" for day in range(1, 20))
    assert [each.selection for each in series_in(stamped)] == [""]


@pytest.mark.parametrize("given", [["x.png", "y.png"], [f"{i * 7919 % 997:x}.png" for i in range(997)]])
def test_names_without_an_order_are_one_stack(given: list[str]) -> None:
    found = series_in(sorted(given, key=natural_order))
    assert len(found) == 1 or sum(len(each.names) for each in found) == len(given)
    if given == ["x.png", "y.png"]:
        assert [each.selection for each in found] == [""]


@pytest.mark.parametrize("chosen", [[3, 4, 5, 6], [0], [1, 3, 4, 9], list(range(12)), [0, 11]])
def test_any_choice_has_a_selection(chosen: list[int]) -> None:
    every = [f"s[{i}]#.png" for i in range(12)]
    wanted = [every[i] for i in chosen]
    selection = selection_of(wanted, every)
    assert (selected(every, selection) if selection else every) == wanted
    assert len(selection) < 60


def test_a_selection_is_opened_and_a_wrong_one_is_explained(tmp_path: Path) -> None:
    for name in names("a_{}.png", "b_{}.png"):
        number = int(name[2:-4]) + (100 if name[0] == "b" else 0)
        (tmp_path / name).write_bytes(imagecodecs.png_encode(np.full((4, 5), number, np.uint8)))
    volume = open_volume(f"{tmp_path}::b_#.png")
    assert volume.shape == (12, 4, 5)
    assert [int(volume[z][0, 0]) for z in range(12)] == list(range(100, 112))
    assert volume.source.endswith("::b_#.png")
    assert open_volume(f"{tmp_path}::a_2.png..a_10.png|b_0.png").shape[0] == 10
    with pytest.raises(UniemError, match=r"a_#\.png, b_#\.png"):
        open_volume(f"{tmp_path}::c_#.png")
