"""How long the current stage of a job will still take."""

from __future__ import annotations

SHORTEST_VIEW_S = 10.0
SAMPLES = 256


class Pace:
    """Estimate the time left of a stage from the later half of what is known about it.

    The first steps of a stage are often slow (a graph is compiled, a cache is cold), so only the later half
    of the time since it began counts, but never less than ten seconds.
    """

    def __init__(self) -> None:
        self._stage: tuple[str, int | None] = ("", None)
        self._samples: list[tuple[float, int]] = []

    def add(self, time: float, done: int, total: int | None, label: str) -> None:
        """Note that at a time (in s) `done` of `total` steps of a stage were over."""
        if self._stage != (label, total) or (self._samples and done < self._samples[-1][1]):
            self._stage = (label, total)
            self._samples = []
        self._samples.append((time, done))
        if len(self._samples) > SAMPLES:
            self._samples = [*self._samples[:-1:2], self._samples[-1]]

    def seconds_left(self) -> float | None:
        """Return the time left of the stage in s; None while it cannot be told."""
        total = self._stage[1]
        if total is None or not self._samples:
            return None
        (began, _), (now, done) = self._samples[0], self._samples[-1]
        if done >= total:
            return 0.0
        if now - began < 1.0:
            return None
        view = max(SHORTEST_VIEW_S, (now - began) / 2)
        earlier, done_then = next(sample for sample in self._samples if sample[0] >= now - view)
        if done <= done_then or now <= earlier:
            earlier, done_then = self._samples[0]
        if done <= done_then:
            return None
        return (total - done) * (now - earlier) / (done - done_then)
