"""Tiled inference: speed against the bare network on the same tiles, memory on 10 GB, and other engines.

Run `python -m benchmarks.inference [memory speed engines arithmetic]`. For arithmetic the variable UNIEM_DATA
names the folder of the real data; a network is trained on the heart muscle first.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.memory import NETWORK, peak_mb
from uniem.data.formats import open_volume
from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.model_folder import ModelFolder
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind
from uniem.networks.architectures import EmNetV1x2, Network, Unet
from uniem.networks.arithmetic_check import calibration_windows
from uniem.networks.ensembles import Ensemble, Predictor
from uniem.networks.normalisation import normalised
from uniem.networks.openvino_engine import INT8
from uniem.networks.prediction import default_memory, predict_volume
from uniem.networks.prediction_settings import Arithmetic, Engine, PredictionSettings
from uniem.networks.settings import TrainingSettings
from uniem.networks.tiled_prediction import predict_tiles
from uniem.networks.tiling import Tiling, plan_tiles, tiles
from uniem.networks.weights import load_network
from uniem.progress import Context

SIDE = 2048
ROUNDS = 3
TRAINED_MINUTES = 4.0
BAR = 0.95
# 32-bit voxels, nothing of which is on the disk.
LARGE: Triple = (40, 8192, 8192)
TINY: Triple = (2, 1024, 1024)
MEMORY_BAR_MB = 1500
Floats = NDArray[np.float32]


def make_model(folder: Path, network: Network) -> ModelFolder:
    """Train a network for one step: the weights do not matter for speed."""
    from uniem.networks.training import train

    rng = np.random.default_rng(0)
    image = ArrayVolume(rng.integers(0, 255, (1, 512, 512), dtype=np.uint8))
    labels = ArrayVolume((rng.random((1, 512, 512)) > 0.5).astype(np.uint8), kind=Kind.LABELS)
    model = ModelFolder.create(folder)
    settings = TrainingSettings(
        network=network, steps=1, batch_size=1, validation_fraction=0, precision="float32"
    )
    train(image, labels, settings, model)
    return model


class Section:
    """A section to predict with one way of cutting it, by the suite and by the bare network."""

    def __init__(self, model: ModelFolder, memory_mb: int) -> None:
        self.model, self.ensemble = model, Ensemble.open(model)
        array = np.random.default_rng(1).integers(0, 255, (1, SIDE, SIDE), dtype=np.uint8)
        self.image = ArrayVolume(array)
        self.out = ArrayVolume(np.zeros(array.shape, np.float32))
        self.tiling: Tiling = plan_tiles(self.ensemble, (SIDE, SIDE), 1, memory_mb)

    def ours(self, engine: Engine = "keras", policy: str = "float32") -> Callable[[], None]:
        """Return what predicts the section as the operation does, its network loaded and warm."""
        samples = calibration_windows(self.ensemble, [self.image]) if policy == INT8 else ()
        predictor = Predictor(self.ensemble, PredictionSettings(engine=engine), policy, samples)
        predictor.probabilities([self._batches()[0]])

        def encode(probabilities: Floats) -> list[NDArray[Any]]:
            return [probabilities[..., 0]]

        def predict() -> None:
            predict_tiles(
                self.ensemble, predictor, self.image, [self.out], encode, self.tiling, Context(), "Predicting"
            )

        return predict

    def bare(self) -> Callable[[], None]:
        """Return what gives the same tiles, ready in memory, to the network alone."""
        network, batches = load_network(self.model), self._batches()
        network.predict_on_batch(batches[0])

        def predict() -> None:
            for batch in batches:
                network.predict_on_batch(batch)

        return predict

    def _batches(self) -> list[Floats]:
        tiling, normalisation = self.tiling, self.model.record.normalisation
        starts = range(0, SIDE, tiling.tile_yx[0])
        bands = [Box((0, y, 0), (1, min(y + tiling.tile_yx[0], SIDE), SIDE)) for y in starts]
        cut = [tile for band in bands for tile in tiles(self.image, band, tiling, 1)]
        inputs = [normalised(tile.window, normalisation) for tile in cut]
        return [np.stack(inputs[i : i + tiling.batch]) for i in range(0, len(inputs), tiling.batch)]


def seconds_of(*ways: Callable[[], None]) -> list[tuple[float, float]]:
    """Return the median wall and processor seconds of each way, the ways taking turns."""
    took: list[list[tuple[float, float]]] = [[] for _ in ways]
    for _ in range(ROUNDS):
        for way, times in zip(ways, took, strict=True):
            begun = time.perf_counter(), time.process_time()
            way()
            times.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    return [
        (statistics.median(wall for wall, _ in times), statistics.median(cpu for _, cpu in times))
        for times in took
    ]


def measure_speed(folder: Path) -> None:
    """Print the times of a section with little memory and with what is used by default."""
    model = make_model(folder / "unet", Unet())
    for memory in sorted({1000, default_memory()}):
        section = Section(model, memory)
        (wall, cpu), (bare_wall, bare_cpu) = seconds_of(section.ours(), section.bare())
        print(
            f"unet {SIDE}^2, {_described(section.tiling, memory)}: wall {wall:.2f} s, bare "
            f"{bare_wall:.2f} s, CPU {cpu:.2f} s, bare {bare_cpu:.2f} s: throughput by CPU "
            f"{bare_cpu / cpu:.3f} (bar {BAR})",
            flush=True,
        )
        wide = plan_tiles(EmNetV1x2(), (SIDE, SIDE), 1, memory)
        print(f"em-net-v1-2x {SIDE}^2, {_described(wide, memory)}", flush=True)


def _described(tiling: Tiling, memory_mb: int) -> str:
    size = f"{tiling.tile_yx[0]} x {tiling.tile_yx[1]}"
    return f"{memory_mb} MB, tiles {size}, overlap {tiling.overlap:.2f}"


def measure_engines(folder: Path) -> None:
    """Print time and difference of each engine and arithmetic."""
    section = Section(make_model(folder / "engines", Unet()), 1000)
    ways: dict[str, Callable[[], None]] = {"keras float32": section.ours()}
    ways["keras bfloat16"] = section.ours(policy="mixed_bfloat16")
    if importlib.util.find_spec("openvino"):
        ways["openvino float32"] = section.ours("openvino")
        ways["openvino bfloat16"] = section.ours("openvino", "mixed_bfloat16")
    if importlib.util.find_spec("nncf"):
        ways["openvino int8"] = section.ours("openvino", INT8)
    exact: NDArray[Any] | None = None
    differences = []
    for way in ways.values():
        way()
        found = section.out.array.copy()
        exact = found if exact is None else exact
        differences.append((np.abs(found - exact).max(), np.abs(found - exact).mean()))
    for name, times, apart in zip(ways, seconds_of(*ways.values()), differences, strict=True):
        print(
            f"{name:18} wall {times[0]:.2f} s, CPU {times[1]:.2f} s; from keras float32 at most "
            f"{apart[0]:.1e}, on average {apart[1]:.1e}",
            flush=True,
        )


def measure_arithmetic(folder: Path) -> None:
    """Print how far each engine and arithmetic is from float32 on real sections, and what it scores there."""
    data = Path(os.environ["UNIEM_DATA"])
    model = train_really(folder / "trained", data)
    image, truth = (open_volume(str(data / f"cardiac_test_{part}.tif")) for part in ("raw", "mito"))
    choices: list[tuple[Engine, Arithmetic]] = [("keras", "float32"), ("keras", "bfloat16")]
    if importlib.util.find_spec("openvino"):
        choices += [("openvino", "float32"), ("openvino", "bfloat16")]
    if importlib.util.find_spec("nncf"):
        choices.append(("openvino", "int8"))
    exact: NDArray[Any] | None = None
    for engine, precision in choices:
        out = ArrayVolume(np.zeros(image.shape, np.float32))
        settings = PredictionSettings(device="cpu", engine=engine, precision=precision)
        predict_volume(model, image, out, settings)
        exact = out.array if exact is None else exact
        found, objects, apart = out.array > 0.5, truth[:] > 0, np.abs(out.array - exact)
        f1 = 2 * np.count_nonzero(found & objects) / (np.count_nonzero(found) + np.count_nonzero(objects))
        print(
            f"{engine} {precision}: F1 {f1:.4f}; from keras float32 on average {apart.mean():.1e}, at most "
            f"{apart.max():.1e}, decided otherwise {np.mean(found != (exact > 0.5)):.2%}",
            flush=True,
        )


def train_really(folder: Path, data: Path) -> ModelFolder:
    """Train the small U-Net on the heart muscle for some minutes."""
    from uniem.networks.training import train

    image = open_volume(str(data / "cardiac_raw.tif"))
    labels = open_volume(str(data / "cardiac_mito.tif"), Kind.LABELS)
    settings = TrainingSettings(steps=100_000, max_minutes=TRAINED_MINUTES, device="cpu")
    model = ModelFolder.create(folder)
    train(image, labels, settings, model)
    return model


def measure_memory(folder: Path) -> None:
    """Print the peak memory on 10 GB beside that on a section of one tile."""
    size = VoxelSize(40, 4, 4)
    for name, shape in (("tiny", TINY), ("large", LARGE)):
        create_store(folder / f"{name}.zarr", shape, "float32", size, Kind.IMAGE)
    rng = np.random.default_rng(0)
    for name, kind in (("image", Kind.IMAGE), ("labels", Kind.LABELS)):
        store = create_store(folder / f"{name}.zarr", (1, 128, 128), "uint8", size, kind)
        store[:] = rng.integers(0, 2, store.shape, dtype=np.uint8)
    # In a process of its own: a child's peak counts from the size of the parent that started it.
    train = ["--steps", "1", "--patch-size", "64", "--device", "cpu", *NETWORK]
    peak_mb(folder, "train-2d", "image.zarr", "labels.zarr", "tiny-model", *train)
    chosen = ["--tile-size", "1024", "--memory", "1000", "--device", "cpu"]
    base, peak = (
        peak_mb(folder, "infer-2d", f"{name}.zarr", "tiny-model", f"{name}-result.zarr", *chosen)
        for name in ("tiny", "large")
    )
    gigabytes = 4e-9 * LARGE[0] * LARGE[1] * LARGE[2]
    print(
        f"memory: {base:.0f} MB on one tile, {peak:.0f} MB on {gigabytes:.1f} GB: +{peak - base:.0f} MB (bar "
        f"{MEMORY_BAR_MB} MB)",
        flush=True,
    )


def main(wanted: Sequence[str] = ()) -> None:
    """Print what is asked for of speed, engines and memory; all by default."""
    measures = {
        "memory": measure_memory,
        "speed": measure_speed,
        "engines": measure_engines,
        "arithmetic": measure_arithmetic,
    }
    usual = [name for name in measures if name != "arithmetic" or "UNIEM_DATA" in os.environ]
    for name, measure in measures.items():
        if name in (wanted or usual):
            with tempfile.TemporaryDirectory() as folder:
                measure(Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
