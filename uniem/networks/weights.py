"""Writing a network's weights to a model folder and reading them back."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from uniem.data.model_folder import ModelFolder
from uniem.errors import UniemError
from uniem.networks.architectures import ForeignNetwork, read_network
from uniem.networks.backend import FLOAT32, dtype_policy

if TYPE_CHECKING:
    import keras


def save_weights(model: keras.Model, path: Path) -> None:
    """Write a model as a .keras file, replacing an older one in one move."""
    part = path.with_name(path.stem + ".part.keras")
    model.save(part)
    part.replace(path)


def check_learnable(folder: ModelFolder) -> None:
    """Raise if a model's network was made by another program, which knows how to train it."""
    if isinstance(read_network(folder.record.architecture), ForeignNetwork):
        raise UniemError(
            f"The network of {folder} was made by another program: it can be applied, but not trained here.",
            "Train a network anew, or start from a model that was trained here.",
        )


def load_network(folder: ModelFolder, policy: str = FLOAT32) -> keras.Model:
    """Build the network of a model folder with its best weights; it gives logits.

    `policy` is the Keras dtype policy to compute in, whatever the network was trained in.
    """
    record = folder.record
    architecture = read_network(record.architecture)
    with dtype_policy(policy):
        model = architecture.build(channels_out=len(record.classes))
    try:
        with warnings.catch_warnings():
            # Keras only warns where it finds nothing for a layer, and goes on with random weights.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(folder.weights_path)
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, UserWarning) as error:
        raise UniemError(
            f"The weights in {folder.weights_path} are damaged, or not of the network in model.json.",
            "Restore the folder, or train the model again.",
        ) from error
    return model


def copy_weights(source: keras.Model, target: keras.Model) -> list[str]:
    """Copy the weights of each layer to that at its place in another model of the same architecture.

    Return the names of the layers whose shapes differ, such as the last one where there are other classes.
    """
    different = []
    for old, new in zip(source.layers, target.layers, strict=True):
        if [tuple(w.shape) for w in old.weights] == [tuple(w.shape) for w in new.weights]:
            new.set_weights(old.get_weights())
        else:
            different.append(new.name)
    return different
