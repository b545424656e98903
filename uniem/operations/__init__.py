"""The verbs: every operation is declared once, and read by the window, the command line and the workers."""
