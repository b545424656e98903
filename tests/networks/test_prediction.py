"""Predictions by flips, classes, ensembles, neighbouring sections, all axes and other pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray

from tests.networks.conftest import Recorder, discs, untrained
from uniem.algorithms.labelling import label_array
from uniem.data.geometry import Box, VoxelSize
from uniem.data.model_folder import ModelFolder
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind, Volume
from uniem.errors import UniemError
from uniem.networks.architectures import InceptionResNet, ResNet, Unet
from uniem.networks.arithmetic_check import calibration_windows
from uniem.networks.ensembles import Ensemble, Predictor
from uniem.networks.normalisation import normalised
from uniem.networks.prediction import _Run, default_memory, predict_volume
from uniem.networks.prediction_settings import PredictionSettings
from uniem.networks.seen_volumes import ResampledVolume
from uniem.networks.validation import probabilities
from uniem.networks.weights import load_network

NET = Unet(depth=1, base_features=4)
CLASSES: dict[str, Any] = {
    "task": "multi-class",
    "classes": ("background", "mito", "vesicle"),
    "class_labels": (0, 5, 9),
}
NEAR = 1e-4
AS_KEPT = NEAR + 1 / 65534


@pytest.fixture(scope="module")
def image() -> ArrayVolume:
    return discs((3, 44, 52), seed=1)[0]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return untrained(tmp_path_factory.mktemp("model") / "binary", NET)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return untrained(tmp_path_factory.mktemp("model") / "classes", NET, **CLASSES)


def predicted(
    model: ModelFolder,
    image: Volume,
    dtype: DTypeLike = np.float32,
    scratch: Path | None = None,
    **settings: Any,
) -> NDArray[Any]:
    """Return what is predicted, in float32 on the CPU."""
    out = ArrayVolume(np.zeros(image.shape, dtype))
    chosen = PredictionSettings.model_validate({"device": "cpu", "precision": "float32", **settings})
    predict_volume(model, image, out, chosen, scratch=scratch)
    return out.array


def expected(model: ModelFolder, stack: NDArray[Any]) -> NDArray[np.float32]:
    """Return the probabilities, (z, y, x, channels), of whole sections, (z, y, x[, sections]), far mirrored."""
    import keras

    record, margin = model.record, 64
    sections = stack if stack.ndim == 4 else stack[..., None]
    size = sections.shape[1:3]
    wide = np.pad(sections, [(0, 0), (margin, margin), (margin, margin), (0, 0)], mode="reflect")
    wide = np.pad(wide, [(0, 0), *((0, -n % record.stride) for n in wide.shape[1:3]), (0, 0)], mode="reflect")
    network = load_network(model)
    inputs = [normalised(one[None], record.normalisation) for one in wide]
    # Called layer by layer, which is slow once and fast if done a few times only.
    logits = np.concatenate([keras.ops.convert_to_numpy(network(each, training=False)) for each in inputs])
    return probabilities(logits[:, margin : margin + size[0], margin : margin + size[1]])


@pytest.mark.parametrize(("flips", "turned"), [("flips", False), ("all", True)])
def test_flips_give_the_mean_of_all_flipped_sections(
    flips: str, turned: bool, model: ModelFolder, image: ArrayVolume
) -> None:
    found = predicted(model, image, flips=flips)
    means = []
    for transposed in (False, True)[: 1 + turned]:
        for axes in ((), (1,), (2,), (1, 2)):
            seen = np.flip(image.array.swapaxes(1, 2) if transposed else image.array, axes)
            back = np.flip(expected(model, seen)[..., 0], axes)
            means.append(back.swapaxes(1, 2) if transposed else back)
    np.testing.assert_allclose(found, np.mean(means, axis=0), atol=NEAR)
    np.testing.assert_allclose(predicted(model, image, flips=flips, tile_size=16), found, atol=NEAR)
    assert np.abs(found - expected(model, image.array)[..., 0]).max() > 0.01


def test_classes_are_written_by_their_labels_and_probabilities_by_their_names(
    classifier: ModelFolder, image: ArrayVolume
) -> None:
    chances = expected(classifier, image.array)
    labels = predicted(classifier, image, np.uint8, output={"kind": "classes"})
    sure = np.sort(chances, -1)[..., -1] - np.sort(chances, -1)[..., -2] > NEAR
    np.testing.assert_array_equal(labels[sure], np.array([0, 5, 9])[chances.argmax(-1)][sure])
    assert len(np.unique(labels)) > 1
    vesicle = predicted(classifier, image, output={"kind": "probability", "of_class": "vesicle"})
    np.testing.assert_allclose(vesicle, chances[..., 2], atol=NEAR)
    np.testing.assert_allclose(predicted(classifier, image), 1 - chances[..., 0], atol=NEAR)
    with pytest.raises(UniemError, match="no class 'vesikel'") as raised:
        predicted(classifier, image, output={"kind": "probability", "of_class": "vesikel"})
    assert "background, mito, vesicle" in raised.value.hint


def test_a_binary_answer_becomes_a_mask_and_objects(
    model: ModelFolder, image: ArrayVolume, tmp_path: Path
) -> None:
    chance = expected(model, image.array)[..., 0]
    level = float(np.median(chance)) + 0.003
    mask = predicted(model, image, np.uint8, output={"kind": "classes", "level": level})
    sure = np.abs(chance - level) > NEAR
    np.testing.assert_array_equal(mask[sure], (chance > level)[sure])
    output = {"kind": "objects", "level": level, "connectivity": "4", "min_size_voxels": 3}
    objects = predicted(model, image, np.uint32, tmp_path, output=output)
    np.testing.assert_array_equal(objects, label_array(mask, 4, 3)[0])
    assert objects.max() > 1 and not list(tmp_path.iterdir()), "the scratch folder is gone"


def test_boundaries_part_objects(tmp_path: Path, image: ArrayVolume) -> None:
    model = untrained(tmp_path / "model", NET, task="boundary", classes=("boundary",))
    level = float(np.median(expected(model, image.array)))
    boundary = predicted(model, image, np.uint8, output={"kind": "classes", "level": level})
    cells = predicted(model, image, np.uint32, output={"kind": "objects", "level": level})
    np.testing.assert_array_equal(cells > 0, boundary == 0)


def test_objects_of_every_class_and_of_one(tmp_path: Path, image: ArrayVolume) -> None:
    model = untrained(tmp_path / "model", NET, **{**CLASSES, "class_labels": (1, 5, 9)})
    labels = predicted(model, image, np.uint8, output={"kind": "classes"})
    parts = predicted(model, image, np.uint32, output={"kind": "objects"})
    np.testing.assert_array_equal(parts, label_array(np.where(labels == 1, 0, labels).astype(np.uint8))[0])
    name, value = ("mito", 5) if (labels == 5).any() else ("vesicle", 9)
    one = predicted(model, image, np.uint32, output={"kind": "objects", "of_class": name})
    np.testing.assert_array_equal(one, label_array((labels == value).astype(np.uint8))[0])


@pytest.mark.parametrize(("top", "dtype"), [(255.0, np.uint8), (4000.0, np.uint16), (4000.0, np.float32)])
def test_gray_values_come_back_in_their_range(
    top: float, dtype: DTypeLike, image: ArrayVolume, tmp_path: Path
) -> None:
    model = untrained(tmp_path / "model", NET, task="gray", classes=("gray",), top=top)
    found = predicted(model, image, dtype)
    gray = expected(model, image.array)[..., 0] * top
    np.testing.assert_allclose(found, gray if dtype is np.float32 else np.rint(gray), atol=1)
    with pytest.raises(UniemError, match="neither classes nor objects"):
        predicted(model, image, np.uint8, output={"kind": "classes"})
    with pytest.raises(UniemError, match="up to"):
        predicted(model, image, np.int8)


def ensemble_of(*models: ModelFolder, **settings: Any) -> dict[str, Any]:
    return {"ensemble": {"further": "; ".join(str(model.path) for model in models), **settings}}


def test_an_ensemble_gives_the_weighted_mean(model: ModelFolder, image: ArrayVolume, tmp_path: Path) -> None:
    other = untrained(tmp_path / "other", ResNet(blocks=1), seed=2)
    third = untrained(tmp_path / "third", Unet(depth=2, base_features=2), seed=3)
    answers = [expected(each, image.array)[..., 0] for each in (model, other, third)]
    found = predicted(model, image, **ensemble_of(other, third))
    np.testing.assert_allclose(found, np.mean(answers, axis=0), atol=NEAR)
    weighted = predicted(model, image, **ensemble_of(other, third, weights="1, 1, 2"), tile_size=16)
    np.testing.assert_allclose(weighted, np.average(answers, axis=0, weights=[1, 1, 2]), atol=NEAR)


def test_models_vote_and_a_draw_is_background(model: ModelFolder, image: ArrayVolume, tmp_path: Path) -> None:
    others = [untrained(tmp_path / str(seed), NET, seed=seed) for seed in (4, 5, 6)]
    answers = np.stack([expected(each, image.array)[..., 0] for each in (model, *others)])
    sure = (np.abs(answers - 0.5) > NEAR).all(0)
    share = predicted(model, image, **ensemble_of(*others, combine="majority"))
    np.testing.assert_allclose(share[sure], (answers > 0.5).mean(0)[sure], atol=1e-6)
    chosen = {"output": {"kind": "classes"}, **ensemble_of(*others, combine="majority")}
    mask = predicted(model, image, np.uint8, **chosen)
    np.testing.assert_array_equal(mask[sure], ((answers > 0.5).sum(0) > 2)[sure])
    assert ((answers > 0.5).sum(0) == 2).any(), "there are draws"


def test_models_vote_for_classes(classifier: ModelFolder, image: ArrayVolume, tmp_path: Path) -> None:
    others = [untrained(tmp_path / str(seed), NET, seed=seed, **CLASSES) for seed in (4, 5)]
    votes = np.stack([expected(each, image.array).argmax(-1) for each in (classifier, *others)])
    counts = np.stack([(votes == channel).sum(0) for channel in range(3)], -1)
    chosen = {"output": {"kind": "classes"}, **ensemble_of(*others, combine="majority")}
    found = predicted(classifier, image, np.uint8, **chosen)
    assert (found == np.array([0, 5, 9])[counts.argmax(-1)]).mean() > 0.999


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"task": "boundary"}, "finds binary object, but other finds boundary object"),
        ({"classes": ("mito",)}, "finds binary object, but other finds binary mito"),
        ({"voxel_size": (50, 8, 8)}, "at 50 × 4 × 4 nm, but other at 50 × 8 × 8 nm"),
    ],
)
def test_models_that_do_not_go_together_are_refused(
    changed: dict[str, Any], match: str, model: ModelFolder, image: ArrayVolume, tmp_path: Path
) -> None:
    other = untrained(tmp_path / "other", NET, **changed)
    with pytest.raises(UniemError, match=match):
        predicted(model, image, **ensemble_of(other))


def test_wrong_ensembles_are_refused(model: ModelFolder, image: ArrayVolume, tmp_path: Path) -> None:
    other = untrained(tmp_path / "other", NET)
    for weights in ("1", "1, x", "-1, 2", "0, 0", "inf, 1"):
        with pytest.raises(UniemError, match="weights of 2 models"):
            predicted(model, image, **ensemble_of(other, weights=weights))
    with pytest.raises(UniemError, match="no models of folds"):
        predicted(model, image, ensemble={"folds": True})
    with pytest.raises(UniemError, match="no model folder"):
        predicted(model, image, ensemble={"further": str(tmp_path / "nowhere")})
    gray = untrained(tmp_path / "gray", NET, task="gray", classes=("gray",))
    with pytest.raises(UniemError, match="cannot vote"):
        predicted(gray, image, ensemble={"combine": "majority"})


def test_all_folds_predict_together(image: ArrayVolume, tmp_path: Path) -> None:
    best = untrained(tmp_path / "model", NET, seed=10)
    folds = [untrained(best.path / "folds" / str(n), NET, seed=n) for n in (1, 2, 10)]
    answers = [expected(fold, image.array)[..., 0] for fold in folds]
    found = predicted(best, image, ensemble={"folds": True})
    np.testing.assert_allclose(found, np.mean(answers, axis=0), atol=NEAR)


def test_neighbouring_sections_are_seen_and_mirrored_at_the_ends(model: ModelFolder, tmp_path: Path) -> None:
    neighbours = 2
    image = discs((4, 40, 36), seed=3)[0]
    network = InceptionResNet(neighbours=neighbours, base_features=2, blocks=1)
    deep = untrained(tmp_path / "deep", network)
    padded = np.pad(image.array, [(neighbours, neighbours), (0, 0), (0, 0)], mode="reflect")
    stack = np.stack([padded[k : k + 4] for k in range(2 * neighbours + 1)], -1)
    answer = expected(deep, stack)[..., 0]
    together = predicted(deep, image, tile_size=16, **ensemble_of(model))
    both = np.mean([answer, expected(model, image.array)[..., 0]], axis=0)
    np.testing.assert_allclose(together, both, atol=NEAR)


def test_all_axes_are_predicted_and_averaged(tmp_path: Path) -> None:
    model = untrained(tmp_path / "model", NET, voxel_size=(5, 5, 5))
    array = discs((30, 33, 38), seed=5)[0].array
    image = ArrayVolume(array, VoxelSize(5.5, 5, 5))
    planes = [expected(model, array)[..., 0]]
    planes.append(expected(model, array.transpose(1, 0, 2))[..., 0].transpose(1, 0, 2))
    planes.append(expected(model, array.transpose(2, 0, 1))[..., 0].transpose(1, 2, 0))
    found = predicted(model, image, planes="orthoplane")
    np.testing.assert_allclose(found, np.mean(planes, axis=0), atol=AS_KEPT)
    for size, match in ((VoxelSize(50, 5, 5), "50 × 5 × 5 nm: .* distorted"), (None, "not known")):
        with pytest.raises(UniemError, match=match):
            predicted(model, ArrayVolume(array, size), planes="orthoplane")


def test_classes_are_decided_after_averaging_all_axes(tmp_path: Path) -> None:
    model = untrained(tmp_path / "model", NET, **CLASSES)
    array = discs((20, 22, 24), seed=5)[0].array
    back = {(0, 1, 2): (0, 1, 2), (1, 0, 2): (1, 0, 2), (2, 0, 1): (1, 2, 0)}
    mean = np.mean([expected(model, array.transpose(a)).transpose(*b, 3) for a, b in back.items()], axis=0)
    image = ArrayVolume(array, VoxelSize(4, 4, 4))
    found = predicted(model, image, np.uint8, output={"kind": "classes"}, planes="orthoplane")
    sure = np.sort(mean, -1)[..., -1] - np.sort(mean, -1)[..., -2] > 2 * AS_KEPT
    np.testing.assert_array_equal(found[sure], np.array([0, 5, 9])[mean.argmax(-1)][sure])


def test_sections_are_resampled_to_the_pixels_of_the_model_and_back(model: ModelFolder) -> None:
    array = discs((2, 90, 70), seed=7)[0].array
    image = ArrayVolume(array, VoxelSize(50, 2, 2))
    coarse = ResampledVolume(image, (45, 35))
    answer = expected(model, coarse.read(Box.of_shape(coarse.shape)))[..., 0]
    fine = ResampledVolume(ArrayVolume(answer), (90, 70))
    found = predicted(model, image)
    np.testing.assert_allclose(found, fine.read(Box.of_shape(fine.shape)), atol=AS_KEPT)
    np.testing.assert_allclose(predicted(model, image, tile_size=16), found, atol=AS_KEPT)
    plain = expected(model, array)[..., 0]
    np.testing.assert_allclose(predicted(model, image, rescale="none"), plain, atol=NEAR)
    nearly = ArrayVolume(array, VoxelSize(50, 4.3, 3.7))
    np.testing.assert_allclose(predicted(model, nearly), plain, atol=NEAR)


def test_resampling_is_told(model: ModelFolder) -> None:
    image = ArrayVolume(discs((1, 40, 60), seed=7)[0].array, VoxelSize(50, 8, 4))
    recorder = Recorder()
    out = ArrayVolume(np.zeros(image.shape, np.uint8))
    predict_volume(model, image, out, PredictionSettings(device="cpu"), recorder)
    assert any("40 × 60 pixels are resampled to 80 × 60" in message for message in recorder.messages)


@pytest.mark.parametrize("new", [(7, 5), (40, 31), (100, 64), (1, 1)])
def test_resampling_keeps_constants_and_ramps_and_does_not_depend_on_boxes(new: tuple[int, int]) -> None:
    y, x = np.mgrid[:40, :31]
    volume = ArrayVolume(np.stack([np.full((40, 31), 7), y, x, y * x % 13]).astype(np.uint8))
    seen = ResampledVolume(volume, new)
    whole = seen.read(Box.of_shape(seen.shape))
    np.testing.assert_allclose(whole[0], 7, rtol=1e-6)
    inside = slice(new[0] // 4, -(new[0] // 4) or None)
    rows = (np.arange(new[0]) + 0.5) * 40 / new[0] - 0.5
    np.testing.assert_allclose(whole[1][inside], np.broadcast_to(rows[:, None], new)[inside], atol=0.05)
    if new == (40, 31):
        np.testing.assert_array_equal(whole, volume.array)
    part = Box((1, new[0] // 3, new[1] // 4), (4, new[0], new[1]))
    np.testing.assert_array_equal(seen.read(part), whole[part.slices])


def test_stores_with_deep_chunks_are_read_and_written_band_by_band(
    model: ModelFolder, tmp_path: Path
) -> None:
    array = discs((11, 70, 50), seed=8)[0].array
    size = VoxelSize(50, 4, 4)
    image = create_store(
        tmp_path / "image.zarr", array.shape, "uint8", size, Kind.IMAGE, chunk_shape=(4, 32, 32)
    )
    image[:] = array
    out = create_store(tmp_path / "out.zarr", array.shape, "float32", size, Kind.PROBABILITY)
    settings = PredictionSettings(device="cpu", precision="float32", tile_size=32, memory=100)
    predict_volume(model, image, out, settings)
    np.testing.assert_allclose(out[:], expected(model, array)[..., 0], atol=NEAR)


class _ShortOfMemory(Predictor):
    """A predictor whose device holds no more than so many pixels at a time."""

    def probabilities(self, inputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        if inputs[0].size > 6000:
            raise MemoryError
        return super().probabilities(inputs)


def test_tiles_become_smaller_where_the_memory_does_not_suffice(model: ModelFolder, tmp_path: Path) -> None:
    image = discs((2, 130, 120), seed=9)[0]
    recorder = Recorder()
    run = _Run.prepared(
        Ensemble.open(model), PredictionSettings(device="cpu", precision="float32"), recorder, tmp_path
    )
    run.predictor = _ShortOfMemory(run.ensemble, run.settings, run.policy)
    out = ArrayVolume(np.zeros(image.shape, np.float32))
    run.predict(image, [out], lambda found: [found[..., 0]], "Predicting")
    np.testing.assert_allclose(out.array, expected(model, image.array)[..., 0], atol=NEAR)
    assert any("going on with smaller ones" in message for message in recorder.messages)


def test_the_default_memory_is_moderate() -> None:
    assert 1000 <= default_memory() <= 8000


def test_openvino_gives_what_keras_gives(
    model: ModelFolder, classifier: ModelFolder, image: ArrayVolume, tmp_path: Path
) -> None:
    pytest.importorskip("openvino")
    for each in (model, classifier):
        keras = predicted(each, image)
        openvino = predicted(each, image, engine="openvino", flips="none")
        np.testing.assert_allclose(openvino, keras, atol=1e-4)
    np.testing.assert_allclose(
        predicted(model, image, engine="openvino", flips="all"),
        predicted(model, image, flips="all"),
        atol=1e-4,
    )


def test_openvino_that_is_not_there_is_said(model: ModelFolder, image: ArrayVolume) -> None:
    try:
        import openvino  # noqa: F401
    except ImportError:
        with pytest.raises(UniemError, match="not installed"):
            predicted(model, image, engine="openvino")


def test_eight_bits_are_calibrated_on_the_volume_and_compared_with_float32(
    model: ModelFolder, classifier: ModelFolder
) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    pytest.importorskip("nncf", reason="NNCF is not installed")
    image = discs((2, 150, 140), seed=4)[0]
    exact = predicted(model, image)
    whole = predicted(model, image, engine="openvino", precision="int8")
    apart = np.abs(whole - exact)
    assert 0 < apart.max() < 0.1, "rounded, but not wrong"
    for tile in (32, 64):
        cut = predicted(model, image, engine="openvino", precision="int8", tile_size=tile)
        np.testing.assert_allclose(cut, whole, atol=NEAR)
    np.testing.assert_array_equal(predicted(model, image, engine="openvino", precision="int8"), whole)
    recorder = Recorder()
    for each, task in ((model, "binary"), (classifier, "multi-class")):
        out = ArrayVolume(np.zeros(image.shape, np.float32))
        settings = PredictionSettings(device="cpu", engine="openvino", precision="int8")
        told = predict_volume(each, image, out, settings, recorder).deviation
        assert told is not None and told.changed is not None, task
        assert 0 < told.mean < told.largest and told.sentence("int8") in recorder.messages


def test_arithmetic_that_is_named_is_compared_with_float32(model: ModelFolder, image: ArrayVolume) -> None:
    out = ArrayVolume(np.zeros(image.shape, np.float32))
    recorder = Recorder()
    settings = PredictionSettings(device="cpu", precision="bfloat16")
    told = predict_volume(model, image, out, settings, recorder).deviation
    assert told is not None and told.tiles == 1
    exact = predicted(model, image)
    # The tile compared is a section of this small volume.
    apart = [np.abs(out.array[z] - exact[z]).max() for z in range(len(exact))]
    assert told.largest == pytest.approx(min(apart, key=lambda a: abs(a - told.largest)), abs=NEAR)
    assert "differ from those in float32" in recorder.messages[0]
    for settings in (PredictionSettings(device="cpu", precision=name) for name in ("auto", "float32")):
        assert predict_volume(model, image, out, settings).deviation is None


def test_eight_bits_need_openvino_and_a_network_of_ours(model: ModelFolder, image: ArrayVolume) -> None:
    with pytest.raises(UniemError, match="Keras does not compute in int8"):
        predicted(model, image, precision="int8")


def test_calibration_tiles_lie_all_over_the_volume(model: ModelFolder) -> None:
    z, y, x = np.indices((20, 900, 1000), np.uint16, sparse=True)
    places = ArrayVolume(np.broadcast_to(z, (20, 900, 1000)).copy())
    ensemble = Ensemble.open(model)
    windows = calibration_windows(ensemble, [places])
    side = 256 + 2 * ensemble.margin
    assert {window.shape for window in windows} == {(side, side, 1)}
    assert len({int(window[0, 0, 0]) for window in windows}) >= 14, "most of the 20 sections"
    for axis in (y, x):
        flat = ArrayVolume(np.broadcast_to(axis, (20, 900, 1000)).copy())
        found = [window[side // 2, side // 2, 0] for window in calibration_windows(ensemble, [flat])]
        assert min(found) < 200 and max(found) > flat.shape[1] - 200
