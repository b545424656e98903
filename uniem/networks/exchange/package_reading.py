"""What a bioimage.io package of format 0.5 says of its network, as far as one for sections can be applied."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats.files import PARSER_ERRORS, reading
from uniem.errors import UniemError

DESCRIPTIONS = ("rdf.yaml", "bioimageio.yaml", "model.yaml")
MOST_DESCRIPTION_BYTES = 1 << 22
MOST_FILE_BYTES = 4 << 30
PICKLED = "they are pickled, which can run any program on this computer when they are read"
REFUSED = {
    "pytorch_state_dict": PICKLED,
    "torchscript": "they are a program for PyTorch",
    "keras_hdf5": "they may hold Python code",
    "keras_v3": "their layers may be of any program",
    "tensorflow_saved_model_bundle": "they are a program for TensorFlow",
    "tensorflow_js": "they are for browsers",
}


class Package:
    """A bioimage.io package, a zip file or a folder; only what its description names is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.described = self._describe()

    @property
    def own_facts(self) -> dict[str, Any]:
        """What this suite wrote of its own model; empty for packages of others."""
        return dict(_mapping(_mapping(self.described.get("config")).get("uniem")))

    @property
    def is_ours(self) -> bool:
        """Tell whether this suite wrote the package."""
        return bool(self.own_facts)

    def read(self, name: str, most_bytes: int = MOST_FILE_BYTES) -> bytes:
        """Return a file's content; raise where it is missing, too large or outside of the package."""
        place = PurePosixPath(name)
        if place.is_absolute() or ".." in place.parts or ":" in name:
            raise UniemError(f"{self.path.name} names {name}, which is not in it.", "Get the whole package.")
        with reading(self.path):
            found = (
                self._from_folder(place, most_bytes)
                if self.path.is_dir()
                else self._from_zip(place, most_bytes)
            )
        if found is None:
            raise UniemError(f"{self.path.name} lacks {name}.", "Get the whole package.")
        return found

    def array(self, tensor: Mapping[str, Any]) -> NDArray[np.float32] | None:
        """Return the example of an input or output; None where it has none."""
        source = source_of(tensor.get("test_tensor"))
        if source is None:
            return None
        try:
            found = np.load(io.BytesIO(self.read(source)), allow_pickle=False)
            return np.asarray(found, np.float32)
        except (*PARSER_ERRORS, OSError) as error:
            raise UniemError(
                f"{source} in {self.path.name} is no array.", "Get the package again."
            ) from error

    def _describe(self) -> dict[str, Any]:
        import yaml

        for name in DESCRIPTIONS:
            try:
                content = self.read(name, MOST_DESCRIPTION_BYTES)
            except UniemError:
                if name == DESCRIPTIONS[-1]:
                    raise
                continue
            try:
                found = yaml.safe_load(content)
            except (yaml.YAMLError, *PARSER_ERRORS) as error:
                raise UniemError(
                    f"{name} in {self.path.name} is damaged.", "Get the package again."
                ) from error
            if isinstance(found, dict):
                return found
        raise UniemError(f"{self.path.name} does not describe a model.", "Choose a bioimage.io package.")

    def _from_folder(self, place: PurePosixPath, most_bytes: int) -> bytes | None:
        path = self.path / place
        if not path.is_file():
            return None
        self._check_size(place, path.stat().st_size, most_bytes)
        return path.read_bytes()

    def _from_zip(self, place: PurePosixPath, most_bytes: int) -> bytes | None:
        try:
            with zipfile.ZipFile(self.path) as archive:
                if str(place) not in archive.namelist():
                    return None
                self._check_size(place, archive.getinfo(str(place)).file_size, most_bytes)
                return archive.read(str(place))
        # Python's zip reader raises NotImplementedError at compression it does not know, as in damaged files.
        except (zipfile.BadZipFile, NotImplementedError, *PARSER_ERRORS) as error:
            raise UniemError(
                f"{self.path.name} is no zip file, or damaged.", "Get the package again."
            ) from error

    def _check_size(self, place: PurePosixPath, size: int, most_bytes: int) -> None:
        if size > most_bytes:
            raise UniemError(
                f"{place} in {self.path.name} has {size / 1e6:,.0f} MB.", "Get the package again."
            )


def onnx_source(package: Package) -> str:
    """Return the name of the ONNX file; raise, saying what is there instead and why it is not read."""
    version, kind = str(package.described.get("format_version", "")), package.described.get("type")
    if kind != "model" or not re.match(r"0\.5\.", version):
        raise UniemError(
            f"{package.path.name} is a {kind or 'thing'} in format {version or 'unknown'}, not a model in "
            "format 0.5.",
            "Bring it to the newest format with bioimageio.spec, or get a newer version of it.",
        )
    weights = _mapping(package.described.get("weights"))
    source = source_of(weights.get("onnx"))
    if source is not None:
        if _mapping(weights["onnx"]).get("external_data"):
            raise UniemError("The ONNX file keeps its weights in another file.", "Get it in one file.")
        return source
    reasons = [f"{name}: {REFUSED.get(name, 'unknown')}" for name, held in weights.items() if held]
    raise UniemError(
        f"{package.path.name} has no ONNX weights, but {'; '.join(reasons) or 'none at all'}.",
        "Ask its makers for ONNX weights; bioimageio.core converts them for those who trust the package.",
    )


def source_of(described: Any) -> str | None:
    """Return the file that a part of the description names."""
    if isinstance(described, str):
        return described
    source = _mapping(described).get("source")
    return source if isinstance(source, str) else None


def only_tensor(package: Package, side: str) -> Mapping[str, Any]:
    """Return the description of the first input or output; raise where there are several inputs."""
    tensors = package.described.get(side)
    if not isinstance(tensors, list) or not tensors or (side == "inputs" and len(tensors) > 1):
        count = len(tensors) if isinstance(tensors, list) else 0
        raise UniemError(f"The network has {count} {side}.", "Choose a network that takes one image.")
    return _mapping(tensors[0])


def axes_of(tensor: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the axes by one letter each, in their order; raise unless they are those of sections."""
    names = {"batch": "b", "channel": "c"}
    axes = [_mapping(axis) for axis in tensor.get("axes") or []]
    found = {names.get(str(axis.get("type")), str(axis.get("id", "x"))): axis for axis in axes}
    if len(found) != len(axes) or not {"y", "x"} <= set(found) <= set("bcyx"):
        raise UniemError(
            f"The network has the axes {', '.join(found) or 'of no known form'}.",
            "Only networks for sections, with the axes batch, channel, y and x, can be applied.",
        )
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
