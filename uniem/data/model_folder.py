"""A trained network as a folder: its weights, and a record that says how to use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from uniem.data.formats.files import reading
from uniem.data.geometry import VoxelSize
from uniem.errors import UniemError

RECORD = "model.json"
WEIGHTS = "weights.keras"
# In its place stands this where the network is of another program.
ONNX = "network.onnx"
LAST = "last.keras"
RESUME = "resume.npz"
PICTURE = "preview.png"


class Normalisation(BaseModel):
    """Shift and scale gray values so that the training images had mean 0 and standard deviation 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float = Field(description="Mean gray value of the training images.")
    std: float = Field(gt=0, description="Standard deviation of the gray values of the training images.")


class ModelRecord(BaseModel):
    """State what a network is, what it was trained on and how good it became."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format_version: int = Field(1, description="Version of this record's layout.")
    name: str = Field("", description="What to call the model in lists.")
    task: str = Field(
        "binary",
        description="What the outputs mean: binary or boundary = sigmoid probability, multi-class = softmax "
        "probabilities, gray = sigmoid share of the top gray value.",
    )
    classes: tuple[str, ...] = Field(("object",), description="Name of each output channel.")
    class_labels: tuple[int, ...] = Field(
        (), description="Label of each output channel where the task is multi-class, the background's first."
    )
    top: float | None = Field(
        None, description="Gray value that an output of 1 stands for, where the task is gray."
    )
    architecture: dict[str, Any] = Field(description="The network's parameters, with its kind.")
    normalisation: Normalisation = Field(description="How gray values become network inputs.")
    voxel_size: tuple[float, float, float] | None = Field(
        None, description="z, y, x in nm of the training images."
    )
    patch: int = Field(description="Side of the training patches in pixels.")
    stride: int = Field(description="Sides of network inputs are multiples of this.")
    receptive_field: int = Field(description="Width in pixels of the input that one output pixel depends on.")
    precision: str = Field("float32", description="Arithmetic used in training.")
    device: str = Field("", description="What computed the training: the framework and the device.")
    parameters: int = Field(description="Number of weights.")
    steps: int = Field(0, description="Training steps done.")
    seconds: float = Field(0.0, description="Training time.")
    best: dict[str, float] = Field(default_factory=dict, description="Scores of the saved weights.")
    history: tuple[dict[str, float], ...] = Field((), description="Scores over the course of training.")
    training: dict[str, Any] = Field(default_factory=dict, description="The training settings.")
    provenance: dict[str, Any] = Field(default_factory=dict, description="What made this model from what.")

    @property
    def voxel_size_nm(self) -> VoxelSize | None:
        """The voxel size of the training images; None where unknown."""
        return VoxelSize(*self.voxel_size) if self.voxel_size else None


class ModelFolder:
    """A folder with `weights.keras` (the best), `last.keras` and `model.json`."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    @staticmethod
    def create(path: Path | str) -> ModelFolder:
        """Make a folder for a new model; raise where one already is."""
        folder = ModelFolder(Path(path))
        if folder.record_path.exists():
            raise UniemError(f"{folder.path} already holds a model.", "Choose another folder.")
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UniemError(
                f"The folder {folder.path} cannot be made: {error.strerror}.", "Choose another place."
            ) from error
        return folder

    @staticmethod
    def open(path: Path | str) -> ModelFolder:
        """Open a trained model; raise, naming what is missing, where there is none."""
        folder = ModelFolder(Path(path))
        with reading(folder.path):
            is_folder = folder.path.is_dir()
        if not is_folder:
            raise UniemError(f"There is no model folder {folder.path}.", "Choose the folder of a training.")
        with reading(folder.path):
            weights = folder.onnx_path if folder.onnx_path.is_file() else folder.weights_path
            files = (folder.record_path, weights)
            missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise UniemError(
                f"{folder.path} is not a model: {' and '.join(missing)} missing.",
                "Choose a folder that a training has written.",
            )
        _ = folder.record
        return folder

    @staticmethod
    def is_model(path: Path | str) -> bool:
        """Tell whether a folder holds a trained model, by its files' names."""
        folder = Path(path)
        return (folder / RECORD).is_file() and any((folder / name).is_file() for name in (WEIGHTS, ONNX))

    @property
    def record_path(self) -> Path:
        """The file of the record."""
        return self.path / RECORD

    @property
    def weights_path(self) -> Path:
        """The file of the best weights."""
        return self.path / WEIGHTS

    @property
    def onnx_path(self) -> Path:
        """The file of the network where another program made it."""
        return self.path / ONNX

    @property
    def last_path(self) -> Path:
        """The file of the last weights, with the optimiser's state."""
        return self.path / LAST

    @property
    def resume_path(self) -> Path:
        """The file of what a training needs to go on exactly; absent where it cannot."""
        return self.path / RESUME

    @property
    def picture_path(self) -> Path:
        """The picture of what the network does, as it was judged last."""
        return self.path / PICTURE

    @property
    def record(self) -> ModelRecord:
        """The record as it is on disk."""
        try:
            return ModelRecord.model_validate_json(self.record_path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UniemError(
                f"{self.record_path} cannot be read: {error.strerror}.", "Choose another model."
            ) from error
        except (ValidationError, ValueError) as error:
            raise UniemError(
                f"{self.record_path} is not the record of a model of this program.",
                "Train the model again, or restore the file.",
            ) from error

    def save_record(self, record: ModelRecord) -> None:
        """Write the record, replacing an older one in one move."""
        part = self.record_path.with_name(RECORD + ".part")
        part.write_text(record.model_dump_json(indent=1), encoding="utf-8")
        part.replace(self.record_path)

    def save_picture(self, picture: NDArray[np.uint8]) -> None:
        """Write a gray picture, (y, x), replacing an older one in one move."""
        import imagecodecs

        part = self.picture_path.with_name(PICTURE + ".part")
        part.write_bytes(imagecodecs.png_encode(picture))
        part.replace(self.picture_path)

    def __str__(self) -> str:
        return self.path.name
