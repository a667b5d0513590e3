"""The sweep's settings, its halves of families, and that each row is what it says."""

import numpy as np
import pytest

from langvec.cleaning import FOLDS
from langvec.compare import triplets
from langvec.constructions import TreeRecipe
from langvec.glottolog import family, gold_tree
from langvec.matrix import COUNTS, EntropyMatrix
from langvec.sweep import halves, measure, points, points_per_trial
from langvec.vectors import make_vectors

CODES = ("deu_Latn", "nld_Latn", "fra_Latn", "ita_Latn", "ind_Latn", "tgl_Latn", "ceb_Latn", "tam_Taml")


@pytest.fixture(scope="module")
def matrix() -> EntropyMatrix:
    draw = np.random.default_rng(1)
    shape = (len(CODES), len(CODES))
    nats = draw.uniform(1, 4, (*shape, FOLDS))
    counts = {unit: np.ones((len(CODES), FOLDS)) for unit in COUNTS}
    return EntropyMatrix(CODES, CODES, nats, counts, np.zeros(shape), np.zeros(shape))


def test_settings_are_all_different_and_none_is_tried_twice_for_a_metric_it_does_not_use() -> None:
    found = [point.model_dump_json() for point in points(square=True)]
    assert len(set(found)) == len(found) > 3000
    assert {point.vectors.orientation for point in points(square=False)} == {"column"}
    assert not [p for p in points(True) if p.vectors.is_distance and p.vectors.metric == "cosine"]


def test_families_stay_together_in_halves_of_like_size() -> None:
    one, other = halves(CODES)
    assert sorted([*one, *other]) == sorted(CODES)
    assert not {family(code) for code in one} & {family(code) for code in other}
    assert {len(one), len(other)} == {4}


def test_a_trial_holds_many_settings_of_few_languages_and_few_of_many() -> None:
    assert points_per_trial(40) > 300
    assert points_per_trial(445) < 20
    assert points_per_trial(100_000) == 1


def test_each_row_scores_the_tree_of_its_setting_on_either_half(matrix: EntropyMatrix) -> None:
    gold = gold_tree(CODES).tree
    settings = points(square=True)[::97]
    rows = list(measure(matrix, settings, gold))
    assert len(rows) == len(settings)
    for point, row in zip(settings, rows, strict=True):
        distances = make_vectors(matrix, point.vectors).distances()
        recipe = {"construction": row["construction"], "min_samples": row["min_samples"]}
        if row["epsilon"]:
            recipe["epsilon"] = row["epsilon"]
        tree = TreeRecipe.model_validate(recipe).grow(CODES, distances)
        assert row["clades"] == len(tree.clades) - 1
        assert row["triplets"] == pytest.approx(triplets(tree, gold).share)
        for name, half in zip(("triplets_half_1", "triplets_half_2"), halves(CODES), strict=True):
            assert row[name] == pytest.approx(triplets(tree.select(half), gold.select(half)).share)


def test_a_quantile_is_an_epsilon_with_that_share_of_distances_below(matrix: EntropyMatrix) -> None:
    settings = [point for point in points(square=True) if point.quantile == 0.3][:3]
    for point, row in zip(settings, measure(matrix, settings, gold_tree(CODES).tree), strict=True):
        far = make_vectors(matrix, point.vectors).distances()[np.triu_indices(len(CODES), 1)]
        assert (far < row["epsilon"]).mean() == pytest.approx(0.3, abs=0.05)
