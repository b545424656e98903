"""Losses of a network's logits against a target: which there are, and their formulas."""

from __future__ import annotations

from uniem.networks.losses.choices import CrossEntropyDice, LossChoice, upgraded
from uniem.networks.losses.functions import Loss, loss_of

__all__ = ["CrossEntropyDice", "Loss", "LossChoice", "loss_of", "upgraded"]
