"""What a network should answer, made of labels: an object, classes, boundaries, or a gray image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from uniem.errors import UniemError

Task = Literal["binary", "multi-class", "boundary", "gray"]
ClassWeights = Literal["none", "auto", "manual", "cem500k"]

MOST_CLASSES = 64
# CEM500K: classes below a tenth of all pixels count three times, the background a tenth.
RARE_SHARE, RARE_WEIGHT, BACKGROUND_WEIGHT = 0.1, 3.0, 0.1


@dataclass(frozen=True, slots=True)
class Target:
    """How labels become the target of each pixel.

    Attributes
    ----------
    object_label : the only label that is an object; None: all but the background.
    boundary_width : the width in pixels of the boundaries between two labels.
    labels : the label of each class, background first; only where the task is multi-class.
    top : the gray value that counts as 1; only where the task is gray.
    """

    task: Task = "binary"
    background_label: int = 0
    ignore_label: int | None = None
    boundary_width: int = 2
    labels: tuple[int, ...] = ()
    top: float = 255.0
    object_label: int | None = None

    @property
    def channels(self) -> int:
        """The number of logits."""
        return len(self.labels) if self.task == "multi-class" else 1

    @property
    def halo(self) -> int:
        """How many pixels away a label can change a target."""
        return self.boundary_width if self.task == "boundary" else 0

    @property
    def is_gray(self) -> bool:
        """Whether the target lies between 0 and 1."""
        return self.task == "gray"

    def is_object(self, labels: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell where in a section, (y, x), the object is that patches should show."""
        if self.task == "boundary":
            return self._boundary(labels) & self.is_known(labels)
        if self.task == "gray":
            return np.asarray(labels > 0)
        return self._painted(labels) & self.is_known(labels)

    def is_known(self, labels: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell where in a section somebody has said what is there."""
        if self.ignore_label is None or self.task == "gray":
            return np.ones(labels.shape, np.bool_)
        return np.asarray(labels != self.ignore_label)

    def truth(self, labels: NDArray[Any]) -> NDArray[np.float32]:
        """Return target and weight, (y, x, 2), of labels, (y, x)."""
        truth = np.empty((*labels.shape, 2), np.float32)
        truth[..., 1] = self.is_known(labels)
        if self.task == "gray":
            truth[..., 0] = labels.astype(np.float32) / np.float32(self.top)
        elif self.task == "boundary":
            truth[..., 0] = self._boundary(labels)
        elif self.task == "multi-class":
            known = np.array(sorted(self.labels))
            order = np.argsort(self.labels)
            place = np.minimum(np.searchsorted(known, labels), len(known) - 1)
            truth[..., 0] = order[place]
            truth[..., 1] *= known[place] == labels
        else:
            truth[..., 0] = self._painted(labels)
        return truth

    def completed(self, counts: Mapping[int, int]) -> Target:
        """Return the target with what the data say, from the number of pixels of each label."""
        if self.task == "gray":
            return replace(self, top=255.0 if max(counts) <= 255 else float(max(counts)))
        if self.task != "multi-class":
            return self
        others = sorted(set(counts) - {self.background_label, self.ignore_label})
        if len(others) + 1 > MOST_CLASSES:
            raise UniemError(
                f"There are {len(others)} different labels, and at most {MOST_CLASSES - 1} can be classes.",
                "Labels that number objects belong to the task binary or boundary.",
            )
        return replace(self, labels=(self.background_label, *others))

    def names(self, given: str) -> tuple[str, ...]:
        """Return the names of the outputs; `given` are those of the classes after the background."""
        if self.task != "multi-class":
            return ({"binary": "object", "boundary": "boundary", "gray": "gray"}[self.task],)
        own = tuple(name.strip() for name in given.split(",")) if given.strip() else ()
        others = self.labels[1:]
        if own and len(own) != len(others):
            raise UniemError(
                f"There are {len(own)} class names and {len(others)} classes, labelled "
                f"{', '.join(map(str, others))}.",
                "Name each class once, in the order of their labels.",
            )
        return "background", *(own or (str(label) for label in others))

    def weights(self, rule: ClassWeights, manual: str, counts: Mapping[int, int]) -> tuple[float, ...] | None:
        """Return what the loss multiplies pixels by: background and object, or one weight per class."""
        if rule == "none" or self.task == "gray":
            return None
        pixels = self._pixels(counts)
        if rule == "manual":
            return _read_weights(manual, len(pixels))
        total = max(sum(pixels), 1)
        if rule == "auto":
            # Inverse frequency, so that all classes together count as before.
            return tuple(total / (len(pixels) * max(count, 1)) for count in pixels)
        rest = (RARE_WEIGHT if count / total < RARE_SHARE else 1.0 for count in pixels[1:])
        return BACKGROUND_WEIGHT, *rest

    def _pixels(self, counts: Mapping[int, int]) -> list[int]:
        if self.task == "multi-class":
            return [counts.get(label, 0) for label in self.labels]
        return [counts.get(0, 0), counts.get(1, 0)]

    def _painted(self, labels: NDArray[Any]) -> NDArray[np.bool_]:
        if self.task == "binary" and self.object_label is not None:
            return np.asarray(labels == self.object_label)
        return np.asarray(labels != self.background_label)

    def _boundary(self, labels: NDArray[Any]) -> NDArray[np.bool_]:
        """Return the pixels at most half the width away from where two labels meet."""
        import cv2

        near = np.zeros(labels.shape, np.uint8)
        for axis in (0, 1):
            first = tuple(slice(None, -1) if a == axis else slice(None) for a in (0, 1))
            second = tuple(slice(1, None) if a == axis else slice(None) for a in (0, 1))
            differs = labels[first] != labels[second]
            near[first] |= differs
            near[second] |= differs
        # Two pixels wide so far: one on each side.
        reach = max(0, (self.boundary_width - 1) // 2)
        if reach and near.size:
            disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
            near = np.asarray(cv2.dilate(near, disc))
        return near.astype(np.bool_)


def _read_weights(text: str, count: int) -> tuple[float, ...]:
    try:
        weights = tuple(float(part) for part in text.split(","))
    except ValueError:
        weights = ()
    if len(weights) != count or min(weights) < 0 or not any(weights):
        raise UniemError(
            f"'{text}' are not the weights of {count} classes.",
            f"Write {count} numbers from 0 up, the background's first, with commas between them.",
        )
    return weights
