"""Run an operation: open its inputs, call its body, bring its outputs to their places."""

from __future__ import annotations

import contextlib
import difflib
import errno
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import uniem
from uniem.data.edited import SeenAsEdited, as_edited
from uniem.data.formats import format_for, open_volume
from uniem.data.model_folder import ModelFolder
from uniem.data.provenance import InputRecord, Provenance, fingerprint
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.operations.operation import Operation, Role
from uniem.operations.outputs import PathOutput, VolumeOutput, check_target, path_of, unfinished
from uniem.operations.parameters import Parameters
from uniem.progress import Context

Output = VolumeOutput | PathOutput


def run_operation(
    operation: Operation,
    parameters: Parameters,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    context: Context | None = None,
    overwrite: bool = False,
    *,
    kept: dict[str, str] | None = None,
    token: str = "",
) -> None:
    """Run an operation on locations (`PATH` or `PATH::dataset`) and write its outputs at locations.

    Inputs are never changed. An output appears complete, by rename, or not at all; only a body that marked a
    path as usable, such as a training with a saved model, leaves it behind when it is cancelled or fails, and
    then never in the place of something else. Where, by the names of the outputs, is put into `kept`. The
    `token` marks what is unfinished.
    """
    context = context or Context()
    check_names(operation, inputs, outputs)
    check_places(inputs, outputs, overwrite)
    for name, role in operation.outputs.items():
        if role.is_volume:
            format_for(outputs[name])
    nouns = {name: open_input(role, inputs[name]) for name, role in operation.inputs.items()}
    edited = _with_edits(nouns, context)
    _tell_of_rests(operation, outputs, context)
    targets = targets_of(operation, outputs, token)
    prints = {name: fingerprint(noun) for name, noun in nouns.items() if isinstance(noun, Volume)}
    provenance = provenance_of(operation, parameters, inputs, prints)
    with _storage_errors(outputs), _discarding(targets):
        try:
            operation.body(**nouns, **targets, params=parameters, context=context)
            for target in targets.values():
                target.publish(_ended(provenance, target), context)
        except BaseException:
            _keep_usable(targets, provenance, {} if kept is None else kept)
            raise
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


def _tell_of_rests(operation: Operation, outputs: Mapping[str, str], context: Context) -> None:
    """Tell where a run that was killed has left a model on its way to one of the places."""
    for name, role in operation.outputs.items():
        rest = unfinished(Path(outputs[name])) if role is Role.MODEL else None
        if rest is not None and ModelFolder.is_model(rest):
            context.message(
                f"A training that was killed, or still runs, has left a model in {rest}; "
                "resume-2d can go on from it."
            )


def targets_of(operation: Operation, outputs: Mapping[str, str], token: str = "") -> dict[str, Output]:
    """Return the outputs of a run, to be made under names that hold its token."""
    return {name: _make_output(role, outputs[name], token) for name, role in operation.outputs.items()}


def _make_output(role: Role, location: str, token: str) -> Output:
    if role.is_volume:
        return VolumeOutput(location, Kind.LABELS if role is Role.LABELS else Kind.IMAGE, token)
    return PathOutput(location, token)


def _keep_usable(targets: Mapping[str, Output], provenance: Provenance, kept: dict[str, str]) -> None:
    """Bring what an interrupted run has marked as usable to its place."""
    for name, target in targets.items():
        if isinstance(target, PathOutput) and target.is_usable and target.path.exists():
            kept[name] = str(target.keep(_ended(provenance, target)))


def _ended(provenance: Provenance, target: Output) -> Provenance:
    return provenance.model_copy(update={"device": target.device, "ended": datetime.now(UTC)})


def provenance_of(
    operation: Operation,
    parameters: Parameters,
    inputs: Mapping[str, str],
    fingerprints: Mapping[str, str],
    started: datetime | None = None,
) -> Provenance:
    """Return what is known of where a run's outputs come from; without a time it begins now."""
    records = {
        name: InputRecord(location=location, fingerprint=fingerprints.get(name, ""))
        for name, location in inputs.items()
    }
    recorded = parameters.model_dump(mode="json")
    return Provenance(
        operation=operation.id,
        version=operation.version,
        parameters=recorded,
        seed=recorded.get("seed"),
        inputs=records,
        uniem_version=uniem.__version__,
        started=started or datetime.now(UTC),
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
