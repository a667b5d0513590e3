"""Triplets, landmarks: what they count, on cases small enough to see through."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.compare import kinship, same_script, triplets
from langvec.landmarks import landmarks
from langvec.languages import find

CODES = ["deu_Latn", "nld_Latn", "fra_Latn", "rus_Cyrl", "fin_Latn", "ind_Latn", "tha_Thai", "lao_Laoo"]


def slow_triplets(distances: np.ndarray, kin: np.ndarray) -> tuple[float, int]:
    credit, count = 0.0, 0
    for i, j, k in combinations(range(len(kin)), 3):
        pairs = [(i, j), (i, k), (j, k)]
        near = sorted(pairs, key=lambda pair: -kin[pair])
        if kin[near[0]] == kin[near[1]]:
            continue
        smallest = min(distances[pair] for pair in pairs)
        count += 1
        if distances[near[0]] == smallest:
            credit += 1 / sum(distances[pair] == smallest for pair in pairs)
    return credit / count, count


@given(st.integers(0, 10**6), st.integers(1, 4))
def test_triplets_equal_their_definition_written_as_loops(seed: int, levels: int) -> None:
    draw = np.random.default_rng(seed)
    distances = draw.integers(0, levels + 1, (8, 8))
    distances = distances + distances.T
    found = triplets(distances.astype(float), kinship(CODES))
    assert (pytest.approx(found.share), found.count) == slow_triplets(distances, kinship(CODES))


def test_distances_of_the_family_tree_itself_get_every_triplet_right_and_none_get_a_third() -> None:
    kin = kinship(CODES)
    assert triplets(-kin.astype(float), kin).share == 1
    assert triplets(kin.astype(float), kin).share < 0.2
    assert triplets(np.zeros((8, 8)), kin).share == pytest.approx(1 / 3)


def test_kinship_counts_shared_nodes_of_glottolog() -> None:
    kin = kinship(CODES)
    german, dutch, french, finnish = 0, 1, 2, 4
    assert kin[german, dutch] > kin[german, french] > kin[german, finnish] == 0
    assert kin[german, german] == len(find("deu").family)


def test_scripts_alone_bring_latin_languages_together() -> None:
    distances = same_script(CODES)
    assert distances[0, 5] == 0 and distances[0, 3] == 1 and distances[6, 7] == 1


def test_landmarks_take_one_of_each_family_before_a_second_of_any() -> None:
    assert landmarks(CODES, 4) == ["deu_Latn", "fin_Latn", "ind_Latn", "tha_Thai"]
    assert landmarks(CODES, 5) == ["deu_Latn", "nld_Latn", "fin_Latn", "ind_Latn", "tha_Thai"]
    assert landmarks(CODES, 100) == CODES
