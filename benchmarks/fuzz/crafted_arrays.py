"""NumPy's files and HDF5 files made by hand."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz.making import (
    DTYPES,
    HUGE,
    SIZES_NM,
    Maker,
    deflated_zeros,
    each_of,
    given,
    huge,
    written,
)
from benchmarks.fuzz.samples import grey
from benchmarks.fuzz.trial import Target


class _Marker:
    """A pickle of this makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.path),))


def npy_bytes(header: str, content: bytes = bytes(999), version: tuple[int, int] = (1, 0)) -> bytes:
    """Return an .npy file with a header of my choice."""
    text = header.encode("latin-1", "replace") + b"\n"
    length = struct.pack(
        "<H" if version == (1, 0) else "<I", len(text) % (65536 if version == (1, 0) else 2**32)
    )
    return b"\x93NUMPY" + bytes(version) + length + text + content


def _header(shape: Any, descr: Any = "'|u1'", order: Any = False) -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


HEADERS = [
    _header((10**12, 1, 1)),
    _header((HUGE, HUGE, HUGE)),
    _header((2**63, 2, 2)),
    _header((2**31, 2**31, 4)),
    _header((2**32, 2**32, 1)),
    _header((-1, 5, 5)),
    _header((1.5, 5, 5)),
    _header("(True, 9, 9)"),
    _header(()),
    _header((0, 9, 9)),
    _header((9, 111)),
    _header((999,)),
    _header((1, 1, 9, 111)),
    _header("[9, 9, 9]"),
    _header((3, 333), "'|O'"),
    _header((3, 3), "'<c8'"),
    _header((3, 3), "'V8'"),
    _header((9, 9), "'<f16'"),
    _header((3, 3), "[('a', '<i4'), ('b', '<f4')]"),
    _header((3, 3), "('u1', (10000, 100000))"),
    _header((3, 3), "'<M8[s]'"),
    _header((3, 3), "'|S99999999'"),
    _header((3, 3), "'u1,u1'"),
    _header((3, 3), "3"),
    _header((3, 3), "'x'"),
    _header((3, 3), "None"),
    _header((9, 9, 9), order=7),
    _header((10**12, 10**12), order=True),
    "{}",
    "",
    "[]",
    "open('/tmp/x', 'w')",
    "(" * 5000,
    "{" * 200,
    "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 3), 'more': 1}",
    "-" * 30_000 + "1",
    "9" * 60_000,
]


def _npy_header(folder: Path, header: str) -> Target:
    (folder / "a.npy").write_bytes(npy_bytes(header))
    return huge(folder / "a.npy")


def _npz_header(folder: Path, header: str) -> Target:
    packing = zipfile.ZIP_DEFLATED if len(header) % 2 else zipfile.ZIP_STORED
    with zipfile.ZipFile(folder / "a.npz", "w", packing) as archive:
        archive.writestr("volume.npy", npy_bytes(header))
    return huge(folder / "a.npz")


def _npy_pickle(folder: Path, name: str) -> Target:
    array = np.empty((3, 3), object)
    array[:] = _Marker(folder.with_name(folder.name + "-ran"))
    (np.savez if name.endswith("z") else np.save)(folder / name, array)
    return Target(str(folder / name), forbidden=folder.with_name(folder.name + "-ran"))


def _npz_small_pickle(folder: Path) -> Target:
    mark = folder.with_name(folder.name + "-ran")
    kind = np.empty((), object)
    kind[()] = _Marker(mark)
    np.savez(folder / "a.npz", volume=grey(), kind=kind)
    return Target(f"{folder}/a.npz", forbidden=mark)


def _npy_dtype(folder: Path, dtype: str) -> Target:
    np.save(folder / "a.npy", np.ones((3, 20, 30)).astype(dtype))
    return Target(f"{folder}/a.npy")


