from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uniem.data.geometry import VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import Kind
from uniem.operations.execution import run_operation
from uniem.operations.parameters import validated
from uniem.operations.registry import find
from uniem.progress import Context

NM = VoxelSize(50, 4, 4)


class Recorder(Context):
    """A context that keeps what it is told, and asks to end after a number of steps."""

    def __init__(self, cancel_after: int | None = None) -> None:
        self.results: dict[str, Any] = {}
        self.messages: list[str] = []
        self.labels: list[str] = []
        self.metrics: list[tuple[int, dict[str, float]]] = []
        self._cancel_after = cancel_after
        self._steps = 0

    def cancelled(self) -> bool:
        self._steps += 1
        return self._cancel_after is not None and self._steps > self._cancel_after

    def progress(self, done: int, total: int | None, label: str) -> None:
        self.labels.append(label)

    def metric(self, step: int, **values: float) -> None:
        self.metrics.append((step, values))

    def message(self, text: str) -> None:
        self.messages.append(text)

    def result(self, **values: Any) -> None:
        self.results.update(values)


def run(
    id: str,
    inputs: dict[str, Any],
    outputs: dict[str, Any],
    context: Context | None = None,
    overwrite: bool = False,
    **parameters: Any,
) -> Context:
    """Run an operation by its id on paths."""
    operation = find(id)
    context = context or Recorder()
    run_operation(
        operation,
        validated(operation.parameters, parameters),
        {name: str(path) for name, path in inputs.items()},
        {name: str(path) for name, path in outputs.items()},
        context,
        overwrite,
    )
    return context


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A store of 5 noisy sections with bright discs, in a folder of its own."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:96, :100]
    grey = rng.normal(90, 12, (5, 96, 100))
    for z in range(5):
        for cy, cx in ((25, 30), (70, 65)):
            grey[z][(y - cy) ** 2 + (x - cx - z) ** 2 < 140] += 90
    path = tmp_path / "in" / "image.zarr"
    store = create_store(path, (5, 96, 100), "uint8", NM, Kind.IMAGE)
    store[:] = grey.clip(0, 255).astype(np.uint8)
    return path


@pytest.fixture
def labels(image: Path) -> Path:
    """The store of the discs, 1 and 2."""
    y, x = np.mgrid[:96, :100]
    truth = np.zeros((5, 96, 100), np.uint32)
    for z in range(5):
        for label, (cy, cx) in enumerate(((25, 30), (70, 65)), 1):
            truth[z][(y - cy) ** 2 + (x - cx - z) ** 2 < 140] = label
    store = create_store(image.parent / "labels.zarr", truth.shape, "uint32", NM, Kind.LABELS)
    store[:] = truth
    return store.path
