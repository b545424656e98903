"""A layer in a view: the part of the section it has, and its drawing."""

from __future__ import annotations

from uniem.gui.canvas.block_reader import BlockReader
from uniem.gui.canvas.drawing import ImageDrawing, LayerDrawing
from uniem.gui.canvas.label_overlay import LabelOverlay
from uniem.gui.canvas.layers import LOOKS, Layer
from uniem.gui.canvas.planes import ViewAxes
from uniem.gui.canvas.section_source import SectionSource
from uniem.gui.canvas.sections import Section, Window
from uniem.gui.canvas.view_model import Display


class LayerView:
    """Bring a layer's section to its drawing."""

    def __init__(self, layer: Layer, reader: BlockReader, axes: ViewAxes) -> None:
        self.layer = layer
        self.source = SectionSource(reader, axes, layer.volume, layer.scale)
        self._looks: tuple[object, ...] = ()
        self.drawing: LayerDrawing = LabelOverlay() if layer.is_labels else ImageDrawing(layer)

    @property
    def section(self) -> Section | None:
        """What is shown."""
        return self.drawing.section

    def take_looks(self, display: Display, is_covered: bool) -> None:
        """Draw as the layer says; where something opaque lies above, not at all."""
        is_wanted = self.layer.is_visible and not is_covered
        self.drawing.is_drawn = is_wanted and (display.labels_are_drawn or not self.layer.is_labels)
        self.drawing.opacity = 1.0 if self.layer.is_labels else self.layer.opacity
        looks = (self.drawing.is_drawn, *(getattr(self.layer, name) for name in LOOKS))
        if looks != self._looks:
            self._looks = looks
            self.drawing.is_stale = True

    def load(self, window: Window, is_covered: bool) -> bool:
        """Take the best picture there is; return whether it is another than before."""
        if is_covered or not self.layer.is_visible:
            self.source.stop()
            return False
        section, has_changed = self.source.show(window)
        if has_changed:
            self.drawing.set_section(section)
        return has_changed


def covered(layers: list[LayerView]) -> list[bool]:
    """Tell of each layer, lowest first, whether an opaque one lies above it."""
    found, is_covered = [], False
    for view in reversed(layers):
        found.append(is_covered and not view.layer.is_labels)
        is_covered = is_covered or view.layer.hides_below
    return found[::-1]
