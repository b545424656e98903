"""Predicting a volume by tiles that overlap so far that no seam can be seen."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, VoxelSize
from uniem.data.model_folder import ModelFolder, Normalisation
from uniem.data.volume import Volume, check_same_shape
from uniem.errors import UniemError
from uniem.networks.architectures import Architecture, read_network
from uniem.networks.backend import out_of_memory_errors, prepare_backend
from uniem.networks.normalisation import normalised
from uniem.networks.reflection import read_reflected, reflected
from uniem.networks.settings import PredictionSettings
from uniem.networks.weights import load_network
from uniem.progress import Context

if TYPE_CHECKING:
    import keras

Item = TypeVar("Item")

LARGEST_BATCH = 16
DIFFERENT_SCALE = 1.25


@dataclass(frozen=True, slots=True)
class Tiling:
    """How the sections of a volume are cut: equal tiles, each seen with a margin around it.

    Tiles begin at multiples of the network's stride and the margin covers its receptive field, so every
    pixel is computed from the same inputs as if the whole section, mirrored at its borders, were computed at
    once.
    """

    section_yx: tuple[int, int]
    tile_yx: tuple[int, int]
    margin: int
    batch: int

    @property
    def input_yx(self) -> tuple[int, int]:
        """The size of what the network sees of a tile."""
        return self.tile_yx[0] + 2 * self.margin, self.tile_yx[1] + 2 * self.margin

    @property
    def grid_yx(self) -> tuple[int, int]:
        """The number of tiles along each axis."""
        (height, width), (tile_y, tile_x) = self.section_yx, self.tile_yx
        return math.ceil(height / tile_y), math.ceil(width / tile_x)

    @property
    def overlap(self) -> float:
        """How many pixels are computed per pixel kept, less one."""
        rows, columns = self.grid_yx
        computed = rows * columns * math.prod(self.input_yx)
        return computed / math.prod(self.section_yx) - 1


@dataclass(frozen=True, slots=True)
class PredictionResult:
    """How a prediction went."""

    seconds: float
    megavoxels_per_second: float
    tile_yx: tuple[int, int]
    overlap: float
    device: str
    precision: str


def plan_tiles(
    network: Architecture, section_yx: tuple[int, int], sections: int, settings: PredictionSettings
) -> Tiling:
    """Choose the largest equal tiles that the memory allows, or those asked for, and the batch."""
    stride, margin = network.stride, network.margin
    budget = settings.memory * 1_000_000 // network.bytes_per_pixel
    whole = [_rounded_up(length, stride) for length in section_yx]
    if settings.tile_size is not None:
        side = _rounded_up(settings.tile_size, stride)
        tile = (min(side, whole[0]), min(side, whole[1]))
    else:
        tile = _largest_tile(section_yx, stride, margin, budget)
    pixels = (tile[0] + 2 * margin) * (tile[1] + 2 * margin)
    planned = Tiling(section_yx, tile, margin, 1)
    batch = min(max(budget // pixels, 1), LARGEST_BATCH, sections * math.prod(planned.grid_yx))
    return Tiling(section_yx, tile, margin, batch)


def predict_volume(
    folder: ModelFolder,
    image: Volume,
    out: Volume,
    settings: PredictionSettings | None = None,
    context: Context | None = None,
) -> PredictionResult:
    """Write the probability of the object at every voxel.

    It is 0 to 255 where `out` is uint8, 0 to 1 where it is float. The image, of any numeric type, is
    normalised as the model's record says. Memory is bounded: `settings.memory` for the network, and a few
    rows of tiles of the volumes.
    """
    settings, context = settings or PredictionSettings(), context or Context()
    started = time.monotonic()
    check_same_shape(image, out)
    _check_output(out)
    record = folder.record
    network = read_network(record.architecture)
    if image.shape[0] * image.shape[1] * image.shape[2] == 0:
        raise UniemError(f"{image} has no voxels.", "Choose another image.")
    backend = prepare_backend(settings.device)
    policy = backend.policy(settings.precision)
    tiling = plan_tiles(network, image.shape[1:], image.shape[0], settings)
    _warn_of_other_scale(record.voxel_size_nm, image, context)
    context.message(
        f"Predicting by {backend}, in {policy.replace('_', ' ')}, tiles of {tiling.tile_yx[0]} × "
        f"{tiling.tile_yx[1]} pixels and a margin of {tiling.margin}."
    )
    model = _with_probabilities(load_network(folder, policy), tiling.margin)
    try:
        _predict(model, image, out, tiling, record.normalisation, context)
    except out_of_memory_errors() as error:
        raise UniemError(
            f"The memory does not suffice for tiles of {tiling.tile_yx[0]} × {tiling.tile_yx[1]} pixels.",
            f"Allow less than {settings.memory} MB, or choose a smaller tile size.",
        ) from error
    seconds = time.monotonic() - started
    speed = math.prod(image.shape) / 1e6 / max(seconds, 1e-9)
    return PredictionResult(seconds, speed, tiling.tile_yx, tiling.overlap, str(backend), policy)


class _Tile(NamedTuple):
    """What the network sees of a tile, normalised, (y, x), and where the tile is."""

    z: int
    y: int
    x: int
    window: NDArray[np.float32]


class _Writer:
    """Collects the tiles of one row of tiles and writes it when it is complete; tiles come in order."""

    def __init__(self, out: Volume, tiling: Tiling) -> None:
        self._out, self._tiling = out, tiling
        self._row = np.zeros((tiling.tile_yx[0], out.shape[2]), out.dtype)

    def place(self, tile: _Tile, probability: NDArray[np.float32]) -> None:
        """Put a tile's probabilities, (tile y, tile x), where they belong."""
        height, width = self._tiling.section_yx
        right = min(tile.x + self._tiling.tile_yx[1], width)
        self._row[:, tile.x : right] = _encoded(probability[:, : right - tile.x], self._out.dtype)
        if right == width:
            bottom = min(tile.y + self._tiling.tile_yx[0], height)
            box = Box((tile.z, tile.y, 0), (tile.z + 1, bottom, width))
            self._out.write(box, self._row[None, : bottom - tile.y])
            self._row = np.zeros_like(self._row)


