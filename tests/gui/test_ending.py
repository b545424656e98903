"""The process of the window ends as told while threads read volumes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from uniem.data.geometry import Box
from uniem.data.store import create_store
from uniem.data.volume import Kind

ENDING = """
import atexit, sys, threading, time
from pathlib import Path
from uniem.data.formats import open_volume
from uniem.data.geometry import Box
from uniem.gui.ending import end_process

def read():
    while True:
        open_volume(sys.argv[1]).read(Box.of_shape((2, 32, 32)))

for _ in range(3):
    threading.Thread(target=read, daemon=True).start()
time.sleep(0.5)
atexit.register(Path(sys.argv[2]).write_text, "done")
sys.stdout.write("last words")
end_process(3)
"""


def test_the_process_ends_as_told_while_threads_read(tmp_path: Path) -> None:
    store = create_store(tmp_path / "image.zarr", (2, 32, 32), "uint8", None, Kind.IMAGE)
    store.write(Box.of_shape(store.shape), np.ones(store.shape, np.uint8))
    mark = tmp_path / "mark"
    command = [sys.executable, "-c", ENDING, str(tmp_path / "image.zarr"), str(mark)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (3, "last words"), ended.stderr
    assert mark.read_text() == "done"
