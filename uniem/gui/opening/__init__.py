"""Opening what the user names, wherever it is, without holding up the window."""
