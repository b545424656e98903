"""Connected components: the `label` operation's function against cc3d called directly, on the same array."""

from __future__ import annotations

import statistics
import time

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from uniem.algorithms.labelling import Connectivity, label_components
from uniem.data.volume import ArrayVolume, Kind

SIDE = 512
ROUNDS = 8
CONNECTIVITIES: tuple[Connectivity, ...] = (6, 26)


def noise_mask(side: int = SIDE) -> NDArray[np.uint8]:
    """Return blobs: smoothed noise above its third quartile, as uint8 0/1."""
    noise = gaussian_filter(np.random.default_rng(0).random((side,) * 3, dtype=np.float32), 5)
    return np.asarray(noise > np.quantile(noise[::4, ::4, ::4], 0.75), np.uint8)


def our_seconds(mask: NDArray[np.uint8], target: NDArray[np.uint32], connectivity: Connectivity) -> float:
    """Label as the operation does, into a volume over the target."""
    source, out = ArrayVolume(mask, kind=Kind.LABELS), ArrayVolume(target, kind=Kind.LABELS)
    begun = time.process_time()
    label_components(source, out, connectivity=connectivity, memory_bytes=1 << 40)
    return time.process_time() - begun


def cc3d_seconds(mask: NDArray[np.uint8], target: NDArray[np.uint32], connectivity: Connectivity) -> float:
    """Label by cc3d, and copy its result to the target, since ours ends in a volume."""
    begun = time.process_time()
    target[...] = cc3d.connected_components(mask, connectivity=connectivity, out_dtype=np.uint32)
    return time.process_time() - begun


def main() -> None:
    """Print the median process time of both, in alternating order, and their ratio."""
    mask = noise_mask()
    # Touched once, so that neither pays for the first use of fresh memory.
    targets = [np.ones(mask.shape, np.uint32) for _ in range(2)]
    for connectivity in CONNECTIVITIES:
        ours: list[float] = []
        theirs: list[float] = []
        for turn in range(ROUNDS + 1):
            runs = [(ours, our_seconds, targets[0]), (theirs, cc3d_seconds, targets[1])]
            for times, run, target in runs if turn % 2 else reversed(runs):
                times.append(run(mask, target, connectivity))
        if not np.array_equal(targets[0], targets[1]):
            raise SystemExit("the labels differ from cc3d's")
        a, b = statistics.median(ours[1:]), statistics.median(theirs[1:])
        title = f"label {SIDE}^3, {connectivity}-connected"
        print(f"{title}: {a:.3f} s, cc3d {b:.3f} s, ratio {a / b:.2f} (bar 1.10)")


if __name__ == "__main__":
    main()
