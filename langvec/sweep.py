"""Every way to get a tree from a matrix by DBSCAN, and how good each is on either half of the families.

What is chosen on the languages it is reported on looks better than it is. So families are dealt into two halves: what
is best on one is reported by its score on the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, product
from typing import Any

import numpy as np
from pydantic import BaseModel, Field

from langvec.compare import triplets
from langvec.constructions import TreeRecipe
from langvec.glottolog import family
from langvec.matrix import EntropyMatrix
from langvec.tree import Tree
from langvec.vectors import VectorRecipe, make_vectors

MIN_SAMPLES = (1, 2, 3, 5, 0.1, 0.3)
PAPER_EPSILON = 0.1
QUANTILES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)  # epsilons that mean the same whatever the scale


class Point(BaseModel, frozen=True):
    """One setting of the sweep. A flat tree has an epsilon, or the share of all distances that are below it."""

    vectors: VectorRecipe
    tree: TreeRecipe
    quantile: float | None = Field(None, gt=0, lt=1, description="flat only: epsilon is this quantile of the distances")


def points(square: bool) -> list[Point]:
    """The whole grid, those of one kind of vectors next to each other. Landmarks' matrices are not square."""
    trees = list(_tree_recipes())
    return [Point(vectors=how, tree=tree, quantile=share) for how in _vector_recipes(square) for tree, share in trees]


def _tree_recipes() -> Iterator[tuple[TreeRecipe, float | None]]:
    for least in MIN_SAMPLES:
        yield TreeRecipe(construction="nested", min_samples=least), None
        yield TreeRecipe(construction="hdbscan", min_samples=least), None
        yield TreeRecipe(construction="flat", min_samples=least, epsilon=PAPER_EPSILON), None
        for share in QUANTILES:
            yield TreeRecipe(construction="flat", min_samples=least), share


def _vector_recipes(square: bool) -> Iterator[VectorRecipe]:
    orientations = ("column", "row", "symmetric") if square else ("column",)
    values = ("nats", "perplexity", "excess_native") if square else ("nats", "perplexity")
    scales, metrics = ("none", "minmax", "zscore", "centred"), ("euclidean", "cosine")
    for orientation, value, scale, metric in product(orientations, values, scales, metrics):
        how = VectorRecipe.model_validate(
            {"orientation": orientation, "value": value, "scale": scale, "metric": metric}
        )
        if not (how.is_distance and metric == "cosine"):  # of distances the metric changes nothing
            yield how


def points_per_trial(languages: int, seconds: float = 2) -> int:
    """So many that a trial's work takes about that long: starting one costs a third of a second."""
    return max(1, int(seconds / (0.001 + 2.2e-9 * languages**3)))


def halves(codes: Sequence[str]) -> tuple[list[str], list[str]]:
    """The languages in two halves, whole families in each: the largest family to the smaller half, again and again."""
    sizes = Counter(family(code) for code in codes)
    dealt: tuple[set[str], set[str]] = (set(), set())
    totals = [0, 0]
    for name, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        side = int(totals[1] < totals[0])
        dealt[side].add(name)
        totals[side] += size
    return tuple([code for code in codes if family(code) in side] for side in dealt)  # type: ignore[return-value]


def measure(matrix: EntropyMatrix, settings: Sequence[Point], gold: Tree) -> Iterator[dict[str, Any]]:
    """One row a setting: what it is, and its share of gold's triplets on each half of the families and on all."""
    one, other = halves(gold.leaves)
    golds = {"triplets_half_1": gold.select(one), "triplets_half_2": gold.select(other), "triplets": gold}
    for how, of_vectors in groupby(settings, key=lambda point: point.vectors):
        vectors = make_vectors(matrix, how)
        distances = vectors.distances()
        above = distances[np.triu_indices(len(distances), 1)]
        for point in of_vectors:
            recipe = point.tree
            if point.quantile:
                recipe = recipe.model_copy(update={"epsilon": max(float(np.quantile(above, point.quantile)), 1e-12)})
            tree = recipe.grow(vectors.codes, distances)
            found = {name: _share(tree, part) for name, part in golds.items()}
            yield found | {"clades": len(tree.clades) - 1} | _columns(point, recipe)


def _share(tree: Tree, gold: Tree) -> float | None:
    found = triplets(tree.select(gold.leaves), gold)
    return found.share if found.count else None


def _columns(point: Point, recipe: TreeRecipe) -> dict[str, Any]:
    flat = recipe.construction == "flat"
    return {
        **point.vectors.model_dump(),
        "construction": recipe.construction,
        "min_samples": recipe.min_samples,
        "epsilon": recipe.epsilon if flat else None,
        "epsilon_quantile": point.quantile,
    }
