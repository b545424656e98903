"""What a window shows as a state that can be kept, and bringing a window to such a state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import SignalGroup, SignalInstance
from qtpy.QtCore import QObject, QPointF, QTimer, Signal

from uniem.data.geometry import VoxelSize
from uniem.data.location import is_web_address
from uniem.data.project import (
    CanvasRecord,
    ItemRecord,
    LookRecord,
    MarkerRecord,
    ProjectState,
    find_place,
    places_of,
    stored_place,
)
from uniem.data.volume import Kind, Volume
from uniem.data.voxel_sizes import record_voxel_size, recorded_voxel_size
from uniem.errors import UniemError
from uniem.gui.annotator.markers import Marker
from uniem.gui.canvas.colour_maps import COLOUR_MAPS
from uniem.operations.operation import Role
from uniem.workspace import Noun, OpenItem, read_noun

if TYPE_CHECKING:
    from uniem.gui.window import Window

PARAMETERS = "parameters/"
DELAY_MS = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a state with what is at its place, or why nothing is."""

    number: int
    record: ItemRecord
    place: str = ""
    noun: Noun | None = None
    problem: str = ""


class WindowState(QObject):
    """Collect what a window shows, tell when that changes, and show it again."""

    changed = Signal()

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        # Of every item by its id, also of those that are not shown now.
        self._looks: dict[int, LookRecord] = {}
        self._slots: dict[int, dict[int, int]] = {}
        self._clock = QTimer(self)
        self._clock.setSingleShot(True)
        self._clock.setInterval(DELAY_MS)
        self._clock.timeout.connect(self.changed)
        for signal in self._signals():
            signal.connect(self._note)
        window.settings.changed.connect(self._note_setting)
        window.canvas.view.camera_changed.connect(self._note)
        window.sessions.session_changed.connect(self._take_session)
        window.canvas.model.hand.events.slots.connect(self._keep_slots)
        for dock in window.layout_of_docks.docks.values():
            dock.visibilityChanged.connect(self._note)
            dock.dockLocationChanged.connect(self._note)

    def close_down(self) -> None:
        """Stop listening."""
        self._clock.stop()
        for signal in self._signals():
            signal.disconnect(self._note, missing_ok=True)
        self._window.canvas.model.hand.events.slots.disconnect(self._keep_slots, missing_ok=True)
        self._window.settings.changed.disconnect(self._note_setting, missing_ok=True)

    def collect(self, folder: Path | None, before: ProjectState, missing: Sequence[Entry]) -> ProjectState:
        """Return the state of the window; what is missing keeps its place in the list of items."""
        window = self._window
        records = [self._record_of(item, folder) for item in window.workspace.items if item.location]
        for entry in sorted(missing, key=lambda entry: entry.number):
            records.insert(min(entry.number, len(records)), entry.record)
        return before.model_copy(
            update={
                "items": tuple(records),
                "canvas": self._canvas_record() if window.canvas.model.depth else before.canvas,
                "markers": tuple(MarkerRecord(**asdict(marker)) for marker in window.markers),
                "docks": window.layout_of_docks.state(),
                "parameters": self._parameters(),
            }
        )

    def prepare(self, state: ProjectState) -> None:
        """Put docks and parameters in place; comes before the data are read."""
        if state.docks:
            self._window.layout_of_docks.take(state.docks)
        for id, values in state.parameters.items():
            self._window.settings.set(PARAMETERS + id, values)

    def show(self, state: ProjectState, entries: Sequence[Entry]) -> None:
        """Add what was read to the workspace and show it as it was."""
        self._window.markers.put(tuple(map(_marker_of, state.markers)))
        added = [(entry, self._add(entry)) for entry in entries if entry.noun is not None]
        self._show_volumes(added)
        docks = self._window.layout_of_docks.docks
        for role, dock in ((Role.MESHES, "annotator"), (Role.TABLE, "table")):
            for _, item in added:
                if item.role is role and docks[dock].isVisible():
                    self._window.results.show(item)
        self._slots |= {item.id: dict(entry.record.slots) for entry, item in added}
        for entry, item in added:
            if entry.record.is_edited:
                self._window.sessions.edit(item)
        self._restore_order(added)
        self._restore_looks(added)
        # Last, for whatever is shown anew is fitted into the view.
        self._restore_canvas(state.canvas)

    def add_found(self, entry: Entry) -> None:
        """Add one item that had been missing, and show it if it was shown."""
        item = self._add(entry)
        self._slots[item.id] = dict(entry.record.slots)
        if entry.record.is_visible or item.role in (Role.MESHES, Role.TABLE):
            self._window.results.show(item)
            self._restore_looks([(entry, item)])

    def _signals(self) -> list[SignalInstance | SignalGroup]:
        workspace, canvas = self._window.workspace, self._window.canvas.model
        return [
            workspace.added,
            workspace.changed,
            workspace.removed,
            self._window.markers.changed,
            canvas.z_changed,
            canvas.display.events,
            canvas.layer_changed,
            canvas.volumes_changed,
            canvas.hand.events,
        ]

    def _note(self, *_: object) -> None:
        # Not put off by further changes: while somebody scrolls for minutes, the state is kept all the same.
        if not self._clock.isActive():
            self._clock.start()

    def _take_session(self, _: object) -> None:
        item = self._window.sessions.item
        if item is not None:
            # Numbers stand for labels of one volume and mean nothing in another.
            self._window.canvas.model.hand.slots = dict(self._slots.get(item.id, {}))
        self._note()

    def _keep_slots(self, slots: dict[int, int]) -> None:
        item = self._window.sessions.item
        if item is not None:
            self._slots[item.id] = dict(slots)

    def _note_setting(self, key: str) -> None:
        if key.startswith(PARAMETERS):
            self._note()

    def _record_of(self, item: OpenItem, folder: Path | None) -> ItemRecord:
        location, elsewhere = stored_place(item.location, folder)
        given = recorded_voxel_size(item.noun) if isinstance(item.noun, Volume) else None
        path, shown = item.location.partition("::")[0], self._window.showing.items
        return ItemRecord(
            name=item.name,
            location=location,
            elsewhere=elsewhere,
            role=item.role.value,
            kind=item.noun.kind.value if isinstance(item.noun, Volume) else "",
            voxel_size=(given.z, given.y, given.x) if given is not None else None,
            is_folder=not is_web_address(item.location) and Path(path).is_dir(),
            is_visible=isinstance(item.noun, Volume) and item.is_visible,
            is_edited=item is self._window.sessions.item,
            look=self._look_of(item),
            height=shown.index(item) if item in shown else None,
            slots=self._slots.get(item.id, {}),
        )

    def _look_of(self, item: OpenItem) -> LookRecord | None:
        layer = self._window.showing.layer_of(item)
        if layer is not None:
            self._looks[item.id] = LookRecord(
                opacity=layer.opacity,
                contrast=(layer.low, layer.high) if layer.has_contrast else None,
                limits=layer.limits,
                colours=layer.colours,
                is_inverted=layer.is_inverted,
                is_normalised=layer.is_normalised,
                is_drawn=layer.is_visible,
            )
        return self._looks.get(item.id)

    def _restore_looks(self, added: Sequence[tuple[Entry, OpenItem]]) -> None:
        for entry, item in added:
            look, layer = entry.record.look, self._window.showing.layer_of(item)
            if look is not None:
                self._looks[item.id] = look
            if look is None or layer is None:
                continue
            layer.opacity, layer.is_inverted = look.opacity, look.is_inverted
            layer.is_normalised, layer.is_visible = look.is_normalised, look.is_drawn
            if look.colours in COLOUR_MAPS:
                layer.colours = look.colours
            if look.contrast is not None:
                # Chosen already, so that the first section that is read does not choose it anew.
                layer.limits, layer.has_contrast = look.limits, True
                layer.low, layer.high = look.contrast

    def _canvas_record(self) -> CanvasRecord:
        model, camera = self._window.canvas.model, self._window.canvas.view.camera
        return CanvasRecord(
            z=model.z,
            y=camera.row,
            x=camera.column,
            scale=camera.scale,
            show_labels=model.display.show_labels,
            outlines=model.display.outlines,
            label=model.hand.label,
            brush_px=model.hand.brush_px,
        )

    def _parameters(self) -> dict[str, dict[str, object]]:
        kept = self._window.settings.under(PARAMETERS)
        return {id: values for id, values in kept.items() if isinstance(values, dict)}

    def _add(self, entry: Entry) -> OpenItem:
        assert entry.noun is not None
        noun, record = entry.noun, entry.record
        return self._window.workspace.add(noun, record.name, entry.place)

    def _show_volumes(self, added: Sequence[tuple[Entry, OpenItem]]) -> None:
        showing = self._window.showing
        visible = [item for entry, item in added if entry.record.is_visible and isinstance(item.noun, Volume)]
        for item in sorted(visible, key=_is_labels):
            showing.add(item)

    def _restore_order(self, added: Sequence[tuple[Entry, OpenItem]]) -> None:
        # Labels that are edited take the place of others; they were seen together all the same.
        self._show_volumes(added)
        showing = self._window.showing
        heights = {item: entry.record.height for entry, item in added if entry.record.height is not None}
        showing.put_in_order(sorted(showing.items, key=lambda item: heights.get(item, len(heights))))

    def _restore_canvas(self, record: CanvasRecord | None) -> None:
        canvas = self._window.canvas
        if record is None or not canvas.model.depth:
            return
        display, hand, view = canvas.model.display, canvas.model.hand, canvas.view
        display.show_labels, display.outlines = record.show_labels, record.outlines
        hand.label = record.label
        hand.set_brush(record.brush_px)
        canvas.model.go_to(record.z)
        view.camera = replace(view.camera, row=record.y, column=record.x, scale=record.scale)
        view.zoom(1.0, QPointF(view.viewport().rect().center()))


