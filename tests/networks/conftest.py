"""What tests of networks share: an image with bright discs, and a network that trains at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from uniem.data.geometry import VoxelSize
from uniem.data.model_folder import ModelFolder, ModelRecord, Normalisation
from uniem.data.volume import ArrayVolume, Kind
from uniem.networks.architectures import Architecture, Unet
from uniem.networks.backend import prepare_backend
from uniem.networks.settings import TrainingSettings
from uniem.networks.weights import save_weights
from uniem.progress import Context


class Recorder(Context):
    """Keeps what is reported, and cancels after a number of questions."""

    def __init__(self, cancel_after: int | None = None) -> None:
        self.metrics: list[tuple[int, dict[str, float]]] = []
        self.previews: list[NDArray[np.uint8]] = []
        self.messages: list[str] = []
        self.progresses: list[tuple[int, int | None, str]] = []
        self.cancel_after = cancel_after

    def cancelled(self) -> bool:
        if self.cancel_after is None:
            return False
        self.cancel_after -= 1
        return self.cancel_after < 0

    def progress(self, done: int, total: int | None, label: str) -> None:
        self.progresses.append((done, total, label))

    def metric(self, step: int, **values: float) -> None:
        self.metrics.append((step, values))

    def preview(self, name: str, image: NDArray[np.uint8]) -> None:
        self.previews.append(image)

    def message(self, text: str) -> None:
        self.messages.append(text)


def discs(shape: tuple[int, int, int], seed: int = 0) -> tuple[ArrayVolume, ArrayVolume]:
    """Return noisy sections with bright discs, uint8, and the discs' labels, uint32."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[1], : shape[2]]
    labels = np.zeros(shape, np.uint32)
    for z in range(shape[0]):
        for number in range(max(1, shape[1] * shape[2] // 900)):
            y, x = rng.integers(shape[1]), rng.integers(shape[2])
            labels[z][(rows - y) ** 2 + (columns - x) ** 2 < rng.integers(16, 60)] = number + 1
    image = np.where(labels, 170, 90) + rng.normal(0, 15, shape)
    size = VoxelSize(50, 4, 4)
    return (
        ArrayVolume(np.clip(image, 0, 255).astype(np.uint8), size, Kind.IMAGE, "discs"),
        ArrayVolume(labels, size, Kind.LABELS, "discs, labelled"),
    )


def quick_settings(**changes: Any) -> TrainingSettings:
    """Return settings that train a tiny network in a second or two."""
    settings: dict[str, Any] = {
        "network": Unet(depth=1, base_features=4),
        "steps": 12,
        "patch_size": 32,
        "batch_size": 4,
        "learning_rate": 0.01,
        "validate_every": 6,
        "device": "cpu",
    }
    return TrainingSettings(**{**settings, **changes})


@pytest.fixture
def sample() -> tuple[ArrayVolume, ArrayVolume]:
    """Return an image and its labels, 2 sections of 96 × 80."""
    return discs((2, 96, 80))


def untrained(path: Path, network: Architecture, seed: int = 1, **record: Any) -> ModelFolder:
    """Leave a network with random weights in a model folder; its answers differ from place to place."""
    import keras

    prepare_backend("cpu")
    keras.utils.set_random_seed(seed)
    folder = ModelFolder.create(path)
    facts = {
        "architecture": network.model_dump(),
        "normalisation": Normalisation(mean=110, std=40),
        "voxel_size": (50, 4, 4),
        "patch": 32,
        "stride": network.stride,
        "receptive_field": network.receptive_field,
        "parameters": 0,
        **record,
    }
    folder.save_record(ModelRecord(**facts))
    save_weights(network.build(channels_out=len(folder.record.classes)), folder.weights_path)
    return folder