def _npz(folder: Path, members: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> Target:
    with zipfile.ZipFile(folder / "a.npz", "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return huge(folder / "a.npz")


def _npz_bomb(folder: Path, name: str) -> Target:
    with zipfile.ZipFile(folder / "a.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        if name != "volume":
            archive.writestr("volume.npy", npy_bytes(_header((3, 9, 9))))
        with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
            file.write(npy_bytes(_header((3, 1 << 14, 1 << 14)), b""))
            for _ in range(48):
                file.write(bytes(1 << 24))
    return huge(folder / "a.npz")


def _npz_encrypted(folder: Path) -> Target:
    target = _npz(folder, {"volume.npy": npy_bytes(_header((3, 9, 9)))}, zipfile.ZIP_STORED)
    content = bytearray((folder / "a.npz").read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (folder / "a.npz").write_bytes(content)
    return target


def _npy_floats(folder: Path, value: float) -> Target:
    voxels = np.full((3, 20, 30), value, np.float32)
    voxels[1:, :10] = [0, 0.5, 1] * 10
    np.save(folder / "a.npy", voxels if np.isfinite(value) else np.full_like(voxels, value))
    return Target(f"{folder}/a.npy", must_open=True)


NUMPY: dict[str, Maker] = {
    **{f"header {i}": given(_npy_header, h) for i, h in enumerate(HEADERS)},
    **{f"npz header {i}": given(_npz_header, h) for i, h in enumerate(HEADERS)},
    **each_of("pickle in", ["a.npy", "a.npz"], _npy_pickle),
    "pickle in the kind": _npz_small_pickle,
    **each_of("of", DTYPES, _npy_dtype),
    **each_of("full of", [float("nan"), float("inf"), -float("inf"), 0.5], _npy_floats),
    **each_of("npz bomb", ["volume", "kind", "voxel_size_nm"], _npz_bomb),
    "npz encrypted": _npz_encrypted,
    "npz empty": lambda folder: _npz(folder, {}),
    "npz of texts": lambda folder: _npz(folder, {"a.txt": b"x", "b.npy": b"x"}),
    "npz bzip2": lambda folder: _npz(folder, {"v.npy": npy_bytes(_header((3, 9, 9)))}, zipfile.ZIP_BZIP2),
    "npz lzma": lambda folder: _npz(folder, {"v.npy": npy_bytes(_header((3, 9, 9)))}, zipfile.ZIP_LZMA),
    "npz 5,000 members": lambda folder: _npz(
        folder, {f"{i}.npy": npy_bytes(_header((1, 1)), b"1") for i in range(5_000)}
    ),
    "npy version 9": lambda folder: written(folder / "a.npy", npy_bytes(_header((9, 9)), version=(9, 9))),
    "npy header of 4 GB": lambda folder: written(
        folder / "a.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(100)
    ),
}


def _hdf5(fill: Callable[[Any], Any]) -> Maker:
    def make(folder: Path) -> Target:
        import h5py

        with h5py.File(folder / "a.h5", "w") as file:
            fill(file)
        return huge(folder / "a.h5")

    return make


def _hdf5_dtype(folder: Path, dtype: str) -> Target:
    import h5py

    def fill(file: Any) -> None:
        if dtype == "text":
            file.create_dataset("a", (3, 4, 4), h5py.string_dtype())
        elif dtype == "compound":
            file["a"] = np.zeros((3, 4, 4), [("a", "i4"), ("b", "f4")])
        elif dtype == "enum":
            file.create_dataset("a", (3, 4, 4), h5py.enum_dtype({"A": 1}))
        elif dtype == "opaque":
            file["a"] = np.zeros((3, 4, 4), "V7")
        else:
            file["a"] = np.ones((3, 20, 30)).astype(dtype)

    return _hdf5(fill)(folder)


def _hdf5_chunk_bomb(file: Any) -> None:
    node = file.create_dataset("a", (3, 60_000, 60_000), "u1", chunks=(1, 60_000, 60_000), compression="gzip")
    node.id.write_direct_chunk((0, 0, 0), deflated_zeros(3_600_000_000))


def _hdf5_links(file: Any) -> None:
    import h5py

    file["loop"] = h5py.SoftLink("/loop")
    file["out"] = h5py.ExternalLink("/etc/passwd", "/x")
    file["itself"] = file["/"]


def _hdf5_attribute(value: Any) -> Maker:
    def fill(file: Any) -> None:
        file["a"] = grey()
        file["a"].attrs["resolution"] = value
        file["a"].attrs["kind"] = value

    return _hdf5(fill)


def _hdf5_nested(file: Any) -> None:
    node = file
    for _ in range(2000):
        node = node.create_group("g")
    node["a"] = grey()


def _hdf5_virtual(file: Any) -> None:
    import h5py

    layout = h5py.VirtualLayout((3, 20, 30), "u1")
    layout[:] = h5py.VirtualSource("missing.h5", "x", (3, 20, 30))
    file.create_virtual_dataset("a", layout)


HDF5: dict[str, Maker] = {
    **each_of("of", [*DTYPES[:7], "text", "compound", "enum", "opaque"], _hdf5_dtype),
    "huge": _hdf5(lambda f: f.create_dataset("a", (HUGE, HUGE, HUGE), "u1", chunks=(1, 64, 64))),
    "wide": _hdf5(lambda f: f.create_dataset("a", (2, 2, 2**40), "f8", chunks=(1, 1, 64))),
    "large chunks": _hdf5(
        lambda f: f.create_dataset("a", (9, 60_000, 60_000), "u1", chunks=(1, 60_000, 60_000))
    ),
    "chunk bomb": _hdf5(_hdf5_chunk_bomb),
    "no numbers": _hdf5(lambda f: f.create_dataset("a", (0, 4, 4), "u1")),
    "nothing": _hdf5(lambda f: None),
    "scalar": _hdf5(lambda f: f.create_dataset("a", data=3)),
    "null": _hdf5(lambda f: f.create_dataset("a", dtype="u1")),
    "links": _hdf5(_hdf5_links),
    "nested": _hdf5(_hdf5_nested),
    "virtual": _hdf5(_hdf5_virtual),
    "outside file": _hdf5(
        lambda f: f.create_dataset("a", (3, 20, 30), "u1", external=[("missing.bin", 0, 1800)])
    ),
    "5,000 datasets": _hdf5(lambda f: [f.create_dataset(f"a{i}", (1, 1), "u1") for i in range(5000)]),
    **{f"size {v}": _hdf5_attribute([v, v, v]) for v in SIZES_NM},
    "size of text": _hdf5_attribute("eight"),
    "size of many": _hdf5_attribute(np.ones((3, 3))),
}
