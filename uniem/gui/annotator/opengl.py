"""Whether VTK can draw here, found out before it is asked to, since it ends the process where it cannot."""

from __future__ import annotations

import ctypes
import os
import sys

from qtpy.QtGui import QGuiApplication, QOpenGLContext

_WINDOW_CLASS = "VTK_DEFAULT_OPENGL_WINDOW"
_OSMESA = "vtkOSOpenGLRenderWindow"


def reason_against_3d() -> str:
    """Prepare VTK for this screen and return an empty text, or return why there can be no 3D view.

    With a real screen VTK draws by its OpenGL; without one, or where it has none, by OSMesa if present.
    """
    if _screen_has_opengl():
        return ""
    if os.environ.get(_WINDOW_CLASS, _OSMESA) == _OSMESA and _loads_osmesa():
        os.environ[_WINDOW_CLASS] = _OSMESA
        return ""
    platform = QGuiApplication.platformName()
    return (
        f"This screen ('{platform}') offers no OpenGL and the OSMesa library was not found.\n"
        "Install the graphics driver, or libosmesa6. The tables work without it."
    )


def _screen_has_opengl() -> bool:
    platform = QGuiApplication.platformName()
    if platform.startswith("wayland"):
        # VTK draws through the X server that Wayland sessions run beside.
        return bool(os.environ.get("DISPLAY"))
    return platform in ("xcb", "windows", "cocoa") and bool(QOpenGLContext().create())


def _loads_osmesa() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    for name in ("libOSMesa.so.8", "libOSMesa.so"):
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False
