"""Open thousands of damaged and strange files: `python -m benchmarks.fuzz [--seed 1] [--cases 3000]`.

Every case runs in a process of its own, forked from this one, with 10 s and 2 GB. It is good if the file was
opened and read, or refused by a message with a hint; if the input is unchanged, and no half-written file
remains after an export that failed. Ends with an error if any case was bad.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.fuzz.cases import Case, all_cases, find_case, prepare
from benchmarks.fuzz.pool import Ending, run_all
from benchmarks.fuzz.samples import build

GOOD = ("opened", "exported", "refused")


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        Path(folder).chmod(0o755)  # for cases that give up the rights of root
        corpus = Path(folder) / "corpus"
        # TensorStore's threads do not survive a fork, so that another process uses it first.
        maker = multiprocessing.get_context("spawn").Process(target=build, args=(corpus,))
        maker.start()
        maker.join()
        if maker.exitcode:
            sys.exit("The healthy files could not be made.")
        if arguments.only:
            cases = [find_case(arguments.only, arguments.seed)]
        else:
            cases = all_cases(arguments.seed, arguments.cases)
        began = time.monotonic()
        endings = run_all(cases, prepare(corpus, arguments.seed), Path(folder), arguments.at_once)
    report = report_of(endings, arguments.seed, time.monotonic() - began)
    print(report.encode("utf-8", "backslashreplace").decode())
    if arguments.report:
        Path(arguments.report).write_text(report + "\n", "utf-8", "backslashreplace")
    if arguments.only:
        print(endings[0].detail)
    if any(ending.outcome not in GOOD for ending in endings):
        sys.exit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=3000, help="how many; the crafted ones come first")
    parser.add_argument("--only", help="one case by its name")
    parser.add_argument("--at-once", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--report", help="a file to write the report to")
    return parser.parse_args()


def report_of(endings: list[Ending], seed: int, seconds: float) -> str:
    """Return a table of formats and outcomes, and how to repeat each bad case."""
    bad = [ending for ending in endings if ending.outcome not in GOOD]
    lines = [
        f"{len(endings)} cases, seed {seed}: {len(bad)} bad, in {seconds:.0f} s; slowest "
        f"{max(e.seconds for e in endings):.1f} s, most memory {max(e.bytes for e in endings) >> 20} MB",
        "",
        f"{'format':<16}{'cases':>7}{'opened':>8}{'refused':>9}{'exported':>10}{'bad':>5}",
    ]
    for name in sorted({e.case.format for e in endings}, key=str.lower):
        found = Counter(e.outcome for e in endings if e.case.format == name)
        good = [found[outcome] for outcome in ("opened", "refused", "exported")]
        row = [found.total(), *good, found.total() - sum(good)]
        lines.append(f"{name:<16}{row[0]:>7}{row[1]:>8}{row[2]:>9}{row[3]:>10}{row[4]:>5}")
    for ending in bad:
        lines += ["", f"{ending.outcome}: {ending.detail.strip()[-1500:]}", f"  {repeat(ending.case, seed)}"]
    return "\n".join(lines)


def repeat(case: Case, seed: int) -> str:
    """Return the command that runs one case alone."""
    return f'python -m benchmarks.fuzz --seed {seed} --only "{case.name}"'


if __name__ == "__main__":
    random.seed(0)
    main()
