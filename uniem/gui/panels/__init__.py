"""The panels that start operations: one generated from every declaration, a few made by hand."""
