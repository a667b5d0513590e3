"""Cells become a matrix and tables, and the intervals hold what they promise."""

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from langvec.cleaning import FOLDS
from langvec.errors import InputError
from langvec.matrix import COUNTS, EntropyMatrix, half_width

MODELS = ("deu_Latn", "nld_Latn", "sin_Sinh")
TEXTS = ("nld_Latn", "tam_Taml")


def cells(models=MODELS, texts=TEXTS, seed=0):
    """A list of rows, one a cell, with a third of the folds empty."""
    rng = np.random.default_rng(seed)
    rows = []
    filled = {text: rng.random(FOLDS) < 2 / 3 for text in texts}
    counts = {text: {unit: rng.integers(1, 200, FOLDS) * filled[text] for unit in COUNTS} for text in texts}
    for model in models:
        for text in texts:
            row = {"model": model, "text": text, "nats": rng.gamma(4, 30, FOLDS) * filled[text]}
            rows.append(row | counts[text] | {"scored": int(rng.integers(1, 50)), "error": float(rng.random() / 100)})
    return rows


def table_of(rows):
    types = {"nats": pa.list_(pa.float64(), FOLDS), **{unit: pa.list_(pa.int64(), FOLDS) for unit in COUNTS}}
    plain = [{name: list(v) if name in types else v for name, v in row.items()} for row in rows]
    schema = pa.schema(
        [
            ("model", pa.string()),
            ("text", pa.string()),
            *types.items(),
            ("scored", pa.int64()),
            ("error", pa.float64()),
        ],
    )
    return pa.Table.from_pylist(plain, schema)


def matrix(models=MODELS, texts=TEXTS, seed=0):
    return EntropyMatrix.from_cells(table_of(cells(models, texts, seed)), models, texts)


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=4))
def test_the_order_of_cells_and_their_exact_copies_change_nothing(order, copies):
    rows = cells()
    shuffled = table_of([rows[i] for i in [*order, *copies]])
    assert EntropyMatrix.from_cells(shuffled, MODELS, TEXTS) == matrix()


def test_cells_land_at_their_model_and_text_also_in_several_chunks_among_others():
    rows = cells()
    chunks = pa.concat_tables([table_of(rows[:1]), table_of(cells(("fra_Latn",))), table_of(rows[1:])])
    found = EntropyMatrix.from_cells(chunks, MODELS, TEXTS)
    for row in rows:
        place = MODELS.index(row["model"]), TEXTS.index(row["text"])
        assert found.nats[place].tolist() == row["nats"].tolist()
        assert all(found.counts[unit][place[1]].tolist() == row[unit].tolist() for unit in COUNTS)
        assert (found.scored[place], found.error[place]) == (row["scored"], row["error"])


def test_missing_cells_are_named_three_at_most_and_counted():
    with pytest.raises(InputError, match="nld_Latn on tam_Taml, sin_Sinh on nld_Latn, sin_Sinh on tam_Taml") as three:
        EntropyMatrix.from_cells(table_of(cells()[:3]), MODELS, TEXTS)
    with pytest.raises(InputError, match=r"deu_Latn on tam_Taml, .* \(5 in all\)"):
        EntropyMatrix.from_cells(table_of(cells()[:1]), MODELS, TEXTS)
    assert "in all" not in str(three.value)


def change(name, value):
    def mend(rows):
        return [*rows, rows[2] | {name: value(rows[2][name])}]

    return mend


@pytest.mark.parametrize(
    ("mend", "message"),
    [
        (change("nats", lambda nats: nats + 1e-9), "several for nld_Latn on nld_Latn"),
        (change("bytes", lambda bytes_: bytes_ + 1), "several for nld_Latn on nld_Latn"),
        (change("scored", lambda symbols: symbols + 1), "several for nld_Latn on nld_Latn"),
        (change("error", lambda error: error + 1), "several for nld_Latn on nld_Latn"),
        (lambda rows: [rows[0] | {"chars": rows[0]["chars"] + 1}, *rows[1:]], "one text nld_Latn.* Found chars"),
        (lambda rows: [rows[0] | {"nats": rows[0]["nats"] * np.nan}, *rows[1:]], "finite.*deu_Latn on nld_Latn"),
    ],
)
def test_cells_that_contradict_each_other_are_refused_by_name(mend, message):
    with pytest.raises(InputError, match=message):
        EntropyMatrix.from_cells(table_of(mend(cells())), MODELS, TEXTS)


