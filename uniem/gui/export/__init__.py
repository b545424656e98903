"""Exporting: what is asked, what it will make, and the job that makes it."""
