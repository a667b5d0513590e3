"""Trees out of distances, against what others make of the same distances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import DBSCAN, HDBSCAN

from langvec.constructions import TreeRecipe, of_merges, points_of
from langvec.tree import Tree
from tests.langvec.conftest import RandomTree

SEEDS = st.integers(0, 10**6)


def points(seed: int, size: int = 24) -> np.ndarray:
    return squareform(pdist(np.random.default_rng(seed).normal(size=(size, 3))))


def grown(distances: np.ndarray, **recipe: object) -> Tree:
    return TreeRecipe.model_validate(recipe).grow([f"l{i}" for i in range(len(distances))], distances)


def clades(tree: Tree) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(row).tolist()) for row in tree.clades[:-1]}


def clusters(distances: np.ndarray, epsilon: float, count: int) -> set[frozenset[int]]:
    """DBSCAN's clusters, core points only."""
    found = DBSCAN(eps=epsilon, min_samples=count, metric="precomputed").fit(distances)
    core = found.core_sample_indices_
    labels = found.labels_[core]
    return {frozenset(core[labels == label].tolist()) for label in set(labels)}


@given(SEEDS, st.integers(1, 6))
def test_the_nested_tree_has_the_clusters_of_dbscan_at_every_epsilon_and_no_other(seed: int, count: int) -> None:
    distances = points(seed, 7)
    swept: set[frozenset[int]] = set()
    for epsilon in np.unique(distances) + 1e-12:
        swept |= clusters(distances, epsilon, count)
    assert clades(grown(distances, construction="nested", min_samples=count)) == {
        cluster for cluster in swept if 1 < len(cluster) < len(distances)
    }


@given(SEEDS)
def test_with_all_points_core_the_nested_tree_is_single_linkage(seed: int) -> None:
    distances = points(seed)
    tree = grown(distances, construction="nested")
    single = of_merges(tree.leaves, linkage(squareform(distances), "single"))
    assert clades(tree) == clades(single)


@given(SEEDS, st.sampled_from(["average", "complete", "ward"]))
def test_linkage_puts_leaves_as_far_apart_as_scipy_joins_them(seed: int, method: str) -> None:
    distances = points(seed)
    tree = grown(distances, construction=method)
    joined = squareform(cophenet(linkage(squareform(distances), method)))
    below = (tree.nodes * tree.lengths[:, None]).sum(0)
    assert below == pytest.approx(joined.max())  # every leaf is as deep as the last join
    shared = np.array([[(tree.lengths * row_a * row_b).sum() for row_b in tree.nodes.T] for row_a in tree.nodes.T])
    met = below[:, None] - shared
    np.fill_diagonal(met, 0)
    assert met == pytest.approx(joined)


def test_joins_at_one_height_make_one_node() -> None:
    even = np.ones((4, 4)) - np.eye(4)
    assert grown(even, construction="nested").to_newick() == "(l0:1,l1:1,l2:1,l3:1);"


@given(SEEDS)
def test_the_smallest_clusters_of_hdbscan_are_those_of_scikit_learn(seed: int) -> None:
    """With one sample, for with more, distances tie and scikit-learn splits ties as they come."""
    distances = points(seed)
    found = clades(grown(distances, construction="hdbscan"))
    lowest = {clade for clade in found if not any(other < clade for other in found)}
    other = HDBSCAN(2, min_samples=1, metric="precomputed", cluster_selection_method="leaf", copy=True)
    labels = other.fit(distances).labels_
    assert lowest == {frozenset(np.flatnonzero(labels == label).tolist()) for label in range(labels.max() + 1)}


def test_neighbour_joining_makes_the_published_tree_of_the_published_distances() -> None:
    """The worked example of Saitou & Nei's method in Durbin et al. and elsewhere, five leaves with known edges."""
    distances = np.array(
        [[0, 5, 9, 9, 8], [5, 0, 10, 10, 9], [9, 10, 0, 8, 7], [9, 10, 8, 0, 3], [8, 9, 7, 3, 0]], float
    )
    tree = grown(distances, construction="nj")
    assert tree.to_newick() == "((l0:2,l1:3):2,(l2:4,(l3:2,l4:1):2):1);"


@given(SEEDS, st.integers(3, 16))
def test_neighbour_joining_finds_the_tree_that_distances_were_measured_on(
    random_tree: RandomTree, seed: int, size: int
) -> None:
    tree = random_tree(seed, size)
    lengths = np.random.default_rng(seed).uniform(0.1, 1, len(tree.lengths)) * (
        np.arange(len(tree.lengths)) < len(tree.lengths) - 1
    )
    apart = (tree.nodes * lengths[:, None]).T.astype(float) @ (1 - tree.nodes)
    found = grown(apart + apart.T, construction="nj")
    again = (found.nodes * found.lengths[:, None]).T @ (1 - found.nodes)
    assert again + again.T == pytest.approx(apart + apart.T)
    below = (found.nodes * found.lengths[:, None]).sum(0)
    assert np.sort(below)[-2:] == pytest.approx((apart + apart.T).max() / 2)  # the root is at the midpoint


def test_flat_is_one_level_with_noise_at_the_root() -> None:
    line = np.array([0, 0.05, 0.1, 3, 3.05, 9])
    tree = grown(np.abs(line[:, None] - line[None, :]), construction="flat")
    assert tree.to_newick() == "((l0:1,l1:1,l2:1):1,(l3:1,l4:1):1,l5:1);"
    assert clades(grown(np.abs(line[:, None] - line[None, :]), construction="flat", min_samples=0.5)) == {
        frozenset({0, 1, 2})
    }


def test_a_share_of_points_is_rounded_up_and_never_more_than_all() -> None:
    assert [points_of(value, 33) for value in (0.3, 1, 5, 40)] == [10, 1, 5, 33]


def test_short_edges_are_taken_out_by_share_of_the_height() -> None:
    line = np.array([0, 1, 1.9, 10.0])
    distances = np.abs(line[:, None] - line[None, :])
    assert clades(grown(distances, construction="nested")) == {frozenset({1, 2}), frozenset({0, 1, 2})}
    assert clades(grown(distances, construction="nested", contract=0.1)) == {frozenset({0, 1, 2})}


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("construction", ["flat", "nested", "hdbscan", "average", "ward", "nj"])
def test_two_languages_have_but_one_tree(construction: str, size: int) -> None:
    assert len(grown(1 - np.eye(size), construction=construction).clades) == 1


def test_what_a_construction_does_not_use_is_refused() -> None:
    for wrong in ({"construction": "nj", "min_samples": 3}, {"construction": "nested", "epsilon": 0.2}):
        with pytest.raises(ValidationError, match="only"):
            TreeRecipe.model_validate(wrong)


def test_the_name_tells_settings_apart() -> None:
    assert TreeRecipe(construction="nested", min_samples=0.3, contract=0.05).name == "nested-min0.3-cut0.05"
    assert TreeRecipe(construction="flat").name == "flat"
