"""Proofreading in the window: whole objects, the history, and writing in the background."""
