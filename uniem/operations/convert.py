"""Copy a volume into a store or another format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from uniem.algorithms.filters import grey_range
from uniem.data.edited import said_of
from uniem.data.formats import Format, format_for, image_folder, mojo, ome_zarr, open_volume, tiff_stack
from uniem.data.formats.contents import format_of
from uniem.data.formats.mojo import LOCKED, MojoSegment
from uniem.data.geometry import Box, slabs
from uniem.data.location import is_web_address, split_location
from uniem.data.views import (
    CastLabels,
    CastVolume,
    ChosenLabels,
    CroppedVolume,
    DownsampledVolume,
    RenumberedLabels,
    RestatedVolume,
    StretchedVolume,
)
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.operations.convert_parameters import (
    AS_FOUND,
    SAME,
    Colouring,
    ConvertParameters,
    GreyRange,
    ObjectChoice,
    Region,
    Relabelling,
    colours_of,
    ids_of,
)
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import VolumeOutput
from uniem.operations.parameters import fields_of
from uniem.progress import Context

FORMAT_GROUPS: dict[str, Format] = {
    "sections": image_folder.FORMAT,
    "tiff": tiff_stack.FORMAT,
    "zarr": ome_zarr.FORMAT,
}
COLOUR_FORMATS = (image_folder.FORMAT, tiff_stack.FORMAT)


@operation("convert", menu="File", version=2, inputs={"source": Role.VOLUME}, outputs={"result": Role.VOLUME})
def convert(source: Volume, result: VolumeOutput, params: ConvertParameters, context: Context) -> None:
    """Copy a volume or a part of it into a store or another format.

    The format follows the name of the result: `.zarr`, `.tif`, `.h5::dataset`, `.npy`, `.npz`, `.mrc`,
    `.nii`, `.precomputed`, `.mojo`, or a folder of sections for a name without ending. Integers are never
    wrapped: a smaller type maps a range of grey values, and label ids that do not fit are refused.
    """
    chosen = format_for(result.location)
    kind = source.kind if params.kind == AS_FOUND else Kind(params.kind)
    check_applicable(params, kind, chosen)
    view = converted(source, kind, params, context)
    result.copy_from(view, context, **_options(params, chosen), **_segments(source, view, chosen))


def converted(source: Volume, kind: Kind, params: ConvertParameters, context: Context) -> Volume:
    """Return a volume as it is to be written, computed section by section while it is read."""
    if params.kind != AS_FOUND and source.source and not _store_of(source):
        # Colour pictures opened as labels have an id for every colour, else grey values.
        source = open_volume(source.source, kind)
    view = placed(source, kind, params)
    return _as_labels(view, params, context) if kind is Kind.LABELS else _as_image(view, params, context)


def placed(source: Volume, kind: Kind, params: ConvertParameters) -> Volume:
    """Return a volume in the extent and at the scale of the result, its numbers as they are."""
    view: Volume = RestatedVolume(source, params.voxel_size or source.voxel_size, kind)
    box = box_of(params.region, view)
    if box != Box.of_shape(view.shape):
        view = CroppedVolume(view, box)
    if kind is Kind.LABELS:
        view = _chosen(view, params)
    factor = (params.downsample.z, params.downsample.y, params.downsample.x)
    return view if factor == (1, 1, 1) else DownsampledVolume(view, factor)


def box_of(region: Region, volume: Volume) -> Box:
    """Return the box of a region of a volume; raise where it is not inside."""
    firsts = (region.first_section, region.first_row, region.first_column)
    counts = (region.section_count, region.row_count, region.column_count)
    stops: list[int] = []
    for name, first, count, there in zip(
        ("Sections", "Rows", "Columns"), firsts, counts, volume.shape, strict=True
    ):
        stop = there if count is None else first + count
        if first >= there or stop > there:
            asked = f"{name} {first} to {stop - 1}" if count else f"{name} from {first} on"
            raise UniemError(
                f"{asked} were asked for, but {volume} has {there}, numbered from 0.",
                f"Take {name.lower()} that are there.",
            )
        stops.append(stop)
    return Box(firsts, (stops[0], stops[1], stops[2]))


def check_applicable(params: ConvertParameters, kind: Kind, chosen: Format) -> None:
    """Raise if a parameter was given that would have no effect."""
    for group, owner in FORMAT_GROUPS.items():
        if chosen is not owner and (given := _given(getattr(params, group))):
            raise _useless(f"{group}.{given[0]}", f"the result is {chosen.title}", f"write {owner.title}")
    grey = _given(params, GreyRange)
    labels = [name for part in (ObjectChoice, Relabelling, Colouring) for name in _given(params, part)]
    if kind is Kind.LABELS and grey:
        raise _useless(grey[0], "ids of labels are kept as they are", "say that it is an image (kind)")
    if kind is not Kind.LABELS and labels:
        raise _useless(labels[0], f"the source is taken for {kind}", "say that it has labels (kind)")
    if params.clipped_percent and None not in (params.low, params.high):
        raise _useless("clipped_percent", "low and high are given", "leave out one of those")
    if params.colours and not params.colour:
        raise _useless("colours", "no colour is asked for", "ask for colour")
    if not params.colour:
        return
    if chosen not in COLOUR_FORMATS:
        raise _useless("colour", f"the result is {chosen.title}", "write sections or a TIFF stack")
    if params.dtype not in (SAME, "uint8"):
        raise _useless("dtype", "pictures in colour have 8 bits", "write ids without colour")


def _useless(name: str, reason: str, remedy: str) -> UniemError:
    return UniemError(
        f"The parameter {name.replace('_', '-')} has no effect here: {reason}.", f"Leave it out, or {remedy}."
    )


def _given(params: BaseModel, part: type[BaseModel] | None = None) -> list[str]:
    """Return the parameters, all or those of one part, that are not at their defaults."""
    fields = fields_of(part or type(params))
    return [field.name for field in fields if getattr(params, field.name) != field.default]


def _options(params: ConvertParameters, chosen: Format) -> dict[str, Any]:
    colours = {"colours": colours_of(params.colours)} if params.colour else {}
    if chosen is image_folder.FORMAT:
        files = params.sections
        named = {"prefix": files.prefix, "first": files.first_number, "digits": files.digits}
        return {"file_type": files.file_type, **named, **colours}
    if chosen is tiff_stack.FORMAT:
        compression = None if params.tiff.compression == "by kind" else params.tiff.compression
        return {"compression": compression, **colours}
    return {"version": params.zarr.version} if chosen is ome_zarr.FORMAT else {}


def _store_of(source: Volume) -> Path | None:
    """Return the store that a volume is in, with its edits or without; None for one that is in none."""
    place = source.source
    is_store = bool(place) and not is_web_address(place) and "::" not in place and Path(place).is_dir()
    return Path(place) if is_store and format_of(Path(place)) is ome_zarr.FORMAT else None


def _segments(source: Volume, view: Volume, chosen: Format) -> dict[str, Any]:
    """Return what a Dojo folder can keep of what is said of objects: names, locks and colours."""
    if chosen is not mojo.FORMAT or view.kind is not Kind.LABELS or not source.source:
        return {}
    known = _known_segments(source)
    renumbered = view.of if isinstance(view, CastLabels) else view
    if isinstance(renumbered, RenumberedLabels):
        numbers = [(each, renumbered.number_of(each.id)) for each in known]
        known = [replace(each, id=number) for each, number in numbers if number]
    return {"segments": known}


def _known_segments(source: Volume) -> list[MojoSegment]:
    if (store := _store_of(source)) is not None:
        return [
            MojoSegment(label, each.name, confidence=LOCKED if each.is_locked else 0, colour=each.colour)
            for label, each in said_of(store).items()
        ]
    if (
        is_web_address(source.source)
        or format_of(path := split_location(source.source)[0]) is not mojo.FORMAT
    ):
        return []
    return mojo.read_segments(path.parent if path.name in mojo.PARTS else path)


def _chosen(view: Volume, params: ConvertParameters) -> Volume:
    if params.only:
        view = ChosenLabels(view, ids_of(params.only), keeps=True)
    if params.without:
        view = ChosenLabels(view, ids_of(params.without), keeps=False)
    return view


def _as_labels(view: Volume, params: ConvertParameters, context: Context) -> Volume:
    if params.relabel:
        ids = _all_ids(view, context)
        context.result(objects=len(ids))
        view = RenumberedLabels(view, ids)
    return view if params.dtype == SAME else CastLabels(view, params.dtype)


def _as_image(view: Volume, params: ConvertParameters, context: Context) -> Volume:
    dtype = view.dtype if params.dtype == SAME else np.dtype(params.dtype)
    holds_all = dtype.kind == "f" or np.can_cast(view.dtype, dtype, "safe")
    if holds_all and not _given(params, GreyRange):
        return view if dtype == view.dtype else CastVolume(view, dtype)
    low, high = params.low, params.high
    if low is None or high is None:
        darkest, brightest = _found_range(view, params.clipped_percent, context)
        low, high = darkest if low is None else low, brightest if high is None else high
    if high < low:
        raise UniemError(
            f"The range from {low:g} to {high:g} is empty.", "Give a high value above the low one."
        )
    context.result(darkest=low, brightest=high)
    return StretchedVolume(view, dtype, low, high)


def _found_range(volume: Volume, clipped_percent: float, context: Context) -> tuple[float, float]:
    if clipped_percent > 0:
        return grey_range(volume, clipped_percent, 100 - clipped_percent, context)
    low, high = np.inf, -np.inf
    for slab in context.track(slabs(volume.shape, 4 * volume.dtype.itemsize), "finding the grey range"):
        voxels = volume.read(slab)
        if volume.dtype.kind == "f":
            voxels = voxels[np.isfinite(voxels)]
        if voxels.size:
            low, high = min(low, float(voxels.min())), max(high, float(voxels.max()))
    if low > high:
        raise UniemError(f"{volume} holds no finite number.", "Give low and high, or check the file.")
    return low, high


def _all_ids(volume: Volume, context: Context) -> NDArray[Any]:
    """Return all ids of labels but 0, ascending."""
    import fastremap

    found = np.zeros(0, volume.dtype)
    for slab in context.track(slabs(volume.shape, 4 * volume.dtype.itemsize), "finding the ids"):
        voxels = np.ascontiguousarray(volume.read(slab))
        found = np.union1d(found, np.unique(voxels) if voxels.dtype.kind == "b" else fastremap.unique(voxels))
    ids: NDArray[Any] = found[found != 0]
    return ids
