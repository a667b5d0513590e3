"""Distances between languages to trees: DBSCAN in its readings, HDBSCAN, linkage, neighbour joining.

DBSCAN gives clusters, not a tree. `flat` takes them as they are, under one root. `nested` lets epsilon grow and keeps
every cluster that ever forms; of core points alone, so that the clusters of a larger epsilon hold those of a smaller
one (DBSCAN* of Campello, Moulavi and Sander, 2013). With every point a core point, that is single linkage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from langvec.config import Strict
from langvec.joining import neighbour_joining
from langvec.tree import Tree

Construction = Literal["flat", "nested", "hdbscan", "average", "complete", "ward", "nj"]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


class TreeRecipe(Strict):
    """How distances become a tree."""

    construction: Construction = Field(description="what builds the tree")
    epsilon: float = Field(0.1, gt=0, description="flat only: how near a neighbour is; 0.1 is the paper's")
    min_samples: Count | Share = Field(
        1,
        description="flat, nested, hdbscan: points around a core point, with itself; 1: all are core; below 1: a share",
    )
    contract: float = Field(
        0, ge=0, lt=1, description="inner edges shorter than this share of the height are taken out of the tree"
    )

    @model_validator(mode="after")
    def _only_what_is_used(self) -> TreeRecipe:
        changed = self.model_dump(include={"epsilon", "min_samples"}, exclude_defaults=True)
        if self.construction != "flat" and "epsilon" in changed:
            raise ValueError("epsilon is for construction flat only")
        if self.construction not in ("flat", "nested", "hdbscan") and "min_samples" in changed:
            raise ValueError("min_samples is for the constructions flat, nested and hdbscan only")
        return self

    @property
    def name(self) -> str:
        """What tells it from other trees of a run, fit for the name of a file: nested, nested-min0.3."""
        short = {"epsilon": "eps", "min_samples": "min", "contract": "cut"}
        changed = self.model_dump(include=set(short), exclude_defaults=True)
        return "-".join([self.construction, *(f"{short[field]}{value:g}" for field, value in changed.items())])

    def grow(self, leaves: Sequence[str], distances: np.ndarray) -> Tree:
        """The tree of these distances, shape (leaves, leaves)."""
        tree = self._grown(leaves, distances)
        return tree.contract(self.contract * tree.height) if self.contract else tree

    def _grown(self, leaves: Sequence[str], distances: np.ndarray) -> Tree:
        if len(leaves) < 3:  # noqa: PLR2004, two have but one tree
            return Tree.star(leaves)
        points = points_of(self.min_samples, len(leaves))
        match self.construction:
            case "flat":
                return flat(leaves, distances, self.epsilon, points)
            case "nested":
                return of_merges(leaves, linked(reachability(distances, points), "single"))
            case "hdbscan":
                return condensed(leaves, linked(reachability(distances, points), "single"))
            case "nj":
                return neighbour_joining(leaves, distances)
            case method:
                return of_merges(leaves, linked(distances, method))


def points_of(min_samples: float, size: int) -> int:
    """The least points around a core point; a share is of all points, rounded up. Never more than there are."""
    return min(size, int(min_samples) if min_samples >= 1 else int(np.ceil(min_samples * size)))


def flat(leaves: Sequence[str], distances: np.ndarray, epsilon: float, points: int) -> Tree:
    """The clusters of DBSCAN under one root; noise hangs from the root."""
    from sklearn.cluster import DBSCAN  # type: ignore[import-untyped]

    labels = DBSCAN(eps=epsilon, min_samples=points, metric="precomputed").fit(distances).labels_
    clusters = np.arange(labels.max() + 1)[:, None] == labels[None, :]
    return Tree.of_clades(leaves, clusters)


def reachability(distances: np.ndarray, points: int) -> np.ndarray:
    """From which epsilon on two points are core points and neighbours; one point with itself: a core point."""
    core = np.sort(distances, 1)[:, points - 1]
    return np.asarray(np.maximum(distances, np.maximum(core[:, None], core[None, :])))


def linked(distances: np.ndarray, method: str) -> np.ndarray:
    """scipy's table of merges: two clusters, the height at which they join, how many points that makes."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    far = distances.copy()
    np.fill_diagonal(far, 0)
    return np.asarray(linkage(squareform(far, checks=False), method))


def of_merges(leaves: Sequence[str], merges: np.ndarray) -> Tree:
    """The tree of a table of merges; what joins at one height joins in one node."""
    members, heights = _members(len(leaves), merges)
    above = np.full(len(members), len(members) - 1)
    for row, sides in enumerate(merges[:, :2].astype(int)):
        above[sides] = len(leaves) + row
    return _without_empty_edges(leaves, members, heights[above] - heights)


def condensed(leaves: Sequence[str], merges: np.ndarray) -> Tree:
    """HDBSCAN's tree of clusters of two or more: a cluster from which single points fall away stays the same one."""
    size = len(leaves)
    members, heights = _members(size, merges)
    cluster = np.arange(len(members))  # the node that each node's cluster began as
    above, ends = cluster.copy(), heights.copy()
    for row in range(len(merges) - 1, -1, -1):
        node, sides = size + row, merges[row, :2].astype(int)
        ends[cluster[node]] = heights[node]
        for side in sides:
            above[side] = cluster[node]
            if side >= size and sides.min() < size:
                cluster[side] = cluster[node]
    real = cluster == np.arange(len(members))
    return _without_empty_edges(leaves, members[real], (ends[above] - np.where(heights > 0, ends, 0))[real])


def _without_empty_edges(leaves: Sequence[str], nodes: np.ndarray, lengths: np.ndarray) -> Tree:
    size = len(leaves)
    return Tree.of_clades(leaves, nodes[size:], lengths[size:], of_leaves=lengths[:size]).contract(np.nextafter(0, 1))


def _members(size: int, merges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points of every node and the height at which it came to be, points first."""
    members = np.vstack([np.eye(size, dtype=bool), np.zeros((len(merges), size), bool)])
    for row, (a, b) in enumerate(merges[:, :2].astype(int)):
        members[size + row] = members[a] | members[b]
    return members, np.concatenate([np.zeros(size), merges[:, 2]])
