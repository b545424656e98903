"""What every test shares: a private home folder, the Qt binding, and the real data where they are present."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

os.environ.setdefault("QT_API", "pyqt5")
os.environ.setdefault("PYTEST_QT_API", "pyqt5")
if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
    # Under Qt's offscreen platform VTK must not take the fake window id for an X window or an EGL device.
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkOSOpenGLRenderWindow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse to load TensorFlow and VTK's OpenGL into one process, where their LLVM libraries crash."""
    rooms = {item.path.relative_to(TESTS).parts[0] for item in items if TESTS in item.path.parents}
    if "gui" in rooms and rooms & {"networks", "operations"}:
        raise pytest.UsageError("run tests/gui by themselves: `make test` does both parts")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give each test its own settings, jobs and work folder."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("UNIEM_HOME", str(folder))
    yield folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real EM volumes, or skip where it is absent."""
    folder = TESTS.parents[1] / "shared" / "data"
    if not (folder / "datasets.json").exists():
        pytest.skip("the real EM volumes are not beside this checkout")
    return folder
