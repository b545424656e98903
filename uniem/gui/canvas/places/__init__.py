"""Places in a volume: going there, remembering them, and taking pictures of them."""
