"""The layers of the canvas as a list: which lies above which, and how each is drawn."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QSignalBlocker, QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QDoubleRangeSlider

from uniem.data.volume import Kind
from uniem.gui.canvas.colour_maps import COLOUR_MAPS
from uniem.gui.canvas.layers import Layer
from uniem.gui.canvas.view_model import CanvasModel, Only
from uniem.gui.style import icon

_ICONS = {
    Kind.IMAGE: "image-outline",
    Kind.LABELS: "layers-outline",
    Kind.PROBABILITY: "gradient-vertical",
}
_LAYER = int(Qt.ItemDataRole.UserRole)
ROW_MARGIN = 9


class LayersPanel(QWidget):
    """List the layers, highest first; drag to reorder, tick to see, and change the looks of the one chosen.

    Signals: `ordered(list of Layer)`, lowest first; `auto_wanted(Layer)`.
    """

    ordered = Signal(list)
    auto_wanted = Signal(object)

    def __init__(self, model: CanvasModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._is_filling = False
        self._build()
        self._connect()
        self.refresh()

    @property
    def layer(self) -> Layer | None:
        """The layer chosen."""
        row = self.list.currentItem()
        return row.data(_LAYER) if row is not None else None

    def choose(self, layer: Layer) -> None:
        """Choose a layer."""
        for place in range(self.list.count()):
            if self.list.item(place).data(_LAYER) is layer:
                self.list.setCurrentRow(place)

    def refresh(self) -> None:
        """List the layers anew."""
        current = self.layer
        self._is_filling = True
        self.list.clear()
        for layer in reversed(self._model.layers):
            row = QListWidgetItem(icon(_ICONS[layer.kind]), layer.name or layer.kind.value)
            row.setData(_LAYER, layer)
            row.setCheckState(Qt.CheckState.Checked if layer.is_visible else Qt.CheckState.Unchecked)
            row.setToolTip(str(layer.volume))
            # As wide as the list, whatever the name.
            row.setSizeHint(QSize(1, self.list.fontMetrics().height() + ROW_MARGIN))
            self.list.addItem(row)
        self._is_filling = False
        chosen = current if current in self._model.layers else self._model.labels_layer
        if chosen is None and self._model.layers:
            chosen = self._model.layers[-1]
        if chosen is not None:
            self.choose(chosen)
        self.show_looks()

    def show_looks(self, _: object = None) -> None:
        """Show how the layer chosen is drawn."""
        layer = self.layer
        self.looks.setEnabled(layer is not None)
        if layer is None:
            return
        for widget in self._image_widgets:
            widget.setVisible(not layer.is_labels)
        self._only_label.setVisible(layer.is_labels)
        self.only.setVisible(layer.is_labels)
        widgets = (self.opacity, self.contrast, self.colours, self.inverted, self.normalised, self.only)
        blockers = [QSignalBlocker(widget) for widget in widgets]
        self.opacity.setValue(round(layer.opacity * 100))
        self.contrast.setRange(*layer.limits)
        self.contrast.setValue((layer.low, layer.high))
        self.contrast.setEnabled(not layer.is_normalised)
        self.colours.setCurrentText(layer.colours)
        self.inverted.setChecked(layer.is_inverted)
        self.normalised.setChecked(layer.is_normalised)
        self.only.setCurrentIndex(list(Only).index(self._model.display.only))
        for blocker in blockers:
            blocker.unblock()

    @property
    def image_is_inverted(self) -> bool:
        """Tell whether the image is drawn with black and white swapped."""
        image = self._model.image_layer
        return image is not None and image.is_inverted

    @property
    def image_is_normalised(self) -> bool:
        """Tell whether each section of the image has a contrast of its own."""
        image = self._model.image_layer
        return image is not None and image.is_normalised

    def invert_image(self) -> None:
        """Swap black and white of the image, or put them back."""
        if (image := self._model.image_layer) is not None:
            image.is_inverted = not image.is_inverted

    def normalise_image(self) -> None:
        """Give each section of the image a contrast of its own, or all the same one."""
        if (image := self._model.image_layer) is not None:
            image.is_normalised = not image.is_normalised

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icons in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            # After the theme is complete, its icons included.
            QTimer.singleShot(0, self._draw_icons)

    def release(self) -> None:
        """Let go of the model."""
        self._model.volumes_changed.disconnect(self.refresh, missing_ok=True)
        self._model.layer_changed.disconnect(self._take_layer, missing_ok=True)
        self._model.display.events.only.disconnect(self.show_looks, missing_ok=True)

    def _build(self) -> None:
        self.list = QListWidget()
        self.list.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.list.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.list.setToolTip("Highest first. Drag to reorder; tick to see.")
        # A long name loses its middle: names of one specimen begin alike and end with what they are.
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.looks = QWidget()
        form = QFormLayout(self.looks)
        form.setContentsMargins(2, 2, 2, 2)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setToolTip("How much of what lies below it the layer hides.")
        self.contrast = QDoubleRangeSlider(Qt.Orientation.Horizontal)  # type: ignore[no-untyped-call]
        self.contrast.setToolTip("The values drawn black and white.")
        self.colours = QComboBox()
        self.colours.setToolTip("The colours of its values.")
        self.colours.addItems(COLOUR_MAPS)
        self.inverted = QCheckBox("inverted")
        self.inverted.setToolTip("Draw bright values dark and dark ones bright.")
        self.normalised = QCheckBox("by section")
        self.normalised.setToolTip("Find black and white anew for each section.")
        self.auto = QToolButton()
        self.auto.setAutoRaise(True)
        self.auto.setToolTip("Black and white that suit the section in view.")
        self.auto.setAccessibleName("Auto contrast")
        chosen = QWidget()
        beside = QHBoxLayout(chosen)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(2)
        beside.addWidget(self.contrast, 1)
        beside.addWidget(self.auto)
        self.only = QComboBox()
        self.only.addItems(["all labels", "those selected", "those locked"])
        self.only.setToolTip("Selected are the label in hand and those chosen in the object table.")
        form.addRow("Opacity", self.opacity)
        form.addRow("Contrast", chosen)
        form.addRow("Colours", self.colours)
        form.addRow("", self.normalised)
        form.addRow("", self.inverted)
        form.addRow("Show", self.only)
        for widget in (self.opacity, self.contrast, self.colours, self.only):
            # The docks at the side of the window are as narrow as their widest part.
            widget.setMinimumWidth(56)
        self._only_label = form.labelForField(self.only)
        own = (chosen, self.colours, self.normalised, self.inverted)
        labels = [form.labelForField(widget) for widget in own]
        self._image_widgets = [widget for widget in (*own, *labels) if widget is not None]
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.list, 1)
        column.addWidget(self.looks)
        self._draw_icons()

    def _connect(self) -> None:
        self.list.currentItemChanged.connect(self.show_looks)
        self.list.itemChanged.connect(self._take_tick)
        self.list.model().rowsMoved.connect(self._take_order)
        self.opacity.valueChanged.connect(lambda value: self._set("opacity", value / 100))
        self.contrast.valueChanged.connect(self._take_contrast)
        self.colours.currentTextChanged.connect(lambda name: self._set("colours", name))
        self.inverted.toggled.connect(lambda on: self._set("is_inverted", on))
        self.normalised.toggled.connect(lambda on: self._set("is_normalised", on))
        self.auto.clicked.connect(lambda: self.auto_wanted.emit(self.layer))
        self.only.currentIndexChanged.connect(
            lambda place: setattr(self._model.display, "only", list(Only)[place])
        )
        self._model.volumes_changed.connect(self.refresh)
        self._model.layer_changed.connect(self._take_layer)
        self._model.display.events.only.connect(self.show_looks)

    def _draw_icons(self) -> None:
        self.auto.setIcon(icon("auto-fix"))
        self._is_filling = True
        for place in range(self.list.count()):
            row = self.list.item(place)
            row.setIcon(icon(_ICONS[row.data(_LAYER).kind]))
        self._is_filling = False

    def _set(self, name: str, value: object) -> None:
        if self.layer is not None:
            setattr(self.layer, name, value)

    def _take_contrast(self, values: tuple[float, float]) -> None:
        if self.layer is not None:
            self.layer.has_contrast = True
            self.layer.low, self.layer.high = values

    def _take_tick(self, row: QListWidgetItem) -> None:
        if not self._is_filling:
            row.data(_LAYER).is_visible = row.checkState() == Qt.CheckState.Checked

    def _take_order(self) -> None:
        layers = [self.list.item(place).data(_LAYER) for place in range(self.list.count())]
        self.ordered.emit(layers[::-1])

    def _take_layer(self, layer: Layer) -> None:
        if layer is self.layer:
            self.show_looks()
