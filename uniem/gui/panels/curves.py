"""Curves of a training, drawn as they grow."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pyqtgraph as pg
from qtpy.QtCore import QEvent
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from uniem.gui import style

# Okabe and Ito's colours, told apart with every kind of colour vision.
COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#0072B2", "#F0E442")
Curves = Mapping[str, tuple[tuple[int, float], ...]]


class CurvesView(QWidget):
    """Losses in the upper plot, scores in the lower one, over training steps."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = pg.GraphicsLayoutWidget()
        # Losses fall and scores rise: so the legends lie where no curve ends.
        self._losses = self._make_plot(0, "loss", legend_y=8)
        self._scores = self._make_plot(1, "score", legend_y=-8)
        self._scores.setXLink(self._losses)
        self._scores.setLabel("bottom", "step")
        self._scores.setYRange(0, 1, padding=0.02)
        self._scores.hide()
        self._lines: dict[str, pg.PlotDataItem] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._layout)
        self.setMinimumHeight(240)
        # As high as there is room, but never so that a page must scroll for it.
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.dress()

    @property
    def names(self) -> list[str]:
        """The curves drawn."""
        return list(self._lines)

    def show_curves(self, curves: Curves) -> None:
        """Draw curves; those not named are taken away."""
        for name in [name for name in self._lines if name not in curves]:
            self._plot_of(name).removeItem(self._lines.pop(name))
        for name, points in curves.items():
            if name not in self._lines:
                self._lines[name] = self._make_line(name)
            shown = [(step, value) for step, value in points if math.isfinite(value)]
            self._lines[name].setData([step for step, _ in shown], [value for _, value in shown])
        self._scores.setVisible(any(not is_loss(name) for name in self._lines))

    def colour_of(self, name: str) -> str:
        """Return the colour of a curve, as #rrggbb."""
        return str(self._lines[name].opts["pen"].color().name())

    def dress(self) -> None:
        """Take the colours of the present theme."""
        palette = self.palette()
        self._layout.setBackground(palette.color(QPalette.ColorRole.Base))
        for plot in (self._losses, self._scores):
            for side in ("left", "bottom"):
                axis = plot.getAxis(side)
                axis.setPen(style.accent("quiet"))
                axis.setTextPen(palette.color(QPalette.ColorRole.Text))
            plot.legend.setLabelTextColor(palette.color(QPalette.ColorRole.Text))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.dress()

    def _make_plot(self, row: int, label: str, legend_y: int) -> pg.PlotItem:
        plot = self._layout.addPlot(row=row, col=0)
        plot.setLabel("left", label)
        plot.getAxis("left").setWidth(60)
        plot.showGrid(x=True, y=True, alpha=0.15)
        plot.setMenuEnabled(False)
        plot.addLegend(offset=(-8, legend_y), colCount=3)
        return plot

    def _make_line(self, name: str) -> pg.PlotDataItem:
        # Counted in each plot, so that a fold has the same colour in both.
        before = sum(is_loss(other) == is_loss(name) for other in self._lines)
        colour = QColor(COLOURS[before % len(COLOURS)])
        symbol = "o" if name.startswith("val_") else None
        return self._plot_of(name).plot(
            name=name if is_loss(name) else name.removeprefix("val_"),
            pen=pg.mkPen(colour, width=2),
            symbol=symbol,
            symbolSize=5,
            symbolBrush=colour,
            symbolPen=None,
        )

    def _plot_of(self, name: str) -> pg.PlotItem:
        return self._losses if is_loss(name) else self._scores


def is_loss(name: str) -> bool:
    """Tell whether a curve is a loss, which has no upper bound, rather than a score from 0 to 1."""
    return "loss" in name or "rate" in name
