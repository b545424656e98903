"""Reading sections in the background: what shows meanwhile, the budget, edits, and large sections."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPointF, Qt
from qtpy.QtTest import QTest

from tests.gui.canvas.conftest import VOXEL_SIZE, place
from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind, Volume
from uniem.errors import UniemError
from uniem.gui.canvas import block_reader
from uniem.gui.canvas.block_cache import BlockKey
from uniem.gui.canvas.block_reader import THREADS, BlockReader, Request
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.planes import VIEW_AXES
from uniem.gui.canvas.section_source import SectionSource
from uniem.gui.canvas.sections import Section, Window
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, paint
from uniem.proofreading.tools.plane import Plane


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
    assert canvas.view.image_section.position == 0
    volume.gate.release(100)
    qtbot.waitUntil(lambda: canvas.view.image_section is not None and canvas.view.image_section.position == 9)
    assert len(set(volume.read_sections) & set(range(1, 9))) <= THREADS
    assert canvas.view.image_section.value_at(3, 3) == 9


def test_a_section_that_cannot_be_read_is_told_once(qtbot: QtBot, canvas: Canvas) -> None:
    volume = SlowVolume()
    volume.gate.release(100)
    canvas.show_volumes(volume)
    with qtbot.waitSignal(canvas.message) as told:
        canvas.model.go_to(13)
    assert "damaged" in told.args[0]
    canvas.view.reload()
    qtbot.waitUntil(canvas.reader.is_idle)
    assert volume.read_sections.count(13) == 1
    canvas.model.go_to(14)
    qtbot.waitUntil(lambda: shown_value(canvas) == 14)


def shown_value(canvas: Canvas) -> float | None:
    section = canvas.view.image_section
    return float(section.value_at(0, 0)) if section is not None else None


def look(
    source: SectionSource, z: int, size: int, coarseness: float = 1.0, direction: int = 0
) -> Section | None:
    window = Window(z, (0, size), (0, size), (coarseness, coarseness), direction)
    return source.show(window)[0]


@pytest.fixture
def reader() -> Iterator[BlockReader]:
    opened = BlockReader(64 << 20)
    yield opened
    opened.close()


def test_blocks_are_kept_within_the_budget(qtbot: QtBot, tmp_path: Path) -> None:
    volume = create_store(tmp_path / "image.zarr", (64, 256, 256), np.uint8, None, Kind.IMAGE)
    volume.write(
        Box.of_shape(volume.shape), np.repeat(np.arange(64, dtype=np.uint8), 256 * 256).reshape(64, 256, 256)
    )
    reader = BlockReader(budget_bytes=4 * 8 * 256 * 256)
    source = SectionSource(reader, VIEW_AXES[Plane.XY], volume)
    try:
        for z in [*range(64), *range(63, -1, -1)]:
            qtbot.waitUntil(lambda z=z: look(source, z, 256) is not None and source.is_complete)
            found = look(source, z, 256)
            assert found is not None
            assert found.position == z
            assert (found.array == z).all()
            assert reader.cache.used_bytes <= 4 * 8 * 256 * 256
    finally:
        reader.close()


def test_who_listens_late_misses_nothing(qtbot: QtBot, reader: BlockReader) -> None:
    volume, told = SlowVolume(), list[bool]()
    volume.gate.release(2)
    reader.levels(volume)
    first, second = (BlockKey(id(volume), 0, (z, 0, 0)) for z in range(2))
    reader.want("early", [Request(0.0, first)])
    # No event is handled meanwhile, so that the first arrival is not told yet.
    while not reader._arrival_is_told:
        time.sleep(0.001)
    reader.listen(lambda: told.append(reader.cache.is_fresh(second)))
    reader.want("late", [Request(0.0, second)])
    while not reader.cache.is_fresh(second):
        time.sleep(0.001)
    qtbot.waitUntil(lambda: any(told))


def test_a_coarse_picture_comes_first(
    qtbot: QtBot, reader: BlockReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several threads begin with the coarse and with the sharp blocks at once.
    monkeypatch.setattr(block_reader, "THREADS", 1)
    volume = create_store(tmp_path / "image.zarr", (2, 2048, 2048), np.uint8, None, Kind.IMAGE)
    volume[0] = np.tile(np.repeat(np.arange(1, 17, dtype=np.uint8), 128), (2048, 1))
    volume.build_pyramid()
    source = SectionSource(reader, VIEW_AXES[Plane.XY], volume)
    levels: list[set[int]] = []

    def note() -> None:
        section = look(source, 0, 2048)
        if section is not None:
            assert section.value_at(500, 300) == 3
            levels.append({key.level for key in reader.cache.keys_of(id(volume))})

    reader.arrived.connect(note)
    assert look(source, 0, 2048) is None
    qtbot.waitUntil(lambda: look(source, 0, 2048) is not None and source.is_complete)
    assert 2 in levels[0]
    section = look(source, 0, 2048)
    assert section is not None
    assert section.is_full
    np.testing.assert_array_equal(section.array, volume[0])


def test_a_coarse_level_is_enough_for_a_coarse_screen(
    qtbot: QtBot, reader: BlockReader, tmp_path: Path
) -> None:
    volume = create_store(tmp_path / "image.zarr", (2, 2048, 2048), np.uint8, None, Kind.IMAGE)
    volume[0] = np.random.default_rng(0).integers(1, 255, (2048, 2048), np.uint8)
    volume.build_pyramid()
    source = SectionSource(reader, VIEW_AXES[Plane.XY], volume)
    qtbot.waitUntil(lambda: look(source, 0, 2048, coarseness=4.5) is not None and source.is_complete)
    section = look(source, 0, 2048, coarseness=4.5)
    assert section is not None
    assert section.factors == (4, 4)
    assert {key.level for key in reader.cache.keys_of(id(volume))} == {2}
    np.testing.assert_array_equal(section.array, volume.levels[2][0])


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize("coarseness", [1.0, 2.3])
def test_every_plane_shows_its_voxels(
    qtbot: QtBot, reader: BlockReader, tmp_path: Path, plane: Plane, coarseness: float
) -> None:
    array = np.random.default_rng(3).integers(1, 255, (40, 1100, 1300), np.uint8)
    volume = create_store(tmp_path / "image.zarr", array.shape, np.uint8, VoxelSize(8, 8, 8), Kind.IMAGE)
    volume.write(Box.of_shape(array.shape), array)
    volume.build_pyramid()
    axes = VIEW_AXES[plane]
    source = SectionSource(reader, axes, volume)
    height, width = axes.shape(array.shape)
    window = Window(21, (0.3 * height, 0.9 * height), (0.2 * width, 0.7 * width), (coarseness, coarseness))
    qtbot.waitUntil(lambda: source.show(window)[0] is not None and source.is_complete)
    section, _ = source.show(window)
    assert section is not None
    level = volume.levels[0 if coarseness < 2 else 1]
    step = round(section.factors[0])
    assert step == (1 if coarseness < 2 else 2)
    whole = axes.section_of(level.read(Box.of_shape(level.shape)), 21 // step)
    rows, columns = section.origin
    shown = whole[rows : rows + section.array.shape[0], columns : columns + section.array.shape[1]]
    first, last = int(0.3 * height / step) - rows, int(0.9 * height / step) - rows
    left, right = int(0.2 * width / step) - columns, int(0.7 * width / step) - columns
    np.testing.assert_array_equal(section.array[first:last, left:right], shown[first:last, left:right])


def test_sections_ahead_are_read_and_stale_wishes_are_not(
    qtbot: QtBot, reader: BlockReader, tmp_path: Path
) -> None:
    volume = create_store(tmp_path / "image.zarr", (40, 256, 256), np.uint8, None, Kind.IMAGE)
    volume.write(Box.of_shape(volume.shape), np.full(volume.shape, 9, np.uint8))
    source = SectionSource(reader, VIEW_AXES[Plane.XY], volume)
    qtbot.waitUntil(lambda: look(source, 5, 256, direction=1) is not None and reader.is_idle())
    assert {key.block[0] for key in reader.cache.keys_of(id(volume))} == {0, 1}
    source.stop()
    assert reader.is_idle()


def test_an_edit_reaches_every_level(qtbot: QtBot, reader: BlockReader, tmp_path: Path) -> None:
    store = create_store(tmp_path / "labels.zarr", (4, 1200, 1200), np.uint32, None, Kind.LABELS)
    store[1] = np.full((1200, 1200), 4, np.uint32)
    store.build_pyramid()
    session = ProofreadingSession.open(tmp_path / "labels.zarr", "tester")
    try:
        fine = SectionSource(reader, VIEW_AXES[Plane.XY], session.volume)
        coarse = SectionSource(reader, VIEW_AXES[Plane.XY], session.volume)
        qtbot.waitUntil(lambda: look(fine, 1, 1200) is not None and fine.is_complete)
        qtbot.waitUntil(lambda: look(coarse, 1, 1200, 2.0) is not None and coarse.is_complete)
        edit = paint(session.volume, Stroke(((1, 600, 500), (1, 620, 700)), 30), 2**32 - 1)
        assert edit is not None
        session.apply(edit)
        for source in (fine, coarse):
            reader.refresh(session.volume, [edit.box])
            source.refresh([edit.box])
        section = look(fine, 1, 1200)
        assert section is not None
        np.testing.assert_array_equal(section.array, session.volume[1])
        at_once = look(coarse, 1, 1200, 2.0)
        assert at_once is not None
        assert at_once.factors == (2, 2)
        assert at_once.value_at(600, 600) == 2**32 - 1
        qtbot.waitUntil(lambda: look(coarse, 1, 1200, 2.0) is not None and coarse.is_complete)
        exact = look(coarse, 1, 1200, 2.0)
        assert exact is not None
        np.testing.assert_array_equal(exact.array, session.volume.levels[1][1])
    finally:
        reader.forget([])
        session.close()


@pytest.mark.parametrize("coarseness", [1.0, 2.0])
def test_blocks_read_before_an_edit_do_not_hide_it(
    qtbot: QtBot, reader: BlockReader, tmp_path: Path, coarseness: float
) -> None:
    store = create_store(tmp_path / "labels.zarr", (2, 1200, 1200), np.uint32, None, Kind.LABELS)
    store[1] = np.full((1200, 1200), 4, np.uint32)
    store.build_pyramid()
    session = ProofreadingSession.open(tmp_path / "labels.zarr", "tester")
    try:
        source = SectionSource(reader, VIEW_AXES[Plane.XY], session.volume)
        look(source, 1, 1200, coarseness)
        qtbot.waitUntil(reader.is_idle)
        edit = paint(session.volume, Stroke(((1, 600, 500), (1, 620, 700)), 30), 9)
        assert edit is not None
        session.apply(edit)
        reader.refresh(session.volume, [edit.box])
        source.refresh([edit.box])
        # All blocks are there, but none has been looked at since it was read.
        section = look(source, 1, 1200, coarseness)
        assert section is not None
        assert section.value_at(610, 600) == 9
        # Nor does what is borrowed for another zoom hide it.
        other = look(source, 1, 1200, 3 - coarseness)
        assert other is not None
        assert other.value_at(610, 600) == 9
    finally:
        reader.forget([])
        session.close()


def test_labels_without_a_pyramid_get_coarser_levels(
    qtbot: QtBot, reader: BlockReader, tmp_path: Path
) -> None:
    store = create_store(tmp_path / "labels.zarr", (1, 5000, 3000), np.uint32, None, Kind.LABELS)
    store.write(Box((0, 1000, 800), (1, 2000, 1800)), np.full((1, 1000, 1000), 70_000, np.uint32))
    source = SectionSource(reader, VIEW_AXES[Plane.XY], store)
    qtbot.waitUntil(lambda: look(source, 0, 5000, 5.0) is not None and source.is_complete)
    section = look(source, 0, 5000, 5.0)
    assert section is not None
    assert section.factors == (4, 4)
    np.testing.assert_array_equal(section.array, store[0][::4, ::4])


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
    assert canvas.model.contrast[0] == pytest.approx(0, abs=0.02 * 200 * scale)
    assert canvas.model.contrast[1] == pytest.approx(200 * scale, rel=0.02)
    grabbed = canvas.view.viewport().grab().toImage()
    left, middle, right = (grabbed.pixelColor(place(canvas, 64, x)).red() for x in (3, 128, 252))
    assert left < 15
    assert 115 < middle < 140
    assert right > 240
    canvas.model.contrast = (canvas.model.contrast[0], 100 * scale)
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
