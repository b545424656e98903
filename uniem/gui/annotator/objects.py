"""What the annotator knows of each object beside its surface: name, colour, size, whether it is shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from psygnal import Signal

from uniem.algorithms.meshing import mesh_area_nm2, mesh_volume_nm3
from uniem.data.mesh import Mesh
from uniem.data.palette import Colour, Palette, colours_of
from uniem.data.table import Table, write_csv
from uniem.errors import UniemError

COLUMNS = ("Act", "ID", "Name", "Size", "Volume nm3", "Area nm2", "R", "G", "B")


@dataclass(slots=True)
class MeshObject:
    """One object of the annotator; sizes are None until they are known."""

    mesh: Mesh
    name: str
    colour: Colour
    opacity: float = 1.0
    visible: bool = True
    voxels: int | None = None
    volume_nm3: float | None = None
    area_nm2: float | None = None

    @property
    def label(self) -> int:
        """The id of the object."""
        return int(self.mesh.label)


class MeshObjects:
    """Keep the objects of the annotator and tell who listens what changed.

    `added` and `removed` carry labels; `changed` carries labels and the name of the field.
    """

    added = Signal(tuple)
    removed = Signal(tuple)
    changed = Signal(tuple, str)

    def __init__(self) -> None:
        self._objects: dict[int, MeshObject] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def __contains__(self, label: object) -> bool:
        return label in self._objects

    def __iter__(self) -> Iterator[MeshObject]:
        return iter(self._objects.values())

    def __getitem__(self, label: int) -> MeshObject:
        return self._objects[label]

    def add(self, meshes: Iterable[Mesh]) -> None:
        """Add meshes; a mesh of a known label replaces the surface and keeps what the user chose for it."""
        listed = list(meshes)
        labels = [int(mesh.label) for mesh in listed]
        for mesh, label, colour in zip(listed, labels, colours_of(labels).tolist(), strict=True):
            if known := self._objects.get(label):
                known.mesh, known.volume_nm3, known.area_nm2 = mesh, None, None
            else:
                self._objects[label] = MeshObject(
                    mesh, mesh.name or f"object {label}", mesh.colour or tuple(colour)
                )
        if labels:
            self.added.emit(tuple(labels))

    def remove(self, labels: Iterable[int]) -> None:
        """Forget objects; unknown labels are passed over."""
        gone = tuple(label for label in labels if self._objects.pop(label, None))
        if gone:
            self.removed.emit(gone)

    def set_field(self, labels: Iterable[int], field: str, value: object) -> None:
        """Give objects one value of name, colour, opacity or visible."""
        touched = []
        for label in labels:
            item = self._objects.get(label)
            if item is not None and getattr(item, field) != value:
                setattr(item, field, value)
                touched.append(label)
        if touched:
            self.changed.emit(tuple(touched), field)

    def follow_palette(self, before: Palette, after: Palette) -> None:
        """Give objects whose colour is a palette's that of another palette; chosen colours stay."""
        labels = list(self._objects)
        touched = []
        for label, old, new in zip(
            labels, colours_of(labels, before).tolist(), colours_of(labels, after).tolist(), strict=True
        ):
            if self._objects[label].colour == tuple(old) and self._objects[label].mesh.colour is None:
                self._objects[label].colour = tuple(new)
                touched.append(label)
        if touched:
            self.changed.emit(tuple(touched), "colour")

    def show_only(self, labels: Iterable[int]) -> None:
        """Show these objects and hide all others."""
        wanted = set(labels)
        touched = []
        for label, item in self._objects.items():
            if item.visible != (label in wanted):
                item.visible = label in wanted
                touched.append(label)
        if touched:
            self.changed.emit(tuple(touched), "visible")

    def set_voxels(self, counts: Mapping[int, int]) -> None:
        """Say how many voxels objects have, as counted in the label volume."""
        touched = tuple(label for label in counts if label in self._objects)
        for label in touched:
            self._objects[label].voxels = int(counts[label])
        if touched:
            self.changed.emit(touched, "voxels")

    def measure(self, labels: Iterable[int]) -> None:
        """Compute volume and area of the objects that lack them, from their meshes."""
        self.tell_measured(self.measure_within(labels, math.inf))

    def measure_within(self, labels: Iterable[int], seconds: float) -> list[int]:
        """Measure objects that lack volume and area until the time is over; tell nobody, return which."""
        started = perf_counter()
        touched = []
        for item in (self._objects[label] for label in labels if label in self._objects):
            if item.volume_nm3 is None and perf_counter() - started < seconds:
                item.volume_nm3 = mesh_volume_nm3(item.mesh)
                item.area_nm2 = mesh_area_nm2(item.mesh)
                touched.append(item.label)
        return touched

    def tell_measured(self, labels: Iterable[int]) -> None:
        """Tell who listens that objects were measured."""
        if told := tuple(labels):
            self.changed.emit(told, "volume_nm3")

    def write_csv(self, path: Path, labels: Iterable[int] | None = None) -> int:
        """Write a table of the objects, all or those named, in that order; return how many rows.

        Columns: Act (1 shown, 0 hidden), ID, Name, Size (voxels, empty where unknown), Volume nm3, Area nm2,
        R, G, B.
        """
        wanted = list(self._objects) if labels is None else list(labels)
        if not wanted:
            raise UniemError("There are no objects to write.", "Show meshes first.")
        self.measure(wanted)
        rows = []
        for o in (self._objects[label] for label in wanted):
            rows.append((int(o.visible), o.label, o.name, o.voxels, o.volume_nm3, o.area_nm2, *o.colour))
        write_csv(Table(COLUMNS, tuple(rows)), path)
        return len(wanted)
