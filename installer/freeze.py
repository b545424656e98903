"""Build the bundle with PyInstaller and try it: the window, a training, a cancel and a crash, all frozen.

Run by `make freeze`, under a display. `--only-test` tries the bundle that `dist/uniem` holds.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ROOT / "dist" / "uniem"
SUFFIX = ".exe" if sys.platform == "win32" else ""
TINY = {"kind": "unet", "depth": 2, "base_features": 4}
CLI = BUNDLE / f"uniem-cli{SUFFIX}"
WINDOW = BUNDLE / f"uniem{SUFFIX}"


def build() -> None:
    """Run PyInstaller on the specification."""
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", "pyinstaller.spec"]
    subprocess.run(command, cwd=ROOT, check=True)


def run_cli(*arguments: str, expected: int = 0) -> str:
    """Run the frozen command line and return what it printed."""
    done = subprocess.run([CLI, *arguments], capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != expected:
        raise SystemExit(
            f"uniem-cli {' '.join(arguments)} ended with {done.returncode}, not {expected}:\n{done.stderr}"
        )
    return done.stdout


def try_window(home: Path) -> None:
    """Show the window until it says that it has painted, then let it close itself."""
    report = home / "window.json"
    environment = {**os.environ, "UNIEM_STARTUP_REPORT": str(report)}
    process = subprocess.Popen([WINDOW], env=environment)
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise SystemExit("the frozen window did not show within a minute") from None
    seconds = json.loads(report.read_text())["first_paint_s"]
    print(f"window: first paint after {seconds:.2f} s")


def make_sample(home: Path) -> tuple[str, str]:
    """Write a small image and labels with the frozen program's own sample."""
    run_cli("sample", str(home / "sample"), "--shape", "4,128,128")
    return str(home / "sample" / "image.zarr"), str(home / "sample" / "mitochondria.zarr")


def start_job(home: Path, image: str, labels: str, steps: int) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a training as the window does: a job folder, and a worker of its own."""
    folder = home / f"job-{steps}"
    folder.mkdir()
    request = {
        "operation": "train-2d",
        "version": 1,
        "parameters": {"steps": steps, "patch_size": 64, "network": TINY},
        "inputs": {"image": image, "labels": labels},
        "outputs": {"model": str(home / f"model-{steps}")},
    }
    (folder / "request.json").write_text(json.dumps(request))
    return subprocess.Popen([CLI, "run-job", str(folder)]), folder


def wait_for(folder: Path, word: str, seconds: float = 120) -> None:
    """Wait until an event of a job contains a word."""
    events = folder / "events.jsonl"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if events.exists() and word in events.read_text():
            return
        time.sleep(0.1)
    raise SystemExit(f"no '{word}' in {events} within {seconds:g} s")


def try_jobs(home: Path) -> None:
    """Train five steps; cancel a long training; kill a worker and see that its job is told to be lost."""
    image, labels = make_sample(home)
    process, folder = start_job(home, image, labels, 5)
    if process.wait(timeout=300) != 0 or not (home / "model-5" / "weights.keras").exists():
        raise SystemExit(f"the frozen training failed:\n{(folder / 'events.jsonl').read_text()}")
    print("training: 5 steps done in the frozen worker")
    process, folder = start_job(home, image, labels, 100_000)
    wait_for(folder, '"metric"')
    (folder / "cancel").touch()
    begun = time.monotonic()
    if process.wait(timeout=60) != 3:
        raise SystemExit("the cancelled job did not end with 3")
    print(f"cancel: ended after {time.monotonic() - begun:.1f} s, model kept")
    process, folder = start_job(home, image, labels, 100_001)
    wait_for(folder, '"metric"')
    process.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    process.wait(timeout=60)
    told = run_cli("status", str(folder))
    if "lost" not in told:
        raise SystemExit(f"the killed job is told as: {told}")
    print("crash: the killed worker's job is told to be lost")


def main() -> None:
    """Build, then try everything."""
    if "--only-test" not in sys.argv:
        build()
    size = sum(file.stat().st_size for file in BUNDLE.rglob("*") if file.is_file())
    print(f"bundle: {size / 1e9:.2f} GB in {BUNDLE.relative_to(ROOT)}")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.environ["UNIEM_HOME"] = str(home / "home")
        run_cli("list")
        try_window(home)
        try_jobs(home)


if __name__ == "__main__":
    main()
