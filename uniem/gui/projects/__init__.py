"""Projects in the window: made, opened, kept up to date, packed, and left."""