def test_columns_that_are_missing_or_of_another_length_are_refused():
    with pytest.raises(InputError, match="Expected the columns bytes, sentences"):
        EntropyMatrix.from_cells(table_of(cells()).drop_columns(["bytes", "sentences"]), MODELS, TEXTS)
    table = table_of(cells())
    short = table.set_column(2, "nats", pa.array([[1.0]] * 6, pa.list_(pa.float64(), 1)))
    with pytest.raises(InputError, match="Expected 64 numbers in each row of the column nats"):
        EntropyMatrix.from_cells(short, MODELS, TEXTS)


def test_a_matrix_comes_back_exactly_from_the_parquet_file_of_its_table(tmp_path):
    original = matrix()
    pq.write_table(original.to_table(), tmp_path / "matrix.parquet")
    assert EntropyMatrix.from_parquet(tmp_path / "matrix.parquet") == original
    assert original != matrix(seed=1)


def test_a_file_that_is_no_matrix_is_refused_with_its_name(tmp_path):
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    pq.write_table(pa.table({"model": ["deu"]}), tmp_path / "other.parquet")
    for name in ("broken.parquet", "other.parquet", "absent.parquet"):
        with pytest.raises(InputError, match=name):
            EntropyMatrix.from_parquet(tmp_path / name)


def test_a_file_that_does_not_exist_is_said_not_to_exist(tmp_path):
    with pytest.raises(InputError, match=r"There is no file .*absent\.parquet"):
        EntropyMatrix.from_parquet(tmp_path / "absent.parquet")


def test_a_matrix_shows_its_size_in_one_short_line():
    assert repr(matrix()) == "<EntropyMatrix: 3 models x 2 texts>"


def test_the_csv_table_has_one_row_for_each_cell_with_rates_made_of_its_totals(tmp_path):
    pa.csv.write_csv(matrix().to_csv_table(), tmp_path / "matrix.csv")
    rows = pa.csv.read_csv(tmp_path / "matrix.csv").to_pylist()
    assert [(row["model"], row["text"]) for row in rows] == [(model, text) for model in MODELS for text in TEXTS]
    for row, cell in zip(rows, cells(), strict=True):
        for unit in COUNTS:
            assert row[unit] == cell[unit].sum()
        for unit in ("char", "byte", "sentence"):
            rate = math.fsum(cell["nats"]) / row[f"{unit}s"]
            assert row[f"nats_per_{unit}"] == pytest.approx(rate)
            assert row[f"bits_per_{unit}"] == pytest.approx(rate / math.log(2))
        assert row["share_scored"] == row["scored"] / row["symbols"]
        assert row["nats_per_char_low"] < row["nats_per_char"] < row["nats_per_char_high"]


def test_the_data_frame_is_labelled_with_models_and_texts():
    frame = matrix().to_pandas("symbol")
    cell = cells()[5]
    assert frame.loc["sin_Sinh", "tam_Taml"] == pytest.approx(cell["nats"].sum() / cell["symbols"].sum())
    assert (frame.index.name, frame.columns.name) == ("model", "text")


def test_a_selection_equals_a_matrix_made_of_the_selected_cells_only():
    models, texts = ("sin_Sinh", "deu_Latn"), ("tam_Taml",)
    selected = matrix().select(models=models, texts=texts)
    assert selected == EntropyMatrix.from_cells(table_of(cells()), models, texts)
    assert not selected.square
    assert matrix(TEXTS, TEXTS).square
    with pytest.raises(InputError, match=r"no text fra_Latn\. It has nld_Latn, tam_Taml"):
        matrix().select(texts=["fra_Latn"])


