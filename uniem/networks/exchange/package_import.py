"""A network out of a bioimage.io package as a model folder, tested by the package's own example."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from uniem.algorithms.filters import grey_range
from uniem.data.formats.files import write_bytes
from uniem.data.geometry import Box
from uniem.data.model_folder import ModelFolder, ModelRecord, Normalisation
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.networks.architectures import ForeignNetwork
from uniem.networks.exchange.foreign_engine import ForeignEngine
from uniem.networks.exchange.package_description import top_of
from uniem.networks.exchange.package_reading import Package, axes_of, only_tensor, onnx_source
from uniem.networks.normalisation import measure_normalisation
from uniem.networks.sections import Sections
from uniem.progress import Context

NOTHING = Normalisation(mean=0, std=1)
BY_MEAN, BY_RANGE = "zero_mean_unit_variance", "scale_range"
HARMLESS = ("ensure_dtype", "clip")
# Where its makers state no halo.
USUAL_HALO = 32


def import_package(
    path: Path, folder: ModelFolder, image: Volume | None = None, context: Context | None = None
) -> str:
    """Fill a model folder from a package, and return in words how its network did in the package's example.

    Where the package normalises each image by itself, `image` is what its gray values are measured in: once,
    so that all sections and tiles are seen alike.
    """
    package, context = Package(path), context or Context()
    content = package.read(onnx_source(package))
    taken, given = only_tensor(package, "inputs"), only_tensor(package, "outputs")
    network = _network(package, taken, given)
    steps = _steps(taken, "preprocessing")
    record = _record(package, network, given, _normalisation(steps, image, context))
    write_bytes(folder.onnx_path, content)
    folder.save_record(record)
    return _tested(package, folder, network, steps, top_of(record))


def _network(package: Package, taken: Mapping[str, Any], given: Mapping[str, Any]) -> ForeignNetwork:
    axes, answers = axes_of(taken), axes_of(given)
    sizes = [axes[side].get("size") for side in "yx"]
    sides = [size for size in sizes if isinstance(size, dict) and {"min", "step"} <= set(size)]
    if len(sides) < len(sizes):
        raise UniemError(
            "The network takes images of one size only, which would leave seams between tiles.",
            "Choose a network whose sides may be of several sizes (min and step).",
        )
    if any(answers[side].get("scale", 1) != axes[side].get("scale", 1) for side in "yx"):
        raise UniemError("The network's output has other pixels than its input.", "Choose another network.")
    halos = [_number(answers[side], "halo", 0) for side in "yx"]
    facts = {
        "channels": _channels(package, axes),
        "step": math.lcm(*(int(_number(side, "step")) for side in sides)),
        "smallest_side": max(int(_number(side, "min")) for side in sides),
        "halo": int(max(halos)) or USUAL_HALO,
        "input_axes": "".join(axes),
        "output_axes": "".join(answers),
        "activation": _activation(package, given),
    }
    try:
        return ForeignNetwork.model_validate(facts)
    except ValidationError as error:
        raise UniemError(
            f"What {package.path.name} says of its network is damaged.", "Get the package again."
        ) from error


def _channels(package: Package, axes: Mapping[str, Mapping[str, Any]]) -> int:
    channels = len(axes["c"].get("channel_names") or [""]) if "c" in axes else 1
    if channels > 1 and not (package.is_ours and channels % 2):
        raise UniemError(
            f"The network takes {channels} channels.", "Choose a network that takes gray images."
        )
    return channels


def _activation(package: Package, given: Mapping[str, Any]) -> str:
    activation = "none"
    for name, _ in _steps(given, "postprocessing"):
        if name in ("sigmoid", "softmax"):
            activation = name
        # Of our own, that makes gray values of the shares that we work with.
        elif name not in HARMLESS and not (package.is_ours and name == "scale_linear"):
            raise UniemError(
                f"The network needs {name} after it, which is not known here.", "Choose another."
            )
    return activation


def _steps(tensor: Mapping[str, Any], which: str) -> list[tuple[str, Mapping[str, Any]]]:
    steps = [step for step in tensor.get(which) or [] if isinstance(step, dict)]
    return [(str(step.get("id")), step.get("kwargs") or {}) for step in steps]


def _normalisation(
    steps: list[tuple[str, Mapping[str, Any]]], image: Volume | None, context: Context
) -> Normalisation:
    found = NOTHING
    for name, options in steps:
        if name in HARMLESS:
            continue
        if found != NOTHING:
            raise UniemError(
                "The network's images are normalised in several steps.", "Choose another network."
            )
        if name == "fixed_zero_mean_unit_variance":
            found = Normalisation(mean=_number(options, "mean"), std=_number(options, "std"))
        elif name == "scale_linear":
            gain = _number(options, "gain", 1.0)
            found = Normalisation(mean=-_number(options, "offset", 0.0) / gain, std=1 / gain)
        elif name in (BY_MEAN, BY_RANGE):
            found = _measured(name, options, image, context)
        else:
            raise UniemError(
                f"The network needs {name} before it, which is not known here.", "Choose another."
            )
    return found


def _measured(name: str, options: Mapping[str, Any], image: Volume | None, context: Context) -> Normalisation:
    if image is None:
        raise UniemError(
            "The network normalises each image by its own gray values.",
            "Name the image that it shall be applied to, in which they are measured once.",
        )
    if name == BY_MEAN:
        return measure_normalisation(Sections(image), [Box((0, 0, 0), image.shape)], context)
    low, high = grey_range(image, *_percentiles(options), context)
    if high <= low:
        raise UniemError(f"{image} has the same gray value everywhere.", "Name another image.")
    return Normalisation(mean=low, std=high - low)


def _percentiles(options: Mapping[str, Any]) -> tuple[float, float]:
    return _number(options, "min_percentile", 0.0), _number(options, "max_percentile", 100.0)


def _number(options: Mapping[str, Any], name: str, default: float | None = None) -> float:
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UniemError(
            f"The package says '{value}' for {name}.", "Only one number for all channels is known."
        )
    return float(value)


def _record(
    package: Package, network: ForeignNetwork, given: Mapping[str, Any], normalisation: Normalisation
) -> ModelRecord:
    names = tuple(map(str, axes_of(given).get("c", {}).get("channel_names") or ["object"]))
    facts: dict[str, Any] = {
        "task": "binary" if len(names) == 1 else "multi-class",
        "classes": names,
        "class_labels": () if len(names) == 1 else tuple(range(len(names))),
        **package.own_facts,
        "name": str(package.described.get("name", "")),
        "architecture": network.model_dump(),
        "normalisation": normalisation,
        "stride": network.stride,
        "receptive_field": network.receptive_field,
    }
    try:
        return ModelRecord.model_validate({"patch": network.smallest_side, "parameters": 0, **facts})
    except ValidationError as error:
        raise UniemError(
            f"What {package.path.name} says of its network is damaged.", "Get the package again."
        ) from error


def _tested(
    package: Package,
    folder: ModelFolder,
    network: ForeignNetwork,
    steps: list[tuple[str, Mapping[str, Any]]],
    top: float,
) -> str:
    """Return in words how the network does in the package's own example."""
    taken, given = only_tensor(package, "inputs"), only_tensor(package, "outputs")
    image, expected = package.array(taken), package.array(given)
    if image is None or expected is None:
        return "The package has no example, so its network was not tested."
    axes = "".join(axes_of(taken))
    order = [axes.index(axis) for axis in "byxc" if axis in axes]
    seen = _as_its_makers(image, steps).transpose(order)
    engine = ForeignEngine(folder, network, 0)
    found = engine.answer(seen if "c" in axes else seen[..., None]) * np.float32(top)
    wanted = "".join(axes_of(given))
    order = [wanted.index(axis) for axis in "byxc" if axis in wanted]
    held = expected.transpose(order)
    held = held if "c" in wanted else held[..., None]
    if held.shape != found.shape:
        raise UniemError(
            f"In the package's example the network gives {found.shape}, not {held.shape}.",
            "Get the package again.",
        )
    difference = float(np.abs(found - held).max())
    scale = max(float(np.abs(held).max()), 1e-6)
    if difference > 0.01 * scale:
        return (
            f"Beware: in the package's own example its network differs from what its makers got by up to "
            f"{difference:.2g}."
        )
    return f"In the package's own example its network gives what its makers got, to within {difference:.1g}."


def _as_its_makers(
    image: NDArray[np.float32], steps: list[tuple[str, Mapping[str, Any]]]
) -> NDArray[np.float32]:
    """Return the example normalised as the package says, by itself where that is so."""
    for name, options in steps:
        if name == BY_MEAN:
            image = (image - image.mean()) / (image.std() + _number(options, "eps", 1e-6))
        elif name == BY_RANGE:
            low, high = np.percentile(image, _percentiles(options))
            image = (image - low) / (high - low + _number(options, "eps", 1e-6))
        elif name not in HARMLESS:
            by = _normalisation([(name, options)], None, Context())
            image = (image - by.mean) / by.std
    return np.asarray(image, np.float32)
