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
BAR_S, PAUSE_BAR_MS = 0.8, 100
WATCH_S = 3


def start(report: Path, **more: str) -> dict[str, float]:
    """Start the window in a process of its own; it writes when it painted first, and closes."""
    environment = {**os.environ, "UNIEM_STARTUP_REPORT": str(report), **more}
    subprocess.run([sys.executable, "-m", "uniem"], env=environment, check=True, timeout=60)
    return dict(json.loads(report.read_text()))


def list_s() -> float:
    """Return the seconds that `uniem list` takes."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "uniem", "list"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def use_bytecode(folder: Path) -> None:
    """Let Python keep compiled modules, as it does for users; where it is told not to, it compiles anew."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")


def main() -> None:
    """Print the median and the worst of some rounds, after one to warm the disk cache."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["UNIEM_HOME"] = folder
        use_bytecode(Path(folder))
        report = Path(folder) / "startup.json"
        starts = [start(report) for _ in range(ROUNDS + 1)][1:]
        watched = [start(report, UNIEM_STARTUP_WATCH=str(WATCH_S)) for _ in range(3)]
        lists = [list_s() for _ in range(ROUNDS + 1)][1:]
    paints, cpu = ([each[name] for each in starts] for name in ("first_paint_s", "cpu_s"))
    pauses = sorted(1000 * each["longest_pause_s"] for each in watched)
    print(f"window: first paint {statistics.median(paints):.2f} s (worst {max(paints):.2f}), bar {BAR_S} s")
    print(f"of which CPU: {statistics.median(cpu):.2f} s (least {min(cpu):.2f})")
    print(
        f"longest pause in the {WATCH_S} s after it: {pauses[1]:.0f} ms (worst {pauses[-1]:.0f}), "
        f"bar {PAUSE_BAR_MS} ms"
    )
    print(f"uniem list: {statistics.median(lists):.2f} s (worst {max(lists):.2f})")


if __name__ == "__main__":
    main()
