"""The layers that networks are made of, whether they are built or only counted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

Kernel = int | tuple[int, int]
Initializer = Literal["he_normal", "normal_0.02"]
Activation = Literal["relu", "leaky_relu", "prelu", "tlu", "sigmoid"]

HE_NORMAL: Initializer = "he_normal"
# What pix2pix, and after it UNI-EM, starts from.
NORMAL: Initializer = "normal_0.02"


class Layers(ABC):
    """What connects a network: each method takes and returns a value, of a kind that the subclass knows.

    Padding is `same`, TensorFlow's rule on every engine, unless a number of pixels is given, which is then
    put on all four sides.
    """

    @abstractmethod
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
        """Convolve; an output is computed in float32 whatever the precision of the rest."""

    @abstractmethod
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

    @abstractmethod
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
        """Normalise by the batch in training, by moving averages in prediction; `offset` is its start."""

    @abstractmethod
    def activation(self, x: Any, kind: Activation) -> Any:
        """Apply an activation; those with weights share them over all pixels of a channel."""

    @abstractmethod
    def max_pool(self, x: Any, size: int = 2, *, padding: int | None = None) -> Any:
        """Halve the size, keeping the largest of each window; what is padded with is 0."""

    @abstractmethod
    def max_pool_with_places(self, x: Any) -> tuple[Any, Any]:
        """Halve the size, and also return where in its window each largest value was."""

    @abstractmethod
    def unpool(self, x: Any, places: Any) -> Any:
        """Double the size, putting each value at the place its window's largest was; 0 elsewhere."""

    @abstractmethod
    def upsample(self, x: Any) -> Any:
        """Double the size by repeating pixels."""

    @abstractmethod
    def concat(self, values: Sequence[Any]) -> Any:
        """Put the channels of values of one size behind each other."""

    @abstractmethod
    def add(self, a: Any, b: Any) -> Any:
        """Add values of one shape."""

    @abstractmethod
    def mix(self, a: Any, b: Any, gate: Any) -> Any:
        """Return a where the gate is 0 and b where it is 1."""

    @abstractmethod
    def scale(self, x: Any, factor: float) -> Any:
        """Multiply by a constant."""

    @abstractmethod
    def dropout(self, x: Any, rate: float, *, spatial: bool = False) -> Any:
        """Silence a share of the values, or of whole channels, in training only."""

    def conv_relu(self, x: Any, features: int, kernel: Kernel = 3) -> Any:
        """Convolve and rectify."""
        return self.activation(self.conv(x, features, kernel), "relu")

    def conv_bn_relu(self, x: Any, features: int, kernel: Kernel = 3) -> Any:
        """Convolve, normalise and rectify."""
        return self.activation(self.batch_norm(self.conv(x, features, kernel)), "relu")
