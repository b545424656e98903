"""Take pictures of the window with real electron microscopy, dark and light, at both scales of the screen.

`docs/pictures/LICENSES.md` says whose data these are.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, Qt
from qtpy.QtWidgets import QApplication

from docs.player import Player, move_to, playing
from uniem.data.formats import open_volume
from uniem.data.geometry import Box
from uniem.data.store import create_store
from uniem.data.volume import Kind

WIDTH, HEIGHT = 1360, 850
THEMES = ("dark", "light")
SCALES = (1, 2)


@dataclass(frozen=True, slots=True)
class Scene:
    """Real data, and what is done with them before the picture is taken.

    Attributes
    ----------
    numbers : str
        What becomes of the labels of the file: kept; or every piece gets a number, by section or in 3D.
    in_docs : tuple of (scale, theme)
        Which of its pictures the manual shows.
    """

    name: str
    image: str
    labels: str
    numbers: str
    play: Callable[[Player], None]
    in_docs: tuple[tuple[int, str], ...]


def take(
    application: QApplication, folder: Path, data: Path, home: Path, scale: int, takes_all: bool
) -> None:
    """Take the pictures of every scene whose data are there, at the scale of the application."""
    for scene in SCENES:
        themes = [theme for theme in THEMES if takes_all or (scale, theme) in scene.in_docs]
        if not themes or not (data / scene.image).exists() or not (data / scene.labels).exists():
            continue
        os.environ["UNIEM_HOME"] = str(home / f"{scene.name}-{scale}")
        labels = _labels(scene, data, home / f"{scene.name}-{scale}.zarr")
        with playing(application, folder, WIDTH, HEIGHT) as player:
            player.drop(data / scene.image)
            player.edit(labels)
            player.window.voxel_sizes.bar.hide()
            scene.play(player)
            for theme in themes:
                player.do(f"theme-{theme}")
                player.window.message.hide()
                player.picture(f"canvas-{scene.name}-{theme}{f'@{scale}x' if scale > 1 else ''}")


def _labels(scene: Scene, data: Path, path: Path) -> Path:
    """Write the labels of a scene into a store that can be edited."""
    from scipy import ndimage

    volume = open_volume(data / scene.labels)
    array: NDArray[np.uint32] = np.asarray(volume.read(Box.of_shape(volume.shape))).astype(np.uint32)
    if scene.numbers != "kept":
        cross = ndimage.generate_binary_structure(3, 1)
        if scene.numbers == "section":
            cross[0] = cross[2] = False
        array = ndimage.label(array, cross)[0].astype(np.uint32)
    store = create_store(path, array.shape, "uint32", volume.voxel_size, Kind.LABELS)
    store.write(Box.of_shape(array.shape), array)
    store.build_pyramid()
    return path


def _paint_with_brush(player: Player) -> None:
    """Look at mitochondria of the larval ventral nerve cord, with the brush over one of them."""
    canvas = player.window.canvas
    canvas.model.go_to(6)
    player.key(Qt.Key.Key_B)
    canvas.model.hand.set_brush(40)
    canvas.view.zoom(1.6)
    row, column, label = _largest(player, 6)
    canvas.model.hand.label = label
    player.window.objects.select(label)
    move_to(canvas.view, canvas.view.place_of(row, column))
    player.wait(lambda: canvas.view.is_complete)


def _outline_and_superpixels(player: Player) -> None:
    """Look at the outlines of mitochondria of heart muscle, with superpixels shown around the mouse."""
    canvas = player.window.canvas
    player.key(Qt.Key.Key_O)
    canvas.view.zoom(1.5)
    row, column, label = _largest(player, 0)
    canvas.model.hand.label = label
    canvas.view.look_at(row, column)
    player.key(Qt.Key.Key_S)
    move_to(canvas.view, canvas.view.place_of(row, column))
    player.rest(2.0)


def _merge_in_three_planes(player: Player) -> None:
    """Look at neurons of the medulla in three planes, with one of them held by the merge tool."""
    canvas = player.window.canvas
    canvas.grid.show_three()
    player.rest(0.5)
    row, column, label = _largest(player, 80)
    canvas.go_to(80, row, column)
    player.key(Qt.Key.Key_M)
    place = canvas.view.place_of(row, column)
    player.click_at(place)
    player.rest(0.5)
    move_to(canvas.view, place + QPointF(60, 40))
    player.window.objects.select(label)
    player.wait(lambda: all(view.is_complete for view in canvas.grid.views))


def _largest(player: Player, z: int) -> tuple[int, int, int]:
    """Return a voxel (y, x) deep inside the largest object of the middle of a section, and its label."""
    from scipy import ndimage

    session = player.window.sessions.session
    assert session is not None
    section = np.asarray(session.volume[z])
    inside = section[
        section.shape[0] // 4 : -section.shape[0] // 4, section.shape[1] // 4 : -section.shape[1] // 4
    ]
    label = int(np.bincount(inside.ravel())[1:].argmax()) + 1
    depth = ndimage.distance_transform_edt(section == label)
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(row), int(column), label


SCENES = (
    Scene("vnc", "vnc_raw.tif", "vnc_mito.tif", "3d", _paint_with_brush, ((1, "dark"), (2, "light"))),
    Scene(
        "cardiac",
        "cardiac_raw.tif",
        "cardiac_mito.tif",
        "section",
        _outline_and_superpixels,
        ((1, "light"), (2, "dark")),
    ),
    Scene(
        "fib25",
        "fib25_train_raw.tif",
        "fib25_train_neurons.tif",
        "kept",
        _merge_in_three_planes,
        ((1, "dark"), (2, "light")),
    ),
)
