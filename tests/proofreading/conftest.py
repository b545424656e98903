"""Label volumes to edit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from uniem.data.geometry import Triple, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import Kind


@pytest.fixture
def new_labels(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a label store with a pyramid, empty or of given labels."""

    def make(
        name: str = "labels.zarr", labels: np.ndarray | None = None, shape: Triple = (6, 600, 560)
    ) -> Path:
        shape = labels.shape if labels is not None else shape  # type: ignore[assignment]
        store = create_store(tmp_path / name, shape, "uint32", VoxelSize(50, 5, 5), Kind.LABELS, (2, 64, 64))
        if labels is not None:
            store[:] = labels
        store.build_pyramid()
        return tmp_path / name

    return make
