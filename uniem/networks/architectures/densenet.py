"""UNI-EM's densely connected network."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from uniem.networks.architectures.layers import Layers
from uniem.networks.architectures.uni_em_parts import UniEmNetwork, unit


class DenseNet(UniEmNetwork):
    """Dense network.

    UNI-EM's: each layer of a block sees all earlier ones of the block, and only the last leaves it.
    """

    title: ClassVar[str] = "DenseNet (UNI-EM)"
    advice: ClassVar[str] = (
        "The slowest of UNI-EM's: each layer sees all earlier ones of its block. For when there is time."
    )

    kind: Literal["densenet"] = "densenet"
    blocks: int = Field(5, ge=1, le=255, description="Number of dense blocks.")
    layers_per_block: int = Field(5, ge=1, le=255, description="Number of layers in each dense block.")

    def units(self, layers: Layers, x: Any) -> Any:
        """Connect the dense blocks."""
        for _ in range(self.blocks):
            seen = x
            for layer in range(self.layers_per_block):
                x = unit(layers, seen, self.deepest_features)
                if layer < self.layers_per_block - 1:
                    seen = layers.concat([seen, x])
        return x
