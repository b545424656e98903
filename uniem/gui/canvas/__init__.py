"""The canvas: sections of an image with labels over them, and the tools that paint them."""
