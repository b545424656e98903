"""Predicting a volume tile by tile, while threads read and write."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from uniem.data.volume import Volume
from uniem.networks.ensembles import Ensemble, Predictor
from uniem.networks.tiling import Tile, Tiling, bands, tiles
from uniem.progress import Context

Item = TypeVar("Item")
Floats = NDArray[np.float32]
# From probabilities, (y, x, channels), to what is written into each of the volumes, (y, x).
Encode = Callable[[Floats], Sequence[NDArray[Any]]]

BATCHES_TO_WRITE = 2


class _Batch(NamedTuple):
    """Tiles that the network sees together, and what each network of an ensemble sees of them."""

    tiles: list[Tile]
    inputs: list[Floats]


def predict_tiles(
    ensemble: Ensemble,
    predictor: Predictor,
    image: Volume,
    outs: Sequence[Volume],
    encode: Encode,
    tiling: Tiling,
    context: Context,
    label: str,
) -> None:
    """Write into volumes what is encoded of the probabilities in an image."""
    total = image.shape[0] * math.prod(tiling.grid_yx)
    done = 0
    context.progress(0, total, label)
    writer = _Writer(outs, encode)
    with closing(_one_ahead(_batches(ensemble, predictor, image, outs, tiling))) as batches, writer:
        for batch in batches:
            context.check_cancelled()
            writer.write(batch.tiles, predictor.probabilities(batch.inputs))
            done += len(batch.tiles)
            context.progress(done, total, label)


class _Writer:
    """Encodes and writes tiles in a thread, band by band; tiles come in order."""

    def __init__(self, outs: Sequence[Volume], encode: Encode) -> None:
        self._outs, self._encode = outs, encode
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="writing")
        self._pending: deque[Future[None]] = deque()
        self._band: list[NDArray[Any]] = []

    def __enter__(self) -> None:
        """Nothing waits to be written yet."""

    def __exit__(self, failed: object, *_: object) -> None:
        """Wait for what was begun; raise if it failed."""
        self._pool.shutdown(cancel_futures=failed is not None)
        while self._pending and failed is None:
            self._pending.popleft().result()

    def write(self, written: Sequence[Tile], probabilities: Floats) -> None:
        """Take the probabilities of tiles, (batch, tile y, tile x, channels)."""
        self._pending.append(self._pool.submit(self._place, written, probabilities))
        while len(self._pending) > BATCHES_TO_WRITE:
            self._pending.popleft().result()

    def _place(self, written: Sequence[Tile], probabilities: Floats) -> None:
        for tile, probability in zip(written, probabilities, strict=False):
            band = tile.band
            if not self._band:
                self._band = [np.empty(band.shape, out.dtype) for out in self._outs]
            _, height, width = tile.box.shape
            place = tile.box.relative_to(band.start).slices
            for target, voxels in zip(self._band, self._encode(probability[:height, :width]), strict=True):
                target[place] = voxels[None]
            if tile.box.stop[0] == band.stop[0] and tile.box.stop[2] == band.stop[2]:
                for out, voxels in zip(self._outs, self._band, strict=True):
                    out.write(band, voxels)
                self._band = []


def _batches(
    ensemble: Ensemble, predictor: Predictor, image: Volume, outs: Sequence[Volume], tiling: Tiling
) -> Iterator[_Batch]:
    cut = (
        tile
        for band in bands(image, outs, tiling, ensemble.sections)
        for tile in tiles(image, band, tiling, ensemble.sections)
    )
    for group in _groups(cut, tiling.batch):
        windows = [tile.window for tile in group]
        # A batch of another size would be compiled again.
        windows += windows[-1:] * (tiling.batch - len(group))
        yield _Batch(group, predictor.inputs(windows))


def _groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group


def _one_ahead(items: Iterator[Item]) -> Generator[Item]:
    """Yield the items, making the next one in a thread while the caller is busy with this one."""
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="tiles") as pool:
        pending = pool.submit(next, items, end)
        while (item := pending.result()) is not end:
            pending = pool.submit(next, items, end)
            yield item  # type: ignore[misc]  # the end is no item
