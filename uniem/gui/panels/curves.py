"""Curves of a training, drawn as they grow."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping

import pyqtgraph as pg
from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from uniem.gui import style

# Okabe and Ito's colours, told apart with every kind of colour vision.
COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#0072B2", "#F0E442")
LEAST_HEIGHT = 240
TITLES = {
    "val_loss": "loss held out",
    "val_f1": "F1",
    "val_jaccard": "Jaccard",
    "val_auc": "AUC",
    "val_v_rand": "V_Rand",
    "val_v_info": "V_Info",
}
Curves = Mapping[str, tuple[tuple[int, float], ...]]


class CurvesView(QWidget):
    """Losses in the upper plot, scores in the lower one, over training steps; each with its legend above."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, pg.PlotDataItem] = {}
        self._losses, self._scores = _Plot("loss"), _Plot("score")
        self._scores.plot.setXLink(self._losses.plot)
        self._scores.plot.setLabel("bottom", "step")
        self._scores.plot.setYRange(0, 1, padding=0.02)
        self._scores.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for each in (self._losses, self._scores):
            column.addWidget(each, 1)
        self.setMinimumHeight(LEAST_HEIGHT)
        self.dress()

    def sizeHint(self) -> QSize:
        """Ask for little: as high as there is room, but never so that a page must scroll for it."""
        return QSize(super().sizeHint().width(), LEAST_HEIGHT)

    @property
    def names(self) -> list[str]:
        """The curves drawn."""
        return list(self._lines)

    def show_curves(self, curves: Curves) -> None:
        """Draw curves; those not named are taken away."""
        for name in [name for name in self._lines if name not in curves]:
            self._plot_of(name).plot.removeItem(self._lines.pop(name))
        for name, points in curves.items():
            if name not in self._lines:
                self._lines[name] = self._make_line(name)
            shown = [(step, value) for step, value in points if math.isfinite(value)]
            self._lines[name].setData([step for step, _ in shown], [value for _, value in shown])
        self._scores.setVisible(any(not is_loss(name) for name in self._lines))
        for plot in (self._losses, self._scores):
            own = [name for name in self._lines if self._plot_of(name) is plot]
            plot.show_legend([(title_of(name), self.colour_of(name)) for name in own])

    def legend_of(self, name: str) -> str:
        """Return the words of the legend that a curve is named in."""
        return self._plot_of(name).legend.text()

    def colour_of(self, name: str) -> str:
        """Return the colour of a curve, as #rrggbb."""
        return str(self._lines[name].opts["pen"].color().name())

    def dress(self) -> None:
        """Take the colours of the present theme."""
        for plot in (self._losses, self._scores):
            plot.dress(self.palette())

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.dress()

    def _make_line(self, name: str) -> pg.PlotDataItem:
        # Counted in each plot, so that a fold has the same colour in both.
        before = sum(is_loss(other) == is_loss(name) for other in self._lines)
        colour = QColor(COLOURS[before % len(COLOURS)])
        symbol = "o" if name.startswith("val_") else None
        return self._plot_of(name).plot.plot(
            pen=pg.mkPen(colour, width=2),
            symbol=symbol,
            symbolSize=5,
            symbolBrush=colour,
            symbolPen=None,
        )

    def _plot_of(self, name: str) -> _Plot:
        return self._losses if is_loss(name) else self._scores


class _Canvas(pg.PlotWidget):
    """A plot that asks for little: legends that wrap have the page ask for all that is wished."""

    def sizeHint(self) -> QSize:
        return QSize(200, LEAST_HEIGHT // 2)


class _Plot(QWidget):
    """A plot under a legend that takes as many lines as the width asks for."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setContentsMargins(60, 2, 4, 0)
        self.widget = _Canvas()
        self.plot: pg.PlotItem = self.widget.getPlotItem()
        self.plot.setLabel("left", label)
        axis = self.plot.getAxis("left")
        axis.setWidth(60)
        axis.enableAutoSIPrefix(False)
        self.plot.getAxis("bottom").enableAutoSIPrefix(False)
        self.plot.showGrid(x=True, y=True, alpha=0.15)
        self.plot.setMenuEnabled(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.legend)
        column.addWidget(self.widget, 1)

    def show_legend(self, entries: list[tuple[str, str]]) -> None:
        """Name the curves, each behind a mark in its colour; a name stays in one line."""
        words = (
            f'<span style="color: {colour}">■</span>&nbsp;{html.escape(title).replace(" ", "&nbsp;")}'
            for title, colour in entries
        )
        text = " &nbsp; ".join(words)
        if text != self.legend.text():
            self.legend.setText(text)

    def dress(self, palette: QPalette) -> None:
        """Take the colours of a theme."""
        self.widget.setBackground(palette.color(QPalette.ColorRole.Base))
        for side in ("left", "bottom"):
            axis = self.plot.getAxis(side)
            axis.setPen(style.accent("quiet"))
            axis.setTextPen(palette.color(QPalette.ColorRole.Text))


def title_of(name: str) -> str:
    """Return what people call a curve; that of a fold ends with its number."""
    own, _, fold = name.partition(" ")
    return f"{TITLES.get(own, own.replace('_', ' '))} {fold}".strip()


def is_loss(name: str) -> bool:
    """Tell whether a curve is a loss, which has no upper bound, rather than a score from 0 to 1."""
    return "loss" in name or "rate" in name
