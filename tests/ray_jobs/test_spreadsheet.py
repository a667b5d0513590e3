"""Tables of a run are opened in spreadsheets, and hold texts of others."""

import csv
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from ray_jobs.results import Shelf, write_table
from ray_jobs.spreadsheet import to_csv
from ray_jobs.store import Store

FORMULAS = [
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "－1",
    "＋1",
    "＠x",
]
HARMLESS = ["a=b", "Grüße", "", None, "'=1", "1-2", " x", "„Ja“"]


def cells(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_a_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(kind: pa.DataType) -> None:
    table = pa.table({"text": pa.array(FORMULAS).cast(kind)})
    assert cells(to_csv(table)) == [["text"], *([f"'{text}"] for text in FORMULAS)]


def test_the_name_of_a_column_is_such_a_text_too() -> None:
    assert cells(to_csv(pa.table({"=1": [1], "lang": ["deu"]})))[0] == ["'=1", "lang"]


def test_numbers_and_harmless_texts_are_written_as_before() -> None:
    columns = {"text": pa.array(HARMLESS), "number": range(-4, 4), "share": [-0.5] * 8, "yes": [True] * 8}
    table = pa.table(columns)
    plain = io.BytesIO()
    pa_csv.write_csv(table, plain)
    assert to_csv(table) == plain.getvalue()
    assert b",-4,-0.5," in to_csv(table)


def test_of_a_table_in_both_formats_parquet_stays_exact(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "run"))
    write_table(Shelf(store), "pairs", pa.table({"source": FORMULAS}))
    assert pq.read_table(tmp_path / "run/results/pairs.parquet")["source"].to_pylist() == FORMULAS
    assert [row for (row,) in cells(store.read("results/pairs.csv") or b"")[1:]] == [f"'{text}" for text in FORMULAS]
