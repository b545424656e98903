"""What EM-stellar's and EM-net's networks share: the way up, and the output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from uniem.networks.architectures.architecture import Architecture
from uniem.networks.architectures.layers import Layers


class EmStellarNetwork(Architecture):
    """A network of EM-net's notebook (Khadangi et al. 2020), whose output is made from two features."""

    plain_head: bool = Field(
        False,
        description="Make the output from the last features directly, not through the published layer of two "
        "features, which may fall silent for good.",
        json_schema_extra={"advanced": True},
    )

    def head(self, layers: Layers, x: Any, classes: int) -> Any:
        """Convolve 3 × 3, normalise, rectify, and convolve 1 × 1 to the logits."""
        return layers.conv(
            x if self.plain_head else self.narrowed(layers, x, 2 * classes), classes, 1, is_output=True
        )

    def narrowed(self, layers: Layers, x: Any, features: int) -> Any:
        """Return the few features that the output is made from."""
        return layers.conv_bn_relu(x, features)


def decoded(
    layers: Layers, x: Any, skips: Sequence[Any], up_widths: Sequence[int], widths: Sequence[int]
) -> Any:
    """Double the size once per skip, from the deepest: up, 2 × 2, join the skip, and twice 3 × 3."""
    for skip, up_width, width in zip(skips, up_widths, widths, strict=True):
        up = layers.conv_bn_relu(layers.upsample(x), up_width, 2)
        x = layers.conv_bn_relu(layers.concat([up, skip]), width)
        x = layers.conv_bn_relu(x, width)
    return x
