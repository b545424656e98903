"""The synthetic sample on the command line: made in a folder, or kept for the window to open."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from uniem import paths
from uniem.data.geometry import Triple
from uniem.errors import UniemError
from uniem.progress import Context

# What the window opens of the sample: the section and its ground truth.
OPENED = ("image.zarr", "mitochondria.zarr")


def parse_shape(text: str) -> Triple:
    """Return the voxels along z, y and x that a text such as `32,384,384` names."""
    try:
        z, y, x = (int(part) for part in text.split(","))
    except ValueError as error:
        raise UniemError(
            f"--shape is {text}, not three whole numbers.", "Write Z,Y,X, as in 32,384,384."
        ) from error
    if min(z, y, x) < 1:
        raise UniemError(f"--shape is {text}, which holds no voxel.", "Every number must be at least 1.")
    return z, y, x


def write_sample(folder: Path, shape: Triple | None, context: Context) -> None:
    """Write the sample into a new or empty folder; the shape of the demo's if None."""
    from uniem.demo import SAMPLE_SHAPE, make_sample

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UniemError(f"{folder} is not an empty folder.", "Name a new or an empty folder.")
    is_new = not folder.exists()
    try:
        make_sample(folder, shape or SAMPLE_SHAPE, context)
    except BaseException:
        # Half a sample looks like one; what stands here was written by this very call.
        for part in folder.glob("*" if is_new else ".*.part.zarr"):
            shutil.rmtree(part, ignore_errors=True)
        if is_new and folder.exists():
            folder.rmdir()
        raise


def kept_sample() -> Path:
    """Return the folder of the sample that the window opens."""
    return paths.user_data() / "sample"


def is_kept() -> bool:
    """Tell whether the window's sample stands already."""
    return all((kept_sample() / name).exists() for name in OPENED)


def keep_sample(context: Context) -> None:
    """Make the window's sample, beside its place and then moved there; what stands there already stays."""
    paths.user_data().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".sample-", dir=paths.user_data()) as name:
        made = Path(name) / "sample"
        write_sample(made, None, context)
        kept_sample().mkdir(exist_ok=True)
        for volume in made.iterdir():
            if not (kept_sample() / volume.name).exists():
                volume.rename(kept_sample() / volume.name)


def opened_locations() -> list[str]:
    """Return what the window opens of its sample."""
    return [str(kept_sample() / name) for name in OPENED]
