"""Proofread a real machine segmentation towards its ground truth: does every correction help, and how soon?

Run `python -m benchmarks.real_proofreading [--data FOLDER]`; the folder, which the variable UNIEM_DATA names
too, holds `fib25_train_raw.tif`, `fib25_train_ffn.tif` and `fib25_train_neurons.tif`. Someone who knows the
truth (`proofreading_oracle`) takes the worst error that is left, clicks where a person would, looks at what
the tool proposes, marks more where it is wrong, and accepts it if it helps.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.proofreading_oracle import (
    MergeError,
    Oracle,
    SplitError,
    corrections,
    line_between,
    marks_inside,
)
from uniem.algorithms.metrics import VariationOfInformation
from uniem.data.formats import open_volume
from uniem.data.geometry import Box
from uniem.data.store import create_store
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.proofreading.edits import Edit
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.parts import labels_after, split_through
from uniem.proofreading.tools.plane import Point
from uniem.proofreading.tools.split import split_by_seeds
from uniem.proofreading.tools.whole_objects import merge_objects

NAMES = ("fib25_train_raw.tif", "fib25_train_ffn.tif", "fib25_train_neurons.tif")
# What gains less, in bits, is left, as a person would leave it: objects of a few hundred voxels.
LEAST_GAIN = 0.0002
# A proposal that does so much of what can be done is accepted; another one is refined so often at most.
_GOOD_ENOUGH, _ROUNDS = 0.6, 6


@dataclass
class Step:
    """One correction: how it was made, what it gained, and how long the program took for it.

    `wanted` is what a perfect one gains. `calls_s` are the times of each call of the tool: more than one
    where its proposal was refined. `apply_s` is from accepting to the volume's showing it.
    """

    kind: str
    labels: list[int]
    wanted: float
    gained: float = 0.0
    is_accepted: bool = False
    reason: str = ""
    calls_s: list[float] = field(default_factory=list)
    apply_s: float = 0.0
    split_bits: float = 0.0
    merge_bits: float = 0.0
    marks: int = 0
    voxels: int = 0

    @property
    def seconds(self) -> float:
        """How long the program took for the whole correction."""
        return sum(self.calls_s) + self.apply_s


class Proofreader:
    """Mend one error after the other, by the same functions as the tools of the window."""

    def __init__(self, session: ProofreadingSession, image: Volume, truth: NDArray[Any]) -> None:
        self.session, self.image, self.truth = session, image, truth
        self.oracle = Oracle(truth)
        self.steps: list[Step] = []
        self.begin = self.oracle.score(self._labels())

    def play(self, most_steps: int, told: Callable[[Step], None]) -> VariationOfInformation:
        """Mend until nothing is worth it, and return the score; an error that stays is tried but once."""
        given_up: set[tuple[int, ...]] = set()
        score = self.begin
        while len(self.steps) < most_steps:
            errors = self.oracle.errors(self._labels(), LEAST_GAIN)
            error = next((one for one in errors if _name(one) not in given_up), None)
            if error is None:
                break
            step = self.merge(error) if isinstance(error, MergeError) else self.split(error)
            if step.is_accepted:
                now = self.oracle.score(self._labels())
                step.gained, score = score.total - now.total, now
            else:
                given_up.add(_name(error))
            step.split_bits, step.merge_bits = score.split, score.merge
            self.steps.append(step)
            told(step)
        return score

    def merge(self, error: MergeError) -> Step:
        """Click one segment, then the other."""
        step = Step("merge", [error.into, error.other], error.gain)
        step.voxels = self.session.objects[error.other].voxels
        with timed(step.calls_s):
            edit = merge_objects(self.session.objects, error.into, [error.other])
        assert edit is not None
        self._accept(edit, step)
        return step

    def split(self, error: SplitError) -> Step:
        """Draw a line between two parts; where that is not good enough, mark them in 3D instead."""
        box = self.session.objects[error.label].box
        assert box is not None
        if len(error.neurons) == 2:
            step = self._split_by_line(error, box)
            if step.is_accepted:
                return step
        return self._split_by_marks(error, box)

    def _split_by_line(self, error: SplitError, box: Box) -> Step:
        step = Step("split by a line", [error.label], error.gain)
        mask, truth = self._mask(error.label, box), self.truth[box.slices]
        one, two = (mask & (truth == neuron) for neuron in error.neurons)
        line = line_between(one, two, box)
        if not line:
            step.reason = "the parts never touch in a section"
            return step

        def make(new_label: Callable[[], int]) -> Edit:
            volume, image = self.session.volume, self.image
            return split_through(volume, error.label, line, box, new_label, image=image)

        edit, _ = self._proposed(step, make)
        if edit is not None and self._gain(edit, error, box) >= _GOOD_ENOUGH * error.gain:
            self._accept(edit, step)
        return step

    def _split_by_marks(self, error: SplitError, box: Box) -> Step:
        """Mark the parts, and mark more as long as that makes it better."""
        step = Step("split by marks", [error.label], error.gain)
        mask, truth = self._mask(error.label, box), self.truth[box.slices]
        step.voxels = int(mask.sum())
        groups = [marks_inside(mask & (truth == neuron), box) for neuron in error.neurons]
        best: Edit | None = None
        best_gain = 0.0
        for _ in range(_ROUNDS):
            edit, fresh = self._proposed(step, self._by_seeds(error.label, groups, box))
            if edit is None:
                break
            gain = self._gain(edit, error, box)
            if best is not None and gain < best_gain:
                break
            if gain > 0:
                best, best_gain, step.marks = edit, gain, sum(map(len, groups))
            if gain >= _GOOD_ENOUGH * error.gain:
                break
            after = labels_after(self.session.volume, edit, box)
            parts = list(zip(error.neurons, [error.label, *fresh], strict=True))
            more = corrections(after, mask, truth, parts, box)
            if not any(more):
                break
            groups = [[*old, *new] for old, new in zip(groups, more, strict=True)]
        if best is not None:
            self._accept(best, step)
        elif not step.reason:
            step.reason = "no proposal helped"
        return step

    def _by_seeds(
        self, label: int, groups: Sequence[Sequence[Point]], box: Box
    ) -> Callable[[Callable[[], int]], Edit]:
        volume, image = self.session.volume, self.image
        return lambda new_label: split_by_seeds(volume, label, groups, box, new_label, image=image)

    def _proposed(
        self, step: Step, make: Callable[[Callable[[], int]], Edit]
    ) -> tuple[Edit | None, list[int]]:
        """Return what the tool proposes, and the labels that are new in it."""
        fresh: list[int] = []

        def new_label() -> int:
            fresh.append(self.session.next_label())
            return fresh[-1]

        try:
            with timed(step.calls_s):
                edit = make(new_label)
        except UniemError as error:
            step.reason = str(error)
            return None, []
        return edit, fresh

    def _accept(self, edit: Edit, step: Step) -> None:
        taken: list[float] = []
        with timed(taken):
            self.session.apply(edit)
        # What a person waits for is over here; the rest is done when the window has nothing else to do.
        for _ in self.session.write_steps():
            pass
        step.apply_s, step.is_accepted = taken[0], True

    def _gain(self, edit: Edit, error: SplitError, box: Box) -> float:
        mask = self._mask(error.label, box)
        after = labels_after(self.session.volume, edit, box)[mask]
        return self.oracle.gain_of(np.full_like(after, error.label), after, self.truth[box.slices][mask])

    def _mask(self, label: int, box: Box) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = self.session.volume.read(box) == label
        return mask

    def _labels(self) -> NDArray[Any]:
        return self.session.volume.read(Box.of_shape(self.session.volume.shape))


@contextmanager
def timed(times: list[float]) -> Iterator[None]:
    """Append the seconds that a block takes, also when it fails."""
    begin = time.perf_counter()
    try:
        yield
    finally:
        times.append(time.perf_counter() - begin)


def make_labels(source: Path, path: Path) -> None:
    """Copy a label volume into a store that can be edited."""
    volume = open_volume(source)
    store = create_store(path, volume.shape, np.uint32, volume.voxel_size, Kind.LABELS)
    for z in range(0, volume.shape[0], 32):
        store[z : z + 32] = volume[z : z + 32].astype(np.uint32)
    store.build_pyramid()


def summary(
    steps: Sequence[Step], begin: VariationOfInformation, end: VariationOfInformation
) -> dict[str, Any]:
    """Return all figures as plain values."""
    accepted = [step for step in steps if step.is_accepted]
    return {
        "begin": {"split": begin.split, "merge": begin.merge, "total": begin.total},
        "end": {"split": end.split, "merge": end.merge, "total": end.total},
        "accepted": len(accepted),
        "given_up": len(steps) - len(accepted),
        "not_lowered": sum(step.gained <= 0 for step in accepted),
        "kinds": {kind: _times([s for s in accepted if s.kind == kind]) for kind in _kinds(accepted)},
        "steps": [asdict(step) | {"seconds": step.seconds} for step in steps],
    }


def _times(steps: Sequence[Step]) -> dict[str, Any]:
    seconds = np.array([step.seconds for step in steps])
    calls = np.array([call for step in steps for call in step.calls_s])
    return {
        "count": len(steps),
        "bits": sum(step.gained for step in steps),
        "median_s": float(np.median(seconds)),
        "p95_s": float(np.percentile(seconds, 95)),
        "max_s": float(seconds.max()),
        "call_median_s": float(np.median(calls)),
        "call_max_s": float(calls.max()),
    }


def _kinds(steps: Sequence[Step]) -> list[str]:
    return sorted({step.kind for step in steps})


def _name(error: MergeError | SplitError) -> tuple[int, ...]:
    return (error.into, error.other) if isinstance(error, MergeError) else (error.label, *error.neurons)


def tell(step: Step) -> None:
    """Print a line about a step."""
    how = f"{step.gained:+.4f} of {step.wanted:.4f} bits" if step.is_accepted else f"given up: {step.reason}"
    what = f"{step.kind:<16} {'+'.join(map(str, step.labels)):<10} {len(step.calls_s)} calls"
    bits = f"split {step.split_bits:.4f} merge {step.merge_bits:.4f} bits"
    print(f"{what} {step.seconds:7.3f} s  {bits}  {how}", flush=True)


def show(figures: dict[str, Any]) -> None:
    """Print the table of times, and how far it went."""
    print(
        f"\n{'correction':<16} {'number':>6} {'bits':>8} {'median':>9} {'p95':>9} {'longest':>9}   (s each)"
    )
    for kind, times in figures["kinds"].items():
        seconds = " ".join(f"{times[name]:9.3f}" for name in ("median_s", "p95_s", "max_s"))
        print(f"{kind:<16} {times['count']:6} {times['bits']:8.4f} {seconds}")
    for when in ("begin", "end"):
        bits = figures[when]
        print(f"{when:<6} " + "  ".join(f"{name} {value:.4f}" for name, value in bits.items()))
    print(
        f"{figures['accepted']} corrections, {figures['not_lowered']} of them without a gain; "
        f"{figures['given_up']} errors given up"
    )


def main() -> None:
    """Play, print every step and a table, and write a JSON file if one is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("UNIEM_DATA"))
    parser.add_argument("--json", type=Path, help="where to write all figures")
    parser.add_argument("--steps", type=int, default=10_000, help="stop after so many")
    arguments, _ = parser.parse_known_args()
    if arguments.data is None or not all((Path(arguments.data) / name).exists() for name in NAMES):
        print(f"{', '.join(NAMES)} are not there; name their folder by --data.")
        return
    raw, segmentation, neurons = (Path(arguments.data) / name for name in NAMES)
    truth, image = open_volume(neurons), open_volume(raw)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.zarr"
        make_labels(segmentation, path)
        session = ProofreadingSession.open(path, "benchmark")
        session.objects.scan()
        try:
            player = Proofreader(session, image, truth.read(Box.of_shape(truth.shape)))
            end = player.play(arguments.steps, tell)
            figures = summary(player.steps, player.begin, end)
        finally:
            session.close()
    show(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
