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
from uniem.networks.patches import normalised
from uniem.networks.settings import PredictionSettings, TrainingSettings
from uniem.networks.tiling import plan_tiles, predict_volume
from uniem.networks.weights import load_network

SIDE = 2048
ROUNDS = 3
BAR = 0.9
SETTINGS = PredictionSettings(precision="float32")


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
    tiling = plan_tiles(read_network(record.architecture), image.shape[1:], 1, SETTINGS)
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


def tiled_seconds(model: ModelFolder, image: ArrayVolume) -> float:
    """Predict the section as the operation does, the network's loading left out by a first tiny section."""
    once = ArrayVolume(image.array[:, :64, :64])
    begun = time.perf_counter()
    predict_volume(model, once, ArrayVolume(np.zeros(once.shape, np.uint8), kind=Kind.PROBABILITY), SETTINGS)
    loading = time.perf_counter() - begun
    out = ArrayVolume(np.zeros(image.shape, np.uint8), kind=Kind.PROBABILITY)
    begun = time.perf_counter()
    predict_volume(model, image, out, SETTINGS)
    return time.perf_counter() - begun - loading


def main() -> None:
    """Print the median times, interleaved, and the ratio of throughputs."""
    image = ArrayVolume(np.random.default_rng(1).integers(0, 255, (1, SIDE, SIDE), dtype=np.uint8))
    with tempfile.TemporaryDirectory() as folder:
        model = make_model(Path(folder))
        pairs = [(tiled_seconds(model, image), bare_seconds(model, image)) for _ in range(ROUNDS)]
    ours, bare = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(
        f"section {SIDE}^2: tiled {ours:.2f} s, bare {bare:.2f} s, throughput {bare / ours:.2f} (bar {BAR})"
    )


if __name__ == "__main__":
    main()
