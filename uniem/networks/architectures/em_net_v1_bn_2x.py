"""EM-net V1 BN 2X."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from uniem.networks.architectures.architecture import base_features
from uniem.networks.architectures.em_net_units import unit_a_bn
from uniem.networks.architectures.em_stellar_parts import EmStellarNetwork, decoded
from uniem.networks.architectures.layers import Layers

LEVELS = 4


class EmNetV1BNx2(EmStellarNetwork):
    """EM-net V1 BN 2X (Khadangi et al. 2020): four units A per level, wide and narrow in turn, normalised."""

    title: ClassVar[str] = "EM-net V1 BN 2X"
    advice: ClassVar[str] = (
        "Best of EM-stellar's comparison at keeping objects apart and whole (V-Rand, V-Info)."
    )

    kind: Literal["em-net-v1-bn-2x"] = "em-net-v1-bn-2x"
    base_features: int = base_features(16, smallest=2)

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect four levels down, a chain of units at the bottom and four levels up."""
        base = self.base_features
        x, skips = image, []
        for level in range(LEVELS):
            wide, narrow = base * 2**level, base * 2**level // 2
            b = unit_a_bn(layers, unit_a_bn(layers, x, wide), narrow)
            d = unit_a_bn(layers, unit_a_bn(layers, b, wide), narrow)
            skips.append(d)
            x = layers.max_pool(layers.concat([b, d]))
        second = unit_a_bn(layers, unit_a_bn(layers, x, 8 * base), 8 * base)
        fourth = unit_a_bn(layers, unit_a_bn(layers, second, 8 * base), 8 * base)
        x = layers.concat([second, fourth])
        widths = [factor * base for factor in (16, 8, 4, 2)]
        return self.head(layers, decoded(layers, x, skips[::-1], widths, widths), classes)
