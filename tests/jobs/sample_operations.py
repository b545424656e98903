"""Small operations that do what jobs may do: work, wait, fail, crash, ignore everybody."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from uniem.errors import UniemError
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import PathOutput
from uniem.operations.parameters import Parameters, VoxelSizeNm
from uniem.progress import Context


class CountParameters(Parameters):
    """How to count."""

    steps: int = Field(5, ge=1, le=1000, description="How many steps to take.")
    pause_s: float = Field(0.0, ge=0, description="Time between steps.", json_schema_extra={"unit": "s"})
    end: Literal["well", "error", "bug", "exit", "abort", "segfault", "deaf", "disk", "quit"] = Field(
        "well", description="What happens after the last step."
    )
    keep: bool = Field(False, description="Whether what is there when cancelled is worth keeping.")
    note: str | None = Field(None, description="A sentence to tell.")


def count(source: Path, result: PathOutput, params: CountParameters, context: Context) -> None:
    """Count to a number, slowly if asked."""
    if params.note:
        context.message(params.note)
    if params.keep:
        result.path.write_text("begun")
        result.mark_usable()
    for step in context.track(range(params.steps), "counting"):
        context.metric(step, loss=1 / (step + 1))
        context.preview("ramp", np.full((4, 6), step % 256, np.uint8))
        time.sleep(params.pause_s)
    end(params.end, result)
    context.result(steps=params.steps, mean=np.float32(0.5))
    result.path.write_text(source.read_text() + str(params.steps))


def end(how: str, result: PathOutput) -> None:
    if how == "error":
        raise UniemError("The image is 4 × 5, the labels are 4 × 6.", "Crop one of them.")
    if how == "bug":
        raise ZeroDivisionError("a bug of the operation")
    if how == "exit":
        sys.exit(7)
    if how == "abort":
        os.abort()
    if how == "segfault":
        ctypes.string_at(0)
    if how == "disk":
        raise OSError(28, "No space left on device")
    if how == "quit":
        os._exit(9)
    if how == "deaf":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (result.final.parent / "child").write_text(str(child.pid))
        while True:
            time.sleep(1)


places = {"inputs": {"source": Role.TABLE}, "outputs": {"result": Role.TABLE}}
operation("sample-count", menu="Samples", **places)(count)


@operation("sample-gpu", menu="Samples", device="gpu", **places)
def gpu(source: Path, result: PathOutput, params: CountParameters, context: Context) -> None:
    """Count, with the GPU reserved, and tell which one a worker sees."""
    count(source, result, params, context)


@operation("sample-device", menu="Samples", **places)
def device(source: Path, result: PathOutput, params: CountParameters, context: Context) -> None:
    """Tell what a worker finds in its environment."""
    names = ("CUDA_VISIBLE_DEVICES", "PYINSTALLER_RESET_ENVIRONMENT", "UNIEM_HOME")
    context.result(**{name: os.environ.get(name, "") for name in names})
    sys.stderr.write("sagt etwas: ü\n")
    result.path.write_text("")


class Flat(Parameters):
    """A network without depth."""

    kind: Literal["flat"] = "flat"
    width: int = Field(8, ge=1, le=64, description="Channels.")


class Deep(Parameters):
    """A network with depth."""

    kind: Literal["deep"] = "deep"
    width: int = Field(16, ge=1, le=256, description="Channels of the first level.")
    depth: int = Field(3, gt=0, le=8, description="Levels.")
    is_residual: bool = Field(True, description="Whether levels have shortcuts.")


class Augmentation(Parameters):
    """How to vary."""

    flip: bool = Field(True, description="Whether to mirror.")
    jitter: float = Field(0.1, ge=0, lt=1, description="Change of brightness.")


class NetParameters(Parameters):
    """How to build."""

    network: Annotated[Flat | Deep, Field(discriminator="kind")] = Field(
        Deep(depth=5), description="Which network."
    )
    augmentation: Augmentation = Field(Augmentation(), description="How examples vary.")
    rate: float = Field(1e-4, gt=0, description="Learning rate.")
    seed: int | None = Field(None, description="Seed of chance.")
    low: float | None = Field(None, description="Darkest grey.")
    voxel_size: VoxelSizeNm | None = Field(
        None, description="Size of a voxel.", json_schema_extra={"unit": "nm"}
    )


@operation(
    "sample-net", menu="Samples", inputs={"image": Role.IMAGE}, outputs={"model": Role.MODEL}, version=3
)
def net(image: object, model: PathOutput, params: NetParameters, context: Context) -> None:
    """Pretend to build a network."""
    model.path.write_text("")
