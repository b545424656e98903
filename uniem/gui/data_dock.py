"""The data dock: what is open, what it is, and what can be done with it."""

from __future__ import annotations

import functools
from collections.abc import Callable

from qtpy.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPoint, QRect, QSize, Qt, QUrl, Signal
from qtpy.QtGui import QDesktopServices, QFont, QFontMetrics, QPainter, QPalette
from qtpy.QtWidgets import (
    QApplication,
    QInputDialog,
    QLabel,
    QMenu,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from uniem.data.location import is_web_address
from uniem.data.model_folder import ModelFolder
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.gui import style
from uniem.gui.model_card import ModelCard
from uniem.gui.opening.importing import can_import
from uniem.gui.panels.pickers import facts_of
from uniem.operations.operation import Role
from uniem.operations.outputs import path_of
from uniem.workspace import OpenItem, Workspace

ICON_PX = 18
_ID = int(Qt.ItemDataRole.UserRole)
_FACTS = _ID + 1
_IS_INCOMPLETE = _ID + 2
_KIND_ICONS = {
    Kind.IMAGE: "image-outline",
    Kind.LABELS: "layers-outline",
    Kind.PROBABILITY: "gradient-vertical",
}
_ROLE_ICONS = {Role.MODEL: "brain", Role.MESHES: "cube-outline", Role.TABLE: "table"}
EMPTY = (
    "Drop images, labels, models, meshes\nor web addresses anywhere on this window,\nor choose File › Open…"
)


class DataDock(QWidget):
    """List the open items; ticks say which are shown."""

    show_wanted = Signal(object)
    add_wanted = Signal(object)
    hide_wanted = Signal(object)
    edit_wanted = Signal(object)
    export_wanted = Signal(object)
    import_wanted = Signal(object)
    voxel_size_wanted = Signal(object)
    rerun_wanted = Signal(object)
    close_wanted = Signal(object)
    use_wanted = Signal(object)
    train_wanted = Signal(object, str)
    selected = Signal()

    def __init__(self, workspace: Workspace, show_error: Callable[[str], None]) -> None:
        super().__init__()
        self._workspace = workspace
        self._show_error = show_error
        self._is_filling = False
        self.tree = self._make_tree()
        empty = QLabel(EMPTY)
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setProperty("role", "quiet")
        empty.setWordWrap(True)
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(self.tree)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self._stack, 1)
        self.card = ModelCard()
        self.card.use_wanted.connect(lambda: self.use_wanted.emit(self.current))
        column.addWidget(self.card, 1)
        self.selected.connect(self._show_card)
        self.setMinimumWidth(220)
        self._signals = (workspace.added, workspace.changed, workspace.removed)
        for signal in self._signals:
            signal.connect(self.refresh)
        self.refresh()
        self._show_card()

    def close_down(self) -> None:
        """Stop listening to the workspace."""
        for signal in self._signals:
            signal.disconnect(self.refresh)

    @property
    def current(self) -> OpenItem | None:
        """The item selected."""
        return self._item_of(self.tree.currentItem())

    @property
    def has_current(self) -> bool:
        """Tell whether an item is selected."""
        return self.current is not None

    @property
    def has_volume(self) -> bool:
        """Tell whether the item selected is a volume."""
        return self.current is not None and isinstance(self.current.noun, Volume)

    def select(self, item: OpenItem) -> None:
        """Select an item."""
        for place in range(self.tree.topLevelItemCount()):
            row = self.tree.topLevelItem(place)
            if row.data(0, _ID) == item.id:
                self.tree.setCurrentItem(row)

    def refresh(self, _changed: OpenItem | None = None) -> None:
        """List the items as they are now.

        The rows of items that stay are changed, not made anew: a click that ticks one is still being handled,
        and Qt would go on with a row that is gone.
        """
        current = self.current
        items = self._workspace.items
        self._is_filling = True
        ids = {item.id for item in items}
        for place in reversed(range(self.tree.topLevelItemCount())):
            if self.tree.topLevelItem(place).data(0, _ID) not in ids:
                self.tree.takeTopLevelItem(place)
        for place, item in enumerate(items):
            _fill_row(self._row_at(place, item), item)
        self._is_filling = False
        self._stack.setCurrentIndex(1 if self._workspace.items else 0)
        if current is not None:
            self.select(current)
        elif self._workspace.items:
            self.select(self._workspace.items[-1])
        # What is shown of the item selected may be another.
        self.selected.emit()

    def _row_at(self, place: int, item: OpenItem) -> QTreeWidgetItem:
        """Return the row of an item, brought to a place or made there."""
        for number in range(place, self.tree.topLevelItemCount()):
            row = self.tree.topLevelItem(number)
            assert row is not None
            if row.data(0, _ID) == item.id:
                if number != place:
                    self.tree.insertTopLevelItem(place, self.tree.takeTopLevelItem(number))
                return row
        new = QTreeWidgetItem()
        self.tree.insertTopLevelItem(place, new)
        return new

    def _show_card(self) -> None:
        noun = self.current.noun if self.current is not None else None
        self.card.setVisible(isinstance(noun, ModelFolder))
        if isinstance(noun, ModelFolder):
            self.card.show_model(noun)

    def export_current(self) -> None:
        """Ask to export the item selected."""
        if self.has_volume:
            self.export_wanted.emit(self.current)

    def close_current(self) -> None:
        """Ask to close the item selected."""
        if self.current is not None:
            self.close_wanted.emit(self.current)

    def menu_of(self, item: OpenItem) -> QMenu:
        """Return what can be done with an item."""
        menu = QMenu(self)
        is_volume = isinstance(item.noun, Volume)
        if isinstance(item.noun, ModelFolder):
            self._add_model_actions(menu, item, item.noun)
        else:
            menu.addAction("Hide" if is_volume and item.is_visible else "Show", lambda: self._toggle(item))
        if is_volume:
            self._add_volume_actions(menu, item)
        menu.addSeparator()
        menu.addAction("Rename…", lambda: self._rename(item))
        if item.location:
            is_remote = is_web_address(item.location)
            copy = "Copy address" if is_remote else "Copy path"
            menu.addAction(copy, lambda: QApplication.clipboard().setText(item.location))
            if not is_remote:
                menu.addAction("Show in file manager", lambda: self._reveal(item))
            menu.addAction("Run again…", lambda: self.rerun_wanted.emit(item))
        menu.addSeparator()
        menu.addAction("Close", lambda: self.close_wanted.emit(item))
        return menu

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setHeaderHidden(True)
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(True)
        tree.setItemDelegate(_TwoLines(tree))
        tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tree.customContextMenuRequested.connect(self._show_menu)
        tree.itemChanged.connect(self._take_tick)
        tree.itemDoubleClicked.connect(self._activate)
        tree.currentItemChanged.connect(lambda *_: self.selected.emit())
        return tree

    def _add_model_actions(self, menu: QMenu, item: OpenItem, model: ModelFolder) -> None:
        menu.addAction("Use for inference", lambda: self.use_wanted.emit(item))
        if model.resume_path.is_file():
            menu.addAction("Go on with its training…", lambda: self.train_wanted.emit(item, "resume-2d"))
        if model.weights_path.is_file():
            menu.addAction("Fine-tune…", lambda: self.train_wanted.emit(item, "fine-tune-2d"))

    def _add_volume_actions(self, menu: QMenu, item: OpenItem) -> None:
        noun = item.noun
        assert isinstance(noun, Volume)
        if noun.kind is Kind.LABELS:
            menu.addAction("Edit labels", lambda: self.edit_wanted.emit(item))
        menu.addAction("Export…", lambda: self.export_wanted.emit(item))
        if can_import(item):
            menu.addAction("Import into working store…", lambda: self.import_wanted.emit(item))
        menu.addAction("Set voxel size…", lambda: self.voxel_size_wanted.emit(item))
        kinds = menu.addMenu("These numbers are")
        for kind in Kind:
            action = kinds.addAction(kind.value, functools.partial(self._set_kind, item, kind))
            action.setCheckable(True)
            action.setChecked(noun.kind is kind)

    def _item_of(self, row: QTreeWidgetItem | None) -> OpenItem | None:
        if row is None:
            return None
        return next((item for item in self._workspace.items if item.id == row.data(0, _ID)), None)

    def _show_menu(self, place: QPoint) -> None:
        item = self._item_of(self.tree.itemAt(place))
        if item is not None:
            self.menu_of(item).exec_(self.tree.viewport().mapToGlobal(place))

    def _take_tick(self, row: QTreeWidgetItem, column: int) -> None:
        item = self._item_of(row)
        if self._is_filling or item is None or column != 0:
            return
        is_ticked = row.checkState(0) == Qt.CheckState.Checked
        (self.add_wanted if is_ticked else self.hide_wanted).emit(item)

    def _activate(self, row: QTreeWidgetItem) -> None:
        item = self._item_of(row)
        if item is not None:
            is_model = isinstance(item.noun, ModelFolder)
            (self.use_wanted if is_model else self.show_wanted).emit(item)

    def _toggle(self, item: OpenItem) -> None:
        hides = isinstance(item.noun, Volume) and item.is_visible
        (self.hide_wanted if hides else self.show_wanted).emit(item)

    def _rename(self, item: OpenItem) -> None:
        name, is_given = QInputDialog.getText(self, "Rename", "Name in the lists:", text=item.name)
        if is_given:
            self._workspace.rename(item, name)

    def _reveal(self, item: OpenItem) -> None:
        path = path_of(item.location)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path if path.is_dir() else path.parent)))

    def _set_kind(self, item: OpenItem, kind: Kind) -> None:
        try:
            self._workspace.set_kind(item, kind)
        except UniemError as error:
            self._show_error(str(error))


