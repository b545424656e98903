"""Surfaces of objects in nm, and their PLY, STL and OBJ files.

In memory the axes of a vertex are z, y, x as everywhere; in files they are x, y, z, which is what other
programs expect, and the unit is nm. In both, the corners of a face run counter-clockwise seen from outside
in a right-handed frame of x, y and z.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats.files import PARSER_ERRORS, check_regular, reading, replacing, write_bytes
from uniem.data.palette import Colour, colour_of
from uniem.errors import UniemError

MESH_SUFFIXES = (".ply", ".stl", ".obj")
INDEX = "meshes.json"
STL_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
STL_HEADER = 80
PLY_FACE = np.dtype([("count", "u1"), ("corners", "<i4", 3)])
PLY_TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}


@dataclass(frozen=True, eq=False)
class Mesh:
    """The surface of one object, made of triangles.

    Attributes
    ----------
    vertices : (n, 3) float32
        Positions z, y, x in nm.
    faces : (m, 3) uint32
        Rows of `vertices`, counter-clockwise seen from outside.
    label : int
        The id of the object; 0 if it has none.
    colour : (red, green, blue), optional
        From 0 to 255; None for the palette's colour of the label.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.uint32]
    label: int = 0
    name: str = ""
    colour: Colour | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", np.ascontiguousarray(self.vertices, np.float32).reshape(-1, 3))
        faces = np.asarray(self.faces).reshape(-1, 3)
        odd = faces[(faces < 0) | (faces >= len(self.vertices))]
        if odd.size:
            raise UniemError(
                f"A face uses vertex {int(odd[0])} and there are {len(self.vertices)} vertices.",
                "The mesh is damaged; make or save it again.",
            )
        object.__setattr__(self, "faces", np.ascontiguousarray(faces, np.uint32))

    @property
    def shown_colour(self) -> Colour:
        """The chosen colour, or the palette's colour of the label."""
        return self.colour or colour_of(self.label)


def write_mesh(mesh: Mesh, path: Path) -> None:
    """Write a .ply, .stl or .obj file; it appears when it is complete.

    PLY and OBJ keep everything exactly; STL, which repeats each vertex in each face, keeps triangles and the
    label.
    """
    suffix = path.suffix.lower().lstrip(".")
    if suffix not in WRITERS:
        raise UniemError(f"Meshes cannot be written as '{path.name}'.", "Use .ply, .stl or .obj.")
    write_bytes(path, WRITERS[suffix](mesh))


def read_mesh(path: Path) -> Mesh:
    """Read a .ply, .stl or .obj file; the label is the one in the file, else the last number in its name."""
    suffix = path.suffix.lower().lstrip(".")
    if suffix not in READERS:
        raise UniemError(f"{path} is no mesh known here.", "Choose a .ply, .stl or .obj file.")
    check_regular(path)
    with reading(path):
        content = path.read_bytes()
    try:
        mesh = READERS[suffix](content)
    except PARSER_ERRORS as error:
        raise UniemError(
            f"{path} is damaged or no {suffix.upper()} file: {error}.", "Save it again."
        ) from error
    numbers = re.findall(r"\d+", path.stem)
    return replace(mesh, label=mesh.label or int(numbers[-1] if numbers else 0), name=mesh.name or path.stem)


def write_meshes(folder: Path, meshes: Iterable[Mesh], file_format: str = "ply") -> int:
    """Write one file per mesh and `meshes.json` into a new folder; return how many."""
    if file_format not in WRITERS:
        raise UniemError(f"Meshes cannot be written as '{file_format}'.", f"Use {', '.join(WRITERS)}.")
    entries: list[dict[str, Any]] = []
    with replacing(folder) as part:
        part.mkdir()
        for mesh in meshes:
            file = f"{mesh.label:06d}.{file_format}"
            if any(entry["file"] == file for entry in entries):
                file = f"{len(entries):06d}-{file}"
            (part / file).write_bytes(WRITERS[file_format](mesh))
            entries.append({"id": mesh.label, "name": mesh.name, "colour": mesh.colour, "file": file})
        index = {"unit": "nm", "axes": "xyz", "meshes": entries}
        (part / INDEX).write_text(json.dumps(index, indent=1, ensure_ascii=False), "utf-8")
    return len(entries)


