"""UNI-EM's U-Net."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from uniem.networks.architectures.architecture import Architecture, base_features
from uniem.networks.architectures.layers import NORMAL, Layers
from uniem.networks.architectures.uni_em_parts import normalised, plain_conv

# Of the base features; pix2pix's generator.
FACTORS = (2, 2, 4, 8, 8, 8, 8, 8)
SHALLOWEST_DROPOUT = 6


class UniEmUnet(Architecture):
    """U-Net of UNI-EM.

    The generator of pix2pix (Isola et al. 2017) as UNI-EM has it: halvings by convolutions with stride 2,
    normalised, leaky; doublings by transposed convolutions; the deepest features are given twice. Departures:
    dropout and batch statistics in training only, and logits with an offset instead of tanh.
    """

    title: ClassVar[str] = "U-Net (UNI-EM)"
    advice: ClassVar[str] = (
        "For models as UNI-EM's unet made them; it sees far, and fine detail only through its skips."
    )

    kind: Literal["uni-em-unet"] = "uni-em-unet"
    depth: int = Field(
        8,
        ge=1,
        le=8,
        description="Number of times the image is halved, UNI-EM's U depth; its sides must allow it.",
    )
    base_features: int = base_features(64)
    dropout: float = Field(
        0.5, ge=0, le=0.9, description="Share silenced at random in training, below the fifth halving."
    )

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect the halvings and, from the deepest on, the doublings."""
        skips = [plain_conv(layers, image, self._features(1), stride=2)]
        for level in range(2, self.depth + 1):
            x = layers.activation(skips[-1], "leaky_relu")
            skips.append(normalised(layers, plain_conv(layers, x, self._features(level), stride=2)))
        x = skips[-1]
        for level in range(self.depth, 1, -1):
            x = layers.activation(layers.concat([x, skips[level - 1]]), "relu")
            x = layers.transposed_conv(x, self._features(level), 3, bias=False, initializer=NORMAL)
            x = normalised(layers, x)
            if level >= SHALLOWEST_DROPOUT and self.dropout:
                x = layers.dropout(x, self.dropout)
        x = layers.activation(layers.concat([x, skips[0]]), "relu")
        return layers.transposed_conv(x, classes, 3, initializer=NORMAL, is_output=True)

    def _features(self, level: int) -> int:
        return FACTORS[level - 1] * self.base_features
