"""What a worker that was killed had made: what is usable is brought to its place, the rest removed."""

from __future__ import annotations

import logging
import platform
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from uniem.data.model_folder import ModelFolder
from uniem.errors import UniemError
from uniem.jobs.events import JobStatus, Kept
from uniem.jobs.folder import JobFolder
from uniem.jobs.request import resolve

if TYPE_CHECKING:
    from uniem.data.provenance import Provenance
    from uniem.operations.execution import Output
    from uniem.operations.outputs import PathOutput

logger = logging.getLogger(__name__)


def rescue(folder: JobFolder, status: JobStatus) -> dict[str, str]:
    """Bring the models of a job whose worker died to their places, note it in the job, and return where.

    A model is usable from its first saved weights on. What else was begun is removed in the background. A job
    of another computer is left alone: from here nobody can be sure that its worker is dead.
    """
    from uniem.networks.fold_report import drop_unfinished

    if status.outputs or status.host != platform.node():
        return dict(status.outputs)
    targets = _targets(folder)
    for target in _paths(targets).values():
        drop_unfinished(ModelFolder(target.path))
    kept = _keep(_models(targets), folder, status)
    threading.Thread(target=_discard, args=(targets,), name="removing what a dead worker left").start()
    if kept:
        # The end is when the worker last gave a sign of life, not now.
        folder.append(Kept(outputs=kept, time=status.ended or time.time()))
    return kept


def models_left(folder: JobFolder) -> dict[str, str]:
    """Return where the models are that a job's worker, if it is dead, has left on the way to their places."""
    return {name: str(model.path) for name, model in _models(_targets(folder)).items()}


def _targets(folder: JobFolder) -> dict[str, Output]:
    from uniem.operations.execution import targets_of

    try:
        operation, _ = resolve(folder.request)
    except UniemError as error:
        logger.warning("What %s has left stays where it is: %s", folder.path.name, error)
        return {}
    return targets_of(operation, folder.request.outputs, folder.token)


def _paths(targets: Mapping[str, Output]) -> dict[str, PathOutput]:
    from uniem.operations.outputs import PathOutput

    return {name: target for name, target in targets.items() if isinstance(target, PathOutput)}


def _models(targets: Mapping[str, Output]) -> dict[str, PathOutput]:
    return {name: target for name, target in _paths(targets).items() if ModelFolder.is_model(target.path)}


def _keep(models: Mapping[str, PathOutput], folder: JobFolder, status: JobStatus) -> dict[str, str]:
    kept = {}
    for name, model in models.items():
        try:
            kept[name] = str(model.keep(_provenance(folder, status, model)))
        except (UniemError, OSError) as error:
            # Another window may have been quicker.
            logger.warning("%s could not be kept: %s", model.path, error)
    return kept


def _provenance(folder: JobFolder, status: JobStatus, model: PathOutput) -> Provenance:
    from uniem.operations.execution import provenance_of

    began, ended = (
        None if moment is None else datetime.fromtimestamp(moment, UTC)
        for moment in (status.started, status.ended)
    )
    operation, parameters = resolve(folder.request)
    provenance = provenance_of(operation, parameters, folder.request.inputs, {}, began)
    return provenance.model_copy(update={"device": ModelFolder(model.path).record.device, "ended": ended})


def _discard(targets: Mapping[str, Output]) -> None:
    for target in targets.values():
        target.discard()
