"""Meshes, tables and models made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.fuzz.making import (
    Maker,
    each_of,
    given,
    written,
)
from benchmarks.fuzz.trial import Target


def _mesh(name: str, content: bytes | str) -> Maker:
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: written(folder / name, data, noun="mesh")


def ply(
    vertex: Any = 3, face: Any = 1, kind: str = "ascii", properties: str = "", body: bytes = b""
) -> bytes:
    """Return a PLY file with a header of my choice."""
    listed = properties or "property float x\nproperty float y\nproperty float z\n"
    text = (
        f"ply\nformat {kind} 1.0\nelement vertex {vertex}\n{listed}element face {face}\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    return text.encode() + (body or b"0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n")


def _index(folder: Path, content: bytes | str) -> Target:
    _mesh("meshes.json", content)(folder)
    return Target(str(folder), "mesh")


def _table(folder: Path, content: bytes) -> Target:
    return written(folder / "a.csv", content, noun="table")


MESHES: dict[str, Maker] = {
    **{
        f"ply {i}": _mesh("7.ply", c)
        for i, c in enumerate(
            [
                ply(),
                ply(10**12),
                ply(3, 10**12),
                ply(-1),
                ply(3, -5),
                ply("x"),
                ply(10**12, kind="binary_little_endian"),
                ply(3, 10**18, "binary_big_endian"),
                ply(-1, -1, "binary_little_endian"),
                ply(kind="pudding"),
                ply(properties="property float x\n"),
                ply(properties="property list uchar int x\nproperty x\n"),
                ply(properties="property\n"),
                ply(body=b"0 0 0\n1 0 0\n0 1 0\n3 0 1 99\n"),
                ply(body=b"nan inf -inf\n" * 3),
                ply(body=b"0 0 0\n1 0 0\n0 1 0\n3 0 -1 2\n"),
                ply(body=b"0 0 0\n1 0 0\n0 1 0\n99999999 0 1 2\n"),
                ply(body=b"0 0 0\n1 0 0\n0 1 0\n3 0 1 99999999999999999999\n"),
                ply(body=b"\xff" * 99),
                b"ply\n",
                b"ply\nend_header",
                b"ply\nproperty float x\nend_header\n",
                b"ply\nelement\nend_header\n",
                ply(0, 0),
                ply(1e9),
                ply(3, 0),
                b'ply\ncomment uniem {"label": "x", "colour": 5}\nelement vertex 0\nend_header\n',
                b'ply\ncomment uniem {"label": 1e400, "colour": [1]}\nelement vertex 0\nend_header\n',
                b"ply\ncomment uniem {" + b"[" * 50_000 + b"}\nend_header\n",
            ]
        )
    },
    **{
        f"stl {i}": _mesh("7.stl", c)
        for i, c in enumerate(
            [
                bytes(84),
                bytes(80) + b"\xff" * 4,
                bytes(80) + b"\1\0\0\0" + b"\xff" * 50,
                b"solid",
                b"solid\nvertex 1 2 x",
                b"solid\nvertex 1 2 3\nvertex 1 2 3",
                b"solid " + b"vertex nan inf 1\n" * 3,
                bytes(83),
                b"x",
                b'uniem {"label": -5}'.ljust(80) + bytes(4),
                b'uniem {"label": [1]}'.ljust(80) + bytes(4),
            ]
        )
    },
    **{
        f"obj {i}": _mesh("7.obj", c)
        for i, c in enumerate(
            [
                "v 0 0 0\nf 1 1 1\n",
                "v 0 0\n",
                "v a b c\n",
                "v 0 0 0\nf 0 0 0\n",
                "v 0 0 0\nf 1 2 3\n",
                "f 1 2 3\n",
                "v 0 0 0\nf -9 -9 -9\n",
                "v 0 0 0\nf 99999999999999999999 1 1\n",
                "v 0 0 0\nf 1//x 1 1\n",
                "v 1e400 0 0\nf 1 1 1",
                "v 0 0 0\nf\n",
                "v 0 0 0 1 1 1\nf 1/1/1 1/1/1 1/1/1\n",
                '# uniem {"label": null}\nv 0 0 0\n',
                "v nan 0 0\n",
            ]
        )
    },
    **{
        f"index {i}": given(_index, t)
        for i, t in enumerate(
            [
                "",
                "{}",
                "[]",
                '{"meshes": 5}',
                '{"meshes": [5]}',
                '{"meshes": [{"file": "../x.ply"}]}',
                '{"meshes": [{"file": 5}]}',
                '{"meshes": [{"file": "x.ply"}]}',
                "[" * 10**5,
                '{"meshes": [{"file": ""}]}',
                '{"meshes": {"file": "x"}}',
                "\udcff".encode("utf-8", "ignore"),
            ]
        )
    },
    "number in the name": _mesh("9" * 200 + ".ply", ply()),
    "empty folder": lambda folder: Target(str(folder), "mesh"),
}
TABLES: dict[str, Maker] = {
    f"text {i}": given(_table, t)
    for i, t in enumerate(
        [
            b"",
            b"\xef\xbb\xbf",
            b"\n\n",
            b"a",
            b"a,b\n1",
            b"a,a\n1,2",
            b'a\n"',
            b'a\n"x"y\n',
            b"a\n\0\n",
            b"a\n" + b"9" * 5000,
            b"a\n" + b"x" * 200_000,
            b"a\n1e999\nnan\n-inf\n",
            b"\xff\xfea\0,\0",
            "é\n".encode("latin-1"),
            b"a\r1\r2\r",
            b"a;b\n1;2\n",
            b"a\tb\n1\t2\n",
            b",".join([b"c%d" % i for i in range(20_000)]) + b"\n",
            b"a,b,\n1,2,\n",
            b"a\n1_000\n",
            "a\n٣\n".encode(),
            b"a\n0x10\n+5\n007\n",
            b"a\n" + b"1\n" * 200_000,
            b'"a\nb",c\n1,2\n',
            b"a\n-0\n00\n1.\n.5\n",
            b"=cmd()\n=1+1\n",
            b"a\n" + b"-" * 400 + b"1\n",
            b"\0" * 10_000,
        ]
    )
}


def _model(folder: Path, text: str) -> Target:
    (folder / "m").mkdir()
    (folder / "m" / "weights.keras").write_bytes(b"")
    (folder / "m" / "model.json").write_text(text)
    return Target(f"{folder}/m", "model")


MODELS: dict[str, Maker] = each_of(
    "record",
    ["", "{}", "[]", "null", "[" * 10**5, '{"normalisation": {"mean": NaN}}', "9" * 10_000, "\0"],
    _model,
)
