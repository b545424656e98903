"""An Inception-ResNet encoder and decoder in the manner of CDeep3M."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from uniem.networks.architectures.architecture import Architecture, base_features
from uniem.networks.architectures.layers import Kernel, Layers

# How far each block may change what it is given, so that many in a row learn steadily (Szegedy et al. 2017).
DAMPING = 0.2
# Of the columns beside the 1 × 1 one: the kernels in turn.
Columns = tuple[tuple[Kernel, ...], ...]
BLOCKS: tuple[Columns, ...] = (((3,), (3, 3)), (((1, 7), (7, 1)),), (((1, 3), (3, 1)),))


class InceptionResNet(Architecture):
    """Inception-ResNet: parallel columns of convolutions, added to what they are given, and a U-Net's way up.

    After Inception-ResNet-v2 (Szegedy et al. 2017), slim, as CDeep3M (Haberl et al. 2018) applies it to one,
    three or five sections at a time; the layers are our own.
    """

    title: ClassVar[str] = "Inception-ResNet (CDeep3M-like)"
    advice: ClassVar[str] = (
        "Sees neighbouring sections where these help to tell objects; CDeep3M missed least of all in "
        "EM-stellar's comparison. Predictions with 1, 3 and 5 sections make a good ensemble."
    )

    kind: Literal["inception-resnet"] = "inception-resnet"
    neighbours: int = Field(
        0,
        ge=0,
        le=2,
        description="Sections seen on either side of the one that is segmented: 0, 1, 2 for 1, 3, 5 in all.",
    )
    base_features: int = base_features(32, smallest=2)
    blocks: int = Field(3, ge=1, le=32, description="Number of residual blocks at each of the three levels.")

    @property
    def sections(self) -> int:
        """How many neighbouring sections the network sees, as channels; it segments the middle one."""
        return 1 + 2 * self.neighbours

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect a stem, three halvings with residual blocks, and three doublings."""
        x = layers.conv_bn_relu(layers.conv_bn_relu(image, self.base_features), self.base_features)
        skips = [x]
        for level, columns in enumerate(BLOCKS, 1):
            x = self._halved(layers, x, self.base_features * 2**level)
            for _ in range(self.blocks):
                x = self._block(layers, x, self.base_features * 2**level, columns)
            skips.append(x)
        x = skips.pop()
        for level in (2, 1, 0):
            width = self.base_features * 2**level
            up = layers.conv_bn_relu(layers.upsample(x), width, 2)
            x = layers.conv_bn_relu(layers.concat([skips.pop(), up]), width)
            x = layers.conv_bn_relu(x, width)
        return layers.conv(x, classes, 1, is_output=True)

    def _halved(self, layers: Layers, x: Any, width: int) -> Any:
        """Join a pooling and a convolution with stride 2, as many features as asked together."""
        strided = layers.conv(x, width - width // 2, 3, stride=2, bias=False)
        strided = layers.activation(layers.batch_norm(strided), "relu")
        return layers.concat([strided, layers.conv_bn_relu(layers.max_pool(x), width // 2, 1)])

    def _block(self, layers: Layers, x: Any, width: int, columns: Columns) -> Any:
        """Add to a value what parallel columns of convolutions make of it."""
        inner = width // 2
        joined = [layers.conv_bn_relu(x, inner, 1)]
        for kernels in columns:
            column = layers.conv_bn_relu(x, inner, 1)
            for kernel in kernels:
                column = layers.conv_bn_relu(column, inner, kernel)
            joined.append(column)
        change = layers.scale(layers.conv(layers.concat(joined), width, 1), DAMPING)
        return layers.activation(layers.add(x, change), "relu")
