"""Which pictures of a folder belong to one stack, and how a location names some of them.

`FOLDER::a_#.png` are the pictures whose names have any number in place of `#`; `*` stands for anything;
`FOLDER::a_3.png..a_9.png` are those from one to another in natural order; `|` joins several.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PICTURE_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
_DIGITS = re.compile(r"[0-9]+")
# Names of which this many series could be made are rather arbitrary names of one.
MOST_SERIES = 200


@dataclass(frozen=True, slots=True)
class Series:
    """Pictures of a folder that make one stack, in natural order; `selection` is '' for all of the folder."""

    names: tuple[str, ...]
    selection: str


def natural_order(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts z2 before z10."""
    parts = re.split(r"([0-9]+)", name.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def is_picture(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry of a folder is a picture that is not hidden."""
    return entry.name.lower().endswith(PICTURE_SUFFIXES) and entry.name[0] != "." and entry.is_file()


def picture_names(folder: Path) -> list[str]:
    """Return the names of the pictures in a folder in natural order; hidden files are left out."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if is_picture(entry)]
    return sorted(names, key=natural_order)


def series_in(names: Sequence[str]) -> list[Series]:
    """Return the stacks that pictures, named in natural order, make by their names; often only one.

    Names belong together if they differ in one number, or in several that change together.
    """
    families: dict[str, list[str]] = defaultdict(list)
    for name in names:
        families[_DIGITS.sub("#", name.lower())].append(name)
    groups = [group for family in families.values() for group in _split(family)]
    if len(groups) > MOST_SERIES or max(map(len, groups), default=0) < 2:
        groups = [list(names)] if names else []
    return [Series(tuple(group), selection_of(group, names)) for group in groups]


def are_numbered(names: Iterable[str]) -> bool:
    """Tell whether names differ in nothing but numbers."""
    return len({_DIGITS.sub("#", name.lower()) for name in names}) == 1


def selection_of(chosen: Iterable[str], names: Sequence[str]) -> str:
    """Return the shortest selection of some of the pictures of a folder; '' for all of them."""
    wanted = set(chosen)
    if wanted == set(names):
        return ""
    ordered = [name for name in names if name in wanted]
    pattern = _pattern_of(ordered)
    if len(ordered) > 1 and selected(names, pattern) == ordered:
        return pattern
    return "|".join(_runs(ordered, names))


def selected(names: Sequence[str], selection: str) -> list[str]:
    """Return the pictures that a selection names, in natural order."""
    places = {name: place for place, name in enumerate(names)}
    chosen: set[str] = set()
    for term in selection.split("|"):
        first, _, last = term.partition("..")
        if term in places:
            chosen.add(term)
        elif first in places and last in places:
            chosen.update(names[places[first] : places[last] + 1])
        else:
            matches = _expression_of(term).fullmatch
            chosen.update(name for name in names if matches(name))
    return [name for name in names if name in chosen]


def _split(family: list[str]) -> list[list[str]]:
    """Split names that differ in numbers only into stacks: the number of most values counts sections."""
    numbers = [tuple(_DIGITS.findall(name)) for name in family]
    values = [set(column) for column in zip(*numbers, strict=True)]
    varying = [place for place, found in enumerate(values) if len(found) > 1]
    if len(varying) < 2:
        return [family]
    counter = max(varying, key=lambda place: (len(values[place]), place))
    others = [place for place in varying if place != counter]
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, found in zip(family, numbers, strict=True):
        groups[tuple(found[place] for place in others)].append(name)
    # Numbers that change with every section, such as the time it was taken, do not tell stacks apart.
    return [family] if len(groups) * 2 > len(family) else list(groups.values())


def _pattern_of(names: Sequence[str]) -> str:
    """Return the names' common pattern, with # for each number in which they differ."""
    numbers = [_DIGITS.findall(name) for name in names]
    if not names or len({len(found) for found in numbers}) > 1:
        return ""
    is_same = [len(set(column)) == 1 for column in zip(*numbers, strict=True)]
    texts = iter(is_same)
    return _DIGITS.sub(lambda found: found.group() if next(texts) else "#", names[0])


def _expression_of(term: str) -> re.Pattern[str]:
    parts = re.split(r"([#*])", term)
    meaning = {"#": r"(?:[0-9]+|\#)", "*": r".*"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts), re.IGNORECASE)


def _runs(ordered: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return terms for names that follow one another in the folder, and for those that stand alone."""
    places = {name: place for place, name in enumerate(names)}
    runs: list[list[str]] = []
    for name in ordered:
        if runs and places[name] == places[runs[-1][-1]] + 1:
            runs[-1].append(name)
        else:
            runs.append([name])
    return [run[0] if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in runs]
