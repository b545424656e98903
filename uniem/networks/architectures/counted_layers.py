"""Layers that are not built but counted: weights, multiplications, memory and receptive field."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from uniem.networks.architectures.layers import HE_NORMAL, Activation, Initializer, Kernel, Layers
from uniem.networks.architectures.reach import Reach, padding_before

WEIGHTS_PER_CHANNEL: dict[Activation, int] = {"prelu": 1, "tlu": 2}


@dataclass(frozen=True, slots=True)
class Counted:
    """A value in a network that is only counted: its channels, and what it sees along y and x."""

    number: int
    channels: int
    reach_yx: tuple[Reach, Reach]

    @property
    def scale(self) -> int:
        """The number of input pixels from one value to the next."""
        return self.reach_yx[0].scale

    @property
    def area(self) -> Fraction:
        """The numbers held per input pixel."""
        return Fraction(self.channels, self.scale**2)


class CountedLayers(Layers):
    """Adds up what a network would be if it were built.

    Attributes
    ----------
    parameters, trainable : int
        All weights, and those that learn.
    macs : Fraction
        Multiplications with an addition in the convolutions, per input pixel; the rest is below 1 %.
    largest_scale : int
        How many input pixels lie between the values of the coarsest level.
    """

    def __init__(self) -> None:
        self.parameters = self.trainable = 0
        self.macs = Fraction(0)
        self.largest_scale = 1
        self._steps: list[tuple[Counted, tuple[Counted, ...], bool]] = []
        self._numbers = itertools.count()

    def image(self, channels: int) -> Counted:
        """Return the input."""
        return self._note(channels, (Reach(), Reach()))

    def numbers_to_learn(self) -> Fraction:
        """Return how many numbers all layers give, per input pixel; a training keeps them."""
        return sum((output.area for output, _, _ in self._steps), Fraction(0))

    def numbers_per_pixel(self) -> Fraction:
        """Return how many numbers are held at once at most, per input pixel, as prediction goes along."""
        last_use = {used.number: step for step, (_, inputs, _) in enumerate(self._steps) for used in inputs}
        held, most = Fraction(0), Fraction(0)
        for step, (output, inputs, is_in_place) in enumerate(self._steps):
            spent = {used.number: used.area for used in inputs if last_use[used.number] == step}
            reused = sum(spent.values()) if is_in_place else Fraction(0)
            most = max(most, held + output.area - min(reused, output.area))
            held += output.area - sum(spent.values())
        return most

    def conv(
        self,
        x: Counted,
        features: int,
        kernel: Kernel = 3,
        *,
        stride: int = 1,
        padding: int | None = None,
        bias: bool = True,
        initializer: Initializer = HE_NORMAL,
        is_output: bool = False,
        name: str | None = None,
    ) -> Counted:
        """Count a convolution."""
        size_yx = (kernel, kernel) if isinstance(kernel, int) else kernel
        self._weigh(size_yx[0] * size_yx[1] * x.channels * features, features if bias else 0)
        output = self._note(features, self._windowed(x, size_yx, stride, padding), x)
        self.macs += size_yx[0] * size_yx[1] * x.channels * output.area
        return output

    def transposed_conv(
        self,
        x: Counted,
        features: int,
        kernel: int,
        *,
        bias: bool = True,
        initializer: Initializer = HE_NORMAL,
        is_output: bool = False,
    ) -> Counted:
        """Count a transposed convolution."""
        self._weigh(kernel**2 * x.channels * features, features if bias else 0)
        self.macs += kernel**2 * features * x.area
        return self._note(features, _spread(x, kernel), x)

    def batch_norm(
        self,
        x: Counted,
        *,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        offset: float = 0.0,
        is_output: bool = False,
        name: str | None = None,
    ) -> Counted:
        """Count a normalisation: scale and offset, and the moving averages that do not learn."""
        self._weigh(2 * x.channels)
        self.parameters += 2 * x.channels
        return self._note(x.channels, x.reach_yx, x)

    def activation(self, x: Counted, kind: Activation) -> Counted:
        """Count an activation."""
        weights = WEIGHTS_PER_CHANNEL.get(kind, 0) * x.channels
        self._weigh(weights)
        return self._note(x.channels, x.reach_yx, x, is_in_place=not weights)

    def max_pool(self, x: Counted, size: int = 2, *, padding: int | None = None) -> Counted:
        """Count a pooling."""
        return self._note(x.channels, self._windowed(x, (size, size), 2, padding), x)

    def max_pool_with_places(self, x: Counted) -> tuple[Counted, Counted]:
        """Count a pooling that remembers where."""
        pooled = self.max_pool(x)
        return pooled, self._note(x.channels, pooled.reach_yx, x)

    def unpool(self, x: Counted, places: Counted) -> Counted:
        """Count an unpooling, which depends on the whole windows that the places were found in."""
        spread = [a.united(b) for a, b in zip(_spread(x, 2), _spread(places, 2), strict=True)]
        return self._note(x.channels, (spread[0], spread[1]), x, places)

    def upsample(self, x: Counted) -> Counted:
        """Count a repetition of pixels."""
        return self._note(x.channels, _spread(x, 2), x)

    def concat(self, values: Sequence[Counted]) -> Counted:
        """Count a concatenation."""
        return self._note(sum(value.channels for value in values), _united(values), *values)

    def add(self, a: Counted, b: Counted) -> Counted:
        """Count a sum."""
        if a.channels != b.channels:
            raise ValueError(f"{a.channels} and {b.channels} channels cannot be added")
        return self._note(a.channels, _united((a, b)), a, b, is_in_place=True)

    def mix(self, a: Counted, b: Counted, gate: Counted) -> Counted:
        """Count a gate."""
        return self._note(a.channels, _united((a, b, gate)), a, b, gate)

    def scale(self, x: Counted, factor: float) -> Counted:
        """Count a multiplication by a constant."""
        return self._note(x.channels, x.reach_yx, x, is_in_place=True)

    def dropout(self, x: Counted, rate: float, *, spatial: bool = False) -> Counted:
        """Count a dropout, which does nothing in prediction."""
        return x

    def _weigh(self, *weights: int) -> None:
        self.parameters += sum(weights)
        self.trainable += sum(weights)

    @staticmethod
    def _windowed(
        x: Counted, size_yx: tuple[int, int], stride: int, padding: int | None
    ) -> tuple[Reach, Reach]:
        y, x_ = (
            reach.windowed(size, stride, padding_before(size, stride) if padding is None else padding)
            for reach, size in zip(x.reach_yx, size_yx, strict=True)
        )
        return y, x_

    def _note(
        self, channels: int, reach_yx: tuple[Reach, Reach], *inputs: Any, is_in_place: bool = False
    ) -> Counted:
        output = Counted(next(self._numbers), channels, reach_yx)
        self.largest_scale = max(self.largest_scale, output.scale)
        self._steps.append((output, tuple(inputs), is_in_place))
        return output


def _spread(x: Counted, kernel: int) -> tuple[Reach, Reach]:
    y, x_ = (reach.spread(kernel, 2) for reach in x.reach_yx)
    return y, x_


def _united(values: Sequence[Counted]) -> tuple[Reach, Reach]:
    y, x = values[0].reach_yx
    for value in values[1:]:
        y, x = y.united(value.reach_yx[0]), x.united(value.reach_yx[1])
    return y, x