def slow_half_width(nats, chars, level):
    """The formula with one fold at a time."""
    total, ratio = sum(chars), sum(nats) / sum(chars)
    folds = sum(1 for c in chars if c)
    variance = folds / (folds - 1) * sum((n - ratio * c) ** 2 for n, c in zip(nats, chars, strict=True)) / total**2
    return stats.t.ppf((1 + level) / 2, folds - 1) * math.sqrt(variance)


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_half_widths_match_the_formula_written_as_loops(level):
    for row in cells():
        expected = slow_half_width(row["nats"], row["chars"], level)
        assert half_width(row["nats"], row["chars"], level) == pytest.approx(expected, rel=1e-12)


def test_intervals_are_centred_on_the_rate_and_allow_for_what_was_not_read():
    low, high = matrix().intervals()
    np.testing.assert_allclose((low + high) / 2, matrix().per("char"))
    everything = replace(matrix(), error=np.zeros((3, 2)))
    np.testing.assert_allclose(
        ((high - low) / 2) ** 2, half_width(everything.nats, everything.counts["chars"]) ** 2 + matrix().error ** 2
    )


def test_one_fold_gives_no_interval():
    nats, chars = np.zeros(FOLDS), np.zeros(FOLDS, int)
    assert np.isnan(half_width(nats, chars))
    nats[3], chars[3] = 12.5, 10
    assert np.isnan(half_width(nats, chars))


def sentences(rng, shape):
    """Lengths, and nats that depend on them: a fixed price, a rate, noise that grows with length."""
    chars = rng.integers(20, 201, shape)
    return chars, 30 + chars * rng.gamma(6, 0.2, shape)


def in_folds(values, folds):
    return np.stack([np.bincount(f, v, FOLDS) for f, v in zip(folds, values, strict=True)])


def test_the_interval_about_the_language_covers_its_true_rate_in_95_of_100_samples():
    rng = np.random.default_rng(1)
    chars, nats = sentences(rng, (400, 600))
    folds = rng.integers(FOLDS, size=chars.shape)
    true_rate = 1.2 + 30 / 110  # 110 characters is the mean length
    half = half_width(in_folds(nats, folds), in_folds(chars, folds))
    covered = np.abs(nats.sum(1) / chars.sum(1) - true_rate) <= half
    assert 0.92 <= covered.mean() <= 0.98


def test_the_bootstrap_spreads_as_wide_as_the_interval_and_repeats_with_its_seed():
    draws = np.stack(list(matrix().bootstrap(2000, seed=3)))
    half = half_width(matrix().nats, matrix().counts["chars"])
    spread = draws.std(axis=0) * stats.t.ppf(0.975, 40)
    np.testing.assert_allclose(spread, half, rtol=0.15)
    np.testing.assert_array_equal(draws[:5], list(matrix().bootstrap(5, seed=3)))
    assert not np.array_equal(draws[:5], list(matrix().bootstrap(5, seed=4)))


def test_all_cells_of_a_draw_use_the_same_folds():
    rows = cells(("deu_Latn",), TEXTS)
    rows[1] |= {"nats": rows[0]["nats"] * 3} | {unit: rows[0][unit] for unit in COUNTS}
    for drawn in EntropyMatrix.from_cells(table_of(rows), ("deu_Latn",), TEXTS).bootstrap(20, seed=1):
        assert drawn[0, 1] == pytest.approx(3 * drawn[0, 0])


@given(hnp.arrays(float, FOLDS, elements=st.floats(0.5, 9)), st.integers(0, FOLDS - 1))
def test_a_cell_with_one_fold_keeps_its_value_in_every_draw(nats, fold):
    only = np.arange(FOLDS) == fold
    row = cells(("deu_Latn",), ("deu_Latn",))[0] | {"nats": nats * only, "chars": 7 * only}
    one = EntropyMatrix.from_cells(table_of([row]), ["deu_Latn"], ["deu_Latn"])
    for drawn in one.bootstrap(10, seed=1):
        assert drawn[0, 0] == pytest.approx(nats[fold] / 7)
