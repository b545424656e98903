"""Run every benchmark, or those named: `python -m benchmarks [canvas paint_tools labelling ...]`."""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "startup",
    "worker_start",
    "canvas",
    "canvas_endurance",
    "paint_tools",
    "labelling",
    "inference",
    "training",
    "frameworks",
    "memory",
    "volumes",
    "proofreading",
    "object_table",
    "real_proofreading",
    "splits",
)


def main() -> None:
    """Run the benchmarks one after the other, so that they do not disturb each other."""
    unknown = [name for name in sys.argv[1:] if name not in NAMES]
    if unknown:
        sys.exit(f"There is no benchmark named {unknown[0]}; there are {', '.join(NAMES)}.")
    for name in sys.argv[1:] or NAMES:
        print(f"\n== {name} ==", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
