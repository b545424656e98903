"""The environment of other projects' readers, whose packages do not get along with ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
PYTHON = FOLDER.parents[1] / ".venv-peers" / "bin" / "python"


@pytest.fixture(scope="session")
def run_peer() -> Callable[..., str]:
    """Return what runs a script of this folder in the other environment; skip where there is none."""
    if not PYTHON.exists():
        pytest.skip("other projects' readers are not installed; `make peers` installs and runs them")

    def run(script: str, *arguments: str | Path) -> str:
        # Selenium takes the driver that is installed, and looks for none on the net.
        environment = {**os.environ, "SE_OFFLINE": "true", "PYTHONPATH": ""}
        done = subprocess.run(
            [str(PYTHON), str(FOLDER / script), *map(str, arguments)],
            capture_output=True,
            text=True,
            env=environment,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{script} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    return run
