"""The commands of `uniem`, and how each ends."""

from __future__ import annotations

import difflib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import uniem
from uniem.cli.crash_report import unexpected
from uniem.cli.display import has_display
from uniem.cli.quiet_registry import quiet_registry
from uniem.cli.unsaved import see_unsaved_edits
from uniem.data.location import is_web_address, read_location, split_location
from uniem.errors import UniemError
from uniem.jobs.interrupts import Interrupts
from uniem.jobs.supervision import BAD_INPUT, CANCELLED, DONE, FAILED

ENDINGS = {"finished": "Done", "cancelled": "Cancelled", "failed": "Failed"}
OpenWindow = Callable[[list[str]], int]


def main(argv: Sequence[str], open_window: OpenWindow | None = None) -> int:
    """Run a command line and return the exit code: 0 done, 1 failed, 2 bad arguments or input, 3 cancelled.

    `open_window` shows the window with locations in it; whoever starts the program knows how.
    """
    see_unsaved_edits()
    try:
        return _dispatch(list(argv), open_window)
    except UniemError as error:
        _complain(error.message, error.hint)
        return BAD_INPUT
    except KeyboardInterrupt:
        _complain("Cancelled.")
        return CANCELLED
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; Python must not try to flush what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:  # noqa: BLE001 - the border of the command line: a sentence, not a traceback
        _complain(*unexpected(f"uniem failed unexpectedly ({type(error).__name__}).", traceback.format_exc()))
        return FAILED


def _dispatch(argv: list[str], open_window: OpenWindow | None) -> int:
    name, rest = (argv[0], argv[1:]) if argv else ("--help", [])
    if ("-h" in rest or "--help" in rest) and name in _commands():
        return _say(_description(name))
    if name in ("-h", "--help", "help"):
        return _say(_general_help() if name != "help" or not rest else _description(rest[0]))
    if name in ("-V", "--version"):
        return _say(f"uniem {uniem.__version__}")
    if name == "run-job":
        return _run_job(rest)
    if name == "gui":
        return _gui(rest, open_window)
    if name.startswith("-"):
        raise UniemError(f"uniem has no option {name}.", "See `uniem --help`.")
    commands = {
        "info": _info,
        "list": _list,
        "describe": _describe,
        "networks": _networks,
        "run": _run,
        "status": _status,
        "project": _project,
        "demo": _demo,
        "sample": _sample,
        "tensorboard": _tensorboard,
    }
    if name in commands:
        return commands[name](rest)
    # A desktop starts the program with what was dropped on its icon.
    return _gui(argv, open_window) if _is_to_be_opened(name) else _operate(name, rest)


def _info(arguments: list[str]) -> int:
    from uniem.cli import info

    reader = _reader("info")
    reader.add_argument("locations", nargs="+")
    reader.add_argument("--json", action="store_true")
    given = reader.read(arguments)
    found, problems = info.infos(given["locations"])
    if given["json"]:
        _say(_json(found))
    elif found:
        _say("\n".join(map(info.text_of, found)))
    for problem in problems:
        _complain(problem.message, problem.hint)
    return BAD_INPUT if problems else DONE


def _list(arguments: list[str]) -> int:
    from uniem.cli import reference
    from uniem.operations.registry import operations, plugins

    reader = _reader("list")
    reader.add_argument("--json", action="store_true")
    is_json = reader.read(arguments)["json"]
    with quiet_registry():
        chosen = operations().values()
    for plugin in plugins():
        if plugin.error:
            _complain(f"The plugin {plugin.location} failed to load: {plugin.error.strip().splitlines()[-1]}")
    return _say(_json(reference.list_json(chosen)) if is_json else reference.list_text(chosen))


def _describe(arguments: list[str]) -> int:
    from uniem.cli import reference

    reader = _reader("describe")
    reader.add_argument("operation")
    reader.add_argument("--json", action="store_true")
    given = reader.read(arguments)
    if not given["json"]:
        return _say(_description(given["operation"]))
    return _say(_json(reference.describe_json(_find(given["operation"]))))


