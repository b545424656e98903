"""How an operation is told how: frozen pydantic models, and one walker that forms and flags are read off."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from uniem.data.geometry import VoxelSize
from uniem.errors import UniemError


class Parameters(BaseModel):
    """The parameters of an operation: frozen, and a misspelt name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def _read_voxel_size(value: Any) -> Any:
    try:
        return VoxelSize.parse(value) if isinstance(value, str) else value
    except UniemError as error:
        # Only a ValueError is put down to its parameter by pydantic.
        raise ValueError(f"{error.message.removesuffix('.')}; {error.hint.removesuffix('.')}") from error


VoxelSizeNm = Annotated[VoxelSize, BeforeValidator(_read_voxel_size)]


class Shape(StrEnum):
    """The shape of a parameter, which decides its editor and its flag."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    TEXT = "text"
    CHOICE = "choice"
    VOXEL_SIZE = "voxel-size"
    GROUP = "group"
    VARIANT = "variant"


@dataclass(frozen=True, slots=True)
class ParameterField:
    """One parameter, as a form or a command line sees it.

    Attributes
    ----------
    path : tuple of str
        The names from the top model down, as in ("network", "depth").
    optional : bool
        Whether None is allowed.
    minimum, maximum : float or None
        Bounds; `open_minimum` tells that the minimum itself is not allowed.
    choices : tuple of str
        The allowed values of a CHOICE, or the kinds of a VARIANT.
    models : dict
        The nested model of a GROUP under its own name, or one model per kind of a VARIANT.
    """

    path: tuple[str, ...]
    shape: Shape
    help: str
    default: Any
    optional: bool = False
    minimum: float | None = None
    maximum: float | None = None
    open_minimum: bool = False
    choices: tuple[str, ...] = ()
    models: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    discriminator: str = ""
    unit: str = ""
    advanced: bool = False

    @property
    def name(self) -> str:
        """The last name of the path."""
        return self.path[-1]

    @property
    def title(self) -> str:
        """The name as people read it."""
        words = self.name.replace("_", " ")
        return words[:1].upper() + words[1:]

    @property
    def flag(self) -> str:
        """The name as a command-line flag."""
        return "--" + ".".join(part.replace("_", "-") for part in self.path)


def fields_of(model: type[BaseModel], prefix: tuple[str, ...] = ()) -> list[ParameterField]:
    """List the parameters of a model in the order they were declared, without those of nested models."""
    return [
        _field_of((*prefix, name), info, model)
        for name, info in model.model_fields.items()
        if not _is_discriminator(info)
    ]


def validated(model: type[Parameters], values: Mapping[str, Any]) -> Parameters:
    """Return the model made from plain values; raise one UniemError that names every wrong parameter."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [f"{path or 'parameters'}: {message}" for path, message in messages_of(error, model).items()]
        raise UniemError("; ".join(lines) + ".", "Correct the named parameters.") from error


def messages_of(error: ValidationError, model: type[BaseModel] | None = None) -> dict[str, str]:
    """Return the message of each wrong parameter under its dotted path, without union tags."""
    messages: dict[str, str] = {}
    for item in error.errors():
        parts = tuple(str(part) for part in item["loc"])
        path = ".".join(_without_tags(parts, model) if model else parts)
        value = item["input"]
        text = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            text = "there is no such parameter"
        elif isinstance(value, str | int | float | bool | None):
            text = f"{text}, not {value!r}"
        messages[path] = text[:1].lower() + text[1:]
    return messages


def _without_tags(parts: tuple[str, ...], model: type[BaseModel]) -> tuple[str, ...]:
    """Leave out the kinds that pydantic puts after the name of a variant."""
    found = {field.name: field for field in fields_of(model)}.get(parts[0]) if parts else None
    if found is None or not found.models:
        return parts
    rest = parts[1:]
    if found.shape is Shape.GROUP:
        return (parts[0], *_without_tags(rest, found.models[""]))
    if rest and rest[0] in found.models:
        return (parts[0], *_without_tags(rest[1:], found.models[rest[0]]))
    return parts


def defaults_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the default values as plain JSON values."""
    return model().model_dump(mode="json")


def _is_discriminator(info: FieldInfo) -> bool:
    return get_origin(info.annotation) is Literal and len(get_args(info.annotation)) == 1


def _field_of(path: tuple[str, ...], info: FieldInfo, model: type[BaseModel]) -> ParameterField:
    if not info.description:
        raise TypeError(f"{model.__name__}.{path[-1]} has no description")
    annotation, optional = _without_none(info.annotation)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    default = info.get_default(call_default_factory=True) if not info.is_required() else None
    shape, choices, models = _shape_of(annotation, info)
    bounds = _bounds_of(info)
    return ParameterField(
        path=path,
        shape=shape,
        help=info.description,
        default=None if default is PydanticUndefined else default,
        optional=optional,
        choices=choices,
        models=models,
        discriminator=str(info.discriminator or ""),
        unit=str(extra.get("unit", "")),
        advanced=bool(extra.get("advanced", False)),
        **bounds,
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation, False
    rest = [part for part in get_args(annotation) if part is not type(None)]
    optional = len(rest) < len(get_args(annotation))
    if len(rest) > 1:
        return Union[tuple(rest)], optional  # noqa: UP007 - the parts are known only at run time
    return _without_none(rest[0])[0], optional


def _shape_of(annotation: Any, info: FieldInfo) -> tuple[Shape, tuple[str, ...], dict[str, type[BaseModel]]]:
    simple = {
        bool: Shape.BOOL,
        int: Shape.INT,
        float: Shape.FLOAT,
        str: Shape.TEXT,
        VoxelSize: Shape.VOXEL_SIZE,
    }
    if annotation in simple:
        return simple[annotation], (), {}
    if get_origin(annotation) is Literal:
        return Shape.CHOICE, tuple(str(choice) for choice in get_args(annotation)), {}
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return Shape.CHOICE, tuple(member.value for member in annotation), {}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Shape.GROUP, (), {"": annotation}
    if get_origin(annotation) is Union and info.discriminator:
        models = {_kind_of(part, str(info.discriminator)): part for part in get_args(annotation)}
        return Shape.VARIANT, tuple(models), models
    raise TypeError(f"a parameter of type {annotation} has no form and no flag")


def _kind_of(model: type[BaseModel], discriminator: str) -> str:
    return str(get_args(model.model_fields[discriminator].annotation)[0])


def _bounds_of(info: FieldInfo) -> dict[str, Any]:
    bounds: dict[str, Any] = {}
    for part in info.metadata:
        if (low := getattr(part, "ge", None)) is not None:
            bounds["minimum"] = low
        if (low := getattr(part, "gt", None)) is not None:
            bounds.update(minimum=low, open_minimum=True)
        if (high := getattr(part, "le", None)) is not None:
            bounds["maximum"] = high
        if (high := getattr(part, "lt", None)) is not None:
            bounds["maximum"] = high
    return bounds
