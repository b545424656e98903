from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.samples import request_of, samples, source
from uniem.cli import main, reference
from uniem.cli.flags import assemble, leaves_of, parse_command
from uniem.cli.terminal import duration, results_table
from uniem.errors import UniemError
from uniem.operations.registry import find, operations

__all__ = ["samples", "source"]

Capture = pytest.CaptureFixture[str]


def parsed(*arguments: str) -> dict[str, Any]:
    return parse_command(find("sample-net"), ["image.tif", "model", *arguments]).request.parameters


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "uniem", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


@pytest.mark.usefixtures("samples")
class TestFlags:
    def test_defaults(self) -> None:
        assert parsed() == find("sample-net").parameters().model_dump(mode="json")

    def test_places_and_flags_in_any_order(self) -> None:
        command = parse_command(
            find("sample-net"),
            ["--rate", "1e-5", "a.tif", "--json", "b", "--overwrite", "--network.depth=4", "--low", "-1e-3"],
        )
        request = command.request
        assert (request.inputs, request.outputs) == ({"image": "a.tif"}, {"model": "b"})
        assert (request.version, request.overwrite, command.is_json) == (3, True, True)
        assert (request.parameters["rate"], request.parameters["low"]) == (1e-5, -1e-3)
        assert request.parameters["network"]["depth"] == 4

    def test_what_is_not_named_keeps_its_default(self) -> None:
        network = parsed("--network.width", "32")["network"]
        assert network == {"kind": "deep", "width": 32, "depth": 5, "is_residual": True}

    def test_another_kind_has_its_own_defaults(self) -> None:
        assert parsed("--network.kind", "flat")["network"] == {"kind": "flat", "width": 8}

    def test_switches_and_open_values(self) -> None:
        values = parsed(
            "--no-augmentation.flip", "--no-network.is-residual", "--seed", "none", "--voxel-size", "50,4,4"
        )
        assert values["augmentation"] == {"flip": False, "jitter": 0.1}
        assert values["network"]["is_residual"] is False
        assert values["seed"] is None
        assert parsed("--seed", "7")["seed"] == 7
        assert parsed("--voxel-size", "none")["voxel_size"] is None

    @pytest.mark.parametrize(
        ("arguments", "message", "hint"),
        [
            (["--network.depht", "3"], "has no parameter --network.depht", "--network.depth"),
            (["--network.kind", "flt"], "--network.kind cannot be flt", "Did you mean flat"),
            (
                ["--network.kind", "flat", "--network.depth", "3"],
                "--network.depth is a parameter of deep",
                "flat takes",
            ),
            (["--network.depth", "0"], "--network.depth: input should be greater than 0, not '0'", ""),
            (["--network.depth", "x", "--rate", "-1"], "--rate: input should be greater than 0", ""),
            (["--augmentation.jitter", "1"], "--augmentation.jitter: input should be less than 1", ""),
            (["--voxel-size", "red"], "--voxel-size: 'red' is not a voxel size", ""),
            (["--rate"], "expected one argument", "--help"),
            (["third"], "takes 2 locations, 3 were given", "uniem sample-net IMAGE MODEL"),
        ],
    )
    def test_faults_name_the_flag_and_the_remedy(self, arguments: list[str], message: str, hint: str) -> None:
        with pytest.raises(UniemError) as caught:
            parsed(*arguments)
        assert message in caught.value.message
        assert hint in caught.value.hint

    def test_too_few_places_name_what_is_missing(self) -> None:
        with pytest.raises(UniemError, match=r"takes 2 locations, 1 was given \(a\)") as caught:
            parse_command(find("sample-net"), ["a"])
        assert caught.value.hint == "Write: uniem sample-net IMAGE MODEL"


@pytest.mark.parametrize("id", sorted(operations()))
def test_every_default_round_trips_through_flags(id: str) -> None:
    operation = operations()[id]
    defaults = operation.parameters().model_dump(mode="json")
    arguments = [str(i) for i in range(len(operation.inputs) + len(operation.outputs))]
    for leaf in leaves_of(operation.parameters):
        value: Any = defaults
        for name in leaf.field.path:
            value = value.get(name) if isinstance(value, dict) else None
        if leaf.kind and value is None:
            continue
        if isinstance(value, bool):
            flag = leaf.field.flag
            arguments.append(flag if value else "--no-" + flag.removeprefix("--"))
        else:
            arguments += [leaf.field.flag, "none" if value is None else str(value)]
    assert parse_command(operation, arguments).request.parameters == defaults


def test_no_flags_make_no_values() -> None:
    for operation in operations().values():
        assert assemble(operation.parameters, {}) == {}


def test_help_and_version(capsys: Capture) -> None:
    assert main(["--help"]) == 0
    assert "uniem list" in capsys.readouterr().out
    assert main([]) == 0
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("uniem ")


