"""UNI-EM's highway network."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from uniem.networks.architectures.layers import Layers
from uniem.networks.architectures.uni_em_parts import UniEmNetwork, normalised, plain_conv, unit

# Gates begin nearly closed (Srivastava et al. 2015: -1 to -3), but not so far that they cannot learn.
GATE_OFFSET = -2.0


class HighwayNet(UniEmNetwork):
    """Highway network.

    UNI-EM's: each unit mixes what it was given with two convolutions of it, by a gate of its own. Departure:
    the gate is the sigmoid itself and begins at 0.12; UNI-EM's could not fall below one half.
    """

    title: ClassVar[str] = "HighwayNet (UNI-EM)"
    advice: ClassVar[str] = (
        "Like ResNet, with gates that learn how much each unit changes; for those used to it in UNI-EM."
    )

    kind: Literal["highwaynet"] = "highwaynet"
    highway_units: int = Field(9, ge=1, le=255, description="Number of highway units.")

    def units(self, layers: Layers, x: Any) -> Any:
        """Connect the highway units."""
        features = self.deepest_features
        for _ in range(self.highway_units):
            changed = unit(layers, unit(layers, x, features), features)
            gate = normalised(layers, plain_conv(layers, x, features), GATE_OFFSET)
            x = layers.mix(x, changed, layers.activation(gate, "sigmoid"))
        return x
