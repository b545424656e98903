"""What a training needs of the data: patches to learn from, windows to be judged by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from uniem.data.model_folder import Normalisation
from uniem.data.volume import Volume, check_same_shape
from uniem.networks.normalisation import measure_normalisation
from uniem.networks.patches import Batch, Pairs, PatchSampler, validation_batches
from uniem.networks.sections import Sections
from uniem.networks.settings import LearningSettings
from uniem.networks.splitting import (
    Fold,
    Split,
    fold_splits,
    hold_out_boxes,
    hold_out_sections,
    split_sections,
)
from uniem.networks.survey import Survey, survey_labels
from uniem.networks.targets import Target
from uniem.progress import Context

VolumePair = tuple[Volume, Volume]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Patches to learn from, windows to be judged by, and what the answers mean.

    Attributes
    ----------
    names : the name of each output.
    class_weights : what the loss multiplies pixels by; None where all count the same.
    """

    sampler: PatchSampler
    windows: list[Batch]
    normalisation: Normalisation
    target: Target
    names: tuple[str, ...]
    class_weights: tuple[float, ...] | None


def prepare_data(
    pairs: Sequence[VolumePair],
    settings: LearningSettings,
    depth: int,
    context: Context,
    fold: Fold | None = None,
) -> TrainingData:
    """Look through images and their labels, hold a part out, and get ready to draw patches.

    `depth` is how many sections the network sees at a time; a fold is held out instead of what the settings
    say.
    """
    survey, labels, target = _surveyed(pairs, settings, context)
    split = fold_splits(survey, fold.folds)[fold.number - 1] if fold else _split(survey, settings)
    context.message(str(split))
    image = Sections([image for image, _ in pairs])
    normalisation = measure_normalisation(image, split.training, context)
    windows_of = Pairs(image, labels, normalisation, target, depth)
    side = settings.patch_size
    return TrainingData(
        _sampler(windows_of, split, survey, settings),
        validation_batches(
            windows_of, split.validation, side, settings.validation_windows, settings.batch_size
        ),
        normalisation,
        target,
        target.names(settings.class_names),
        target.weights(settings.class_weights, settings.manual_weights, survey.counts),
    )


def example_patches(
    pairs: Sequence[VolumePair], settings: LearningSettings, depth: int = 1, context: Context | None = None
) -> Iterator[Batch]:
    """Yield the batches that a training with these settings would learn from, without a network.

    For a look at what the augmentation does.
    """
    data = prepare_data(pairs, settings, depth, context or Context())
    for index in count():
        yield data.sampler.batch(index, settings.batch_size)


def _surveyed(
    pairs: Sequence[VolumePair], settings: LearningSettings, context: Context
) -> tuple[Survey, Sections, Target]:
    for image, labels in pairs:
        check_same_shape(image, labels)
    sections = Sections([labels for _, labels in pairs])
    target = Target(
        settings.task,
        settings.background_label,
        settings.ignore_label,
        settings.boundary_width,
        object_label=settings.object_label,
    )
    survey = survey_labels(sections, target, settings.use_empty_sections, context)
    if unused := len(sections) - len(survey.objects):
        context.message(f"{unused} sections hold no object and count as not annotated.")
    return survey, sections, target.completed(survey.counts)


def _split(survey: Survey, settings: LearningSettings) -> Split:
    if settings.validation_sections.strip():
        return hold_out_sections(survey, settings.validation_sections)
    if settings.validation_boxes.strip():
        return hold_out_boxes(survey, settings.validation_boxes)
    return split_sections(survey, settings.validation_fraction)


def _sampler(pairs: Pairs, split: Split, survey: Survey, settings: LearningSettings) -> PatchSampler:
    return PatchSampler(
        pairs,
        split.training,
        survey,
        settings.patch_size,
        settings.foreground,
        settings.augmentation,
        settings.seed,
    )
