"""The end of the window's process, whatever its threads are doing."""

from __future__ import annotations

import atexit
import os
import sys
from typing import NoReturn


def end_process(code: int) -> NoReturn:
    """Do what was registered for the end, and end the process with an exit code.

    Python's own end is left out. It stops every thread where it next asks for the interpreter; one that reads
    a volume is then inside TensorStore, which aborts the process, or inside Qt, which crashes it.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        # A program without a console has neither.
        if stream is not None:
            stream.flush()
    os._exit(code)
