"""Tests of the tools of the canvas by real events, against the pure functions."""
