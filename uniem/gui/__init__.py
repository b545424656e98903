"""The window: views of data, jobs and edits, in Qt."""
