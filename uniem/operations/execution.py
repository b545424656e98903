"""Run an operation: open its inputs, call its body, bring its outputs to their places."""

from __future__ import annotations

import contextlib
import difflib
import errno
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uniem
from uniem.data.edited import SeenAsEdited, as_edited
from uniem.data.formats import format_for, open_volume
from uniem.data.model_folder import ModelFolder
from uniem.data.provenance import InputRecord, Provenance, fingerprint
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.operations.operation import Operation, Role
from uniem.operations.outputs import PathOutput, VolumeOutput, check_target, path_of
from uniem.operations.parameters import Parameters
from uniem.progress import Cancelled, Context

Output = VolumeOutput | PathOutput


def run_operation(
    operation: Operation,
    parameters: Parameters,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    context: Context | None = None,
    overwrite: bool = False,
) -> None:
    """Run an operation on locations (`PATH` or `PATH::dataset`) and write its outputs at locations.

    Inputs are never changed. An output appears complete, by rename, or not at all; only a body that marked a
    path as usable, such as a training with a saved model, leaves it behind when cancelled.
    """
    context = context or Context()
    check_names(operation, inputs, outputs)
    check_places(inputs, outputs, overwrite)
    for name, role in operation.outputs.items():
        if role.is_volume:
            format_for(outputs[name])
    nouns = {name: open_input(role, inputs[name]) for name, role in operation.inputs.items()}
    edited = _with_edits(nouns, context)
    targets = {name: _make_output(role, outputs[name]) for name, role in operation.outputs.items()}
    started = datetime.now(UTC)

    def publish(names: Mapping[str, Output]) -> None:
        provenance = _provenance(operation, parameters, inputs, nouns, started)
        for target in names.values():
            target.publish(provenance.model_copy(update={"device": target.device}), context)

    with _storage_errors(outputs), _discarding(targets):
        try:
            operation.body(**nouns, **targets, params=parameters, context=context)
        except Cancelled:
            publish({n: t for n, t in targets.items() if isinstance(t, PathOutput) and t.is_usable})
            raise
        publish(targets)
    for warning in (seen.warning() for seen in edited):
        if warning:
            context.message(warning)


def open_input(role: Role, location: str) -> Volume | ModelFolder | Path:
    """Open what stands at a location, in the role an operation gives it."""
    if role.is_volume:
        volume = open_volume(location, Kind.LABELS if role is Role.LABELS else None)
        if role is Role.LABELS and volume.dtype.kind not in "bui":
            raise UniemError(
                f"{volume} holds {volume.dtype} numbers, not labels.",
                "Threshold it first, or give a label volume.",
            )
        return volume
    path = Path(location)
    if not path.exists():
        raise UniemError(f"There is no {path}.", "Check the path.")
    return ModelFolder.open(path) if role is Role.MODEL else path


def _with_edits(nouns: dict[str, Volume | ModelFolder | Path], context: Context) -> list[SeenAsEdited]:
    """Put volumes as their editors see them in the places of those on the disk, and tell."""
    found = []
    for name, noun in nouns.items():
        seen = as_edited(noun) if isinstance(noun, Volume) else None
        if seen is not None:
            nouns[name] = seen.volume
            context.message(seen.notice)
            found.append(seen)
    return found


def check_names(operation: Operation, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Raise if inputs or outputs are missing or unknown."""
    for given, declared, word in (
        (inputs, operation.inputs, "input"),
        (outputs, operation.outputs, "output"),
    ):
        missing = [name for name in declared if not given.get(name)]
        unknown = [name for name in given if name not in declared]
        if missing:
            raise UniemError(f"{operation.id} needs the {word} {', '.join(missing)}.", f"Name its {word}s.")
        if unknown:
            nearest = difflib.get_close_matches(unknown[0], declared, 1)
            hint = f"Did you mean {nearest[0]}?" if nearest else f"It takes {', '.join(declared) or 'none'}."
            raise UniemError(f"{operation.id} has no {word} named {unknown[0]}.", hint)


def check_places(inputs: Mapping[str, str], outputs: Mapping[str, str], overwrite: bool) -> None:
    """Raise if an output cannot be written, or would change an input."""
    # os.path, unlike pathlib, takes names that are too long and links that go round in a circle.
    sources = [Path(os.path.realpath(path_of(location))) for location in inputs.values()]
    finals: list[Path] = []
    for location in outputs.values():
        path = Path(os.path.realpath(path_of(location)))
        for source in sources:
            if path == source or (os.path.isdir(source) and source in path.parents):  # noqa: PTH112
                raise UniemError(
                    f"The output {path} lies in the input {source}.", "Choose a place outside the inputs."
                )
        if path in finals:
            raise UniemError(f"Two outputs would be written to {path}.", "Give each output its own name.")
        finals.append(path)
        check_target(location, overwrite)


def _make_output(role: Role, location: str) -> Output:
    if role.is_volume:
        return VolumeOutput(location, Kind.LABELS if role is Role.LABELS else Kind.IMAGE)
    return PathOutput(location)


def _provenance(
    operation: Operation,
    parameters: Parameters,
    inputs: Mapping[str, str],
    nouns: Mapping[str, Any],
    started: datetime,
) -> Provenance:
    records = {
        name: InputRecord(
            location=inputs[name], fingerprint=fingerprint(noun) if isinstance(noun, Volume) else ""
        )
        for name, noun in nouns.items()
    }
    recorded = parameters.model_dump(mode="json")
    return Provenance(
        operation=operation.id,
        version=operation.version,
        parameters=recorded,
        seed=recorded.get("seed"),
        inputs=records,
        uniem_version=uniem.__version__,
        started=started,
        ended=datetime.now(UTC),
    )


@contextlib.contextmanager
def _discarding(targets: Mapping[str, Output]) -> Iterator[None]:
    try:
        yield
    finally:
        for target in targets.values():
            target.discard()


@contextlib.contextmanager
def _storage_errors(outputs: Mapping[str, str]) -> Iterator[None]:
    """Say in words that a disk is full or may not be written."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        places = ", ".join(outputs.values())
        raise UniemError(
            f"Cannot write {places}: {error.strerror}.", "Free some space or choose another place."
        ) from error
