"""Finding a parameter among many: which fields a search means."""

from __future__ import annotations

from uniem.operations.parameters import ParameterField


def is_meant(field: ParameterField, words: str) -> bool:
    """Tell whether every word of a search is in the name, the help, the flag or the choices of a field."""
    text = " ".join((field.title, field.help, field.flag, *field.choices)).lower()
    return all(word in text for word in words.lower().split())
