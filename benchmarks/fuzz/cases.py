"""The list of cases: crafted files, and every sample damaged in every way, some ways more often."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fuzz.crafted import CRAFTED
from benchmarks.fuzz.damage import ANY, FOLDERS, VOLUMES, WEIGHTS, Copy, Damage
from benchmarks.fuzz.exports import EXPORT_WAYS
from benchmarks.fuzz.samples import SAMPLES, Sample
from benchmarks.fuzz.trial import Target, judge

TYPED_SHARE = 0.12
Trial = Callable[["Case", Path], Callable[[], str]]


@dataclass(frozen=True)
class Case:
    """One file to try; the name and the seed say everything about it."""

    name: str
    format: str


def _ways(sample: Sample) -> dict[str, Damage]:
    is_folder = "." not in Path(sample.path).name or sample.path.endswith((".zarr", ".precomputed", ".mojo"))
    of_volumes = {**VOLUMES, **EXPORT_WAYS} if sample.noun == "volume" else {}
    return {**ANY, **(FOLDERS if is_folder else {}), **of_volumes}


def all_cases(seed: int, count: int) -> list[Case]:
    """Return so many cases: crafted ones, then damages until there are enough.

    Fewer are drawn evenly, but for bombs, which take long to make.
    """
    crafted = [Case(f"crafted/{group}/{name}", group) for group, made in CRAFTED.items() for name in made]
    damaged: list[Case] = []
    turn = 0
    while not damaged or len(crafted) + len(damaged) < count:
        damaged += [
            Case(f"{sample.name}/{way}/{turn}", sample.format)
            for sample in SAMPLES
            for way in _ways(sample)
            if WEIGHTS.get(way, 1) > turn % max(WEIGHTS.values())
        ]
        turn += 1
    cases = crafted + damaged
    if len(cases) <= count * 1.5:
        return cases
    return random.Random(seed).sample([case for case in cases if "bomb" not in case.name], count)


def find_case(name: str, seed: int) -> Case:
    """Return a case by its name."""
    group = name.split("/")[0]
    known = {sample.name: sample.format for sample in SAMPLES}
    return Case(name, known.get(group) or name.split("/")[1])


def prepare(corpus: Path, seed: int) -> Trial:
    """Return the function that makes the file of a case in a folder, and returns what tries it."""

    def make(case: Case, folder: Path) -> Callable[[], str]:
        rng = random.Random(f"{seed}/{case.name}")
        target = _made(case, folder, corpus, rng)
        return lambda: judge(target, folder, rng, rng.random() < TYPED_SHARE)

    return make


def _made(case: Case, folder: Path, corpus: Path, rng: random.Random) -> Target:
    if case.name.startswith("crafted/"):
        _, group, name = case.name.split("/", 2)
        return CRAFTED[group][name](folder)
    sample_name, way, _ = case.name.split("/")
    sample = next(s for s in SAMPLES if s.name == sample_name)
    shutil.copytree(corpus / sample_name / "files", folder, dirs_exist_ok=True)
    return _ways(sample)[way](Copy(sample, folder, corpus, rng))
