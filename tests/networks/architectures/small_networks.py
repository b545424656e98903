"""Every network in its smallest form that still has all its parts."""

from __future__ import annotations

from typing import Any

from uniem.networks.architectures import Architecture, networks, read_network

SMALLER: dict[str, dict[str, Any]] = {
    "unet": {"depth": 3},
    "resnet": {"blocks": 2},
    "highwaynet": {"highway_units": 2},
    "densenet": {"blocks": 2, "layers_per_block": 2},
    "uni-em-unet": {"depth": 3},
    "unet-resnet50": {"base_features": 8},
    "inception-resnet": {"blocks": 1, "neighbours": 1},
}


def small_network(kind: str, base_features: int = 2) -> Architecture:
    """Return a network of a kind with few features and few repetitions."""
    record = {"kind": kind, "base_features": base_features, **SMALLER.get(kind, {})}
    return read_network(record)


KINDS = list(networks())
