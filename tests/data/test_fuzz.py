"""A small, ever equal part of the fuzz run: damaged and strange files of every format."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="forks, and looks at the memory of processes in /proc")
def test_150_damaged_and_strange_files_end_well() -> None:
    command = [sys.executable, "-m", "benchmarks.fuzz", "--cases", "150", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("150 cases, seed 3: 0 bad")
