"""Kill a painting process with SIGKILL again and again; count what is lost beyond the last stroke."""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind
from uniem.proofreading.edits import Edit
from uniem.proofreading.journal import FILE_NAME, EntryKind, Journal
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, paint

SHAPE: Triple = (8, 768, 768)
STROKES_PER_SAVE = 40


def stroke(number: int) -> tuple[Stroke, int]:
    """Return the stroke of a number and its label, the same in every process."""
    rng = np.random.default_rng(number)
    z = float(rng.integers(SHAPE[0]))
    points = tuple((z, *rng.uniform(0, SHAPE[1], 2).round()) for _ in range(rng.integers(1, 4)))
    return Stroke(points, float(rng.choice([3, 12, 24]))), int(rng.integers(0, 50))


def paint_for_ever(path: Path, first: int) -> None:
    """Paint strokes and save now and then, saying after each what is done, until killed."""
    session = ProofreadingSession.open(path, "painter")
    session.objects.scan()
    say("open", session.recovered_edits)
    for number in range(first, sys.maxsize):
        edit = paint(session.volume, *stroke(number))
        session.apply(edit or Edit("Nothing", ()))
        say("stroke", number)
        if number % STROKES_PER_SAVE == STROKES_PER_SAVE - 1:
            say("saving", number)
            session.save()
            say("saved", number)


def say(what: str, number: int) -> None:
    """Tell the parent."""
    print(what, number, flush=True)


def kill_once(path: Path, first: int, rng: random.Random) -> tuple[int, bool]:
    """Let a child paint for a random time; return the last stroke it told of and whether it was saving."""
    command = [sys.executable, __file__, "--paint", str(path), "--first", str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        opened = child.stdout.readline()
        assert opened.startswith("open"), f"the painter did not start: {opened!r}"
        time.sleep(rng.uniform(0, 0.6))
        child.send_signal(signal.SIGKILL)
        said = [line.split() for line in child.stdout.read().splitlines()]
    done = [int(number) for what, number in said if what == "stroke"]
    return (done[-1] if done else first - 1), bool(said) and said[-1][0] == "saving"


def edits_in_journal(path: Path) -> int:
    """Return how many strokes the journal holds."""
    journal = Journal.open(path / FILE_NAME)
    count = sum(entry.kind is EntryKind.APPLY for entry in journal.entries())
    journal.close()
    return count


def apply_to(model: ArrayVolume, number: int) -> None:
    """Paint a stroke into an array."""
    edit = paint(model, *stroke(number))
    for patch in edit.patches if edit else []:
        model.array[patch.box.slices][patch.selection()] = patch.after


def table_is_right(session: ProofreadingSession, array: np.ndarray) -> bool:
    """Compare the object table with a count of the array."""
    ids, voxels = np.unique(array[array > 0], return_counts=True)
    columns = session.objects.columns()
    return bool(np.array_equal(columns.ids, ids) and np.array_equal(columns.voxels, voxels))


def crash(kills: int, seed: int) -> dict[str, int | float]:
    """Kill a painter many times; return counts of losses."""
    rng = random.Random(seed)
    counts = {"kills": kills, "kills_while_saving": 0, "strokes": 0, "recovered": 0}
    counts |= {"lost_beyond_last_stroke": 0, "corrupt": 0, "wrong_tables": 0}
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.zarr"
        create_store(path, SHAPE, "uint32", VoxelSize(50, 5, 5), Kind.LABELS).build_pyramid()
        model, painted = ArrayVolume(np.zeros(SHAPE, np.uint32), VoxelSize(50, 5, 5), Kind.LABELS), 0
        for _ in range(kills):
            told, was_saving = kill_once(path, painted, rng)
            kept = edits_in_journal(path)
            session = ProofreadingSession.open(path, "checker")
            for number in range(painted, kept):
                apply_to(model, number)
            painted = kept
            voxels = session.volume.read(Box.of_shape(SHAPE))
            counts["kills_while_saving"] += was_saving
            counts["recovered"] += session.recovered_edits
            counts["lost_beyond_last_stroke"] += max(0, told + 1 - kept)
            counts["corrupt"] += not np.array_equal(voxels, model.array)
            counts["wrong_tables"] += session.objects.is_counted and not table_is_right(session, model.array)
            session.close()
        counts["strokes"] = painted
    return counts | {"seconds": round(time.perf_counter() - started, 1)}


def main() -> None:
    """Read the flags; print the counts as JSON and end with 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--paint", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.paint:
        paint_for_ever(arguments.paint, arguments.first)
        return
    counts = crash(arguments.kills, arguments.seed)
    print(json.dumps(counts, indent=2))
    sys.exit(int(any(counts[key] for key in ("lost_beyond_last_stroke", "corrupt", "wrong_tables"))))


if __name__ == "__main__":
    main()
