"""What is written of a network's answer: probabilities, gray values, or the labels of classes."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.model_folder import ModelRecord
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.networks.prediction_settings import AnyOutput, Classes, Objects, Probability

Floats = NDArray[np.float32]


class Answer(ABC):
    """How voxels are written, from the probabilities of those channels that they depend on.

    Attributes
    ----------
    channels : the channels of the network that are needed.
    dtype, kind : of the volume that is best for it.
    """

    channels: tuple[int, ...]
    dtype: np.dtype[Any]
    kind: Kind

    @abstractmethod
    def encoded(self, probabilities: Floats, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return voxels, (...), of probabilities of the channels, (..., channels)."""

    def check(self, out: Volume) -> None:
        """Raise if a volume cannot hold the answer."""
        if out.dtype != self.dtype:
            raise UniemError(
                f"The labels of classes cannot be written as {out.dtype}.", f"Choose {self.dtype}."
            )


@dataclass(frozen=True)
class Likelihood(Answer):
    """The probability of one channel, or of all others; 0 to 255, or 0 to 1 where it is written as floats."""

    channels: tuple[int, ...]
    dtype: np.dtype[Any]
    of_others: bool = False
    kind: Kind = Kind.PROBABILITY

    def encoded(self, probabilities: Floats, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return the probabilities as whole numbers, or as floats."""
        found = probabilities[..., 0]
        if self.of_others:
            found = 1 - found
        if dtype.kind == "f":
            return np.asarray(found, dtype)
        return np.asarray(np.rint(found * np.float32(255)), dtype)

    def check(self, out: Volume) -> None:
        """Raise if a volume cannot hold probabilities."""
        if out.dtype != np.uint8 and out.dtype.kind != "f":
            raise UniemError(
                f"Probabilities cannot be written as {out.dtype}.",
                "Choose uint8 (0 to 255) or float32 (0 to 1).",
            )


@dataclass(frozen=True)
class Gray(Answer):
    """A gray value, whose largest stands for an output of 1."""

    dtype: np.dtype[Any]
    top: float
    channels: tuple[int, ...] = (0,)
    kind: Kind = Kind.IMAGE

    def encoded(self, probabilities: Floats, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return gray values, whole numbers where the volume holds those."""
        gray = probabilities[..., 0] * np.float32(self.top)
        return np.asarray(gray if dtype.kind == "f" else np.rint(gray), dtype)

    def check(self, out: Volume) -> None:
        """Raise if a volume cannot hold gray values up to the largest."""
        if out.dtype.kind not in "uif" or (out.dtype.kind != "f" and np.iinfo(out.dtype).max < self.top):
            raise UniemError(
                f"Gray values up to {self.top:g} cannot be written as {out.dtype}.", f"Choose {self.dtype}."
            )


@dataclass(frozen=True)
class ClassLabels(Answer):
    """The label of what is most probable; where there is one channel, 1 where it is above a level.

    Of classes equally probable the first is taken, which is the background where it is among them.
    """

    labels: tuple[int, ...]
    level: float
    is_below: bool = False
    kind: Kind = Kind.LABELS

    @property
    def channels(self) -> tuple[int, ...]:  # type: ignore[override]
        """The channels that are needed."""
        return tuple(range(max(1, len(self.labels))))

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        """The smallest type for all labels."""
        return np.dtype(np.uint8 if max(self.labels, default=1) <= 255 else np.uint32)

    def encoded(self, probabilities: Floats, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return labels."""
        if not self.labels:
            is_above = probabilities[..., 0] > np.float32(self.level)
            return np.asarray(is_above != self.is_below, dtype)
        return np.asarray(np.array(self.labels, dtype)[probabilities.argmax(-1)])


def answer_for(record: ModelRecord, output: AnyOutput) -> Answer:
    """Return how to write what is asked for of a model; raise if it cannot give that.

    For objects it is the map that they are the connected components of.
    """
    if record.task == "gray":
        return _gray(record, output)
    if isinstance(output, Probability):
        return _likelihood(record, output)
    if isinstance(output, Classes):
        return ClassLabels(record.class_labels, output.level)
    # Numbers of channels, since 0 must be the background whatever its label is.
    numbers = tuple(range(len(record.classes))) if record.class_labels else ()
    return ClassLabels(numbers, output.level, is_below=record.task == "boundary")


def wanted_channel(record: ModelRecord, output: Objects) -> int | None:
    """Return the channel whose objects are wanted, None for those of every class; raise if there is none."""
    channel = _channel(record, output.of_class) if output.of_class else None
    return channel if record.class_labels else None


def _gray(record: ModelRecord, output: AnyOutput) -> Gray:
    if not isinstance(output, Probability):
        raise UniemError(
            "The model makes gray values, which are neither classes nor objects.",
            "Choose the output probability, and threshold the gray values.",
        )
    top = record.top or 255.0
    smallest = np.float32 if output.values == "float" else np.uint8 if top <= 255 else np.uint16
    return Gray(np.dtype(smallest if math.isfinite(top) and top <= 65535 else np.float32), top)


def _likelihood(record: ModelRecord, output: Probability) -> Likelihood:
    dtype = np.dtype(np.float32 if output.values == "float" else np.uint8)
    if output.of_class:
        return Likelihood((_channel(record, output.of_class),), dtype)
    return Likelihood((0,), dtype, of_others=len(record.classes) > 1)


def _channel(record: ModelRecord, name: str) -> int:
    if name not in record.classes:
        raise UniemError(f"The model knows no class '{name}'.", f"Choose one of {', '.join(record.classes)}.")
    return record.classes.index(name)