def test_every_command_tells_about_itself(capsys: Capture, tmp_path: Path) -> None:
    lines = [line.split("uniem ")[1] for line in reference.GENERAL_HELP.splitlines() if "  uniem " in line]
    commands = {line.split()[0] for line in lines if line[:1].islower()}
    assert {"info", "demo", "status", "run-job", "help"} < commands
    for name in commands:
        for asked in ([name, "--help"], [name, str(tmp_path), "-h"], ["help", name], ["describe", name]):
            assert main(asked) == 0
            assert capsys.readouterr().out.startswith(f"uniem {name}"), asked


def test_list(capsys: Capture) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["OPERATION", "LOCATIONS", "WHAT", "IT", "DOES"]
    assert any(line.startswith("label ") and "IMAGE RESULT" in line for line in lines)
    assert main(["list", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert {entry["id"] for entry in entries} == set(operations())
    assert main(["list", "more"]) == 2


@pytest.mark.usefixtures("samples")
def test_describe(capsys: Capture) -> None:
    assert main(["describe", "sample-net"]) == 0
    text = capsys.readouterr().out
    for part in (
        "uniem sample-net IMAGE MODEL",
        "--network.kind {flat,deep}",
        "Levels. (for deep; default 3; above 0, at most 8)",
        "--augmentation.flip, --no-augmentation.flip",
        "default 0.0001",
        "none leaves it open",
    ):
        assert part in text
    assert main(["sample-net", "--help"]) == 0
    assert capsys.readouterr().out == text
    assert main(["describe", "sample-net", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["version"], record["inputs"]) == (3, {"image": "image"})
    depth = next(p for p in record["parameters"] if p["name"] == "network.depth")
    assert (depth["minimum"], depth["minimum_is_open"], depth["maximum"], depth["kind"]) == (
        0,
        True,
        8,
        "deep",
    )


@pytest.mark.usefixtures("samples")
def test_an_operation_runs(source: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(source.parent)
    assert main(["sample-count", "source.csv", "made.csv", "--steps", "4", "--note", "on it"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines() == ["steps    4", "mean   0.5"]
    lines = told.err.splitlines()
    assert lines[0] == "on it"
    assert lines[-1].startswith("Done after") and lines[-1].endswith(": made.csv")
    assert Path("made.csv").read_text() == "counted to 4"


@pytest.mark.usefixtures("samples")
def test_events_as_json_lines(source: Path, capsys: Capture) -> None:
    result = source.parent / "r.csv"
    assert main(["sample-count", str(source), str(result), "--json"]) == 0
    told = capsys.readouterr()
    events = [json.loads(line) for line in told.out.splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("started", "finished")
    assert events[-1]["outputs"] == {"result": str(result)}
    assert {"progress", "metric", "result"} <= {event["event"] for event in events}
    assert told.err == ""


@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize(
    ("arguments", "code", "lines"),
    [
        (["--end", "error"], 2, ["uniem: The image is 4 × 5, the labels are 4 × 6.", "Crop one of them."]),
        (
            ["--stepps", "4"],
            2,
            ["uniem: sample-count has no parameter --stepps.", "Did you mean --steps?"],
        ),
        (["--steps", "0"], 2, ["uniem: --steps: input should be greater than or equal to 1, not '0'."]),
    ],
)
def test_bad_input_is_one_message(
    source: Path, capsys: Capture, arguments: list[str], code: int, lines: list[str]
) -> None:
    assert main(["sample-count", str(source), str(source.parent / "r.csv"), *arguments]) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err
    shown = [line for line in told.err.splitlines() if not line.startswith("counting")]
    assert shown[: len(lines)] == lines
    assert sorted(path.name for path in source.parent.iterdir()) == ["source.csv"]


@pytest.mark.usefixtures("samples")
def test_a_bug_leaves_its_traceback_in_a_file(
    source: Path, capsys: Capture, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["sample-count", str(source), str(source.parent / "r.csv"), "--end", "bug"]
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert "ZeroDivisionError" in error and "Traceback" not in error
    (file,) = (home / "logs").iterdir()
    assert str(file) in error and "Traceback" in file.read_text()
    monkeypatch.setenv("UNIEM_DEBUG", "1")
    assert main(arguments) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.usefixtures("samples")
def test_unknown_commands_suggest_the_nearest(capsys: Capture) -> None:
    for wrong, near in (("sample-cuont", "sample-count"), ("lits", "list"), ("lable", "label")):
        assert main([wrong]) == 2
        assert near in capsys.readouterr().err
    assert main(["--colour"]) == 2
    assert main(["describe", "lable"]) == 2
    assert "label" in capsys.readouterr().err


@pytest.mark.usefixtures("samples")
def test_a_saved_request_runs(source: Path, capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    request_of(source, steps=2).write(file)
    assert main(["run", str(file)]) == 0
    assert (tmp_path / "result.csv").read_text() == "counted to 2"
    assert main(["run", str(file)]) == 2
    assert "already exists" in capsys.readouterr().err
    assert main(["run", str(file), "--overwrite"]) == 0
    assert main(["run", str(tmp_path / "absent.json")]) == 2
    file.write_text("{")
    assert main(["run", str(file)]) == 2


def test_a_broken_plugin_is_named_without_a_traceback(home: Path) -> None:
    (home / "plugins").mkdir()
    (home / "plugins" / "broken.py").write_text("import nothing_of_this_name\n")
    with start("list") as process:
        out, error = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "label" in out
    assert "broken.py failed to load: ModuleNotFoundError" in error and "Traceback" not in error


def test_list_imports_nothing_heavy() -> None:
    code = (
        "import sys; from uniem.cli import main; main(['list']); "
        "heavy = {'tensorflow', 'keras', 'vtkmodules', 'qtpy', 'cv2', 'scipy.ndimage', 'psygnal'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_a_reader_that_leaves_early_is_no_error() -> None:
    with start("list") as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize("arguments", [[], ["gui"]])
def test_without_a_display_the_window_says_so(arguments: list[str]) -> None:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    with start(*arguments, env=environment) as process:
        _, error = process.communicate(timeout=60)
    assert process.returncode == 2
    assert error.startswith("uniem: There is no display") and "uniem --help" in error


def test_gui_hands_locations_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    opened: list[list[str]] = []
    file = tmp_path / "a.h5"
    file.write_text("")
    assert main(["gui", f"{file}::raw"], lambda locations: opened.append(locations) or 0) == 0
    assert opened == [[f"{file}::raw"]]
    assert main(["gui", str(tmp_path / "absent")], lambda _locations: 0) == 2
    assert "absent" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.usefixtures("samples")
class TestInterrupts:
    def counting(self, source: Path, *more: str, **options: Any) -> subprocess.Popen[str]:
        result = str(source.parent / "r.csv")
        arguments = ["--steps", "1000", "--pause-s", "0.02", *more]
        return start("sample-count", str(source), result, *arguments, **options)

    def wait_for_output(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        while '"progress"' not in process.stdout.readline():
            assert process.poll() is None

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_ctrl_c_cancels_cleanly(self, source: Path, number: int) -> None:
        with self.counting(source, "--json", "--keep") as process:
            self.wait_for_output(process)
            process.send_signal(number)
            out, error = process.communicate(timeout=60)
        assert process.returncode == 3
        last = json.loads(out.splitlines()[-1])
        assert (last["event"], last["outputs"]) == ("cancelled", {"result": str(source.parent / "r.csv")})
        assert "Traceback" not in error
        assert (source.parent / "r.csv").read_text() == "begun"

    def test_a_second_ctrl_c_ends_at_once_and_leaves_nothing(self, source: Path) -> None:
        with self.counting(source, "--json", "--end", "deaf", "--steps", "1") as process:
            child = source.parent / "child"
            while not (child.exists() and child.read_text()):
                time.sleep(0.02)
            for _ in range(2):
                process.send_signal(signal.SIGINT)
                time.sleep(0.2)
            os.kill(int(child.read_text()), signal.SIGKILL)
            process.communicate(timeout=60)
        assert process.returncode == 3
        assert sorted(path.name for path in source.parent.iterdir()) == ["child", "source.csv"]

    def test_a_terminal_shows_one_living_line(self, source: Path) -> None:
        ours, theirs = pty.openpty()
        result = str(source.parent / "r.csv")
        command = ["sample-count", str(source), result, "--steps", "150", "--pause-s", "0.02"]
        process = subprocess.Popen(
            [sys.executable, "-m", "uniem", *command], stdout=subprocess.PIPE, stderr=theirs
        )
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:
                break
            if not part:
                break
            shown += part
        os.close(ours)
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait() == 0
        text = shown.decode()
        assert text.count("\r\n") == 1, "only the last line stays"
        assert "[#" in text and "of 150" in text and " s left" in text and "loss" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "0.2 s"), (59.4, "59 s"), (80, "1 min 20 s"), (7500, "2 h 5 min"), (100_000, "1 d 4 h")],
)
def test_durations_are_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_results_are_a_table() -> None:
    table = results_table(
        {"f1": 0.9512345678, "objects": 12, "pixels": {"precision": 1.0}, "unit": "nm", "z": [1]}
    )
    assert table.splitlines() == [
        "f1                0.951235",
        "objects                 12",
        "pixels.precision         1",
        "unit              nm",
        "z                 [1]",
    ]
