"""TensorBoard over the curves of trainings: a service that ends with whoever started it."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

from uniem.errors import UniemError
from uniem.jobs.interrupts import Interrupts
from uniem.operations.outputs import unfinished

LOOPBACK = "127.0.0.1"
EVENTS = "events.out.tfevents."
UPDATE_S = 1.0
# The folder in which a job makes a model bears the model's name within its own.
_UNFINISHED = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{6}\.part")


class CurveMirror:
    """Copies of the curves of trainings in one folder, which follow them as they grow and move.

    TensorBoard looks through all that lies below a folder again and again, and loses a run whose folder gets
    another name; models lie among volumes of many files, and are made under a name that is not their last.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[Path, str] = {}

    def follow(self, place: Path) -> None:
        """Take up a model's folder, whether it is there or being made, or a folder of models."""
        place = place.absolute()
        if place in self._places:
            return
        name, number = place.name or "models", 2
        while name in self._places.values():
            name, number = f"{place.name} ({number})", number + 1
        self._places[place] = name

    def update(self) -> int:
        """Copy what came since the last time; return how many curves there are."""
        count = 0
        for place, name in self._places.items():
            source = place if place.is_dir() else unfinished(place)
            if source is None:
                continue
            copies = {self._folder / name / _run_of(source, path): path for path in _event_files(source)}
            for copy, path in copies.items():
                _append_new(path, copy)
            for old in _event_files(self._folder / name):
                if old not in copies:
                    old.unlink()
            count += len(copies)
        return count


def serve(
    places: Iterable[Path], port: int, say: Callable[[str], object], is_following_input: bool = False
) -> None:
    """Show the curves of trainings until interrupted, or until the input ends where that is followed.

    The address is said in a line of its own. Further places come as lines of input, each a JSON string.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise UniemError("TensorBoard is not installed.", "Install it: pip install tensorboard.")
    folder = Path(tempfile.mkdtemp(prefix="uniem-tensorboard-"))
    mirror, ended, lock = CurveMirror(folder), threading.Event(), threading.Lock()
    try:
        for place in places:
            mirror.follow(place)
        if not mirror.update() and not is_following_input:
            raise UniemError("None of these folders holds the curves of a training.", "Name model folders.")
        if is_following_input:
            threading.Thread(target=_follow_input, args=(mirror, lock, ended), daemon=True).start()
        say(_launch(folder, port))
        with Interrupts() as interrupts:
            while not ended.wait(UPDATE_S) and not interrupts.asked():
                with lock:
                    mirror.update()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _launch(folder: Path, port: int) -> str:
    """Start TensorBoard's own threads and processes, which end with this one; return its address."""
    # Where this module is, TensorBoard does without TensorFlow, which takes seconds to load.
    sys.modules["tensorboard.compat.notf"] = ModuleType("tensorboard.compat.notf")
    from tensorboard import default, program

    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    board = program.TensorBoard(default.get_plugins())
    options = {"logdir": folder, "host": LOOPBACK, "port": port, "reload_interval": 2}
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    board.configure(argv=["tensorboard", *arguments, "--reload_multifile", "true"])
    try:
        return str(board.launch())
    except program.TensorBoardServerException as error:
        raise UniemError(f"TensorBoard could not be started: {error.msg}", "Choose another port.") from error


def _follow_input(mirror: CurveMirror, lock: threading.Lock, ended: threading.Event) -> None:
    for line in sys.stdin:
        with lock:
            mirror.follow(Path(json.loads(line)))
            mirror.update()
    ended.set()


def _event_files(folder: Path) -> Iterator[Path]:
    """Find event files below a folder, without a look into volumes."""
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.endswith((".zarr", ".import"))]
        yield from (Path(path) / name for name in files if name.startswith(EVENTS))


def _run_of(source: Path, path: Path) -> Path:
    """Return where an event file lies below a followed folder, by the names that models will have."""
    parts = path.relative_to(source).parts
    return Path(*(match["name"] if (match := _UNFINISHED.fullmatch(part)) else part for part in parts))


def _append_new(source: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    try:
        with source.open("rb") as read, copy.open("ab") as written:
            read.seek(written.tell())
            shutil.copyfileobj(read, written)
    except OSError as error:
        # A training that ends at this moment gives its folder another name; the next round finds it there.
        logging.getLogger(__name__).debug("%s: %s", source, error)
