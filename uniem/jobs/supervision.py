"""Run a piece of work and tell truly how it ended: the border between operations and their starters."""

from __future__ import annotations

import os
import platform
import traceback
from collections.abc import Callable, Mapping

import uniem
from uniem.errors import UniemError
from uniem.jobs.events import Cancelled, Event, Failed, Finished, Started
from uniem.jobs.reporting import JobContext
from uniem.jobs.request import JobRequest, resolve
from uniem.progress import Cancelled as CancelledByCaller

DONE, FAILED, BAD_INPUT, CANCELLED = 0, 1, 2, 3

Report = Callable[[Event], None]
Work = Callable[[JobContext], Mapping[str, str]]


def supervise(
    name: str, work: Work, report: Report, context: JobContext, kept: Callable[[], Mapping[str, str]]
) -> int:
    """Run a piece of work, report its beginning and its end, and return the exit code.

    0: done, 1: failed, 2: bad input, 3: cancelled. `work` returns the locations of its outputs; `kept` tells
    which outputs are usable although the work did not come to its end.
    """
    report(Started(operation=name, pid=os.getpid(), host=platform.node(), uniem_version=uniem.__version__))
    try:
        outputs = work(context)
    except (CancelledByCaller, KeyboardInterrupt):
        context.flush()
        report(Cancelled(outputs=dict(kept())))
        return CANCELLED
    except UniemError as error:
        report(Failed(error=error.message, hint=error.hint, outputs=dict(kept())))
        return BAD_INPUT
    except MemoryError:
        hint = "Close other programs, or choose smaller patches, tiles or blocks."
        report(
            Failed(
                error="The memory of this computer is not enough.",
                hint=hint,
                traceback=traceback.format_exc(),
                outputs=dict(kept()),
            )
        )
        return FAILED
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever went wrong must be told, not vanish
        told = f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(": ")
        sentence = f"{name} failed unexpectedly ({told})."
        hint = "This may be a bug; see the log."
        report(Failed(error=sentence, hint=hint, traceback=traceback.format_exc(), outputs=dict(kept())))
        return FAILED
    context.flush()
    report(Finished(outputs=dict(outputs)))
    return DONE


def execute(request: JobRequest, report: Report, context: JobContext, token: str = "") -> int:
    """Run what a request asks for, report what happens, and return the exit code.

    The `token` marks what is unfinished, see `run_operation`.
    """
    kept: dict[str, str] = {}

    def work(context: JobContext) -> Mapping[str, str]:
        run_request(request, context, kept, token)
        return request.outputs

    return supervise(request.operation, work, report, context, lambda: kept)


def run_request(request: JobRequest, context: JobContext, kept: dict[str, str], token: str = "") -> None:
    """Run what a request asks for; raise as its operation does, with what is usable in `kept`."""
    # Imported only after the first event is out: this takes most of a second.
    from uniem.operations.execution import run_operation

    operation, parameters = resolve(request)
    run_operation(
        operation,
        parameters,
        request.inputs,
        request.outputs,
        context,
        request.overwrite,
        kept=kept,
        token=token,
    )
