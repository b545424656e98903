"""Changes to training patches that a network must learn to see through."""

from __future__ import annotations

from uniem.networks.augmentation.looks import changed_looks
from uniem.networks.augmentation.settings import Augmentation
from uniem.networks.augmentation.warping import Warp, flipped, warp_of

__all__ = ["Augmentation", "Warp", "changed_looks", "flipped", "warp_of"]
