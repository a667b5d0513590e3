"""The table that tags are kept in."""

import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from langvec.errors import InputError
from masking.entities import coverage, entity_table, read_entities, tagged
from masking.tagging.base import Sentence, SetAside, Span
from masking.tagging.covered import kinds_of_words
from masking.tagging.words import words

SENTENCES = [Sentence("1", "Nimal lives in New Delhi."), Sentence("2", "x"), Sentence("3", "")]
NAMES = [Span(0, 5, "NE", "PER"), Span(0, 5, "NOUN", "PROPN"), Span(6, 11, "VERB", "VBZ"), Span(15, 24, "NE", "GPE")]
FOUND = [NAMES, SetAside("too long"), []]


def write(folder: Path, name: str, tagger: str = "a (a 1)", lang: str = "eng_Latn") -> None:
    pq.write_table(entity_table(SENTENCES, FOUND, lang, tagger), folder / name)


def test_ids_texts_and_spans_come_back_as_they_went_in(tmp_path: Path) -> None:
    write(tmp_path, "0.parquet")
    table = read_entities(tmp_path / "0.parquet")
    assert table["id"].to_pylist() == ["1", "2", "3"]
    assert table["set_aside"].to_pylist() == [None, "too long", None]
    assert [(one.text, list(one.spans)) for one in tagged(table)] == [
        (SENTENCES[0].text, NAMES),
        ("x", []),
        ("", []),
    ]


def test_a_folder_is_read_in_the_order_of_its_blocks(tmp_path: Path) -> None:
    write(tmp_path, "00001.parquet")
    write(tmp_path, "00000.parquet")
    assert read_entities(tmp_path).num_rows == 6


def test_tags_of_two_versions_are_refused_and_languages_may_differ(tmp_path: Path) -> None:
    write(tmp_path, "0.parquet", "spacy (spacy 3.8, model 3.7)")
    write(tmp_path, "1.parquet", "sinling (sinling 0.3.7)", "sin_Sinh")
    assert read_entities(tmp_path).num_rows == 6
    write(tmp_path, "2.parquet", "spacy (spacy 3.8, model 3.8)")
    with pytest.raises(InputError, match=r"eng_Latn by spacy \(spacy 3.8, model 3.7\) and by .*keep one"):
        read_entities(tmp_path)


def test_what_is_no_entity_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There are no entities in"):
        read_entities(tmp_path)
    pq.write_table(pa.table({"id": ["1"], "words": ["x"]}), tmp_path / "other.parquet")
    with pytest.raises(InputError, match=r"no column lang, text, spans.*found the columns id, words"):
        read_entities(tmp_path / "other.parquet")
    (tmp_path / "text.parquet").write_text("no Parquet")
    with pytest.raises(InputError, match="is no entity table"):
        read_entities(tmp_path / "text.parquet")


def test_coverage_counts_words_by_kind_and_sentences_by_fate() -> None:
    assert coverage(SENTENCES, FOUND) == {
        "sentences": 3,
        "empty": 1,
        "set_aside": 1,
        "without_tags": 0,
        "words": 5,
        "words_ne": 3,
        "words_noun": 1,
        "words_verb": 1,
        "words_salient": 0,
    }


def test_kinds_of_words_are_those_of_the_spans_that_share_a_letter(tmp_path: Path) -> None:
    text = "one two three four five"
    every = words(text)
    spans = [Span(0, 13, "NE", "x"), Span(2, 5, "NE", "y"), Span(4, 7, "NOUN", "x"), Span(20, 23, "VERB", "x")]
    expected = [{s.kind for s in spans if s.start < word.end and s.end > word.start} for word in every]
    assert kinds_of_words(every, spans) == expected


def test_a_text_without_end_is_covered_in_a_moment() -> None:
    text = "Paris Alice " * 40_000
    every = words(text)
    spans = [Span(word.start, word.end, "NE", "x") for word in every]
    start = time.perf_counter()
    assert all(kinds == {"NE"} for kinds in kinds_of_words(every, spans))
    assert time.perf_counter() - start < 5  # every word with every span would take an hour


def test_a_wrong_folder_is_told_with_those_that_may_have_been_meant(tmp_path: Path) -> None:
    place = tmp_path / "results/entities/eng_Latn"
    place.mkdir(parents=True)
    write(place, "0.parquet")
    for folder in (tmp_path, tmp_path / "results/entities"):
        with pytest.raises(InputError, match=r"Found: .*entities/eng_Latn"):
            read_entities(folder)
