"""TIFF and BigTIFF stacks: one page per section, with the metadata of ImageJ, OME or of this suite."""

from __future__ import annotations

import json
import math
import re
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats.file_volume import FileVolume
from uniem.data.formats.files import PARSER_ERRORS, reading, replacing
from uniem.data.formats.format import (
    Format,
    SectionVolume,
    describe,
    described_kind,
    described_voxel_size,
    flatten_colours,
    native_dtype,
    sections,
    settle,
)
from uniem.data.formats.held import EVERY_TYPE
from uniem.data.formats.tiff_ome import (
    OME_DTYPES,
    check_ome_dtype,
    is_ome_name,
    ome_metadata,
    ome_record,
)
from uniem.data.formats.tiff_voxel_size import (
    imagej_pixel_size,
    imagej_voxel_size,
    ome_pixel_size,
    ome_voxel_size,
)
from uniem.data.geometry import VoxelSize
from uniem.data.limits import check_piece
from uniem.data.palette import Colour, painted
from uniem.data.views import RestatedVolume
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

if TYPE_CHECKING:
    import tifffile

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
IMAGEJ_DTYPES = ("uint8", "uint16", "float32")
# Offsets in a classic TIFF have 32 bits; the margin is for tags and for what compression may add.
CLASSIC_BYTES = (1 << 32) - (64 << 20)
NM_PER_CM = 1e7
MOST_PLANES = 1_000_000
MAX_FRACTION = float(1 << 32)
COMPRESSIONS = ("none", "lzw", "zlib")


def probe(path: Path) -> bool:
    """Tell whether a file begins like a TIFF or a BigTIFF."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) in MAGIC


def read(path: Path, dataset: str | None, kind: Kind | None) -> Volume:
    """Open a stack; pages are decoded when they are asked for.

    Colours become grey, or ids if it is opened as labels. A palette is ignored: its indices are the voxels.
    """
    import tifffile

    if dataset:
        raise UniemError(f"{path} is a TIFF and holds no dataset '{dataset}'.", f"Leave off ::{dataset}.")
    try:
        with reading(path), ExitStack() as closing:
            tiff = closing.enter_context(tifffile.TiffFile(path))
            tiff.filehandle.set_lock(True)
            volume = settle(_open(tiff, path, kind), path, None, kind or _kind_in(tiff))
            volume.pixel_size = None if volume.voxel_size else _pixel_size_of(tiff)
            closing.pop_all()
            weakref.finalize(volume, tiff.close)
            return volume
    except (tifffile.TiffFileError, *PARSER_ERRORS) as error:
        raise _damaged(path, str(error)) from error


def write(
    volume: Volume,
    path: Path,
    dataset: str | None,
    context: Context,
    *,
    compression: str | None = None,
    colours: Mapping[int, Colour] | None = None,
) -> None:
    """Write a stack page by page, as ImageJ does where it can hold the volume, else as BigTIFF with OME-XML.

    A name that ends with .ome.tif asks for OME-XML. 64-bit whole numbers, which OME does not know, are
    described in JSON.

    `compression` is zlib, lzw or none; by default, labels are compressed and images, which hardly shrink, are
    not. With `colours`, which may be empty, labels become 8-bit RGB in the colours of the palette, or in
    those given.
    """
    import tifffile

    if dataset:
        raise UniemError(f"A TIFF holds one volume, not a dataset '{dataset}'.", f"Leave off ::{dataset}.")
    if compression not in (None, *COMPRESSIONS):
        raise UniemError(
            f"'{compression}' is no compression of TIFF files here.", f"Use {', '.join(COMPRESSIONS)}."
        )
    if colours is not None and volume.dtype.kind not in "bui":
        raise UniemError(
            f"{volume.name or 'The volume'} is {volume.dtype}; only labels have colours.", "Write it in grey."
        )
    chosen: Any = compression or ("zlib" if volume.kind == Kind.LABELS else "none")
    file, pages = _described_pages(volume, colours, is_ome_name(path), context)
    with replacing(path) as part, tifffile.TiffWriter(part, **file) as writer:
        writer.write(**pages, compression=None if chosen == "none" else chosen)


def _described_pages(
    volume: Volume, colours: Mapping[int, Colour] | None, is_ome: bool, context: Context
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the kind of file, and its pages with what describes them, as tifffile takes them."""
    pages = sections(volume, context, "writing")
    if colours is None:
        if is_ome:
            check_ome_dtype(volume)
        is_imagej = volume.dtype.name in IMAGEJ_DTYPES and volume.nbytes < CLASSIC_BYTES
        described = {"data": pages, "shape": volume.shape, "dtype": volume.dtype, "photometric": "minisblack"}
    else:
        is_imagej = math.prod(volume.shape) * 3 < CLASSIC_BYTES
        painting = (painted(page, colours) for page in pages)
        described = {"data": painting, "shape": (*volume.shape, 3), "dtype": np.uint8, "photometric": "rgb"}
    # Pictures in colour are no labels: their ids are gone.
    kind = volume.kind if colours is None else Kind.IMAGE
    restated = RestatedVolume(volume, volume.voxel_size, kind)
    axes = "ZYX" if colours is None else "ZYXS"
    # tifffile mistakes sections one voxel wide for samples when it writes for ImageJ.
    if is_imagej and not is_ome and volume.shape[2] > 1:
        return {"imagej": True}, {**described, **_imagej_metadata(restated, axes)}
    if volume.dtype.name in OME_DTYPES or colours is not None:
        return {"ome": True, "bigtiff": True}, {**described, **ome_metadata(restated, axes)}
    return {"bigtiff": True}, {**described, **_json_metadata(restated)}


