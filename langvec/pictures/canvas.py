"""What all pictures are drawn on: a sheet measured in inches, text of known width, and bytes without a date."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.textpath import text_to_path

INK, MUTED, RULE = "#000001", "#6b6b6c", "#d3d3d4"  # black, grey and light grey, each unlike any other colour
POINTS = 72  # to the inch
FONT = "DejaVu Sans"  # comes with matplotlib
STYLE: dict[Any, Any] = {"svg.fonttype": "none", "pdf.fonttype": 42, "font.family": [FONT], "path.simplify": False}
STYLE |= {"text.parse_math": False}  # a dollar sign in a name is a dollar sign

Point = tuple[float, float]


def sheet(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure and axes over all of it: x to the right and y down, both in inches."""
    figure = Figure(figsize=(width, height), facecolor="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    return figure, axes


def write(
    axes: Axes, at: Point, text: str, size: float, colour: str = INK, align: str = "left", turned: bool = False
) -> None:
    """Text beside a point, centred on its height; a dollar sign is a dollar sign."""
    axes.text(
        *at,
        text,
        fontsize=size,
        color=colour,
        ha=align,
        va="center_baseline",
        rotation=90 if turned else 0,
        rotation_mode="anchor",
        parse_math=False,
    )


def lines(axes: Axes, paths: Sequence[Sequence[Point]], colour: str, width: float, dashes: bool = False) -> None:
    """Many lines as one shape, which keeps the file small."""
    if not paths:
        return
    points = [point for path in paths for point in path]
    codes = [code for path in paths for code in [Path.MOVETO] + [Path.LINETO] * (len(path) - 1)]
    style = (0, (1, 2)) if dashes else "solid"
    shape = Path(points, codes)
    axes.add_patch(
        PathPatch(shape, fill=False, edgecolor=colour, linewidth=width, linestyle=style, capstyle="butt", clip_on=False)
    )


def boxes(axes: Axes, corners: Sequence[tuple[Point, Point]], colour: str) -> None:
    """Many filled rectangles, each given by two corners, as one shape."""
    if not corners:
        return
    points = [point for (x, y), (u, v) in corners for point in ((x, y), (u, y), (u, v), (x, v), (x, y))]
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(corners)
    axes.add_patch(PathPatch(Path(points, codes), facecolor=colour, linewidth=0, clip_on=False))


def mark(axes: Axes, at: Point, shape: str, colour: str, size: float, name: str | None = None) -> None:
    """One mark of a language; `name` becomes the id of its group in the SVG."""
    marks(axes, [at], shape, colour, size, name)


def marks(axes: Axes, places: Sequence[Point], shape: str, colour: str, size: float, name: str | None = None) -> None:
    """Many marks that look alike."""
    x, y = zip(*places, strict=True)
    (drawn,) = axes.plot(x, y, marker=shape, color=colour, markersize=size, markeredgewidth=0, linestyle="")
    drawn.set_clip_on(False)
    if name:
        drawn.set_gid(name)


def width_of(text: str, size: float) -> float:
    """How many inches the text takes in the pictures' font; most others are narrower."""
    return _width_in_points(text, size) / POINTS


@cache
def _width_in_points(text: str, size: float) -> float:
    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(family=[FONT], size=size), False)
    return float(width)


def shortened(text: str, letters: int = 28) -> str:
    """The text, with an end that says so if it is long."""
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def as_svg(figure: Figure) -> bytes:
    """The figure as SVG with real text; the same data gives the same bytes."""
    metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    return _bytes(figure, "svg", metadata)


def as_pdf(figure: Figure) -> bytes:
    """The figure as PDF with embedded fonts; the same data gives the same bytes."""
    metadata = dict.fromkeys(("Creator", "Producer", "CreationDate"))
    return _bytes(figure, "pdf", metadata)


def _bytes(figure: Figure, kind: str, metadata: dict[str, None]) -> bytes:
    buffer = io.BytesIO()
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": "picture"}):
        figure.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()