def _networks(arguments: list[str]) -> int:
    from uniem.cli import network_list
    from uniem.networks.architectures import networks

    reader = _reader("networks")
    reader.add_argument("--json", action="store_true")
    is_json = reader.read(arguments)["json"]
    return _say(
        _json(network_list.networks_json(networks())) if is_json else network_list.networks_text(networks())
    )


def _run(arguments: list[str]) -> int:
    from uniem.jobs.request import JobRequest

    reader = _reader("run")
    reader.add_argument("request")
    reader.add_argument("--overwrite", action="store_true")
    reader.add_argument("--json", action="store_true")
    given = reader.read(arguments)
    request = JobRequest.read(given["request"])
    if given["overwrite"]:
        request = request.model_copy(update={"overwrite": True})
    return _execute(request, given["json"])


def _operate(name: str, arguments: list[str]) -> int:
    from uniem.cli import flags

    operation = _find(name)
    if "-h" in arguments or "--help" in arguments:
        return _say(_description(name))
    command = flags.parse_command(operation, arguments)
    return _execute(command.request, command.is_json)


def _demo(arguments: list[str]) -> int:
    from uniem.jobs.reporting import JobContext

    reader = _reader("demo")
    reader.add_argument("folder")
    reader.add_argument("--json", action="store_true")
    given = reader.read(arguments)
    folder = Path(given["folder"])

    def work(context: JobContext) -> Mapping[str, str]:
        from uniem.demo import run_demo

        run_demo(folder, context)
        return {"demo": str(folder)}

    return _supervise("demo", work, dict, given["json"])


def _sample(arguments: list[str]) -> int:
    from uniem.cli import sample

    reader = _reader("sample")
    reader.add_argument("folder")
    reader.add_argument("--shape")
    reader.add_argument("--json", action="store_true")
    given = reader.read(arguments)
    folder = Path(given["folder"])
    shape = None if given["shape"] is None else sample.parse_shape(given["shape"])

    def work(context: Any) -> Mapping[str, str]:
        sample.write_sample(folder, shape, context)
        return {"sample": str(folder)}

    return _supervise("sample", work, dict, given["json"])


def _status(arguments: list[str]) -> int:
    from uniem.cli import job_report

    reader = _reader("status")
    reader.add_argument("folder")
    reader.add_argument("--json", action="store_true")
    given = reader.read(arguments)
    job = job_report.look_at(Path(given["folder"]))
    return _say(_json(job_report.report_json(job)) if given["json"] else job_report.report_text(job))


def _project(arguments: list[str]) -> int:
    from uniem.cli import project_report

    reader = _reader("project")
    reader.add_argument("project")
    reader.add_argument("--json", action="store_true")
    given = reader.read(arguments)
    report = project_report.report_json(given["project"])
    return _say(_json(report) if given["json"] else project_report.report_text(report))


def _tensorboard(arguments: list[str]) -> int:
    from uniem.cli import tensorboard

    reader = _reader("tensorboard")
    reader.add_argument("folders", nargs="*", type=Path)
    reader.add_argument("--port", type=int, default=0)
    reader.add_argument("--follow-input", action="store_true")
    given = reader.read(arguments)
    if not given["folders"] and not given["follow_input"]:
        raise UniemError("Which trainings?", "Name the folders of models: uniem tensorboard MODEL...")
    tensorboard.serve(given["folders"], given["port"], _say, given["follow_input"])
    return DONE


def _execute(request: Any, is_json: bool) -> int:
    from uniem.jobs.supervision import run_request

    located = request.located()
    kept: dict[str, str] = {}

    def work(context: Any) -> Mapping[str, str]:
        run_request(located, context, kept)
        outputs: Mapping[str, str] = request.outputs
        return outputs

    return _supervise(request.operation, work, lambda: kept, is_json)


