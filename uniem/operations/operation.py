"""What an operation is: a function on nouns, with its parameters, declared once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from numpy.typing import DTypeLike, NDArray

from uniem.algorithms.blockwise import filter_sections, filter_volume
from uniem.data.geometry import Box, Triple
from uniem.data.volume import Kind, Volume
from uniem.operations.outputs import VolumeOutput
from uniem.operations.parameters import Parameters, fields_of
from uniem.progress import Context

ACRONYMS = frozenset({"2d", "3d", "clahe", "cnn", "ffn", "onnx"})


class Role(StrEnum):
    """What an input or output of an operation is."""

    IMAGE = "image"
    LABELS = "labels"
    VOLUME = "volume"
    MODEL = "model"
    MESHES = "meshes"
    TABLE = "table"
    PROJECT = "project"
    ONNX = "onnx"
    PACKAGE = "package"

    @property
    def is_volume(self) -> bool:
        """Tell whether it is made of voxels."""
        return self in (Role.IMAGE, Role.LABELS, Role.VOLUME)

    @property
    def is_shown(self) -> bool:
        """Tell whether a window can open it; projects, and files for other programs, it cannot."""
        return self not in (Role.PROJECT, Role.ONNX, Role.PACKAGE)


Body = Callable[..., Any]
Preview = Callable[[Volume, int, Any], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A verb: what it needs, what it makes, how it can be told to, and its body.

    Attributes
    ----------
    menu : str
        Where it stands in the menus, as in "Segment/Labels".
    device : {"cpu", "gpu"}
        Which device a worker should reserve for it.
    preview : callable or None
        `(volume, z, params) -> (y, x)`: the result on one section, for the live preview.
    """

    id: str
    version: int
    menu: str
    device: Literal["cpu", "gpu"]
    inputs: Mapping[str, Role]
    outputs: Mapping[str, Role]
    parameters: type[Parameters]
    body: Body
    preview: Preview | None = None

    @property
    def summary(self) -> str:
        """The first line of the body's docstring: one imperative sentence."""
        return inspect.getdoc(self.body).partition("\n")[0]  # type: ignore[union-attr]  # checked at registration

    @property
    def description(self) -> str:
        """The rest of the body's docstring."""
        return inspect.getdoc(self.body).partition("\n")[2].strip()  # type: ignore[union-attr]

    @property
    def title(self) -> str:
        """The name in menus."""
        return title_of(self.id)


def title_of(id: str) -> str:
    """Return the id of an operation as people write it."""
    words = " ".join(word.upper() if word in ACRONYMS else word for word in id.split("-"))
    return words[:1].upper() + words[1:]


_declared: dict[str, Operation] = {}


def declared() -> dict[str, Operation]:
    """Return every operation declared so far, by id."""
    return dict(_declared)


def operation(
    id: str,
    *,
    menu: str,
    inputs: Mapping[str, Role],
    outputs: Mapping[str, Role],
    version: int = 1,
    device: Literal["cpu", "gpu"] = "cpu",
    preview: Preview | None = None,
) -> Callable[[Body], Body]:
    """Declare a function of (inputs…, outputs…, params, context) as an operation."""

    def declare(body: Body) -> Body:
        expected = [*inputs, *outputs, "params", "context"]
        signature = inspect.signature(body, eval_str=True)
        if list(signature.parameters) != expected:
            raise TypeError(f"{id}: the body takes {list(signature.parameters)}, not {expected}")
        _declare(Operation(id, version, menu, device, inputs, outputs, _model_of(signature), body, preview))
        return body

    return declare


SectionFunction = Callable[[NDArray[Any], Any], NDArray[Any]]
BlockFunction = Callable[[NDArray[Any], Any], NDArray[Any]]


def section_filter(
    id: str, *, menu: str, version: int = 1, dtype: DTypeLike | None = None, kind: Kind | None = None
) -> Callable[[SectionFunction], SectionFunction]:
    """Declare a function of a section, `(y, x), params -> (y, x)`, as an operation on volumes.

    The result has the image's dtype and kind unless others are named here.
    """

    def declare(function: SectionFunction) -> SectionFunction:
        def body(image: Volume, result: VolumeOutput, params: Any, context: Context) -> None:
            out = result.create_like(image, dtype=dtype, kind=kind)
            filter_sections(lambda section: function(section, params), image, out, context=context)

        def preview(image: Volume, z: int, params: Any) -> NDArray[Any]:
            return function(image[z], params)

        _declare_filter(id, menu, version, function, body, preview, kind)
        return function

    return declare


def block_filter(
    id: str,
    *,
    menu: str,
    halo: Callable[[Any], Triple],
    version: int = 1,
    dtype: DTypeLike | None = None,
    kind: Kind | None = None,
) -> Callable[[BlockFunction], BlockFunction]:
    """Declare a function of a block, `(z, y, x), params -> (z, y, x)`, as an operation on volumes.

    `halo(params)` tells how many voxels beyond a block the result depends on, along z, y and x.
    """

    def declare(function: BlockFunction) -> BlockFunction:
        def body(image: Volume, result: VolumeOutput, params: Any, context: Context) -> None:
            out = result.create_like(image, dtype=dtype, kind=kind)
            reach = halo(params)
            filter_volume(lambda block: function(block, params), image, out, halo=reach, context=context)

        def preview(image: Volume, z: int, params: Any) -> NDArray[Any]:
            reach = halo(params)[0]
            first, last = max(0, z - reach), min(image.shape[0], z + reach + 1)
            block = image.read(Box((first, 0, 0), (last, image.shape[1], image.shape[2])))
            section: NDArray[Any] = function(block, params)[z - first]
            return section

        _declare_filter(id, menu, version, function, body, preview, kind)
        return function

    return declare


def _declare_filter(
    id: str, menu: str, version: int, function: Body, body: Body, preview: Preview, kind: Kind | None
) -> None:
    body.__doc__ = function.__doc__
    result = Role.LABELS if kind is Kind.LABELS else Role.IMAGE
    model = _model_of(inspect.signature(function, eval_str=True))
    inputs, outputs = {"image": Role.IMAGE}, {"result": result}
    _declare(Operation(id, version, menu, "cpu", inputs, outputs, model, body, preview))


def _declare(new: Operation) -> None:
    doc = inspect.getdoc(new.body)
    if not doc or not doc.partition("\n")[0].endswith("."):
        raise TypeError(f"{new.id}: the docstring must begin with one sentence")
    if new.id in _declared:
        raise TypeError(f"there already is an operation named {new.id}")
    fields_of(new.parameters)
    _declared[new.id] = new


def _model_of(signature: inspect.Signature) -> type[Parameters]:
    model = signature.parameters["params"].annotation
    if not (isinstance(model, type) and issubclass(model, Parameters)):
        raise TypeError(f"params must be annotated with a Parameters model, not {model}")
    return model
