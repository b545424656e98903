"""Flags and places of a command line, read off an operation, and the request that they make."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from pydantic import BaseModel, ValidationError

from uniem.errors import UniemError
from uniem.jobs.request import JobRequest
from uniem.operations.operation import Operation
from uniem.operations.parameters import ParameterField, Shape, fields_of, messages_of

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A parameter that has a flag; `kind` tells for which kind of a variant, empty for all."""

    field: ParameterField
    kind: str = ""


def leaves_of(model: type[BaseModel], prefix: Path = (), kind: str = "") -> list[Leaf]:
    """List the parameters of a model and of its nested models, each kind of a variant included."""
    leaves: list[Leaf] = []
    for field in fields_of(model, prefix):
        if field.shape is Shape.GROUP:
            leaves += leaves_of(field.models[""], field.path, kind)
        elif field.shape is Shape.VARIANT:
            leaves.append(Leaf(_kind_field(field), kind))
            for name, variant in field.models.items():
                leaves += leaves_of(variant, field.path, name)
        else:
            leaves.append(Leaf(field, kind))
    return leaves


def usage_of(operation: Operation) -> str:
    """Return how a command is written, as in `uniem label IMAGE RESULT`."""
    return " ".join(["uniem", operation.id, *places_of(operation)])


def places_of(operation: Operation) -> list[str]:
    """Return the names of the inputs and outputs as a command line writes them."""
    return [name.upper() for name in (*operation.inputs, *operation.outputs)]


@dataclass(frozen=True, slots=True)
class Command:
    """What a command line asks for."""

    request: JobRequest
    is_json: bool


