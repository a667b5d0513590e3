"""Trees of languages: one with its support, or two face to face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from langvec.pictures.canvas import INK, MUTED, RULE, STYLE, Point, lines, marks, sheet, shortened, width_of, write
from langvec.pictures.families import Families, draw_legend, family_of, legend_height, name_of
from langvec.pictures.layout import Layout, children_of, lay_out
from langvec.tree import Tree

CROWDED = 80  # leaves from which rows are low and support is a dot
EDGE = 0.12  # inches of margin
GAP = 0.07  # inches between a mark and what comes after it
HALF = 0.5


@dataclass(frozen=True)
class Rows:
    """How high a row is, and how large its text."""

    height: float
    size: float

    @classmethod
    def of(cls, leaves: int) -> Rows:
        return cls(0.125, 6.2) if leaves > CROWDED else cls(0.19, 8.6)


@dataclass(frozen=True)
class Field:
    """The part of a sheet that a tree takes: from the x of the root to that of the furthest leaf."""

    axes: Axes
    layout: Layout
    families: Families
    rows: Rows
    root: float
    tip: float
    top: float

    def at(self, node: int) -> Point:
        x = self.root + float(self.layout.reach[node]) * (self.tip - self.root)
        return x, self.y(float(self.layout.row[node]))

    def y(self, row: float) -> float:
        return self.top + (row + 0.5) * self.rows.height


@matplotlib.rc_context(STYLE)
def dendrogram(tree: Tree, families: Families | None = None, width: float = 7.2, by_levels: bool = False) -> Figure:
    """One tree with the root to the left, leaves by name and code, branches in the colours of families.

    Labels of clades that are numbers are taken for bootstrap support. By levels, lengths of edges count for nothing.
    """
    families = families or Families(tree.leaves)
    rows, names, codes = _measures(tree)
    figure, axes = _tree_sheet(tree, families, rows, width)
    labels = width - EDGE - names - codes
    field = Field(axes, lay_out(tree, by_levels=by_levels), families, rows, EDGE, labels - 0.2, EDGE)
    _draw_tree(field)
    _draw_support(field)
    _draw_labels(field, labels, labels + names + codes)
    _draw_scale(field)
    return figure


@matplotlib.rc_context(STYLE)
def tanglegram(tree: Tree, gold: Tree, families: Families | None = None, width: float = 10.6) -> Figure:
    """A tree and the accepted one face to face, each language joined to itself; gold may lack some languages."""
    families = families or Families(tree.leaves)
    rows, names, codes = _measures(tree)
    figure, axes = _tree_sheet(tree, families, rows, width)
    layout = lay_out(tree)
    of_leaf = {tree.leaves[leaf]: float(row) for row, leaf in enumerate(layout.order)}
    right = lay_out(gold, of_leaf, by_levels=True)
    outer = max(width_of(shortened(_top_name(right, node), 22), rows.size) for node in _below_root(gold))
    room = (width - 2 * EDGE - names - codes - outer - 1.1) / 2
    labels = EDGE + room + 0.15
    end = labels + names + codes
    left = Field(axes, layout, families, rows, EDGE, EDGE + room, EDGE)
    facing = Field(axes, right, families, rows, width - EDGE - outer - 0.08, width - EDGE - outer - 0.08 - room, EDGE)
    for field in (left, facing):
        _draw_tree(field)
    _draw_support(left)
    _draw_labels(left, labels, end)
    _draw_joins(left, facing, end + 0.06)
    _draw_top_names(facing)
    _draw_scale(left)
    return figure


def leaf_order(tree: Tree) -> list[str]:
    """The leaves from top to bottom, as `dendrogram` draws them."""
    return [tree.leaves[leaf] for leaf in lay_out(tree).order]


def _measures(tree: Tree) -> tuple[Rows, float, float]:
    """Rows, and the inches that names and codes take."""
    rows = Rows.of(len(tree.leaves))
    names = max(width_of(shortened(name_of(code)), rows.size) for code in tree.leaves)
    codes = max(width_of(code, rows.size - 1.2) for code in tree.leaves)
    return rows, names + 0.12, codes + 0.04


def _tree_sheet(tree: Tree, families: Families, rows: Rows, width: float) -> tuple[Figure, Axes]:
    legend = legend_height(families, width - 2 * EDGE)
    bottom = EDGE + len(tree.leaves) * rows.height
    figure, axes = sheet(width, bottom + 0.42 + legend + EDGE)
    draw_legend(axes, families, EDGE, bottom + 0.42, width - 2 * EDGE)
    return figure, axes


def _draw_tree(field: Field) -> None:
    """Branches as right angles, one shape for each colour."""
    tree = field.layout.tree
    paths: dict[str, list[list[Point]]] = {}
    for above, below in children_of(tree).items():
        x, _ = field.at(above)
        ends = sorted(field.at(node)[1] for node in below)
        paths.setdefault(_colour(field, above), []).append([(x, ends[0]), (x, ends[-1])])
        for node in below:
            paths.setdefault(_colour(field, node), []).append([(x, field.at(node)[1]), field.at(node)])
    for colour, found in sorted(paths.items()):
        lines(field.axes, found, colour, 0.8 if len(tree.leaves) > CROWDED else 1.2)


def _colour(field: Field, node: int) -> str:
    codes = [field.layout.tree.leaves[leaf] for leaf in np.flatnonzero(field.layout.tree.nodes[node])]
    return field.families.colour(codes[0]) if field.families.shared(codes) else INK


def _draw_labels(field: Field, left: float, right: float) -> None:
    """Names from the left and codes from the right; dots lead from leaves that end early."""
    size = field.rows.size
    leaders = []
    for leaf in field.layout.order:
        code, (x, y) = field.layout.tree.leaves[leaf], field.at(leaf)
        if x + 2 * GAP < left - GAP:
            leaders.append([(x + GAP, y), (left - GAP, y)])
        write(field.axes, (left, y), shortened(name_of(code)), size)
        write(field.axes, (right, y), code, size - 1.2, MUTED, "right")
    lines(field.axes, leaders, RULE, 0.7, dashes=True)
    _draw_marks(field, {code: field.at(leaf) for leaf, code in enumerate(field.layout.tree.leaves)})


def _draw_marks(field: Field, places: Mapping[str, Point]) -> None:
    """The mark of each language's family where the language stands."""
    alike: dict[tuple[str, str], list[Point]] = {}
    for code, at in places.items():
        alike.setdefault((field.families.mark(code), field.families.colour(code)), []).append(at)
    for (shape, colour), found in sorted(alike.items()):
        marks(field.axes, found, shape, colour, field.rows.size * 0.55)


