"""What every network has in common: its parameters, its geometry, and how it is built."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import keras


class Stage(NamedTuple):
    """One layer of the longest way through a network, as far as it moves information between pixels.

    `same` padding is meant throughout, on inputs whose sides are multiples of the network's stride.
    """

    kind: Literal["convolution", "pooling", "upsampling", "transposed"]
    kernel: int
    step: int = 1


class Architecture(BaseModel, ABC):
    """A two-dimensional network; the input is (batch, y, x, channels), of any size divisible by the stride.

    A network ends in logits: the losses are computed from them, and prediction applies the sigmoid.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @abstractmethod
    def stages(self) -> list[Stage]:
        """List the layers from input to output along the way that sees most of the input."""

    @abstractmethod
    def build(self, channels_out: int = 1, channels_in: int = 1) -> keras.Model:
        """Return the untrained network; the last layer gives float32 logits."""

    @property
    @abstractmethod
    def bytes_per_pixel(self) -> int:
        """About how much memory prediction takes per input pixel, in float32."""

    @property
    def stride(self) -> int:
        """What the sides of an input must be multiples of."""
        scale = largest = 1
        for stage in self.stages():
            scale = scale * stage.step if stage.kind in ("convolution", "pooling") else scale // stage.step
            largest = max(largest, scale)
        return largest

    @property
    def receptive_radius(self) -> int:
        """How many pixels away, along an axis, an input can still change an output."""
        return max(max(before, after) for before, after in self._reaches())

    @property
    def receptive_field(self) -> int:
        """The width in pixels of the input that one output pixel depends on, at its widest."""
        return max(before + 1 + after for before, after in self._reaches())

    @property
    def margin(self) -> int:
        """The smallest multiple of the stride that covers the receptive radius."""
        return math.ceil(self.receptive_radius / self.stride) * self.stride

    def _reaches(self) -> list[tuple[int, int]]:
        """Return how far outputs see before and after themselves, for each phase of the stride."""
        stages = self.stages()
        # Far enough from 0 that no interval reaches it; a multiple of every stride.
        origin = self.stride * 10_000
        reaches = []
        for phase in range(self.stride):
            first = last = origin + phase
            for stage in reversed(stages):
                first, last = _inputs_of(stage, first, last)
            reaches.append((origin + phase - first, last - origin - phase))
        return reaches


def _inputs_of(stage: Stage, first: int, last: int) -> tuple[int, int]:
    """Return the interval of inputs that an interval of a layer's outputs depends on."""
    kind, kernel, step = stage
    # `same` padding puts the smaller half before (TensorFlow's rule, which Keras keeps on every engine).
    before = max(kernel - step, 0) // 2
    if kind in ("convolution", "pooling"):
        return first * step - before, last * step - before + kernel - 1
    if kind == "upsampling":
        return first // step, last // step
    return math.ceil((first + before - kernel + 1) / step), (last + before) // step