def read_entries(state: ProjectState, folder: Path | None, stops: Callable[[], bool]) -> list[Entry]:
    """Open every item of a state that can be opened, without touching the window."""
    entries: list[Entry] = []
    for number, record in enumerate(state.items):
        if stops():
            break
        entries.append(read_entry(number, record, find_place(record, folder), folder))
    return entries


def read_entry(number: int, record: ItemRecord, place: str | None, folder: Path | None) -> Entry:
    """Open one item at a place."""
    if place is None:
        where = places_of(record, folder)
        return Entry(number, record, problem=f"There is no {where[-1] if where else record.location}.")
    try:
        kind = Kind(record.kind) if record.kind in set(Kind) else None
        noun = read_noun(place, kind)
        if isinstance(noun, Volume) and record.voxel_size is not None and recorded_voxel_size(noun) is None:
            record_voxel_size(noun, VoxelSize(*record.voxel_size))
            noun = read_noun(place, kind)
    except UniemError as error:
        return Entry(number, record, problem=error.message)
    except OSError as error:
        return Entry(number, record, problem=f"{place}: {error.strerror}.")
    return Entry(number, record, place, noun)


def _marker_of(record: MarkerRecord) -> Marker:
    return Marker(**{field.name: getattr(record, field.name) for field in fields(Marker)})


def _is_labels(item: OpenItem) -> bool:
    return isinstance(item.noun, Volume) and item.noun.kind is Kind.LABELS
