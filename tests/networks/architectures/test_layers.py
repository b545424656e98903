"""The trainable linear unit and max-unpooling compute what they state, gradients included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from uniem.networks.architectures.max_unpooling import max_pooling_with_places, max_unpooling
from uniem.networks.architectures.trainable_linear_unit import trainable_linear_unit
from uniem.networks.backend import prepare_backend

VALUES = np.array([-2.0, -0.5, 0.0, 0.25, 3.0], np.float32).reshape(1, 5, 1, 1)


@pytest.fixture(scope="module", autouse=True)
def backend() -> None:
    prepare_backend("cpu")


def _unit(**options: Any) -> Any:
    return trainable_linear_unit()(shared_axes=(1, 2), **options)


def _constant(value: float) -> Any:
    import keras

    return keras.initializers.Constant(value)


def _numbers(tensor: Any) -> NDArray[Any]:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(tensor))


def _sum_of_outputs(truth: Any, output: Any) -> Any:
    import keras

    return keras.ops.sum(output, axis=(1, 2, 3))


class TestTrainableLinearUnit:
    @pytest.mark.parametrize(
        ("alpha", "beta", "same_as"),
        [
            (0.0, 1.0, lambda x: np.maximum(x, 0)),
            (0.1, 1.0, lambda x: np.where(x < 0, 0.1 * x, x)),
            (1.0, 1.0, lambda x: x),
            (-1.0, 1.0, np.abs),
            (0.5, -2.0, lambda x: np.where(x < 0, 0.5 * x, -2 * x)),
        ],
    )
    def test_values(self, alpha: float, beta: float, same_as: Any) -> None:
        unit = _unit(alpha_initializer=_constant(alpha), beta_initializer=_constant(beta))
        np.testing.assert_allclose(_numbers(unit(VALUES)), same_as(VALUES), rtol=1e-6)

    def test_it_begins_as_a_relu(self) -> None:
        np.testing.assert_array_equal(_numbers(_unit()(VALUES)), np.maximum(VALUES, 0))

    def test_two_weights_per_channel_in_two_and_three_dimensions(self) -> None:
        unit = _unit()
        unit.build((None, None, None, 7))
        assert (unit.count_params(), tuple(unit.alpha.shape)) == (14, (1, 1, 7))
        unit = trainable_linear_unit()(shared_axes=(1, 2, 3))
        unit.build((None, 4, 5, 6, 7))
        assert (unit.count_params(), tuple(unit.beta.shape)) == (14, (1, 1, 1, 7))
        unit = trainable_linear_unit()()
        unit.build((None, 4, 5))
        assert unit.count_params() == 2 * 20
        with pytest.raises(ValueError, match="must be known"):
            trainable_linear_unit()().build((None, None, 3))

    def test_gradients(self) -> None:
        """One step of size 1 on the sum of the outputs moves each weight by its gradient."""
        import keras

        inputs = keras.Input((None, None, 1))
        model = keras.Model(inputs, _unit(name="unit")(inputs))
        model.compile(
            optimizer=keras.optimizers.SGD(1.0),
            loss=_sum_of_outputs,
            jit_compile=False,
        )
        model.train_on_batch(VALUES, VALUES)
        alpha, beta = (float(_numbers(weight).item()) for weight in model.trainable_weights)
        assert alpha == pytest.approx(0 + np.maximum(-VALUES, 0).sum())
        assert beta == pytest.approx(1 - np.maximum(VALUES, 0).sum())

    def test_constraints_and_regularisers_hold(self) -> None:
        import keras

        inputs = keras.Input((None, None, 1))
        unit = _unit(
            beta_constraint="non_neg", alpha_constraint="non_neg", beta_regularizer=keras.regularizers.L2(0.5)
        )
        model = keras.Model(inputs, unit(inputs))
        assert float(_numbers(model.losses[0])) == pytest.approx(0.5)
        model.compile(
            optimizer=keras.optimizers.SGD(10.0),
            loss=_sum_of_outputs,
            jit_compile=False,
        )
        model.train_on_batch(VALUES, VALUES)
        assert float(_numbers(unit.beta).item()) == 0
        assert float(_numbers(unit.alpha).item()) > 0

    def test_it_is_saved_and_read_with_all_its_options(self, tmp_path: Path) -> None:
        import keras

        inputs = keras.Input((None, None, 3))
        unit = _unit(alpha_initializer=_constant(0.3), beta_constraint="non_neg", alpha_regularizer="l2")
        model = keras.Model(inputs, unit(inputs))
        model.save(tmp_path / "unit.keras")
        read = keras.models.load_model(tmp_path / "unit.keras", safe_mode=True)
        images = np.random.default_rng(0).normal(size=(1, 4, 4, 3)).astype(np.float32)
        np.testing.assert_array_equal(_numbers(read(images)), _numbers(model(images)))
        assert read.layers[1].get_config() == unit.get_config()


class TestMaxUnpooling:
    def test_each_value_returns_to_where_it_was_the_largest(self) -> None:
        rng = np.random.default_rng(0)
        image = rng.permutation(2 * 6 * 4 * 3).reshape(2, 6, 4, 3).astype(np.float32)
        pooled, places = max_pooling_with_places()()(image)
        largest = image.reshape(2, 3, 2, 2, 2, 3).max(axis=(2, 4))
        np.testing.assert_array_equal(_numbers(pooled), largest)
        spread = np.repeat(np.repeat(largest, 2, axis=1), 2, axis=2)
        found = _numbers(max_unpooling()()([pooled, places]))
        np.testing.assert_array_equal(found, np.where(image == spread, image, 0))

    def test_of_equals_the_first_is_taken(self) -> None:
        image = np.full((1, 2, 2, 1), 5, np.float32)
        _, places = max_pooling_with_places()()(image)
        found = _numbers(max_unpooling()()([np.full((1, 1, 1, 1), 7, np.float32), places]))
        assert found[0, ..., 0].tolist() == [[7, 0], [0, 0]]

    def test_gradients_flow_to_the_largest_only(self, tmp_path: Path) -> None:
        import keras

        doubled = keras.layers.PReLU(alpha_initializer=_constant(1), name="each", shared_axes=None)
        inputs = keras.Input((2, 2, 1))
        pooled, places = max_pooling_with_places()()(doubled(inputs))
        model = keras.Model(inputs, max_unpooling()()([pooled, places]))
        model.compile(
            optimizer=keras.optimizers.SGD(1.0),
            loss=_sum_of_outputs,
            jit_compile=False,
        )
        image = np.array([[-4.0, -3.0], [-1.0, -2.0]], np.float32).reshape(1, 2, 2, 1)
        model.train_on_batch(image, image)
        # The gradient of each slope is its pixel's value where that pixel was passed on, else 0.
        assert _numbers(model.get_layer("each").alpha)[..., 0].tolist() == [[1, 1], [2, 1]]
        model.save(tmp_path / "places.keras")
        read = keras.models.load_model(tmp_path / "places.keras", compile=False, safe_mode=True)
        np.testing.assert_array_equal(_numbers(read(image)), _numbers(model(image)))
