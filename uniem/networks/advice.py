"""Which network and which loss to begin with: as the papers advise, if the computer can train it in time.

The advice is that of EM-stellar and EM-net (Khadangi et al. 2020): few painted sections, EM-net V1 2X; many,
U-Net BN or EM-net V2 4X; rare objects, a focal loss. Where there is not time enough for these the small U-Net
learns, which on two cores reached F1 .958 to .966 on mitochondria of heart muscle in 4 to 15 minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from uniem.networks.architectures import EmNetV1x2, EmNetV2x4, EmStellarUnetBN, Unet
from uniem.networks.architectures.architecture import Architecture
from uniem.networks.label_facts import LabelFacts
from uniem.networks.losses.choices import CrossEntropyDice, LossChoice, WeightedSum
from uniem.networks.planning import Plan, plan_training, training_memory
from uniem.networks.settings import TrainingSettings

# Where the papers' small sets end: 50 sections of 1024 x 1024 pixels.
LARGE_SET_PIXELS = 50 * 2**20
# A published network that gets less practice than this is left behind by the small U-Net.
FEWEST_STEPS = 1000
RARE = 0.03
FOCAL = "1 focal + 1 dice"
# Training never ends by its steps before its time is over.
ENDLESS_STEPS = 1_000_000
STEPS_WITHOUT_LIMIT = 20_000
SHARE_OF_MEMORY = 0.8
# The network is judged, and can be tried, at least so often where it is slow; but judging takes time, too.
JUDGEMENTS, SOONEST_JUDGEMENT = 12, 10


@dataclass(frozen=True, slots=True)
class Advice:
    """What is advised, and why in a sentence or two.

    Attributes
    ----------
    values : parameters by name, as plain JSON values.
    """

    values: dict[str, Any]
    reason: str


def advise(settings: TrainingSettings, facts: LabelFacts, gflops: float, memory: int) -> Advice:
    """Choose network, loss, batch and steps for what is painted, the time given, and this computer.

    Task, label, time and all else are those of the settings; `memory` is what is free, in bytes.
    """
    defaults = TrainingSettings()
    loss, about_loss = _loss(settings, facts)
    steps = ENDLESS_STEPS if settings.max_minutes else STEPS_WITHOUT_LIMIT
    base = settings.model_copy(
        update={
            "loss": loss,
            "steps": steps,
            "patch_size": defaults.patch_size,
            "batch_size": defaults.batch_size,
        }
    )
    network, about_network = _network(base, facts, gflops)
    base, about_memory = _fitting(base.model_copy(update={"network": network}), memory)
    steps = plan_training(base, gflops).steps // JUDGEMENTS
    every = min(max(steps, SOONEST_JUDGEMENT), defaults.validate_every)
    base = base.model_copy(update={"validate_every": every})
    names = ("network", "loss", "steps", "patch_size", "batch_size", "validate_every")
    values = base.model_dump(mode="json", include=set(names))
    reason = " ".join(part for part in (about_network, about_loss, about_memory) if part)
    return Advice(values, reason)


def _network(settings: TrainingSettings, facts: LabelFacts, gflops: float) -> tuple[Architecture, str]:
    is_large = facts.pixels >= LARGE_SET_PIXELS
    wanted: tuple[Architecture, ...] = (EmStellarUnetBN(), EmNetV2x4()) if is_large else (EmNetV1x2(),)
    plans = [(network, _plan(settings, network, gflops)) for network in wanted]
    amount = f"{'many' if is_large else 'few'} painted sections ({facts.sections:,})"
    for network, plan in plans:
        if plan.steps >= FEWEST_STEPS:
            return network, f"{network.title}: the papers' choice for {amount}."
    best, plan = max(plans, key=lambda pair: pair[1].steps)
    small = Unet()
    does = _plan(settings, small, gflops).steps
    return small, (
        f"{small.title}: in this time it can learn {does:,} steps here. {best.title}, the papers' choice for "
        f"{amount}, would learn {plan.steps:,}, which is too few."
    )


def _plan(settings: TrainingSettings, network: Architecture, gflops: float) -> Plan:
    return plan_training(settings.model_copy(update={"network": network}), gflops)


def _loss(settings: TrainingSettings, facts: LabelFacts) -> tuple[LossChoice, str]:
    share = facts.share_of(settings.object_label)
    if settings.task == "binary" and 0 < share < RARE:
        return WeightedSum(terms=FOCAL), f"Focal loss, as only {share:.1%} of the pixels are the object."
    return CrossEntropyDice(), ""


def _fitting(settings: TrainingSettings, memory: int) -> tuple[TrainingSettings, str]:
    """Halve the batch until the memory suffices."""
    wanted = settings.batch_size
    while settings.batch_size > 1 and training_memory(settings) > SHARE_OF_MEMORY * memory:
        settings = settings.model_copy(update={"batch_size": settings.batch_size // 2})
    if settings.batch_size == wanted:
        return settings, ""
    return (
        settings,
        f"Batches of {settings.batch_size} patches rather than {wanted}, for the memory that is free.",
    )
