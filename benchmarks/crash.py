"""Kill a process that paints, merges, undoes and saves with SIGKILL again and again; count what is lost."""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind, Volume
from uniem.proofreading.edits import Edit, Relabelling
from uniem.proofreading.journal import FILE_NAME, EntryKind, Journal
from uniem.proofreading.saving import Saving
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, paint

SHAPE: Triple = (8, 768, 768)
EDITS_PER_SAVE = 12
STEPS_PER_EDIT = 12
MOST_TOLD = 30
# A process of its own for each editor, which need not import everything first.
CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(
    ["tensorstore", "uniem.proofreading.session", "uniem.proofreading.tools.brush"]
)


def stroke(number: int) -> tuple[Stroke, int]:
    """Return the stroke of a number and its label, the same in every process."""
    rng = np.random.default_rng(number)
    z = float(rng.integers(SHAPE[0]))
    points = tuple((z, *rng.uniform(0, SHAPE[1], 2).round()) for _ in range(rng.integers(1, 4)))
    return Stroke(points, float(rng.choice([3, 12, 24, 90]))), int(rng.integers(0, 50))


def mapping(number: int) -> dict[int, int]:
    """Return which labels an edit merges into one, deletes or exchanges; none if it paints."""
    rng = np.random.default_rng(number)
    labels = rng.permutation(np.arange(1, 50))[:4].tolist()
    chosen: list[dict[int, int]] = [
        {labels[0]: labels[3], labels[1]: labels[3], labels[2]: labels[3]},
        {labels[0]: labels[1], labels[1]: labels[0]},
        {labels[0]: 0},
    ]
    return chosen[number // 7 % 3] if number % 7 == 3 else {}


def edit_for_ever(path: Path, first: int, told: Connection) -> None:
    """Edit, write and save in the background, telling after each what is done, until killed."""
    session = ProofreadingSession.open(path, "editor")
    session.objects.scan()
    told.send(("open", session.recovered_edits))
    saving: Saving | None = None
    for number in range(first, sys.maxsize):
        session.apply(made(session.volume, number))
        told.send(("edit", number))
        for _ in zip(range(number % 3), session.write_steps(), strict=False):
            pass
        if number % EDITS_PER_SAVE == EDITS_PER_SAVE - 1:
            told.send(("saving", number))
            saving = session.begin_saving("kept" if number % 3 else "")
        # A save takes a few edits.
        for _ in range(STEPS_PER_EDIT if saving is not None else 0):
            assert saving is not None
            if not saving.go_on():
                told.send(("saved", number))
                saving = None
                break
            time.sleep(0.001 * saving.is_waiting)


def made(volume: Volume, number: int) -> Edit:
    """Return the edit of a number, for the volume as it is."""
    if pairs := mapping(number):
        return Edit("Relabel", (Relabelling(tuple(pairs.items())),))
    return paint(volume, *stroke(number)) or Edit("Nothing", ())


def kill_once(path: Path, first: int, rng: random.Random) -> tuple[int, bool]:
    """Let a child edit for a while; return the last edit it told of and whether it was saving."""
    told, tell = CHILDREN.Pipe(duplex=False)
    child = CHILDREN.Process(target=edit_for_ever, args=(path, first, tell))
    child.start()
    tell.close()
    what, _ = told.recv()
    assert what == "open", "the editor did not start"
    # By what it did rather than by time, so that a busy machine kills at the same places.
    said = [told.recv() for _ in range(rng.randrange(MOST_TOLD))]
    time.sleep(rng.uniform(0, 0.02))
    child.kill()
    child.join()
    assert child.exitcode == -signal.SIGKILL, "the editor ended by itself"
    said += iter_told(told)
    done = [number for what, number in said if what == "edit"]
    saves = [what for what, _ in said if what in ("saving", "saved")]
    return (done[-1] if done else first - 1), saves[-1:] == ["saving"]


def iter_told(told: Connection) -> Iterator[tuple[str, int]]:
    """Yield what a child told before it died, the last of it perhaps in part."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            yield told.recv()


def edits_in_journal(path: Path) -> int:
    """Return how many edits the journal holds."""
    journal = Journal.open(path / FILE_NAME)
    count = sum(entry.kind is EntryKind.APPLY for entry in journal.entries())
    journal.close()
    return count


def apply_to(model: ArrayVolume, number: int) -> None:
    """Make an edit in an array."""
    before = model.array.copy()
    for source, target in mapping(number).items():
        model.array[before == source] = target
    for patch in made(model, number).patches:
        model.array[patch.box.slices][patch.selection()] = patch.after


def table_is_right(session: ProofreadingSession, array: np.ndarray) -> bool:
    """Compare the object table with a count of the array."""
    ids, voxels = np.unique(array[array > 0], return_counts=True)
    columns = session.objects.columns()
    return bool(np.array_equal(columns.ids, ids) and np.array_equal(columns.voxels, voxels))


def crash(kills: int, seed: int) -> dict[str, int | float]:
    """Kill an editor many times; return counts of losses."""
    rng = random.Random(seed)
    counts = {"kills": kills, "kills_while_saving": 0, "edits": 0, "recovered": 0}
    counts |= {"lost_beyond_last_edit": 0, "corrupt": 0, "wrong_tables": 0}
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.zarr"
        create_store(path, SHAPE, "uint32", VoxelSize(50, 5, 5), Kind.LABELS).build_pyramid()
        model, edited = ArrayVolume(np.zeros(SHAPE, np.uint32), VoxelSize(50, 5, 5), Kind.LABELS), 0
        for _ in range(kills):
            told, was_saving = kill_once(path, edited, rng)
            kept = edits_in_journal(path)
            session = ProofreadingSession.open(path, "checker")
            for number in range(edited, kept):
                apply_to(model, number)
            edited = kept
            voxels = session.volume.read(Box.of_shape(SHAPE))
            counts["kills_while_saving"] += was_saving
            counts["recovered"] += session.recovered_edits
            counts["lost_beyond_last_edit"] += max(0, told + 1 - kept)
            counts["corrupt"] += not np.array_equal(voxels, model.array)
            counts["wrong_tables"] += session.objects.is_counted and not table_is_right(session, model.array)
            session.close()
        counts["edits"] = edited
    return counts | {"seconds": round(time.perf_counter() - started, 1)}


def main() -> None:
    """Read the flags; print the counts as JSON and end with 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    counts = crash(arguments.kills, arguments.seed)
    print(json.dumps(counts, indent=2))
    sys.exit(int(any(counts[key] for key in ("lost_beyond_last_edit", "corrupt", "wrong_tables"))))


if __name__ == "__main__":
    main()
