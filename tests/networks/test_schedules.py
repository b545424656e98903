"""The learning rate rises, peaks and falls."""

from __future__ import annotations

import pytest

from uniem.networks.schedules import WarmUpCosine


def test_the_rate_rises_in_a_line_and_falls_as_a_cosine() -> None:
    schedule = WarmUpCosine(peak=2e-3, warm_up=0.1)
    assert 0 < schedule.at(0) < 1e-4
    assert schedule.at(0.05) == pytest.approx(1e-3)
    assert schedule.at(0.1) == pytest.approx(2e-3)
    assert schedule.at(0.55) == pytest.approx(1e-3)
    assert schedule.at(1) == schedule.at(2) == pytest.approx(0, abs=1e-12)


def test_without_warm_up_it_starts_at_the_peak() -> None:
    assert WarmUpCosine(peak=1e-3, warm_up=0).at(0) == pytest.approx(1e-3)
