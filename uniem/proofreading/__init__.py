"""Edits: the only place where a volume changes, and only through a journal."""
