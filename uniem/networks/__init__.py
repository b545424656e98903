"""Neural networks: architectures, training, prediction; the only room that knows Keras."""
