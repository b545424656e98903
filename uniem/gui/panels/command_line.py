"""A run as the command that does the same."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from uniem.operations.operation import Operation
from uniem.operations.parameters import defaults_of


def command_of(
    operation: Operation, inputs: Sequence[str], outputs: Sequence[str], values: Mapping[str, Any]
) -> str:
    """Return `uniem OPERATION INPUT… OUTPUT… --flag value…` with what differs from the defaults."""
    words = ["uniem", operation.id, *inputs, *outputs]
    for path, value in _differences(dict(values), _defaults(operation)):
        if isinstance(value, bool):
            words.append(f"--{path}" if value else f"--no-{path}")
        else:
            words += [f"--{path}", _written(value)]
    return shlex.join(words)


def _defaults(operation: Operation) -> Any:
    try:
        return defaults_of(operation.parameters)
    except ValidationError:  # a parameter without a default is always written out
        return {}


def _differences(values: Any, defaults: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(values, dict):
        # Parameters of another kind of network are not compared with those of the default kind.
        same_kind = isinstance(defaults, dict) and values.get("kind") == defaults.get("kind")
        for name, value in values.items():
            default = (
                defaults.get(name) if isinstance(defaults, dict) and (same_kind or name == "kind") else None
            )
            yield from _differences(value, default, f"{path}.{name}".lstrip(".").replace("_", "-"))
    elif _comparable(values) != _comparable(defaults):
        yield path, values


def _comparable(value: Any) -> Any:
    return (
        [float(part) for part in value] if isinstance(value, list | tuple) and _are_numbers(value) else value
    )


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) for value in values)


def _written(value: Any) -> str:
    if value is None:
        return "none"
    return ",".join(f"{part}" for part in value) if isinstance(value, list | tuple) else str(value)
