"""Which pixels of the input a value inside a network depends on, along one axis."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm


@dataclass(frozen=True, slots=True)
class Reach:
    """The input pixels that each value of a row of values can depend on.

    Value i depends on the pixels first[i] to last[i]. The row repeats: value i + len(first) sees the same,
    shifted by len(first) * scale pixels. Both bounds never fall from one value to the next.

    Attributes
    ----------
    scale : int
        Number of input pixels from one value to the next.
    """

    scale: int = 1
    first: tuple[int, ...] = (0,)
    last: tuple[int, ...] = (0,)

    def windowed(self, kernel: int, stride: int, before: int | None = None) -> Reach:
        """Return what is seen through a convolution or pooling, padded by so many values before."""
        before = padding_before(kernel, stride) if before is None else before
        count = lcm(len(self.first), stride) // stride
        starts = [i * stride - before for i in range(count)]
        return Reach(
            self.scale * stride,
            tuple(self._at(self.first, i) for i in starts),
            tuple(self._at(self.last, i + kernel - 1) for i in starts),
        )

    def spread(self, kernel: int, factor: int) -> Reach:
        """Return what is seen through a transposed convolution, or by repeating each value `factor` times."""
        if self.scale % factor:
            raise ValueError(f"values {self.scale} pixels apart cannot be spread {factor} times")
        before = padding_before(kernel, factor)
        places = range(len(self.first) * factor)
        return Reach(
            self.scale // factor,
            # The smallest whole number that is not below (i + before - kernel + 1) / factor.
            tuple(self._at(self.first, -((kernel - 1 - before - i) // factor)) for i in places),
            tuple(self._at(self.last, (i + before) // factor) for i in places),
        )

    def united(self, other: Reach) -> Reach:
        """Return what two rows of values of the same size see together."""
        if self is other:
            return self
        if self.scale != other.scale:
            raise ValueError(f"values {self.scale} and {other.scale} pixels apart do not fit")
        places = range(lcm(len(self.first), len(other.first)))
        return Reach(
            self.scale,
            tuple(min(self._at(self.first, i), other._at(other.first, i)) for i in places),
            tuple(max(self._at(self.last, i), other._at(other.last, i)) for i in places),
        )

    def distances(self) -> list[tuple[int, int]]:
        """Return, for each value, how far it sees before and after the pixel of its own number."""
        return [
            (i * self.scale - a, b - i * self.scale)
            for i, (a, b) in enumerate(zip(self.first, self.last, strict=True))
        ]

    def _at(self, bounds: tuple[int, ...], index: int) -> int:
        turns, place = divmod(index, len(bounds))
        return bounds[place] + turns * len(bounds) * self.scale


def padding_before(kernel: int, stride: int) -> int:
    """Return how many values `same` padding puts before; the larger half goes behind."""
    return max(kernel - stride, 0) // 2
