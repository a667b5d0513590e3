"""How encoders learnt: validation loss and dev retrieval over the tokens they have read, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from langvec.pictures import COLOURS, MUTED, RULE
from langvec.pictures.canvas import STYLE, lines, sheet, shortened, width_of, write

HEIGHT, LEGEND, LETTERS, WIDE = 4.9, 0.24, 24, 0.62  # inches, inches, letters of a name, inches left of a field
MEASURES = {"validation_loss": "validation, nats per hidden token", "dev_retrieval": "dev retrieval"}
STEPS = {"mono": "sentences", "para": "pairs"}

Row = Mapping[str, Any]


@matplotlib.rc_context(STYLE)
def encoder_curves(rows: Sequence[Row], arms: Sequence[str], width: float = 6.8) -> Figure:
    """A column for each step and a row for each measure; a colour for each arm.

    With several seeds, each is a thin line and the mean a thick one.
    """
    steps = [step for step in STEPS if any(row["step_of_training"] == step for row in rows)]
    entries = _entries(arms, width)
    top = LEGEND * len(entries) + 0.35
    figure, page = sheet(width, HEIGHT + top)
    for line, names in enumerate(entries):
        _draw_legend(page, names, (line + 0.5) * LEGEND + 0.05)
    fields = _fields(figure, len(steps), (width, HEIGHT + top), top)
    for column, step in enumerate(steps):
        fields[0][column].set_title(STEPS[step], fontsize=8.5, color=MUTED, pad=6)
        fields[1][column].set_xlabel("tokens read", color=MUTED, fontsize=8)
        for place, measure in enumerate(MEASURES):
            for arm, colour in _coloured(arms):
                own = [row for row in rows if (row["arm"], row["step_of_training"]) == (arm, step)]
                _draw_arm(fields[place][column], own, measure, colour)
    for place, words in enumerate(MEASURES.values()):
        fields[place][0].set_ylabel(words, color=MUTED, fontsize=8)
    return figure


def _fields(figure: Figure, columns: int, size: tuple[float, float], top: float) -> list[list[Axes]]:
    """Two rows of axes below the legend, measured in inches; each row has one scale."""
    width, height = size
    wide = (width - 0.15) / columns - WIDE
    high = (height - top - 0.85) / 2
    found: list[list[Axes]] = []
    for row in range(2):
        found.append([])
        for column in range(columns):
            left, bottom = WIDE + column * (wide + WIDE), height - top - high - row * (high + 0.3)
            box = (left / width, bottom / height, wide / width, high / height)
            axes = figure.add_axes(box, facecolor="none", sharey=found[row][0] if column else None)
            _calm(axes)
            found[row].append(axes)
    return found


def _calm(axes: Axes) -> None:
    """Two quiet axes instead of a box."""
    axes.tick_params(colors=MUTED, labelcolor=MUTED, labelsize=7.5, length=3)
    axes.grid(color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(RULE)


def _draw_arm(axes: Axes, rows: Sequence[Row], measure: str, colour: str) -> None:
    of_seed: dict[Any, list[tuple[float, float]]] = {}
    for row in rows:
        if row[measure] is not None:
            of_seed.setdefault(row["seed"], []).append((row["tokens"], row[measure]))
    for points in of_seed.values() if len(of_seed) > 1 else ():
        axes.plot(*zip(*points, strict=True), color=colour, linewidth=0.6, alpha=0.5)
    together = [[one for one in epoch if one] for epoch in zip_longest(*of_seed.values())]
    if together:
        x, y = np.array([np.mean(epoch, axis=0) for epoch in together]).T
        axes.plot(x, y, color=colour, linewidth=1.8, marker="o", markersize=3, markeredgewidth=0)


def _coloured(arms: Sequence[str]) -> list[tuple[str, str]]:
    """Arms and their colours; beyond the last colour they begin again."""
    return [(arm, COLOURS[place % len(COLOURS)]) for place, arm in enumerate(arms)]


def _entries(arms: Sequence[str], width: float) -> list[list[tuple[str, str]]]:
    """The legend in lines, as many arms to a line as fit."""
    found: list[list[tuple[str, str]]] = [[]]
    for entry in _coloured(arms):
        if found[-1] and sum(_long(arm) for arm, _ in [*found[-1], entry]) > width - WIDE:
            found.append([])
        found[-1].append(entry)
    return found


def _long(arm: str) -> float:
    return width_of(shortened(arm, LETTERS), 8) + 0.55


def _draw_legend(page: Axes, entries: Sequence[tuple[str, str]], y: float) -> None:
    x = WIDE
    for arm, colour in entries:
        lines(page, [[(x, y), (x + 0.22, y)]], colour, 2)
        write(page, (x + 0.3, y), shortened(arm, LETTERS), 8)
        x += _long(arm)
