"""Tiled inference: `predict_volume` on a section against the bare network on the very same tiles."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from uniem.data.model_folder import ModelFolder
from uniem.data.volume import ArrayVolume, Kind
from uniem.networks.architectures import read_network
from uniem.networks.normalisation import normalised
from uniem.networks.prediction import predict_volume
from uniem.networks.prediction_settings import PredictionSettings
from uniem.networks.settings import TrainingSettings
from uniem.networks.tiling import plan_tiles
from uniem.networks.weights import load_network

SIDE = 2048
ROUNDS = 3
BAR = 0.9
MEMORY = 1000
SETTINGS = PredictionSettings(precision="float32", memory=MEMORY)


def make_model(folder: Path) -> ModelFolder:
    """Train the default network for one step: the weights do not matter for speed."""
    from uniem.networks.training import train

    rng = np.random.default_rng(0)
    image = ArrayVolume(rng.integers(0, 255, (1, 512, 512), dtype=np.uint8))
    labels = ArrayVolume((rng.random((1, 512, 512)) > 0.5).astype(np.uint8), kind=Kind.LABELS)
    model = ModelFolder.create(folder / "model")
    train(image, labels, TrainingSettings(steps=1, batch_size=1, validation_fraction=0), model)
    return model


def bare_seconds(model: ModelFolder, image: ArrayVolume) -> float:
    """Predict the same tiles, ready in memory, by the network alone."""
    record = model.record
    tiling = plan_tiles(read_network(record.architecture), image.shape[1:], 1, MEMORY)
    network = load_network(model, "float32")
    section = normalised(image[0], record.normalisation)
    padded = np.pad(section, SIDE, mode="reflect")
    batches, tiles = [], []
    for y in range(0, SIDE, tiling.tile_yx[0]):
        for x in range(0, SIDE, tiling.tile_yx[1]):
            top, left = y + SIDE - tiling.margin, x + SIDE - tiling.margin
            tiles.append(padded[top : top + tiling.input_yx[0], left : left + tiling.input_yx[1], None])
    batches = [np.stack(tiles[i : i + tiling.batch]) for i in range(0, len(tiles), tiling.batch)]
    network.predict_on_batch(batches[0])
    begun = time.perf_counter()
    for batch in batches:
        network.predict_on_batch(batch)
    return time.perf_counter() - begun


def tiled_seconds(model: ModelFolder, image: ArrayVolume, sections: int) -> float:
    """Predict a number of sections as the operation does, loading the network included."""
    stack = ArrayVolume(np.repeat(image.array, sections, axis=0))
    out = ArrayVolume(np.zeros(stack.shape, np.uint8), kind=Kind.PROBABILITY)
    begun = time.perf_counter()
    predict_volume(model, stack, out, SETTINGS)
    return time.perf_counter() - begun


def main() -> None:
    """Print the median times per section, interleaved, and the ratio of throughputs.

    The time of one section is that of three less that of one, halved, which leaves out loading the network.
    """
    image = ArrayVolume(np.random.default_rng(1).integers(0, 255, (1, SIDE, SIDE), dtype=np.uint8))
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as folder:
        model = make_model(Path(folder))
        for _ in range(ROUNDS):
            ours.append((tiled_seconds(model, image, 3) - tiled_seconds(model, image, 1)) / 2)
            bare.append(bare_seconds(model, image))
    a, b = statistics.median(ours), statistics.median(bare)
    print(f"section {SIDE}^2: tiled {a:.2f} s, bare {b:.2f} s, throughput {b / a:.2f} (bar {BAR})")


if __name__ == "__main__":
    main()
