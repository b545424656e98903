"""Lists of images and their labels: several volumes, or pictures that are no stack, for one training."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from uniem.data.formats import open_volume
from uniem.data.formats.picture_series import natural_order
from uniem.data.table import read_csv
from uniem.data.volume import Kind, Volume, check_same_shape
from uniem.errors import UniemError
from uniem.operations.execution import open_input
from uniem.operations.operation import Role

HELP = (
    "CSV file of further images and their labels, in columns image and labels, relative to the file; * is "
    "any part of a file's name, so that pictures that are no stack take one line."
)


def read_pairs(text: str) -> list[tuple[Volume, Volume]]:
    """Open the pairs of volumes that a CSV file lists; an empty name lists none.

    Where a line names files by a pattern, images and labels are paired in natural order of their names; there
    must be as many of both, and each pair is of the same size.
    """
    if not text.strip():
        return []
    path = Path(text.strip()).expanduser()
    table = read_csv(path, {"image": str, "labels": str})
    pairs = []
    for number, row in enumerate(table.records(), 2):
        places = [_places(path.parent, str(row[name])) for name in ("image", "labels")]
        if len(places[0]) != len(places[1]) or not places[0]:
            raise UniemError(
                f"Line {number} of {path} names {len(places[0])} images and {len(places[1])} labels.",
                "Each image needs its labels: compare the two folders.",
            )
        pairs += list(_opened(*places))
    return pairs


def _opened(images: list[str], labels: list[str]) -> Iterator[tuple[Volume, Volume]]:
    for image, label in zip(images, labels, strict=True):
        pair = open_volume(image, Kind.IMAGE), cast(Volume, open_input(Role.LABELS, label))
        check_same_shape(*pair)
        yield pair


def _places(folder: Path, name: str) -> list[str]:
    """Return the locations that a name or a pattern means, in natural order."""
    if "*" not in name:
        return [os.path.join(folder, name)]  # noqa: PTH118 - a name may be an absolute path or end in ::dataset
    pattern = Path(name)
    root = pattern.parent if pattern.is_absolute() else folder / pattern.parent
    return [str(path) for path in sorted(root.glob(pattern.name), key=lambda path: natural_order(path.name))]
