"""Painting on a sparse 100 GB volume stays within its memory, and never holds up the window."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.canvas_endurance import LONGEST_PAUSE_MS, MOST_BUSY, endure


@pytest.mark.usefixtures("qtbot")
def test_seconds_of_painting_on_100_gb_stay_within_the_memory_budget(tmp_path: Path) -> None:
    seen = endure(tmp_path, 5, block=(16, 1024, 1024))
    assert seen.strokes > 0
    assert seen.over_bytes <= 0, seen


@pytest.mark.slow
@pytest.mark.usefixtures("qtbot")
def test_a_minute_of_painting_on_100_gb_never_holds_up_the_window(tmp_path: Path) -> None:
    seen = endure(tmp_path, 60)
    assert seen.strokes > 0
    assert seen.over_bytes <= 0, seen
    if seen.busy_share > MOST_BUSY:
        pytest.skip(f"no processor was to be had for {seen.busy_share:.0%} of the time: pauses tell nothing")
    assert seen.longest_ms <= LONGEST_PAUSE_MS, seen.stacks
