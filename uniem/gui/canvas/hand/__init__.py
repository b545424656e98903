"""The tools of the canvas that a hand holds, their options, and the strip that offers them."""
