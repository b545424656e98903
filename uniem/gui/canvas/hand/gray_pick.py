"""A range of gray values taken from what the brush covers."""

from __future__ import annotations

import numpy as np

from uniem.algorithms.rasterise import disc_stroke
from uniem.gui.canvas.slice_view import SliceView

# Leaves out single voxels of noise.
_SHARES = (2.0, 98.0)
_MOST_PX = 512


def take_gray(view: SliceView, row: int, column: int) -> bool:
    """Limit painting to the gray values under the brush at a place; return whether there are any."""
    section, hand = view.image_section, view.model.hand
    if section is None:
        return False
    factors = np.array(section.factors)
    centre = (np.array([row, column]) + 0.5) / factors - 0.5 - section.origin
    aspect = np.array(view.axes.brush_aspect(view.model.voxel_size)) / factors
    radius = min(max(hand.radius_px, 1.5), _MOST_PX)
    height, width = section.array.shape
    top, left, disc = disc_stroke([centre], radius, (height, width), (float(aspect[0]), float(aspect[1])))
    if not disc.any():
        return False
    values = section.array[top : top + disc.shape[0], left : left + disc.shape[1]][disc]
    low, high = np.percentile(values, _SHARES)
    options = hand.options
    is_whole = section.array.dtype.kind in "iu"
    options.gray_low = float(np.floor(low)) if is_whole else float(low)
    options.gray_high = float(np.ceil(high)) if is_whole else float(high)
    options.uses_gray = True
    return True
