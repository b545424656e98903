"""The status bar: what the mouse is over, the brush, unsaved edits, jobs and memory."""

from __future__ import annotations

import sys
from pathlib import Path

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QSizePolicy, QStatusBar

from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.view_model import Voxel
from uniem.gui.sessions import Sessions, edits
from uniem.jobs.events import Phase
from uniem.jobs.queue import JobQueue

MEMORY_EVERY_MS = 2000


class StatusBar(QStatusBar):
    """Facts about here and now, each in its own place."""

    def __init__(self, canvas: Canvas, sessions: Sessions, queue: JobQueue) -> None:
        super().__init__()
        self._canvas, self._sessions, self._queue = canvas, sessions, queue
        self.place, self.label, self.brush = QLabel(), QLabel(), QLabel()
        self.unsaved, self.memory, self.jobs = QLabel(), QLabel(), QLabel()
        self.setSizeGripEnabled(False)
        for widget, share in ((self.place, 5), (self.label, 2)):
            self.addWidget(widget, share)
        for widget in (self.brush, self.unsaved, self.jobs, self.memory):
            widget.setContentsMargins(8, 0, 8, 0)
            self.addPermanentWidget(widget)
        self.place.setContentsMargins(6, 0, 0, 0)
        for widget in (self.place, self.label):
            # Long words are cut off rather than making the window wider.
            widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        canvas.hovered.connect(self._show_voxel)
        canvas.brush_changed.connect(lambda text: self.brush.setText(f"brush {text}"))
        sessions.history_changed.connect(self.show_unsaved)
        sessions.session_changed.connect(lambda _: self.show_unsaved())
        for signal in (queue.added, queue.changed, queue.removed):
            signal.connect(self._show_jobs)
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._show_memory)
        self._clock.start(MEMORY_EVERY_MS)
        self._show_memory()
        self._show_jobs()

    def close_down(self) -> None:
        """Stop listening."""
        self._clock.stop()
        for signal in (self._queue.added, self._queue.changed, self._queue.removed):
            signal.disconnect(self._show_jobs)

    def show_unsaved(self) -> None:
        """Show how many edits are not saved."""
        count = self._sessions.unsaved
        self.unsaved.setText(f"{edits(count)} unsaved" if count else "")

    def _show_voxel(self, voxel: Voxel | None) -> None:
        self.place.setText(self._words_on(voxel) if voxel is not None else "")
        self.label.setText(self._name_of(voxel.label) if voxel is not None and voxel.label else "")

    def _words_on(self, voxel: Voxel) -> str:
        words = f"z {voxel.z}  y {voxel.y}  x {voxel.x}"
        volume = self._canvas.model.image or self._canvas.model.labels
        if volume is not None and volume.voxel_size is not None:
            size = volume.voxel_size
            # Voxel centres are half an edge from their corner.
            nm = ((voxel.z + 0.5) * size.z, (voxel.y + 0.5) * size.y, (voxel.x + 0.5) * size.x)
            words += f"   ({', '.join(f'{edge:,.0f}' for edge in nm)} nm)"
        return words if voxel.value is None else f"{words}   value {voxel.value:g}"

    def _name_of(self, label: int) -> str:
        session = self._sessions.session
        name = session.objects.fields_of(label).name if session is not None else ""
        return f"label {label}" + (f" ({name})" if name else "")

    def _show_jobs(self, _job: object = None) -> None:
        living = [job for job in self._queue.jobs if job.status.phase is not Phase.ENDED]
        waiting = sum(job.status.phase is Phase.QUEUED for job in living)
        running = len(living) - waiting
        words = [f"{running} running"] * bool(running) + [f"{waiting} waiting"] * bool(waiting)
        self.jobs.setText(f"jobs: {', '.join(words)}" if words else "")

    def _show_memory(self) -> None:
        used = memory_bytes()
        self.memory.setText(f"{used / 2**20:,.0f} MB" if used else "")


def memory_bytes() -> int | None:
    """Return the memory in use by this process; None where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return _windows_memory_bytes() if sys.platform == "win32" else None
    import resource

    return int(pages) * resource.getpagesize()


def _windows_memory_bytes() -> int | None:
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = (
            ("cb", wintypes.DWORD),
            ("page_faults", wintypes.DWORD),
            ("peak_working_set", ctypes.c_size_t),
            ("working_set", ctypes.c_size_t),
            ("quotas", ctypes.c_size_t * 4),
            ("page_file", ctypes.c_size_t),
            ("peak_page_file", ctypes.c_size_t),
        )

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]  # only on Windows
    is_told = kernel.K32GetProcessMemoryInfo(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.cb)
    return int(counters.working_set) if is_told else None
