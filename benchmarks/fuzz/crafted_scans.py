"""NIfTI, MRC and Dojo files made by hand."""

from __future__ import annotations

import gzip
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz.making import (
    LAUGHS,
    SIZES_NM,
    Maker,
    each_of,
    huge,
    written,
)
from benchmarks.fuzz.samples import grey, ids
from benchmarks.fuzz.trial import Target


def _nifti(folder: Path, changes: dict[str, Any]) -> Target:
    import nibabel

    make_header: Any = nibabel.Nifti1Header
    header = make_header(endianness="<")
    header.set_data_shape((56, 40, 6))
    header.set_data_dtype(np.uint8)
    header["vox_offset"], header["scl_slope"], header["scl_inter"], header["xyzt_units"] = 352, 1, 0, 3
    raw = bytearray(header.binaryblock)
    for name, value in changes.items():
        dtype, offset = header.template_dtype.fields[name]
        raw[offset : offset + dtype.itemsize] = np.array(value, dtype.newbyteorder("<")).tobytes()
    content = bytes(raw) + bytes(4) + grey().tobytes()
    is_packed = sum(map(ord, str(changes))) % 2
    name = "a.nii.gz" if is_packed else "a.nii"
    return written(folder / name, gzip.compress(content) if is_packed else content)


def _nifti_extension(folder: Path, size: int) -> Target:
    target = _nifti(folder, {"xyzt_units": 2, "vox_offset": 400})
    path = Path(target.location)
    content = bytearray(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
    content[348:352] = b"\1\0\0\0"
    content[352:360] = struct.pack("<ii", size, 6)
    return written(folder / "b.nii", bytes(content))


def _nifti_bomb(folder: Path) -> Target:
    small = _nifti(folder, {"dim": [3, 30_000, 30_000, 2, 1, 1, 1, 1]})
    path = Path(small.location)
    head = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    zeros = gzip.compress(bytes(1 << 24))
    (folder / "b.nii.gz").write_bytes(gzip.compress(head[:352]) + zeros * (1_800_000_000 >> 24))
    return huge(folder / "b.nii.gz")


NIFTI_CHANGES = [
    {"dim": [3, 32767, 32767, 32767, 1, 1, 1, 1]},
    {"dim": [3, -1, 40, 6, 1, 1, 1, 1]},
    {"dim": [0] * 8},
    {"dim": [7, 56, 40, 6, 1, 1, 1, 1]},
    {"dim": [8, 56, 40, 6, 1, 1, 1, 1]},
    {"dim": [-3, 56, 40, 6, 1, 1, 1, 1]},
    {"dim": [4, 56, 40, 3, 2, 1, 1, 1]},
    {"dim": [2, 56, 40, 0, 0, 0, 0, 0]},
    {"dim": [1, 56, 0, 0, 0, 0, 0, 0]},
    {"dim": [3, 0, 40, 6, 1, 1, 1, 1]},
    {"dim": [7, 32767, 32767, 32767, 32767, 32767, 32767, 32767]},
    {"datatype": 32},
    {"datatype": 1792},
    {"datatype": 128},
    {"datatype": 2304},
    {"datatype": 0},
    {"datatype": 9999},
    {"datatype": 1536},
    {"datatype": 1},
    {"datatype": 64},
    {"bitpix": 0},
    {"bitpix": -8},
    {"vox_offset": float("nan")},
    {"vox_offset": float("inf")},
    {"vox_offset": -400},
    {"vox_offset": 3e38},
    {"vox_offset": 10},
    {"vox_offset": 352.5},
    {"scl_slope": float("nan")},
    {"scl_slope": float("inf")},
    {"scl_slope": 0},
    {"scl_slope": 1e38},
    {"scl_inter": float("nan")},
    {"scl_inter": float("-inf")},
    {"scl_slope": 2, "scl_inter": 7},
    {"scl_slope": 2, "dim": [3, 32767, 32767, 9, 1, 1, 1, 1]},
    {"pixdim": [float("nan")] * 8},
    {"pixdim": [float("inf")] * 8},
    {"pixdim": [-4.0] * 8},
    {"pixdim": [0.0] * 8},
    {"pixdim": [1e38] * 8, "qform_code": 1},
    {"sform_code": 1, "srow_x": [float("nan")] * 4},
    {"sform_code": -9, "qform_code": 77},
    {"sform_code": 1},
    {"qform_code": 1, "quatern_b": float("nan")},
    {"qform_code": 1, "quatern_b": 9},
    {"xyzt_units": 255},
    {"xyzt_units": 0},
    {"intent_code": 1002},
    {"intent_code": -1},
    {"intent_code": 31000},
    {"sizeof_hdr": 0},
    {"sizeof_hdr": -1},
    {"magic": b"ni1"},
    {"descrip": b"uniem kind: pudding"},
    {"descrip": b"\xff" * 80},
    {"dim_info": 255},
]
NIFTI: dict[str, Maker] = {
    **each_of("header", NIFTI_CHANGES, _nifti),
    **each_of("extension of", [0, -16, 16, 17, 2**31 - 1, 32], _nifti_extension),
    "bomb": _nifti_bomb,
    "gz of gz": lambda folder: written(folder / "a.nii.gz", gzip.compress(gzip.compress(b"x" * 999))),
    "zip bomb with no header": lambda folder: written(folder / "a.nii.gz", gzip.compress(bytes(1 << 28), 9)),
}


def _mrc(folder: Path, changes: dict[str, Any]) -> Target:
    import mrcfile

    with mrcfile.new(folder / "a.mrc") as file:
        file.set_data(grey().astype(np.int16))
        file.voxel_size = 4.0
    content = bytearray((folder / "a.mrc").read_bytes())
    fields = mrcfile.dtypes.HEADER_DTYPE.fields
    for name, value in changes.items():
        dtype, offset = fields[name][:2]
        content[offset : offset + dtype.itemsize] = np.array(value, dtype).tobytes()
    return written(folder / "a.mrc", bytes(content))


MRC_CHANGES = [
    *({axis: n} for axis in ("nx", "ny", "nz") for n in (0, -1, 2**31 - 1, 7, 100_000)),
    {"nx": 2**31 - 1, "ny": 2**31 - 1, "nz": 2**31 - 1},
    {"nx": 65536, "ny": 65536, "nz": 65536},
    *({"mode": m} for m in (0, 1, 2, 3, 4, 6, 12, 101, -1, 99, 2**31 - 1)),
    *({"nsymbt": n} for n in (-1, 2**31 - 1, 8, 100)),
    {"mapc": 1, "mapr": 1, "maps": 1},
    {"mapc": 0},
    {"mapc": 3, "mapr": 2, "maps": 1},
    {"mapc": -7, "mapr": 99},
    {"ispg": 401},
    {"ispg": 401, "mz": 4},
    {"ispg": 0},
    {"ispg": -1},
    {"ispg": 401, "mz": 0},
    {"mz": -3, "ispg": 401},
    {"mx": 0, "my": 0, "mz": 0},
    {"mx": -1},
    *({"cella": (v, v, v)} for v in SIZES_NM if abs(v) < 1e39 or v != v or v == float("inf")),
    {"machst": [0, 0, 0, 0]},
    {"machst": [17, 17, 0, 0]},
    {"machst": [255] * 4},
    {"map": b"MAPX"},
    {"nlabl": 99},
    {"nlabl": -1},
    {"label": [b"\xff\xfe" * 40] * 10, "nlabl": 10},
    {"label": [b"uniem kind: "] * 10, "nlabl": 10},
    {"exttyp": b"SERI", "nsymbt": 64},
    {"exttyp": b"FEI1", "nsymbt": 768},
    {"exttyp": b"\xff\xff\xff\xff"},
]
MRC: dict[str, Maker] = each_of("header", MRC_CHANGES, _mrc)


def _dojo(folder: Path, change: Callable[[Path], Any]) -> Target:
    from uniem.data.formats import export_volume
    from uniem.data.volume import ArrayVolume, Kind

    export_volume(ArrayVolume(ids()[:2], None, Kind.LABELS), f"{folder}/a.mojo")
    change(folder / "a.mojo" / "ids")
    return huge(folder / "a.mojo")


def _description(name: str, value: str) -> Maker:
    import re

    def change(part: Path) -> None:
        path = part / "tiledVolumeDescription.xml"
        path.write_text(re.sub(rf'{name}="[^"]*"', f'{name}="{value}"', path.read_text()))
        (part / "volume.json").unlink()

    return lambda folder: _dojo(folder, change)


def _sql(*statements: str) -> Maker:
    def change(part: Path) -> None:
        connection = sqlite3.connect(part / "segmentInfo.db")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()

    return lambda folder: _dojo(folder, change)


def _xml(text: str) -> Maker:
    return lambda folder: _dojo(
        folder, lambda p: (p / "tiledVolumeDescription.xml").write_text(text) and None
    )


DOJO: dict[str, Maker] = {
    **{
        f"{name} {value}": _description(name, value)
        for name in ("numVoxelsX", "numVoxelsZ", "numVoxelsPerTileY", "numVoxelsPerTileZ", "fileExtension")
        for value in ("1000000000", "0", "-1", "x", "", "1e9", "../x", "9" * 400)
    },
    "merges in a circle": _sql(
        "INSERT INTO relabelMap VALUES (3, 5)", "INSERT INTO relabelMap VALUES (5, 3)"
    ),
    "merge of text": _sql("INSERT INTO relabelMap VALUES ('x', 'y')"),
    "merge of a large id": _sql("INSERT INTO relabelMap VALUES (3, 99999999999)"),
    "merge of a blob": _sql("INSERT INTO relabelMap VALUES (x'00ff', 1e300)"),
    "no table": _sql("DROP TABLE relabelMap"),
    "long chain": _sql(
        "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) "
        "INSERT INTO relabelMap SELECT i, i + 1 FROM n"
    ),
    "endless view": _sql(
        "DROP TABLE relabelMap",
        "CREATE VIEW relabelMap AS WITH RECURSIVE n(i) AS (SELECT 1 "
        "UNION ALL SELECT i + 1 FROM n) SELECT i AS fromId, i + 1 AS toId FROM n",
    ),
    "laughs": _xml(LAUGHS),
    "deep xml": _xml("<a>" * 50_000),
}
