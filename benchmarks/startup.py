"""The window from the start of the process to its first paint, warm; the command line's `list` beside it."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 7
BAR_S = 0.8


def first_paint_s(report: Path) -> float:
    """Start the window in a process of its own; it writes when it painted first, and closes."""
    environment = {**os.environ, "UNIEM_STARTUP_REPORT": str(report)}
    subprocess.run([sys.executable, "-m", "uniem"], env=environment, check=True, timeout=60)
    return float(json.loads(report.read_text())["first_paint_s"])


def list_s() -> float:
    """Return the seconds that `uniem list` takes."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "uniem", "list"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    """Print the median and the worst of some rounds, after one to warm the disk cache."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["UNIEM_HOME"] = folder
        report = Path(folder) / "startup.json"
        paints = [first_paint_s(report) for _ in range(ROUNDS + 1)][1:]
        lists = [list_s() for _ in range(ROUNDS + 1)][1:]
    median = statistics.median(paints)
    print(f"window: first paint {median:.2f} s (worst {max(paints):.2f}), bar {BAR_S} s")
    print(f"uniem list: {statistics.median(lists):.2f} s (worst {max(lists):.2f})")


if __name__ == "__main__":
    main()
