"""Files, folders and addresses among what is dragged or copied."""

from __future__ import annotations

from qtpy.QtCore import QMimeData

from uniem.data.location import is_web_address


def locations_in(data: QMimeData | None) -> list[str]:
    """Return the files, folders and addresses that are dragged or copied, as text or as links."""
    if data is None:
        return []
    if data.hasUrls():
        return [url.toLocalFile() if url.isLocalFile() else url.toString() for url in data.urls()]
    lines = [line.strip() for line in data.text().splitlines()] if data.hasText() else []
    return lines if lines and all(_looks_like_location(line) for line in lines if line) else []


def _looks_like_location(text: str) -> bool:
    plain = text.strip("\"'")
    if is_web_address(plain) or plain.lower().startswith("file://"):
        return True
    return plain.startswith(("/", "~", "\\\\")) or plain[1:3] in (":\\", ":/")
