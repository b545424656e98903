"""Predicting a volume: section by section or across all axes, out of core."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.blockwise import BLOCK_VOXELS, boxes, map_blocks
from uniem.algorithms.labelling import label_components, label_segments
from uniem.data.geometry import Box
from uniem.data.machine_memory import machine_memory
from uniem.data.model_folder import ModelFolder
from uniem.data.store import create_store
from uniem.data.volume import Kind, Volume, check_same_shape
from uniem.errors import UniemError
from uniem.networks.answers import Answer, answer_for, wanted_channel
from uniem.networks.arithmetic_check import Deviation, calibration_windows, compare
from uniem.networks.backend import FLOAT32, Backend, out_of_memory_errors, prepare_backend
from uniem.networks.engines import policy_of
from uniem.networks.ensembles import Ensemble, Predictor
from uniem.networks.openvino_engine import INT8
from uniem.networks.passes import Pass, passes_through
from uniem.networks.prediction_settings import Objects, PredictionSettings
from uniem.networks.tiled_prediction import Encode, predict_tiles
from uniem.networks.tiling import Tiling, plan_tiles
from uniem.progress import Context

Floats = NDArray[np.float32]

SMALLEST_MEMORY, LARGEST_MEMORY, MEMORY_SHARE = 1000, 8000, 0.25
# In scratch volumes 1 is an even number, so that one half, which decides votes, is a whole number.
SCRATCH_ONE = 65534


@dataclass(frozen=True, slots=True)
class PredictionResult:
    """How a prediction went.

    Attributes
    ----------
    tile_yx, overlap : of the sections across z.
    objects : how many were found; None where they were not asked for.
    deviation : from float32, where other arithmetic was named.
    """

    seconds: float
    megavoxels_per_second: float
    tile_yx: tuple[int, int]
    overlap: float
    device: str
    precision: str
    objects: int | None = None
    deviation: Deviation | None = None


def predict_volume(
    model: ModelFolder | Ensemble,
    image: Volume,
    out: Volume,
    settings: PredictionSettings | None = None,
    context: Context | None = None,
    scratch: Path | None = None,
) -> PredictionResult:
    """Write what a network finds in every voxel, as the settings and the model's record say.

    Probabilities are 0 to 255 where `out` is uint8, 0 to 1 where it is float. The image, of any numeric type,
    is normalised as the model's record says. Memory is bounded: `settings.memory` for the network, and some
    bands of tiles of the volumes. What several passes find is kept meanwhile in a folder within `scratch`.
    """
    settings, context = settings or PredictionSettings(), context or Context()
    started = time.monotonic()
    check_same_shape(image, out)
    if math.prod(image.shape) == 0:
        raise UniemError(f"{image} has no voxels.", "Choose another image.")
    ensemble = model if isinstance(model, Ensemble) else Ensemble.open(model, settings.ensemble)
    answer = answer_for(ensemble.record, settings.output)
    passes = passes_through(ensemble, image, settings, context)
    if not isinstance(settings.output, Objects):
        answer.check(out)
    with tempfile.TemporaryDirectory(prefix=".uniem-", dir=scratch) as folder:
        volumes = [each.seen(image) for each in passes]
        run = _Run.prepared(ensemble, settings, context, Path(folder), volumes)
        if isinstance(settings.output, Objects):
            found = run.number_objects(settings.output, image, out, passes)
        else:
            found = None
            run.write_answer(image, out, answer, passes)
    seconds = time.monotonic() - started
    speed = math.prod(image.shape) / 1e6 / max(seconds, 1e-9)
    tiling = run.tiling
    assert tiling is not None
    return PredictionResult(
        seconds,
        speed,
        tiling.tile_yx,
        tiling.overlap,
        run.device,
        run.policy,
        found,
        run.deviation,
    )


@dataclass
class _Run:
    """A prediction whose networks are loaded."""

    ensemble: Ensemble
    settings: PredictionSettings
    context: Context
    folder: Path
    backend: Backend
    policy: str
    predictor: Predictor
    memory: int
    deviation: Deviation | None = None
    tiling: Tiling | None = None

    @staticmethod
    def prepared(
        ensemble: Ensemble,
        settings: PredictionSettings,
        context: Context,
        folder: Path,
        seen: Sequence[Volume] = (),
    ) -> _Run:
        """Load the networks; `seen` are the volumes as they will see them."""
        backend = prepare_backend(settings.device)
        policy = policy_of(settings.engine, settings.precision, backend)
        windows = calibration_windows(ensemble, seen) if policy == INT8 else []
        if windows:
            context.message(f"Calibrating int8 on {len(windows)} tiles of the volume.")
        predictor = Predictor(ensemble, settings, policy, windows)
        memory = settings.memory or default_memory()
        deviation = None
        if seen and settings.precision in ("bfloat16", "int8"):
            deviation = compare(ensemble, seen[0], predictor, lambda: Predictor(ensemble, settings, FLOAT32))
            context.message(deviation.sentence(settings.precision))
        return _Run(
            ensemble, settings, context, folder, backend, policy, predictor, memory, deviation=deviation
        )

    def number_objects(self, output: Objects, image: Volume, out: Volume, passes: Sequence[Pass]) -> int:
        """Write numbered objects, and return how many there are."""
        record = self.ensemble.record
        wanted, answer = wanted_channel(record, output), answer_for(record, output)
        classes = create_store(self.folder / "classes.zarr", image.shape, answer.dtype, None, Kind.LABELS)
        self.write_answer(image, classes, answer, passes)
        connectivity, least, context = output.neighbours, output.min_size_voxels, self.context
        if wanted is None:
            return label_segments(
                classes, out, connectivity=connectivity, min_size_voxels=least, context=context
            )
        return label_components(
            classes, out, value=wanted, connectivity=connectivity, min_size_voxels=least, context=context
        )

    def write_answer(self, image: Volume, out: Volume, answer: Answer, passes: Sequence[Pass]) -> None:
        """Write the answer, of the mean of what all passes find."""
        channels = list(answer.channels)

        def encode(probabilities: Floats) -> list[NDArray[Any]]:
            return [answer.encoded(probabilities[..., channels], out.dtype)]

        if len(passes) == 1 and passes[0].is_plain(image):
            self.predict(image, [out], encode, "Predicting")
            return
        found = [self._kept(image, channels, number, each) for number, each in enumerate(passes)]

        def mean(box: Box) -> tuple[Box, NDArray[Any]]:
            total = np.zeros((*box.shape, len(channels)), np.float32)
            for volumes in found:
                for channel, volume in enumerate(volumes):
                    total[..., channel] += volume.read(box)
            return box, answer.encoded(total / np.float32(SCRATCH_ONE * len(found)), out.dtype)

        cut = boxes(image.shape, BLOCK_VOXELS // len(channels))
        for box, voxels in map_blocks(mean, cut, self.context, "Writing", workers=2):
            out.write(box, voxels)

    def _kept(self, image: Volume, channels: list[int], number: int, each: Pass) -> list[Volume]:
        """Return the probabilities that one pass finds, as they lie in the image, from 0 to SCRATCH_ONE."""
        seen = each.seen(image)
        places = [self.folder / f"pass-{number}-channel-{channel}.zarr" for channel in channels]
        kept = [create_store(place, seen.shape, np.uint16, None, Kind.PROBABILITY) for place in places]

        def encode(probabilities: Floats) -> list[NDArray[Any]]:
            whole = np.rint(probabilities[..., channels] * np.float32(SCRATCH_ONE)).astype(np.uint16)
            return [whole[..., place] for place in range(len(channels))]

        self.predict(seen, kept, encode, f"Predicting across {'zyx'[each.axes[0]]}")
        return [each.back(volume, image) for volume in kept]

    def predict(self, image: Volume, outs: Sequence[Volume], encode: Encode, label: str) -> None:
        """Write what is found in one volume, with smaller tiles where the memory does not suffice."""
        while True:
            tiling = plan_tiles(
                self.ensemble, image.shape[1:], image.shape[0], self.memory, self.settings.tile_size
            )
            if self.tiling is None:
                self._tell(tiling)
                self.tiling = tiling
            size = f"{tiling.tile_yx[0]} × {tiling.tile_yx[1]} pixels"
            try:
                predict_tiles(self.ensemble, self.predictor, image, outs, encode, tiling, self.context, label)
                return
            except out_of_memory_errors() as error:
                self.memory = min(self.memory, self._megabytes(tiling)) // 2
                smaller = plan_tiles(self.ensemble, image.shape[1:], image.shape[0], self.memory)
                if self.settings.tile_size is not None or self._megabytes(smaller) >= self._megabytes(tiling):
                    raise UniemError(
                        f"The memory does not suffice for tiles of {size}.",
                        "Choose a smaller tile size, or a smaller network.",
                    ) from error
            self.context.message(
                f"The memory does not suffice for tiles of {size}; going on with smaller ones."
            )
            self.tiling = None

    def _megabytes(self, tiling: Tiling) -> int:
        """Return about how much memory the network takes for a batch of tiles."""
        return self.ensemble.bytes_per_pixel * math.prod(tiling.input_yx) * tiling.batch // 1_000_000

    def _tell(self, tiling: Tiling) -> None:
        self.context.message(
            f"Predicting in {self.policy.replace('_', ' ')}, tiles of {tiling.tile_yx[0]} × "
            f"{tiling.tile_yx[1]} pixels and a margin of {tiling.margin}, by {self.explanation}."
        )

    @property
    def device(self) -> str:
        """What computes, and on which device."""
        return f"OpenVINO {self.backend.place}" if self.settings.engine == "openvino" else str(self.backend)

    @property
    def explanation(self) -> str:
        """What computes, and why where it is not the usual choice."""
        return self.device if self.settings.engine == "openvino" else self.backend.explanation


def default_memory() -> int:
    """Return how many MB the network may use where nobody has said."""
    memory = machine_memory()
    if memory is None:
        return SMALLEST_MEMORY
    return int(min(max(MEMORY_SHARE * memory.free / 1e6, SMALLEST_MEMORY), LARGEST_MEMORY))
