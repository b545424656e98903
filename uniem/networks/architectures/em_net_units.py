"""The units of EM-net: chains of 3 × 3 convolutions with trainable linear units, whose ends are joined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uniem.networks.architectures.layers import Layers

Unit = Callable[[Layers, Any, int], Any]
DROPOUT = 0.5


def conv_tlu(layers: Layers, x: Any, features: int) -> Any:
    """Convolve 3 × 3 and activate by a trainable linear unit."""
    return layers.activation(layers.conv(x, features), "tlu")


def conv_bn_tlu(layers: Layers, x: Any, features: int) -> Any:
    """Convolve 3 × 3, normalise and activate by a trainable linear unit."""
    return layers.activation(layers.batch_norm(layers.conv(x, features)), "tlu")


def unit_a(layers: Layers, x: Any, features: int, conv: Unit = conv_tlu) -> Any:
    """Return the first and the last of three convolutions in a chain: twice the features."""
    first = conv(layers, x, features)
    last = conv(layers, conv(layers, first, features), features)
    return layers.concat([first, last])


def unit_a_bn(layers: Layers, x: Any, features: int) -> Any:
    """Return unit A with batch normalisation."""
    return unit_a(layers, x, features, conv_bn_tlu)


def unit_b(layers: Layers, x: Any, features: int) -> Any:
    """Return the second and fourth of four convolutions in a chain, wide and narrow: twice the features."""
    second = conv_tlu(layers, conv_tlu(layers, x, 2 * features), features)
    fourth = conv_tlu(layers, conv_tlu(layers, second, 2 * features), features)
    return layers.concat([second, fourth])
