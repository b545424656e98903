"""Connected components: the `label` operation's function against cc3d called directly, on the same array."""

from __future__ import annotations

import statistics
import time

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from uniem.algorithms.labelling import label_components
from uniem.data.volume import ArrayVolume, Kind

SIDE = 512
ROUNDS = 5


def noise_mask(side: int = SIDE) -> NDArray[np.uint8]:
    """Return blobs: smoothed noise above its third quartile, as uint8 0/1."""
    noise = gaussian_filter(np.random.default_rng(0).random((side,) * 3, dtype=np.float32), 5)
    return np.asarray(noise > np.quantile(noise[::4, ::4, ::4], 0.75), np.uint8)


def main() -> None:
    """Print the median process time of both, interleaved, and their ratio."""
    mask = noise_mask()
    source = ArrayVolume(mask, kind=Kind.LABELS)
    for connectivity in (6, 26):
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(ROUNDS):
            out = ArrayVolume(np.zeros(mask.shape, np.uint32), kind=Kind.LABELS)
            begun = time.process_time()
            count = label_components(source, out, connectivity=connectivity, memory_bytes=1 << 40)
            ours.append(time.process_time() - begun)
            target = np.zeros(mask.shape, np.uint32)
            begun = time.process_time()
            found, expected = cc3d.connected_components(
                mask, connectivity=connectivity, out_dtype=np.uint32, return_N=True
            )
            # Our result is written to a volume, so cc3d's is copied to an array as well.
            target[...] = found
            theirs.append(time.process_time() - begun)
            if count != expected:
                raise SystemExit(f"{count} components, but cc3d finds {expected}")
        a, b = statistics.median(ours), statistics.median(theirs)
        title = f"label {SIDE}^3, {connectivity}-connected"
        print(f"{title}: {a:.3f} s, cc3d {b:.3f} s, ratio {a / b:.2f} (bar 1.10)")


if __name__ == "__main__":
    main()
