"""What a running operation may tell its caller, and be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")


class Cancelled(Exception):
    """The caller asked a running operation to end."""


class Context:
    """Take what a running operation reports; by default, ignore it and never cancel.

    Every algorithm accepts one, so it can be called from a notebook without ceremony, and from a worker
    process with a `Context` that writes events.
    """

    def track(self, items: Iterable[Item], label: str, total: int | None = None) -> Iterator[Item]:
        """Yield the items, reporting progress and raising `Cancelled` between them when asked to end."""
        if total is None and isinstance(items, Sized):
            total = len(items)
        self.progress(0, total, label)
        for done, item in enumerate(items):
            self.check_cancelled()
            yield item
            self.progress(done + 1, total, label)

    def check_cancelled(self) -> None:
        """Raise `Cancelled` if the caller asked to end."""
        if self.cancelled():
            raise Cancelled

    def cancelled(self) -> bool:
        """Tell whether the caller asked to end."""
        return False

    def paused(self) -> bool:
        """Tell whether the caller asked to wait; operations that can, such as a training, do so."""
        return False

    def progress(self, done: int, total: int | None, label: str) -> None:
        """Report that `done` of `total` steps (None: unknown) of the stage `label` are over."""

    def metric(self, step: int, **values: float) -> None:
        """Report named numbers, such as a loss, at a step."""

    def preview(self, name: str, image: NDArray[np.uint8]) -> None:
        """Show an intermediate picture, (y, x) or (y, x, 3) uint8, under a name that later pictures reuse."""

    def message(self, text: str) -> None:
        """Tell the user one sentence, such as which device is in use."""

    def result(self, **values: Any) -> None:
        """Report final numbers, such as scores, that belong in the record of the run."""
