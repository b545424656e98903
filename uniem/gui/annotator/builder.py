"""Surfaces built from meshes a little at a time, so that the window stays awake."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal

from uniem.gui.annotator.objects import MeshObject, MeshObjects

if TYPE_CHECKING:
    from uniem.gui.annotator.scene import Scene

CHUNK_SECONDS = 0.012
REDRAW_SECONDS = 1.0


class SurfaceBuilder(QObject):
    """Put the meshes of objects into a scene, then prepare the coarse surfaces for moving.

    `advanced` asks for a picture of what is there so far; `built` says that none is waiting, and whether the
    scene was empty before.
    """

    advanced = Signal()
    built = Signal(bool)

    def __init__(
        self, objects: MeshObjects, opacity_of: Callable[[MeshObject], float], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._objects, self._opacity_of = objects, opacity_of
        self._scene: Scene | None = None
        self._waiting: deque[int] = deque()
        self._from_nothing = True
        self._last_redraw = 0.0
        self.redraw_seconds = REDRAW_SECONDS
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._work)

    @property
    def waiting(self) -> int:
        """How many surfaces are still to be built."""
        return len(self._waiting)

    def begin(self, scene: Scene) -> None:
        """Build all objects into an empty scene."""
        self._scene = scene
        self._from_nothing = True
        self._waiting = deque(item.label for item in self._objects)
        self._last_redraw = perf_counter()
        self._timer.start()

    def end(self) -> None:
        """Forget the scene."""
        self._timer.stop()
        self._scene = None
        self._waiting.clear()

    def add(self, labels: Iterable[int]) -> None:
        """Build these objects too; without a scene, they are built when there is one."""
        if self._scene is not None:
            self._from_nothing = self._from_nothing or (not self._waiting and self._scene.bounds() is None)
            self._waiting.extend(labels)
            self._timer.start()

    def finish(self) -> None:
        """Build at once what is still waiting."""
        if self._waiting:
            while self._waiting:
                self._build_one()
            self._tell_built()

    def pause(self) -> None:
        """Leave the time to the mouse."""
        if not self._waiting:
            self._timer.stop()

    def resume(self) -> None:
        """Go on after a pause."""
        if self._scene is not None:
            self._timer.start()

    def _work(self) -> None:
        started = perf_counter()
        while self._scene is not None and perf_counter() - started < CHUNK_SECONDS:
            if self._waiting:
                self._build_one()
                if not self._waiting:
                    self._tell_built()
            elif not self._scene.coarsen_next():
                self._timer.stop()
                return
        if self._waiting and started - self._last_redraw > self.redraw_seconds:
            self._last_redraw = started
            self.advanced.emit()

    def _build_one(self) -> None:
        label = self._waiting.popleft()
        if self._scene is not None and label in self._objects:
            item = self._objects[label]
            self._scene.add(item.mesh, item.colour, self._opacity_of(item), item.visible)

    def _tell_built(self) -> None:
        from_nothing, self._from_nothing = self._from_nothing, False
        self.built.emit(from_nothing)
