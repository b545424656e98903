"""Ways to damage or disguise any file: each takes a copy of a healthy sample and returns what to open."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fuzz.samples import Sample, expected
from benchmarks.fuzz.trial import Target

NOBODY = 65534
HEADER_BYTES = 400
ENDINGS = [
    ".tif",
    ".png",
    ".jpg",
    ".h5",
    ".npy",
    ".npz",
    ".zarr",
    ".mrc",
    ".nii",
    ".nii.gz",
    ".precomputed",
    ".mojo",
    ".ply",
    ".stl",
    ".obj",
    ".csv",
    ".txt",
    ".raw",
]
STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1e308,
    -0.5,
    2**31,
    2**63,
    10**30,
    "",
    "x",
    "../../..",
    [],
    {},
    [[]],
    [None] * 3,
)
NAN_TEXTS = ("NaN", "Infinity", "-Infinity")


@dataclass
class Copy:
    """A healthy sample in a folder of its own, to be damaged."""

    sample: Sample
    folder: Path
    corpus: Path
    rng: random.Random

    @property
    def path(self) -> Path:
        """What is opened: a file or folder."""
        return self.folder / self.sample.path

    @property
    def files(self) -> list[Path]:
        """Every file of it in order."""
        return [self.path] if self.path.is_file() else sorted(p for p in self.path.rglob("*") if p.is_file())

    def target(self, path: Path | None = None, **more: Any) -> Target:
        """Return the sample, at another place if it was moved, as what to open."""
        _, mark, dataset = self.sample.location.partition("::")
        return Target(f"{path or self.path}{mark}{dataset}", self.sample.noun, **more)

    def whole(self, path: Path | None = None) -> Target:
        """Return the sample as what must open with all of its voxels."""
        return self.target(path, expected=expected(self.sample, self.corpus), must_open=True)

    def pick(self) -> Path:
        """Return a file, one with metadata rather often."""
        described = [p for p in self.files if p.suffix in (".json", ".xml", ".db", "") or p.name[0] == "."]
        return self.rng.choice(described if described and self.rng.random() < 0.4 else self.files)


Damage = Callable[[Copy], Target]


def untouched(copy: Copy) -> Target:
    return copy.whole()


def truncated(copy: Copy) -> Target:
    path = copy.pick()
    size = path.stat().st_size
    near = [copy.rng.randrange(size), copy.rng.randrange(min(size, HEADER_BYTES)), max(0, size - 1)]
    os.truncate(path, copy.rng.choice([near[0], *near]))
    return copy.target()


def bits_flipped(copy: Copy) -> Target:
    path = copy.pick()
    content = bytearray(path.read_bytes())
    for _ in range(copy.rng.choice([1, 1, 2, 5, 20])):
        content[_place(copy.rng, len(content))] ^= 1 << copy.rng.randrange(8)
    path.write_bytes(content)
    return copy.target()


def _place(rng: random.Random, size: int) -> int:
    """Return an offset: in the header mostly, at the end (where zip files have theirs), or anywhere."""
    where = rng.random()
    if where < 0.6:
        return rng.randrange(min(size, HEADER_BYTES))
    return rng.randrange(size) if where < 0.8 else size - 1 - rng.randrange(min(size, HEADER_BYTES))


def extreme_word(copy: Copy) -> Target:
    path = copy.pick()
    content = bytearray(path.read_bytes())
    size = copy.rng.choice([1, 2, 4, 8])
    extremes = [
        0,
        1,
        2 ** (8 * size) - 1,
        2 ** (8 * size - 1),
        2 ** (8 * size - 1) - 1,
        0x7F << (8 * size - 8),
    ]
    word = copy.rng.choice(extremes).to_bytes(size, copy.rng.choice(["little", "big"]))
    at = _place(copy.rng, len(content)) // size * size
    content[at : at + size] = word
    path.write_bytes(content)
    return copy.target()


def block_overwritten(copy: Copy) -> Target:
    path = copy.pick()
    content = bytearray(path.read_bytes())
    at, length = _place(copy.rng, len(content)), copy.rng.choice([4, 64, 512])
    filler = copy.rng.choice([b"\0" * length, b"\xff" * length, copy.rng.randbytes(length)])
    content[at : at + length] = filler[: len(content) - at]
    path.write_bytes(content)
    return copy.target()


def bytes_inserted(copy: Copy) -> Target:
    path = copy.pick()
    content = path.read_bytes()
    at = _place(copy.rng, len(content))
    path.write_bytes(content[:at] + copy.rng.randbytes(copy.rng.choice([1, 2, 3, 100])) + content[at:])
    return copy.target()


def text_inside(copy: Copy) -> Target:
    texts = [
        b"<html>404 Not Found</html>",
        "日本語の文章です。".encode(),
        b"\0" * 5000,
        b"{}",
        b"[]",
        b"null",
    ]
    copy.pick().write_bytes(copy.rng.choice(texts))
    return copy.target()


def noise_inside(copy: Copy) -> Target:
    path = copy.pick()
    kept = path.read_bytes()[: copy.rng.choice([0, 8, 64, 400])]
    path.write_bytes(kept + copy.rng.randbytes(copy.rng.choice([10, 1000, 100_000])))
    return copy.target()


def emptied(copy: Copy) -> Target:
    path = copy.pick()
    path.write_bytes(b"")
    return copy.target()


def file_missing(copy: Copy) -> Target:
    copy.pick().unlink()
    return copy.target()


def wrong_ending(copy: Copy) -> Target:
    renamed = copy.path.with_name("renamed" + copy.rng.choice(ENDINGS))
    copy.path.rename(renamed)
    return copy.target(renamed)


def opened_as_other(copy: Copy) -> Target:
    dataset = copy.rng.choice(
        ["stack", "images", "ids", "../x", "0", "", "a/b", "\0", "é" * 300, "*" * 30 + "z"]
    )
    noun = copy.rng.choice(["volume", "volume", "mesh", "table", "model"])
    return Target(f"{copy.path}::{dataset}" if noun == "volume" else str(copy.path), noun)


def chunk_of_wrong_length(copy: Copy) -> Target:
    path = copy.rng.choice(copy.files)
    content = path.read_bytes()
    path.write_bytes(
        copy.rng.choice([content + b"\0" * 37, content[:-1], content * 2, content[: len(content) // 2]])
    )
    return copy.target()


def files_exchanged(copy: Copy) -> Target:
    a, b = copy.rng.choice(copy.files), copy.rng.choice(copy.files)
    content = a.read_bytes()
    a.write_bytes(b.read_bytes())
    b.write_bytes(content)
    return copy.target()


def description_changed(copy: Copy) -> Target:
    """Put something strange into the JSON or XML of the sample; else into the text of its header."""
    described = [p for p in copy.files if p.suffix == ".json" or p.name in (".zattrs", ".zarray", "info")]
    if not described:
        return _numbers_changed(copy)
    path = copy.rng.choice(described)
    parsed = json.loads(path.read_text("utf-8"))
    for _ in range(copy.rng.choice([1, 1, 2])):
        parsed = _mutated(parsed, copy.rng)
    path.write_text(json.dumps(parsed))
    return copy.target(is_huge=True)


def _mutated(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.93:
        key = rng.choice(list(value))
        if rng.random() < 0.15:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _mutated(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.85:
        at = rng.randrange(len(value))
        if rng.random() < 0.15:
            return rng.choice([value[:at] + value[at + 1 :], [*value, value[at]]])
        return [*value[:at], _mutated(value[at], rng), *value[at + 1 :]]
    return rng.choice([*STRANGE, float("nan"), float("inf")])


def _numbers_changed(copy: Copy) -> Target:
    path = copy.pick()
    content = path.read_bytes()
    digits = [i for i in range(min(len(content), 4000)) if 48 <= content[i] <= 57]
    if not digits:
        return bits_flipped(copy)
    at = copy.rng.choice(digits)
    word = copy.rng.choice(
        [b"-1", b"0", b"nan", b"99999999999", b"1e400", b"'", b"x", b"\xff", b" ", b"7" * 5000]
    )
    path.write_bytes(content[:at] + word + content[at + 1 :])
    return copy.target(is_huge=True)


def nested_deeply(copy: Copy) -> Target:
    described = [p for p in copy.files if p.suffix in (".json", ".xml") or p.name in (".zattrs", "info")]
    path = copy.rng.choice(described or copy.files)
    depth = copy.rng.choice([900, 100_000])
    text = {"[": "[" * depth, "{": '{"a":' * depth, "<": "<a>" * depth, "n": "9" * 20_000}
    path.write_text(text[copy.rng.choice(list(text))])
    return copy.target()


def loop_of_links(copy: Copy) -> Target:
    path = copy.rng.choice([copy.path, copy.pick()])
    _remove(path)
    other = path.with_name("other")
    path.symlink_to(other)
    other.symlink_to(path)
    return copy.target()


def link_to_nowhere(copy: Copy) -> Target:
    path = copy.rng.choice([copy.path, copy.pick()])
    _remove(path)
    path.symlink_to(copy.folder / "nowhere")
    return copy.target()


def link_to_itself_inside(copy: Copy) -> Target:
    folder = copy.path if copy.path.is_dir() else copy.folder
    (folder / "inside").symlink_to(folder)
    return copy.target(copy.path if copy.path.is_dir() else folder)


def linked(copy: Copy) -> Target:
    link = copy.folder / f"link{''.join(copy.path.suffixes)}"
    link.symlink_to(copy.path)
    return copy.whole(link)


def strange_name(copy: Copy) -> Target:
    """Give it a name, or a folder, that is legal and rare."""
    ending = "".join(copy.path.suffixes)
    names = [
        "膜 の 画像",
        " ",
        "a b\tc",
        "line\nbreak",
        "%20#?&=",
        "-rf",
        "naïve 'q\" $HOME `x`",
        "é" * 100,
        "🧠",
    ]
    room = 250 - len(ending.encode())
    name = copy.rng.choice([*names, "x" * room, ""])
    folder = copy.folder
    if copy.rng.random() < 0.3:
        folder = folder / ("長" * 80) / ("d" * 200)
    folder = folder / copy.rng.choice(["", "フォルダ", "a b", "new\nline", "..x"])
    folder.mkdir(parents=True, exist_ok=True)
    moved = folder / (f"{name}{ending}" if name else copy.path.name)
    copy.path.rename(moved)
    if (beside := copy.path.with_name(copy.path.name + ".json")).exists() and len(moved.name) < 240:
        beside.rename(moved.with_name(moved.name + ".json"))
    if copy.sample.name.startswith("npy") and len(moved.name) >= 240:
        return copy.target(moved, must_open=True)
    return copy.whole(moved)


def bytes_in_name(copy: Copy) -> Target:
    moved = copy.path.with_name(os.fsdecode(b"latin-\xe9\xff") + "".join(copy.path.suffixes))
    copy.path.rename(moved)
    return copy.target(moved)


def name_too_long(copy: Copy) -> Target:
    tail = copy.rng.choice(["y" * 300 + copy.path.suffix, "/".join(["z" * 200] * 30), "a\0b"])
    return Target(f"{copy.folder}/{tail}", copy.sample.noun)


def no_rights(copy: Copy) -> Target:
    path = copy.rng.choice([copy.path, copy.pick(), copy.path.parent])
    path.chmod(0)
    become_nobody()
    return copy.target()


def folder_for_file(copy: Copy) -> Target:
    path = copy.pick()
    path.unlink()
    path.mkdir()
    return copy.target()


def file_for_folder(copy: Copy) -> Target:
    folders = [p for p in [copy.path, *copy.path.rglob("*")] if p.is_dir()]
    if not folders:
        (copy.folder / "empty").mkdir()
        return copy.target(copy.folder / "empty")
    folder = copy.rng.choice(folders)
    shutil.rmtree(folder)
    folder.write_bytes(b"a file")
    return copy.target()


def special_file(copy: Copy) -> Target:
    path = copy.rng.choice([copy.path, copy.pick()])
    _remove(path)
    kind = copy.rng.choice(
        ["fifo", "socket", "/dev/zero", "/dev/full", "/dev/null", "/dev/urandom", "/dev/tty"]
    )
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        here = os.open(".", os.O_RDONLY)
        os.chdir(path.parent)  # the names of sockets are short
        socket.socket(socket.AF_UNIX).bind(path.name[-90:])
        os.fchdir(here)
    else:
        path.symlink_to(kind)
    return copy.target()


def changed_while_read(copy: Copy) -> Target:
    """Let another program truncate, overwrite, delete or replace it once the first section has been read."""
    path = copy.rng.choice(copy.files)
    content = path.read_bytes()
    kind = copy.rng.choice(["cut", "cut", "empty", "text", "delete", "replace", "grow"])

    def meanwhile() -> None:
        if kind == "cut":
            os.truncate(path, len(content) // 2)
        elif kind == "empty":
            os.truncate(path, 0)
        elif kind == "text":
            path.write_bytes(b"another text" * 20)
        elif kind == "grow":
            path.write_bytes(content * 2)
        else:
            path.unlink()
            if kind == "replace":
                path.write_bytes(content[: len(content) // 3])

    return copy.target(meanwhile=meanwhile)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def become_nobody() -> None:
    """Lose the rights of root, to whom no file is closed."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


