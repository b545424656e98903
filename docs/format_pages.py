"""The page about file formats: what each keeps, read off the formats and their modules' own words."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from uniem.data.formats import FORMATS, Format
from uniem.data.formats.held import EVERY_TYPE

INTRODUCTION = """\
# Formats

Generated from the formats by `make docs`. Every format keeps voxels, voxel size and kind (image, labels,
probability) exactly, for every type in the table: a test writes and reads them all. A type that a format
cannot hold, and a number that does not fit, are refused with the reason and a remedy, and nothing remains of
the attempt: numbers are never wrapped, rounded or clipped. Only who asks for JPG or for colours gets pictures
that have lost something. `make peers` asks other projects' own readers about our files.

Volumes are opened and exported by *File* in the window and by `uniem convert` on the command line; the name
of the result chooses the format.

## What is kept as what

A type that is kept as another comes back as that, with the same numbers."""


def formats_page() -> str:
    """Describe every format: endings, types, and how it is read and written."""
    lines = [INTRODUCTION, "", *_table()]
    for each in FORMATS:
        lines += ["", *_section(each)]
    return "\n".join(lines) + "\n"


def _table() -> Iterator[str]:
    told = [each for each in FORMATS if each.holds is not None]
    yield f"| Type | {' | '.join(_title(each) for each in told)} |"
    yield "|---" * (len(told) + 1) + "|"
    for dtype in EVERY_TYPE:
        yield f"| {dtype} | {' | '.join(_kept(each, dtype) for each in told)} |"


def _kept(each: Format, dtype: str) -> str:
    kept = (each.holds or {}).get(dtype)
    return "–" if kept is None else "yes" if kept == dtype else kept


def _section(each: Format) -> Iterator[str]:
    module = inspect.getmodule(each.read)
    yield f"## {_title(each)}"
    yield ""
    yield f"Endings: {', '.join(f'`{suffix}`' for suffix in each.suffixes)}."
    for said in (inspect.getdoc(module), inspect.getdoc(each.write)):
        yield ""
        yield said or ""
    if each.holds is None:
        yield ""
        yield "Which types it holds depends on what is written; whole numbers are kept where they fit."


def _title(each: Format) -> str:
    title = each.title.removeprefix("an ").removeprefix("a ")
    return title[:1].upper() + title[1:]
