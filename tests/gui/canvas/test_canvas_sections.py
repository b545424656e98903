"""Reading sections in the background: what shows meanwhile, the budget, edits, and large sections."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPointF, Qt
from qtpy.QtTest import QTest

from tests.gui.canvas.conftest import VOXEL_SIZE, place
from uniem.data.geometry import Box
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind, Volume
from uniem.errors import UniemError
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.sections import SectionReader
from uniem.proofreading.session import ProofreadingSession


class SlowVolume(Volume):
    """Sections that arrive when the test says so; the section's number is its gray value."""

    def __init__(self, depth: int = 20, size: int = 64) -> None:
        super().__init__((depth, size, size), np.uint8, VOXEL_SIZE, Kind.IMAGE)
        self.gate = threading.Semaphore(0)
        self.read_sections: list[int] = []

    def read(self, box: Box) -> NDArray[Any]:
        assert threading.current_thread() is not threading.main_thread()
        self.gate.acquire()
        self.read_sections.append(box.start[0])
        if box.start[0] == 13:
            raise UniemError("Section 13 is damaged.", "Copy it again.")
        return np.full(box.shape, box.start[0], np.uint8)


def test_the_window_does_not_wait_and_stale_wishes_are_dropped(qtbot: QtBot, canvas: Canvas) -> None:
    volume = SlowVolume()
    canvas.show_volumes(volume)
    volume.gate.release()
    qtbot.waitUntil(lambda: canvas.view.image_section is not None)

    for z in range(1, 10):
        canvas.model.go_to(z)
    assert canvas.view.image_section is not None
    assert canvas.view.image_section.z == 0
    for _ in range(10):
        volume.gate.release()
    qtbot.waitUntil(lambda: canvas.view.image_section is not None and canvas.view.image_section.z == 9)
    assert len(volume.read_sections) <= 3
    assert canvas.view.item.value_at(3, 3) == 9


def test_a_section_that_cannot_be_read_is_told_once(qtbot: QtBot, canvas: Canvas) -> None:
    volume = SlowVolume()
    for _ in range(10):
        volume.gate.release()
    canvas.show_volumes(volume)
    with qtbot.waitSignal(canvas.message) as told:
        canvas.model.go_to(13)
    assert "damaged" in told.args[0]
    canvas.view.reload()
    qtbot.waitUntil(canvas.reader.is_idle)
    assert volume.read_sections.count(13) == 1
    canvas.model.go_to(14)
    qtbot.waitUntil(lambda: canvas.view.item.value_at(0, 0) == 14)


def test_sections_are_kept_within_the_budget(qtbot: QtBot, tmp_path: Path) -> None:
    volume = create_store(tmp_path / "image.zarr", (12, 256, 256), np.uint8, None, Kind.IMAGE)
    for z in range(12):
        volume[z] = np.full((256, 256), z, np.uint8)
    reader = SectionReader(budget_bytes=4 * 256 * 256)
    try:
        for z in range(12):
            qtbot.waitUntil(lambda z=z: reader.section(volume, z) is not None)
            found = reader.section(volume, z)
            assert found is not None
            assert (found.array == z).all()
        assert reader._kept_bytes == sum(array.nbytes for array in reader._kept.values()) <= 4 * 256 * 256
    finally:
        reader.close()


def test_a_coarse_picture_comes_first(qtbot: QtBot, tmp_path: Path) -> None:
    volume = create_store(tmp_path / "image.zarr", (2, 2048, 2048), np.uint8, None, Kind.IMAGE)
    volume[0] = np.tile(np.repeat(np.arange(16, dtype=np.uint8), 128), (2048, 1))
    volume.build_pyramid()
    reader = SectionReader()
    factors: list[float] = []

    def note() -> None:
        section = reader.section(volume, 0)
        assert section is not None
        assert section.array.shape[1] * section.factor == 2048
        assert section.array[0, int(300 / section.factor)] == 2
        factors.append(section.factor)

    reader.arrived.connect(note)
    try:
        assert reader.section(volume, 0) is None
        qtbot.waitUntil(lambda: 1.0 in factors)
        assert factors == [4.0, 1.0]
        coarse = SectionReader()
        qtbot.waitUntil(lambda: coarse.section(volume, 0, coarseness=4.5) is not None)
        qtbot.waitUntil(coarse.is_idle)
        assert {key[1] for key in coarse._kept} == {2}
        coarse.close()
    finally:
        reader.close()


def test_painting_on_a_large_section_of_a_store(qtbot: QtBot, canvas: Canvas, tmp_path: Path) -> None:
    create_store(tmp_path / "labels.zarr", (2, 4096, 4096), np.uint32, VOXEL_SIZE, Kind.LABELS)
    image = ArrayVolume(np.random.default_rng(0).integers(0, 255, (2, 4096, 4096), np.uint8), VOXEL_SIZE)
    session = ProofreadingSession.open(tmp_path / "labels.zarr", "tester")
    try:
        canvas.edit_labels(image, session)
        overlay = canvas.view.item.overlay
        qtbot.waitUntil(lambda: overlay.section is not None)
        canvas.run("brush")
        canvas.model.hand.brush_px, canvas.model.hand.label = 401, 5
        QTest.mouseClick(
            canvas.view.viewport(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            place(canvas, 2000, 2100),
        )
        y, x = canvas.view.voxel_under(QPointF(place(canvas, 2000, 2100)))
        rows, columns = np.ogrid[:4096, :4096]
        expected = (rows - y) ** 2 + (columns - x) ** 2 <= 200.5**2
        np.testing.assert_array_equal(session.volume[0] == 5, expected)
        assert overlay.label_at(y, x) == 5
        canvas.painting.undo()
        assert not session.volume[0].any()
        assert overlay.label_at(y, x) == 0
    finally:
        canvas.show_volumes(None)
        session.close()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.int32])
def test_images_of_any_type_are_drawn_with_their_own_contrast(canvas: Canvas, dtype: type) -> None:
    ramp = np.tile(np.linspace(0, 200, 256), (128, 1))
    scale = 1 if dtype == np.uint8 else 20
    canvas.show_volumes(ArrayVolume((ramp * scale).astype(dtype)[None]))
    assert canvas.model.display.low == pytest.approx(0, abs=0.02 * 200 * scale)
    assert canvas.model.display.high == pytest.approx(200 * scale, rel=0.02)
    grabbed = canvas.view.viewport().grab().toImage()
    left, middle, right = (grabbed.pixelColor(place(canvas, 64, x)).red() for x in (3, 128, 252))
    assert left < 15
    assert 115 < middle < 140
    assert right > 240
    canvas.model.display.high = 100 * scale
    grabbed = canvas.view.viewport().grab().toImage()
    assert grabbed.pixelColor(place(canvas, 64, 140)).red() == 255


def test_real_sections_are_shown_with_their_labels(qtbot: QtBot, canvas: Canvas, shared_data: Path) -> None:
    import tifffile

    raw = ArrayVolume(tifffile.imread(shared_data / "vnc_raw.tif"), VOXEL_SIZE)
    mitochondria = tifffile.imread(shared_data / "vnc_mito.tif")
    canvas.show_volumes(raw, ArrayVolume(mitochondria, VOXEL_SIZE, Kind.LABELS))
    canvas.model.go_to(5)
    y, x = np.argwhere(mitochondria[5])[1000]
    assert canvas.view.item.overlay.label_at(int(y), int(x)) == 1
    coloured = canvas.view.viewport().grab().toImage().pixelColor(place(canvas, int(y), int(x)))
    assert coloured.saturation() > 60
