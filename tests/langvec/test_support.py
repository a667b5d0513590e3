"""Support, consensus and intervals of trees that were grown again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.support import by_chance, consensus, judged, supported, triplets_within_script
from langvec.tree import Tree
from tests.langvec.conftest import RandomTree

CODES = ["deu", "nld", "fra", "ita", "fin"]


def tree(text: str) -> Tree:
    """Letters for languages, as short as trees are thought of."""
    named = "".join(CODES["abcde".index(sign)] if sign in "abcde" else sign for sign in text)
    return Tree.from_newick(named).select(CODES)


GOLD = tree("((a,b),(c,d),e);")
DRAWN = [tree(text) for text in ("((a,b),c,d,e);", "((a,b),(c,d),e);", "(((a,b),c),d,e);", "((a,c),b,d,e);")]


def test_support_is_the_share_of_drawn_trees_with_the_clade() -> None:
    assert supported(GOLD, DRAWN).to_newick() == "((deu:1,nld:1)0.75:1,(fra:1,ita:1)0.25:1,fin:1);"
    assert supported(GOLD, []).to_newick() == GOLD.to_newick()


def test_the_consensus_has_what_most_trees_have() -> None:
    assert consensus(DRAWN).to_newick() == "((deu:1,nld:1)0.75:1,fra:1,ita:1,fin:1);"


@given(st.lists(st.integers(0, 20), min_size=1, max_size=9), st.integers(3, 12))
def test_a_majority_is_always_one_tree(random_tree: RandomTree, seeds: list[int], size: int) -> None:
    trees = [random_tree(seed, size) for seed in seeds]
    found = consensus(trees)  # clades that overlap would be refused
    assert all(float(label) > 0.5 for label in found.labels[:-1])


def test_intervals_hold_the_middle_of_the_drawn_scores() -> None:
    row = judged(GOLD, DRAWN, GOLD)
    assert row["triplets"] == 1 and row["triplets_low"] < row["triplets_high"] <= 1
    assert "clades_low" not in row
    assert "triplets_low" not in judged(GOLD, [], GOLD)


def test_chance_is_the_mean_of_the_shuffled_trees() -> None:
    row = by_chance(DRAWN, GOLD)
    assert row["clades"] == np.mean([1, 2, 2, 1])
    assert row["rf_rooted"] == np.mean([1, 0, 2, 3])


def test_within_scripts_only_triplets_of_one_script_count() -> None:
    codes = ["deu_Latn", "nld_Latn", "fra_Latn", "rus_Cyrl", "ukr_Cyrl", "bul_Cyrl"]
    gold = Tree.of_clades(codes, np.array([[1, 1, 0, 0, 0, 0], [0, 0, 0, 1, 1, 0]]))
    half = Tree.of_clades(codes, np.array([[1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]]))
    assert triplets_within_script(half, gold).count == 2
    assert triplets_within_script(half, gold).share == pytest.approx(1 / 2)
