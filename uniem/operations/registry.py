"""All operations: built in, from plugin folders, and from installed packages."""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.util
import logging
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from uniem import paths
from uniem.errors import UniemError
from uniem.operations.operation import Operation, declared

logger = logging.getLogger(__name__)

BUILT_IN = (
    "convert",
    "filters",
    "labels",
    "train_2d",
    "cross_validate_2d",
    "infer_2d",
    "export_model",
    "import_model",
    "mesh",
    "measure",
    "evaluate",
    "pack_project",
)


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """A plugin that was found, what it declared, and why it failed, if it did."""

    name: str
    location: str
    operations: tuple[str, ...]
    error: str = ""


def loaders() -> list[Callable[[], object]]:
    """Return calls that load the built-in operations bit by bit, for a window that must answer meanwhile."""
    return [functools.partial(importlib.import_module, f"uniem.operations.{name}") for name in BUILT_IN]


@functools.cache
def _load() -> tuple[PluginStatus, ...]:
    for load in loaders():
        load()
    found = [_load_file(path) for folder in paths.plugin_folders() for path in _candidates(folder)]
    found += [_load_entry_point(point) for point in entry_points(group="uniem.operations")]
    return tuple(found)


def operations() -> dict[str, Operation]:
    """Return every operation by id."""
    _load()
    return declared()


def plugins() -> tuple[PluginStatus, ...]:
    """Return every plugin found, broken ones included."""
    return _load()


def find(id: str) -> Operation:
    """Return an operation by its id, or raise with the nearest names."""
    known = operations()
    if id in known:
        return known[id]
    nearest = difflib.get_close_matches(id, known, 3)
    hint = f"Did you mean {' or '.join(nearest)}?" if nearest else "See `uniem list`."
    raise UniemError(f"There is no operation named {id}.", hint)


def _candidates(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    entries = sorted(folder.iterdir())
    return [e for e in entries if e.suffix == ".py" or (e / "__init__.py").exists()]


def _load_file(path: Path) -> PluginStatus:
    name = f"uniem_plugins.{path.stem}"
    source = path / "__init__.py" if path.is_dir() else path

    def load() -> None:
        spec = importlib.util.spec_from_file_location(
            name, source, submodule_search_locations=[str(path)] if path.is_dir() else None
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"{source} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)

    return _guarded(path.stem, str(path), load)


def _load_entry_point(point: EntryPoint) -> PluginStatus:
    return _guarded(point.name, point.value, point.load)


def _guarded(name: str, location: str, load: Callable[[], object]) -> PluginStatus:
    before = set(declared())
    try:
        load()
    except Exception:
        logger.exception("The plugin %s failed to load", name)
        return PluginStatus(name, location, (), traceback.format_exc())
    return PluginStatus(name, location, tuple(sorted(set(declared()) - before)))
