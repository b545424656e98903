"""Packages that we write are valid to bioimage.io's own libraries, and run there as they run here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.networks.conftest import untrained
from uniem.networks.architectures import InceptionResNet, Unet
from uniem.networks.exchange import package_check
from uniem.networks.exchange.package_description import Publication
from uniem.networks.exchange.package_export import write_package

NETWORK = Unet(depth=1, base_features=2)
PACKAGES: dict[str, Any] = {
    "classes": (
        NETWORK,
        {"classes": ("background", "a", "b"), "task": "multi-class"},
        Publication(name="mitochondria", authors="A. One; B. Two", license="MIT"),
    ),
    "gray": (
        InceptionResNet(base_features=2, neighbours=1, blocks=1),
        {"classes": ("gray",), "task": "gray", "top": 255.0},
        Publication(cite="Where it is from", doi="10.1038/s41592-019-0612-7"),
    ),
    "bare": (NETWORK, {"voxel_size": None}, Publication()),
}


@pytest.fixture(scope="module")
def verdicts(run_peer: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return whether each package passed, and what was said."""
    folder = tmp_path_factory.mktemp("packages")
    packages = []
    for name, (network, record, publication) in PACKAGES.items():
        packages.append(folder / f"{name}.zip")
        write_package(untrained(folder / name, network, **record), packages[-1], publication)
    run_peer("judge_packages.py", package_check.__file__, folder / "verdicts.json", *packages)
    return json.loads((folder / "verdicts.json").read_text())


@pytest.mark.parametrize("name", PACKAGES)
def test_the_package_is_valid_and_its_network_gives_the_example(verdicts: Any, name: str) -> None:
    has_passed, words = verdicts[f"{name}.zip"]
    assert has_passed, words