def read_meshes(path: Path) -> list[Mesh]:
    """Read a mesh file, a folder with `meshes.json`, or every mesh file of any other folder."""
    check_regular(path)
    if not path.is_dir():
        return [read_mesh(path)]
    with reading(path):
        is_indexed = (path / INDEX).is_file()
    if is_indexed:
        return [_indexed(path, entry) for entry in _entries_of(path / INDEX)]
    with reading(path):
        files = sorted(file for file in path.iterdir() if file.suffix.lower().lstrip(".") in READERS)
    if not files:
        raise UniemError(f"There is no mesh in {path}.", f"Looked for {INDEX} and .ply, .stl and .obj files.")
    return [read_mesh(file) for file in files]


def _entries_of(index: Path) -> list[dict[str, Any]]:
    try:
        with reading(index):
            entries = json.loads(index.read_text("utf-8"))["meshes"]
        if all(entry["file"] and Path(entry["file"]).name == entry["file"] for entry in entries):
            return list(entries)
    except PARSER_ERRORS as error:
        raise UniemError(
            f"{index} is damaged: {error}.", "Remove it to read the mesh files alone."
        ) from error
    raise UniemError(f"{index} names a file outside its folder.", "Remove it to read the mesh files alone.")


def _indexed(folder: Path, entry: dict[str, Any]) -> Mesh:
    mesh = read_mesh(folder / entry["file"])
    try:
        label, name = int(entry.get("id", mesh.label)), str(entry.get("name", ""))
        return replace(mesh, label=label, name=name, colour=_colour_of(entry.get("colour")))
    except PARSER_ERRORS as error:
        raise UniemError(
            f"{folder / INDEX} is damaged: {error}.", "Remove it to read the mesh files alone."
        ) from error


def _colour_of(values: Any) -> Colour | None:
    return (int(values[0]), int(values[1]), int(values[2])) if values else None


def _note(mesh: Mesh) -> str:
    """Return what files say about the object in a comment: one line of ASCII JSON."""
    return "uniem " + json.dumps(
        {"label": mesh.label, "name": mesh.name, "colour": mesh.colour, "unit": "nm"}
    )


def _noted(header: str) -> dict[str, Any]:
    found = re.search(r"uniem (\{.*\})", header)
    record = json.loads(found.group(1)) if found else {}
    colour = record.get("colour")
    return {
        "label": int(record.get("label", 0)),
        "name": str(record.get("name", "")),
        "colour": _colour_of(colour),
    }


