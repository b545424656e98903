"""How the learning rate goes over a training."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WarmUpCosine:
    """Rise in a straight line to the peak, then fall along half a cosine to nothing.

    Loshchilov and Hutter 2017, with the linear warm-up of Goyal et al. 2017. It goes by the share of the
    training that is over rather than by steps: a training that ends by the clock does not know its steps.
    """

    peak: float
    warm_up: float

    def at(self, progress: float) -> float:
        """Return the learning rate when this share of the training, 0 to 1, is over."""
        progress = min(max(progress, 0.0), 1.0)
        if progress < self.warm_up:
            # Not 0 at the start: the first step would be wasted.
            return self.peak * max(progress / self.warm_up, 0.01)
        falling = (progress - self.warm_up) / max(1 - self.warm_up, 1e-9)
        return self.peak * 0.5 * (1 + math.cos(math.pi * falling))
