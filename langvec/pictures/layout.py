"""Where the nodes of a tree stand: leaves in rows, every node as far right as it is from the root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from langvec.tree import Tree


@dataclass(frozen=True, eq=False)
class Layout:
    """Places of nodes, in the order of the tree's nodes: leaves first, the root last.

    Args:
        tree: what is laid out.
        order: leaves from top to bottom, by number.
        row: of each node; a clade stands in the middle of its children.
        reach: distance from the root, 0 to 1.
        to_scale: whether that distance comes from lengths of edges.
        longest: the distance that `reach` 1 stands for.
    """

    tree: Tree
    order: tuple[int, ...]
    row: np.ndarray
    reach: np.ndarray
    to_scale: bool
    longest: float

    @property
    def children(self) -> dict[int, list[int]]:
        return children_of(self.tree)


def lay_out(tree: Tree, near: Mapping[str, float] | None = None, by_levels: bool = False) -> Layout:
    """The places of a tree's nodes.

    Args:
        tree: to be drawn.
        near: which rows its leaves would like to be in.
        by_levels: every edge is one step, whatever its length, and all leaves end together.
    """
    children = _ordered_children(tree, near)
    order = _leaves_down(children, len(tree.parents) - 1, len(tree.leaves))
    row = np.zeros(len(tree.parents))
    row[list(order)] = np.arange(len(order))
    for node in range(len(tree.leaves), len(row)):
        row[node] = (row[children[node][0]] + row[children[node][-1]]) / 2
    to_scale = not by_levels and bool((tree.lengths[:-1] != 1).any())
    reach = _distances(tree) if to_scale else _levels(tree)
    longest = float(reach.max()) or 1.0
    return Layout(tree, tuple(order), row, reach / longest, to_scale, longest)


def children_of(tree: Tree) -> dict[int, list[int]]:
    """The nodes right below each clade."""
    children: dict[int, list[int]] = {node: [] for node in range(len(tree.leaves), len(tree.parents))}
    for node, above in enumerate(tree.parents[:-1]):
        children[int(above)].append(node)
    return children


def _ordered_children(tree: Tree, near: Mapping[str, float] | None) -> dict[int, list[int]]:
    """Children near the rows they would like, or else small clades first and then by the alphabet."""
    wish = np.array([near.get(leaf, 0.0) for leaf in tree.leaves]) if near else np.zeros(len(tree.leaves))
    sizes = tree.nodes.sum(1)
    wishes = tree.nodes @ wish / sizes
    first = [min(np.array(tree.leaves)[leaves]) for leaves in tree.nodes]
    return {
        above: sorted(below, key=lambda node: (round(float(wishes[node]), 9), int(sizes[node]), first[node]))
        for above, below in children_of(tree).items()
    }


def _leaves_down(children: Mapping[int, list[int]], root: int, leaves: int) -> list[int]:
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        if node < leaves:
            found.append(node)
        else:
            waiting.extend(reversed(children[node]))
    return found


def _distances(tree: Tree) -> np.ndarray:
    """Sum of the lengths from the root; one below 0, which neighbour joining can make, counts as 0."""
    reach = np.zeros(len(tree.parents))
    for node in range(len(reach) - 2, -1, -1):
        reach[node] = reach[tree.parents[node]] + max(float(tree.lengths[node]), 0.0)
    return reach


def _levels(tree: Tree) -> np.ndarray:
    """Nodes by how many are above them; leaves all at the end."""
    reach = tree.depths.astype(float)
    reach[: len(tree.leaves)] = reach.max()
    return reach
