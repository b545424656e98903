"""The 3D view on a real screen: right pixels, right picks, pictures, lifecycle."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QEvent, QMimeData, QPoint, QPointF, QSize, Qt, QUrl
from qtpy.QtGui import QColor, QDragEnterEvent, QDropEvent, QImage, QMouseEvent, QWheelEvent
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow

from tests.gui.annotator.shapes import ball, place_of
from uniem.data.mesh import Mesh, write_mesh
from uniem.errors import UniemError
from uniem.gui.annotator.annotator import MeshAnnotator
from uniem.gui.annotator.look import Look
from uniem.gui.annotator.overlay import format_length, round_length

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 40), (40, 60, 230)
LEFT_ZYX, RIGHT_ZYX = (500.0, 500.0, 300.0), (500.0, 500.0, 1300.0)
HUGE_ID = 4_000_000_001


def show(annotator: MeshAnnotator, qtbot: QtBot, *meshes: Mesh, plane: str = "xy") -> None:
    annotator.add_meshes(meshes)
    qtbot.waitUntil(lambda: annotator.view._scene is not None and not annotator.view._builder.waiting)
    annotator.view.look_along(plane)  # type: ignore[arg-type]
    settle(annotator)


def settle(annotator: MeshAnnotator) -> None:
    annotator.view.repaint()
    QApplication.processEvents()


def pixel(annotator: MeshAnnotator, at: QPoint) -> tuple[int, int, int]:
    settle(annotator)
    colour = QColor(annotator.view.grab().toImage().pixel(at))
    return colour.red(), colour.green(), colour.blue()


def is_like(found: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    return bool(np.abs(np.subtract(found, wanted)).max() <= 45)


def red_and_green(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    show(annotator, qtbot, ball(7, LEFT_ZYX, colour=RED), ball(HUGE_ID, RIGHT_ZYX, colour=GREEN))


def test_an_empty_view_says_so_and_loads_no_vtk() -> None:
    program = """
        import sys
        from qtpy.QtWidgets import QApplication
        app = QApplication([])
        from uniem.gui.annotator.annotator import MeshAnnotator
        widget = MeshAnnotator()
        widget.show()
        app.processEvents()
        assert not [name for name in sys.modules if name.startswith("vtk")]
        assert "tensorflow" not in sys.modules
        widget.close()
    """
    run_program(program)


def test_the_first_mesh_has_vtk_loaded_by_a_thread_and_then_appears() -> None:
    program = """
        import time
        from qtpy.QtWidgets import QApplication
        app = QApplication([])
        from tests.gui.annotator.shapes import ball
        from uniem.gui.annotator import loading
        from uniem.gui.annotator.annotator import MeshAnnotator
        widget = MeshAnnotator()
        widget.show()
        app.processEvents()
        widget.add_meshes([ball(7, (500.0, 500.0, 300.0))])
        widget.view.repaint()
        assert widget.view._scene is None
        end = time.monotonic() + 60
        while widget.view._image is None and time.monotonic() < end:
            app.processEvents()
        assert widget.view._image is not None
        assert not loading.is_awaited(widget)
        widget.close()
    """
    run_program(program)


def run_program(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(sys.path), "XDG_RUNTIME_DIR": os.environ.get("HOME", "")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_balls_have_their_colours_at_their_places(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    red_and_green(annotator, qtbot)
    assert is_like(pixel(annotator, place_of(annotator, LEFT_ZYX)), RED)
    assert is_like(pixel(annotator, place_of(annotator, RIGHT_ZYX)), GREEN)
    assert place_of(annotator, LEFT_ZYX).x() < place_of(annotator, RIGHT_ZYX).x()
    base = annotator.view.palette().base().color()
    assert pixel(annotator, annotator.view.rect().center()) == (base.red(), base.green(), base.blue())


@pytest.mark.parametrize(
    ("plane", "axis", "to_the_right"),
    [("xy", 2, True), ("xy", 1, False), ("xz", 2, True), ("xz", 0, False), ("yz", 0, True), ("yz", 1, False)],
)
def test_views_along_the_axes_are_not_mirrored(
    annotator: MeshAnnotator, qtbot: QtBot, plane: str, axis: int, to_the_right: bool
) -> None:
    far = [500.0, 500.0, 500.0]
    far[axis] += 800
    show(annotator, qtbot, ball(1, colour=RED), ball(2, (far[0], far[1], far[2]), colour=GREEN), plane=plane)
    near_at = place_of(annotator, (500.0, 500.0, 500.0))
    far_at = place_of(annotator, (far[0], far[1], far[2]))
    assert is_like(pixel(annotator, far_at), GREEN)
    by = far_at - near_at
    assert by.x() > 50 and abs(by.y()) < 3 if to_the_right else by.y() > 50 and abs(by.x()) < 3


def test_a_click_picks_the_label_and_the_place_on_the_surface(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    red_and_green(annotator, qtbot)
    with qtbot.waitSignal(annotator.object_picked) as picked:
        qtbot.mouseClick(annotator.view, Qt.MouseButton.LeftButton, pos=place_of(annotator, RIGHT_ZYX))
    label, (z, y, x) = picked.args
    assert label == HUGE_ID
    # The xy view looks from below the first section, so it meets the ball where z is least.
    assert (z, y, x) == pytest.approx((300.0, 500.0, 1300.0), abs=6)
    assert annotator.object_panel.selected == (HUGE_ID,)
    rows = annotator.object_panel.table.selectionModel().selectedRows()
    assert [annotator.object_panel.model.label_at(row.row()) for row in rows] == [HUGE_ID]


def test_ctrl_click_adds_and_a_click_on_the_background_clears(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    red_and_green(annotator, qtbot)
    left = Qt.MouseButton.LeftButton
    qtbot.mouseClick(annotator.view, left, pos=place_of(annotator, LEFT_ZYX))
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.mouseClick(annotator.view, left, control, pos=place_of(annotator, RIGHT_ZYX))
    assert set(annotator.object_panel.selected) == {7, HUGE_ID}
    qtbot.mouseClick(annotator.view, left, pos=annotator.view.rect().center())
    assert annotator.object_panel.selected == ()


def test_a_drag_turns_and_neither_picks_nor_moves_the_centre(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    red_and_green(annotator, qtbot)
    before = pixel(annotator, place_of(annotator, LEFT_ZYX))
    at = place_of(annotator, LEFT_ZYX)
    left = Qt.MouseButton.LeftButton
    with qtbot.assertNotEmitted(annotator.object_picked):
        qtbot.mousePress(annotator.view, left, pos=at)
        for step in range(1, 5):
            send_move(annotator, at + QPoint(25 * step, 0))
        qtbot.mouseRelease(annotator.view, left, pos=at + QPoint(100, 0))
    assert is_like(before, RED)
    assert abs(place_of(annotator, LEFT_ZYX).x() - at.x()) > 40
    assert is_like(pixel(annotator, place_of(annotator, RIGHT_ZYX)), GREEN)


def send_move(annotator: MeshAnnotator, to: QPoint) -> None:
    buttons = Qt.MouseButton.LeftButton
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(to), buttons, buttons, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(annotator.view, event)


def test_the_wheel_zooms_at_the_mouse(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    red_and_green(annotator, qtbot)
    at = place_of(annotator, RIGHT_ZYX)
    scene = annotator.view._scene
    assert scene is not None
    before = scene.view.nm_per_pixel(annotator.view.height())
    event = QWheelEvent(
        QPointF(at),
        QPointF(annotator.view.mapToGlobal(at)),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(annotator.view, event)
    assert scene.view.nm_per_pixel(annotator.view.height()) == pytest.approx(before / 1.44)
    assert (place_of(annotator, RIGHT_ZYX) - at).manhattanLength() <= 2


def test_hidden_objects_are_neither_seen_nor_picked(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    behind, before = ball(1, (900.0, 500.0, 500.0), colour=BLUE), ball(2, (300.0, 500.0, 500.0), colour=RED)
    show(annotator, qtbot, behind, before)
    centre = annotator.view.rect().center()
    assert is_like(pixel(annotator, centre), RED)
    annotator.set_visible(2, False)
    assert is_like(pixel(annotator, centre), BLUE)
    with qtbot.waitSignal(annotator.object_picked) as picked:
        qtbot.mouseClick(annotator.view, Qt.MouseButton.LeftButton, pos=centre)
    assert picked.args[0] == 1
    annotator.set_visible(2, True)
    annotator.set_opacity(2, 0.5)
    mixed = pixel(annotator, centre)
    assert mixed[0] > 60 and mixed[2] > 60
    annotator.set_opacity(2, 1.0)
    annotator.set_colour(2, GREEN)
    assert is_like(pixel(annotator, centre), GREEN)
    annotator.remove(2)
    assert is_like(pixel(annotator, centre), BLUE)


def test_a_new_mesh_of_a_label_replaces_the_surface_and_keeps_its_look(
    annotator: MeshAnnotator, qtbot: QtBot
) -> None:
    show(annotator, qtbot, ball(1, radius_nm=100))
    annotator.set_colour(1, GREEN)
    show(annotator, qtbot, ball(1, radius_nm=300))
    assert len(annotator.objects) == 1
    scene = annotator.view._scene
    assert scene is not None
    bounds = scene.bounds()
    assert bounds is not None
    assert bounds[2] == pytest.approx((200, 800), abs=5)
    assert is_like(pixel(annotator, annotator.view.rect().center()), GREEN)


def test_selected_objects_are_outlined_even_behind_others(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    from uniem.gui.annotator.scene import OUTLINE_COLOUR

    front = ball(2, (300.0, 500.0, 500.0), 400, colour=RED)
    show(annotator, qtbot, ball(1, (1200.0, 500.0, 500.0), 200, colour=BLUE), front)
    assert outline_pixels(annotator, OUTLINE_COLOUR) == 0
    annotator.object_panel.select((1,))
    assert outline_pixels(annotator, OUTLINE_COLOUR) > 300
    annotator.set_visible(1, False)
    assert outline_pixels(annotator, OUTLINE_COLOUR) == 0


def outline_pixels(annotator: MeshAnnotator, colour: tuple[int, int, int]) -> int:
    settle(annotator)
    pixels = array_of(annotator.view.grab().toImage())
    return int((pixels[:, :, :3] == colour).all(axis=2).sum())


def array_of(image: QImage) -> NDArray[np.uint8]:
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    return np.frombuffer(bits, np.uint8).reshape(image.height(), image.width(), 4).copy()


@pytest.mark.parametrize("transparent", [True, False])
def test_a_picture_has_the_size_and_the_background_asked_for(
    annotator: MeshAnnotator, qtbot: QtBot, tmp_path: Path, transparent: bool
) -> None:
    show(annotator, qtbot, ball(1, colour=RED))
    annotator.look_panel.set_look(Look(background="white", box=False))
    path = tmp_path / "ball.png"
    annotator.take_picture(path, QSize(1731, 1207), transparent, with_scale_bar=False)
    assert [file.name for file in tmp_path.iterdir()] == ["ball.png"]
    pixels = array_of(QImage(str(path)))
    assert pixels.shape == (1207, 1731, 4)
    assert is_like(tuple(pixels[603, 865, :3]), RED) and pixels[603, 865, 3] == 255
    assert pixels[5, 5, 3] == (0 if transparent else 255)
    if not transparent:
        assert tuple(pixels[5, 5, :3]) == (255, 255, 255)
    # The view is as it was.
    assert pixel(annotator, QPoint(3, 3)) == (255, 255, 255)
    assert is_like(pixel(annotator, annotator.view.rect().center()), RED)


def test_a_picture_of_nothing_or_to_nowhere_is_refused(
    annotator: MeshAnnotator, qtbot: QtBot, tmp_path: Path
) -> None:
    with pytest.raises(UniemError, match="nothing to picture"):
        annotator.take_picture(tmp_path / "a.png", QSize(100, 100))
    show(annotator, qtbot, ball(1))
    (tmp_path / "file").write_text("")
    with pytest.raises(UniemError, match="Cannot write"):
        annotator.take_picture(tmp_path / "file" / "a.png", QSize(100, 100))


def test_the_scale_bar_has_the_length_it_names(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    show(annotator, qtbot, ball(1, colour=RED))
    annotator.look_panel.set_look(Look(background="black", box=False, axes=False))
    settle(annotator)
    pixels = array_of(annotator.view.grab().toImage())
    row = pixels[-16, :, :3]
    white = np.flatnonzero((row == 255).all(axis=1))
    scene = annotator.view._scene
    assert scene is not None
    nm = scene.view.nm_per_pixel(annotator.view.height())
    length = round_length(min(annotator.view.width() / 4, 220) * nm)
    assert len(white) * nm == pytest.approx(length, abs=2 * nm)


@pytest.mark.parametrize(
    ("nm", "text"),
    [(5, "5 nm"), (500, "500 nm"), (1000, "1 µm"), (20_000, "20 µm"), (5e6, "5 mm"), (-30, "-30 nm")],
)
def test_lengths_are_written_in_fitting_units(nm: float, text: str) -> None:
    assert format_length(nm) == text


@pytest.mark.parametrize(
    ("most", "length"), [(1, 1), (1.9, 1), (2, 2), (7, 5), (999, 500), (1000, 1000), (0.3, 0.2)]
)
def test_round_lengths_are_1_2_or_5(most: float, length: float) -> None:
    assert round_length(most) == pytest.approx(length)


def test_keys_of_the_view_work_where_the_mouse_is(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    red_and_green(annotator, qtbot)
    annotator.object_panel.select((7,))
    annotator.view.setFocus()
    qtbot.keyClick(annotator.view, Qt.Key.Key_I)
    assert [item.label for item in annotator.objects if item.visible] == [7]
    qtbot.keyClick(annotator.view, Qt.Key.Key_H, Qt.KeyboardModifier.ShiftModifier)
    assert all(item.visible for item in annotator.objects)
    qtbot.keyClick(annotator.view, Qt.Key.Key_H)
    assert not annotator.objects[7].visible
    qtbot.keyClick(annotator.view, Qt.Key.Key_B)
    assert not annotator.look_panel.look.box
    qtbot.keyClick(annotator.view, Qt.Key.Key_2)
    scene = annotator.view._scene
    assert scene is not None
    assert scene.view.axes()[2] == pytest.approx((0, -1, 0))


def test_perspective_keeps_the_size_of_what_is_at_the_centre(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    show(annotator, qtbot, ball(1))
    scene = annotator.view._scene
    assert scene is not None
    before = scene.view.nm_per_pixel(600)
    annotator.look_panel.set_look(Look(perspective=True))
    assert scene.view.nm_per_pixel(600) == pytest.approx(before)
    annotator.look_panel.set_look(Look(perspective=False))
    assert scene.view.nm_per_pixel(600) == pytest.approx(before)


def test_many_triangles_are_drawn_coarsely_only_while_moving(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    show(annotator, qtbot, ball(1, colour=RED, rings=240))
    scene = annotator.view._scene
    assert scene is not None
    assert scene.triangles_shown() > 200_000
    still = scene.frame(300, 300, moving=False)
    moving = scene.frame(300, 300, moving=True)
    assert scene._crowd_renderer.GetDraw()
    (actor,) = scene._crowd._actors[True]
    assert actor.GetMapper().GetInput().GetNumberOfCells() < 5_000
    assert is_like(tuple(still[150, 150, :3]), RED) and is_like(tuple(moving[150, 150, :3]), RED)
    # The coarse ball covers nearly the same pixels.
    red_still, red_moving = (image[:, :, 0].astype(int) - image[:, :, 2] > 30 for image in (still, moving))
    assert (red_still ^ red_moving).sum() < 0.05 * red_still.sum()
    assert not scene.frame(300, 300, moving=False)[150, 150, 2] > 90
    assert scene._renderer.GetDraw()


def test_a_crowd_looks_like_its_members_and_follows_their_changes(
    annotator: MeshAnnotator, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    import uniem.gui.annotator.scene as scene_module

    red_and_green(annotator, qtbot)
    single = array_of(annotator.view.grab().toImage()).astype(int)
    monkeypatch.setattr(scene_module, "CROWD_FROM", 1)
    annotator.view.refresh()
    settle(annotator)
    crowd = array_of(annotator.view.grab().toImage()).astype(int)
    assert np.abs(crowd - single).max() <= 3
    annotator.set_colour(7, BLUE)
    assert is_like(pixel(annotator, place_of(annotator, LEFT_ZYX)), BLUE)
    annotator.set_opacity(7, 0.0)
    assert sum(pixel(annotator, place_of(annotator, LEFT_ZYX))) in (0, sum((26, 28, 32)), 765)
    annotator.set_opacity(7, 1.0)
    annotator.add_meshes([ball(9, (500.0, 500.0, 800.0), 50)])
    qtbot.waitUntil(lambda: not annotator.view._builder.waiting)
    annotator.set_visible(7, False)
    with qtbot.assertNotEmitted(annotator.object_picked):
        qtbot.mouseClick(annotator.view, Qt.MouseButton.LeftButton, pos=place_of(annotator, LEFT_ZYX))
    with qtbot.waitSignal(annotator.object_picked) as picked:
        qtbot.mouseClick(annotator.view, Qt.MouseButton.LeftButton, pos=place_of(annotator, RIGHT_ZYX))
    assert picked.args[0] == HUGE_ID


def test_dropped_mesh_files_are_shown_with_free_labels(
    annotator: MeshAnnotator, qtbot: QtBot, tmp_path: Path
) -> None:
    write_mesh(ball(0, colour=GREEN), tmp_path / "cell.ply")
    write_mesh(ball(1, (500.0, 500.0, 2000.0)), tmp_path / "other.ply")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in sorted(tmp_path.iterdir())])
    none = Qt.KeyboardModifier.NoModifier
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(QPoint(50, 50), copy, data, left, none)
    QApplication.sendEvent(annotator, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(annotator, QDropEvent(QPointF(50, 50), copy, data, left, none))
    assert sorted(item.label for item in annotator.objects) == [1, 2]
    assert annotator.objects[2].colour == GREEN


def test_a_dock_floats_hides_closes_and_comes_back(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    annotator = MeshAnnotator()
    dock = QDockWidget("3D", window)
    dock.setWidget(annotator)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    window.resize(900, 600)
    with qtbot.waitExposed(window):
        window.show()
    show(annotator, qtbot, ball(1, colour=RED))
    for change in (
        lambda: dock.setFloating(True),
        lambda: dock.setFloating(False),
        dock.hide,
        dock.show,
        dock.close,
        dock.show,
        annotator.view.close_scene,
    ):
        change()
        QApplication.processEvents()
    qtbot.waitUntil(lambda: annotator.view._scene is not None and not annotator.view._builder.waiting)
    assert is_like(pixel(annotator, annotator.view.rect().center()), RED)
    dock.deleteLater()
    QApplication.processEvents()
    window.close()


@pytest.mark.parametrize("ending", ["widget.close()", "app.quit()", "widget.deleteLater()", "pass"])
def test_the_process_ends_cleanly(ending: str) -> None:
    run_program(
        f"""
        import time
        from qtpy.QtCore import QTimer
        from qtpy.QtWidgets import QApplication
        app = QApplication([])
        from tests.gui.annotator.shapes import ball
        from uniem.gui.annotator.annotator import MeshAnnotator
        widget = MeshAnnotator()
        widget.show()
        widget.add_meshes([ball(1)])
        deadline = time.monotonic() + 30
        while widget.view._scene is None and time.monotonic() < deadline:
            app.processEvents()
        assert widget.view._scene is not None
        {ending}
        QTimer.singleShot(50, app.quit)
        app.exec_()
        """
    )


def test_without_opengl_the_tables_still_work(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import uniem.gui.annotator.view as view_module

    monkeypatch.setattr(view_module, "reason_against_3d", lambda: "This screen has no OpenGL.")
    annotator = MeshAnnotator()
    qtbot.addWidget(annotator)
    annotator.show()
    annotator.add_meshes([ball(1), ball(2)])
    settle(annotator)
    annotator.centre_on(1)
    annotator.view.reset()
    qtbot.mouseClick(annotator.view, Qt.MouseButton.LeftButton)
    assert annotator.object_panel.export_csv(tmp_path / "objects.csv") == 2
    with pytest.raises(UniemError, match="no 3D view"):
        annotator.take_picture(tmp_path / "a.png", QSize(50, 50))