def _ply_of(mesh: Mesh) -> bytes:
    header = (
        f"ply\nformat binary_little_endian 1.0\ncomment {_note(mesh)}\n"
        f"element vertex {len(mesh.vertices)}\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face {len(mesh.faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    faces = np.empty(len(mesh.faces), PLY_FACE)
    faces["count"], faces["corners"] = 3, mesh.faces
    return header.encode("ascii") + mesh.vertices[:, ::-1].astype("<f4").tobytes() + faces.tobytes()


def _mesh_of_ply(content: bytes) -> Mesh:
    head, mark, body = content.partition(b"end_header")
    if not mark or not head.startswith(b"ply"):
        raise ValueError("its header does not end")
    header = head.decode("ascii", "replace")
    body = body[body.index(b"\n") + 1 :]
    elements = _ply_elements(header)
    if "format ascii" in header:
        vertices, faces = _ascii_ply(body, elements)
    else:
        vertices, faces = _binary_ply(body, elements, ">" if "big_endian" in header else "<")
    return Mesh(vertices[:, ::-1], faces, **_noted(header))


def _ply_elements(header: str) -> dict[str, tuple[int, list[list[str]]]]:
    """Return the number and the properties of each element."""
    elements: dict[str, tuple[int, list[list[str]]]] = {}
    for words in (line.split() for line in header.splitlines()):
        if words[:1] == ["element"]:
            elements[words[1]] = (int(words[2]), [])
        elif words[:1] == ["property"]:
            elements[list(elements)[-1]][1].append(words[1:])
    return elements


def _binary_ply(
    body: bytes, elements: dict[str, tuple[int, list[list[str]]]], order: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    offset = 0
    for name, (count, properties) in elements.items():
        fields: list[tuple[Any, ...]] = []
        for words in properties:
            if words[0] == "list":  # only triangles, so that a face has a fixed size
                fields += [
                    ("count", order + PLY_TYPES[words[1]]),
                    ("corners", order + PLY_TYPES[words[2]], 3),
                ]
            else:
                fields.append((words[1], order + PLY_TYPES[words[0]]))
        found[name] = np.frombuffer(body, np.dtype(fields), count, offset)
        offset += found[name].nbytes
    vertices = np.stack([found["vertex"][axis] for axis in "xyz"], axis=1).astype(np.float32)
    if (found["face"]["count"] != 3).any():
        raise ValueError("it has faces that are no triangles")
    return vertices, found["face"]["corners"].astype(np.int64)


def _ascii_ply(
    body: bytes, elements: dict[str, tuple[int, list[list[str]]]]
) -> tuple[NDArray[Any], NDArray[Any]]:
    lines = body.decode("ascii").splitlines()
    count, properties = elements["vertex"]
    columns = [[words[1] for words in properties].index(axis) for axis in "xyz"]
    rows = [lines[i].split() for i in range(count)]
    vertices = np.array([[float(row[c]) for c in columns] for row in rows], np.float32).reshape(-1, 3)
    faces = [[int(word) for word in line.split()] for line in lines[count : count + elements["face"][0]]]
    triangles = [(face[1], face[i], face[i + 1]) for face in faces for i in range(2, face[0])]
    return vertices, np.array(triangles, np.int64).reshape(-1, 3)


def _stl_of(mesh: Mesh) -> bytes:
    triangles = np.zeros(len(mesh.faces), STL_TRIANGLE)
    corners = mesh.vertices[:, ::-1][mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    triangles["corners"] = corners
    triangles["normal"] = np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 0)
    note = "uniem " + json.dumps({"label": mesh.label, "unit": "nm"})
    count = len(triangles).to_bytes(4, "little")
    return note.encode("ascii").ljust(STL_HEADER) + count + triangles.tobytes()


def _mesh_of_stl(content: bytes) -> Mesh:
    size = int(np.frombuffer(content, "<u4", 1, STL_HEADER)[0]) if len(content) >= STL_HEADER + 4 else -1
    if len(content) == STL_HEADER + 4 + size * STL_TRIANGLE.itemsize:
        corners = np.frombuffer(content, STL_TRIANGLE, size, STL_HEADER + 4)["corners"].reshape(-1, 3)
    elif content.lstrip().startswith(b"solid"):
        numbers = re.findall(rb"vertex\s+(\S+)\s+(\S+)\s+(\S+)", content)
        corners = np.array([[float(n) for n in row] for row in numbers], np.float32).reshape(-1, 3)
    else:
        raise ValueError("its length does not fit its number of triangles")
    unique, inverse = np.unique(corners, axis=0, return_inverse=True)
    header = content[:STL_HEADER].decode("ascii", "replace")
    return Mesh(unique[:, ::-1], inverse.astype(np.uint32), **_noted(header))


def _obj_of(mesh: Mesh) -> bytes:
    # Nine digits give back every float32.
    vertices = ("v %.9g %.9g %.9g\n" * len(mesh.vertices)) % tuple(mesh.vertices[:, ::-1].ravel().tolist())
    faces = ("f %d %d %d\n" * len(mesh.faces)) % tuple((mesh.faces.astype(np.int64) + 1).ravel().tolist())
    return f"# {_note(mesh)}\no {mesh.label}\n{vertices}{faces}".encode("ascii")


def _mesh_of_obj(content: bytes) -> Mesh:
    text = content.decode("utf-8", "replace")
    vertices: list[list[float]] = []
    faces: list[tuple[int, int, int]] = []
    for words in (line.split() for line in text.splitlines()):
        if words[:1] == ["v"]:
            vertices.append([float(word) for word in words[1:4]])
        elif words[:1] == ["f"]:
            numbers = [int(word.split("/")[0]) for word in words[1:]]
            ring = [n - 1 if n > 0 else len(vertices) + n for n in numbers]
            faces += [(ring[0], ring[i], ring[i + 1]) for i in range(1, len(ring) - 1)]
    if not vertices:
        raise ValueError("it has no vertices")
    array = np.array(vertices, np.float32).reshape(-1, 3)
    corners: Any = np.array(faces, np.int64).reshape(-1, 3)
    return Mesh(array[:, ::-1], corners, **_noted(text))


WRITERS = {"ply": _ply_of, "stl": _stl_of, "obj": _obj_of}
READERS = {"ply": _mesh_of_ply, "stl": _mesh_of_stl, "obj": _mesh_of_obj}
