"""The entropy matrix as a field of coloured cells."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from langvec.pictures.canvas import INK, MUTED, STYLE, boxes, sheet, shortened, width_of, write
from langvec.pictures.families import Families, name_of

NAMED = 80  # languages up to which every row and column has its name
CELL = 0.155  # inches, if they have
LARGEST = 8.2  # inches of the whole field, if they have not
COLOURS = "YlGnBu_r"  # dark is cheap; its lightness grows evenly, so it also prints in grey
STRIP, GAP, EDGE = 0.07, 0.05, 0.12


@matplotlib.rc_context(STYLE)
def heat_map(
    nats_mt: np.ndarray, models: Sequence[str], texts: Sequence[str], families: Families | None = None
) -> Figure:
    """Nats per character that each model (row) pays for each text (column), in the order given.

    The strips along the sides have the colours of families. In the SVG the image of the cells has the id `cells`.
    """
    families = families or Families([*models, *texts])
    named = max(len(models), len(texts)) <= NAMED
    cell = CELL if named else LARGEST / max(len(models), len(texts))
    names = max(width_of(shortened(name_of(code)), 7) for code in [*models, *texts]) + 0.06 if named else 0.22
    left, top = EDGE + names + STRIP + GAP, EDGE + names + STRIP + GAP
    width, height = cell * len(texts), cell * len(models)
    figure, axes = sheet(max(left + width + EDGE, 3.6), top + height + 0.75)
    bounds = (float(np.nanmin(nats_mt)), float(np.nanmax(nats_mt)))
    image = axes.imshow(
        nats_mt, COLOURS, vmin=bounds[0], vmax=bounds[1], extent=(left, left + width, top + height, top),
        interpolation="none", aspect="auto",
    )  # fmt: skip
    image.set_gid("cells")
    axes.set(xlim=(0, figure.get_figwidth()), ylim=(figure.get_figheight(), 0))
    _draw_side(axes, models, families, (left, top, cell), named, turned=False)
    _draw_side(axes, texts, families, (left, top, cell), named, turned=True)
    _draw_key(axes, left, top + height + 0.28, bounds)
    return figure


def _draw_side(
    axes: Axes,
    codes: Sequence[str],
    families: Families,
    corner: tuple[float, float, float],
    named: bool,
    turned: bool,
) -> None:
    """The strip of families and the names: beside the rows, or turned and above the columns."""
    left, top, cell = corner
    first, edge = (left, top - GAP) if turned else (top, left - GAP)
    parts: dict[str, list[tuple[tuple[float, float], tuple[float, float]]]] = {}
    for place, code in enumerate(codes):
        start, end = first + place * cell, first + (place + 1) * cell
        box = ((start, edge - STRIP), (end, edge)) if turned else ((edge - STRIP, start), (edge, end))
        parts.setdefault(families.colour(code), []).append(box)
        if named:
            middle = (start + end) / 2
            at = (middle, edge - STRIP - 0.05) if turned else (edge - STRIP - 0.05, middle)
            write(axes, at, shortened(name_of(code)), 7, INK, "left" if turned else "right", turned)
    for colour, found in sorted(parts.items()):
        boxes(axes, found, colour)
    if not named:
        at = (first, edge - STRIP - 0.1) if turned else (edge - STRIP - 0.1, first)
        write(axes, at, "texts" if turned else "models", 8, MUTED, "left" if turned else "right", not turned)


def _draw_key(axes: Axes, left: float, y: float, bounds: tuple[float, float]) -> None:
    """Which colour is which number."""
    ramp = axes.imshow(
        np.linspace(0, 1, 64)[None, :], COLOURS, extent=(left, left + 1.6, y + 0.1, y), interpolation="none",
        aspect="auto",
    )  # fmt: skip
    ramp.set_gid("key")
    axes.set(xlim=(0, axes.figure.get_figwidth()), ylim=(axes.figure.get_figheight(), 0))  # type: ignore[union-attr]
    write(axes, (left, y + 0.2), f"{bounds[0]:.1f}", 7, MUTED)
    write(axes, (left + 1.6, y + 0.2), f"{bounds[1]:.1f}", 7, MUTED, "right")
    write(axes, (left + 1.7, y + 0.05), "nats per character", 7, MUTED)
