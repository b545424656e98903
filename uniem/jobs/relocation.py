"""Jobs whose project was moved: their requests and results are named by the new places."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from uniem.data.formats.files import write_bytes
from uniem.data.location import is_web_address
from uniem.errors import UniemError
from uniem.jobs.folder import EVENTS, REQUEST, JobFolder

logger = logging.getLogger(__name__)

# Where requests and events name places.
_PLACES = ("inputs", "outputs")


def relocate_jobs(folder: Path, old: str, new: Path) -> int:
    """Rename what lay below `old` in every job of a folder that no worker has; return how many changed."""
    count = 0
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if not (path / REQUEST).is_file() or JobFolder(path).is_alive():
            continue
        try:
            count += _relocate_lines(path / EVENTS, old, new) + _relocate_whole(path / REQUEST, old, new) > 0
        except (OSError, UniemError) as error:
            logger.warning("The job %s keeps the places it had: %s", path.name, error)
    return count


def relocated(location: str, old: str, new: Path) -> str:
    """Return a location with the new place of what lay below the old one, however slashes were written."""
    plain, root = location.replace("\\", "/"), old.replace("\\", "/").rstrip("/")
    if is_web_address(location) or not root or not plain.startswith(f"{root}/"):
        return location
    return (new / plain.removeprefix(f"{root}/")).as_posix()


def _relocate_whole(file: Path, old: str, new: Path) -> bool:
    text = file.read_text(encoding="utf-8")
    changed = _relocated_json(text, old, new)
    if changed == text:
        return False
    write_bytes(file, changed.encode())
    return True


def _relocate_lines(file: Path, old: str, new: Path) -> bool:
    if not file.is_file():
        return False
    lines = file.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    changed = [_relocated_json(line, old, new) if '"outputs"' in line else line for line in lines]
    if changed == lines:
        return False
    write_bytes(file, "\n".join(changed).encode(errors="surrogateescape"))
    return True


def _relocated_json(text: str, old: str, new: Path) -> str:
    try:
        content: Any = json.loads(text)
    except ValueError:
        return text
    if not isinstance(content, dict):
        return text
    before = json.dumps(content)
    for key in _PLACES:
        if isinstance(content.get(key), dict):
            content[key] = {
                name: relocated(place, old, new) if isinstance(place, str) else place
                for name, place in content[key].items()
            }
    after = json.dumps(content)
    return text if after == before else json.dumps(content, ensure_ascii=False)
