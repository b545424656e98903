"""Functions on arrays and volumes; no files, no Qt, no Keras."""
