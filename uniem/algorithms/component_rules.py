"""Which voxels make up a connected component, and which components stay: parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from uniem.algorithms.labelling import Connectivity


class ComponentRules(BaseModel):
    """What connects, and how small is too small."""

    connectivity: Literal["6", "18", "26", "4", "8"] = Field(
        "6",
        description="Which neighbours connect: 6, 18 or 26 in 3D; 4 or 8 treat every section on its own.",
    )
    min_size_voxels: int = Field(0, ge=0, description="Smaller components become background.")

    @property
    def neighbours(self) -> Connectivity:
        """The number of neighbours that connect."""
        number: Connectivity = int(self.connectivity)  # type: ignore[assignment]  # the choices are these
        return number
