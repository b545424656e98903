"""EM-stellar's ResNet: bottleneck blocks down and up."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from uniem.networks.architectures.architecture import Architecture, base_features
from uniem.networks.architectures.layers import Layers

BLOCKS = 3
Widths = tuple[int, int, int]


class EmStellarResNet(Architecture):
    """ResNet of EM-net's notebook: stages of three slim bottlenecks (He et al. 2016) and their mirror."""

    title: ClassVar[str] = "ResNet (EM-stellar)"
    advice: ClassVar[str] = (
        "For small training sets and slow computers: the fewest operations of all, a 25th of U-Net BN's."
    )

    kind: Literal["em-stellar-resnet"] = "em-stellar-resnet"
    base_features: int = base_features(16)

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect five halvings, of which three end in skips, and five doublings."""
        f = self.base_features
        x = layers.conv(image, f, 7, stride=2, padding=4)
        x = layers.max_pool(_rectified(layers, x), 3, padding=0)
        stages = []
        for stage in range(4):
            inner = f * 2**stage
            x = _stage(layers, x, (inner, inner, 2 * inner), "same" if stage == 0 else "down")
            stages.append(x)
        for widths, skip in (((16, 8, 8), 2), ((16, 4, 4), 1), ((8, 2, 2), 0)):
            x = _stage(layers, x, (widths[0] * f, widths[1] * f, widths[2] * f), "up")
            x = layers.concat([x, stages[skip]])
        x = _stage(layers, x, (4 * f, f, f), "up")
        return layers.conv(layers.upsample(x), classes, is_output=True)


def _stage(layers: Layers, x: Any, widths: Widths, way: Literal["same", "down", "up"]) -> Any:
    """Connect a block that changes the size and the features, and two that add to what they are given."""
    shortcut = layers.upsample(x) if way == "up" else x
    stride = 2 if way == "down" else 1
    shortcut = layers.batch_norm(layers.conv(shortcut, widths[2], 1, stride=stride))
    inner = _branch(layers, layers.upsample(x) if way == "up" else x, widths, stride)
    x = layers.activation(layers.add(inner, shortcut), "relu")
    for _ in range(BLOCKS - 1):
        x = layers.activation(layers.add(_branch(layers, x, widths, 1), x), "relu")
    return x


def _branch(layers: Layers, x: Any, widths: Widths, stride: int) -> Any:
    x = _rectified(layers, layers.conv(x, widths[0], 1, stride=stride))
    x = _rectified(layers, layers.conv(x, widths[1], 3))
    return layers.batch_norm(layers.conv(x, widths[2], 1))


def _rectified(layers: Layers, x: Any) -> Any:
    return layers.activation(layers.batch_norm(x), "relu")
