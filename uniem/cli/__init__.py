"""The command line: every operation is a command, read off its declaration."""

from uniem.cli.commands import main

__all__ = ["main"]
