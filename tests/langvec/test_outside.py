"""Tables as others write them, what they leave open, and the two blocks side by side."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from langvec.errors import InputError
from langvec.outside import OutsideTable, concatenate
from langvec.vectors import LanguageVectors, VectorRecipe

CODES = ("deu_Latn", "nld_Latn", "sin_Sinh", "tam_Taml")
RECIPE = VectorRecipe(orientation="column", value="nats", scale="none", metric="euclidean")
OURS = LanguageVectors(CODES, np.random.default_rng(3).normal(size=(4, 6)), tuple("abcdef"), RECIPE)
TABLE = "code,S_SVO,S_TONE,P_NASAL\ndeu,1,0.5,1\nstan1295,9,9,9\nsin_Sinh,0,?,1\ntam,,NA,1\n"


def written(tmp_path, text, name="table.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_csv_table_is_read_with_its_holes(tmp_path):
    table = OutsideTable.read(written(tmp_path, TABLE))
    assert (table.codes, table.names) == (
        ("deu", "stan1295", "sin_Sinh", "tam"),
        ("S_SVO", "S_TONE", "P_NASAL"),
    )
    hole = np.nan
    np.testing.assert_array_equal(table.values, [[1, 0.5, 1], [9, 9, 9], [0, hole, 1], [hole, hole, 1]])


@pytest.mark.parametrize(
    "text", [TABLE.replace(",", "\t"), "\ufeff" + TABLE, TABLE.replace("\n", "\r\n"), TABLE.replace("\n", "\n\n")]
)
def test_tabs_byte_order_marks_windows_lines_and_empty_lines_change_nothing(tmp_path, text):
    plain = OutsideTable.read(written(tmp_path, TABLE))
    table = OutsideTable.read(written(tmp_path, text, "other.tsv"))
    assert (table.codes, table.names) == (plain.codes, plain.names)
    np.testing.assert_array_equal(table.values, plain.values)


@pytest.mark.parametrize("empty", ["", "?", "NA", "--", "nan", "-1"])
def test_every_sign_for_unknown_is_read_as_a_hole(tmp_path, empty):
    table = OutsideTable.read(written(tmp_path, f"x,A,B\ndeu,{empty},2\n"), missing=-1)
    np.testing.assert_array_equal(table.values, [[np.nan, 2]])


@pytest.mark.parametrize(
    ("roles", "names"),
    [(("codes", "features", "names"), ("A", "B")), (("langs", "data", "feats"), ("A", "B")),
     (("languages", "vectors", None), ("0", "1"))],
)  # fmt: skip
def test_an_npz_table_is_read_under_any_of_its_usual_names(tmp_path, roles, names):
    codes, values, named = roles
    arrays = {codes: np.array(["deu", "sin"]), values: np.array([[1, -1], [0, 2]])}
    np.savez(tmp_path / "t.npz", **arrays, **({named: np.array(["A", "B"])} if named else {}))
    table = OutsideTable.read(tmp_path / "t.npz", missing=-1)
    assert (table.codes, table.names) == (("deu", "sin"), names)
    np.testing.assert_array_equal(table.values, [[1, np.nan], [0, 2]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"line 1: expected a header .*found \[\]"),
        ("code\ndeu\n", r"line 1: .*found \['code'\]"),
        ("code,A\n", "first column: expected language codes, each once; found none"),
        ("code,A\ndeu,1\nnld,1,2\n", "line 3: expected 2 cells as in the header; found 3"),
        ("code,A\n\ndeu,x\n", "line 3, column A: expected a finite number.*found 'x'"),
        ("code,A\ndeu,inf\n", "line 2, column A: .*found 'inf'"),
        ("ID,Value\nGB020-abad1241,1\n", "line 2: expected a language code.*found 'GB020-abad1241'"),
        ("code,A\ndeu,1\ndeu,2\n", "each once; found deu 2 times"),
        (b"code,A\ndeu,\xff\n", "expected CSV or TSV in UTF-8; found 'utf-8' codec"),
    ],
)
def test_a_malformed_table_is_refused_with_place_expected_and_found(tmp_path, text, message):
    with pytest.raises(InputError, match=rf"table\.csv, .*{message}"):
        OutsideTable.read(written(tmp_path, text))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"codes": ["deu"]}, "an array codes and an array features; found codes"),
        ({"codes": ["deu"], "data": np.zeros((1, 2, 3))}, r"features: .*\(1, 3\).*float64 of shape \(1, 2, 3\)"),
        ({"codes": ["deu"], "data": np.zeros((2, 3))}, r"shape \(2, 3\)"),
        ({"codes": ["deu"], "data": [["a"]]}, "finite numbers.*found <U1"),
        ({"codes": ["deu"], "data": [[np.inf]]}, "finite numbers"),
        ({"codes": ["deu", "German"], "data": np.zeros((2, 1))}, "row 2: .*found 'German'"),
        ({"codes": ["deu"], "data": np.array([[object()]])}, "NPZ without Python objects"),
    ],
)
def test_a_malformed_npz_is_refused_and_no_python_object_is_loaded(tmp_path, arrays, message):
    np.savez(tmp_path / "t.npz", **arrays)
    with pytest.raises(InputError, match=message):
        OutsideTable.read(tmp_path / "t.npz")


def test_a_file_that_is_not_there_or_not_npz_is_named(tmp_path):
    with pytest.raises(InputError, match=r"Cannot read .*absent\.csv: No such file"):
        OutsideTable.read(tmp_path / "absent.csv")
    with pytest.raises(InputError, match=r"fake\.npz, the file: expected NPZ"):
        OutsideTable.read(written(tmp_path, TABLE, "fake.npz"))


def table_of(codes, values):
    values = np.asarray(values, dtype=float)
    return OutsideTable(tuple(codes), tuple(f"F{i}" for i in range(values.shape[1])), values)


@pytest.mark.parametrize("spelling", ["arb", "arb_Arab", "stan1318", "ara", "arb_Latn"])
def test_a_language_is_found_by_iso_glottocode_macrolanguage_or_another_script(spelling):
    table = table_of(["deu", spelling], [[1], [2]])
    assert table.values_of(["arb_Arab"]).tolist() == [[2]]
    assert table.values_of(["arb"]).tolist() == [[2]]


def test_the_exact_code_wins_over_the_bare_one_and_that_over_the_glottocode():
    table = table_of(["stan1295", "deu_Cyrl", "deu", "deu_Latn"], [[0], [1], [2], [3]])
    assert table.values_of(["deu_Latn", "deu_Cyrl", "deu_Arab"]).ravel().tolist() == [3, 1, 2]
    assert table_of(["stan1295", "deu"], [[0], [2]]).values_of(["deu_Latn"]).tolist() == [[2]]


def test_coverage_counts_known_cells_and_names_who_is_absent(tmp_path):
    coverage = OutsideTable.read(written(tmp_path, TABLE)).coverage(CODES)
    assert coverage.shares == pytest.approx({"deu_Latn": 1, "nld_Latn": 0, "sin_Sinh": 2 / 3, "tam_Taml": 1 / 3})
    assert coverage.overall == pytest.approx(6 / 12)
    assert coverage.absent == ("nld_Latn",)


def test_both_blocks_weigh_the_same_at_weight_one_and_the_constant_feature_is_gone():
    features = np.column_stack([np.random.default_rng(4).normal(size=(4, 9)), np.full(4, 0.1)])
    joined, _ = concatenate(OURS, table_of(CODES, features))
    assert joined.dimensions == (*"abcdef", *(f"F{i}" for i in range(9)))
    ours, outside = joined.vectors[:, :6], joined.vectors[:, 6:]
    np.testing.assert_allclose(outside * 3, (features - features.mean(0))[:, :9] / features.std(0)[:9])
    assert (ours**2).sum() == pytest.approx((outside**2).sum())
    assert (joined.codes, joined.recipe) == (OURS.codes, OURS.recipe)


@given(hnp.arrays(float, (4, 3), elements=st.sampled_from([0.0, 1.0, 2.0, np.nan])), st.sampled_from([0, 0.25, 1, 3.5]))
def test_unknown_values_lie_at_the_mean_and_the_weight_scales_the_outside_alone(features, weight):
    features[:2, 0] = (0, 1)
    table = table_of(CODES, features)
    once, coverage = concatenate(OURS, table)
    weighted, _ = concatenate(OURS, table, weight)
    np.testing.assert_allclose(weighted.vectors[:, 6:], weight * once.vectors[:, 6:])
    np.testing.assert_array_equal(weighted.vectors[:, :6], once.vectors[:, :6])
    names = list(once.dimensions[6:])
    outside = once.vectors[:, 6:]
    assert not outside[np.isnan(features[:, [int(name[1]) for name in names]])].any()
    np.testing.assert_allclose(outside.mean(axis=0), 0, atol=1e-12)
    assert coverage.overall == pytest.approx(1 - np.isnan(features).mean())


def test_joined_symmetric_vectors_are_compared_by_the_metric_and_survive_a_file(tmp_path):
    symmetric = RECIPE.model_copy(update={"orientation": "symmetric"})
    excess = LanguageVectors(CODES, np.abs(OURS.vectors[:, :4]), CODES, symmetric)
    joined, _ = concatenate(excess, table_of(CODES, np.eye(4)))
    gap = joined["deu"] - joined["tam"]
    assert joined.distance("deu", "tam") == pytest.approx(np.sqrt(gap @ gap))
    joined.save(tmp_path / "joined.parquet")
    assert LanguageVectors.load(tmp_path / "joined.parquet") == joined


def test_a_table_that_tells_nothing_of_these_languages_and_a_negative_weight_are_refused():
    with pytest.raises(InputError, match="3 of them are not in it, and 25% of the cells"):
        concatenate(OURS, table_of(["deu", "fra"], [[1, 2], [3, 4]]))
    for weight in (-1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="weight of 0 or more"):
            concatenate(OURS, table_of(CODES, np.eye(4)), weight)
