"""What models learn by epoch, and how good trees are beside those that know nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from langvec.pictures.canvas import INK, MUTED, RULE, STYLE, lines, mark, sheet, shortened, width_of, write
from langvec.pictures.families import COLOURS

CHANCE = 1 / 3  # of a triplet


@dataclass(frozen=True)
class Bar:
    """One score with its 95% interval, if it has one; a baseline is drawn hollow."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    baseline: bool = False


@matplotlib.rc_context(STYLE)
def learning_curves(nats: Mapping[str, Sequence[float]], width: float = 7.2) -> Figure:
    """Validation nats per symbol by epoch: a thin line for each language, a thick one for the median.

    Args:
        nats: of each language, one number an epoch; languages may have stopped at different epochs.
        width: in inches.
    """
    figure = Figure(figsize=(width, 3.6), facecolor="none")
    axes = figure.add_axes((0.09, 0.14, 0.88, 0.82), facecolor="none")
    for code, values in nats.items():
        (line,) = axes.plot(range(1, len(values) + 1), values, color=COLOURS[0], linewidth=0.6, alpha=0.45)
        line.set_gid(f"curve-{code}")
    by_epoch = [[value for value in column if value is not None] for column in zip_longest(*nats.values())]
    axes.plot(range(1, len(by_epoch) + 1), [np.median(column) for column in by_epoch], color=INK, linewidth=2)
    axes.set_xlabel("epoch", color=MUTED, fontsize=8)
    axes.set_ylabel("validation, nats per symbol", color=MUTED, fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _calm(axes)
    return figure


def _calm(axes: Axes) -> None:
    """Two quiet axes instead of a box."""
    axes.tick_params(colors=MUTED, labelcolor=MUTED, labelsize=7.5, length=3)
    axes.grid(color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(RULE)


@matplotlib.rc_context(STYLE)
def score_bars(bars: Sequence[Bar], width: float = 7.2) -> Figure:
    """Triplet accuracy of each tree as a dot on its interval, baselines hollow, and a line at chance."""
    row, top = 0.24, 0.34
    labels = max(width_of(shortened(bar.label, 48), 8.2) for bar in bars) + 0.25
    figure, axes = sheet(width, top + row * len(bars) + 0.2)
    lowest = min(0.3, *(bar.value for bar in bars), *(bar.low for bar in bars if bar.low is not None)) - 0.02
    first = np.floor(lowest * 10) / 10
    left, right = labels, width - 0.55

    def x(value: float) -> float:
        return float(left + (value - first) / (1 - first) * (right - left))

    bottom = top + row * len(bars)
    for step in range(round(first * 10), 11, 2 if first < 0.2 else 1):  # noqa: PLR2004
        lines(axes, [[(x(step / 10), top - 0.05), (x(step / 10), bottom)]], RULE, 0.5)
        write(axes, (x(step / 10), top - 0.15), f"{step / 10:.1f}", 7.5, MUTED, "center")
    lines(axes, [[(x(CHANCE), top - 0.05), (x(CHANCE), bottom)]], MUTED, 1, dashes=True)
    write(axes, (x(CHANCE), bottom + 0.1), "chance", 7.5, MUTED, "center")
    for place, bar in enumerate(bars):
        _draw_bar(axes, bar, top + (place + 0.5) * row, labels - 0.15, x(bar.value), _ends(bar, x))
        write(axes, (width - 0.12, top + (place + 0.5) * row), f"{bar.value:.3f}", 8.2, INK, "right")
    return figure


def _ends(bar: Bar, x: Callable[[float], float]) -> tuple[float, float] | None:
    return None if bar.low is None or bar.high is None else (x(bar.low), x(bar.high))


def _draw_bar(axes: Axes, bar: Bar, y: float, label: float, value: float, ends: tuple[float, float] | None) -> None:
    write(axes, (label, y), shortened(bar.label, 48), 8.2, MUTED if bar.baseline else INK, "right")
    if ends:
        lines(axes, [[(ends[0], y), (ends[1], y)]], *((MUTED, 1.0) if bar.baseline else (COLOURS[0], 2.2)))
    if bar.baseline:
        axes.plot(value, y, "o", markersize=5.5, markerfacecolor="none", markeredgecolor=MUTED, markeredgewidth=1.2)
    else:
        mark(axes, (value, y), "o", COLOURS[0], 6.5)
