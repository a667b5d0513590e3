"""Languages on a plane, near where their vectors are near."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from langvec.pictures.canvas import STYLE, Point, mark, sheet, shortened, width_of, write
from langvec.pictures.families import Families, draw_legend, legend_height, name_of

SIZE = 7.4  # points of a name
TALL = 0.125  # inches of a name
EDGE = 0.75

Box = tuple[float, float, float, float]  # left, top, right, bottom


def on_a_plane(distances: np.ndarray) -> tuple[np.ndarray, float]:
    """Points on a plane whose distances come near to the given ones: classical scaling (Torgerson, 1952).

    Args:
        distances: shape (languages, languages).

    Returns:
        Points of shape (languages, 2), each axis turned so that its furthest point is positive, and the share of the
        squared distances that the plane shows.
    """
    size = len(distances)
    centring = np.eye(size) - 1 / size
    values, axes = np.linalg.eigh(-centring @ (np.asarray(distances) ** 2) @ centring / 2)
    values, axes = np.clip(values[::-1], 0, None), axes[:, ::-1]
    points = np.zeros((size, 2))
    for axis in range(min(2, size)):
        along = axes[:, axis] * np.sqrt(values[axis])
        points[:, axis] = along * np.sign(along[np.abs(along).argmax()] or 1)
    return points, float(values[:2].sum() / values.sum()) if values.sum() else 1.0


@matplotlib.rc_context(STYLE)
def map_of_languages(
    distances: np.ndarray, codes: Sequence[str], families: Families | None = None, width: float = 8.6
) -> Figure:
    """The plane with a mark for each language; names stand where there is room for them."""
    families = families or Families(codes)
    points, _ = on_a_plane(distances)
    points = (points - points.min(0)) * (width - 2 * EDGE) / (np.ptp(points, 0).max() or 1)
    high = min(max(float(points[:, 1].max()), 2.5), width)
    figure, axes = sheet(width, high + EDGE + legend_height(families, width - 0.3) + 0.15)
    places = [(EDGE + float(x), EDGE / 2 + high - float(y)) for x, y in points]
    large = 6.0 if len(codes) <= 100 else 4.0  # noqa: PLR2004
    for code, place in zip(codes, places, strict=True):
        mark(axes, place, families.mark(code), families.colour(code), large, f"dot-{code}")
    for code, at, align in _named(codes, places, width, large / 144):
        write(axes, at, shortened(name_of(code), 20), SIZE, align=align)
    draw_legend(axes, families, 0.15, high + EDGE, width - 0.3)
    return figure


def _named(
    codes: Sequence[str], places: Sequence[Point], width: float, radius: float
) -> Iterator[tuple[str, Point, str]]:
    """Each language that has room for its name, where the name starts, and which end is there."""
    taken: list[Box] = [(x - radius, y - radius, x + radius, y + radius) for x, y in places]
    for code, (x, y) in zip(codes, places, strict=True):
        long = width_of(shortened(name_of(code), 20), SIZE)
        for at, align in _seats(x, y, radius):
            start = at[0] - {"left": 0.0, "center": long / 2, "right": long}[align]
            box = (start, at[1] - TALL / 2, start + long, at[1] + TALL / 2)
            if box[0] > 0 and box[2] < width and not any(_meet(box, other) for other in taken):
                taken.append(box)
                yield code, at, align
                break


def _seats(x: float, y: float, radius: float) -> Iterator[tuple[Point, str]]:
    """Where a name may stand: right, left, above, below, and at the four corners."""
    beside, above = radius + 0.05, radius + TALL / 2 + 0.015
    yield (x + beside, y), "left"
    yield (x - beside, y), "right"
    yield (x, y - above), "center"
    yield (x, y + above), "center"
    for down in (-1, 1):
        yield (x + radius, y + down * above * 0.8), "left"
        yield (x - radius, y + down * above * 0.8), "right"


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
