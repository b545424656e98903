"""Start the window, or the command line when there are arguments."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys


def main() -> int:
    """Run the program and return its exit code."""
    # First of all: in a bundle, the processes of multiprocessing come through here too.
    multiprocessing.freeze_support()
    # Pydantic would read the metadata of every installed package to find plugins of its own.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Modules that load make no garbage, and to look for some takes a tenth of the start.
    gc.disable()
    from uniem.cli import main as run_command_line

    gc.enable()
    return run_command_line(sys.argv[1:] or ["gui"], _open_window)


def _open_window(locations: list[str]) -> int:
    # Until the window is there.
    gc.disable()
    from uniem.gui.app import run
    from uniem.gui.ending import end_process

    end_process(run(locations))


if __name__ == "__main__":
    sys.exit(main())
