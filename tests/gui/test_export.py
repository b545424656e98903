"""The export dialog: real widgets, a real queue, and files read back by their own libraries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from tests.gui.test_window import paint
from uniem.data.geometry import Box
from uniem.gui.export.dialog import ExportDialog
from uniem.gui.export.options import SELECTED, VISIBLE
from uniem.gui.export.plan import bytes_in_words, forms, ids_in_words, with_ending
from uniem.gui.main_window import MainWindow
from uniem.jobs.events import Ending
from uniem.proofreading.tools.fields import hide, recolour

Answer = Callable[[str], list[str]]
SECTIONS, TIFF, HDF5, NPY = range(4)


def dialog_on(window: MainWindow, qtbot: Any, path: Path) -> ExportDialog:
    """Open a file, and by the menu the dialog for it."""
    window.opening.open([str(path)])
    qtbot.waitUntil(lambda: window.workspace.at(path) is not None)
    window.data.select(window.workspace.at(path))
    window.action_set["export"].trigger()
    dialog = window.items.dialog
    assert dialog is not None and dialog.isVisible()
    return dialog


def export(dialog: ExportDialog, place: Path, qtbot: Any) -> None:
    """Type a place, press Export, and wait for the job."""
    dialog.place.clear()
    qtbot.keyClicks(dialog.place, str(place))
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    assert dialog.job is not None, dialog.problem.text()
    qtbot.waitUntil(lambda: dialog.job.status.ending is not None, timeout=60_000)
    assert dialog.job.status.ending is Ending.FINISHED, dialog.job.status.error


def test_sections_are_exported_as_the_summary_says(
    window: MainWindow, stack: Path, tmp_path: Path, qtbot: Any
) -> None:
    dialog = dialog_on(window, qtbot, stack)
    dialog.form_choice.setCurrentIndex(SECTIONS)
    dialog.options.options["sections"].set_values({"prefix": "em_", "first_number": 9, "digits": 2})
    dialog.show_summary()
    assert dialog.summary.text() == (
        "Makes 6 sections of 96 × 96, 8-bit, about 55.3 kB before compression, named em_09.png … em_14.png, "
        "voxels of 40 × 4 × 4 nm."
    )
    export(dialog, tmp_path / "out" / "em", qtbot)
    assert [path.name for path in sorted((tmp_path / "out" / "em").glob("*.png"))] == [
        f"em_{number:02d}.png" for number in range(9, 15)
    ]
    found = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "out" / "em").glob("*.png"))]
    np.testing.assert_array_equal(found, tifffile.imread(stack))
    assert dialog.reveal.isVisible() and "Done" in dialog.progress.words.text()
    qtbot.waitUntil(lambda: "Exported to" in window.message.text)


@pytest.mark.parametrize(
    ("ending", "bits"), [(".mrc", "16-bit"), (".mojo", "32-bit"), (".nii", "16-bit"), (".npy", "16-bit")]
)
def test_the_summary_says_what_the_format_makes_of_labels(
    window: MainWindow, discs: Path, qtbot: Any, ending: str, bits: str
) -> None:
    dialog = dialog_on(window, qtbot, discs)
    dialog.form_choice.setCurrentIndex([form.ending for form in forms()].index(ending))
    dialog.show_summary()
    voxel_bytes = int(bits.split("-")[0]) // 8
    assert f"96 × 96, {bits}, about {bytes_in_words(6 * 96 * 96 * voxel_bytes)}" in dialog.summary.text()


def test_images_of_8_bits_become_16_in_mrc_and_stay_8_in_a_dojo_folder(
    window: MainWindow, stack: Path, qtbot: Any
) -> None:
    dialog = dialog_on(window, qtbot, stack)
    for ending, bits in ((".mrc", "16-bit"), (".mojo", "8-bit")):
        dialog.form_choice.setCurrentIndex([form.ending for form in forms()].index(ending))
        dialog.show_summary()
        assert f"96 × 96, {bits}, " in dialog.summary.text()


def test_a_part_with_the_contrast_on_screen(
    window: MainWindow, stack: Path, tmp_path: Path, qtbot: Any
) -> None:
    dialog = dialog_on(window, qtbot, stack)
    dialog.form_choice.setCurrentIndex(TIFF)
    qtbot.waitUntil(lambda: window.canvas.view.image_section is not None)
    window.action_set["auto-contrast"].trigger()
    options = dialog.options
    qtbot.mouseClick(options.from_screen, Qt.MouseButton.LeftButton)
    options.part.open()
    qtbot.mouseClick(options.from_view, Qt.MouseButton.LeftButton)
    assert options.region.values()["row_count"] == 96
    options.region.set_values({"first_section": 1, "section_count": 2, "first_row": 10, "row_count": 40})
    export(dialog, tmp_path / "part.tif", qtbot)
    source = tifffile.imread(stack)[1:3, 10:50].astype(float)
    low, high = options.greys.values()["low"], options.greys.values()["high"]
    assert source.min() - 30 < low < high < source.max() + 30
    expected = np.rint(np.clip((source - low) * 255 / (high - low), 0, 255))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "part.tif"), expected)


def test_unsaved_edits_are_in_what_is_exported(
    window: MainWindow, discs: Path, stack: Path, tmp_path: Path, qtbot: Any
) -> None:
    window.opening.open([str(stack)])
    qtbot.waitUntil(lambda: window.canvas.view.image_section is not None)
    window.action_set["new-labels"].trigger()
    qtbot.waitUntil(lambda: window.sessions.session.objects.is_counted)
    window.canvas.model.hand.set_brush(6)
    paint(window, qtbot, (40, 40), (40, 60))
    session = window.sessions.session
    session.apply(recolour(session.objects, [1], (200, 100, 50)))
    window.data.select(window.sessions.item)
    window.action_set["export"].trigger()
    dialog = window.items.dialog
    dialog.form_choice.setCurrentIndex(NPY)
    export(dialog, tmp_path / "edited.npy", qtbot)
    assert window.sessions.unsaved == 0
    array = np.load(tmp_path / "edited.npy")
    np.testing.assert_array_equal(array, session.volume.read(Box.of_shape(session.volume.shape)))
    assert (array == 1).sum() > 100
    # In colour: as on the canvas, with the user's own.
    dialog.form_choice.setCurrentIndex(TIFF)
    dialog.options.colouring.set_values({"colour": True})
    export(dialog, tmp_path / "colour.tif", qtbot)
    picture = tifffile.imread(tmp_path / "colour.tif")
    assert picture.shape == (*array.shape, 3)
    assert np.unique(picture[array == 1], axis=0).tolist() == [[200, 100, 50]]


def test_only_some_objects_are_exported(window: MainWindow, stack: Path, tmp_path: Path, qtbot: Any) -> None:
    window.opening.open([str(stack)])
    qtbot.waitUntil(lambda: window.canvas.view.image_section is not None)
    window.action_set["new-labels"].trigger()
    qtbot.waitUntil(lambda: window.sessions.session.objects.is_counted)
    for label, row in ((1, 20), (2, 50), (3, 80)):
        window.canvas.model.hand.label = label
        paint(window, qtbot, (row, 30), (row, 60))
    session = window.sessions.session
    session.apply(hide(session.objects, [2]))
    window.data.select(window.sessions.item)
    window.action_set["export"].trigger()
    dialog = window.items.dialog
    dialog.form_choice.setCurrentIndex(NPY)
    dialog.options.objects.setCurrentText(SELECTED)
    assert dialog.run() is None and "No object is selected" in dialog.problem.text()
    qtbot.waitUntil(lambda: window.objects.model.row_of(3) is not None)
    window.objects.select(3)
    assert window.objects.selected == [3]
    for choice, expected in ((VISIBLE, [0, 1, 3]), (SELECTED, [0, 3])):
        dialog.options.objects.setCurrentText(choice)
        export(dialog, tmp_path / f"{len(expected)}.npy", qtbot)
        assert np.unique(np.load(tmp_path / f"{len(expected)}.npy")).tolist() == expected


def test_what_is_wrong_is_said_where_it_is(
    window: MainWindow, discs: Path, tmp_path: Path, qtbot: Any
) -> None:
    dialog = dialog_on(window, qtbot, discs)
    dialog.form_choice.setCurrentIndex(TIFF)
    assert not dialog.options.greys.isVisible() and dialog.options.colouring.isVisible()
    dialog.options.region.set_values({"first_section": 4, "section_count": 9})
    dialog.show_summary()
    assert "Sections 4 to 12 were asked for" in dialog.problem.text()
    dialog.options.region.set_values({"section_count": "many"})
    assert dialog.run() is None
    assert (
        dialog.options.part.is_open
        and "Region section count: input should be a valid" in dialog.problem.text()
    )
    dialog.options.region.reset()
    dialog.place.setText(str(tmp_path / "a.npy"))
    assert dialog.run() is None
    assert "a.npy is the name of an .npy file, not of a TIFF stack" in dialog.problem.text()
    dialog.options.numbers.set_values({"dtype": "uint8"})
    dialog.place.setText(str(tmp_path / "a.tif"))
    job = dialog.run()
    qtbot.waitUntil(lambda: dialog.job.status.ending is not None, timeout=60_000)
    assert dialog.job.id == job.id and dialog.job.status.ending is Ending.FAILED
    assert "Label 700 of discs.tif" in dialog.progress.words.text()
    assert "relabel" in dialog.progress.words.text()
    assert not list(tmp_path.glob("*a.tif*"))
    assert dialog.export_button.isEnabled() and not dialog.reveal.isVisible()


def test_what_is_there_is_replaced_or_added_to_only_when_told(
    window: MainWindow, discs: Path, tmp_path: Path, answer: Answer, qtbot: Any
) -> None:
    target = tmp_path / "all.h5"
    with h5py.File(target, "w") as file:
        file["raw"] = np.zeros((2, 3, 4))
    dialog = dialog_on(window, qtbot, discs)
    dialog.form_choice.setCurrentIndex(HDF5)
    dialog.choose(str(target))
    asked = answer("Cancel")
    assert dialog.run() is None
    assert asked == ["all.h5 is there already."]
    qtbot.keyClicks(dialog.dataset, "volumes/labels")
    asked = answer("Add")
    export(dialog, target, qtbot)
    assert asked == ["all.h5 is there already and is added to."]
    with h5py.File(target) as file:
        np.testing.assert_array_equal(file["volumes/labels"][:], tifffile.imread(discs))
        assert file["raw"].shape == (2, 3, 4)


def test_the_last_choices_are_remembered(
    window: MainWindow, stack: Path, discs: Path, tmp_path: Path, qtbot: Any
) -> None:
    dialog = dialog_on(window, qtbot, stack)
    dialog.form_choice.setCurrentIndex(TIFF)
    dialog.options.options["tiff"].set_values({"compression": "lzw"})
    dialog.options.greys.set_values({"low": 3, "clipped_percent": 0.5})
    export(dialog, tmp_path / "places" / "a.tif", qtbot)
    window.action_set["export"].trigger()
    again = window.items.dialog
    assert again is not dialog and not dialog.isVisible()
    assert again.form.ending == ".tif"
    assert again.options.options["tiff"].values() == {"compression": "lzw"}
    assert again.options.greys.values() == {"low": None, "high": None, "clipped_percent": 0.5}
    assert Path(again.location) == tmp_path / "places" / "stack.tif"
    # Labels have choices of their own.
    assert dialog_on(window, qtbot, discs).form_choice.currentIndex() == SECTIONS


def test_a_place_is_browsed_for_and_gets_its_ending(
    window: MainWindow, stack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    dialog = dialog_on(window, qtbot, stack)
    dialog.form_choice.setCurrentIndex(TIFF)
    found = (str(tmp_path / "named"), "")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", staticmethod(lambda *_, **__: found))
    qtbot.mouseClick(dialog.browse, Qt.MouseButton.LeftButton)
    assert dialog.location == str(tmp_path / "named.tif")
    dialog.form_choice.setCurrentIndex(HDF5)
    assert dialog.location == str(tmp_path / "named.h5")
    dialog.form_choice.setCurrentIndex(SECTIONS)
    assert dialog.location == str(tmp_path / "named") + "/"


def test_an_export_is_cancelled_and_leaves_nothing(window: MainWindow, tmp_path: Path, qtbot: Any) -> None:
    (tmp_path / "in").mkdir()
    np.save(
        tmp_path / "in" / "large.npy", np.random.default_rng(0).integers(0, 255, (600, 512, 512), np.uint8)
    )
    dialog = dialog_on(window, qtbot, tmp_path / "in" / "large.npy")
    dialog.form_choice.setCurrentIndex(SECTIONS)
    dialog.choose(str(tmp_path / "out" / "sections"))
    assert dialog.run() is not None
    assert not dialog.body.isEnabled()
    qtbot.waitUntil(lambda: dialog.job.status.done > 0, timeout=60_000)
    qtbot.mouseClick(dialog.progress.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog.job.status.ending is not None, timeout=60_000)
    assert dialog.job.status.ending is Ending.CANCELLED
    assert list((tmp_path / "out").iterdir()) == []
    assert dialog.body.isEnabled()


def test_words() -> None:
    assert ids_in_words([5, 3, 4, 9, 9]) == "3-5,9"
    assert [bytes_in_words(count) for count in (12, 55_296, 860_000_000, 2**40)] == [
        "12 bytes",
        "55.3 kB",
        "860 MB",
        "1.1 TB",
    ]
    by_ending = {form.ending: form for form in forms()}
    assert with_ending("/x/a.nii.gz", by_ending[".tif"]) == "/x/a.tif"
    assert with_ending("/x/a.tiff", by_ending[".tif"]) == "/x/a.tiff"
    assert with_ending("/x/a.v2", by_ending[""]) == "/x/a.v2"
