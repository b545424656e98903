"""The prediction does not depend on how a section is cut into tiles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.networks.conftest import Recorder, discs, untrained
from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.model_folder import ModelFolder
from uniem.data.volume import ArrayVolume, Kind, Volume
from uniem.errors import UniemError
from uniem.networks.architectures import Network, ResNet, Unet
from uniem.networks.prediction import PredictionResult, predict_volume
from uniem.networks.prediction_settings import PredictionSettings
from uniem.networks.tiling import bands, plan_tiles
from uniem.networks.weights import load_network
from uniem.progress import Cancelled

ONE_GRAY_LEVEL = 1 / 255 + 1e-6


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelFolder]:
    """Return models with random weights: a U-Net and a ResNet, and a default U-Net for large sections."""
    networks: dict[str, Network] = {
        "unet": Unet(depth=3, base_features=4),
        "resnet": ResNet(blocks=1),
        "default": Unet(),
    }
    place = tmp_path_factory.mktemp("models")
    return {name: untrained(place / name, network) for name, network in networks.items()}


class Stored(Volume):
    """A volume without voxels, of which so many sections are stored together."""

    def __init__(self, shape: Triple, together: int) -> None:
        super().__init__(shape, np.uint8, None, Kind.IMAGE)
        self._together = together

    @property
    def chunk_shape(self) -> Triple:
        return self._together, 256, 256

    def read(self, box: Box) -> NDArray[np.uint8]:
        return np.zeros(box.shape, np.uint8)


def _predicted(
    folder: ModelFolder, image: NDArray[np.generic], **settings: object
) -> tuple[NDArray[np.float32], PredictionResult]:
    volume = ArrayVolume(image)
    out = ArrayVolume(np.full(volume.shape, -1, np.float32))
    result = predict_volume(
        folder, volume, out, PredictionSettings.model_validate({"device": "cpu", **settings})
    )
    return out.array, result


def _whole(folder: ModelFolder, section: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return the probabilities of a section computed at once, far mirrored at its borders."""
    record = folder.record
    margin = 128
    padded = np.pad(section.astype(np.float32), margin, mode="reflect")
    padded = np.pad(padded, [(0, -n % record.stride) for n in padded.shape], mode="reflect")
    inputs = (padded - record.normalisation.mean) / record.normalisation.std
    logits = load_network(folder).predict_on_batch(inputs[None, ..., None].astype(np.float32))[0, ..., 0]
    inside = logits[margin : margin + section.shape[0], margin : margin + section.shape[1]]
    return np.asarray(1 / (1 + np.exp(-inside)), np.float32)


@pytest.mark.parametrize("name", ["unet", "resnet"])
@pytest.mark.parametrize("tile_size", [16, 61, None])
def test_tiles_give_what_the_whole_section_gives(
    name: str, tile_size: int | None, models: dict[str, ModelFolder]
) -> None:
    image = discs((1, 131, 94), seed=1)[0].array
    found, _ = _predicted(models[name], image, tile_size=tile_size, precision="float32")
    np.testing.assert_allclose(found[0], _whole(models[name], image[0]), atol=1e-4)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_tiles_of_256_and_512_give_the_same(precision: str, models: dict[str, ModelFolder]) -> None:
    image = discs((1, 530, 300), seed=2)[0].array
    small, _ = _predicted(models["default"], image, tile_size=256, precision=precision)
    large, _ = _predicted(models["default"], image, tile_size=512, precision=precision)
    assert small.std() > 0.05, "the network does answer differently in different places"
    assert np.abs(small - large).max() <= ONE_GRAY_LEVEL


def test_bfloat16_is_near_float32(models: dict[str, ModelFolder]) -> None:
    image = discs((1, 128, 128), seed=3)[0].array
    exact, _ = _predicted(models["unet"], image, precision="float32")
    fast, result = _predicted(models["unet"], image, precision="bfloat16")
    assert result.precision == "mixed_bfloat16"
    assert np.abs(exact - fast).mean() < 0.01


@pytest.mark.parametrize("shape", [(2, 1, 1), (1, 1, 50), (1, 7, 9), (3, 33, 20), (1, 16, 16)])
def test_any_size_is_predicted(shape: tuple[int, int, int], models: dict[str, ModelFolder]) -> None:
    image = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    found, _ = _predicted(models["unet"], image)
    assert found.min() >= 0 and found.max() <= 1
    again, _ = _predicted(models["unet"], image, tile_size=16, memory=100)
    np.testing.assert_allclose(found, again, atol=ONE_GRAY_LEVEL)


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float64])
def test_any_type_of_gray_values_is_read_as_it_is(dtype: type, models: dict[str, ModelFolder]) -> None:
    image = discs((1, 40, 40), seed=4)[0].array
    expected, _ = _predicted(models["unet"], image)
    found, _ = _predicted(models["unet"], image.astype(dtype))
    np.testing.assert_array_equal(found, expected)


