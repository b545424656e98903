"""Objects grown until only thin borders part them, so that the width of drawn boundaries does not count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def components(mask: NDArray[Any]) -> NDArray[Any]:
    """Number the 4-connected components of a mask, (y, x); 0 is background."""
    import cc3d

    return np.asarray(cc3d.connected_components(mask, connectivity=4))


def thinned_components(mask: NDArray[Any]) -> NDArray[Any]:
    """Number the components of a mask, (y, x), grown into the background until lines one pixel wide are left.

    Vincent and Soille 1991, by scikit-image. Fiji, which ISBI 2012 and EM-stellar used, draws some of these
    lines a pixel beside; V_Rand and V_Info of thirteen networks differed by less than 0.0005 for that.
    """
    from skimage.segmentation import watershed

    objects = components(mask)
    if not objects.any():
        return objects
    outside = (mask == 0).astype(np.uint8)
    grown = watershed(outside, objects, connectivity=1, watershed_line=True)  # type: ignore[no-untyped-call]
    return np.asarray(grown)
