"""What a bioimage.io package says of a network: its `rdf.yaml`, format 0.5, and the text beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from uniem.data.model_folder import ModelRecord
from uniem.networks.architectures import Architecture
from uniem.networks.exchange.example import smallest_side
from uniem.networks.exchange.onnx_export import INPUT, OUTPUT
from uniem.networks.exchange.onnx_graph import OPSET

FORMAT_VERSION = "0.5.4"
DESCRIPTION, TEXT, COVER = "rdf.yaml", "README.md", "cover.png"
NETWORK, TEST_INPUT, TEST_OUTPUT = "network.onnx", "test_input.npy", "test_output.npy"
# Names have 5 to 128 of these characters.
SHORTEST_NAME, LONGEST_NAME = 5, 128
NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_+() -]+")


class Publication(BaseModel):
    """What a package says of where a network comes from and what others may do with it."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: str = Field("", description="Name of the network in lists; empty: the model's own.")
    summary: str = Field("", description="What it finds, in a sentence or two; empty: said from the record.")
    authors: str = Field("", description="Names of its authors, with ; between them.")
    license: str = Field(
        "CC-BY-4.0", description="SPDX name of its license, such as CC-BY-4.0, CC0-1.0 or MIT."
    )
    cite: str = Field("", description="What others cite where they use it, as text.")
    doi: str = Field("", description="DOI of what others cite, such as 10.1038/s41592-019-0612-7.")


def description_of(
    record: ModelRecord, network: Architecture, publication: Publication, hashes: Mapping[str, str]
) -> dict[str, Any]:
    """Return what `rdf.yaml` says; `hashes` are the SHA-256 of the package's files by name."""
    found: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "type": "model",
        "name": name_of(record, publication),
        "description": publication.summary or summary_of(record, network),
        "documentation": TEXT,
        "covers": [COVER],
        "license": publication.license,
        "tags": ["electron-microscopy", "segmentation", "2d", record.task, str(record.architecture["kind"])],
        "inputs": [_input(record, network, hashes)],
        "outputs": [_output(record, network, hashes)],
        "weights": {"onnx": {"source": NETWORK, "sha256": hashes[NETWORK], "opset_version": OPSET}},
        "config": {"uniem": _facts(record)},
    }
    authors = [name.strip() for name in publication.authors.split(";") if name.strip()]
    if authors:
        found["authors"] = [{"name": name} for name in authors]
    if publication.doi:
        found["cite"] = [{"text": publication.cite or publication.doi, "doi": publication.doi}]
    return found


def name_of(record: ModelRecord, publication: Publication) -> str:
    """Return a name in the characters that names may have."""
    kind = str(record.architecture["kind"])
    wanted = publication.name or record.name or f"{', '.join(record.classes)} by {kind}"
    name = " ".join(NOT_IN_NAMES.sub(" ", wanted).split())[:LONGEST_NAME]
    return name if len(name) >= SHORTEST_NAME else f"{name} by {kind}".strip()


def summary_of(record: ModelRecord, network: Architecture) -> str:
    """Return in one sentence what a network finds, and on what pixels."""
    wanted = {"boundary": "boundaries", "gray": "gray values"}.get(record.task, ", ".join(record.classes))
    size = record.voxel_size_nm
    pixels = f" at pixels of {size.x:g} × {size.y:g} nm" if size else ""
    return f"Finds {wanted} in sections of electron micrographs{pixels}, by a {network.title}."


def text_of(record: ModelRecord, network: Architecture, publication: Publication) -> str:
    """Return the text for readers, as Markdown."""
    scores = [f"- {name.replace('_', ' ')}: {value:.4g}" for name, value in record.best.items()]
    mean, std = record.normalisation.mean, record.normalisation.std
    cite = " ".join(part for part in (publication.cite, publication.doi) if part)
    parts = [
        f"# {name_of(record, publication)}",
        publication.summary or summary_of(record, network),
        f"The network is a {network.title} with {record.parameters:,} weights, trained for {record.steps:,} "
        f"steps on patches of {record.patch} × {record.patch} pixels. It takes gray values as they are in "
        f"the images, less {mean:.6g} and divided by {std:.6g}, and gives one probability per pixel for: "
        f"{', '.join(record.classes)}.",
        "## Validation",
        "\n".join(scores) or "No scores were kept. Judge it on sections of your own before you rely on it.",
        "The scores are those on parts of the training data that were kept aside.",
    ]
    return "\n\n".join([*parts, *(["## Citation", cite] if cite else [])]) + "\n"


def _input(record: ModelRecord, network: Architecture, hashes: Mapping[str, str]) -> dict[str, Any]:
    middle = network.sections // 2
    names = (
        ["gray"] if network.sections == 1 else [f"section{n - middle:+d}" for n in range(network.sections)]
    )
    sides = {"min": smallest_side(network), "step": network.stride}
    normalisation = {"mean": record.normalisation.mean, "std": record.normalisation.std}
    return {
        "id": INPUT,
        "description": "Gray values as they are in the images.",
        "axes": [*_first_axes(names), *({**axis, "size": sides} for axis in _sides(record))],
        "test_tensor": {"source": TEST_INPUT, "sha256": hashes[TEST_INPUT]},
        "data": {"type": "float32"},
        "preprocessing": [{"id": "fixed_zero_mean_unit_variance", "kwargs": normalisation}],
    }


def _output(record: ModelRecord, network: Architecture, hashes: Mapping[str, str]) -> dict[str, Any]:
    names = [re.sub(r"\s+", "-", name) for name in record.classes]
    axes = [
        # What is nearer to the border than this depends on what lies beyond it.
        {**axis, "size": {"tensor_id": INPUT, "axis_id": axis["id"]}, "halo": network.margin}
        for axis in _sides(record)
    ]
    found = {
        "id": OUTPUT,
        "description": "Gray values." if record.task == "gray" else "Probability of each class.",
        "axes": [*_first_axes(names), *axes],
        "test_tensor": {"source": TEST_OUTPUT, "sha256": hashes[TEST_OUTPUT]},
        "data": {"type": "float32"},
    }
    if record.task == "gray":
        found["postprocessing"] = [{"id": "scale_linear", "kwargs": {"gain": top_of(record), "offset": 0.0}}]
    return found


def top_of(record: ModelRecord) -> float:
    """Return what an output of 1 stands for after all processing."""
    return float(record.top or 255.0) if record.task == "gray" else 1.0


def _first_axes(names: list[str]) -> list[dict[str, Any]]:
    return [{"type": "batch"}, {"type": "channel", "channel_names": names}]


def _sides(record: ModelRecord) -> list[dict[str, Any]]:
    size = record.voxel_size_nm
    scales = {"y": size.y, "x": size.x} if size else {}
    return [
        {"type": "space", "id": side}
        | ({"unit": "nanometer", "scale": float(scales[side])} if side in scales else {})
        for side in "yx"
    ]


def _facts(record: ModelRecord) -> dict[str, Any]:
    """Return what our own reader needs; not what was trained on, whose places are nobody else's business."""
    kept = {"name", "task", "classes", "class_labels", "top", "architecture", "voxel_size", "patch", "best"}
    return record.model_dump(mode="json", include=kept | {"receptive_field", "parameters", "steps"})
