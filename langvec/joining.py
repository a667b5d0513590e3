"""Neighbour joining (Saitou & Nei, 1987; the form of Studier & Keppler, 1988), rooted at the midpoint."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from langvec.tree import Tree


def neighbour_joining(leaves: Sequence[str], distances: np.ndarray) -> Tree:
    """The tree that neighbour joining makes of distances, shape (leaves, leaves), with its root at the midpoint."""
    splits, lengths = joined(distances)
    return rooted(leaves, splits, lengths)


def joined(distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The edges of the unrooted tree: the leaves on one side, shape (edges, leaves), and the lengths."""
    far = np.array(distances, float)
    members = np.eye(len(far), dtype=bool)
    splits, lengths = [], []
    while (left := len(far)) > 3:  # noqa: PLR2004, three are joined in one node
        total = far.sum(1)
        score = (left - 2) * far - total[:, None] - total[None, :]
        np.fill_diagonal(score, np.inf)
        i, j = sorted(np.unravel_index(int(score.argmin()), score.shape))
        to_i = far[i, j] / 2 + (total[i] - total[j]) / (2 * (left - 2))
        splits += [members[i].copy(), members[j].copy()]  # views would keep every table of members alive
        lengths += [to_i, far[i, j] - to_i]
        to_new = (far[i] + far[j] - far[i, j]) / 2
        far[i], far[:, i], far[i, i] = to_new, to_new, 0
        members = np.vstack([members[:i], members[i] | members[j], members[i + 1 :]])
        far, members = np.delete(np.delete(far, j, 0), j, 1), np.delete(members, j, 0)
    lengths += list(far.sum(1) - far.sum() / 4)
    return np.array([*splits, *members]), np.clip(lengths, 0, None)


def rooted(leaves: Sequence[str], splits: np.ndarray, lengths: np.ndarray) -> Tree:
    """The tree of these edges with its root halfway between the two leaves that are farthest apart."""
    sides = splits.astype(float)
    apart = (sides * lengths[:, None]).T @ (1 - sides)
    apart += apart.T
    a, b = np.unravel_index(int(apart.argmax()), apart.shape)
    path = np.flatnonzero(splits[:, a] != splits[:, b])
    near_a = np.where(splits[path, a][:, None], splits[path], ~splits[path])
    order = np.argsort(near_a.sum(1), kind="stable")  # from a towards b
    walked = np.cumsum(lengths[path[order]])
    place = min(int(np.searchsorted(walked, apart[a, b] / 2)), len(path) - 1)
    beyond = float(np.clip(walked[place] - apart[a, b] / 2, 0, lengths[path[order[place]]]))
    return _hung(leaves, splits, lengths, int(path[order[place]]), near_a[order[place]], beyond)


def _hung(
    leaves: Sequence[str], splits: np.ndarray, lengths: np.ndarray, edge: int, side: np.ndarray, beyond: float
) -> Tree:
    """The tree with its root on this edge, so far from the end that is not on this side."""
    inside = ~(splits & side).any(1) | ~(splits & ~side).any(1)  # every clade is on one side of the root
    clades = np.vstack([np.where(inside[:, None], splits, ~splits), ~side])
    clades[edge] = side
    lengths = np.append(lengths, beyond)
    lengths[edge] -= beyond
    single = clades.sum(1) == 1
    of_leaves = np.zeros(len(leaves))
    of_leaves[clades[single].argmax(1)] = lengths[single]
    return Tree.of_clades(leaves, clades[~single], lengths[~single], of_leaves=of_leaves)
