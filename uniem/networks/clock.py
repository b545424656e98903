"""How much of a training is over, by steps and by time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Clock:
    """Tells how much of a training is over, by steps and by time, so that it ends before the limit."""

    steps: int
    limit: float
    started: float
    step_seconds: float = 0.0
    closing_seconds: float = 1.0

    @property
    def elapsed(self) -> float:
        """The seconds since the training was started, without those it was paused or interrupted."""
        return time.monotonic() - self.started

    def progress(self, done: int) -> float:
        """Return the share of the training that is over, 0 to 1."""
        by_time = self.elapsed / max(self.limit - self.closing_seconds, 1e-9)
        return min(max(done / self.steps, by_time), 1.0)

    def ending(self, done: int) -> Literal["steps", "time"] | None:
        """Return what ends the training now; another step must leave the time to judge and save."""
        if done >= self.steps:
            return "steps"
        if done and self.elapsed + self.step_seconds + self.closing_seconds > self.limit:
            return "time"
        return None

    def expect_judgement(self, windows: int) -> None:
        """Guess how long judging and saving will take, before the first time: generously."""
        self.closing_seconds = 3.0 + self.step_seconds * windows / 8

    def note_step(self, seconds: float) -> None:
        """Remember how long a step took, recent ones more."""
        self.step_seconds = 0.7 * self.step_seconds + 0.3 * seconds if self.step_seconds else seconds
