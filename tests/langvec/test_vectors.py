"""Recipes against their definitions as loops, distances against scipy, and the set as a user asks it."""

import itertools
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError
from scipy.spatial.distance import cdist

from langvec.cleaning import FOLDS
from langvec.errors import InputError
from langvec.matrix import COUNTS, EntropyMatrix
from langvec.vectors import PRESETS, LanguageVectors, VectorRecipe, distance_intervals, distances, make_vectors

CODES = ("deu_Latn", "nld_Latn", "srp_Cyrl", "srp_Latn", "sin_Sinh")
ORIENTATIONS = ("row", "column", "symmetric")
VALUES = ("nats", "excess_native", "excess_text", "perplexity")
SCALES = ("none", "minmax", "zscore", "centred")
NATS = np.random.default_rng(5).gamma(20, 0.1, (5, 5))
OWN = dict(zip(CODES, (2.0, 2.1, 2.2, 2.3, 2.4), strict=True))
SQUARES = st.integers(2, 6).flatmap(lambda n: hnp.arrays(float, (n, n), elements=st.floats(0.5, 4)))


def recipe(orientation="row", value="nats", scale="none", metric="euclidean"):
    return VectorRecipe(orientation=orientation, value=value, scale=scale, metric=metric)


def vectors(nats=NATS, codes=CODES, **fields):
    return make_vectors((nats, codes, codes), recipe(**fields), OWN)


def entropy_matrix(seed=0, codes=CODES, noise=0.05):
    """Folds of a thousand characters whose rates scatter about those of NATS."""
    shape = (len(codes), len(codes), FOLDS)
    rates = NATS[: len(codes), : len(codes), None] + noise * np.random.default_rng(seed).normal(size=shape)
    counts = {unit: np.full(shape[1:], 1000) for unit in COUNTS}
    return EntropyMatrix(codes, codes, 1000 * rates, counts, np.full(shape[:2], 64_000), np.zeros(shape[:2]))


def slow_vectors(nats, orientation, value, scale):
    """One number at a time, in the order value, scale, orientation."""
    n = len(nats)
    pairs = list(itertools.product(range(n), repeat=2))
    out = {}
    for i, j in pairs:
        less = {"excess_native": nats[j][j], "excess_text": OWN[CODES[j]]}.get(value, 0)
        out[i, j] = math.exp(nats[i][j]) if value == "perplexity" else nats[i][j] - less
    scaled = {}
    for i, j in pairs:
        column, row = [out[k, j] for k in range(n)], [out[i, k] for k in range(n)]
        mean = sum(column) / n
        deviation = math.sqrt(sum((x - mean) ** 2 for x in column) / n)
        scaled[i, j] = {
            "none": out[i, j],
            "minmax": (out[i, j] - min(column)) / (max(column) - min(column)),
            "zscore": (out[i, j] - mean) / deviation,
            "centred": out[i, j] - mean - sum(row) / n + sum(out.values()) / n**2,
        }[scale]
    x = scaled
    oriented = {
        "row": lambda i, j: x[i, j],
        "column": lambda i, j: x[j, i],
        "symmetric": lambda i, j: ((x[i, j] - x[j, j]) + (x[j, i] - x[i, i])) / 2,
    }[orientation]
    return np.array([[oriented(i, j) for j in range(n)] for i in range(n)])


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_each_recipe_matches_its_definition_written_as_loops(orientation, value, scale):
    made = vectors(orientation=orientation, value=value, scale=scale)
    np.testing.assert_allclose(made.vectors, slow_vectors(NATS, orientation, value, scale), rtol=1e-9, atol=1e-9)
    assert made.codes == made.dimensions == CODES


def test_the_presets_are_the_papers_rows_and_our_columns():
    assert PRESETS["paper"] == recipe("row", "perplexity", "zscore", "euclidean")
    assert PRESETS["best"] == recipe("column", "nats", "centred", "cosine")


def test_a_recipe_with_a_field_or_value_that_does_not_exist_is_refused():
    with pytest.raises(ValidationError):
        recipe(metric="manhattan")
    with pytest.raises(ValidationError):
        VectorRecipe(**PRESETS["best"].model_dump(), seed=1)


