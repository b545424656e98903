"""What Qt tells a view, passed on to the mouse, the keys and the tools, and no further."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QPointF, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QEnterEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
    QTabletEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFrame,
    QGraphicsScene,
    QGraphicsView,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from uniem.gui.canvas.key_input import KeyInput
from uniem.gui.canvas.mouse import MouseInput

_TYPING = (QLineEdit, QAbstractSpinBox, QTextEdit, QPlainTextEdit, QComboBox)


class EventView(QGraphicsView):
    """A graphics view whose events go to a `MouseInput` and a `KeyInput`; a unit of its scene is a pixel.

    Signals: `pointed(QPointF)` while the mouse or a pen moves; `entered()` when the mouse comes or presses.
    """

    pointed = Signal(QPointF)
    entered = Signal()

    def __init__(self, mouse: MouseInput, keys: KeyInput, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mouse, self._keys = mouse, keys
        self._make_scene()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.WheelFocus)
        # A Japanese input method would swallow single letters; dropped files are for the window.
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.setAcceptDrops(False)
        self.viewport().setAcceptDrops(False)

    def _make_scene(self) -> None:
        self.setScene(QGraphicsScene(self))
        self.setBackgroundBrush(QColor(24, 24, 26))
        self.setCacheMode(self.CacheModeFlag.CacheBackground)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAlignment(Qt.Alignment(Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignTop)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(self.ViewportAnchor.NoAnchor)
        self.setViewportUpdateMode(self.ViewportUpdateMode.MinimalViewportUpdate)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the scene be as large as the view, so that it never scrolls."""
        super().resizeEvent(event)
        self.setSceneRect(0, 0, self.width(), self.height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a gesture and take the focus."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.entered.emit()
        self.mouse.press(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take the second press of a quick pair like any other."""
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Carry on a gesture and tell what is under the mouse."""
        self.pointed.emit(event.localPos())
        self.mouse.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a gesture."""
        self.mouse.release(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step, zoom or resize, and take the focus."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.mouse.wheel(event)
        event.accept()

    def viewport(self) -> QWidget:
        """Return what is painted on, which every view has."""
        widget = super().viewport()
        assert widget is not None
        return widget

    def viewportEvent(self, event: QEvent) -> bool:
        """Take the pen's events before Qt makes mouse events of them."""
        if isinstance(event, QTabletEvent):
            self.pointed.emit(event.posF())
            self.mouse.tablet(event)
            event.accept()
            return True
        return bool(super().viewportEvent(event))

    def event(self, event: QEvent) -> bool:
        """Claim the canvas's keys from the menus while it has the focus."""
        if event.type() == QEvent.Type.ShortcutOverride and self._keys.knows(event):
            event.accept()
            return True
        is_press = event.type() == QEvent.Type.KeyPress
        if is_press and isinstance(event, QKeyEvent) and self._keys.knows(event):
            # Before Qt takes Tab for itself.
            self.keyPressEvent(event)
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Start what the key stands for."""
        if not self._keys.press(event):
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """End what a held key stands for."""
        if not self._keys.release(event):
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """End what held keys stand for: their release will not be seen."""
        self._keys.release_all()
        super().focusOutEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Take the keyboard, unless something is being typed elsewhere."""
        self.entered.emit()
        if self.isActiveWindow() and not isinstance(QApplication.focusWidget(), _TYPING):
            self.setFocus(Qt.FocusReason.MouseFocusReason)
        super().enterEvent(event)
