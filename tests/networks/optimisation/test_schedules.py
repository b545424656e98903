"""Learning rates rise and fall as they should."""

from __future__ import annotations

import numpy as np
import pytest

from tests.networks.conftest import quick_settings
from uniem.networks.optimisation.schedules import Constant, Cosine, Linear, OneCycle, Steps


def test_it_rises_to_the_peak_and_falls_to_nothing() -> None:
    schedule = Cosine(warm_up=0.1)
    rates = [schedule.factor(progress) for progress in np.linspace(0, 1, 201)]
    top = int(np.argmax(rates))
    assert rates[0] > 0
    assert rates[top] == pytest.approx(1)
    assert top / 200 == pytest.approx(0.1)
    assert all(np.diff(rates[:top]) >= 0) and all(np.diff(rates[top:]) <= 0)
    assert rates[-1] == pytest.approx(0, abs=1e-9)
    assert schedule.factor(2.0) == pytest.approx(0, abs=1e-9)
    assert Cosine(warm_up=0).factor(0) == pytest.approx(1)


def test_the_others_go_as_published() -> None:
    assert Constant(warm_up=0.5).factor(0.25) == pytest.approx(0.5)
    assert Constant(warm_up=0.5).factor(0.9) == 1
    linear = Linear(warm_up=0.1, end=0.01)
    assert [linear.factor(p) for p in (0.05, 0.1, 0.55, 1)] == pytest.approx([0.5, 1, 0.505, 0.01])
    steps = Steps(warm_up=0, drops=3, drop=0.1)
    assert [steps.factor(p) for p in (0, 0.24, 0.25, 0.5, 0.75, 1)] == pytest.approx(
        [1, 1, 0.1, 0.01, 0.001, 0.001]
    )
    cycle = OneCycle()
    assert [cycle.factor(p) for p in (0, 0.15, 0.3, 0.65, 1)] == pytest.approx(
        [0.04, 0.52, 1, 0.500002, 4e-6], rel=1e-5
    )


def test_the_warm_up_of_older_settings_is_understood() -> None:
    assert quick_settings(warm_up=0.2).schedule == Cosine(warm_up=0.2)
