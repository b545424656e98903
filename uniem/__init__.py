"""From a raw electron-microscopy stack to measured 3D objects."""

__version__ = "0.1.0.dev0"