def _predict(
    model: keras.Model,
    image: Volume,
    out: Volume,
    tiling: Tiling,
    normalisation: Normalisation,
    context: Context,
) -> None:
    writer = _Writer(out, tiling)
    total = image.shape[0] * math.prod(tiling.grid_yx)
    done = 0
    context.progress(0, total, "Predicting")
    with closing(_one_ahead(_groups(_tiles(image, tiling, normalisation), tiling.batch))) as groups:
        for group in groups:
            context.check_cancelled()
            # A batch of another size would be compiled again.
            padded = [*group, *[group[-1]] * (tiling.batch - len(group))]
            inputs = np.stack([tile.window for tile in padded])[..., None]
            probabilities = np.asarray(model.predict_on_batch(inputs))
            for tile, probability in zip(group, probabilities, strict=False):
                writer.place(tile, probability[..., 0])
            done += len(group)
            context.progress(done, total, "Predicting")


def _tiles(image: Volume, tiling: Tiling, normalisation: Normalisation) -> Iterator[_Tile]:
    """Yield all tiles in order; a row of tiles is read once."""
    depth, height, width = image.shape
    margin, (tile_y, tile_x) = tiling.margin, tiling.tile_yx
    for z in range(depth):
        for y in range(0, height, tile_y):
            shown = reflected(height, y - margin, y + tile_y + margin)
            top, bottom = int(shown.min()), int(shown.max()) + 1
            rows = image.read(Box((z, top, 0), (z + 1, bottom, width)))[0]

            def read(y0: int, y1: int, x0: int, x1: int, rows: NDArray[Any] = rows, top: int = top) -> Any:
                return rows[y0 - top : y1 - top, x0:x1]

            for x in range(0, width, tile_x):
                corner = (y - margin, x - margin)
                window = read_reflected(read, tiling.section_yx, corner, tiling.input_yx)
                yield _Tile(z, y, x, normalised(window, normalisation))


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


def _with_probabilities(network: keras.Model, margin: int) -> keras.Model:
    """Return the network with its margin cut off and probabilities, float32, as its output."""
    import keras

    kept = keras.layers.Cropping2D(margin, dtype="float32")(network.outputs[0])
    if kept.shape[-1] == 1:
        probability = keras.layers.Activation("sigmoid", dtype="float32")(kept)
    else:
        # Of several classes: that of being any but the background, which comes first.
        probability = 1 - keras.layers.Softmax(dtype="float32")(kept)[..., :1]
    model = keras.Model(network.inputs, probability)
    # XLA is slower on a CPU, and compiles again for every size.
    model.jit_compile = False
    return model


def _encoded(probability: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind == "f":
        return probability.astype(dtype)
    return np.asarray(np.rint(probability * np.float32(255)), dtype)


def _check_output(out: Volume) -> None:
    if out.dtype != np.uint8 and out.dtype.kind != "f":
        raise UniemError(
            f"Probabilities cannot be written as {out.dtype}.", "Choose uint8 (0 to 255) or float32 (0 to 1)."
        )


def _warn_of_other_scale(trained: VoxelSize | None, image: Volume, context: Context) -> None:
    if trained is None or image.voxel_size is None:
        return
    ratios = [image.voxel_size.y / trained.y, image.voxel_size.x / trained.x]
    if max(max(ratio, 1 / ratio) for ratio in ratios) > DIFFERENT_SCALE:
        context.message(
            f"The model was trained at {trained}, the image is {image.voxel_size}: expect worse results."
        )


def _largest_tile(section_yx: tuple[int, int], stride: int, margin: int, budget: int) -> tuple[int, int]:
    """Return the sides of the fewest equal tiles of which one fits in the budget of pixels.

    Below the size of the margin, smaller tiles would cost more than they save: there the budget is exceeded.
    """
    smallest = max(stride, margin)
    counts = [1, 1]
    while True:
        tile = [
            _rounded_up(math.ceil(length / count), stride)
            for length, count in zip(section_yx, counts, strict=True)
        ]
        longer = 0 if tile[0] >= tile[1] else 1
        if (tile[0] + 2 * margin) * (tile[1] + 2 * margin) <= budget or tile[longer] <= smallest:
            return tile[0], tile[1]
        counts[longer] += 1


def _rounded_up(length: int, step: int) -> int:
    return math.ceil(length / step) * step
