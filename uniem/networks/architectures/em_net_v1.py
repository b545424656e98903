"""EM-net V1 BN, V1 2X and V1 4X."""

from __future__ import annotations

from abc import ABC
from typing import Any, ClassVar, Literal

from uniem.networks.architectures.architecture import base_features
from uniem.networks.architectures.em_net_units import DROPOUT, Unit, unit_a, unit_a_bn, unit_b
from uniem.networks.architectures.em_stellar_parts import EmStellarNetwork, decoded
from uniem.networks.architectures.layers import Layers

LEVELS = 4


class EmNetV1(EmStellarNetwork, ABC):
    """Two units per level, of which both go down and the second goes across; two pairs at the bottom."""

    units: ClassVar[tuple[Unit, Unit]]
    has_second_dropout: ClassVar[bool] = False

    base_features: int = base_features(16)

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect four levels down, the bottom and four levels up."""
        first, second = self.units
        base = self.base_features
        x, skips = image, []
        for level in range(LEVELS):
            a = first(layers, x, base * 2**level)
            b = second(layers, a, base * 2**level)
            skips.append(b)
            x = layers.max_pool(layers.concat([a, b]))
        x = layers.dropout(x, DROPOUT, spatial=True)
        left = first(layers, first(layers, x, 4 * base), 4 * base)
        right = first(layers, second(layers, x, 4 * base), 4 * base)
        x = layers.concat([left, right])
        if self.has_second_dropout:
            x = layers.dropout(x, DROPOUT, spatial=True)
        widths = [factor * base for factor in (16, 8, 4, 2)]
        return self.head(layers, decoded(layers, x, skips[::-1], widths, widths), classes)


class EmNetV1BN(EmNetV1):
    """EM-net V1 BN (Khadangi et al. 2020): units A throughout, with batch normalisation."""

    title: ClassVar[str] = "EM-net V1 BN"
    advice: ClassVar[str] = "Best F1 of EM-stellar's comparison on cardiac mitochondria, at a middling cost."
    units: ClassVar[tuple[Unit, Unit]] = (unit_a_bn, unit_a_bn)

    kind: Literal["em-net-v1-bn"] = "em-net-v1-bn"


class EmNetV1x2(EmNetV1):
    """EM-net V1 2X (Khadangi et al. 2020): units A and B, without batch normalisation on the way down."""

    title: ClassVar[str] = "EM-net V1 2X"
    advice: ClassVar[str] = (
        "The paper's choice for small training sets; among the best for whole objects and for pixels."
    )
    units: ClassVar[tuple[Unit, Unit]] = (unit_a, unit_b)

    kind: Literal["em-net-v1-2x"] = "em-net-v1-2x"


class EmNetV1x4(EmNetV1):
    """EM-net V1 4X (Khadangi et al. 2020): V1 2X at twice the width, with dropout twice at the bottom."""

    title: ClassVar[str] = "EM-net V1 4X"
    advice: ClassVar[str] = (
        "V1 2X at twice the width and four times the cost, and no better in EM-stellar's comparison; for "
        "large training sets."
    )
    units: ClassVar[tuple[Unit, Unit]] = (unit_a, unit_b)
    has_second_dropout: ClassVar[bool] = True

    kind: Literal["em-net-v1-4x"] = "em-net-v1-4x"
    base_features: int = base_features(32)
