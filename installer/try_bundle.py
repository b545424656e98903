"""Try a bundle as its users will: every operation, the window, and jobs that end in every way."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from uniem import paths
from uniem.data.project import Project
from uniem.jobs.events import Cancelled, Finished
from uniem.jobs.folder import JobFolder
from uniem.jobs.request import JobRequest
from uniem.operations.registry import operations

SUFFIX = ".exe" if sys.platform == "win32" else ""
LINUX = sys.platform.startswith("linux")
TINY = {"kind": "unet", "depth": 2, "base_features": 4}
TINY_FLAGS = "--patch-size 64 --network.kind unet --network.depth 2 --network.base-features 4"
# One line per operation at least: whichever library was left out of the bundle is missed here.
COMMANDS = (
    "convert image.zarr image.tif",
    "convert image.zarr image.h5::raw",
    "convert image.h5::raw from-h5.zarr",
    "convert image.zarr image.npy",
    "convert image.zarr sections/",
    "convert sections/ from-sections.zarr",
    "convert lzw.tif from-lzw.zarr",
    "convert zstd.tif from-zstd.zarr",
    "convert jpeg.tif from-jpeg.zarr",
    "normalise image.zarr normalised.zarr",
    "gaussian image.zarr gaussian.zarr",
    "clahe image.zarr clahe.zarr",
    "sharpen image.zarr sharpened.zarr",
    "threshold image.zarr mask.zarr",
    "label mask.zarr labels.zarr",
    "measure mitochondria.zarr objects.csv",
    "mesh mitochondria.zarr meshes",
    "mesh mitochondria.zarr meshes-stl --format stl",
    f"train-2d image.zarr mitochondria.zarr model --steps 2 {TINY_FLAGS}",
    "train-2d image.zarr mitochondria.zarr resnet --steps 2 --patch-size 64 --network.kind resnet "
    "--network.blocks 1",
    "infer-2d image.zarr model probability.zarr",
    f"cross-validate-2d image.zarr mitochondria.zarr folds folds.csv --folds 2 --steps 2 {TINY_FLAGS}",
    "fine-tune-2d image.zarr mitochondria.zarr model tuned --steps 2 --patch-size 64",
    "resume-2d image.zarr mitochondria.zarr model further --steps 4",
    "export-onnx model model.onnx",
    "export-bioimage-io model model.zip",
    "import-bioimage-io model.zip imported",
    "evaluate probability.zarr mitochondria.zarr scores.csv",
    "pack-project project project.uniem.zip",
    "unpack-project project.uniem.zip unpacked",
)


class Bundle:
    """The programs of a bundle, with a home folder of their own."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.cli = folder / f"uniem-cli{SUFFIX}"
        self.window = folder / f"uniem{SUFFIX}"
        self.home = home
        self.sample = home / "sample"

    def run(self, *arguments: str) -> str:
        """Run the command line in the sample's folder and return what it printed; it must end well."""
        folder = self.sample if self.sample.exists() else self.home
        command = [str(self.cli), *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode != 0:
            raise SystemExit(
                f"uniem-cli {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout


def try_bundle(folder: Path) -> None:
    """Try everything; raise `SystemExit` with what went wrong."""
    with tempfile.TemporaryDirectory(prefix="uniem-bundle-") as name:
        home = Path(name)
        os.environ["UNIEM_HOME"] = str(home / "home")
        # Where Qt puts sockets; it complains when a machine without a login has none.
        (home / "runtime").mkdir(mode=0o700)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(home / "runtime"))
        holds_its_files(folder / "_internal")
        bundle = Bundle(folder, home)
        try_operations(bundle)
        try_tensorboard(bundle)
        try_first_paint(bundle)
        try_jobs(bundle, folder.parent / "window.png")


def holds_its_files(inside: Path) -> None:
    """See that every icon, palette and shipped plugin travels with the bundle."""
    folders = [folder for folder in (paths.resources(), paths.root() / "plugins") if folder.is_dir()]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    wanted = [file.relative_to(paths.root()) for file in files if "__pycache__" not in file.parts]
    if absent := [str(file) for file in wanted if not (inside / file).exists()]:
        raise SystemExit(f"the bundle lacks {', '.join(absent)}; build it again")


def try_operations(bundle: Bundle) -> None:
    """Run every operation once on a small sample."""
    listed = {entry["id"] for entry in json.loads(bundle.run("list", "--json"))}
    if listed != set(operations()):
        raise SystemExit(f"the bundle lists {sorted(listed)}, the source tree {sorted(operations())}")
    if untried := listed - {command.split()[0] for command in COMMANDS}:
        raise SystemExit(f"{', '.join(sorted(untried))}: not tried in the bundle; add a line to {__file__}")
    bundle.run("sample", str(bundle.sample), "--shape", "4,128,128")
    write_compressed(bundle.sample)
    Project.create(bundle.sample / "project").close()
    began = time.monotonic()
    for command in COMMANDS:
        bundle.run(*command.split())
    seconds = time.monotonic() - began
    print(f"operations: {len(COMMANDS)} commands, every operation among them, in {seconds:.0f} s", flush=True)


def write_compressed(folder: Path) -> None:
    """Write TIFFs that only the codecs of imagecodecs can read."""
    import numpy as np
    import tifffile

    image = np.random.default_rng(0).integers(0, 255, (2, 64, 64), np.uint8)
    for codec in ("lzw", "zstd", "jpeg"):
        tifffile.imwrite(folder / f"{codec}.tif", image, photometric="minisblack", compression=codec)


def try_tensorboard(bundle: Bundle) -> None:
    """See the curves of a training on TensorBoard's page, which ends with its input."""
    command = [str(bundle.cli), "tensorboard", str(bundle.sample / "model"), "--follow-input"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        address = service.stdout.readline().strip() if service.stdout else ""
        with urllib.request.urlopen(address) as page, urllib.request.urlopen(f"{address}data/runs") as runs:
            found = len(page.read()), json.load(runs)
        if service.stdin:
            service.stdin.close()
    if found[1] != ["model"] or service.returncode:
        raise SystemExit(f"TensorBoard shows {found[1]} and ended with {service.returncode}")
    print(f"tensorboard: a page of {found[0]:,} bytes with the curves", flush=True)


def try_first_paint(bundle: Bundle) -> None:
    """Show the window until it says that it has painted and closes itself, cold and warm."""
    report = bundle.home / "window.json"
    seconds = []
    for _ in range(3):
        environment = {**os.environ, "UNIEM_STARTUP_REPORT": str(report)}
        subprocess.run([str(bundle.window)], env=environment, check=True, timeout=60)
        seconds.append(json.loads(report.read_text())["first_paint_s"])
        report.unlink()
    print(f"window: first paint after {seconds[0]:.2f} s, then {min(seconds[1:]):.2f} s", flush=True)


def try_jobs(bundle: Bundle, picture: Path) -> None:
    """Let the window run jobs: one to its end, one that is cancelled, one killed, one crashed."""
    places = {"image": bundle.sample / "image.zarr", "labels": bundle.sample / "mitochondria.zarr"}
    short, cancelled, killed, crashed = (
        submit(bundle, places, name, steps)
        for name, steps in (("short", 5), ("cancelled", 9999), ("killed", 9999), ("crashed", 9999))
    )
    with window_on(bundle, [*map(str, places.values()), str(bundle.sample / "meshes")]) as window:
        ends_finished(bundle, short)
        ends_cancelled(bundle, cancelled)
        if LINUX:
            ends_lost(bundle, killed, signal.SIGKILL, "was killed (SIGKILL)")
            ends_lost(bundle, crashed, signal.SIGSEGV, "crashed (SIGSEGV)")
        shows_meshes(window)
        if window.poll() is not None:
            raise SystemExit(f"the window ended with {window.returncode} while its jobs ran")
        grab_screen(picture)


def submit(bundle: Bundle, places: dict[str, Path], name: str, steps: int) -> JobFolder:
    """Put a training into the queue, as a window that was closed before it could start it."""
    request = JobRequest(
        operation="train-2d",
        version=operations()["train-2d"].version,
        parameters={"steps": steps, "patch_size": 64, "network": TINY},
        inputs={role: str(path) for role, path in places.items()},
        outputs={"model": str(bundle.home / f"model-{name}")},
    )
    return JobFolder.create(paths.jobs(), request)


@contextlib.contextmanager
def window_on(bundle: Bundle, locations: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a window open on some locations."""
    window = subprocess.Popen([str(bundle.window), "gui", *locations])
    try:
        yield window
    finally:
        window.terminate()
        window.wait(timeout=30)


def ends_finished(bundle: Bundle, job: JobFolder) -> None:
    """See that a short training ends well, in a worker of the bundle's own."""
    wait_until(lambda: job.worker_id, job, "a worker")
    if LINUX:
        program = Path(f"/proc/{job.worker_id}/exe").resolve()
        if program != bundle.cli.resolve():
            raise SystemExit(f"the worker is {program}, not {bundle.cli}")
    began = time.monotonic()
    wait_until(lambda: isinstance(job.last_event(), Finished), job, "an end")
    if not (bundle.home / "model-short" / "weights.keras").exists():
        raise SystemExit("the frozen training left no weights")
    print(f"training: 5 steps in the frozen worker, done after {time.monotonic() - began:.1f} s", flush=True)


def ends_cancelled(bundle: Bundle, job: JobFolder) -> None:
    """See that a long training ends soon after it was asked to, and that its model is kept."""
    wait_until(lambda: has_metric(job), job, "a loss")
    began = time.monotonic()
    job.ask_cancel()
    wait_until(lambda: isinstance(job.last_event(), Cancelled), job, "an end")
    seconds = time.monotonic() - began
    model = bundle.home / "model-cancelled"
    bundle.run("infer-2d", str(bundle.sample / "image.zarr"), str(model), str(bundle.home / "again.zarr"))
    print(f"cancel: the training ended after {seconds:.1f} s; its model predicts", flush=True)


def ends_lost(bundle: Bundle, job: JobFolder, how: signal.Signals, words: str) -> None:
    """See that a job whose worker dies is told to be lost, and why, and that the window saw it."""
    wait_until(lambda: has_metric(job), job, "a loss")
    os.kill(job.worker_id or 0, how)
    wait_until(lambda: job.exit_code == -how, job, f"exit code {-how}")
    told = json.loads(bundle.run("status", str(job.path), "--json"))
    if told["ending"] != "lost" or words not in told["error"] or not told["log_end"]:
        raise SystemExit(f"a job whose worker got {how.name} is told as: {told}")
    if how is signal.SIGSEGV and "Fatal Python error" not in told["log_end"]:
        raise SystemExit(f"the log of the crashed worker has no trace of it:\n{told['log_end']}")
    print(f"{how.name}: told as “{told['error']}”", flush=True)


def has_metric(job: JobFolder) -> bool:
    """Tell whether a training has reported a loss."""
    return any(event.event == "metric" for event in job.tail()[0])


def wait_until(is_so: Callable[[], object], job: JobFolder, what: str, seconds: float = 120) -> None:
    """Wait until something is so; raise with the job's log if it does not come to be."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit(f"{job.path.name}: not {what} within {seconds:g} s\n{job.log_tail(60)}")
        time.sleep(0.05)


def shows_meshes(window: subprocess.Popen[bytes]) -> None:
    """See that the window has loaded VTK to draw the meshes that it was given."""
    if LINUX:
        libraries = Path(f"/proc/{window.pid}/maps").read_text()
        if "libvtkRenderingOpenGL2" not in libraries:
            raise SystemExit("the window was given meshes, but has not loaded VTK")
        print("meshes: the 3D view is loaded", flush=True)


def grab_screen(picture: Path) -> None:
    """Keep a picture of the screen, which must not be empty."""
    from PyQt5.sip import voidptr
    from qtpy.QtWidgets import QApplication

    application = QApplication([])
    screen = application.primaryScreen()
    if screen is None:
        raise SystemExit("there is no screen to take a picture of")
    # PyQt5 takes the number of a window, 0 for the whole screen, as an address.
    image = screen.grabWindow(voidptr(0)).toImage()
    image.save(str(picture))
    colours = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
    if len(colours) < 50:
        raise SystemExit(f"the window shows {len(colours)} colours only: see {picture}")
    print(f"picture: {picture}", flush=True)
