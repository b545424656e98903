"""Files that appear complete or not at all, and what the operating system says about them in plain words."""

from __future__ import annotations

import errno
import json
import os
import shutil
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from uniem.errors import UniemError

# What libraries raise on files that are damaged in ways that they did not think of.
PARSER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RuntimeError,  # every error of imagecodecs is one
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
MOST_RECORD_BYTES = 1 << 24
REMOVALS = 50
REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space or write to another disk."),
    errno.EFBIG: ("files may not become that large there", "Write to another disk."),
    errno.EDQUOT: ("your disk quota is used up", "Free some space or write to another disk."),
    errno.EROFS: ("the place is read-only", "Write to another folder."),
    errno.EACCES: ("you lack the right", "Change the rights of the file or folder, or choose another place."),
    errno.EPERM: ("you lack the right", "Change the rights of the file or folder, or choose another place."),
    errno.ENOENT: ("there is no such file or folder", "Check the spelling of the path."),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "Check the spelling of the path."),
    errno.EISDIR: ("it is a folder", "Name a file."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter name."),
    errno.ELOOP: ("its links point at one another", "Remove or repair the links."),
}


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to read a path into a `UniemError`."""
    try:
        if "\0" in str(path):
            raise OSError(errno.EINVAL, "a name cannot hold the character 0")
        yield
    except OSError as error:
        raise _explained("read", path, error) from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to write a path into a `UniemError`."""
    try:
        yield
    except OSError as error:
        raise _explained("write", path, error) from error


def check_regular(path: Path) -> None:
    """Raise if a path is neither a file nor a folder: a pipe would be waited for, a device read for ever."""
    with reading(path):
        path.stat()
    if not path.is_file() and not path.is_dir():
        raise UniemError(f"{path} is a pipe or a device, not a file.", "Name a file or folder.")


def read_record(path: Path) -> Any:
    """Return the JSON in a file that this suite writes beside a volume; None where there is none.

    Raises one of `PARSER_ERRORS`, or OSError, if it is no JSON.
    """
    if not path.is_file():  # a pipe would be waited for
        return None
    with path.open("rb") as file:
        return json.loads(file.read(MOST_RECORD_BYTES))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling, `.<name>.part`, that becomes `path` if the block ends well, else vanishes.

    The block may write a file or make a folder. An existing file at `path` is replaced; an existing folder
    must be empty. A full or read-only disk becomes a `UniemError`.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with writing(path):
            _check_free(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            _remove(part)
            yield part
            if path.is_dir():
                path.rmdir()
            part.replace(path)
    finally:
        _remove_if_possible(part)


def reserve(path: Path, size: int) -> None:
    """Take room on the disk for a file that is about to grow to a size; raise OSError if there is none.

    HDF5 ends the whole process if it finds the disk full when it writes out what it holds.
    """
    if shutil.disk_usage(path).free < size - path.stat().st_size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):  # some file systems cannot
            raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file, or leave what was there."""
    with replacing(path) as part:
        part.write_bytes(content)


def _check_free(path: Path) -> None:
    if path.is_dir() and any(path.iterdir()):
        raise UniemError(f"The folder {path} is not empty.", "Choose a new or an empty folder.")


def _explained(deed: str, path: Path, error: OSError) -> UniemError:
    # NumPy's tofile says "90000 requested and 26784 written", without a number, when the disk is full.
    number = error.errno or (errno.ENOSPC if "requested and" in str(error) else 0)
    unknown = (error.strerror or str(error), "Check the disk and the path.")
    reason, remedy = REASONS.get(number, unknown)
    return UniemError(f"Cannot {deed} {path}: {reason}.", remedy)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_if_possible(path: Path) -> None:
    """Remove what is left of a file or folder, also what threads of a library are still writing into it."""
    for _ in range(REMOVALS):
        if not os.path.lexists(path):
            return
        with suppress(
            OSError
        ):  # the reason why is already on its way to the user, or the file was never made
            _remove(path)
        time.sleep(0.02)
