"""Neuroglancer itself, in a browser, opens what we write for it and sees our voxels, ids and voxel sizes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from uniem.data.formats import export_volume
from uniem.data.geometry import VoxelSize
from uniem.data.volume import ArrayVolume, Kind

# A browser that draws in software takes its time: `make peers` and `make verify` run this.
pytestmark = pytest.mark.slow

SHAPE = (6, 600, 700)
BOX = [[500, 400, 0], [700, 600, 6]]
POINTS = [[330, 100, 3], [100, 100, 0], [400, 300, 5], [35, 3, 2]]
SOURCES = {
    "image": "precomputed://image.precomputed",
    "labels": "precomputed://labels.precomputed",
    "wide-labels": "precomputed://wide-labels.precomputed",
    "zarr-image": "zarr://image.zarr",
    "old-zarr-labels": "zarr://labels.zarr",
}


def arrays() -> dict[str, NDArray[Any]]:
    """Return a wavy image, and labels in squares of 70 x 70 with gaps, the largest id among them."""
    z, y, x = np.indices(SHAPE)
    image = (127 + 60 * np.sin(x / 17) * np.cos(y / 23) + 20 * np.sin(z / 5)).astype(np.uint8)
    labels = ((y // 70) * 20 + x // 70 + 1).astype(np.uint32)
    labels[(y % 70 < 6) | (x % 70 < 6)] = 0
    wide = labels.astype(np.uint64)
    wide[labels == 25] = 2**64 - 1
    labels[labels == 25] = 2**32 - 1
    return {"image": image, "labels": labels, "wide-labels": wide}


@pytest.fixture(scope="module")
def seen(run_peer: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Return where the picture and the voxels are that Neuroglancer showed, and its report."""
    folder = tmp_path_factory.mktemp("neuroglancer")
    for name, array in arrays().items():
        volume = ArrayVolume(array, VoxelSize(40, 4.6, 4), Kind.IMAGE if name == "image" else Kind.LABELS)
        export_volume(volume, folder / f"{name}.precomputed")
        if name != "wide-labels":
            export_volume(volume, folder / f"{name}.zarr", version="0.5" if name == "image" else "0.4")
    layers = [
        {"name": name, "kind": "labels" if "labels" in name else "image", "source": source}
        for name, source in SOURCES.items()
    ]
    request = {"folder": str(folder), "layers": layers, "box": BOX, "points": POINTS}
    (folder / "request.json").write_text(json.dumps(request))
    run_peer("show_in_neuroglancer.py", folder / "request.json", folder / "result")
    return folder / "result", json.loads((folder / "result" / "report.json").read_text())


def test_it_reports_no_error(seen: Any) -> None:
    assert seen[1]["errors"] == []


@pytest.mark.parametrize("name", SOURCES)
def test_a_layer_has_the_size_the_type_and_the_voxel_size(seen: Any, name: str) -> None:
    found = seen[1]["layers"][name]
    array = arrays()[name.removeprefix("old-").removeprefix("zarr-")]
    metres = dict(zip(found["axes"], found["scales"], strict=True))
    extent = {
        a: (low, high) for a, low, high in zip(found["axes"], found["lower"], found["upper"], strict=True)
    }
    assert found["dtype"] == array.dtype
    assert set(found["units"]) == {"m"}
    assert metres == pytest.approx({"x": 4e-9, "y": 4.6e-9, "z": 40e-9})
    assert extent == {"x": (0, 700), "y": (0, 600), "z": (0, 6)}


@pytest.mark.parametrize("name", ["image", "zarr-image"])
def test_it_decodes_every_voxel_of_a_box(seen: Any, name: str) -> None:
    (x0, y0, z0), (x1, y1, z1) = BOX
    expected = arrays()["image"][z0:z1, y0:y1, x0:x1]
    np.testing.assert_array_equal(np.load(seen[0] / f"{name}.npy").T, expected)


@pytest.mark.parametrize(("number", "point"), list(enumerate(POINTS)))
def test_it_sees_the_labels_under_the_pointer(seen: Any, number: int, point: list[int]) -> None:
    found = seen[1]["seen"][number]
    x, y, z = point
    assert found["position"] == pytest.approx([x + 0.25, y + 0.25, z + 0.25], abs=0.24)
    for name, array in arrays().items():
        assert found[name] == int(array[z, y, x]), name
    assert found["old-zarr-labels"] == found["labels"]
    assert found["zarr-image"] == found["image"]


def test_the_picture_is_full_of_the_labels_colours(seen: Any) -> None:
    from PIL import Image

    with Image.open(seen[0] / "picture.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
    is_coloured = np.ptp(pixels, axis=1) > 40
    assert is_coloured.mean() > 0.05
    assert len(np.unique(pixels[is_coloured] // 32, axis=0)) > 20
