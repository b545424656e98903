"""EM-net V2, V2 2X and V2 4X."""

from __future__ import annotations

from abc import ABC
from typing import Any, ClassVar, Literal

from uniem.networks.architectures.architecture import base_features
from uniem.networks.architectures.em_net_units import DROPOUT, conv_tlu, unit_a_bn, unit_b
from uniem.networks.architectures.em_stellar_parts import EmStellarNetwork, decoded
from uniem.networks.architectures.layers import Layers

LEVELS = 4


class EmNetV2Units(EmStellarNetwork, ABC):
    """Two units B per level, whose second goes down and across; two pairs of units at the bottom."""

    widening: ClassVar[int]

    base_features: int = base_features(16)

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect four levels down, the bottom and four levels up."""
        base, wider = self.base_features, self.widening
        x, skips = image, []
        for level in range(LEVELS):
            x = unit_b(layers, unit_b(layers, x, base * 2**level), wider * base * 2**level)
            skips.append(x)
            x = layers.max_pool(x)
        left = unit_b(layers, unit_a_bn(layers, x, 4 * base), 4 * wider * base)
        right = unit_a_bn(layers, unit_b(layers, x, 4 * base), 4 * wider * base)
        widths = [factor * base for factor in (16, 8, 4, 2)]
        x = decoded(layers, layers.concat([left, right]), skips[::-1], widths, widths)
        return self.head(layers, x, classes)


class EmNetV2(EmNetV2Units):
    """EM-net V2 (Khadangi et al. 2020)."""

    title: ClassVar[str] = "EM-net V2"
    advice: ClassVar[str] = (
        "The lightest V2; invents least of all in EM-stellar's comparison, but misses more."
    )
    widening: ClassVar[int] = 1

    kind: Literal["em-net-v2"] = "em-net-v2"


class EmNetV2x2(EmNetV2Units):
    """EM-net V2 2X (Khadangi et al. 2020): the second unit of each level is twice as wide."""

    title: ClassVar[str] = "EM-net V2 2X"
    advice: ClassVar[str] = "Between V2 and V2 4X, in cost as in weights."
    widening: ClassVar[int] = 2

    kind: Literal["em-net-v2-2x"] = "em-net-v2-2x"


class EmNetV2x4(EmStellarNetwork):
    """EM-net V2 4X (Khadangi et al. 2020): wide, densely joined levels with dropout."""

    title: ClassVar[str] = "EM-net V2 4X"
    advice: ClassVar[str] = (
        "For large training sets: the weights of U-Net BN at fewer operations. On small sets it over-fits."
    )

    kind: Literal["em-net-v2-4x"] = "em-net-v2-4x"
    base_features: int = base_features(32)

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect four levels down, two convolutions at the bottom and four levels up."""
        base = self.base_features
        x, skips = image, []
        for level in range(LEVELS):
            f = base * 2**level
            a = conv_tlu(layers, x, 2 * f)
            joined = layers.concat([a, conv_tlu(layers, a, f)])
            x = layers.concat([joined, conv_tlu(layers, joined, f)])
            x = layers.dropout(x, DROPOUT, spatial=True)
            skips.append(x)
            x = layers.max_pool(x)
        for _ in range(2):
            x = layers.conv_relu(x, 32 * base)
        x = layers.dropout(x, DROPOUT, spatial=True)
        up_widths = [factor * base for factor in (16, 8, 4, 2)]
        widths = [factor * base for factor in (8, 4, 2, 1)]
        return self.head(layers, decoded(layers, x, skips[::-1], up_widths, widths), classes)