@pytest.mark.parametrize("scale", ["minmax", "zscore"])
def test_a_column_that_is_the_same_for_all_models_becomes_zero(scale):
    nats = NATS.copy()
    nats[:, 2] = 0.1  # five of them do not sum to exactly half
    assert not vectors(nats, scale=scale).vectors[:, 2].any()


@given(SQUARES, st.integers(0, 5))
def test_symmetric_distances_do_not_see_how_good_a_model_or_how_hard_a_text_is(nats, seed):
    rng, n = np.random.default_rng(seed), len(nats)
    codes = tuple(f"l{i}" for i in range(n))
    changed = nats + rng.random((n, 1)) + rng.random(n)
    symmetric = recipe("symmetric")
    before, after = (make_vectors((h, codes, codes), symmetric).distances() for h in (nats, changed))
    np.testing.assert_allclose(before, after, atol=1e-9)
    assert (before >= 0).all()
    assert not np.diag(before).any()
    np.testing.assert_array_equal(before, before.T)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_symmetric_excess_is_itself_the_distance_whatever_the_metric(metric):
    made = vectors(orientation="symmetric", metric=metric)
    np.testing.assert_array_equal(made.distances(), np.maximum(made.vectors, 0))
    assert made.distance("deu", "nld") == max(made["deu"][1], 0)
    of_perplexities = vectors(orientation="symmetric", value="perplexity", metric=metric)
    np.testing.assert_allclose(of_perplexities.distances(), cdist(*[of_perplexities.vectors] * 2, metric), atol=1e-12)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@given(hnp.arrays(float, (5, 3), elements=st.floats(0.1, 10)))
def test_distances_match_scipy_and_are_symmetric_with_a_zero_diagonal(metric, rows):
    found = distances(rows, metric)
    np.testing.assert_allclose(found, cdist(rows, rows, metric), atol=1e-12)
    np.testing.assert_array_equal(found, found.T)
    assert not np.diag(found).any()


def test_a_vector_of_zeros_has_cosine_distance_one_to_the_others_and_zero_to_itself():
    assert distances(np.array([[0.0, 0], [1, 2]]), "cosine").tolist() == [[0, 1], [1, 0]]


def test_rows_are_languages_of_models_and_columns_languages_of_texts_when_they_differ():
    scores = (NATS[:2], CODES[:2], CODES)
    by_row, by_column = (make_vectors(scores, recipe(orientation)) for orientation in ("row", "column"))
    assert (by_row.codes, by_row.dimensions, by_row.vectors.shape) == (CODES[:2], CODES, (2, 5))
    assert (by_column.codes, by_column.dimensions, by_column.vectors.shape) == (CODES, CODES[:2], (5, 2))
    with pytest.raises(InputError, match="sin_Sinh, srp_Cyrl, srp_Latn"):
        make_vectors(scores, recipe("symmetric"))
    with pytest.raises(InputError, match=r"own language. Missing: sin_Sinh, srp_Cyrl, srp_Latn"):
        make_vectors(scores, recipe(value="excess_native"))


def test_a_baseline_or_a_score_that_is_missing_is_named():
    with pytest.raises(InputError, match=r"`own`.*Missing: deu_Latn, nld_Latn"):
        make_vectors((NATS, CODES, CODES), recipe(value="excess_text"), dict.fromkeys(CODES[2:], 1.0))
    holed = NATS.copy()
    holed[1, 4] = np.nan
    with pytest.raises(InputError, match=r"nan for nld_Latn on sin_Sinh \(1 such"):
        vectors(holed)
    with pytest.raises(InputError, match=r"2 models on 5 texts. Found shape \(5, 5\)"):
        make_vectors((NATS, CODES[:2], CODES), recipe())


