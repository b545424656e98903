"""Objects grown until lines of a pixel part them: by hand, and against published scores of real networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from uniem.algorithms.border_thinning import components, thinned_components
from uniem.algorithms.metrics import foreground_scores, thinned_scores
from uniem.data.volume import ArrayVolume

LEVELS = [25.5 * step for step in range(10)] + [254.9]
# Published by EM-stellar: V_Rand and V_Info after thinning, each at its best level, as a share of 1.
CARDIAC = {"unet": (0.96448, 0.7, 0.95326, 0.7), "cdeep3m": (0.96485, 0.5, 0.96845, 0.8)}


def test_blocks_a_column_apart_are_parted_by_that_column() -> None:
    mask = np.ones((5, 7), bool)
    mask[:, 3] = False
    found = thinned_components(mask)
    assert (found[:, 3] == 0).all()
    assert len(np.unique(found[:, :3])) == len(np.unique(found[:, 4:])) == 1
    assert found[0, 0] != found[0, 6]


def test_single_pixels_meet_half_way() -> None:
    mask = np.zeros((1, 11), bool)
    mask[0, [1, 9]] = True
    assert np.flatnonzero(thinned_components(mask) == 0).tolist() == [5]


def test_nothing_stays_nothing_and_all_is_one() -> None:
    assert not thinned_components(np.zeros((4, 4), bool)).any()
    assert (thinned_components(np.ones((4, 4), bool)) == 1).all()


def test_components_touch_along_edges_only() -> None:
    assert components(np.eye(3, dtype=bool)).max() == 3


def test_wide_borders_cost_nothing_after_thinning() -> None:
    truth = np.ones((1, 20, 21), np.uint8)
    truth[:, :, 10] = 0
    wide = truth.copy()
    wide[:, :, 7:14] = 0
    plain = foreground_scores(ArrayVolume(wide), ArrayVolume(truth))
    thin = thinned_scores(ArrayVolume(wide), ArrayVolume(truth), [0])[0]
    assert plain.v_rand < 0.9
    assert thin.v_rand == thin.v_info == pytest.approx(1)


@pytest.mark.parametrize("name", CARDIAC)
def test_known_numbers_of_cardiac_mitochondria(shared_data: Path, name: str) -> None:
    v_rand, rand_level, v_info, info_level = CARDIAC[name]
    prediction = ArrayVolume(tifffile.imread(shared_data / f"cardiac_test_{name}.tif"))
    truth = ArrayVolume(tifffile.imread(shared_data / "cardiac_test_mito.tif"))
    scores = thinned_scores(prediction, truth, LEVELS)
    # The truth published there has one section with grey edges, which is a plain mask here.
    assert scores[255 * rand_level].v_rand == pytest.approx(v_rand, abs=2e-3)
    assert scores[255 * info_level].v_info == pytest.approx(v_info, abs=2e-3)
    assert max(score.v_rand for score in scores.values()) == pytest.approx(v_rand, abs=2e-3)
