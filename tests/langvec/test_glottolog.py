"""The gold tree, what has no place in it, and the trees that know nothing of the text."""

import numpy as np
import pytest

from langvec.baselines import geography_tree, great_circle, script_tree, shuffled
from langvec.compare import robinson_foulds, triplets
from langvec.glottolog import family, gold_tree, told
from langvec.tree import Tree

CODES = ["deu_Latn", "nld_Latn", "fra_Latn", "rus_Cyrl", "fin_Latn", "ind_Latn", "tha_Thai", "lao_Laoo", "eus_Latn"]


def test_the_gold_tree_has_families_under_one_root_and_no_node_with_one_child() -> None:
    gold = gold_tree(CODES)
    assert not gold.left_out
    assert gold.tree.to_newick().count("(") == len(gold.tree.clades) == 4
    indo_european = dict(zip(gold.tree.labels, gold.tree.clades, strict=True))["Indo-European"]
    assert [code for code, inside in zip(CODES, indo_european, strict=True) if inside] == CODES[:4]
    depth = gold.tree.meeting_depths
    german, dutch, french, finnish, basque = 0, 1, 2, 4, 8
    assert depth[german, dutch] > depth[german, french] > depth[german, finnish] == depth[german, basque] == 0


def test_languages_without_descent_are_left_out_by_name() -> None:
    gold = gold_tree(["deu", "epo", "nld", "ido", "fra"])
    assert gold.tree.leaves == ("deu", "nld", "fra")
    assert told(gold.left_out) == "epo, ido (no descent: artificial language)"


def test_languages_none_of_which_has_a_place_are_a_star_that_resolves_nothing() -> None:
    gold = gold_tree(["epo", "ido", "ina"])
    assert len(gold.left_out) == 3 and gold.tree.to_newick() == "(epo:1,ido:1,ina:1);"
    assert triplets(Tree.from_newick("((epo,ido),ina);"), gold.tree).count == 0


def test_one_language_in_two_scripts_is_a_clade() -> None:
    tree = gold_tree(["uzn_Latn", "uzn_Cyrl", "tur_Latn"]).tree
    assert tree.meeting_depths[0, 1] > tree.meeting_depths[0, 2]


def test_macedonian_is_of_the_family_of_its_relatives_and_an_isolate_of_its_own() -> None:
    assert family("mkd") == family("deu") == "Indo-European"
    assert family("eus") == "Basque"


def test_great_circles_are_as_long_as_an_atlas_says() -> None:
    far = great_circle(["deu", "jpn", "aay"])
    assert far[0, 1] == pytest.approx(9000, rel=0.05)
    assert far[0, 2] == far[1, 2] == pytest.approx(np.pi * 6371)
    assert (far.diagonal() == 0).all()


def test_trees_of_scripts_and_places_are_what_they_say() -> None:
    tree = script_tree(CODES)
    assert [label for label in tree.labels if label] == ["Latn"]
    near = geography_tree(CODES)
    thai, lao, german = 6, 7, 0
    assert near.meeting_depths[thai, lao] > near.meeting_depths[thai, german]


def test_shuffled_trees_keep_their_shape_and_are_right_by_chance() -> None:
    gold = gold_tree(CODES).tree
    binary = Tree.from_newick(
        "((((deu_Latn,nld_Latn),(fra_Latn,rus_Cyrl)),fin_Latn),((ind_Latn,tha_Thai),(lao_Laoo,eus_Latn)));"
    )
    drawn = list(shuffled(binary.select(CODES), 300, 1))
    assert {tuple(tree.clades.sum(1)) for tree in drawn} == {tuple(binary.clades.sum(1))}
    assert np.mean([triplets(tree, gold).share for tree in drawn]) == pytest.approx(1 / 3, abs=0.03)
    assert len({robinson_foulds(tree, gold).distance for tree in drawn}) > 1
    assert [tree.to_newick() for tree in shuffled(binary, 3, 1)] == [
        tree.to_newick() for tree in shuffled(binary, 3, 1)
    ]
