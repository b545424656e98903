"""What `uniem info` tells of files, folders and addresses: the same as the window shows of them."""

from __future__ import annotations

from typing import Any

from uniem.data.formats.contents import Part, format_of, parts_at
from uniem.data.location import is_web_address, normalised_location, read_location, split_location
from uniem.data.model_folder import ModelFolder
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.workspace import read_noun

WIDTH = 12


def info_of(text: str) -> dict[str, Any]:
    """Return what stands at a location as JSON values; raise `UniemError` if it cannot be opened."""
    location = normalised_location(read_location(text))
    # A model has pictures in its folder too, which are not what it is.
    if not ModelFolder.is_model(location) and (parts := parts_at(location)):
        return {"location": location, "format": _format(location), "volumes": [_part(part) for part in parts]}
    noun = read_noun(location)
    if isinstance(noun, Volume):
        return {"location": location, "format": _format(location), **_volume(noun)}
    if isinstance(noun, ModelFolder):
        return {"location": location, "format": "a trained network", "weights": noun.record.parameters}
    if isinstance(noun, list):
        return {"location": location, "format": "meshes", "objects": len(noun)}
    return {"location": location, "format": "a table"}


def text_of(info: dict[str, Any]) -> str:
    """Return it as lines for people."""
    lines = [str(info["location"])]
    for name, value in info.items():
        if name == "volumes":
            lines.append(f"  {'volumes':{WIDTH}}{len(value)}; add ::NAME or name them whole:")
            lines += [f"    {_part_text(part)}" for part in value]
        elif name != "location":
            lines.append(f"  {name.replace('_', ' '):{WIDTH}}{_words(name, value)}")
    return "\n".join(lines)


def _volume(volume: Volume) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "size": list(volume.shape),
        "type": str(volume.dtype),
        "kind": str(volume.kind),
        "voxel_nm": list(volume.voxel_size) if volume.voxel_size else None,
    }
    if volume.voxel_size is None and volume.pixel_size:
        facts["pixel_nm"] = list(volume.pixel_size)
    return facts | ({"levels": len(volume.levels)} if len(volume.levels) > 1 else {})


def _format(location: str) -> str:
    if is_web_address(location):
        return "a volume on the web"
    found = format_of(split_location(location)[0])
    return found.title if found else "a folder of volumes"


def _part(part: Part) -> dict[str, Any]:
    return {"location": part.location, "name": part.name, "size": list(part.shape), "type": part.dtype}


def _part_text(part: dict[str, Any]) -> str:
    facts = [" × ".join(map(str, part["size"])), part["type"]]
    return "  ".join([part["location"], *(fact for fact in facts if fact)])


def _words(name: str, value: Any) -> str:
    if value is None:
        return "not known"
    if not isinstance(value, list):
        return str(value)
    axes = "z × y × x" if len(value) == 3 else "y × x"
    return f"{' × '.join(f'{n:g}' if isinstance(n, float) else str(n) for n in value)}  ({axes})"


def infos(texts: list[str]) -> tuple[list[dict[str, Any]], list[UniemError]]:
    """Return what stands at several locations, and what was wrong with the others."""
    found, problems = [], []
    for text in texts:
        try:
            found.append(info_of(text))
        except UniemError as error:
            problems.append(error)
    return found, problems
