"""Labels become what the task asks for."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from uniem.errors import UniemError
from uniem.networks.settings import TrainingSettings
from uniem.networks.targets import Target

LABELS = np.array([[0, 1, 1, 5], [0, 1, 5, 5], [9, 9, 9, 9]], np.uint32)


def test_an_object_is_all_that_is_not_background() -> None:
    truth = Target(ignore_label=9).truth(LABELS)
    np.testing.assert_array_equal(truth[:2, :, 0], LABELS[:2] > 0)
    np.testing.assert_array_equal(truth[..., 1], LABELS != 9)


def test_labels_are_classes_with_the_background_first() -> None:
    target = Target("multi-class", background_label=1, ignore_label=9).completed({0: 2, 1: 3, 5: 3})
    assert target.labels == (1, 0, 5) and target.channels == 3
    truth = target.truth(LABELS)
    np.testing.assert_array_equal(truth[:2, :, 0], [[1, 0, 0, 2], [1, 0, 2, 2]])
    np.testing.assert_array_equal(truth[..., 1], LABELS != 9)
    assert target.names("") == ("background", "0", "5")
    assert target.names("a, b") == ("background", "a", "b")
    with pytest.raises(UniemError, match="100 different labels"):
        Target("multi-class").completed(dict.fromkeys(range(101), 1))


def test_boundaries_are_as_wide_as_wanted() -> None:
    labels = np.zeros((9, 40), np.uint32)
    labels[:, 20:] = 3
    for width in (2, 3, 4, 6):
        truth = Target("boundary", boundary_width=width).truth(labels)[..., 0]
        assert set(np.unique(truth)) == {0, 1}
        assert abs(int(truth[4].sum()) - width) <= 1
        assert truth[4, 19] == truth[4, 20] == 1


def test_gray_values_are_shares_of_the_top() -> None:
    labels = np.array([[0, 51, 255]], np.uint16)
    assert Target("gray").completed({255: 3}).truth(labels)[0, :, 0] == pytest.approx([0, 0.2, 1])
    assert Target("gray").completed({510: 3}).truth(labels)[0, :, 0] == pytest.approx([0, 0.1, 0.5])


def test_class_weights_follow_their_rules() -> None:
    classes = Target("multi-class").completed({0: 900, 1: 95, 2: 5})
    counts = {0: 900, 1: 95, 2: 5}
    assert classes.weights("none", "", counts) is None
    auto = classes.weights("auto", "", counts)
    assert auto == pytest.approx((1000 / 2700, 1000 / 285, 1000 / 15))
    assert auto is not None
    assert sum(w * n for w, n in zip(auto, counts.values(), strict=True)) == pytest.approx(1000)
    assert classes.weights("cem500k", "", {0: 500, 1: 450, 2: 50}) == (0.1, 1.0, 3.0)
    assert classes.weights("manual", "1, 2.5, 0", counts) == (1, 2.5, 0)
    assert Target().weights("cem500k", "", {0: 95, 1: 5}) == (0.1, 3.0)
    for text in ("1, 2", "a, b, c", "-1, 1, 1", "0, 0, 0"):
        with pytest.raises(UniemError, match="weights of 3 classes"):
            classes.weights("manual", text, counts)


def test_one_label_alone_can_be_the_object() -> None:
    target = Target(object_label=3, ignore_label=9)
    truth = target.truth(np.array([[0, 3, 5, 9]], np.uint8))
    assert truth[..., 0].tolist() == [[0, 1, 0, 0]] and truth[..., 1].tolist() == [[1, 1, 1, 0]]
    assert target.is_object(np.array([[3, 5]], np.uint8)).tolist() == [[True, False]]
    with pytest.raises(ValidationError, match="label 9 to find also means"):
        TrainingSettings(object_label=9, ignore_label=9, background_label=0)
