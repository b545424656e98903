"""How good networks become on real sections in the time that people have, as the simple page trains them.

Run `python -m benchmarks.real_training [cardiac cardiac-folds vnc isbi] [--data FOLDER] [--share S]`; the
folder, which the variable UNIEM_DATA names too, holds the TIFF stacks of heart muscle, of the larva's nerve
cord and of ISBI 2012. Network, loss and batch are what is advised for the labels, the time and this computer,
and nothing is chosen by the test sections, which no training sees. `--share 0.1` gives every training a tenth
of its time, to see that all runs. Every training and prediction is a process of its own, as a user's is.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from uniem.data.formats import open_volume
from uniem.data.volume import Kind
from uniem.networks.advice import advise
from uniem.networks.label_facts import look_through
from uniem.networks.planning import free_memory, measure_processor
from uniem.networks.settings import TrainingSettings

# Limits of issue 6.
CARDIAC_F1, FOLDS_F1, ISBI_V_RAND = 0.95, 0.96, 0.93
FOLDS = 4
VNC_TRAINING, VNC_COUNTS = 10, (1, 2, 5, 10)
ISBI_TRAINING = 14
SHOWN = ("f1", "jaccard", "v_rand", "v_rand_thinned", "v_info_thinned")


@dataclass(frozen=True)
class Bench:
    """Where real data lie and results go, and which share of its time each training gets."""

    data: Path
    folder: Path
    share: float
    flips: str

    def read(self, name: str) -> NDArray[Any]:
        """Return a whole TIFF stack, (z, y, x)."""
        return np.asarray(tifffile.imread(self.data / f"{name}.tif"))

    def keep(self, name: str, array: NDArray[Any]) -> Path:
        """Write a TIFF stack for the trainings, and return its place."""
        path = self.folder / f"{name}.tif"
        tifffile.imwrite(path, array, photometric="minisblack", metadata={"axes": "ZYX"}, imagej=True)
        return path

    def run(
        self, operation: str, inputs: dict[str, Path], outputs: dict[str, Path], parameters: dict[str, Any]
    ) -> None:
        """Run an operation in a process of its own; end with its last words if it fails."""
        request = self.folder / "request.json"
        asked = {
            "operation": operation,
            "parameters": parameters,
            "inputs": {name: str(path) for name, path in inputs.items()},
            "outputs": {name: str(path) for name, path in outputs.items()},
        }
        request.write_text(json.dumps(asked), encoding="utf-8")
        command = [sys.executable, "-m", "uniem", "run", str(request)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{operation} failed:\n{done.stderr[-2000:]}")

    def advised(self, labels: Path, minutes: float, folds: int = 1) -> dict[str, Any]:
        """Return what the simple page chooses for labels and the time of each fold."""
        settings = TrainingSettings(max_minutes=minutes * self.share / folds)
        facts = look_through(open_volume(str(labels), Kind.LABELS))
        advice = advise(settings, facts, measure_processor(), free_memory())
        say(f"  {advice.reason}")
        return {**advice.values, "max_minutes": minutes * self.share}

    def trained(self, image: Path, labels: Path, minutes: float, name: str) -> Path:
        """Train on what is painted, and return the model's folder."""
        model = self.folder / name
        parameters = self.advised(labels, minutes)
        self.run("train-2d", {"image": image, "labels": labels}, {"model": model}, parameters)
        return model

    def scored(
        self, model: Path, image: Path, truth: Path, ensemble: dict[str, Any] | None = None
    ) -> dict[str, float]:
        """Predict a test image, and return the scores against its truth."""
        place, report = self.folder / f"{model.name}.zarr", self.folder / f"{model.name}.csv"
        parameters: dict[str, Any] = {"flips": self.flips, "ensemble": ensemble or {}}
        self.run("infer-2d", {"image": image, "model": model}, {"result": place}, parameters)
        inputs = {"prediction": place, "truth": truth}
        self.run("evaluate", inputs, {"report": report}, {"thinned": True})
        with report.open(newline="", encoding="utf-8") as lines:
            return {row["metric"]: float(row["value"]) for row in csv.DictReader(lines)}


def say(line: str) -> None:
    """Print a line at once: the next one may be an hour away."""
    print(line, flush=True)


def told(what: str, scores: dict[str, float], seconds: float, bar: tuple[str, float] | None = None) -> None:
    """Print scores, and whether the one with a bar reached it."""
    words = ", ".join(f"{name} {scores[name]:.4f}" for name in SHOWN)
    missed = bar is not None and scores[bar[0]] < bar[1]
    verdict = f" (bar {bar[0]} {bar[1]}{'   MISSED' if missed else ''})" if bar else ""
    say(f"{what}: {words}{verdict}; {seconds / 60:.1f} min with all")


