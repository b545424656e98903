"""What bioimage.io's own libraries say of a package, in words, where they are installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import NamedTuple


class Verdict(NamedTuple):
    """Whether a package passed, and what was said; `has_passed` is None where nobody could be asked."""

    has_passed: bool | None
    words: str


def judge_package(path: Path) -> Verdict:
    """Let bioimageio.core validate a package and run its network on the package's own example."""
    if importlib.util.find_spec("bioimageio") is None or not importlib.util.find_spec("bioimageio.core"):
        return Verdict(
            None, "bioimageio.core is not installed, so the package was not judged by it (uniem[exchange])."
        )
    import bioimageio.core
    import bioimageio.spec

    version = f"bioimageio.spec {bioimageio.spec.__version__} and core {bioimageio.core.__version__}"
    summary = bioimageio.core.test_description(path, weight_format="onnx", expected_type="model")
    if summary.status == "passed":
        return Verdict(
            True, f"{version} found the package valid, and its network gives the example's output."
        )
    problems = "; ".join(
        f"{'.'.join(map(str, error.loc))}: {error.msg}"
        for detail in summary.details
        for error in detail.errors
    )
    return Verdict(False, f"{version} did not pass the package ({summary.status}): {problems[:600]}")
