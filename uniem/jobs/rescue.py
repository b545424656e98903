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
from uniem.data.provenance import Provenance
from uniem.errors import UniemError
from uniem.jobs.events import JobStatus, Kept
from uniem.jobs.folder import JobFolder
from uniem.jobs.request import resolve

if TYPE_CHECKING:
    from uniem.operations.execution import Output
    from uniem.operations.operation import Operation

logger = logging.getLogger(__name__)


def rescue(folder: JobFolder, status: JobStatus) -> dict[str, str]:
    """Bring the models of a job whose worker died to their places, note it in the job, and return where.

    A model is usable from its first saved weights on. What else was begun is removed in the background. A job
    of another computer is left alone: from here nobody can be sure that its worker is dead.
    """
    from uniem.operations.execution import provenance_of, targets_of

    if status.outputs or status.host != platform.node():
        return dict(status.outputs)
    request = folder.request
    try:
        operation, parameters = resolve(request)
    except UniemError as error:
        logger.warning("What %s has left stays where it is: %s", folder.path.name, error)
        return {}
    began = datetime.fromtimestamp(status.started, UTC) if status.started is not None else None
    provenance = provenance_of(operation, parameters, request.inputs, {}, began)
    targets = targets_of(operation, request.outputs, folder.token)
    kept = _keep_models(operation, targets, provenance)
    threading.Thread(target=_discard, args=(targets,), name="removing what a dead worker left").start()
    if kept:
        # The end is when the worker last gave a sign of life, not now.
        folder.append(Kept(outputs=kept, time=status.ended or time.time()))
    return kept


def _keep_models(
    operation: Operation, targets: Mapping[str, Output], provenance: Provenance
) -> dict[str, str]:
    from uniem.operations.outputs import PathOutput

    kept = {}
    for name, target in targets.items():
        if not isinstance(target, PathOutput) or not ModelFolder.is_model(target.path):
            continue
        try:
            device = ModelFolder(target.path).record.device
            kept[name] = str(target.keep(provenance.model_copy(update={"device": device})))
        except (UniemError, OSError) as error:
            # Another window may have been quicker.
            logger.warning("%s could not be kept: %s", target.path, error)
    return kept


def _discard(targets: Mapping[str, Output]) -> None:
    for target in targets.values():
        target.discard()
