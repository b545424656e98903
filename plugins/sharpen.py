"""An example plugin: unsharp masking of every section."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from uniem.operations.operation import section_filter
from uniem.operations.parameters import Parameters


class SharpenParameters(Parameters):
    """How strongly to sharpen."""

    radius_px: float = Field(
        2.0, gt=0, le=100, description="Width of the blur that is subtracted, in pixels."
    )
    amount: float = Field(1.0, ge=0, le=10, description="How much of the difference is added back.")


@section_filter("sharpen", menu="Plugins")
def sharpen(section: NDArray[Any], params: SharpenParameters) -> NDArray[Any]:
    """Sharpen every section by unsharp masking."""
    import cv2

    grey = section.astype(np.float32)
    blurred = cv2.GaussianBlur(grey, (0, 0), params.radius_px, borderType=cv2.BORDER_REFLECT)
    sharp = grey + params.amount * (grey - blurred)
    if section.dtype.kind in "ui":
        limits = np.iinfo(section.dtype)
        sharp = np.clip(np.rint(sharp), limits.min, limits.max)
    return sharp.astype(section.dtype)
