"""What a trained model is and how good it became, as people say it."""

from __future__ import annotations

from statistics import mean, stdev

from uniem.data.model_folder import ModelRecord
from uniem.networks.architectures import networks
from uniem.networks.fold_report import FoldReport

TASKS = {
    "binary": "one kind of object",
    "multi-class": "classes",
    "boundary": "boundaries",
    "gray": "a gray image",
}
# From what F1 score on a held-out part a model is called so.
GRADES = ((0.95, "very good"), (0.9, "good"), (0.8, "fair"), (0.0, "not good yet"))
POOR = 0.8
# Folds whose F1 scores spread more than this are told apart.
WIDE_SPREAD = 0.05


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
    grade = _grade(f1)
    advice = " Painting another section, or training longer, may help." if f1 < POOR else ""
    return (
        f"The model is {grade}: on {_held_out(record)}, which it did not learn from, {f1:.0%} of what it "
        f"marks and what you painted agree ({scores_of(record)}; {effort}).{advice}"
    )


def grade_of_folds(report: FoldReport) -> bool:
    """Tell whether the networks of folds are good for something."""
    scores = report.values("val_f1")
    return bool(scores) and mean(scores) >= POOR


def verdict_of_folds(report: FoldReport) -> str:
    """Say how good the networks of a cross-validation are, on what, and what to do with them."""
    done, wanted = len(report.folds), report.wanted
    begin = "" if done == wanted else f"{done} of {wanted} folds {'is' if done == 1 else 'are'} finished. "
    scores = report.values("val_f1")
    if not scores:
        return f"{begin}How good the networks are was not measured."
    told = (
        f"{begin}The {'network is' if done == 1 else f'{done} networks are'} {_grade(mean(scores))}: on the "
        f"{ordinal_part(wanted)} of what is painted that each did not learn from, {mean(scores):.0%} of what "
        f"is marked and what you painted agree (F1 {report.spread('val_f1')}, Jaccard "
        f"{report.spread('val_jaccard')})."
    )
    if done > 1 and stdev(scores) > WIDE_SPREAD:
        worst = scores.index(min(scores)) + 1
        told += f" They differ much: look at fold {worst}, the poorest; painting more like it may help."
    return told + (" Together they are usually better than the best alone." if done > 1 else "")


def ordinal_part(count: int) -> str:
    """Return what one of so many equal parts is called."""
    names = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 8: "eighth", 10: "tenth"}
    return names.get(count, f"one part in {count}")


def _grade(f1: float) -> str:
    return next(word for least, word in GRADES if f1 >= least)


def _held_out(record: ModelRecord) -> str:
    training = record.training
    if isinstance(fold := training.get("fold"), list):
        return f"fold {fold[0]} of {fold[1]}"
    if sections := str(training.get("validation_sections", "")).strip():
        return f"sections {sections}"
    if str(training.get("validation_boxes", "")).strip():
        return "the boxes held out"
    return f"{training.get('validation_fraction', 0):.0%} of what is painted"
