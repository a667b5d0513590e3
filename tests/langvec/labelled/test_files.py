"""Labelled tables of one's own, in every format, and what is refused."""

import csv
import gzip
import json
import lzma
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter, ValidationError

from langvec.errors import InputError
from langvec.labelled import AnyLabelled, Labelled, LabelledFiles

ROWS = [
    {"id": "7", "text": 'Er sagte "zwei" Mal nein', "label": "travel"},
    {"id": "3", "text": "Satz, mit Komma", "label": "sports"},
    {"id": "5", "text": '"Ja"', "label": "travel"},
]
EXPECTED = Labelled(["7", "3", "5"], [row["text"] for row in ROWS], ["travel", "sports", "travel"])


def table(path: Path, rows: list[dict[str, object]] = ROWS) -> Path:
    """As pandas and others write it: fields are quoted where need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    opener = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    if ".parquet" in path.suffixes:
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        if ".jsonl" in path.suffixes:
            file.writelines(f"{json.dumps(row)}\n" for row in rows)
        else:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if ".tsv" in path.suffixes else ",")
            writer.writeheader()
            writer.writerows(rows)
    return path


def one(path: Path, **settings: object) -> LabelledFiles:
    return LabelledFiles(files={"deu": {"train": str(path)}}, **settings)


def read(path: Path, **settings: object) -> Labelled:
    return one(path, **settings).read("deu_Latn", "train")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet", "a.csv.gz", "a.tsv.xz", "a.jsonl.gz"])
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    source = one(table(tmp_path / name), id="id")
    assert source.problems() == []
    assert source.read("deu_Latn", "train") == EXPECTED


def test_a_template_finds_the_splits_that_each_language_has(tmp_path: Path) -> None:
    for name in ("english/train", "english/valid", "toba_batak/valid"):
        table(tmp_path / f"{name}.csv")
    source = TypeAdapter(AnyLabelled).validate_python(
        {
            "kind": "files",
            "path": f"{tmp_path}/{{name}}/{{split}}.csv",
            "languages": ["eng", "bbc"],
            "names": {"eng": "english", "bbc": "toba_batak"},
            "parts": {"train": "train", "validation": "valid"},
            "id": "id",
        }
    )
    assert source.codes() == ("eng_Latn", "bbc_Latn")
    assert [source.splits(code) for code in source.codes()] == [("train", "validation"), ("validation",)]
    assert source.problems() == []
    assert source.read("bbc_Latn", "validation") == EXPECTED


def test_a_language_without_any_file_is_a_problem_with_the_paths_that_were_tried(tmp_path: Path) -> None:
    table(tmp_path / "deu_Latn/train.tsv")
    source = LabelledFiles(path=f"{tmp_path}/{{code}}/{{split}}.tsv", languages=["deu", "fra"])
    (problem,) = source.problems()
    assert problem.startswith("fra_Latn: no split was found")
    assert "fra_Latn/test.tsv" in problem


def test_pairs_are_joined_and_a_pair_with_an_empty_side_is_left_out(tmp_path: Path) -> None:
    rows = [{"a": "Eins", "b": "One", "label": 1}, {"a": "Zwei", "b": " ", "label": 0}]
    found = read(table(tmp_path / "a.parquet", rows), text="a", second="b", separator=" / ")
    assert found == Labelled(["1"], ["Eins / One"], ["1"], {"no text": 1})


def test_rows_without_a_text_are_counted(tmp_path: Path) -> None:
    found = read(table(tmp_path / "a.csv", [*ROWS, {"id": "9", "text": "", "label": "sports"}]), id="id")
    assert found == EXPECTED._replace(dropped={"no text": 1})


def test_marks_are_text_where_a_file_is_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('text\tlabel\n"Ja\tgood\nnein"\tbad\n')
    assert read(path, quoted=False).texts == ['"Ja', 'nein"']
    path.write_text('text\tlabel\n"Ja" sagt er\tgood\n')
    with pytest.raises(InputError, match="cannot be read to its end"):
        read(path)


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        ([*ROWS, {"id": "8", "text": "x", "label": ""}], {}, "1 rows without a label in 'label': row 4"),
        ([*ROWS, {"id": "7", "text": "x", "label": "sports"}], {"id": "id"}, "the id '7' in 'id' stands in several"),
        ([*ROWS, {"id": "", "text": "x", "label": "sports"}], {"id": "id"}, "row 4: no id in 'id'"),
        (ROWS, {"label": "category"}, "no column 'category'. Columns found: id, text, label"),
        (ROWS, {"second": "b"}, "no column 'b'"),
    ],
)
@pytest.mark.parametrize("name", ["a.tsv", "a.jsonl"])
def test_rows_that_cannot_be_used_are_refused_by_name(tmp_path: Path, name, rows, settings, message) -> None:
    with pytest.raises(InputError) as error:
        read(table(tmp_path / name, rows), **settings)
    assert message in str(error.value)


def test_a_comma_that_should_be_quoted_is_refused_instead_of_moving_the_label(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\nJa,good\nNein, danke,bad\n")
    with pytest.raises(InputError, match="row 2: more fields than the header has"):
        read(path)


@pytest.mark.parametrize("value", [0.5, [1], {"a": 1}])
def test_a_label_that_is_neither_word_nor_number_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(InputError, match="row 1: expected a label, found"):
        read(table(tmp_path / "a.jsonl", [{"text": "x", "label": value}]))


def test_every_mistake_is_seen_before_anything_is_read(tmp_path: Path) -> None:
    good, empty = table(tmp_path / "a.csv"), tmp_path / "b.csv"
    empty.write_text("text,label\n")
    files = {"deu": {"train": str(good), "test": str(empty)}, "fra": {"train": f"{tmp_path}/none.csv"}}
    of_empty, of_missing = LabelledFiles(files=files).problems()
    assert "deu_Latn, test" in of_empty and "no rows" in of_empty
    assert "there is no file" in of_missing
    text = tmp_path / "c.txt"
    text.write_text("Satz")
    (problem,) = LabelledFiles(files={"deu": {"train": str(text)}}).problems()
    assert "expected a table with the columns text, label, found plain text" in problem


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "found neither"),
        ({"files": {"deu": {"train": "a.csv"}}, "path": "{code}", "languages": ["deu"]}, "found both"),
        ({"path": "{code}.csv"}, "expected `languages` beside `path`"),
        ({"path": "{lang}/{split}.csv", "languages": ["deu"]}, "{lang}"),
    ],
)
def test_settings_that_contradict_each_other_are_problems(settings, message) -> None:
    (problem,) = LabelledFiles(**settings).problems()
    assert message in problem


def test_a_split_that_is_no_split_is_refused() -> None:
    with pytest.raises(ValidationError, match="'train', 'validation' or 'test'"):
        LabelledFiles(files={"deu": {"dev": "a.csv"}})


def test_identity_changes_with_the_text_and_with_the_columns_and_not_with_the_folder(tmp_path: Path) -> None:
    first, moved = one(table(tmp_path / "x/a.csv")), one(table(tmp_path / "y/a.csv"))
    assert first.identity("deu_Latn", "train") == moved.identity("deu_Latn", "train")
    others = [one(table(tmp_path / "z/a.csv", ROWS[:2])), one(tmp_path / "x/a.csv", id="id")]
    assert all(other.identity("deu_Latn", "train") != first.identity("deu_Latn", "train") for other in others)
