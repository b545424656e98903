"""A trained network as a bioimage.io package: one zip file with network, description and example."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.model_folder import ModelFolder
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.networks.architectures import read_network
from uniem.networks.exchange.example import gray_example, probabilities_of
from uniem.networks.exchange.onnx_export import onnx_of
from uniem.networks.exchange.package_description import (
    COVER,
    DESCRIPTION,
    NETWORK,
    TEST_INPUT,
    TEST_OUTPUT,
    TEXT,
    Publication,
    description_of,
    text_of,
    top_of,
)

# Validators refuse examples in which there is next to nothing.
LEAST_ANSWER = 1e-3
# The same package has the same bytes, whenever it is made.
FIRST_DATE = (1980, 1, 1, 0, 0, 0)


def write_package(
    folder: ModelFolder, path: Path, publication: Publication, sample: Volume | None = None
) -> None:
    """Write a model as a package; `sample` gives the example that it is tested by, else one is made up.

    Input and output are (batch, channels, y, x), float32. The description states axes, pixel size, the
    normalisation, and of tiles the smallest side, the step and the halo.
    """
    record = folder.record
    network = read_network(record.architecture)
    gray = gray_example(record, sample)
    answer = probabilities_of(folder, gray) * np.float32(top_of(record))
    if float(np.abs(answer).max()) < LEAST_ANSWER:
        raise UniemError(
            f"{folder} finds nothing in the example, so that nobody could test it by that.",
            "Name an image in whose middle there is what it finds.",
        )
    files = {
        NETWORK: onnx_of(folder, takes_gray_values=False),
        TEST_INPUT: _npy(gray),
        TEST_OUTPUT: _npy(answer),
        TEXT: text_of(record, network, publication).encode(),
        COVER: _cover(folder, gray, answer),
    }
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    described = description_of(record, network, publication, hashes)
    _write_zip(path, {DESCRIPTION: _yaml(described), **files})


def _write_zip(path: Path, files: dict[str, bytes]) -> None:
    # Weights hardly shrink.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, FIRST_DATE), content)


def _yaml(described: dict[str, Any]) -> bytes:
    import yaml

    return bytes(yaml.safe_dump(described, sort_keys=False, allow_unicode=True, encoding="utf-8"))


def _npy(values: NDArray[np.float32]) -> bytes:
    """Return (1, y, x, channels) as the file of an array (1, channels, y, x)."""
    held = io.BytesIO()
    np.save(held, np.ascontiguousarray(values.transpose(0, 3, 1, 2)), allow_pickle=False)
    return held.getvalue()


def _cover(folder: ModelFolder, gray: NDArray[np.float32], answer: NDArray[np.float32]) -> bytes:
    """Return the model's picture, or else the example and what is found in it side by side, as PNG."""
    import imagecodecs

    if folder.picture_path.is_file():
        return folder.picture_path.read_bytes()
    shown = [gray[0, ..., gray.shape[-1] // 2], answer[0, ..., -1]]
    pictures = []
    for values in shown:
        low, high = np.percentile(values, (0.5, 99.5))
        pictures.append(np.clip((values - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8))
    return bytes(imagecodecs.png_encode(np.concatenate(pictures, axis=1)))
