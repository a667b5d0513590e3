"""How well trees, or plain distances, agree with what is known of the descent of languages.

A tree is judged against a gold tree that leaves much open: only what gold resolves counts. Triplets and quartets are
counted exactly and without listing them, from how many leaves the parts around any two nodes share; that generalises
the counting of Christiansen et al. (2006) to arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from langvec.errors import InputError
from langvec.tree import Tree

CHANCE = 1 / 3  # that of three languages the right two are put together


@dataclass(frozen=True)
class Triplets:
    """Of the triplets that gold resolves, the share in which the same two are together; who leaves it open gets 1/3."""

    share: float
    count: int


def scores(tree: Tree, gold: Tree) -> dict[str, float]:
    """Every measure of how far a tree agrees with gold, both over the same leaves. nan is what has no value.

    - triplets: the share of gold's triplets, see `Triplets`.
    - quartet_distance: the share of gold's quartets ab|cd that the tree does not have (Pompei et al., 2011).
    - lca_spearman, lca_gap: of the depths at which every two leaves meet, the rank correlation, and the mean difference
      when each tree's depths are divided by its greatest (the paper's).
    - rf_*: clades, or splits, in one of the trees only (Robinson and Foulds, 1981); normalised by how many both have.
    """
    tree = tree if tree.leaves == gold.leaves else _same_leaves(tree, gold)
    rooted, unrooted = (robinson_foulds(tree, gold, rooted=which) for which in (True, False))
    return {
        "clades": rooted.of_tree,
        "clades_gold": rooted.of_gold,
        "clades_shared": rooted.shared,
        "triplets": triplets(tree, gold).share,
        "quartet_distance": quartet_distance(tree, gold),
        **_lca(tree.meeting_depths, gold.meeting_depths),
        "rf_rooted": rooted.distance,
        "rf_rooted_normalised": rooted.normalised,
        "rf_unrooted": unrooted.distance,
        "rf_unrooted_normalised": unrooted.normalised,
    }


def _same_leaves(tree: Tree, gold: Tree) -> Tree:
    odd = sorted(set(tree.leaves) ^ set(gold.leaves))
    if odd:
        raise InputError(
            f"Expected two trees over the same leaves. Found {len(odd)} in one only: {', '.join(odd[:5])}. "
            f"Prune both to what they share."
        )
    return tree.select(gold.leaves)


@dataclass(frozen=True)
class RobinsonFoulds:
    of_tree: int
    of_gold: int
    shared: int

    @property
    def distance(self) -> int:
        return self.of_tree + self.of_gold - 2 * self.shared

    @property
    def normalised(self) -> float:
        return _share(self.distance, self.of_tree + self.of_gold)


def robinson_foulds(tree: Tree, gold: Tree, rooted: bool = True) -> RobinsonFoulds:
    """What clades, or splits, two trees over the same leaves in one order share; the root and leaves do not count."""
    ours, theirs = (_parts(one, rooted) for one in (tree, gold))
    return RobinsonFoulds(len(ours), len(theirs), len(ours & theirs))


def _parts(tree: Tree, rooted: bool) -> set[bytes]:
    parts = tree.clades[:-1]
    if not rooted:
        parts = np.where(parts[:, :1], ~parts, parts)
        sizes = parts.sum(1)
        parts = parts[(sizes > 1) & (sizes < len(tree.leaves) - 1)]
    packed = np.packbits(parts, axis=1)
    return set(map(bytes, packed))


def _lca(ours: np.ndarray, gold: np.ndarray) -> dict[str, float]:
    from scipy.stats import rankdata

    pairs = np.triu_indices(len(gold), 1)
    a, b = ours[pairs].astype(float), gold[pairs].astype(float)
    if not a.size:
        return {"lca_spearman": np.nan, "lca_gap": np.nan}
    varied = np.ptp(a) > 0 and np.ptp(b) > 0
    rho = float(np.corrcoef(rankdata(a), rankdata(b))[0, 1]) if varied else np.nan
    return {"lca_spearman": rho, "lca_gap": float(np.abs(a / max(a.max(), 1) - b / max(b.max(), 1)).mean())}


@dataclass(frozen=True)
class _Arms:
    """What hangs from the inner nodes of a tree: for a rooted one the children, for an unrooted one all neighbours."""

    leaves: np.ndarray  # of each arm, shape (arms, leaves)
    starts: np.ndarray  # the first arm of each node
    owner: np.ndarray  # the place of each arm's node

    @classmethod
    def of(cls, tree: Tree, rooted: bool) -> _Arms:
        parents, nodes, first = tree.parents[:-1], tree.nodes, len(tree.leaves)
        owners, sets = parents - first, nodes[:-1]
        if not rooted:
            owners = np.concatenate([owners, np.arange(len(tree.clades) - 1)])
            sets = np.vstack([sets, ~tree.clades[:-1]])
        order = np.argsort(owners, kind="stable")
        owner = owners[order]
        return cls(sets[order].astype(float), np.flatnonzero(np.diff(owner, prepend=-1)), owner)

    @cached_property
    def sizes(self) -> np.ndarray:
        return np.asarray(self.leaves.sum(1))

    def by_node(self, values: np.ndarray, axis: int) -> np.ndarray:
        """The sum over the arms of each node, given back to each arm."""
        return np.asarray(np.add.reduceat(values, self.starts, axis).take(self.owner, axis))


def triplets(tree: Tree, gold: Tree) -> Triplets:
    """Of the triplets ab|c of gold, how many the tree has, both over the same leaves in one order."""
    ours, theirs = _Arms.of(tree, rooted=True), _Arms.of(gold, rooted=True)
    shared = theirs.leaves @ ours.leaves.T  # leaves in an arm of gold and in one of the tree
    in_node = ours.by_node(shared, 1)  # ... in an arm of gold and anywhere below the tree's node
    of_node = theirs.by_node(shared, 0)
    outside = theirs.by_node(in_node, 0) - in_node - of_node + shared
    right = (_pairs(shared) * outside).sum()
    others = of_node - shared  # below gold's node but not in its arm, in an arm of the tree
    three_ways = (in_node - shared) * shared
    open_pairs = np.add.reduceat(three_ways, ours.starts, 1) / 2 * np.add.reduceat(others, ours.starts, 1)
    undecided = open_pairs.sum() - (three_ways * others).sum()
    count = int((_pairs(theirs.sizes) * (theirs.by_node(theirs.sizes, 0) - theirs.sizes)).sum())
    return Triplets(_share(right + CHANCE * undecided, count), count)


def triplets_of_distances(distances: np.ndarray, gold: Tree) -> Triplets:
    """Of the triplets ab|c of gold, the share in which a and b are the nearest; distances that tie share the credit.

    Args:
        distances: between the leaves of gold, shape (leaves, leaves).
        gold: the tree that counts.
    """
    kinship, right, count = gold.meeting_depths, 0.0, 0
    for a in range(len(distances) - 1):
        resolved = kinship[a, a + 1 :, None] > kinship[a]  # b below, c across
        ab, ac, bc = distances[a, a + 1 :, None], distances[a], distances[a + 1 :]
        credit = ((ab <= ac) & (ab <= bc)) / (1.0 + (ab == ac) + (ab == bc))
        right, count = right + float(credit[resolved].sum()), count + int(resolved.sum())
    return Triplets(_share(right, count), count)


@dataclass(frozen=True)
class Nearest:
    """Of the languages with a relative among the others: is the nearest one of its closest relatives?"""

    share: float
    by_chance: float
    count: int


def nearest_is_kin(distances: np.ndarray, gold: Tree) -> Nearest:
    """For each leaf of gold with relatives, whether its nearest leaf is as near kin as any; ties share the credit."""
    kinship, far = gold.meeting_depths.copy(), np.array(distances, float)
    np.fill_diagonal(kinship, -1)
    np.fill_diagonal(far, np.inf)
    closest, nearest = kinship == kinship.max(1, keepdims=True), far == far.min(1, keepdims=True)
    related = kinship.max(1) > 0
    if not related.any():
        return Nearest(float("nan"), float("nan"), 0)
    right = (closest & nearest).sum(1) / nearest.sum(1)
    chance = closest.sum(1) / (len(far) - 1)
    return Nearest(float(right[related].mean()), float(chance[related].mean()), int(related.sum()))


def quartet_distance(tree: Tree, gold: Tree) -> float:
    """The share of gold's quartets ab|cd that the tree, taken without its root, does not have."""
    ours, theirs = _Arms.of(tree, rooted=False), _Arms.of(gold, rooted=False)
    return 1 - _share(_shared_quartets(ours, theirs), _shared_quartets(theirs, theirs))


def _shared_quartets(ours: _Arms, theirs: _Arms) -> float:
    """Quartets ab|cd in both trees, each counted twice: a and b in one arm of a node, c and d in two others of it."""
    shared = theirs.leaves @ ours.leaves.T
    square, rows, columns = shared**2, theirs.sizes[:, None], ours.sizes[None, :]
    left = len(theirs.leaves[0]) - rows - columns + shared  # leaves in neither arm
    one_row = _rest(theirs, rows, shared, square, 0)  # pairs of them, in order, that are in one arm of gold
    one_column = _rest(ours, columns, shared, square, 1)
    in_row, in_column = ours.by_node(square, 1), theirs.by_node(square, 0)
    both = theirs.by_node(in_row, 0) - in_row - in_column + square
    return float((_pairs(shared) * (left**2 - one_row - one_column + both) / 2).sum())


def _rest(arms: _Arms, sizes: np.ndarray, shared: np.ndarray, square: np.ndarray, axis: int) -> np.ndarray:
    """Over the other arms of a node, the sum of the squares of what they hold outside the other tree's arm."""
    rest = (sizes - shared) ** 2
    return np.asarray(arms.by_node(rest, axis) - rest)


def _pairs(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts * (counts - 1) / 2)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
