"""What a training will cost, and which network is advised."""

from __future__ import annotations

import numpy as np

from uniem.data.volume import ArrayVolume, Kind
from uniem.networks.advice import FEWEST_STEPS, advise
from uniem.networks.architectures import networks
from uniem.networks.label_facts import LabelFacts, look_through
from uniem.networks.planning import free_memory, measure_processor, plan_training, training_memory
from uniem.networks.settings import TrainingSettings

PLENTY = 64 * 2**30
FEW = LabelFacts(3, 3 * 2**20, {1: 2**19})
MANY = LabelFacts(200, 200 * 2**20, {1: 50 * 2**20})


def advised(minutes: float | None, facts: LabelFacts, gflops: float, **more: object) -> TrainingSettings:
    settings = TrainingSettings(max_minutes=minutes, **more)
    values = advise(settings, facts, gflops, PLENTY).values
    return TrainingSettings.model_validate({**settings.model_dump(mode="json"), **values})


def test_the_papers_choice_is_advised_only_where_there_is_time_for_it() -> None:
    assert advised(5, FEW, 100).network.kind == "unet"
    assert advised(5, FEW, 5000).network.kind == "em-net-v1-2x"
    assert advised(600, MANY, 20_000).network.kind == "em-stellar-unet-bn"
    slow = advise(TrainingSettings(max_minutes=5), FEW, 100, PLENTY).reason
    assert "EM-net V1 2X, the papers' choice for few painted sections (3), would learn" in slow
    assert plan_training(advised(5, FEW, 5000), 5000).steps >= FEWEST_STEPS
    assert advised(None, FEW, 100).network.kind == "em-net-v1-2x", "without a limit there is time"


def test_what_is_known_to_work_stays_where_the_time_is_short() -> None:
    settings, default = advised(15, FEW, 50), TrainingSettings()
    assert settings.validate_every < default.validate_every, "it is judged several times all the same"
    assert advised(15, FEW, 1000).validate_every == default.validate_every
    for name in ("network", "loss", "patch_size", "batch_size", "learning_rate", "augmentation"):
        assert getattr(settings, name) == getattr(default, name)


def test_rare_objects_get_a_focal_loss_and_little_memory_small_batches() -> None:
    rare = LabelFacts(3, 3 * 2**20, {1: 2**19, 2: 2**12})
    assert advised(5, rare, 100).loss.kind == "cross-entropy-dice"
    assert advised(5, rare, 100, object_label=2).loss.kind == "sum"
    tight = advise(TrainingSettings(max_minutes=5), FEW, 100, 1500 * 10**6)
    assert tight.values["batch_size"] < 8 and "for the memory that is free" in tight.reason


def test_a_plan_follows_the_work() -> None:
    settings = TrainingSettings(steps=1000)
    plan, fast = plan_training(settings, 100), plan_training(settings, 200)
    assert plan.steps == fast.steps == 1000
    assert plan.step_seconds == 2 * fast.step_seconds and plan.seconds > fast.seconds
    timed = plan_training(settings.model_copy(update={"max_minutes": 2.0}), 100)
    assert timed.steps < 1000 and timed.seconds == 120
    assert training_memory(settings) > training_memory(settings.model_copy(update={"batch_size": 1})) > 8e8
    assert measure_processor() > 0 and free_memory() > 0
    for network in networks().values():
        one = plan_training(settings.model_copy(update={"network": network}), 100)
        assert one.memory > plan.memory / 3 and one.disk == 20 * network.parameters


def test_labels_are_looked_through() -> None:
    labels = np.zeros((4, 8, 10), np.uint32)
    labels[1, :2], labels[3, 0, 0] = 700, 3
    facts = look_through(ArrayVolume(labels, kind=Kind.LABELS))
    assert facts == LabelFacts(2, 160, {700: 20, 3: 1})
    assert facts.classes == (3, 700) and facts.share_of(3) == 1 / 160 and facts.share == 21 / 160
    small = look_through(ArrayVolume((labels > 0).astype(np.uint8), kind=Kind.LABELS))
    assert small == LabelFacts(2, 160, {1: 21}) and small.classes == ()
    assert look_through(ArrayVolume(labels), lambda: True) == LabelFacts(0, 0, {})