def test_a_language_is_found_by_its_iso_code_and_by_its_full_code():
    made = vectors()
    np.testing.assert_array_equal(made["nld"], NATS[1])
    np.testing.assert_array_equal(made["srp_Latn"], NATS[3])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("srp", "ambiguous here: say srp_Cyrl or srp_Latn"),
        ("deu_Latin", "Did you mean deu_Latn"),
        ("nldd", "Did you mean nld"),
        ("qqq", "no vector of 'qqq' among these 5 languages. It has deu_Latn"),
        ("deu_Cyrl", "no vector of 'deu_Cyrl'"),
    ],
)
def test_a_code_that_is_not_there_or_not_enough_is_explained(code, message):
    with pytest.raises(InputError, match=message):
        vectors()[code]


def test_the_nearest_languages_come_in_order_of_distance_without_the_language_itself():
    made = vectors(metric="cosine")
    others = sorted((made.distance("deu", code), code) for code in CODES[1:])
    found = made.nearest("deu", k=3)
    assert [code for code, _ in found] == [code for _, code in others[:3]]
    assert [far for _, far in found] == pytest.approx([far for far, _ in others[:3]])
    assert len(made.nearest("deu", k=99)) == 4


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_saved_vectors_load_as_equal_ones_with_equal_distances(orientation, tmp_path):
    made = vectors(orientation=orientation, scale="zscore", metric="cosine")
    made.save(tmp_path / "vectors.parquet")
    loaded = LanguageVectors.load(tmp_path / "vectors.parquet")
    assert loaded == made
    assert loaded != vectors(orientation=orientation, metric="cosine")
    np.testing.assert_array_equal(loaded.distances(), made.distances())


def test_vectors_show_their_size_and_recipe_in_one_short_line():
    shown = "<LanguageVectors: 5 languages, 5 dimensions; orientation row, value nats, scale none, metric euclidean>"
    assert repr(vectors()) == shown
    assert repr(make_vectors(entropy_matrix(), recipe())) == shown


def test_a_file_without_dimensions_or_with_two_recipes_is_refused(tmp_path):
    table = vectors().to_table()
    pq.write_table(table.replace_schema_metadata(None), tmp_path / "nameless.parquet")
    with pytest.raises(InputError, match="Found 5 vectors and 0 names"):
        LanguageVectors.load(tmp_path / "nameless.parquet")
    mixed = pa.concat_tables([table, vectors(scale="zscore").to_table()])
    pq.write_table(mixed, tmp_path / "mixed.parquet")
    with pytest.raises(InputError, match="one recipe"):
        LanguageVectors.load(tmp_path / "mixed.parquet")


@pytest.mark.parametrize("value", VALUES)
def test_intervals_are_the_percentiles_of_distances_made_anew_for_each_draw(value):
    matrix, column = entropy_matrix(), recipe("column", value)
    drawn = [make_vectors((nats, CODES, CODES), column, OWN).distances() for nats in matrix.bootstrap(40, seed=9)]
    low, high = distance_intervals(matrix, column, OWN, draws=40, seed=9)
    np.testing.assert_allclose(low, np.quantile(drawn, 0.025, axis=0))
    np.testing.assert_allclose(high, np.quantile(drawn, 0.975, axis=0))


def test_intervals_of_distances_cover_the_true_distance_in_95_of_100_samples():
    true = vectors(orientation="column").distances()
    covered = []
    for seed in range(100):
        low, high = distance_intervals(entropy_matrix(seed), recipe("column"), draws=200, seed=seed)
        covered.append(((low <= true) & (true <= high))[np.triu_indices(5, 1)])
    assert 0.9 <= np.mean(covered) <= 0.98


def test_the_nearest_languages_come_with_the_intervals_of_their_distances():
    made = make_vectors(entropy_matrix(), PRESETS["best"])
    low, high = distance_intervals(made.matrix, PRESETS["best"])
    found = made.nearest_intervals("deu", k=2)
    assert [(code, far) for code, far, *_ in found] == made.nearest("deu", k=2)
    for code, _, *ends in found:
        assert ends == [low[0, CODES.index(code)], high[0, CODES.index(code)]]
    with pytest.raises(InputError, match="need the entropy matrix"):
        vectors().nearest_intervals("deu")
