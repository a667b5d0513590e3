"""Scores of trees against slow definitions and another library, on cases small enough to count by hand."""

from itertools import combinations

import dendropy
import numpy as np
import pytest
from dendropy.calculate.treecompare import symmetric_difference
from hypothesis import given
from hypothesis import strategies as st

from langvec.compare import quartet_distance, robinson_foulds, scores, triplets, triplets_of_distances
from langvec.errors import InputError
from langvec.landmarks import landmarks
from langvec.tree import Tree
from tests.langvec.conftest import RandomTree

CODES = ["deu_Latn", "nld_Latn", "fra_Latn", "rus_Cyrl", "fin_Latn", "ind_Latn", "tha_Thai", "lao_Laoo"]
SEEDS = st.integers(0, 10**6)
SIZES = st.integers(4, 9)
SHARES = st.floats(0, 1)


def pair_of(tree: Tree, leaves: tuple[int, ...]) -> tuple[int, int] | None:
    """Which two of three leaves meet lowest."""
    depth = {pair: tree.meeting_depths[pair] for pair in combinations(leaves, 2)}
    deepest = [pair for pair in depth if depth[pair] == max(depth.values())]
    return deepest[0] if len(deepest) == 1 else None


def halves_of(tree: Tree, leaves: tuple[int, ...]) -> frozenset[frozenset[int]] | None:
    """How some edge parts four leaves into two and two."""
    for clade in tree.clades:
        inside = frozenset(leaf for leaf in leaves if clade[leaf])
        if len(inside) == 2:
            return frozenset([inside, frozenset(leaves) - inside])
    return None


@given(SEEDS, SEEDS, SIZES, SHARES, SHARES)
def test_triplets_and_quartets_equal_their_definitions_written_as_loops(
    random_tree: RandomTree, seed: int, other: int, size: int, ours: float, golds: float
) -> None:
    tree, gold = random_tree(seed, size, ours), random_tree(other, size, golds)
    three = {leaves: pair_of(gold, leaves) for leaves in combinations(range(size), 3)}
    credit = [
        1 / 3 if (found := pair_of(tree, leaves)) is None else found == pair for leaves, pair in three.items() if pair
    ]
    assert triplets(tree, gold).count == len(credit)
    assert triplets(tree, gold).share == pytest.approx(np.mean(credit) if credit else np.nan, nan_ok=True)
    four = {leaves: halves_of(gold, leaves) for leaves in combinations(range(size), 4)}
    missed = [halves_of(tree, leaves) != halves for leaves, halves in four.items() if halves]
    assert quartet_distance(tree, gold) == pytest.approx(np.mean(missed) if missed else np.nan, nan_ok=True)


@given(SEEDS, SEEDS, st.integers(1, 4), SHARES)
def test_triplets_of_distances_equal_their_definition_written_as_loops(
    random_tree: RandomTree, seed: int, other: int, levels: int, resolved: float
) -> None:
    distances = np.random.default_rng(other).integers(0, levels + 1, (8, 8))
    distances = distances + distances.T
    gold = random_tree(seed, 8, resolved)
    credit = []
    for leaves in combinations(range(8), 3):
        if right := pair_of(gold, leaves):
            far = [distances[pair] for pair in combinations(leaves, 2)]
            credit.append((distances[right] == min(far)) / far.count(min(far)))
    found = triplets_of_distances(distances.astype(float), gold)
    assert found.count == len(credit)
    assert found.share == pytest.approx(np.mean(credit) if credit else np.nan, nan_ok=True)


def test_robinson_foulds_equals_dendropys_on_a_thousand_pairs_of_trees(random_tree: RandomTree) -> None:
    draw = np.random.default_rng(7)
    for seed in range(1000):
        size = int(draw.integers(4, 30))
        ours, gold = (random_tree(int(draw.integers(10**6)), size, draw.random()) for _ in range(2))
        near = Tree.of_clades(gold.leaves, gold.clades[draw.random(len(gold.clades)) < 0.7])
        for tree in (ours, near):
            for rooted in (True, False):
                names = dendropy.TaxonNamespace(gold.leaves)
                rooting = "force-rooted" if rooted else "force-unrooted"
                both = [
                    dendropy.Tree.get(data=one.to_newick(), schema="newick", taxon_namespace=names, rooting=rooting)
                    for one in (tree, gold)
                ]
                assert robinson_foulds(tree, gold, rooted).distance == symmetric_difference(*both), seed


@given(SEEDS, st.integers(3, 20))
def test_a_tree_agrees_with_itself_in_every_measure_whatever_the_order_of_its_leaves(
    random_tree: RandomTree, seed: int, size: int
) -> None:
    tree = random_tree(seed, size)
    found = scores(tree.select(list(np.random.default_rng(seed).permutation(tree.leaves))), tree)
    right = {"triplets": 1, "quartet_distance": 0, "lca_spearman": 1, "lca_gap": 0, "rf_rooted": 0, "rf_unrooted": 0}
    for name, value in right.items():
        assert found[name] == pytest.approx(value) or np.isnan(found[name])
    assert found["clades_shared"] == found["clades_gold"] == found["clades"] == size - 2


def test_a_star_says_nothing_and_yet_is_near_a_gold_tree_of_few_clades() -> None:
    gold = Tree.from_newick("((a,b),(c,d),e,f);")
    found = scores(Tree.star(gold.leaves), gold)
    assert found["triplets"] == pytest.approx(1 / 3)
    assert (found["quartet_distance"], found["rf_rooted"], found["rf_rooted_normalised"]) == (1, 2, 1)
    assert np.isnan(found["lca_spearman"])
    wrong = scores(Tree.from_newick("(((((a,c),b),d),e),f);"), gold)
    assert wrong["rf_rooted"] > found["rf_rooted"]


def test_trees_over_other_leaves_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="Found 2 in one only: c, d"):
        scores(Tree.from_newick("(a,b,c);"), Tree.from_newick("(a,b,d);"))


def test_landmarks_take_one_of_each_family_before_a_second_of_any() -> None:
    assert landmarks(CODES, 4) == ["deu_Latn", "fin_Latn", "ind_Latn", "tha_Thai"]
    assert landmarks(CODES, 5) == ["deu_Latn", "nld_Latn", "fin_Latn", "ind_Latn", "tha_Thai"]
    assert landmarks(CODES, 100) == CODES
