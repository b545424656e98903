"""A synthetic EM sample with exact ground truth: cells, membranes, mitochondria, vesicles, noise.

Every voxel follows from the seed and its place alone, so a phantom is made slab by slab, of any size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple, VoxelSize, blocks, count_blocks
from uniem.data.phantom_anatomy import REACH_NM, Anatomy, Mitochondrion
from uniem.data.phantom_noise import Floats, SmoothField, normal
from uniem.data.volume import ArrayVolume, Kind, Volume, check_same_shape
from uniem.progress import Context

DEFAULT_VOXEL_SIZE = VoxelSize(40.0, 8.0, 8.0)
BLOCK_SHAPE: Triple = (8, 1024, 1024)
HALO_PIXELS = 12
HALO_NM = 160.0

CYTOPLASM, MEMBRANE, OUTSIDE = 172.0, 44.0, 138.0
MATRIX, MITOCHONDRION_MEMBRANE, CRISTA = 120.0, 58.0, 76.0
VESICLE_RING, VESICLE_LUMEN, RETICULUM = 88.0, 175.0, 104.0
GAP_NM = 4.0
MEMBRANE_NM = 3.5
ROUNDING_NM = 36.0
WALL_NM = 34.0
VESICLE_NM = 21.0
JITTER_NM = 12.0
MAX_BEND_NM = 300.0
FAR_PIXELS = np.float32(1e4)


@dataclass(frozen=True)
class Phantom:
    """A synthetic sample: image uint8, cells and mitochondria uint32 with 0 outside, all (z, y, x)."""

    image: NDArray[np.uint8]
    cells: NDArray[np.uint32]
    mitochondria: NDArray[np.uint32]
    voxel_size: VoxelSize


def make_phantom(
    shape: Triple, seed: int = 0, voxel_size: VoxelSize = DEFAULT_VOXEL_SIZE, context: Context | None = None
) -> Phantom:
    """Make a synthetic sample in memory; the same seed, shape and voxel size give the same voxels."""
    image = ArrayVolume(np.empty(shape, np.uint8), voxel_size, Kind.IMAGE)
    cells = ArrayVolume(np.empty(shape, np.uint32), voxel_size, Kind.LABELS)
    mitochondria = ArrayVolume(np.empty(shape, np.uint32), voxel_size, Kind.LABELS)
    write_phantom(image, cells, mitochondria, seed, context)
    return Phantom(image.array, cells.array, mitochondria.array, voxel_size)


def write_phantom(
    image: Volume, cells: Volume, mitochondria: Volume, seed: int = 0, context: Context | None = None
) -> None:
    """Fill three volumes of one shape with a synthetic sample, block by block.

    The voxel size is that of the image volume, or 40 x 8 x 8 nm if it has none.
    """
    check_same_shape(image, cells)
    check_same_shape(image, mitochondria)
    painter = _Painter(image.shape, image.voxel_size or DEFAULT_VOXEL_SIZE, seed)
    total = count_blocks(image.shape, BLOCK_SHAPE)
    for block in (context or Context()).track(blocks(image.shape, BLOCK_SHAPE), "making the phantom", total):
        sections = [
            painter.paint(Box.section(z, image.shape).intersection(block.core)) for z in _depths(block.core)
        ]
        for volume, index in ((image, 0), (cells, 1), (mitochondria, 2)):
            volume.write(block.core, np.stack([section[index] for section in sections]).astype(volume.dtype))


def _depths(box: Box) -> range:
    return range(box.start[0], box.stop[0])


@dataclass(frozen=True)
class _Window:
    """A part of a section with a halo: where its pixels lie in the tissue, in nm."""

    z_nm: float
    y_nm: NDArray[np.float64]
    x_nm: NDArray[np.float64]


@dataclass(frozen=True)
class _Cut:
    """What an infinitely thin cut shows: labels, and distances to the nearest border in nm."""

    cells: NDArray[np.int64]
    shade: Floats
    cell_border_nm: Floats
    gap_nm: Floats
    mitochondria: NDArray[np.int64]
    mitochondrion_border_nm: Floats
    across_cristae_nm: Floats
    warp: tuple[Floats, Floats]


class _Painter:
    """Paints any window of any section of one phantom."""

    def __init__(self, shape: Triple, voxel_size: VoxelSize, seed: int) -> None:
        self.seed = seed
        self.voxel_size = voxel_size
        self.pixel_nm = math.sqrt(voxel_size.y * voxel_size.x)
        self.fine_nm = min(voxel_size.y, voxel_size.x)
        self.anatomy = Anatomy(shape, voxel_size, seed)
        self.halo = HALO_PIXELS + math.ceil(HALO_NM / self.fine_nm)
        features: dict[str, tuple[float, float]] = {
            "bend": (1100, 900),
            "ripple": (210, 300),
            "wiggle": (80, 150),
            "gap": (350, 300),
            "reticulum": (210, 160),
        }
        features |= {"grain": (26, 40), "cloud": (130, 140), "cristae": (150, 200), "light": (4000, 1e9)}
        self.fields = {
            name: [SmoothField(seed, 200 + 10 * i + axis, *sizes) for axis in (0, 1)]
            for i, (name, sizes) in enumerate(features.items())
        }

    def paint(self, box: Box) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
        """Return image, cells and mitochondria of a box of one section, each (y, x)."""
        z, core = box.start[0], (slice(self.halo, -self.halo),) * 2
        # Thick sections show what lies above one another: slanted membranes get blurred.
        steps = max(1, min(3, round(self.voxel_size.z / (2.5 * self.pixel_nm))))
        offsets = [(i - (steps - 1) / 2) / steps for i in range(steps)]
        cuts = [self._cut(self._window(box, z + 0.5 + offset, z)) for offset in offsets]
        window, middle = self._window(box, z + 0.5, z), cuts[steps // 2]
        texture = self._texture(window)
        signal: Floats = np.mean([self._shaded(cut, texture) for cut in cuts], axis=0, dtype=np.float32)
        self._draw_vesicles(signal, window, middle)
        cells = np.where(middle.cell_border_nm > middle.gap_nm, middle.cells, 0)
        image = self._microscope(signal, window, box)
        return image[core], cells[core], middle.mitochondria[core]

    def _window(self, box: Box, depth: float, z: int) -> _Window:
        # Each section is cut and placed a little off; image and ground truth move together.
        slip = JITTER_NM * normal(self.seed, 7, z, np.arange(2))
        rows = np.arange(box.start[1] - self.halo, box.stop[1] + self.halo)
        columns = np.arange(box.start[2] - self.halo, box.stop[2] + self.halo)
        y_nm, x_nm = (rows + 0.5) * self.voxel_size.y + slip[0], (columns + 0.5) * self.voxel_size.x + slip[1]
        return _Window(depth * self.voxel_size.z, y_nm, x_nm)

    def _field(self, name: str, window: _Window, axis: int = 0) -> Floats:
        return self.fields[name][axis].at(window.z_nm, window.y_nm, window.x_nm)

    def _bend(self, window: _Window, axis: int) -> Floats:
        bend = 100 * self._field("bend", window, axis) + 32 * self._field("ripple", window, axis)
        return bend + 7 * self._field("wiggle", window, axis)

    def _cut(self, window: _Window) -> _Cut:
        warp = [np.clip(self._bend(window, axis), -MAX_BEND_NM, MAX_BEND_NM) for axis in (0, 1)]
        low = (float(window.y_nm[0]) - REACH_NM, float(window.x_nm[0]) - REACH_NM)
        high = (float(window.y_nm[-1]) + REACH_NM, float(window.x_nm[-1]) + REACH_NM)
        straight, cell_of, corner = self._straight_cells(window.z_nm, low, high)
        y = (window.y_nm[:, None] + warp[0] - corner[0]) / self.fine_nm
        x = (window.x_nm[None, :] + warp[1] - corner[1]) / self.fine_nm
        stems = straight[y.astype(np.intp), x.astype(np.intp)]
        cells = cell_of[stems]
        border = _rounded(_distance_to_border(cells), ROUNDING_NM / self.pixel_nm) * self.pixel_nm
        gap = (GAP_NM + 9 * np.maximum(0, self._field("gap", window) - 0.6)).astype(np.float32)
        gap = np.maximum(gap, 0.6 * self.pixel_nm)
        inside = border > gap + MEMBRANE_NM + WALL_NM * 0.6
        places = (window.y_nm[:, None] + warp[0], window.x_nm[None, :] + warp[1])
        found = self.anatomy.mitochondria(
            window.z_nm, (low[0] + 250, low[1] + 250), (high[0] - 250, high[1] - 250)
        )
        mitochondria, across = self._mitochondria(found, places, cells, inside)
        depth = _distance_to_border(mitochondria) * self.pixel_nm
        shade = self.anatomy.shade(cell_of).astype(np.float32)[stems]
        return _Cut(cells, shade, border, gap, mitochondria, depth, across, (warp[0], warp[1]))

    def _straight_cells(
        self, z_nm: float, low: tuple[float, float], high: tuple[float, float]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], tuple[float, float]]:
        """Return the nearest stem on a fine grid before bending, the cell of each stem, and the corner."""
        import cv2

        corner = tuple(math.floor(edge / self.fine_nm) * self.fine_nm for edge in low)
        size = tuple(math.ceil((b - a) / self.fine_nm) + 1 for a, b in zip(corner, high, strict=True))
        stems = self.anatomy.stems(z_nm, (corner[0], corner[1]), high)
        pixels = ((stems.positions - corner) / self.fine_nm).astype(np.intp)
        empty = np.full(size, 255, np.uint8)
        empty[pixels[:, 0], pixels[:, 1]] = 0
        _, raw = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        nearest = np.asarray(raw, np.int32)
        cell_of = np.zeros(int(nearest.max()) + 1, np.int64)
        cell_of[nearest[pixels[:, 0], pixels[:, 1]]] = stems.cells
        return nearest, cell_of, (corner[0], corner[1])

    def _mitochondria(
        self,
        found: list[Mitochondrion],
        places: tuple[NDArray[Any], NDArray[Any]],
        cells: NDArray[np.int64],
        inside: NDArray[np.bool_],
    ) -> tuple[NDArray[np.int64], Floats]:
        """Return the label of the mitochondrion at each pixel, and the coordinate that its cristae follow."""
        labels, across = np.zeros(cells.shape, np.int64), np.zeros(cells.shape, np.float32)
        for one in found:
            rows, columns = self._pixels_near(one, places)
            if rows.start >= rows.stop or columns.start >= columns.stop:
                continue
            y, x = places[0][rows, columns] - one.centre_nm[0], places[1][rows, columns] - one.centre_nm[1]
            along = math.cos(one.angle) * x + math.sin(one.angle) * y
            aside = math.cos(one.angle) * y - math.sin(one.angle) * x
            body = (along / one.half_axes_nm[0]) ** 2 + (aside / one.half_axes_nm[1]) ** 2 < 1
            body &= inside[rows, columns] & (cells[rows, columns] == one.cell)
            body = _without_spikes(body)
            labels[rows, columns][body] = one.label
            across[rows, columns][body] = (along + 0.35 * aside)[body]
        return labels, across

    def _pixels_near(
        self, one: Mitochondrion, places: tuple[NDArray[Any], NDArray[Any]]
    ) -> tuple[slice, slice]:
        """Return the part of the window that it may cover; bending moves places by MAX_BEND_NM."""
        steps = (self.voxel_size.y, self.voxel_size.x)
        pixel = [(c - float(p[0, 0])) / step for c, p, step in zip(one.centre_nm, places, steps, strict=True)]
        inside = all(0 <= i < n for i, n in zip(pixel, places[0].shape, strict=True))
        if inside:  # the bend is known there, and changes little within the body
            row, column = int(pixel[0]), int(pixel[1])
            offsets = [c - float(p[row, column]) for c, p in zip(one.centre_nm, places, strict=True)]
            pixel = [row + offsets[0] / steps[0], column + offsets[1] / steps[1]]
        reach = 1.7 * max(one.half_axes_nm) + (240 if inside else 600) + 8 * self.pixel_nm
        spans = [
            slice(max(0, int(i - reach / step)), max(0, min(n, int(i + reach / step))))
            for i, n, step in zip(pixel, places[0].shape, steps, strict=True)
        ]
        return spans[0], spans[1]

    def _texture(self, window: _Window) -> dict[str, Floats]:
        names = ("grain", "cloud", "reticulum", "cristae")
        return {name: self._field(name, window) for name in names}

    def _shaded(self, cut: _Cut, texture: dict[str, Floats]) -> Floats:
        """Return the brightness of a cut, before the microscope."""
        shade = cut.shade
        signal = (
            CYTOPLASM
            + 11 * shade
            - 32 * (shade < -0.9)
            + 5 * texture["cloud"]
            - 9 * np.maximum(texture["grain"], -0.5) ** 2
        )
        line = np.exp(-((texture["reticulum"] / 0.07) ** 2)) * (texture["cloud"] > 0.2) * (shade < 0.5)
        signal = _mix(signal, RETICULUM, line * _rise(cut.cell_border_nm, 40, 70))
        signal = self._with_mitochondria(signal, cut, texture)
        edge = cut.cell_border_nm - cut.gap_nm
        membrane = 1 - _rise(edge, MEMBRANE_NM, MEMBRANE_NM + 8)
        signal = _mix(signal, MEMBRANE - 8 * np.clip(texture["cloud"], -2, 2), membrane)
        outside = _rise(cut.gap_nm - cut.cell_border_nm, 4, 12)
        mixed: Floats = _mix(signal, OUTSIDE, outside).astype(np.float32)
        return mixed

    def _with_mitochondria(self, signal: Floats, cut: _Cut, texture: dict[str, Floats]) -> Floats:
        body = (cut.mitochondria > 0).astype(np.float32)
        depth = cut.mitochondrion_border_nm
        wave = np.sin(cut.across_cristae_nm * (2 * math.pi / 62) + 1.9 * texture["cristae"])
        cristae = _rise(wave, 0.1, 0.8) * _rise(depth, 16, 30) * (texture["cloud"] > -1.1)
        inner = _mix(MATRIX + 6 * texture["grain"], CRISTA, cristae)
        inner = _mix(inner, MITOCHONDRION_MEMBRANE, 1 - _rise(depth, 9, 20))
        mixed: Floats = _mix(signal, inner, body)
        return mixed

    def _draw_vesicles(self, signal: Floats, window: _Window, cut: _Cut) -> None:
        """Draw dark rings with a bright lumen, 42 nm wide, where there is room for them."""
        low, high = (window.y_nm[0], window.x_nm[0]), (window.y_nm[-1], window.x_nm[-1])
        centres, cells = self.anatomy.vesicles(window.z_nm, self.voxel_size.z, low, high)
        radius = max(1, math.ceil((VESICLE_NM + 10) / self.pixel_nm))
        places = (centres - low) / (self.voxel_size.y, self.voxel_size.x)
        for y, x in places[self._have_room(places, cells, radius, cut)]:
            row, column = round(y), round(x)
            rows, columns = slice(row - radius, row + radius + 1), slice(column - radius, column + radius + 1)
            dy = (np.arange(rows.start, rows.stop)[:, None] - y) * self.voxel_size.y
            dx = (np.arange(columns.start, columns.stop)[None, :] - x) * self.voxel_size.x
            distance = np.hypot(dy, dx)
            patch = _mix(
                signal[rows, columns], VESICLE_LUMEN, 1 - _rise(distance, VESICLE_NM - 8, VESICLE_NM)
            )
            signal[rows, columns] = _mix(
                patch, VESICLE_RING, np.exp(-(((distance - VESICLE_NM + 3) / 5.5) ** 2))
            )

    def _have_room(
        self, places: NDArray[np.float64], cells: NDArray[np.int64], radius: int, cut: _Cut
    ) -> NDArray[np.intp]:
        """Return which places (y, x in pixels) lie well inside their cell and outside mitochondria."""
        pixels = np.round(places).astype(np.intp)
        limits = np.array(cut.cells.shape) - radius
        inside = np.flatnonzero(((pixels >= radius) & (pixels < limits)).all(axis=1))
        at = (pixels[inside, 0], pixels[inside, 1])
        has_room = (cut.cells[at] == cells[inside]) & (cut.mitochondria[at] == 0)
        has_room &= cut.cell_border_nm[at] >= cut.gap_nm[at] + MEMBRANE_NM + VESICLE_NM
        return np.asarray(inside[has_room], np.intp)

    def _microscope(self, signal: Floats, window: _Window, box: Box) -> NDArray[np.uint8]:
        """Return the recorded picture: blurred, unevenly lit, noisy, brighter or darker."""
        import cv2

        z = box.start[0]
        generator = np.random.default_rng([self.seed & 0xFFFFFFFF, *box.start])
        gain, shift = 1 + 0.05 * normal(self.seed, 8, z)[0], 6 * normal(self.seed, 9, z)[0]
        recorded: Floats = np.asarray(cv2.GaussianBlur(signal, (0, 0), 0.8), np.float32)
        white = generator.standard_normal(signal.shape, np.float32)
        soft = np.asarray(cv2.GaussianBlur(generator.standard_normal(signal.shape, np.float32), (0, 0), 1.0))
        recorded = recorded + 9 * white + 20 * soft + 5 * self._field("light", window)
        recorded = (recorded - 140) * gain + 140 + shift
        picture: NDArray[np.uint8] = np.clip(np.round(recorded), 0, 255).astype(np.uint8)
        return picture


def _distance_to_border(labels: NDArray[np.int64]) -> Floats:
    """Return the distance in pixels of each pixel to where the label changes; it is 0.5 beside it."""
    inside = np.full(labels.shape, 255, np.uint8)
    down, right = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    inside[1:][down] = inside[:-1][down] = 0
    inside[:, 1:][right] = inside[:, :-1][right] = 0
    distance: Floats = _distance_to_zero(inside) + np.float32(0.5)
    return distance


def _distance_to_zero(mask: NDArray[np.uint8]) -> Floats:
    import cv2

    # Without any zero, OpenCV answers with the largest float.
    return np.minimum(np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, 5), np.float32), FAR_PIXELS)


def _rounded(distance: Floats, radius: float) -> Floats:
    """Return the distances to the border after every region was opened by a disk, which rounds its corners.

    A pixel belongs to an opened region if a place as far as the radius from the border is within the radius;
    that place is never in another region, because the border would be nearer.
    """
    deep = (distance <= radius).astype(np.uint8)
    if deep.all():
        return np.zeros_like(distance)
    # A little less than the radius, because chamfer distances are off by a fraction of a pixel.
    opened = (_distance_to_zero(deep) < radius - 0.3) & (distance > 0.5)
    return _distance_to_zero(opened.astype(np.uint8))


def _without_spikes(body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    import cv2

    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    opened = cv2.morphologyEx(body.astype(np.uint8), cv2.MORPH_OPEN, disk, borderValue=0)
    smooth: NDArray[np.bool_] = opened.astype(np.bool_)
    return smooth


def _rise(values: Any, low: float, high: float) -> Any:
    """Return 0 below `low`, 1 above `high`, and a smooth step between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _mix(below: Any, above: Any, share: Any) -> Any:
    return below + (above - below) * share