def test_eight_bit_output_is_the_rounded_probability(models: dict[str, ModelFolder]) -> None:
    image = discs((2, 50, 60), seed=5)[0]
    expected, _ = _predicted(models["unet"], image.array)
    out = ArrayVolume(np.zeros(image.shape, np.uint8))
    predict_volume(models["unet"], image, out, PredictionSettings(device="cpu"))
    np.testing.assert_array_equal(out.array, np.rint(expected * 255).astype(np.uint8))


def test_batches_across_sections_keep_their_places(models: dict[str, ModelFolder]) -> None:
    image = discs((7, 40, 56), seed=6)[0].array
    together, _ = _predicted(models["unet"], image, tile_size=24)
    for z in (0, 6):
        alone, _ = _predicted(models["unet"], image[z : z + 1])
        np.testing.assert_allclose(together[z], alone[0], atol=ONE_GRAY_LEVEL)


def test_tiles_are_planned_within_the_memory() -> None:
    network = Unet()
    small = plan_tiles(network, (500, 300), 100, 1000)
    assert small.grid_yx == (1, 1) and small.tile_yx == (512, 304) and 1 < small.batch <= 16
    large = plan_tiles(network, (5000, 30_000), 100, 1000)
    pixels = large.input_yx[0] * large.input_yx[1] * large.batch
    assert pixels * network.bytes_per_pixel <= 1_000_000_000
    assert large.overlap < 0.6
    assert large.tile_yx[0] % network.stride == large.tile_yx[1] % network.stride == 0
    tight = plan_tiles(Unet(depth=6, base_features=64), (5000, 5000), 1, 100)
    assert min(tight.tile_yx) >= Unet(depth=6).margin // 2


@pytest.mark.parametrize(
    ("read", "written", "width", "thick"),
    [
        (1, 8, 100, 8),
        (8, 8, 100, 8),
        (256, 8, 100, 256),
        (8, 8, 30_000, 4),
        (3, 8, 60_000, 2),
        (8, 8, 500_000, 1),
    ],
)
def test_bands_cover_what_is_stored_together_within_the_memory(
    read: int, written: int, width: int, thick: int
) -> None:
    image = Stored((300, 1024, width), read)
    tiling = plan_tiles(Unet(), (1024, width), 300, 1000, 512)
    cut = list(bands(image, [Stored(image.shape, written)], tiling, 1))
    assert cut[0].shape == (thick, 512, width) and len(cut) == 2 * math.ceil(300 / thick)
    assert sum(box.size for box in cut) == math.prod(image.shape)


def test_a_prediction_can_be_cancelled(models: dict[str, ModelFolder]) -> None:
    image = discs((4, 64, 64))[0]
    out = ArrayVolume(np.zeros(image.shape, np.uint8))
    settings = PredictionSettings(device="cpu", tile_size=64, memory=100)
    recorder = Recorder(cancel_after=0)
    with pytest.raises(Cancelled):
        predict_volume(models["unet"], image, out, settings, recorder)
    assert out.array.max() == 0


def test_progress_counts_tiles_and_another_scale_is_said(models: dict[str, ModelFolder]) -> None:
    image = ArrayVolume(discs((2, 64, 64))[0].array, VoxelSize(50, 8, 8))
    recorder = Recorder()
    out = ArrayVolume(np.zeros(image.shape, np.uint8))
    settings = PredictionSettings(device="cpu", tile_size=32, rescale="none")
    predict_volume(models["unet"], image, out, settings, recorder)
    assert recorder.progresses[-1] == (8, 8, "Predicting")
    assert any("trained at 50 × 4 × 4 nm" in message for message in recorder.messages)


def test_outputs_that_cannot_hold_probabilities_are_refused(models: dict[str, ModelFolder]) -> None:
    image = discs((1, 20, 20))[0]
    with pytest.raises(UniemError, match="as uint16"):
        predict_volume(models["unet"], image, ArrayVolume(np.zeros(image.shape, np.uint16)))
    with pytest.raises(UniemError, match=r"1 × 20 × 20 .* 1 × 20 × 21"):
        predict_volume(models["unet"], image, ArrayVolume(np.zeros((1, 20, 21), np.uint8)))