class ArgumentReader(argparse.ArgumentParser):
    """Read arguments, and raise `UniemError` where argparse would print and exit."""

    def __init__(self, name: str) -> None:
        super().__init__(prog=f"uniem {name}", add_help=False, allow_abbrev=False)
        self.name = name
        self.hint = f"See `uniem {name} --help`."

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong."""
        text = message.removeprefix("argument ")
        raise UniemError(text[:1].upper() + text[1:] + ".", self.hint)

    def read(self, arguments: Sequence[str]) -> dict[str, Any]:
        """Return the values given; raise for unknown flags, with the nearest known ones."""
        found, unknown = self.parse_known_intermixed_args(_joined(arguments))
        wrong = [text.partition("=")[0] for text in unknown if text.startswith("-")]
        if wrong:
            known = [flag for action in self._actions for flag in action.option_strings]
            nearest = difflib.get_close_matches(wrong[0], known, 3)
            hint = f"Did you mean {' or '.join(nearest)}?" if nearest else self.hint
            raise UniemError(f"{self.name} has no parameter {wrong[0]}.", hint)
        if unknown:
            raise UniemError(f"{self.name} does not know what to do with {unknown[0]}.", self.hint)
        return vars(found)


def parse_command(operation: Operation, arguments: Sequence[str]) -> Command:
    """Return what a command line asks of an operation; raise `UniemError` with every fault it has."""
    reader = ArgumentReader(operation.id)
    reader.add_argument("places", nargs="*")
    reader.add_argument("--overwrite", action="store_true")
    reader.add_argument("--json", action="store_true")
    for flag, leaves in _by_flag(leaves_of(operation.parameters)).items():
        is_switch = all(leaf.field.shape is Shape.BOOL and not leaf.field.optional for leaf in leaves)
        action: Any = argparse.BooleanOptionalAction if is_switch else "store"
        dest = ".".join(leaves[0].field.path)
        reader.add_argument(flag, dest=dest, action=action, default=argparse.SUPPRESS)
    given = reader.read(arguments)
    places, overwrite, is_json = given.pop("places"), given.pop("overwrite"), given.pop("json")
    values = assemble(operation.parameters, {tuple(name.split(".")): value for name, value in given.items()})
    inputs, outputs = _placed(operation, places)
    request = JobRequest(
        operation=operation.id,
        version=operation.version,
        parameters=_checked(operation.parameters, values),
        inputs=inputs,
        outputs=outputs,
        overwrite=overwrite,
    )
    return Command(request, is_json)


def assemble(model: type[BaseModel], given: Mapping[Path, Any], prefix: Path = ()) -> dict[str, Any]:
    """Return the nested values that flags give; what no flag names keeps its default."""
    values: dict[str, Any] = {}
    for field in fields_of(model, prefix):
        if field.shape in (Shape.GROUP, Shape.VARIANT):
            inside = {path: value for path, value in given.items() if path[: len(field.path)] == field.path}
            if inside:
                values[field.name] = _nested(field, inside)
        elif field.path in given:
            values[field.name] = _read(field, given[field.path])
    return values


def _nested(field: ParameterField, given: Mapping[Path, Any]) -> dict[str, Any]:
    default = field.default.model_dump(mode="json") if isinstance(field.default, BaseModel) else {}
    if field.shape is Shape.GROUP:
        return _overlaid(default, assemble(field.models[""], given, field.path))
    kind_path = (*field.path, field.discriminator)
    default_kind = default.get(field.discriminator, field.choices[0])
    kind = given.get(kind_path, default_kind)
    if kind not in field.models:
        nearest = difflib.get_close_matches(kind, field.choices, 1)
        hint = f"Did you mean {nearest[0]}?" if nearest else f"Choose {', '.join(field.choices)}."
        raise UniemError(f"{_kind_field(field).flag} cannot be {kind}.", hint)
    model = field.models[kind]
    allowed = {leaf.field.path for leaf in leaves_of(model, field.path)} | {kind_path}
    if strangers := [path for path in given if path not in allowed]:
        raise _not_of_kind(field, kind, strangers[0])
    base = default if kind == default_kind else {}
    return {**_overlaid(base, assemble(model, given, field.path)), field.discriminator: kind}


def _not_of_kind(field: ParameterField, kind: str, path: Path) -> UniemError:
    flag = replace(field, path=path).flag
    owners = [
        name
        for name, model in field.models.items()
        if path in {leaf.field.path for leaf in leaves_of(model, field.path)}
    ]
    own = [leaf.field.flag for leaf in leaves_of(field.models[kind], field.path)]
    return UniemError(
        f"{flag} is a parameter of {' and '.join(owners)}, but {_kind_field(field).flag} is {kind}.",
        f"{kind} takes {', '.join(own) or 'no parameters'}.",
    )


def _kind_field(field: ParameterField) -> ParameterField:
    default = getattr(field.default, field.discriminator, field.choices[0])
    path = (*field.path, field.discriminator)
    return replace(field, path=path, shape=Shape.CHOICE, default=default, models={}, discriminator="")


def _overlaid(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in top.items():
        below = merged.get(name)
        if isinstance(below, dict) and isinstance(value, dict) and below.get("kind") == value.get("kind"):
            value = _overlaid(below, value)
        merged[name] = value
    return merged


def _read(field: ParameterField, value: Any) -> Any:
    if isinstance(value, str) and field.optional and value.lower() == "none" and "none" not in field.choices:
        return None
    return value


def _checked(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return model.model_validate(values).model_dump(mode="json")
    except ValidationError as error:
        flags = {".".join(leaf.field.path): leaf.field.flag for leaf in leaves_of(model)}
        faults = [f"{flags.get(path, path)}: {text}" for path, text in messages_of(error, model).items()]
        raise UniemError("; ".join(faults) + ".", "Correct the named parameters.") from error


def _placed(operation: Operation, places: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    names = places_of(operation)
    if len(places) != len(names):
        got = f"{len(places)} {'was' if len(places) == 1 else 'were'} given"
        got += f" ({' '.join(places)})" if places else ""
        raise UniemError(
            f"{operation.id} takes {len(names)} locations, {got}.", f"Write: {usage_of(operation)}"
        )
    count = len(operation.inputs)
    inputs = dict(zip(operation.inputs, places[:count], strict=True))
    return inputs, dict(zip(operation.outputs, places[count:], strict=True))


def _by_flag(leaves: Sequence[Leaf]) -> dict[str, list[Leaf]]:
    groups: dict[str, list[Leaf]] = {}
    for leaf in leaves:
        groups.setdefault(leaf.field.flag, []).append(leaf)
    return groups


def _joined(arguments: Sequence[str]) -> list[str]:
    """Join flags with negative numbers after them, such as -1e-3, which argparse takes for flags."""
    joined: list[str] = []
    for text in arguments:
        before = joined[-1] if joined else ""
        if text.startswith("-") and _is_number(text) and before.startswith("--") and "=" not in before:
            joined[-1] = f"{before}={text}"
        else:
            joined.append(text)
    return joined


def _is_number(text: str) -> bool:
    # Also "-50,4,4", a voxel size that is wrong but no flag.
    try:
        return all(float(part) is not None for part in text.split(","))
    except ValueError:
        return False
