"""Gestures made into edits, by pure functions."""