def page_pixels(page: Any, path: Path) -> NDArray[Any]:
    """Return a decoded page as (y, x) or (y, x, samples), whatever its compression and bit depth."""
    import tifffile

    try:
        _check_page(page, path)
        pixels = page.asarray()
    except (tifffile.TiffFileError, *PARSER_ERRORS) as error:
        raise _damaged(path, str(error)) from error
    if page.axes == "SYX":
        pixels = np.moveaxis(pixels, 0, -1)
    if page.axes not in ("YX", "YXS", "SYX"):
        raise UniemError(f"A page of {path} has the axes {page.axes}.", "Save it with one section per page.")
    if pixels.dtype == np.bool_ and page.keyframe.photometric == 0:
        pixels = ~pixels  # 1-bit files of scanners and Photoshop: 0 is white
    return np.asarray(pixels)


def _check_page(page: Any, path: Path) -> None:
    """Raise if a page, or a tile of it, is far larger than its bytes can be."""
    stored = sum(page.databytecounts)
    itemsize = np.dtype(page.dtype).itemsize
    for shape in (page.shape, page.keyframe.chunks):
        check_piece(math.prod(shape) * itemsize, min(stored, page.parent.filehandle.size), path)


def page_dtype(page: Any, path: Path, kind: Kind | None) -> np.dtype[Any]:
    """Return the data type of the voxels of a page."""
    if page.dtype is None:
        raise UniemError(f"{path} has pixels of an unknown type.", "Save it again as 8 or 16 bits.")
    dtype = native_dtype(np.dtype(page.dtype), path)
    is_coded = kind == Kind.LABELS and page.samplesperpixel >= 3 and dtype == np.uint8
    return np.dtype(np.uint32) if is_coded else dtype


def _open(tiff: tifffile.TiffFile, path: Path, kind: Kind | None) -> Volume:
    _check_planes(tiff, path)
    series = tiff.series[0]
    page = series.keyframe
    if pages := _pages_of_several(tiff, path):
        shape = (len(pages), page.imagelength, page.imagewidth)
        decoder = _page_decoder(pages, path, kind)
        return SectionVolume(shape, page_dtype(page, path, kind), decoder, _voxel_size_of(tiff))
    depth = _count_sections(tiff, series, path)
    shape = (depth, page.imagelength, page.imagewidth)
    dtype = page_dtype(page, path, kind)
    voxel_size = _voxel_size_of(tiff)
    size = math.prod(shape) * np.dtype(page.dtype).itemsize
    if series.dataoffset is not None and page.axes == "YX" and dtype == page.dtype:
        if series.dataoffset + size > tiff.filehandle.size:
            raise _truncated(
                path, f"it should have {series.dataoffset + size} bytes, not {tiff.filehandle.size}"
            )
        stored = np.dtype(page.dtype).newbyteorder("<" if tiff.byteorder == "<" else ">")
        volume = FileVolume(path, stored, series.dataoffset, shape)
        volume.voxel_size = voxel_size
        return volume
    _check_pages(tiff, path, depth)
    return SectionVolume(shape, dtype, _page_decoder(series.pages, path, kind), voxel_size)


