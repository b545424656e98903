"""The context of an operation that runs as a job: what it tells becomes events."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.errors import UniemError
from uniem.jobs.events import Event, Message, Metric, Preview, Progress, Result
from uniem.jobs.folder import PAUSE
from uniem.progress import Context

EVENTS_PER_SECOND = 10
LOOK_EVERY_S = 0.1


class JobContext(Context):
    """Turn what a running operation tells into events, and pass a wish to end on to it.

    Progress is thinned to ten events a second; short bursts of stages pass whole, and the last state is never
    dropped for good: it goes out with whatever is reported next.

    Parameters
    ----------
    report : callable
        Takes each event.
    asked_to_end : callable
        Tells whether somebody wants the operation to end; asked ten times a second at most.
    folder : Path, optional
        The job's folder, in which previews are kept; without one they are not.
    """

    def __init__(
        self, report: Callable[[Event], None], asked_to_end: Callable[[], bool], folder: Path | None = None
    ) -> None:
        self._report = report
        self._asked_to_end = asked_to_end
        self._folder = folder
        self._is_cancelled = False
        self._looked = 0.0
        self._allowance = float(EVENTS_PER_SECOND)
        self._refilled = time.monotonic()
        self._sent = 0.0
        self._label: str | None = None
        self._pending: Progress | None = None
        self._pictures = 0

    def cancelled(self) -> bool:
        """Tell whether somebody asked to end."""
        now = time.monotonic()
        if not self._is_cancelled and now - self._looked >= LOOK_EVERY_S:
            self._looked = now
            self._is_cancelled = self._asked_to_end()
        return self._is_cancelled

    def paused(self) -> bool:
        """Tell whether somebody asked to wait: whether there is a file named pause in the job's folder."""
        return self._folder is not None and (self._folder / PAUSE).exists()

    def progress(self, done: int, total: int | None, label: str) -> None:
        """Report progress, at most ten times a second."""
        now = time.monotonic()
        is_turn = label != self._label or done == total
        if not is_turn and now - self._sent < 1 / EVENTS_PER_SECOND:
            return
        self._label = label
        self._pending = Progress(done=int(done), total=None if total is None else int(total), label=label)
        self._allowance += (now - self._refilled) * EVENTS_PER_SECOND
        self._allowance = min(self._allowance, float(EVENTS_PER_SECOND))
        self._refilled = now
        if self._allowance >= 1:
            self._allowance -= 1
            self.flush()

    def flush(self) -> None:
        """Report the progress that was held back, if any."""
        event, self._pending = self._pending, None
        if event is not None:
            self._sent = time.monotonic()
            self._report(event)

    def metric(self, step: int, **values: float) -> None:
        """Report named numbers at a step; every one is kept."""
        self.flush()
        self._report(Metric(step=int(step), values={name: float(value) for name, value in values.items()}))

    def preview(self, name: str, image: NDArray[np.uint8]) -> None:
        """Keep a picture, (y, x) or (y, x, 3) uint8, under a name; the one before the last is removed."""
        if self._folder is None:
            return
        self._pictures += 1
        stem = re.sub(r"[^A-Za-z0-9_-]", "-", name)
        # A viewer may be reading the last picture while the next one is written, so it has a name of its own.
        file = f"previews/{stem}.{self._pictures:06d}.png"
        for old in sorted((self._folder / "previews").glob(f"{stem}.??????.png"))[:-1]:
            old.unlink(missing_ok=True)
        _write_png(self._folder / file, image)
        self._report(Preview(name=name, file=file))

    def message(self, text: str) -> None:
        """Tell the user one sentence."""
        self.flush()
        self._report(Message(text=text))

    def result(self, **values: Any) -> None:
        """Report final numbers."""
        self.flush()
        self._report(Result(values={name: plain(value) for name, value in values.items()}))


def plain(value: Any) -> Any:
    """Return a value as JSON knows it, from NumPy numbers and arrays, paths and tuples."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _write_png(path: Path, image: NDArray[np.uint8]) -> None:
    import cv2

    is_grey = image.ndim == 2
    if image.dtype != np.uint8 or not (is_grey or (image.ndim == 3 and image.shape[2] == 3)):
        raise UniemError(f"A preview of shape {image.shape} and type {image.dtype} is not a picture.")
    done, data = cv2.imencode(".png", image if is_grey else np.ascontiguousarray(image[..., ::-1]))
    if not done:
        raise UniemError(f"The preview {path.name} could not be made.")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data.tobytes())
