from __future__ import annotations

import sys

import pytest

from benchmarks.crash_window import crash


@pytest.mark.skipif(sys.platform == "win32", reason="kills by SIGKILL")
def test_a_window_killed_while_painting_loses_at_most_the_last_stroke() -> None:
    counts = crash(kills=3, seed=5)
    assert counts["strokes"] > 0
    assert (counts["lost_beyond_last_stroke"], counts["wrong_volumes"]) == (0, 0)
