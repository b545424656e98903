"""Ways in which writing a volume may fail: no room, no rights, something in the way, a source that breaks."""

from __future__ import annotations

import ctypes
import os
import resource
from pathlib import Path

import numpy as np

from benchmarks.fuzz.damage import Copy, Damage, become_nobody
from benchmarks.fuzz.trial import Target

EXPORTS = [
    "a.tif",
    "a.h5",
    "a.h5::x/y",
    "a.npy",
    "a.npz",
    "a.mrc",
    "a.nii",
    "a.nii.gz",
    "a.zarr",
    "a.precomputed",
    "a.mojo",
    "sections/",
]
MS_REMOUNT, MS_RDONLY, MS_REC, MS_PRIVATE, CLONE_NEWNS = 32, 1, 16384, 1 << 18, 0x20000


def _place_for(copy: Copy) -> tuple[Path, str]:
    """Return a new folder and a name in it to export to."""
    folder = copy.folder.with_name(copy.folder.name + "-out")
    folder.mkdir()
    return folder, copy.rng.choice(EXPORTS)


def export_healthy(copy: Copy) -> Target:
    folder, name = _place_for(copy)
    return copy.target(export_to=f"{folder}/{name}")


def export_disk_full(copy: Copy) -> Target:
    """Export to a file system of a few kilobytes, or under a limit of the size of files."""
    folder, name = _place_for(copy)
    room = copy.rng.choice([0, 4, 8, 12, 16, 20, 40, 100]) << 10
    if not (room and _mount(folder, f"size={room}")):
        return copy.target(
            export_to=f"{folder}/{name}",
            before_export=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (room + 100, resource.RLIM_INFINITY)
            ),
        )
    return copy.target(export_to=f"{folder}/{name}")


def export_read_only(copy: Copy) -> Target:
    folder, name = _place_for(copy)
    if copy.rng.random() < 0.5 and _mount(folder, "size=100k"):
        _mount(folder, "size=100k", MS_REMOUNT | MS_RDONLY)
    else:
        folder.chmod(0o555)
        become_nobody()
    return copy.target(export_to=f"{folder}/{name}")


def export_onto_something(copy: Copy) -> Target:
    """Export to where something is: a file, folder, link, device or FIFO, or below a file."""
    folder, name = _place_for(copy)
    place = folder / name.partition("::")[0].rstrip("/")
    kind = copy.rng.choice(
        ["file", "folder", "link", "loop", "fifo", "below", "/dev/full", "long", "empty folder"]
    )
    if kind == "file":
        place.write_bytes(b"what was there before")
    elif kind in ("folder", "empty folder"):
        place.mkdir()
        if kind == "folder":
            (place / "kept.txt").write_bytes(b"what was there before")
    elif kind == "link":
        (folder / "linked").write_bytes(b"what was there before")
        place.symlink_to(folder / "linked")
    elif kind == "loop":
        place.symlink_to(place)
    elif kind == "fifo":
        os.mkfifo(place)
    elif kind == "below":
        (folder / "file").write_bytes(b"x")
        return copy.target(export_to=f"{folder}/file/{name}")
    elif kind == "long":
        return copy.target(export_to=f"{folder}/{'l' * copy.rng.choice([240, 249, 253, 300])}{name}")
    else:
        place.symlink_to(kind)
    return copy.target(export_to=f"{folder}/{name}")


def export_of_damaged(copy: Copy) -> Target:
    """Export over an older file while the source breaks: the older one stays, and nothing half-written."""
    folder, name = _place_for(copy)
    (folder / "older").write_bytes(b"what was there before")

    def damage() -> None:
        for path in copy.files[len(copy.files) // 2 :]:
            os.truncate(path, path.stat().st_size * 2 // 3)

    return copy.target(export_to=f"{folder}/{name}", before_export=damage)


def export_strange_values(copy: Copy) -> Target:
    """Export voxels that the format may not be able to hold."""
    folder, name = _place_for(copy)
    source = copy.folder / "strange.npy"
    dtype = copy.rng.choice(
        [
            "bool",
            "uint8",
            "int8",
            "uint16",
            "int16",
            "uint32",
            "int32",
            "uint64",
            "int64",
            "float32",
            "float64",
            "float16",
        ]
    )
    shape = copy.rng.choice([(1, 1, 1), (3, 1, 200), (2, 17, 33), (70, 1, 1), (1, 300, 1)])
    values = np.random.default_rng(copy.rng.randrange(99)).integers(0, 256, (*shape, 8), np.uint8)
    bits = np.ascontiguousarray(values[..., : np.dtype(dtype).itemsize]).view(
        dtype if dtype != "bool" else "u1"
    )
    np.save(source, bits[..., 0].astype(dtype))
    return Target(str(source), export_to=f"{folder}/{name}")


def _mount(folder: Path, options: str, flags: int = 0) -> bool:
    """Mount a small file system that vanishes with this process; False where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    is_own = flags or not (
        libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    )
    return bool(is_own and libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", flags, options.encode()) == 0)


EXPORT_WAYS: dict[str, Damage] = {
    "export: healthy": export_healthy,
    "export: disk full": export_disk_full,
    "export: read-only": export_read_only,
    "export: onto something": export_onto_something,
    "export: source breaks": export_of_damaged,
    "export: strange values": export_strange_values,
}