def cardiac(bench: Bench, minutes: float = 15) -> None:
    """Mitochondria of heart muscle: four images for training, one for the test, in four parts."""
    begun = time.perf_counter()
    image, labels = bench.data / "cardiac_raw.tif", bench.data / "cardiac_mito.tif"
    model = bench.trained(image, labels, minutes, "cardiac")
    scores = bench.scored(model, bench.data / "cardiac_test_raw.tif", bench.data / "cardiac_test_mito.tif")
    told(
        f"cardiac, {minutes * bench.share:g} minutes", scores, time.perf_counter() - begun, ("f1", CARDIAC_F1)
    )


def cardiac_folds(bench: Bench, minutes: float = 60) -> None:
    """The same with one network for each fold, which predict together."""
    begun = time.perf_counter()
    image, labels = bench.data / "cardiac_raw.tif", bench.data / "cardiac_mito.tif"
    model, report = bench.folder / "cardiac-folds", bench.folder / "folds.csv"
    parameters = bench.advised(labels, minutes, FOLDS) | {"folds": FOLDS}
    outputs = {"model": model, "report": report}
    bench.run("cross-validate-2d", {"image": image, "labels": labels}, outputs, parameters)
    say(report.read_text(encoding="utf-8"))
    test = bench.data / "cardiac_test_raw.tif", bench.data / "cardiac_test_mito.tif"
    scores = bench.scored(model, *test, ensemble={"folds": True})
    told(
        f"cardiac, {FOLDS} folds, {minutes * bench.share:g} minutes",
        scores,
        time.perf_counter() - begun,
        ("f1", FOLDS_F1),
    )


def vnc(bench: Bench, minutes: float = 8) -> None:
    """Mitochondria of the nerve cord by the number of painted sections; four sections for the test."""
    image, truth = bench.read("vnc_raw"), bench.read("vnc_mito")
    raw = bench.keep("vnc-image", image[:VNC_TRAINING])
    test = (
        bench.keep("vnc-test", image[VNC_TRAINING:]),
        bench.keep("vnc-truth", truth[VNC_TRAINING:]),
    )
    for count in VNC_COUNTS:
        begun = time.perf_counter()
        painted = np.linspace(0, VNC_TRAINING, count, endpoint=False).astype(int) + VNC_TRAINING // count // 2
        labels = np.zeros_like(truth[:VNC_TRAINING])
        labels[painted] = truth[painted]
        place = bench.keep(f"vnc-labels-{count}", labels)
        model = bench.trained(raw, place, minutes, f"vnc-{count}")
        numbers = ", ".join(map(str, painted.tolist()))
        told(
            f"vnc, {count} painted ({numbers}), {minutes * bench.share:g} minutes",
            bench.scored(model, *test),
            time.perf_counter() - begun,
        )


def isbi(bench: Bench, minutes: float = 15) -> None:
    """Cells of ISBI 2012, as what membranes part: sections 0 to 13 for training, 14 to 19 for the test."""
    begun = time.perf_counter()
    image, inside = bench.read("isbi_raw"), 1 - bench.read("isbi_membrane")
    raw, labels = (
        bench.keep("isbi-image", image[:ISBI_TRAINING]),
        bench.keep("isbi-cells", inside[:ISBI_TRAINING]),
    )
    model = bench.trained(raw, labels, minutes, "isbi")
    test = bench.keep("isbi-test", image[ISBI_TRAINING:]), bench.keep("isbi-truth", inside[ISBI_TRAINING:])
    seconds = time.perf_counter() - begun
    told(
        f"isbi, {minutes * bench.share:g} minutes",
        bench.scored(model, *test),
        seconds,
        ("v_rand_thinned", ISBI_V_RAND),
    )


CASES: dict[str, Callable[[Bench], None]] = {
    "cardiac": cardiac,
    "cardiac-folds": cardiac_folds,
    "vnc": vnc,
    "isbi": isbi,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, predict and score what is named; everything if nothing is."""
    parser = argparse.ArgumentParser(description="Train on real data as the simple page does.")
    parser.add_argument("cases", nargs="*", help=f"of {', '.join(CASES)}; all if none is named")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("UNIEM_DATA", "../shared/data")))
    parser.add_argument("--share", type=float, default=1.0, help="of the time that a training gets")
    parser.add_argument("--flips", default="none", choices=("none", "flips", "all"))
    asked = parser.parse_args(arguments if arguments is not None else [])
    for name in asked.cases or CASES:
        with tempfile.TemporaryDirectory() as folder:
            say(f"{name}:")
            CASES[name](Bench(asked.data.resolve(), Path(folder), asked.share, asked.flips))


if __name__ == "__main__":
    main(sys.argv[1:])
