"""UNI-EM's ResNet."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from uniem.networks.architectures.layers import Layers
from uniem.networks.architectures.uni_em_parts import UniEmNetwork, unit


class ResNet(UniEmNetwork):
    """ResNet.

    The residual network of UNI-EM: blocks of two convolutions, each added to what it was given.
    """

    title: ClassVar[str] = "ResNet (UNI-EM)"
    advice: ClassVar[str] = (
        "UNI-EM's choice for membranes and mitochondria. It sees a neighbourhood only, but in much detail."
    )

    kind: Literal["resnet"] = "resnet"
    blocks: int = Field(
        9, ge=1, le=255, description="Number of residual blocks; 16 in the published examples."
    )

    def units(self, layers: Layers, x: Any) -> Any:
        """Connect the residual blocks."""
        for _ in range(self.blocks):
            inner = unit(layers, x, self.deepest_features)
            x = layers.add(x, unit(layers, inner, self.deepest_features))
        return x