def _fill_row(row: QTreeWidgetItem, item: OpenItem) -> None:
    noun = item.noun
    mark = " (read-only)" if item.is_read_only else ""
    row.setText(0, ("● " if item.is_modified else "") + item.name + mark)
    row.setData(0, _ID, item.id)
    row.setData(0, _FACTS, facts_of(item))
    row.setToolTip(0, f"{item.location or 'only in memory'}\n{facts_of(item)}")
    if isinstance(noun, Volume):
        row.setData(0, _IS_INCOMPLETE, noun.voxel_size is None)
        row.setCheckState(0, Qt.CheckState.Checked if item.is_visible else Qt.CheckState.Unchecked)
        row.setIcon(0, style.icon(_KIND_ICONS[noun.kind]))
    else:
        row.setIcon(0, style.icon(_ROLE_ICONS.get(item.role, "file-outline")))


def _upper(option: QStyleOptionViewItem) -> QStyleOptionViewItem:
    """Return the upper line of a row, with tick, icon and name."""
    upper = QStyleOptionViewItem(option)
    upper.rect = option.rect.adjusted(0, 3, 0, -option.fontMetrics.height() - 3)
    return upper


class _TwoLines(QStyledItemDelegate):
    """Paints the name, and below it the facts in quieter and smaller type."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return room for two lines."""
        return QSize(160, 2 * option.fontMetrics.height() + 8)

    def editorEvent(
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: QModelIndex
    ) -> bool:
        """Take clicks on the tick where it is painted."""
        return super().editorEvent(event, model, _upper(option), index)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Paint tick, icon and name as always, but higher; then the facts."""
        whole = QStyleOptionViewItem(option)
        self.initStyleOption(whole, index)
        drawing = whole.widget.style()
        drawing.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, whole, painter, whole.widget)
        line = option.fontMetrics.height()
        upper = _upper(option)
        if index.data(int(Qt.ItemDataRole.CheckStateRole)) is None:
            # In line with the items that have a tick.
            upper.rect.setLeft(
                upper.rect.left() + drawing.pixelMetric(QStyle.PixelMetric.PM_IndicatorWidth) + 6
            )
        super().paint(painter, upper, index)
        self.initStyleOption(upper, index)
        text = drawing.subElementRect(QStyle.SubElement.SE_ItemViewItemText, upper, whole.widget)
        is_on = bool(option.state & QStyle.StateFlag.State_Selected)
        colour = style.accent("warning" if index.data(_IS_INCOMPLETE) else "quiet")
        painter.save()
        painter.setPen(option.palette.color(QPalette.ColorRole.HighlightedText) if is_on else colour)
        small = QFont(option.font)
        small.setPointSizeF(small.pointSizeF() * 0.85)
        painter.setFont(small)
        metrics = QFontMetrics(small)
        # Under the icon rather than the name, or from the edge: the dock is narrow and the facts are long.
        right, needed = option.rect.right() - 4, metrics.horizontalAdvance(index.data(_FACTS))
        left = max(option.rect.left() + 4, min(text.left() - ICON_PX - 2, right - needed))
        area = QRect(left, option.rect.bottom() - line - 2, right - left, line)
        facts = metrics.elidedText(index.data(_FACTS), Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter), facts)
        painter.restore()
