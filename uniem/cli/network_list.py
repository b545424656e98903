"""What `uniem networks` tells: every network with its cost, and when to choose it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from uniem.cli.reference import WIDTH, aligned
from uniem.networks.architectures import Architecture

SIDE = 512

# EM-stellar (Khadangi et al. 2021) and EM-net (2020), on what they compared.
COUNSEL = """\
Few painted sections: EM-net V1 2X or a ResNet. Many: U-Net BN or EM-net V2 4X. Rare objects: a focal loss.
No network is best by every measure, and an ensemble of several beats each of them.
"""


def networks_json(networks: Mapping[str, Architecture]) -> list[dict[str, Any]]:
    """Return the networks with their default parameters as JSON values."""
    return [
        {
            "kind": kind,
            "title": network.title,
            "advice": network.advice,
            "parameters": network.parameters,
            "trainable_parameters": network.trainable_parameters,
            "gflop": round(network.gflop(SIDE, SIDE), 2),
            "gflop_input": [1, SIDE, SIDE, network.sections],
            "stride": network.stride,
            "receptive_field": network.receptive_field,
            "megabytes": round(network.bytes_per_pixel * SIDE**2 / 1e6),
            "defaults": network.model_dump(mode="json", exclude={"kind"}),
        }
        for kind, network in networks.items()
    ]


def networks_text(networks: Mapping[str, Architecture]) -> str:
    """Return the networks as a table for people, and what each is for."""
    rows = [
        (
            kind,
            network.title,
            f"{network.parameters / 1e6:.1f} M",
            f"{network.gflop(SIDE, SIDE):.0f}",
            str(network.receptive_field),
        )
        for kind, network in networks.items()
    ]
    table = aligned([("KIND", "NETWORK", "WEIGHTS", "GFLOP", "SEES (px)"), *rows])
    notes = [
        textwrap.fill(network.advice, WIDTH, initial_indent=f"{kind}: ", subsequent_indent="  ")
        for kind, network in networks.items()
    ]
    head = (
        f"{table}\n\nGFLOP: operations, in billions, on an image of {SIDE} × {SIDE} pixels; with defaults.\n"
    )
    return "\n".join([head, *notes, "", COUNSEL.rstrip()])