def _draw_support(field: Field) -> None:
    """Percent on the edge above a clade where they fit, else a dot that grows with the support."""
    size = field.rows.size - 2.4
    dots: dict[float, list[Point]] = {}
    for node, support in _supports(field.layout.tree).items():
        x, y = field.at(node)
        start, _ = field.at(int(field.layout.tree.parents[node]))
        words = f"{support * 100:.0f}"
        if len(field.layout.tree.leaves) <= CROWDED and x - start > width_of(words, size) + 0.06:
            write(field.axes, (x - 0.04, y - 0.055), words, size, MUTED, "right")
        else:
            dots.setdefault(round(support, 1), []).append((x, y))
    for support, found in sorted(dots.items()):
        marks(field.axes, found, "o", INK if support >= HALF else MUTED, 0.8 + 2.2 * support)


def _supports(tree: Tree) -> Mapping[int, float]:
    """The clades below the root whose label is a share."""
    found = {}
    for place, label in enumerate(tree.labels[:-1]):
        try:
            support = float(label)
        except ValueError:
            continue
        if 0 <= support <= 1:
            found[len(tree.leaves) + place] = support
    return found


def _draw_joins(left: Field, right: Field, start: float) -> None:
    """A line for each language from its row on the left to its row on the right."""
    row = {right.layout.tree.leaves[leaf]: right.at(leaf) for leaf in right.layout.order}
    paths: dict[str, list[list[Point]]] = {}
    for leaf in left.layout.order:
        code = left.layout.tree.leaves[leaf]
        if code in row:
            (x, y), own = row[code], left.at(leaf)[1]
            path = [(start, own), (start + 0.08, own), (x - 0.14, y), (x - 0.05, y)]
            paths.setdefault(left.families.colour(code), []).append(path)
    for colour, found in sorted(paths.items()):
        lines(left.axes, found, colour, 0.6)
    _draw_marks(right, row)


def _draw_top_names(field: Field) -> None:
    """What hangs from the root, by name, beyond the root."""
    for node in _below_root(field.layout.tree):
        words = shortened(_top_name(field.layout, node), 22)
        write(field.axes, (field.root + 0.08, field.at(node)[1]), words, field.rows.size, _colour(field, node))


def _below_root(tree: Tree) -> list[int]:
    return [node for node, above in enumerate(tree.parents) if above == len(tree.parents) - 1]


def _top_name(layout: Layout, node: int) -> str:
    """The top family of all below a node; if they have none in common, what the node is called."""
    tree = layout.tree
    families = {family_of(tree.leaves[leaf]) for leaf in np.flatnonzero(tree.nodes[node])}
    if families == {""} and node < len(tree.leaves):
        return "isolate"
    return families.pop() if len(families) == 1 else tree.labels[node - len(tree.leaves)]


def _draw_scale(field: Field) -> None:
    """How long a line of a round distance is, if the tree's edges have lengths."""
    if not field.layout.to_scale:
        return
    third = field.layout.longest / 3
    power = 10.0 ** np.floor(np.log10(third))
    length = power * max(step for step in (1, 2, 5) if step * power <= third * (1 + 1e-9))
    end = field.root + length / field.layout.longest * (field.tip - field.root)
    y = field.y(len(field.layout.order)) + 0.02
    lines(
        field.axes, [[(field.root, y - 0.03), (field.root, y + 0.03)], [(end, y - 0.03), (end, y + 0.03)]], MUTED, 0.8
    )
    lines(field.axes, [[(field.root, y), (end, y)]], MUTED, 0.8)
    write(field.axes, (end + 0.07, y), f"distance {length:g}", 7, MUTED)
