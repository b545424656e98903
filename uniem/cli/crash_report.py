"""What is told about an error that nobody expected."""

from __future__ import annotations

import os
import time

from uniem import paths


def unexpected(message: str, trace: str) -> tuple[str, str]:
    """Return what to tell about an unexpected error; its traceback is kept in a file, or shown on demand."""
    if os.environ.get("UNIEM_DEBUG") == "1":
        return message, trace.rstrip()
    file = paths.user_data() / "logs" / time.strftime("error-%Y-%m-%dT%H-%M-%S.txt")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(trace, encoding="utf-8")
    except OSError:
        return message, "Run it again with UNIEM_DEBUG=1 to see the traceback."
    return message, f"The traceback is in {file}; please send it with what you did."
