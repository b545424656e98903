"""Layers that are built by Keras."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from uniem.networks.architectures.layers import HE_NORMAL, Activation, Initializer, Kernel, Layers
from uniem.networks.architectures.max_unpooling import max_pooling_with_places, max_unpooling
from uniem.networks.architectures.trainable_linear_unit import trainable_linear_unit

ENCODER, DECODER = "encoder", "decoder"
LEAK = 0.2
OUTPUT = "logits"


class KerasLayers(Layers):
    """Connects Keras layers, named after what they do.

    All that comes before the first doubling of size belongs to the encoder, and its names begin with
    `encoder`, so that a training can leave it as it is.
    """

    def __init__(self) -> None:
        import keras

        self._layers = keras.layers
        self._keras = keras
        self._numbers: Counter[str] = Counter()
        self._decoded: set[int] = set()

    def conv(
        self,
        x: Any,
        features: int,
        kernel: Kernel = 3,
        *,
        stride: int = 1,
        padding: int | None = None,
        bias: bool = True,
        initializer: Initializer = HE_NORMAL,
        is_output: bool = False,
        name: str | None = None,
    ) -> Any:
        """Convolve."""
        return self._connect(
            self._layers.Conv2D,
            "conv",
            self._padded(x, padding),
            name=OUTPUT if is_output else name,
            filters=features,
            kernel_size=kernel,
            strides=stride,
            padding="same" if padding is None else "valid",
            use_bias=bias,
            kernel_initializer=self._initializer(initializer),
            **_precision(is_output),
        )

    def transposed_conv(
        self,
        x: Any,
        features: int,
        kernel: int,
        *,
        bias: bool = True,
        initializer: Initializer = HE_NORMAL,
        is_output: bool = False,
    ) -> Any:
        """Convolve and double the size."""
        return self._connect(
            self._layers.Conv2DTranspose,
            "transposed_conv",
            x,
            is_doubling=True,
            name=OUTPUT if is_output else None,
            filters=features,
            kernel_size=kernel,
            strides=2,
            padding="same",
            use_bias=bias,
            kernel_initializer=self._initializer(initializer),
            **_precision(is_output),
        )

    def batch_norm(
        self,
        x: Any,
        *,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        offset: float = 0.0,
        is_output: bool = False,
        name: str | None = None,
    ) -> Any:
        """Normalise."""
        return self._connect(
            self._layers.BatchNormalization,
            "batch_norm",
            x,
            name=name,
            momentum=momentum,
            epsilon=epsilon,
            beta_initializer=self._keras.initializers.Constant(offset) if offset else "zeros",
            **_precision(is_output),
        )

    def activation(self, x: Any, kind: Activation) -> Any:
        """Apply an activation."""
        if kind == "tlu":
            return self._connect(trainable_linear_unit(), kind, x, shared_axes=(1, 2))
        if kind == "prelu":
            return self._connect(self._layers.PReLU, kind, x, shared_axes=(1, 2))
        if kind == "leaky_relu":
            return self._connect(self._layers.LeakyReLU, kind, x, negative_slope=LEAK)
        return self._connect(self._layers.Activation, kind, x, activation=kind)

    def max_pool(self, x: Any, size: int = 2, *, padding: int | None = None) -> Any:
        """Halve the size."""
        way = "same" if padding is None else "valid"
        return self._connect(
            self._layers.MaxPooling2D,
            "pool",
            self._padded(x, padding),
            pool_size=size,
            strides=2,
            padding=way,
        )

    def max_pool_with_places(self, x: Any) -> tuple[Any, Any]:
        """Halve the size and remember where."""
        pooled, places = self._connect(max_pooling_with_places(), "pool", x)
        return pooled, places

    def unpool(self, x: Any, places: Any) -> Any:
        """Double the size, each value at its place."""
        return self._connect(max_unpooling(), "unpool", [x, places], is_doubling=True)

    def upsample(self, x: Any) -> Any:
        """Double the size by repetition."""
        return self._connect(self._layers.UpSampling2D, "upsample", x, is_doubling=True)

    def concat(self, values: Sequence[Any]) -> Any:
        """Concatenate channels."""
        return self._connect(self._layers.Concatenate, "concat", list(values))

    def add(self, a: Any, b: Any) -> Any:
        """Add."""
        return self._connect(self._layers.Add, "add", [a, b])

    def mix(self, a: Any, b: Any, gate: Any) -> Any:
        """Add to a what b differs from it, as far as the gate lets it."""
        difference = self._connect(self._layers.Subtract, "subtract", [b, a])
        return self.add(a, self._connect(self._layers.Multiply, "multiply", [gate, difference]))

    def scale(self, x: Any, factor: float) -> Any:
        """Multiply by a constant."""
        return self._connect(self._layers.Rescaling, "scale", x, scale=factor)

    def dropout(self, x: Any, rate: float, *, spatial: bool = False) -> Any:
        """Silence values in training."""
        kind = self._layers.SpatialDropout2D if spatial else self._layers.Dropout
        return self._connect(kind, "dropout", x, rate=rate)

    def _padded(self, x: Any, padding: int | None) -> Any:
        return x if not padding else self._connect(self._layers.ZeroPadding2D, "pad", x, padding=padding)

    def _initializer(self, name: Initializer) -> Any:
        initializers = self._keras.initializers
        return initializers.HeNormal() if name == HE_NORMAL else initializers.RandomNormal(0.0, 0.02)

    def _connect(
        self,
        kind: Any,
        word: str,
        x: Any,
        *,
        is_doubling: bool = False,
        name: str | None = None,
        **options: Any,
    ) -> Any:
        inputs = x if isinstance(x, list) else [x]
        is_decoder = is_doubling or any(id(value) in self._decoded for value in inputs)
        if name is None:
            part = f"{DECODER if is_decoder else ENCODER}_{word}"
            self._numbers[part] += 1
            name = f"{part}_{self._numbers[part]}"
        output = kind(name=name, **options)(x)
        if is_decoder:
            self._decoded.update(map(id, output if isinstance(output, tuple | list) else [output]))
        return output


def _precision(is_output: bool) -> dict[str, Any]:
    return {"dtype": "float32"} if is_output else {}


def freeze_encoder(model: Any, learning: Sequence[str] = ()) -> None:
    """Keep the encoder's weights and statistics as they are, except in its stages named in `learning`.

    The stages of a ResNet-50 are `conv1`, `layer1` to `layer4`. Call it before compiling.
    """
    for layer in model.layers:
        part, _, rest = layer.name.partition("_")
        if part == ENCODER:
            layer.trainable = rest.partition("_")[0] in learning