ANY: dict[str, Damage] = {
    "untouched": untouched,
    "truncated": truncated,
    "bits flipped": bits_flipped,
    "extreme word": extreme_word,
    "block overwritten": block_overwritten,
    "bytes inserted": bytes_inserted,
    "text inside": text_inside,
    "noise inside": noise_inside,
    "emptied": emptied,
    "file missing": file_missing,
    "wrong ending": wrong_ending,
    "opened as other": opened_as_other,
    "description changed": description_changed,
    "nested deeply": nested_deeply,
    "loop of links": loop_of_links,
    "link to nowhere": link_to_nowhere,
    "link to itself inside": link_to_itself_inside,
    "linked": linked,
    "strange name": strange_name,
    "bytes in name": bytes_in_name,
    "name too long": name_too_long,
    "no rights": no_rights,
    "folder for file": folder_for_file,
    "file for folder": file_for_folder,
    "special file": special_file,
}
FOLDERS: dict[str, Damage] = {
    "chunk of wrong length": chunk_of_wrong_length,
    "files exchanged": files_exchanged,
}
VOLUMES: dict[str, Damage] = {
    "changed while read": changed_while_read,
}
# How many cases each sample gets in a run of the usual size.
WEIGHTS = {
    "truncated": 8,
    "bits flipped": 10,
    "extreme word": 8,
    "description changed": 8,
    "block overwritten": 3,
    "bytes inserted": 2,
    "strange name": 3,
    "changed while read": 3,
    "export: disk full": 3,
    "export: onto something": 3,
    "export: strange values": 3,
    "special file": 2,
}
