"""Going to places and labels, bookmarks, and figures of what is seen."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QApplication

from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError
from uniem.gui.canvas import section_source
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.places.bookmarks import Bookmark, Bookmarks
from uniem.gui.canvas.places.dialogs import JumpDialog
from uniem.gui.canvas.places.figure import FigureRequest
from uniem.gui.canvas.places.place_text import Goal, parse_goal
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, paint

SHAPE, SIZE = (30, 256, 320), VoxelSize(50, 5, 5)


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("12, 30, 40", Goal((12, 30, 40))),
        ("(12 30 40)", Goal((12, 30, 40))),
        ("7", Goal((7, 2, 3))),
        ("500, 100, 55 nm", Goal((10, 20, 11))),
        ("label 4294967295", Goal(label=2**32 - 1)),
        ("#8", Goal(label=8)),
    ],
)
def test_places_are_read(text: str, goal: Goal) -> None:
    assert parse_goal(text, (1, 2, 3), SHAPE, SIZE) == goal


@pytest.mark.parametrize("text", ["", "there", "1, 2", "30", "1, 2, 320", "-1", "nan, 1, 1", "1e400"])
def test_what_is_no_place_is_told(text: str) -> None:
    with pytest.raises(UniemError):
        parse_goal(text, (1, 2, 3), SHAPE, SIZE)


def test_the_dialog_goes_there_and_tells_what_is_wrong(painting_canvas: Canvas) -> None:
    dialog = JumpDialog("", painting_canvas.places.go, painting_canvas)
    dialog.field.setText("99, 1, 1")
    dialog.accept()
    assert "outside" in dialog.problem.text()
    dialog.field.setText("20, 10, 300")
    dialog.accept()
    assert painting_canvas.model.position == (20, 10, 300)
    assert dialog.result() == JumpDialog.DialogCode.Accepted


def test_a_label_is_found(painting_canvas: Canvas, session: ProofreadingSession) -> None:
    edit = paint(session.volume, Stroke(((21, 40, 50), (21, 40, 90), (21, 90, 90)), 3), 77)
    assert edit is not None
    session.apply(edit)
    painting_canvas.places.go("label 77")
    assert (
        session.volume.read(
            Box(painting_canvas.model.position, tuple(p + 1 for p in painting_canvas.model.position))
        )[0, 0, 0]
        == 77
    )
    assert painting_canvas.model.hand.label == 77
    with pytest.raises(UniemError, match="no label 78"):
        painting_canvas.places.go("#78")


def test_a_label_that_is_only_shown_is_looked_for(
    qtbot: QtBot, canvas: Canvas, image: ArrayVolume, tmp_path: Path
) -> None:
    store = create_store(tmp_path / "shown.zarr", (40, 300, 300), np.uint32, SIZE, Kind.LABELS)
    store.write(Box((0, 0, 0), (40, 200, 200)), np.full((40, 200, 200), 3, np.uint32))
    store.write(Box((31, 250, 260), (33, 253, 263)), np.full((2, 3, 3), 2**31 + 5, np.uint32))
    store.build_pyramid()
    canvas.show_volumes(None, store)
    dialog = JumpDialog("", canvas.places.go, canvas)
    dialog.field.setText(f"label {2**31 + 5}")
    with qtbot.waitSignal(dialog.accepted, timeout=20_000):
        dialog.accept()
    assert store.read(Box(canvas.model.position, tuple(p + 1 for p in canvas.model.position))) == 2**31 + 5
    assert canvas.model.hand.label == 2**31 + 5
    dialog.field.setText("#77")
    dialog.accept()
    qtbot.waitUntil(lambda: "no label 77" in dialog.problem.text(), timeout=20_000)
    dialog.accept()
    dialog.reject()
    assert dialog.problem.text() == "Given up." and dialog.field.isEnabled()
    canvas.show_volumes(image)
    with pytest.raises(UniemError, match="No labels"):
        canvas.places.go("#3")


def test_bookmarks_are_kept_as_plain_values() -> None:
    marks = Bookmarks()
    marks.add("a.tif", Bookmark("one", 1, 2, 3, 0.5))
    marks.add("a.tif", Bookmark("two", 4, 5, 6, 2.0))
    marks.rename("a.tif", marks.of("a.tif")[0], "first")
    again = Bookmarks()
    again.take(marks.record())
    assert [mark.name for mark in again.of("a.tif")] == ["first", "two"]
    assert again.of("a.tif")[1].zyx == (4, 5, 6)
    again.remove("a.tif", again.of("a.tif")[0])
    again.remove("a.tif", again.of("a.tif")[0])
    assert again.record() == {}
    for damaged in (None, 3, {"a": 5}, {"a": [{"name": "x"}, 7]}):
        again.take(damaged)
        assert again.of("a") == ()


def test_a_place_is_remembered_and_visited(painting_canvas: Canvas) -> None:
    canvas = painting_canvas
    canvas.places.go("9, 100, 100")
    canvas.view.look_from(3.0, 100, 100)
    canvas.places.remember()
    canvas.places.go("2, 10, 10")
    canvas.view.fit()
    (mark,) = canvas.places.bookmarks.of("image")
    canvas.places.visit(mark)
    assert canvas.model.position == (9, 100, 100)
    assert canvas.view.camera.scale == pytest.approx(3.0)
    canvas.places.show_list()
    assert canvas.places._list is not None
    assert canvas.places._list.list.count() == 1
    canvas.places._list.close()


def test_a_figure_has_the_pixels_of_the_view_at_its_scale(
    qtbot: QtBot, canvas: Canvas, tmp_path: Path
) -> None:
    store = create_store(tmp_path / "image.zarr", (4, 600, 600), np.uint8, SIZE, Kind.IMAGE)
    store[1] = np.tile(np.repeat(np.array([40, 200], np.uint8), 300), (600, 1))
    canvas.show_volumes(store)
    canvas.model.go_to(1)
    canvas.model.contrast = (0, 255)
    path = tmp_path / "figure.png"
    figure = canvas.places.write_figure(FigureRequest(path, scale=3, has_scale_bar=False))
    qtbot.waitUntil(path.exists, timeout=20_000)
    image = QImage(str(path))
    viewport = canvas.view.viewport()
    assert abs(image.width() - 3 * viewport.width()) <= 1
    place = canvas.view.place_of(300, 150) * 3
    assert image.pixelColor(place.toPoint()).red() == pytest.approx(40, abs=2)
    place = canvas.view.place_of(300, 450) * 3
    assert image.pixelColor(place.toPoint()).red() == pytest.approx(200, abs=2)
    assert not list(tmp_path.glob(".figure*"))
    assert figure is not None


def test_a_figure_is_written_although_its_data_comes_faster_than_it_is_put_together(
    qtbot: QtBot, canvas: Canvas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = create_store(tmp_path / "image.zarr", (1, 1200, 1200), np.uint8, SIZE, Kind.IMAGE)
    store[0] = np.random.default_rng(0).integers(1, 255, (1200, 1200), np.uint8)
    canvas.show_volumes(store)
    qtbot.waitUntil(lambda: canvas.view.is_complete and canvas.reader.is_idle())
    monkeypatch.setattr(section_source, "FILL_S", 0.0)
    path = tmp_path / "figure.png"
    figure = canvas.places.write_figure(FigureRequest(path))
    with qtbot.waitSignal(figure.written):
        pass
    assert path.exists()


def test_a_figure_as_svg_has_its_bar_as_shapes(qtbot: QtBot, painting_canvas: Canvas, tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    painting_canvas.places.write_figure(FigureRequest(path, scale=2))
    qtbot.waitUntil(path.exists, timeout=20_000)
    text = path.read_text()
    found = re.search(r"<text[^>]*>([\d.]+) (nm|µm)</text>", text)
    assert found
    nm = float(found[1]) * (1000 if found[2] == "µm" else 1)
    widths = [float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', text)]
    scale = painting_canvas.view.camera.scale * painting_canvas.view.devicePixelRatioF() * 2
    assert widths[1] == pytest.approx(nm / 5 * scale, rel=0.01)
    assert "data:image/png;base64," in text


def test_a_figure_that_cannot_be_written_is_told(
    qtbot: QtBot, canvas: Canvas, image: ArrayVolume, tmp_path: Path
) -> None:
    canvas.show_volumes(image)
    with qtbot.waitSignal(canvas.message) as told:
        canvas.places.write_figure(FigureRequest(tmp_path / "missing" / "figure.png"))
    assert "cannot be written" in told.args[0]
    canvas.places.copy_view()
    assert not QApplication.clipboard().pixmap().isNull()