def _check_planes(tiff: tifffile.TiffFile, path: Path) -> None:
    """Raise if OME-XML tells of so many planes that counting them would fill the memory."""
    declared = [re.findall(rf'Size{axis}="(\d+)"', tiff.ome_metadata or "") for axis in "ZCT"]
    planes = math.prod(max((int(n[:20]) for n in found), default=1) for found in declared)
    if planes > MOST_PLANES:
        raise _truncated(path, f"its OME-XML tells of {planes} planes, and it has {len(tiff.pages)} pages")


def _pages_of_several(tiff: tifffile.TiffFile, path: Path) -> list[Any]:
    """Return the pages of a file of several images of one size, as a loop of writes makes it; else none."""
    full = [each for each in tiff.series if not each.keyframe.is_reduced]
    if len(full) < 2:
        return []
    first = full[0].keyframe
    for page in (each.keyframe for each in full[1:]):
        if (page.shape, page.dtype) != (first.shape, first.dtype):
            raise UniemError(
                f"Pages of {path} differ: page 1 is {_size(first)}, page {page.index + 1} is {_size(page)}.",
                "Crop or pad them to one size and type, or save them as separate files.",
            )
    if tiff.is_ome:
        raise UniemError(f"{path} holds {len(full)} images.", "Save one of them as a stack of its own.")
    return [page for each in full for page in each.pages]


def _page_decoder(pages: Sequence[Any], path: Path, kind: Kind | None) -> Callable[[int], NDArray[Any]]:
    lock = threading.Lock()

    def decode(z: int) -> NDArray[Any]:
        with lock:  # finding a page moves the file's position
            page = pages[z]
        if page is None:
            raise _truncated(path, f"section {z} is missing")
        return flatten_colours(page_pixels(page, path), kind)

    return decode


def _count_sections(tiff: tifffile.TiffFile, series: Any, path: Path) -> int:
    _check_chain(tiff, path)
    lengths = [
        (axis, n) for axis, n in zip(series.axes, series.shape, strict=True) if axis not in "YXS" and n > 1
    ]
    if len(lengths) > 1 or any(axis == "C" for axis, _ in lengths):
        names = {"C": "channels", "T": "time points", "Z": "sections"}
        parts = " and ".join(f"{n} {names.get(axis, 'pages')}" for axis, n in lengths)
        raise UniemError(f"{path} holds {parts}.", "Save one channel of one time point as its own stack.")
    depth = lengths[0][1] if lengths else 1
    expected = int((tiff.imagej_metadata or {}).get("images", depth)) if tiff.is_imagej else depth
    if expected > depth:
        raise _truncated(path, f"it has {depth} of {expected} sections")
    return depth


def _size(page: Any) -> str:
    colours = f", {page.samplesperpixel} samples" if page.samplesperpixel > 1 else ""
    return f"{page.imagelength} × {page.imagewidth} (y, x, {page.dtype}{colours})"


def _check_chain(tiff: tifffile.TiffFile, path: Path) -> None:
    """Raise if the chain of pages leads out of the file, as it does when a copy was cut short."""
    count, handle, layout = len(tiff.pages), tiff.filehandle, tiff.tiff
    handle.seek(tiff.pages.next_page_offset or 0)
    following = int.from_bytes(handle.read(layout.offsetsize), "little" if tiff.byteorder == "<" else "big")
    if following:
        raise _truncated(path, f"only {count} pages of it are there")


