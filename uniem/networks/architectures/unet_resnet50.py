"""U-Net with a ResNet-50 as its encoder."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from uniem.networks.architectures.architecture import Architecture, base_features
from uniem.networks.architectures.layers import Layers

# Of each layer: blocks, and inner features in units of the first layer's; blocks end in four times as many.
STAGES = ((3, 1), (4, 2), (6, 4), (3, 8))
EXPANSION = 4
# PyTorch's, with which weights are published.
EPSILON, MOMENTUM = 1e-5, 0.9


class UnetResNet50(Architecture):
    """U-Net with the ResNet-50 (v1.5) of torchvision as its encoder, as CEM500K trains it.

    He et al. 2016, Conrad and Narayan 2021. The encoder's layers are named as torchvision names them, after
    `encoder_` and with `_` for `.`: published weights fit, and its stages can be kept from learning.
    """

    title: ClassVar[str] = "U-Net ResNet-50"
    advice: ClassVar[str] = (
        "A deep encoder in the layout of published pretrained weights (CEM500K, ImageNet); without those it "
        "needs a large training set."
    )

    kind: Literal["unet-resnet50"] = "unet-resnet50"
    base_features: int = base_features(64, smallest=4)

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect five halvings and five doublings; the last has no skip."""
        base = self.base_features
        x = layers.conv(image, base, 7, stride=2, padding=3, bias=False, name="encoder_conv1")
        skips = [self._normalised(layers, x, "encoder_bn1", is_rectified=True)]
        x = layers.max_pool(skips[0], 3, padding=1)
        for number, (blocks, factor) in enumerate(STAGES, 1):
            for block in range(blocks):
                stride = 2 if block == 0 and number > 1 else 1
                x = self._block(layers, x, factor * base, stride, f"encoder_layer{number}_{block}")
            skips.append(x)
        x = skips.pop()
        for width in (4 * base, 2 * base, base, base // 2, base // 4):
            x = layers.upsample(x)
            x = layers.concat([x, skips.pop()]) if skips else x
            for _ in range(2):
                x = self._normalised(layers, layers.conv(x, width, bias=False), is_rectified=True)
        return layers.conv(x, classes, is_output=True)

    def _block(self, layers: Layers, x: Any, inner: int, stride: int, name: str) -> Any:
        """Connect a bottleneck block; the first of a layer brings its shortcut to the new shape."""
        outer = EXPANSION * inner
        y = layers.conv(x, inner, 1, bias=False, name=f"{name}_conv1")
        y = self._normalised(layers, y, f"{name}_bn1", is_rectified=True)
        y = layers.conv(y, inner, 3, stride=stride, padding=1, bias=False, name=f"{name}_conv2")
        y = self._normalised(layers, y, f"{name}_bn2", is_rectified=True)
        y = layers.conv(y, outer, 1, bias=False, name=f"{name}_conv3")
        y = self._normalised(layers, y, f"{name}_bn3")
        if name.endswith("_0"):
            x = layers.conv(x, outer, 1, stride=stride, padding=0, bias=False, name=f"{name}_downsample_0")
            x = self._normalised(layers, x, f"{name}_downsample_1")
        return layers.activation(layers.add(y, x), "relu")

    def _normalised(
        self, layers: Layers, x: Any, name: str | None = None, *, is_rectified: bool = False
    ) -> Any:
        x = layers.batch_norm(x, momentum=MOMENTUM, epsilon=EPSILON, name=name)
        return layers.activation(x, "relu") if is_rectified else x
