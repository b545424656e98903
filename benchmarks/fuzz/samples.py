"""The healthy files from which the damaged ones are made: every format, by this suite and by others."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats import export_volume
from uniem.data.geometry import VoxelSize
from uniem.data.volume import ArrayVolume, Kind

SHAPE = (6, 40, 56)
SIZE = VoxelSize(40, 8, 4)


@dataclass(frozen=True)
class Sample:
    """A healthy file or folder.

    Attributes
    ----------
    name : str
        The folder of the sample in the corpus.
    format : str
        The row of the report that it counts for.
    location : str
        What to open, below the folder of the sample, with `::dataset` if need be.
    noun : str
        volume, mesh, table or model.
    """

    name: str
    format: str
    location: str
    noun: str = "volume"

    @property
    def path(self) -> str:
        """The file or folder without the dataset."""
        return self.location.partition("::")[0]


SAMPLES = (
    Sample("png", "section folder", "sections"),
    Sample("png16", "section folder", "sections"),
    Sample("png-colour", "section folder", "sections"),
    Sample("tif-sections", "section folder", "sections"),
    Sample("jpg", "section folder", "sections"),
    Sample("png-picture", "picture", "picture.png"),
    Sample("jpg-picture", "picture", "picture.jpg"),
    Sample("tiff", "TIFF", "stack.tif"),
    Sample("tiff-deflate", "TIFF", "stack.tif"),
    Sample("tiff-tiles", "TIFF", "stack.tif"),
    Sample("tiff-motorola", "TIFF", "stack.tif"),
    Sample("bigtiff", "BigTIFF", "stack.tif"),
    Sample("imagej", "ImageJ TIFF", "stack.tif"),
    Sample("ome-tiff", "OME-TIFF", "stack.ome.tif"),
    Sample("hdf5", "HDF5", "volume.h5"),
    Sample("hdf5-gzip", "HDF5", "volume.h5::group/labels"),
    Sample("npy", "NPY", "volume.npy"),
    Sample("npy-fortran", "NPY", "volume.npy"),
    Sample("npz", "NPZ", "volume.npz"),
    Sample("npz-deflate", "NPZ", "volume.npz"),
    Sample("zarr-0.5", "OME-Zarr 0.5", "volume.zarr"),
    Sample("zarr-0.5-labels", "OME-Zarr 0.5", "volume.zarr"),
    Sample("zarr-0.4", "OME-Zarr 0.4", "volume.zarr"),
    Sample("zarr-0.4-labels", "OME-Zarr 0.4", "volume.zarr"),
    Sample("mrc", "MRC", "volume.mrc"),
    Sample("mrc-permuted", "MRC", "volume.rec"),
    Sample("nifti", "NIfTI", "volume.nii"),
    Sample("nifti-gz", "NIfTI, gzip", "volume.nii.gz"),
    Sample("precomputed", "precomputed", "volume.precomputed"),
    Sample("precomputed-labels", "precomputed", "volume.precomputed"),
    Sample("dojo-images", "Dojo", "volume.mojo::images"),
    Sample("dojo-ids", "Dojo", "volume.mojo::ids"),
    Sample("ply", "PLY", "000007.ply", "mesh"),
    Sample("ply-ascii", "PLY", "7.ply", "mesh"),
    Sample("stl", "STL", "000007.stl", "mesh"),
    Sample("stl-ascii", "STL", "7.stl", "mesh"),
    Sample("obj", "OBJ", "000007.obj", "mesh"),
    Sample("meshes", "mesh folder", "meshes", "mesh"),
    Sample("csv", "CSV table", "table.csv", "table"),
    Sample("model", "model folder", "model", "model"),
)


def grey() -> NDArray[np.uint8]:
    """Return noise on a slope, as an image."""
    rng = np.random.default_rng(5)
    return (np.linspace(40, 160, SHAPE[2]) + rng.integers(0, 60, SHAPE)).astype(np.uint8)


def ids() -> NDArray[np.uint32]:
    """Return a few boxes of ids, large ones too."""
    labels = np.zeros(SHAPE, np.uint32)
    labels[:, 3:20, 4:30], labels[2:, 22:38, 10:50], labels[1:4, 5:9, 40:50] = 3, 70_001, 2**32 - 2
    return labels


def expected(sample: Sample, corpus: Path) -> NDArray[Any] | None:
    """Return the voxels that a healthy sample must have; None where they are not exact."""
    path = corpus / sample.name / "expected.npy"
    return np.load(path) if path.exists() else None


def build(corpus: Path) -> None:
    """Write every sample into its folder of the corpus."""
    for sample in SAMPLES:
        folder = corpus / sample.name
        (folder / "files").mkdir(parents=True)
        written = BUILDERS[sample.name](folder / "files")
        if written is not None:
            np.save(folder / "expected.npy", written)


def _own(
    name: str, voxels: Callable[[], NDArray[Any]], kind: Kind = Kind.IMAGE, **options: Any
) -> Callable[[Path], NDArray[Any]]:
    def write(folder: Path) -> NDArray[Any]:
        array = voxels()
        export_volume(ArrayVolume(array, SIZE, kind), f"{folder}/{name}", **options)
        return array

    return write


def _png_colour(folder: Path) -> None:
    import imagecodecs

    (folder / "sections").mkdir()
    for z, section in enumerate(grey()):
        pixels = np.stack([section, section[::-1], section.T[: SHAPE[1], :1] + section], axis=-1)
        (folder / "sections" / f"s{z}.png").write_bytes(imagecodecs.png_encode(pixels))


def _jpg(folder: Path) -> None:
    import imagecodecs

    (folder / "sections").mkdir()
    for z, section in enumerate(grey()):
        (folder / "sections" / f"section {z}.jpg").write_bytes(imagecodecs.jpeg8_encode(section))


def _picture(ending: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        import imagecodecs

        encode = imagecodecs.png_encode if ending == "png" else imagecodecs.jpeg8_encode
        (folder / f"picture.{ending}").write_bytes(encode(grey()[0]))

    return write


def _tiff(name: str = "stack.tif", is_paged: bool = False, **options: Any) -> Callable[[Path], NDArray[Any]]:
    def write(folder: Path) -> NDArray[Any]:
        import tifffile

        voxels = grey()
        if not is_paged:
            tifffile.imwrite(folder / name, voxels, photometric="minisblack", **options)
            return voxels
        with tifffile.TiffWriter(folder / name, **options) as writer:
            for section in voxels:
                writer.write(section, photometric="minisblack", metadata=None)
        return voxels

    return write


def _hdf5_gzip(folder: Path) -> NDArray[Any]:
    import h5py

    with h5py.File(folder / "volume.h5", "w") as file:
        file["grey"] = grey()
        node = file.create_dataset("group/labels", data=ids(), chunks=(2, 16, 16), compression="gzip")
        node.attrs["resolution"] = SIZE
    return ids()


def _npy_fortran(folder: Path) -> NDArray[Any]:
    np.save(folder / "volume.npy", np.asfortranarray(grey()))
    return grey()


def _npz_deflate(folder: Path) -> NDArray[Any]:
    np.savez_compressed(folder / "volume.npz", volume=ids(), voxel_size_nm=np.array(SIZE))
    return ids()


def _zarr(voxels: Callable[[], NDArray[Any]], kind: Kind, version: str) -> Callable[[Path], NDArray[Any]]:
    def write(folder: Path) -> NDArray[Any]:
        from uniem.data.geometry import Box
        from uniem.data.store import create_store

        array = voxels()
        path = folder / "volume.zarr"
        store = create_store(path, SHAPE, array.dtype, SIZE, kind, (2, 24, 24), version)
        store.write(Box.of_shape(SHAPE), array)
        return array

    return write


def _mrc_permuted(folder: Path) -> NDArray[Any]:
    import mrcfile

    with mrcfile.new(folder / "volume.rec") as file:
        file.set_data(np.ascontiguousarray(grey().astype(np.int16).transpose(1, 0, 2)))
        file.set_volume()
        file.header.mapc, file.header.mapr, file.header.maps = 1, 3, 2
    return grey().astype(np.int16)


def _dojo(folder: Path) -> NDArray[Any]:
    export_volume(ArrayVolume(grey(), SIZE), f"{folder}/volume.mojo")
    export_volume(ArrayVolume(ids(), SIZE, Kind.LABELS), f"{folder}/volume.mojo")
    return grey()


def _dojo_ids(folder: Path) -> NDArray[Any]:
    export_volume(ArrayVolume(ids(), SIZE, Kind.LABELS), f"{folder}/volume.mojo")
    return ids()


def _mesh() -> Any:
    from uniem.data.mesh import Mesh

    corners = [[0, 0, 0], [0, 0, 100], [0, 100, 0], [100, 0, 0]]
    faces = [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]
    return Mesh(np.array(corners, np.float32), np.array(faces, np.uint32), 7, "axon", (9, 8, 7))


def _mesh_file(name: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        from uniem.data.mesh import write_mesh

        write_mesh(_mesh(), folder / name)

    return write


def _mesh_folder(folder: Path) -> None:
    from uniem.data.mesh import write_meshes

    write_meshes(folder / "meshes", [_mesh(), _mesh()])


def _ply_ascii(folder: Path) -> None:
    mesh = _mesh()
    lines = [f"{x} {y} {z}" for z, y, x in mesh.vertices] + [f"3 {a} {b} {c}" for a, b, c in mesh.faces]
    header = (
        "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 4\nproperty list uchar int vertex_index\nend_header\n"
    )
    (folder / "7.ply").write_text(header + "\n".join(lines) + "\n")


def _stl_ascii(folder: Path) -> None:
    mesh = _mesh()
    facets = [
        "facet normal 0 0 1\nouter loop\n"
        + "".join(f"vertex {x} {y} {z}\n" for z, y, x in mesh.vertices[face])
        + "endloop\nendfacet\n"
        for face in mesh.faces
    ]
    (folder / "7.stl").write_text("solid a\n" + "".join(facets) + "endsolid a\n")


def _csv(folder: Path) -> None:
    rows = "\n".join(f'{i},"axon {i}",{i * 1.5},{"true" if i % 2 else "false"}' for i in range(1, 30))
    (folder / "table.csv").write_text(f"id,name,size_nm,locked\n{rows}\n", "utf-8")


def _model(folder: Path) -> None:
    record = {
        "name": "membranes",
        "architecture": {"kind": "unet", "depth": 3},
        "normalisation": {"mean": 120.5, "std": 31.0},
        "voxel_size": [50.0, 4.0, 4.0],
        "patch": 128,
        "stride": 8,
        "receptive_field": 60,
        "parameters": 31000,
        "best": {"dice": 0.9},
        "history": [{"loss": 0.5}, {"loss": 0.4}],
    }
    (folder / "model").mkdir()
    (folder / "model" / "model.json").write_text(json.dumps(record))
    (folder / "model" / "weights.keras").write_bytes(b"PK\x03\x04 not looked into when it is opened")


BUILDERS: dict[str, Callable[[Path], NDArray[Any] | None]] = {
    "png": _own("sections/", grey),
    "png16": _own("sections/", lambda: grey().astype(np.uint16) * 200),
    "png-colour": _png_colour,
    "tif-sections": _own("sections/", lambda: grey().astype(np.float32), file_type="tif"),
    "jpg": _jpg,
    "png-picture": _picture("png"),
    "jpg-picture": _picture("jpg"),
    "tiff": _tiff(),
    "tiff-deflate": _tiff(compression="zlib"),
    "tiff-tiles": _tiff(tile=(16, 16), compression="lzw"),
    "tiff-motorola": _tiff(is_paged=True, byteorder=">"),
    "bigtiff": _tiff(bigtiff=True),
    "imagej": _own("stack.tif", grey),
    "ome-tiff": _tiff("stack.ome.tif", ome=True, metadata={"axes": "ZYX", "PhysicalSizeX": 0.004}),
    "hdf5": _own("volume.h5", grey),
    "hdf5-gzip": _hdf5_gzip,
    "npy": _own("volume.npy", grey),
    "npy-fortran": _npy_fortran,
    "npz": _own("volume.npz", grey),
    "npz-deflate": _npz_deflate,
    "zarr-0.5": _zarr(grey, Kind.IMAGE, "0.5"),
    "zarr-0.5-labels": _zarr(ids, Kind.LABELS, "0.5"),
    "zarr-0.4": _zarr(grey, Kind.IMAGE, "0.4"),
    "zarr-0.4-labels": _zarr(ids, Kind.LABELS, "0.4"),
    "mrc": _own("volume.mrc", lambda: grey().astype(np.int16)),
    "mrc-permuted": _mrc_permuted,
    "nifti": _own("volume.nii", grey),
    "nifti-gz": _own("volume.nii.gz", ids, Kind.LABELS),
    "precomputed": _own("volume.precomputed", grey),
    "precomputed-labels": _own("volume.precomputed", ids, Kind.LABELS),
    "dojo-images": _dojo,
    "dojo-ids": _dojo_ids,
    "ply": _mesh_file("000007.ply"),
    "ply-ascii": _ply_ascii,
    "stl": _mesh_file("000007.stl"),
    "stl-ascii": _stl_ascii,
    "obj": _mesh_file("000007.obj"),
    "meshes": _mesh_folder,
    "csv": _csv,
    "model": _model,
}
