"""A network of another program, of which only the file and the way to feed it are known."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

from pydantic import Field

from uniem.errors import UniemError
from uniem.networks.architectures.architecture import Architecture
from uniem.networks.architectures.layers import Layers

# As much as U-Nets take whose first layers have 32 features; nobody knows of a foreign one.
BYTES_PER_PIXEL = 4000


class ForeignNetwork(Architecture):
    """A network that another program made: an ONNX file, which is applied but not trained."""

    title: ClassVar[str] = "Network of another program"
    advice: ClassVar[str] = "For prediction with what others have trained."

    kind: Literal["foreign"] = "foreign"
    channels: int = Field(1, ge=1, le=64, description="Neighbouring sections that it sees at a time.")
    step: int = Field(1, ge=1, le=4096, description="Sides of inputs are the smallest side plus multiples.")
    smallest_side: int = Field(1, ge=1, le=1 << 16, description="The smallest side of an input.")
    halo: int = Field(0, ge=0, le=1 << 14, description="How far from its borders an output is of no use.")
    input_axes: str = Field("bcyx", description="Order of the input's axes.")
    output_axes: str = Field("bcyx", description="Order of the output's axes.")
    activation: Literal["none", "sigmoid", "softmax"] = Field(
        "none", description="What makes probabilities of the output."
    )

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Raise: how it is made is not known."""
        raise UniemError(
            "The network was made by another program: it can be applied, but not trained or exported.",
            "Train one of the networks that `uniem networks` lists.",
        )

    @property
    def sections(self) -> int:
        """How many neighbouring sections the network sees."""
        return self.channels

    @property
    def stride(self) -> int:
        """What the sides of tiles are multiples of."""
        return self.step

    @property
    def receptive_radius(self) -> int:
        """The halo, as its makers state it."""
        return self.halo

    @property
    def receptive_field(self) -> int:
        """The width of what an output depends on, as its makers state it."""
        return 2 * self.halo + 1

    @property
    def bytes_per_pixel(self) -> int:
        """A guess at the memory that prediction takes per input pixel."""
        return BYTES_PER_PIXEL

    def valid_side(self, side: int) -> int:
        """Return the smallest side of an input that holds one of this size."""
        return self.smallest_side + math.ceil(max(0, side - self.smallest_side) / self.step) * self.step
