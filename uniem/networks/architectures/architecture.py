"""What every network has in common: its parameters, its geometry, its cost, and how it is built."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from uniem.networks.architectures.counted_layers import CountedLayers
from uniem.networks.architectures.layers import Layers

if TYPE_CHECKING:
    import keras

# Measured: the engine holds about as much again as the values themselves, in rearranged copies.
BYTES_PER_NUMBER = 8
# Measured in training: the values of all layers stay, and little comes on top.
TRAINING_BYTES_PER_NUMBER = 4.5


class Architecture(BaseModel, ABC):
    """A two-dimensional network; the input is (batch, y, x, channels), of any size divisible by the stride.

    A network ends in logits: the losses are computed from them, and prediction applies the sigmoid.

    Attributes
    ----------
    title : the name by which the field knows it.
    advice : what it is and when to choose it, in a sentence or two.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    title: ClassVar[str]
    advice: ClassVar[str]

    @abstractmethod
    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect layers from an image to its logits, one channel per class, and return these."""

    def build(self, channels_out: int = 1, channels_in: int | None = None) -> keras.Model:
        """Return the untrained network; the last layer gives float32 logits.

        Without `channels_in` the network takes as many sections as it sees at a time.
        """
        import keras

        from uniem.networks.architectures.keras_layers import KerasLayers

        inputs = keras.Input((None, None, channels_in or self.sections), name="image")
        outputs = self.connect(KerasLayers(), inputs, channels_out)
        return keras.Model(inputs, outputs, name=type(self).__name__.lower())

    @property
    def sections(self) -> int:
        """How many neighbouring sections the network sees, as channels; it segments the middle one."""
        return 1

    @property
    def stride(self) -> int:
        """What the sides of an input must be multiples of."""
        return self._count.stride

    @property
    def receptive_radius(self) -> int:
        """How many pixels away, along an axis, an input can still change an output."""
        return max(max(before, after) for before, after in self._count.distances)

    @property
    def receptive_field(self) -> int:
        """The width in pixels of the input that one output pixel depends on, at its widest."""
        return max(before + 1 + after for before, after in self._count.distances)

    @property
    def margin(self) -> int:
        """The smallest multiple of the stride that covers the receptive radius."""
        return math.ceil(self.receptive_radius / self.stride) * self.stride

    @property
    def bytes_per_pixel(self) -> int:
        """About how much memory prediction takes per input pixel, in float32."""
        return math.ceil(BYTES_PER_NUMBER * self._count.numbers_per_pixel)

    @property
    def training_bytes_per_pixel(self) -> int:
        """About how much memory training takes per input pixel, in float32, without the weights."""
        return math.ceil(TRAINING_BYTES_PER_NUMBER * self._count.numbers_to_learn)

    @property
    def parameters(self) -> int:
        """The number of weights with one section in and one class out, moving averages included."""
        return self._count.parameters

    @property
    def trainable_parameters(self) -> int:
        """The number of weights that learn."""
        return self._count.trainable

    def gflop(self, height: int = 512, width: int = 512) -> float:
        """Return the billions of operations on an image, two for each multiplication with its addition."""
        return 2e-9 * self._count.macs * height * width

    @property
    def _count(self) -> _Count:
        return _count(self)


@dataclass(frozen=True, slots=True)
class _Count:
    """What counting the layers of a network gave."""

    parameters: int
    trainable: int
    macs: float
    stride: int
    numbers_per_pixel: float
    numbers_to_learn: float
    distances: list[tuple[int, int]]


@lru_cache(maxsize=256)
def _count(network: Architecture) -> _Count:
    layers = CountedLayers()
    outputs = network.connect(layers, layers.image(network.sections), 1)
    return _Count(
        layers.parameters,
        layers.trainable,
        float(layers.macs),
        layers.largest_scale,
        float(layers.numbers_per_pixel()),
        float(layers.numbers_to_learn()),
        [distance for reach in outputs.reach_yx for distance in reach.distances()],
    )


def base_features(default: int, smallest: int = 1) -> Any:
    """Return the field that says how wide a network is; the default is the published width."""
    return Field(
        default,
        ge=smallest,
        le=256,
        description="Features of the first layers, at full resolution; all others are in proportion.",
    )