def _check_pages(tiff: tifffile.TiffFile, path: Path, depth: int) -> None:
    if depth > len(tiff.pages):
        raise _truncated(path, f"it has {len(tiff.pages)} of {depth} pages")
    for page in (tiff.pages[0], tiff.pages[-1]):
        ends = [a + n for a, n in zip(page.dataoffsets, page.databytecounts, strict=False)]
        if ends and max(ends) > tiff.filehandle.size:
            raise _truncated(path, f"it should have {max(ends)} bytes, not {tiff.filehandle.size}")


def _truncated(path: Path, what: str) -> UniemError:
    return UniemError(f"{path} is cut short: {what}.", "Copy or download it again.")


def _damaged(path: Path, what: str) -> UniemError:
    return UniemError(f"{path} is damaged and cannot be read as TIFF: {what}.", "Copy or save it again.")


def _own_record(tiff: tifffile.TiffFile) -> dict[str, Any] | None:
    """Return what this suite noted in the file; ImageJ drops it when it saves the file, as it should."""
    if tiff.is_imagej:
        metadata = tiff.imagej_metadata or {}
        sizes = str(metadata.get("uniem_voxel_size_nm", "")).split(",")
        return {"kind": metadata.get("uniem_kind"), "voxel_size_nm": sizes if len(sizes) == 3 else None}
    if tiff.is_ome and tiff.ome_metadata:
        return ome_record(tiff.ome_metadata)
    first: Any = tiff.pages[0]
    try:
        record = json.loads(first.description)
    except ValueError:
        return None
    return record.get("uniem") if isinstance(record, dict) else None


def _kind_in(tiff: tifffile.TiffFile) -> Kind | None:
    return described_kind(_own_record(tiff))


def _voxel_size_of(tiff: tifffile.TiffFile) -> VoxelSize | None:
    if noted := described_voxel_size(_own_record(tiff)):
        return noted
    if tiff.is_imagej:
        return imagej_voxel_size(tiff.imagej_metadata or {}, *_resolution_of(tiff))
    return ome_voxel_size(tiff.ome_metadata) if tiff.is_ome and tiff.ome_metadata else None


def _pixel_size_of(tiff: tifffile.TiffFile) -> tuple[float, float] | None:
    if tiff.is_imagej:
        return imagej_pixel_size(tiff.imagej_metadata or {}, *_resolution_of(tiff))
    return ome_pixel_size(tiff.ome_metadata) if tiff.is_ome and tiff.ome_metadata else None


def _resolution_of(tiff: tifffile.TiffFile) -> tuple[Any, Any]:
    """Return pixels per unit along y and x, as the tags say it."""
    page: Any = tiff.pages[0]
    return page.tags.valueof("YResolution"), page.tags.valueof("XResolution")


def _imagej_metadata(volume: Volume, axes: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"axes": axes, "uniem_kind": str(volume.kind)}
    if volume.voxel_size is None:
        return {"metadata": metadata}
    z, y, x = volume.voxel_size
    metadata |= {"unit": "nm", "spacing": z, "uniem_voxel_size_nm": f"{z!r},{y!r},{x!r}"}
    return {"metadata": metadata, **_resolution(1 / x, 1 / y, "NONE")}


def _json_metadata(volume: Volume) -> dict[str, Any]:
    named = {"metadata": None, "description": json.dumps({"uniem": describe(volume)})}
    if volume.voxel_size is None:
        return named
    _, y, x = volume.voxel_size
    return {**named, **_resolution(NM_PER_CM / x, NM_PER_CM / y, "CENTIMETER")}


def _resolution(per_x: float, per_y: float, unit: str) -> dict[str, Any]:
    """Return pixels per unit for tags of TIFF, none where the fractions of 32 bits in them cannot say it."""
    is_sayable = max(per_x, per_y) < MAX_FRACTION and min(per_x, per_y) > 1 / MAX_FRACTION
    return {"resolution": (per_x, per_y), "resolutionunit": unit} if is_sayable else {}


FORMAT = Format("a TIFF stack", (".tif", ".tiff", ".btf"), probe, read, write, EVERY_TYPE)
