"""Closed surfaces of labels in volumes of any size: marching cubes, smoothing, decimation, volume, area."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.blockwise import map_blocks
from uniem.data.geometry import Block, Box, Triple, VoxelSize, blocks
from uniem.data.mesh import Mesh
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.progress import Context

BLOCK_SHAPE: Triple = (64, 256, 256)
# Pieces of surfaces that wait to be joined are kept in memory up to here, then in a temporary file.
WAITING_BYTES = 128 << 20
# Taubin 1995: shrink by one, grow by the other, so that the volume stays.
TAUBIN_SHRINK, TAUBIN_GROW = 0.5, -0.53

HalfVoxels = NDArray[np.int32]
Faces = NDArray[np.uint32]


def mesh_labels(
    labels: Volume,
    ids: Sequence[int] | None = None,
    voxel_size: VoxelSize | None = None,
    *,
    smoothing_iterations: int = 0,
    simplify_error_nm: float = 0.0,
    reduction: float = 0.0,
    context: Context | None = None,
) -> Iterator[Mesh]:
    """Yield the closed surface of every label, or of those in `ids` that occur, in ascending order.

    One pass over the volume: zmesh makes marching-cubes surfaces block by block; pieces of a label are joined
    where their vertices are the same, which gives the triangles of the whole volume meshed at once. Surfaces
    are closed at the border of the volume. Then each is smoothed and simplified as `smooth_mesh` and
    `simplify_mesh` do. Memory holds a block and one surface; pieces wait in a temporary file.

    `voxel_size` overrides the one of the volume. Vertices are in nm from the corner of the volume: the
    surface between voxels i and i + 1 lies at i + 1 voxels.
    """
    size = voxel_size or labels.voxel_size
    if size is None:
        raise UniemError(
            f"The voxel size of {labels} is unknown.", "Set it, in nm, so that meshes have a size."
        )
    if labels.dtype.kind not in "uib":
        raise UniemError(f"{labels} does not hold labels.", "Give a volume of whole numbers.")
    run_context = context or Context()
    with tempfile.SpooledTemporaryFile(WAITING_BYTES) as file:
        pieces = _Pieces(file)
        _collect(labels, ids, pieces, run_context)
        for label in run_context.track(pieces.labels(), "joining surfaces"):
            corners, faces = pieces.joined(label)
            vertices = corners * (np.array(size, np.float64) / 2)
            vertices = smooth_mesh(vertices, faces, smoothing_iterations)
            vertices, faces = simplify_mesh(vertices, faces, simplify_error_nm, reduction)
            yield Mesh(vertices.astype(np.float32), faces, label)


def smooth_mesh(vertices: NDArray[np.float64], faces: Faces, iterations: int) -> NDArray[np.float64]:
    """Return the (n, 3) vertices after Taubin's smoothing, which takes away steps and keeps the volume."""
    from scipy.sparse import csr_array

    if iterations <= 0 or not len(faces):
        return vertices
    count = len(vertices)
    starts = faces.ravel().astype(np.int64)
    stops = np.roll(faces, -1, axis=1).ravel().astype(np.int64)
    ones = np.ones(len(starts), np.float64)
    # In a closed surface every edge occurs once in each direction, so this counts each neighbour once.
    neighbours = csr_array((ones, (starts, stops)), shape=(count, count))
    degree = np.maximum(np.asarray(neighbours.sum(axis=1)).reshape(-1, 1), 1)
    for _ in range(iterations):
        for factor in (TAUBIN_SHRINK, TAUBIN_GROW):
            vertices = vertices + factor * ((neighbours @ vertices) / degree - vertices)
    return vertices


def simplify_mesh(
    vertices: NDArray[np.float64], faces: Faces, error_nm: float = 0.0, reduction: float = 0.0
) -> tuple[NDArray[np.float64], Faces]:
    """Return a surface of fewer triangles by collapsing edges (Garland and Heckbert 1997; pyfqmr).

    First whatever moves the surface by no more than `error_nm`; then, if more than a share of 1 - `reduction`
    of the triangles is left, on to that share, whatever it costs. A closed surface stays closed, though some
    edges may come to belong to four triangles.
    """
    if len(faces) <= 4 or (error_nm <= 0 and reduction <= 0):
        return vertices, faces
    target = max(4, round(len(faces) * (1 - reduction)))
    if error_nm > 0:
        # The error is a sum of squared distances to the planes that met in a vertex, so none is further away.
        vertices, faces = _collapsed(vertices, faces, lossless_error=error_nm**2)
    if reduction > 0 and len(faces) > target:
        vertices, faces = _collapsed(vertices, faces, target=target)
    return vertices, faces


def mesh_volume_nm3(mesh: Mesh) -> float:
    """Return the volume that a closed mesh encloses, in cubic nm."""
    if not len(mesh.faces):
        return 0.0
    # About its middle, for precision; the axes z, y, x turn the sign of the volume that x, y, z would give.
    vertices = mesh.vertices.astype(np.float64)
    a, b, c = np.moveaxis((vertices - vertices.mean(axis=0))[mesh.faces], 1, 0)
    return -float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6


