"""Three planes of one volume, and several layers above one another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QColor, QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from uniem.algorithms.rasterise import disc_stroke
from uniem.data.geometry import VoxelSize
from uniem.data.palette import colour_of
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.colour_maps import COLOUR_MAPS, HEAT, colour_table
from uniem.gui.canvas.layers import Layer, scale_to
from uniem.gui.canvas.slice_view import SliceView
from uniem.gui.canvas.view_model import Only, Tool
from uniem.gui.main_window import MainWindow
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.plane import Plane, brush_aspect
from uniem.workspace import Settings

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def drag(view: SliceView, points: list[tuple[int, int]], is_released: bool = True) -> None:
    viewport = view.viewport()
    QTest.mousePress(viewport, LEFT, NONE, view.place_of(*points[0]).toPoint())
    for row, column in points[1:]:
        at = QPointF(view.place_of(row, column).toPoint())
        move = QMouseEvent(QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, LEFT, NONE)
        QApplication.sendEvent(viewport, move)
    if is_released:
        QTest.mouseRelease(viewport, LEFT, NONE, view.place_of(*points[-1]).toPoint())


def pixel(view: SliceView, row: int, column: int) -> QColor:
    grabbed = view.viewport().grab().toImage()
    return QColor(grabbed.pixel(view.place_of(row, column).toPoint() * grabbed.devicePixelRatioF()))


@pytest.mark.parametrize("plane", [Plane.XZ, Plane.YZ])
def test_a_stroke_in_any_plane_paints_what_was_shown(
    qtbot: QtBot, painting_canvas: Canvas, session: ProofreadingSession, plane: Plane
) -> None:
    canvas = painting_canvas
    canvas.model.move_to((15, 100, 120))
    canvas.grid.show_alone(plane)
    view = canvas.views[plane]
    qtbot.waitUntil(lambda: view.is_complete and view.item.overlay.section is not None)
    # A view that has just been given all the room is fitted into it once, which moves what is under the mouse.
    QApplication.processEvents()
    canvas.model.hand.brush_px = 61
    axes = view.axes
    points = [(60, 12), (90, 20)] if axes.is_turned else [(12, 60), (20, 90)]
    drag(view, points, is_released=False)
    overlay = view.item.overlay
    rows, columns = axes.shape(session.volume.shape)
    shown = np.array([[overlay.label_at(row, column) for column in range(columns)] for row in range(rows)])
    QTest.mouseRelease(view.viewport(), LEFT, NONE, view.place_of(*points[-1]).toPoint())

    section = axes.section_of(session.volume[:, :, :], view.position)
    np.testing.assert_array_equal(section, shown)
    order = -1 if axes.is_turned else 1
    first, second, mask = disc_stroke(
        [point[::order] for point in points],
        30.5,
        (rows, columns)[::order],
        brush_aspect(session.volume.voxel_size, plane),
    )
    expected = np.zeros((rows, columns)[::order], int)
    expected[first : first + mask.shape[0], second : second + mask.shape[1]][mask] = 7
    np.testing.assert_array_equal(section[::1] if order == 1 else section.T, expected)
    assert np.count_nonzero(session.volume[:, :, :]) == mask.sum()
    canvas.painting.undo()
    assert not session.volume[:, :, :].any()


def test_views_share_one_place(qtbot: QtBot, painting_canvas: Canvas) -> None:
    canvas = painting_canvas
    canvas.grid.show_three()
    qtbot.waitUntil(lambda: all(view.isVisible() for view in canvas.views.values()))
    canvas.model.hand.tool = Tool.NAVIGATE
    canvas.model.move_to((3, 100, 100))
    xy, xz, yz = canvas.views[Plane.XY], canvas.views[Plane.XZ], canvas.views[Plane.YZ]
    QTest.mouseClick(xy.viewport(), LEFT, NONE, xy.place_of(80, 110).toPoint())
    assert canvas.model.position == (3, 80, 110)
    assert (xz.position, yz.position) == (80, 110)
    QTest.mouseClick(xz.viewport(), LEFT, NONE, xz.place_of(9, 130).toPoint())
    assert canvas.model.position == (9, 80, 130)
    assert xy.cross_hair.isVisible()
    QTest.mouseMove(yz.viewport(), yz.place_of(80, 9).toPoint())
    yz.entered.emit()
    canvas.run("next-section")
    assert canvas.model.position == (9, 80, 131)

    def scales() -> list[float]:
        return [view.camera.scale / canvas.model.voxel_size[view.axes.columns] for view in (xy, xz, yz)]

    qtbot.waitUntil(lambda: scales() == pytest.approx(scales()[:1] * 3))
    xy.zoom(2.0)
    xy.zoomed.emit(2.0)
    assert scales() == pytest.approx(scales()[:1] * 3)


def test_the_layout_is_remembered(qtbot: QtBot, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.json")
    for expected in (False, True):
        canvas = Canvas(settings=settings)
        qtbot.addWidget(canvas)
        canvas.show()
        assert canvas.grid.shows_three is expected
        canvas.grid.show_three()
        canvas.close_views()


def test_a_double_click_on_the_title_shows_one_view(painting_canvas: Canvas) -> None:
    canvas = painting_canvas
    canvas.run("maximise")
    assert canvas.grid.shows_three
    title = canvas.grid.panes[Plane.XZ].title
    QTest.mouseDClick(title, LEFT)
    assert not canvas.grid.shows_three
    assert [plane for plane, view in canvas.views.items() if view.isVisible()] == [Plane.XZ]


def test_layers_are_drawn_above_one_another(canvas: Canvas) -> None:
    gray = np.full((2, 64, 64), 100, np.uint8)
    probability = np.zeros((2, 64, 64), np.float32)
    probability[:, 20:40, 20:40] = 1.0
    labels = np.zeros((2, 64, 64), np.uint16)
    labels[:, 30:50, 30:50] = 3
    image = Layer.of(ArrayVolume(gray))
    heat = Layer.of(ArrayVolume(probability, kind=Kind.PROBABILITY))
    heat.colours, heat.opacity = HEAT, 1.0
    objects = Layer.of(ArrayVolume(labels, kind=Kind.LABELS))
    objects.opacity = 1.0
    canvas.show_layers([image, heat, objects])
    canvas.model.contrast = (0, 200)
    assert pixel(canvas.view, 5, 5).red() == pytest.approx(127, abs=1)
    hot = QColor(int(colour_table(HEAT)[255]))
    assert pixel(canvas.view, 25, 25) == hot
    assert pixel(canvas.view, 35, 35) == QColor(*colour_of(3))
    heat.opacity = 0.5
    assert pixel(canvas.view, 25, 25).red() == pytest.approx((127 + hot.red()) / 2, abs=2)
    canvas.show_layers([heat, objects, image])
    assert pixel(canvas.view, 35, 35).red() == pytest.approx(127, abs=1)
    image.is_inverted = True
    assert pixel(canvas.view, 5, 5).red() == pytest.approx(128, abs=1)
    image.is_visible = False
    assert pixel(canvas.view, 35, 35) == QColor(*colour_of(3))


def test_the_list_of_layers_opens_no_window(qtbot: QtBot, painting_canvas: Canvas) -> None:
    panel = painting_canvas.layers_panel
    panel.show()
    for layer in painting_canvas.model.layers:
        panel.choose(layer)
        assert panel.opacity.isVisible()
        assert panel.contrast.isVisible() is not layer.is_labels
        assert panel.inverted.isVisible() is not layer.is_labels
        shown = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
        assert set(shown) <= {painting_canvas, panel}
    panel.hide()


def test_each_section_can_have_its_own_contrast(canvas: Canvas) -> None:
    ramp = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    layer = Layer.of(ArrayVolume(np.stack([ramp, ramp + 100])))
    canvas.show_layers([layer])
    dark = pixel(canvas.view, 30, 2).red()
    canvas.model.go_to(1)
    assert pixel(canvas.view, 30, 2).red() > dark + 60
    layer.is_normalised = True
    assert pixel(canvas.view, 30, 2).red() == pytest.approx(dark, abs=6)


def test_only_selected_or_locked_labels_are_drawn(painting_canvas: Canvas) -> None:
    canvas = painting_canvas
    canvas.model.label_opacity = 1.0
    for label, place in ((7, 40), (70_001, 80), (9, 120)):
        canvas.model.hand.label = label
        drag(canvas.view, [(place, place)])
    canvas.model.hand.label = 7
    canvas.model.select({9})
    canvas.run("solo")
    assert canvas.model.display.only is Only.SELECTED
    QApplication.sendEvent(canvas.view, QEvent(QEvent.Type.Leave))
    assert pixel(canvas.view, 40, 40).saturation() > 0
    assert pixel(canvas.view, 80, 80).saturation() == 0
    assert pixel(canvas.view, 120, 120).saturation() > 0
    canvas.run("solo")
    assert pixel(canvas.view, 80, 80).saturation() > 0


def test_the_label_under_the_mouse_shines(painting_canvas: Canvas) -> None:
    canvas = painting_canvas
    drag(canvas.view, [(60, 60)])
    canvas.model.hand.label = 1
    QApplication.sendEvent(canvas.view, QEvent(QEvent.Type.Leave))
    before = pixel(canvas.view, 60, 60)
    canvas.view.shine(7)
    after = pixel(canvas.view, 60, 60)
    assert after != before
    canvas.view.shine(0)
    assert pixel(canvas.view, 60, 60) == before


@pytest.mark.parametrize(
    ("shape", "size", "scale"),
    [
        ((10, 100, 120), None, (1, 1, 1)),
        ((10, 50, 60), VoxelSize(50, 10, 10), (1, 2, 2)),
        ((10, 200, 240), VoxelSize(50, 2.5, 2.5), (1, 0.5, 0.5)),
        ((5, 34, 40), VoxelSize(100, 15, 15.02), (2, 3, 3)),
    ],
)
def test_volumes_lie_over_one_another_by_their_voxel_size(
    shape: tuple[int, int, int], size: VoxelSize | None, scale: tuple[float, float, float]
) -> None:
    reference = ArrayVolume(np.zeros((10, 100, 120), np.uint8), VoxelSize(50, 5, 5))
    assert scale_to(ArrayVolume(np.zeros(shape, np.uint8), size), reference) == scale


@pytest.mark.parametrize(
    ("shape", "size"),
    [((10, 90, 120), VoxelSize(50, 5, 5)), ((10, 80, 96), VoxelSize(50, 6.25, 6.25)), ((3, 40, 50), None)],
)
def test_other_volumes_are_refused(shape: tuple[int, int, int], size: VoxelSize | None) -> None:
    reference = ArrayVolume(np.zeros((10, 100, 120), np.uint8), VoxelSize(50, 5, 5), name="image")
    with pytest.raises(UniemError, match="does not lie over"):
        scale_to(ArrayVolume(np.zeros(shape, np.uint8), size), reference)


def test_a_coarser_volume_is_drawn_at_its_place(canvas: Canvas) -> None:
    fine = ArrayVolume(np.zeros((4, 64, 64), np.uint8), VoxelSize(8, 8, 8))
    array = np.zeros((2, 32, 32), np.uint16)
    array[1, 10, 20] = 5
    coarse = ArrayVolume(array, VoxelSize(16, 16, 16), Kind.LABELS)
    layer = Layer.of(coarse)
    layer.opacity = 1.0
    canvas.show_layers([Layer.of(fine), layer])
    canvas.model.go_to(3)
    for row, column in ((20, 40), (21, 41)):
        assert pixel(canvas.view, row, column) == QColor(*colour_of(5))
    assert pixel(canvas.view, 22, 40).saturation() == 0
    assert canvas.view.item.overlay.label_at(21, 41) == 5
    canvas.model.go_to(1)
    assert canvas.view.item.overlay.label_at(21, 41) == 0


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_colours_are_premultiplied(name: str) -> None:
    table = colour_table(name).view(np.uint8).reshape(-1, 4)
    assert (table[:, :3] <= table[:, 3:]).all()


def test_a_probability_lies_over_its_image_and_layers_are_reordered(
    window: MainWindow, stack: Path, discs: Path
) -> None:
    image = window.workspace.open(stack)
    window.showing.show(image)
    shape = image.noun.shape
    map_ = window.workspace.add(
        ArrayVolume(np.zeros(shape, np.float32), image.noun.voxel_size, Kind.PROBABILITY), "map"
    )
    window.showing.show(map_)
    labels = window.workspace.open(discs, Kind.LABELS)
    window.showing.show(labels)
    assert [layer.volume for layer in window.canvas.model.layers] == [image.noun, map_.noun, labels.noun]
    assert window.showing.image_item is image
    assert window.showing.layer_of(map_).colours == HEAT
    other = window.workspace.add(ArrayVolume(np.ones(shape, np.uint8), image.noun.voxel_size), "other")
    window.showing.add(other)
    assert window.showing.items == (image, other, map_, labels)
    window.showing.show(other)
    assert window.showing.items == (other, map_, labels)
    assert not image.is_visible
    panel = window.canvas.layers_panel
    assert [panel.list.item(i).text() for i in range(3)] == [labels.name, "map", "other"]
    panel.ordered.emit([window.showing.layer_of(item) for item in (map_, other, labels)])
    assert window.showing.items == (map_, other, labels)
    for id, name in (("invert", "is_inverted"), ("contrast-by-section", "is_normalised")):
        window.action_set[id].trigger()
        assert getattr(window.showing.layer_of(other), name)
        window.action_set.refresh()
        assert window.action_set[id].isChecked()
    panel.choose(window.showing.layer_of(other))
    panel.opacity.setValue(40)
    assert window.showing.layer_of(other).opacity == pytest.approx(0.4)
    small = window.workspace.add(ArrayVolume(np.ones((2, 5, 5), np.uint8)), "small")
    told: list[str] = []
    window.showing.told.connect(told.append)
    window.showing.add(small)
    assert "cannot be shown together" in told[-1]
    assert small not in window.showing.items