def _supervise(name: str, work: Any, kept: Callable[[], Mapping[str, str]], is_json: bool) -> int:
    """Run a piece of work in this process, showing what happens, and return the exit code."""
    from uniem.cli.terminal import JsonLines, Terminal, TerminalLog, duration, results_table
    from uniem.jobs.events import Cancelled, Event, Failed, Finished
    from uniem.jobs.reporting import JobContext
    from uniem.jobs.supervision import supervise

    terminal = JsonLines() if is_json else Terminal()
    began = time.monotonic()

    def report(event: Event) -> None:
        terminal.report(event)
        if is_json or not isinstance(event, Finished | Cancelled | Failed):
            return
        if event.outputs or not isinstance(event, Failed):
            places = f": {', '.join(event.outputs.values())}" if event.outputs else ""
            terminal.say(f"{ENDINGS[event.event]} after {duration(time.monotonic() - began)}{places}")

    def on_interrupt() -> None:
        terminal.say("Cancelling; once more ends it at once.")

    log = TerminalLog(terminal)
    logging.getLogger().addHandler(log)
    try:
        with Interrupts(on_interrupt) as interrupts:
            code = supervise(name, work, report, JobContext(report, interrupts.asked), kept)
    finally:
        logging.getLogger().removeHandler(log)
        terminal.clear()
    if terminal.results and code == DONE:
        _say(results_table(terminal.results))
    if failure := terminal.failure:
        told = (failure.error, failure.hint)
        _complain(*(unexpected(failure.error, failure.traceback) if failure.traceback else told))
    return code


def _run_job(arguments: list[str]) -> int:
    from uniem.jobs import worker

    reader = _reader("run-job")
    reader.add_argument("folder")
    return worker.main(Path(reader.read(arguments)["folder"]))


def _gui(arguments: list[str], open_window: OpenWindow | None) -> int:
    reader = _reader("gui")
    reader.add_argument("locations", nargs="*")
    reader.add_argument("--sample", action="store_true")
    given = reader.read(arguments)
    locations: list[str] = given["locations"]
    if open_window is None:
        raise UniemError("This program has no window.", "Start `uniem`.")
    # The window tells of those that are missing among others.
    if locations and not any(map(_is_there, locations)):
        raise UniemError(f"There is no {' and no '.join(locations)}.", "Check the path.")
    if not has_display():
        raise UniemError(
            "There is no display to show a window on.",
            "Log in with a desktop (or `ssh -X`), or use the command line: see `uniem --help`.",
        )
    if given["sample"]:
        from uniem.cli import sample

        if not sample.is_kept() and (code := _keep_sample()) != DONE:
            return code
        locations = [*sample.opened_locations(), *locations]
    return open_window(locations)


def _is_to_be_opened(name: str) -> bool:
    from uniem.operations.registry import operations

    with quiet_registry():
        return name not in operations() and _is_there(name)


def _is_there(text: str) -> bool:
    location = read_location(text)
    return is_web_address(location) or split_location(location)[0].exists()


def _keep_sample() -> int:
    from uniem.cli import sample

    def work(context: Any) -> Mapping[str, str]:
        sample.keep_sample(context)
        return {"sample": str(sample.kept_sample())}

    return _supervise("sample", work, dict, is_json=False)


def _find(name: str) -> Any:
    from uniem.operations.registry import find, operations

    with quiet_registry():
        known = operations()
    if name not in known and (nearest := difflib.get_close_matches(name, [*_commands(), *known], 3)):
        raise UniemError(f"There is no operation {name}.", f"Did you mean {' or '.join(nearest)}?")
    return find(name)


def _commands() -> Mapping[str, str]:
    from uniem.cli import reference

    return reference.commands()


def _description(name: str) -> str:
    from uniem.cli import reference

    return _commands().get(name) or reference.describe_text(_find(name))


def _general_help() -> str:
    from uniem.cli import reference
    from uniem.operations.registry import operations

    with quiet_registry():
        return f"{reference.GENERAL_HELP}\n{reference.list_text(operations().values())}"


def _reader(name: str) -> Any:
    from uniem.cli.flags import ArgumentReader

    return ArgumentReader(name)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)


def _say(text: str) -> int:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
    return DONE


def _complain(message: str, hint: str = "") -> None:
    sys.stderr.write(f"uniem: {message}\n" + (f"{hint}\n" if hint else ""))
    sys.stderr.flush()
