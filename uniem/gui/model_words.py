"""What a trained model is and how good it became, as people say it."""

from __future__ import annotations

from uniem.data.model_folder import ModelRecord
from uniem.networks.architectures import networks

TASKS = {
    "binary": "one kind of object",
    "multi-class": "classes",
    "boundary": "boundaries",
    "gray": "a gray image",
}
# From what F1 score on a held-out part a model is called so.
GRADES = ((0.95, "very good"), (0.9, "good"), (0.8, "fair"), (0.0, "not good yet"))
POOR = 0.8


def network_of(record: ModelRecord) -> str:
    """Return the name of a model's network."""
    kind = str(record.architecture.get("kind", ""))
    known = networks().get(kind)
    return known.title if known else kind or "network"


def task_of(record: ModelRecord) -> str:
    """Return what a model finds, with the names of its classes where there are several."""
    names = [name for name in record.classes if name != "background"]
    classes = f": {', '.join(names)}" if record.task == "multi-class" else ""
    return TASKS.get(record.task, record.task) + classes


def scores_of(record: ModelRecord) -> str:
    """Return the scores on the held-out part in a few words; empty where nothing was held out."""
    if "val_f1" not in record.best:
        return ""
    return f"F1 {record.best['val_f1']:.3f}, Jaccard {record.best['val_jaccard']:.3f}"


def verdict_of(record: ModelRecord) -> str:
    """Say how good a model is, on what, and what may help where it is not."""
    effort = f"{record.steps:,} steps, {record.seconds / 60:.1f} min"
    if "val_f1" not in record.best:
        return f"How good the model is was not measured, for nothing was held out ({effort})."
    f1 = record.best["val_f1"]
    grade = next(word for least, word in GRADES if f1 >= least)
    advice = " Painting another section, or training longer, may help." if f1 < POOR else ""
    return (
        f"The model is {grade}: on {_held_out(record)}, which it did not learn from, {f1:.0%} of what it "
        f"marks and what you painted agree ({scores_of(record)}; {effort}).{advice}"
    )


def _held_out(record: ModelRecord) -> str:
    training = record.training
    if sections := str(training.get("validation_sections", "")).strip():
        return f"sections {sections}"
    if str(training.get("validation_boxes", "")).strip():
        return "the boxes held out"
    return f"{training.get('validation_fraction', 0):.0%} of what is painted"