def mesh_area_nm2(mesh: Mesh) -> float:
    """Return the area of a mesh in square nm."""
    a, b, c = np.moveaxis(mesh.vertices.astype(np.float64)[mesh.faces], 1, 0)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()) / 2


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The pieces of surfaces of all labels, in a file; vertices are in half voxels."""

    file: IO[bytes]
    places: defaultdict[int, list[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(list))

    def labels(self) -> list[int]:
        """Return the labels in ascending order."""
        return sorted(self.places)

    def add(self, label: int, corners: HalfVoxels, faces: Faces) -> None:
        """Append a piece of a label."""
        self.places[label].append((self.file.tell(), len(corners), len(faces)))
        self.file.write(corners.tobytes())
        self.file.write(faces.tobytes())

    def joined(self, label: int) -> tuple[HalfVoxels, Faces]:
        """Return the surface of a label, vertices at the same place made one."""
        parts = self.places[label]
        corners = np.empty((sum(part[1] for part in parts), 3), np.int32)
        faces = np.empty((sum(part[2] for part in parts), 3), np.uint32)
        vertex = face = 0
        for offset, vertices, triangles in parts:
            self.file.seek(offset)
            corners[vertex : vertex + vertices] = self._read(np.int32, vertices)
            faces[face : face + triangles] = self._read(np.uint32, triangles) + np.uint32(vertex)
            vertex, face = vertex + vertices, face + triangles
        return (corners, faces) if len(parts) == 1 else _merged(corners, faces)

    def _read(self, dtype: type[np.int32] | type[np.uint32], rows: int) -> NDArray[Any]:
        return np.frombuffer(self.file.read(12 * rows), dtype).reshape(rows, 3)


def _collect(labels: Volume, ids: Sequence[int] | None, pieces: _Pieces, context: Context) -> None:
    """Mesh all blocks and keep the pieces."""
    wanted = None if ids is None else np.unique(np.array([label for label in ids if label > 0], np.uint64))

    def surfaces(block: Block) -> list[tuple[int, HalfVoxels, Faces]]:
        return _mesh_block(labels, block, wanted)

    cut = list(blocks(labels.shape, BLOCK_SHAPE))
    for found in map_blocks(surfaces, cut, context, "meshing", workers=2):
        for label, corners, faces in found:
            pieces.add(label, corners, faces)


def _mesh_block(
    labels: Volume, block: Block, wanted: NDArray[np.uint64] | None
) -> list[tuple[int, HalfVoxels, Faces]]:
    """Return the surfaces in the cells between the voxels of a block and the next ones."""
    import zmesh

    array, origin = _cells(labels, block)
    if wanted is not None:
        array = _only(array, wanted)
    if not array.any():
        return []
    mesher = zmesh.Mesher((1.0, 1.0, 1.0))
    mesher.mesh(array.T)  # zmesh wants x, y, z.
    # zmesh puts voxel centres at whole numbers, we at half a voxel more; so all vertices are at half voxels.
    shift = 2 * np.array(origin) + 1
    found = []
    for label in mesher.ids():
        mesh = mesher.get(label)
        mesher.erase(label)
        corners = np.rint(mesh.vertices[:, ::-1] * 2).astype(np.int32) + shift.astype(np.int32)
        found.append((int(label), corners, np.ascontiguousarray(mesh.faces, np.uint32)))
    return found


def _cells(labels: Volume, block: Block) -> tuple[NDArray[Any], Triple]:
    """Read a block and the next voxel on each axis, zeros around the volume; return it and its origin."""
    start, stop = block.core.start, block.core.expanded((1, 1, 1)).stop
    box = Box(start, stop).intersection(Box.of_shape(labels.shape))
    before = [int(s == 0) for s in start]
    after = [wanted - there for wanted, there in zip(stop, box.stop, strict=True)]
    array = labels.read(box)
    if array.dtype.kind != "u":
        array = np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")
    padded = np.pad(array, list(zip(before, after, strict=True)))
    return padded, (start[0] - before[0], start[1] - before[1], start[2] - before[2])


def _only(array: NDArray[Any], wanted: NDArray[np.uint64]) -> NDArray[Any]:
    """Return the array with 0 in place of labels that are not wanted."""
    import fastremap

    there = wanted[wanted <= np.iinfo(array.dtype).max].astype(array.dtype)
    return np.asarray(fastremap.mask_except(array, there.tolist(), in_place=False))


def _merged(corners: HalfVoxels, faces: Faces) -> tuple[HalfVoxels, Faces]:
    """Make vertices at the same place one."""
    low = corners.min(axis=0).astype(np.int64)
    spans = corners.max(axis=0) - low + 1
    z, y, x = (corners - low).T
    keys = (z * spans[1] + y) * spans[2] + x
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    return corners[first], which.astype(np.uint32)[faces]


def _collapsed(
    vertices: NDArray[np.float64], faces: Faces, *, lossless_error: float = 0.0, target: int = 0
) -> tuple[NDArray[np.float64], Faces]:
    import pyfqmr

    simplifier = pyfqmr.Simplify()
    simplifier.setMesh(np.ascontiguousarray(vertices, np.float64), faces.astype(np.int32))
    if target:
        simplifier.simplify_mesh(target_count=target, verbose=False)
    else:
        simplifier.simplify_mesh_lossless(verbose=False, epsilon=lossless_error)
    new_vertices, new_faces, _ = simplifier.getMesh()
    if not len(new_faces):  # A tiny object may vanish; better keep it as it was.
        return vertices, faces
    return np.asarray(new_vertices, np.float64), np.asarray(new_faces).astype(np.uint32)
