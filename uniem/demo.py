"""The main job from end to end on the synthetic sample, with a report of what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem import report
from uniem.data.geometry import Triple
from uniem.data.store import create_store, open_store
from uniem.data.volume import Kind
from uniem.errors import UniemError
from uniem.operations.execution import run_operation
from uniem.operations.parameters import validated
from uniem.operations.registry import find
from uniem.progress import Context

SAMPLE_SHAPE: Triple = (32, 384, 384)
TRAINING_SECTIONS = 12
SEED = 7


class _Recorder(Context):
    """Pass everything on to another context, and keep curves and results for the report."""

    def __init__(self, to: Context) -> None:
        self.to = to
        self.curves: dict[str, list[tuple[int, float]]] = {}
        self.results: dict[str, Any] = {}

    def cancelled(self) -> bool:
        return self.to.cancelled()

    def progress(self, done: int, total: int | None, label: str) -> None:
        self.to.progress(done, total, label)

    def metric(self, step: int, **values: float) -> None:
        for name, value in values.items():
            self.curves.setdefault(name, []).append((step, value))
        self.to.metric(step, **values)

    def preview(self, name: str, image: NDArray[np.uint8]) -> None:
        self.to.preview(name, image)

    def message(self, text: str) -> None:
        self.to.message(text)

    def result(self, **values: Any) -> None:
        self.results.update(values)


@dataclass
class _Run:
    """The demo's folder, and what its steps have reported so far."""

    folder: Path
    recorder: _Recorder
    commands: list[str] = field(default_factory=list)

    def step(
        self, id: str, inputs: Mapping[str, str], outputs: Mapping[str, str], **parameters: Any
    ) -> dict[str, Any]:
        """Run one operation on names inside the demo's folder, and return its results."""
        self.recorder.results = {}
        operation = find(id)
        self.recorder.message(operation.summary)
        flags = [f"--{name.replace('_', '-')} {value}" for name, value in parameters.items()]
        self.commands.append(" ".join(["uniem", id, *inputs.values(), *outputs.values(), *flags]))
        run_operation(
            operation,
            validated(operation.parameters, _nested(parameters)),
            {name: str(self.folder / value) for name, value in inputs.items()},
            {name: str(self.folder / value) for name, value in outputs.items()},
            self.recorder,
        )
        return self.recorder.results


def make_sample(folder: Path, shape: Triple = SAMPLE_SHAPE, context: Context | None = None) -> None:
    """Write the synthetic EM sample: `image.zarr`, and exact `cells.zarr` and `mitochondria.zarr`."""
    from uniem.data.phantom import DEFAULT_VOXEL_SIZE, write_phantom

    context = context or Context()
    kinds = {"image": Kind.IMAGE, "cells": Kind.LABELS, "mitochondria": Kind.LABELS}
    dtypes = {Kind.IMAGE: "uint8", Kind.LABELS: "uint32"}
    parts = {name: folder / f".{name}.part.zarr" for name in kinds}
    volumes = {
        name: create_store(part, shape, dtypes[kinds[name]], DEFAULT_VOXEL_SIZE, kinds[name])
        for name, part in parts.items()
    }
    write_phantom(volumes["image"], volumes["cells"], volumes["mitochondria"], SEED, context)
    for name, volume in volumes.items():
        volume.build_pyramid(context)
        volume.rename(f"{name}.zarr")
        parts[name].rename(folder / f"{name}.zarr")


def run_demo(folder: Path, context: Context | None = None, minutes: float = 2.0) -> Path:
    """Make the sample, train, infer, label, evaluate, mesh and measure; return the report's path.

    Training sees the first sections only; the scores are of the others, which the network never saw.
    """
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise UniemError(f"{folder} is not empty.", "Name a new or an empty folder.")
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run(folder, _Recorder(context or Context()))
    run.recorder.message("Making the synthetic sample")
    make_sample(folder / "sample", context=run.recorder)
    _split(run)
    _train_and_infer(run, minutes)
    scores = _score_and_measure(run)
    run.recorder.to.result(**scores)
    return _report(run, scores)


def _split(run: _Run) -> None:
    tail = SAMPLE_SHAPE[0] - TRAINING_SECTIONS
    parts = {"training": (0, TRAINING_SECTIONS), "test": (TRAINING_SECTIONS, tail)}
    for part, (first, count) in parts.items():
        for name in ("image", "mitochondria"):
            target = f"{part}/{name}.zarr"
            sections = {"region.first_section": first, "region.section_count": count}
            run.step("convert", {"source": f"sample/{name}.zarr"}, {"result": target}, **sections)


def _train_and_infer(run: _Run, minutes: float) -> None:
    inputs = {"image": "training/image.zarr", "labels": "training/mitochondria.zarr"}
    small = {"network.kind": "unet", "network.base_features": 8, "patch_size": 128}
    run.step("train-2d", inputs, {"model": "model"}, max_minutes=minutes, **small)
    run.step("infer-2d", {"image": "test/image.zarr", "model": "model"}, {"result": "test/probability.zarr"})


def _score_and_measure(run: _Run) -> dict[str, Any]:
    scores = run.step(
        "evaluate",
        {"prediction": "test/probability.zarr", "truth": "test/mitochondria.zarr"},
        {"report": "scores.csv"},
    )
    run.step(
        "label",
        {"image": "test/probability.zarr"},
        {"result": "test/labels.zarr"},
        min_size_voxels=100,
    )
    scores |= run.step("measure", {"labels": "test/labels.zarr"}, {"table": "objects.csv"})
    run.step("mesh", {"labels": "test/labels.zarr"}, {"meshes": "meshes"}, format="ply")
    run.step("mesh", {"labels": "test/labels.zarr"}, {"meshes": "meshes-stl"}, format="stl")
    return scores


def _report(run: _Run, scores: Mapping[str, Any]) -> Path:
    names = ("image", "mitochondria", "probability", "labels")
    volumes = {name: open_store(run.folder / "test" / f"{name}.zarr") for name in names}
    return report.write_report(
        run.folder,
        image=volumes["image"],
        truth=volumes["mitochondria"],
        probability=volumes["probability"],
        labels=volumes["labels"],
        curves=run.recorder.curves,
        scores=scores,
        commands=run.commands,
    )


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Turn {"network.depth": 4} into {"network": {"depth": 4}}."""
    nested: dict[str, Any] = {}
    for path, value in flat.items():
        *groups, name = path.split(".")
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
        place[name] = value
    return nested
