"""Models that predict together: whether they go together, and the mean or the vote of what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from uniem.data.model_folder import ModelFolder, ModelRecord
from uniem.errors import UniemError
from uniem.networks.architectures import Architecture, read_network
from uniem.networks.engines import Compute, load_engine
from uniem.networks.fold_report import models_of
from uniem.networks.normalisation import normalised
from uniem.networks.prediction_settings import EnsembleSettings, PredictionSettings
from uniem.networks.symmetries import Symmetry, symmetries

# Pixels that differ by no more than this are of the same size.
SAME_PIXEL = 1.1

Floats = NDArray[np.float32]


class Member(NamedTuple):
    """A model of an ensemble, not loaded yet."""

    folder: ModelFolder
    record: ModelRecord
    network: Architecture
    weight: float


@dataclass(frozen=True, slots=True)
class Ensemble:
    """One model or several with the same task, as one network."""

    members: tuple[Member, ...]

    @staticmethod
    def open(model: ModelFolder, settings: EnsembleSettings | None = None) -> Ensemble:
        """Open a model and those that go with it; raise if they do not go together."""
        settings = settings or EnsembleSettings()
        folders = _folders(model, settings)
        weights = _read_weights(settings.weights, len(folders))
        records = [folder.record for folder in folders]
        for folder, record in zip(folders, records, strict=True):
            _check_together(folders[0], records[0], folder, record)
        if settings.combine == "majority" and records[0].task == "gray":
            raise UniemError(
                f"{model} makes gray values, on which models cannot vote.", "Combine by the mean."
            )
        networks = [read_network(record.architecture) for record in records]
        return Ensemble(
            tuple(Member(*each) for each in zip(folders, records, networks, weights, strict=True))
        )

    @property
    def record(self) -> ModelRecord:
        """The record of the first model, which says what the answers of all of them mean."""
        return self.members[0].record

    @property
    def stride(self) -> int:
        """What tiles begin at multiples of."""
        return math.lcm(*(member.network.stride for member in self.members))

    @property
    def margin(self) -> int:
        """How many pixels around a tile are seen."""
        return math.ceil(max(member.network.margin for member in self.members) / self.stride) * self.stride

    @property
    def bytes_per_pixel(self) -> int:
        """The memory per input pixel of the largest network: they compute one after the other."""
        return max(member.network.bytes_per_pixel for member in self.members)

    @property
    def sections(self) -> int:
        """How many neighbouring sections are seen."""
        return max(member.network.sections for member in self.members)


class Predictor:
    """The loaded networks of an ensemble; it gives one probability per channel and pixel."""

    def __init__(
        self,
        ensemble: Ensemble,
        settings: PredictionSettings,
        policy: str,
        samples: Sequence[NDArray[Any]] = (),
    ) -> None:
        """Load the networks; those of 8 bits are calibrated on samples, gray windows as `inputs` takes."""
        self._ensemble, self._votes = ensemble, settings.ensemble.combine == "majority"
        self._symmetries: Sequence[Symmetry] = symmetries(settings.flips)
        self._computes: list[Compute] = [
            load_engine(
                member.folder,
                settings.engine,
                policy,
                member.network.margin,
                list(_seen(ensemble, member, samples)) if samples else (),
            )
            for member in ensemble.members
        ]

    def inputs(self, windows: Sequence[NDArray[Any]]) -> list[Floats]:
        """Return what each network sees of gray windows, (y, x, sections), with the margin of all."""
        return [_seen(self._ensemble, member, windows) for member in self._ensemble.members]

    def probabilities(self, inputs: Sequence[Floats]) -> Floats:
        """Return probabilities or votes, (batch, y, x, channels), for the inputs of each network."""
        total: Floats | None = None
        weights = sum(member.weight for member in self._ensemble.members)
        for member, compute, seen in zip(self._ensemble.members, self._computes, inputs, strict=True):
            answer = self._mean(compute, seen)
            if self._votes:
                answer = _vote(answer)
            if len(self._computes) == 1:
                return answer
            part = answer * np.float32(member.weight)
            total = part if total is None else total + part
        assert total is not None
        # Divided at the end, so that votes of half the models make exactly a half.
        return total / np.float32(weights)

    def _mean(self, compute: Compute, seen: Floats) -> Floats:
        total: Floats | None = None
        for symmetry in self._symmetries:
            answer = symmetry.undone(compute(np.ascontiguousarray(symmetry.applied(seen))))
            total = answer if total is None else total + answer
        assert total is not None
        return total if len(self._symmetries) == 1 else total / np.float32(len(self._symmetries))


def _folders(model: ModelFolder, settings: EnsembleSettings) -> list[ModelFolder]:
    folders = [model]
    if settings.folds:
        folders = models_of(model)
        if not folders:
            raise UniemError(
                f"{model} holds no models of folds.", "Choose the model that a cross-validation has made."
            )
    names = [name.strip() for name in settings.further.split(";")]
    return [*folders, *(ModelFolder.open(Path(name).expanduser()) for name in names if name)]


def _read_weights(text: str, count: int) -> tuple[float, ...]:
    if not text.strip():
        return (1.0,) * count
    try:
        weights = tuple(float(part) for part in text.split(","))
    except ValueError:
        weights = ()
    if len(weights) != count or not all(0 <= weight < math.inf for weight in weights) or not any(weights):
        raise UniemError(
            f"'{text}' are not the weights of {count} {'model' if count == 1 else 'models'}.",
            f"Write {count} numbers from 0 up with commas between them.",
        )
    return weights


def _check_together(first: ModelFolder, record: ModelRecord, other: ModelFolder, others: ModelRecord) -> None:
    facts = {
        "finds": (f"{record.task} {', '.join(record.classes)}", f"{others.task} {', '.join(others.classes)}"),
        "writes the labels": (str(record.class_labels), str(others.class_labels)),
        "has as its top gray value": (str(record.top), str(others.top)),
    }
    for what, (ours, theirs) in facts.items():
        if ours != theirs:
            raise UniemError(
                f"{first} {what} {ours}, but {other} {what} {theirs}.",
                "Models that predict together must be trained for the same.",
            )
    one, two = record.voxel_size_nm, others.voxel_size_nm
    if one and two and max(max(a / b, b / a) for a, b in zip(one[1:], two[1:], strict=True)) > SAME_PIXEL:
        raise UniemError(
            f"{first} was trained at {one}, but {other} at {two}.",
            "Models that predict together must be trained on pixels of the same size.",
        )


def _seen(ensemble: Ensemble, member: Member, windows: Sequence[NDArray[Any]]) -> Floats:
    """Return what a network of an ensemble sees, normalised, (batch, y, x, its sections)."""
    spare = ensemble.margin - member.network.margin
    inside = slice(spare, -spare or None)
    first = (ensemble.sections - member.network.sections) // 2
    middle = slice(first, first + member.network.sections)
    normalisation = member.record.normalisation
    return np.stack([normalised(window[inside, inside, middle], normalisation) for window in windows])


def _vote(probabilities: Floats) -> Floats:
    """Return 1 for what is most probable and 0 for the rest; of equals, the background or the first class."""
    channels = probabilities.shape[-1]
    if channels == 1:
        return np.asarray(probabilities > 0.5, np.float32)
    return np.asarray(probabilities.argmax(-1)[..., None] == np.arange(channels), np.float32)
