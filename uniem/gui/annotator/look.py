"""How the 3D view looks: background, lights, box, scale bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Background = Literal["theme", "black", "white"]


@dataclass(frozen=True, slots=True)
class Look:
    """The look of the 3D view; lights and opacity in percent."""

    background: Background = "theme"
    directional: int = 80
    ambient: int = 50
    opacity: int = 100
    box: bool = True
    scale_bar: bool = True
    axes: bool = True
    perspective: bool = False
