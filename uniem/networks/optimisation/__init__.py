"""How weights follow the slope of the loss: optimisers, and learning rates over a training."""

from __future__ import annotations

from uniem.networks.optimisation.optimisers import Adam, Optimiser, optimiser_of
from uniem.networks.optimisation.schedules import Cosine, Schedule

__all__ = ["Adam", "Cosine", "Optimiser", "Schedule", "optimiser_of"]
