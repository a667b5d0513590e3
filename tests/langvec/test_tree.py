"""Trees as clades: in and out of Newick, pruned, contracted, and refused where they are none."""

import dendropy
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.errors import InputError
from langvec.tree import Tree
from tests.langvec.conftest import RandomTree

FAMILY = "((deu_Latn:1,nld_Latn:1)0.98:2,(fra_Latn:3,'x y':1)'A ''b''':1,q:1);"
SEEDS = st.integers(0, 10**6)


def same(a: Tree, b: Tree) -> bool:
    b = b.select(a.leaves)
    keys = [{bytes(row): length for row, length in zip(t.nodes, t.lengths, strict=True)} for t in (a, b)]
    return keys[0].keys() == keys[1].keys() and all(keys[0][key] == pytest.approx(keys[1][key]) for key in keys[0])


def test_newick_is_read_with_its_lengths_labels_and_underscores_and_written_the_same() -> None:
    tree = Tree.from_newick(FAMILY)
    assert tree.leaves == ("deu_Latn", "nld_Latn", "fra_Latn", "x y", "q")
    assert tree.labels == ("0.98", "A 'b'", "")
    assert tree.to_newick() == FAMILY


@given(SEEDS, st.integers(2, 30), st.floats(0, 1))
def test_a_tree_survives_newick_and_dendropy(random_tree: RandomTree, seed: int, size: int, resolved: float) -> None:
    tree = random_tree(seed, size, resolved)
    assert same(tree, Tree.from_newick(tree.to_newick()))
    read = dendropy.Tree.get(data=tree.to_newick(), schema="newick", preserve_underscores=True)
    assert same(tree, Tree.from_newick(read.as_string("newick", suppress_rooting=True)))


@given(SEEDS, st.integers(4, 20), st.floats(0, 1))
def test_pruning_equals_dendropys(random_tree: RandomTree, seed: int, size: int, resolved: float) -> None:
    tree = random_tree(seed, size, resolved)
    kept = [leaf for leaf in tree.leaves if int(leaf[1:]) % 3]
    other = dendropy.Tree.get(data=tree.to_newick(), schema="newick")
    other.retain_taxa_with_labels(kept)
    mine, theirs = tree.select(kept), Tree.from_newick(other.as_string("newick", suppress_rooting=True))
    theirs = theirs.select(kept)
    assert {bytes(row) for row in mine.clades} == {bytes(row) for row in theirs.clades}
    far = [(t.nodes * t.lengths[:, None]).sum(0) for t in (mine, theirs)]
    assert far[0] - far[0].min() == pytest.approx(far[1] - far[1].min())  # dendropy keeps an edge above the root


@given(SEEDS, st.integers(3, 20), st.floats(0, 1))
def test_leaves_meet_where_networkx_finds_their_lowest_common_ancestor(
    random_tree: RandomTree, seed: int, size: int, resolved: float
) -> None:
    tree = random_tree(seed, size, resolved)
    graph = tree.to_networkx()
    root = len(tree.parents) - 1
    depth = nx.single_source_shortest_path_length(graph, root)
    pairs = [(a, b) for a in tree.leaves for b in tree.leaves if a != b]
    for (a, b), above in nx.all_pairs_lowest_common_ancestor(graph, pairs):
        assert tree.meeting_depths[tree.leaves.index(a), tree.leaves.index(b)] == depth[above]


def test_contraction_keeps_how_far_down_the_leaves_are() -> None:
    tree = Tree.from_newick("(((a:1,b:1)x:0.1,c:1)y:0.2,d:1,(e:1,f:1)z:5);")
    short = tree.contract(0.3)
    assert short.to_newick() == "(a:1.3,b:1.3,c:1.2,d:1,(e:1,f:1)z:5);"
    assert tree.contract(0.15).labels == ("z", "y", "")


def test_a_chain_of_two_thousand_leaves_is_written_and_read() -> None:
    chain = Tree.of_clades([f"l{i}" for i in range(2000)], np.tri(2000, dtype=bool))
    assert Tree.from_newick(chain.to_newick()).clades.shape == (1999, 2000)


def test_clades_that_overlap_are_no_tree() -> None:
    with pytest.raises(InputError, match=r"Found two that overlap: a, b \.\.\. and b, c"):
        Tree.of_clades("abcd", np.array([[1, 1, 0, 0], [0, 1, 1, 0]]))


@pytest.mark.parametrize(
    "text",
    [
        "", "deu", "((a,b),c", "(a,b,c)", "((a,b),(a,c));", "(a,b)); ", "(((a,b),c);", "(a,,b);", "((a:x,b),c);",
        "((a,b),c);((a,c),b);", "[comment", "((a,b)'c,d);", "();", ";", "PK\x03\x04\x00",
    ],
)  # fmt: skip
def test_what_is_not_one_newick_tree_is_refused_in_one_paragraph(text: str) -> None:
    with pytest.raises(InputError, match="Expected one tree in Newick, such as"):
        Tree.from_newick(text)


def test_a_tree_that_is_not_binary_is_refused_where_one_is_asked_for() -> None:
    assert len(Tree.from_newick("((a,b),(c,d));", binary=True).clades) == 3
    with pytest.raises(InputError, match="Expected a binary tree, found a node with 3 children over a, b, c"):
        Tree.from_newick("((a,b,c),d);", binary=True)


def test_a_star_has_only_its_root_and_groups_hang_from_theirs() -> None:
    assert Tree.star("abc").to_newick() == "(a:1,b:1,c:1);"
    assert Tree.of_groups({"a": 1, "b": 2, "c": 1}).to_newick() == "((a:1,c:1)1:1,b:1);"
