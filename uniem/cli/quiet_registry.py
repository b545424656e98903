"""Operations looked up without a word about broken plugins, which `uniem list` names."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_registry() -> Iterator[None]:
    """Keep the traceback of a broken plugin off the terminal; `list` names it."""
    logger = logging.getLogger("uniem.operations.registry")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = was_disabled
