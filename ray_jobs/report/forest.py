"""A forest plot: how far each arm is from the baseline, with its interval, and its own figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from langvec.pictures import COLOURS, INK, MUTED, RULE
from langvec.pictures.canvas import STYLE, lines, mark, sheet, shortened, width_of, write

ROW, HEADING, TOP, FOOT = 0.24, 0.34, 0.62, 0.22  # inches
SIZE, SMALL, LONGEST = 8.2, 7.5, 36
Role = Literal["arm", "baseline", "untouched"]


@dataclass(frozen=True)
class Difference:
    """One arm: its figure, and what that is above the baseline, with the 95% interval; None where nobody knows."""

    label: str
    level: float
    value: float | None
    low: float | None
    high: float | None
    role: Role = "arm"


@dataclass(frozen=True)
class Block:
    """Arms on the same pairs."""

    heading: str
    rows: Sequence[Difference]


@dataclass(frozen=True)
class _Scale:
    """Differences along the sheet, in inches."""

    ticks: Sequence[float]
    left: float
    right: float

    def x(self, value: float) -> float:
        return self.left + (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0]) * (self.right - self.left)


@matplotlib.rc_context(STYLE)
def forest(blocks: Sequence[Block], baseline: str, measure: str = "recall", width: float = 6.8) -> Figure:
    """Every arm as a dot on its interval, right of the line if it is above the baseline.

    The baseline is hollow and on the line; the untouched encoder is a diamond.
    """
    rows = [row for block in blocks for row in block.rows]
    headed = len(blocks) > 1
    height = TOP + ROW * len(rows) + (HEADING * len(blocks) if headed else 0) + FOOT
    figure, axes = sheet(width, height)
    labels = max(width_of(shortened(row.label, LONGEST), SIZE) for row in rows) + 0.3
    scale = _Scale(_ticks(rows), labels + 0.1, width - 0.85)
    write(axes, (scale.x(0), 0.14), f"above {shortened(baseline, LONGEST)}", SMALL, MUTED, "center")
    write(axes, (width - 0.12, 0.14), measure, SMALL, MUTED, "right")
    _draw_scale(axes, scale, TOP - 0.1, height - FOOT)
    y = TOP
    for block in blocks:
        if headed:
            write(axes, (0.1, y + HEADING / 2), block.heading, SIZE, MUTED)
            y += HEADING
        for row in block.rows:
            _draw_row(axes, row, y + ROW / 2, scale, width)
            y += ROW
    return figure


def _ticks(rows: Sequence[Difference]) -> list[float]:
    """Round numbers around all intervals and the baseline."""
    ends = [0.0, *(end for row in rows for end in (row.value, row.low, row.high) if end is not None)]
    low, high = min(*ends, -0.02), max(*ends, 0.02)
    return [float(tick) for tick in MaxNLocator(nbins=7, steps=[1, 2, 5, 10]).tick_values(low, high)]


def _draw_scale(axes: Axes, scale: _Scale, top: float, bottom: float) -> None:
    digits = 2 if scale.ticks[1] - scale.ticks[0] < 0.1 else 1  # noqa: PLR2004
    for tick in scale.ticks:
        zero = abs(tick) < 1e-9  # noqa: PLR2004
        lines(
            axes, [[(scale.x(tick), top), (scale.x(tick), bottom)]], MUTED if zero else RULE, 1 if zero else 0.5, zero
        )
        write(
            axes,
            (scale.x(tick), top - 0.12),
            "0" if zero else f"{tick:+.{digits}f}".replace("-", "−"),
            SMALL,
            MUTED,
            "center",
        )


def _draw_row(axes: Axes, row: Difference, y: float, scale: _Scale, width: float) -> None:
    quiet = row.role == "baseline"
    write(axes, (scale.left - 0.2, y), shortened(row.label, LONGEST), SIZE, MUTED if quiet else INK, "right")
    write(axes, (width - 0.12, y), f"{row.level:.3f}", SIZE, MUTED if quiet else INK, "right")
    colour = INK if row.role == "untouched" else COLOURS[0]
    if row.low is not None and row.high is not None:
        lines(axes, [[(scale.x(row.low), y), (scale.x(row.high), y)]], colour, 1.2 if row.role == "untouched" else 2.2)
    if quiet:
        x = scale.x(0)
        axes.plot(x, y, "o", markersize=5.5, markerfacecolor="none", markeredgecolor=MUTED, markeredgewidth=1.2)
    elif row.value is not None:
        mark(axes, (scale.x(row.value), y), "D" if row.role == "untouched" else "o", colour, 6)
