"""Start the bundled program: the window, or the command line when there are arguments."""

import os
import sys

# A windowed program on Windows has no streams at all, and whoever writes to one would end it.
if sys.stderr is None or sys.stdout is None:
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - open to the end

from uniem.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
