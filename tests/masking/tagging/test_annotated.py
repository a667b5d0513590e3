"""Tags made elsewhere find their sentences, and only those."""

import gzip
import json
from pathlib import Path

import pytest

from langvec.errors import InputError
from masking.tagging.annotated import AnnotatedRecipe, AnnotatedTagger
from masking.tagging.base import Sentence, SetAside, named
from masking.tagging.tidy import tidied

TEXT = "ශ්\u200dරී ලංකාව, 1948 දී"
NAME = "ශ්\u200dරී ලංකාව"


def recipe(tmp_path: Path, *rows: object, by: str = "id", tags: str = "ne") -> AnnotatedRecipe:
    file = tmp_path / "a.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return AnnotatedRecipe.model_validate({"file": str(file), "tags": tags, "by": by})


def row(text: str, *spans: tuple[int, int, str], id: str | None = None) -> dict[str, object]:
    return {"id": id, "text": text, "spans": [{"start": a, "end": b, "label": label} for a, b, label in spans]}


def load(tmp_path: Path, *rows: object, by: str = "id", tags: str = "ne") -> AnnotatedTagger:
    return recipe(tmp_path, *rows, by=by, tags=tags).load()


def found(tagger: AnnotatedTagger, id: str, text: str) -> list[tuple[str, str, str]]:
    (spans,) = tagger.tag([Sentence(id, text)])
    assert tidied(text, spans) == spans
    return [(text[span.start : span.end], span.kind, span.label) for span in spans]


def test_a_sentence_gets_the_tags_of_its_id(tmp_path: Path) -> None:
    tagger = load(tmp_path, row("x", id="1"), row(TEXT, (0, len(NAME), "LOC"), id="2"))
    assert found(tagger, "2", TEXT) == [(NAME, "NE", "LOC")]
    assert found(tagger, "1", "x") == []


@pytest.mark.parametrize("by", ["id", "text"])
def test_spans_follow_the_characters_of_our_text_where_white_space_differs(tmp_path: Path, by: str) -> None:
    tagger = load(tmp_path, row(" New York , is ", (1, 9, "LOC"), (11, 14, "O"), id="1"), by=by)
    assert found(tagger, "1", "New\u00a0 York, is") == [("New\u00a0 York", "NE", "LOC")]


def test_by_text_no_id_is_needed_and_the_first_of_equal_texts_counts(tmp_path: Path) -> None:
    tagger = load(tmp_path, row("a b", (0, 1, "LOC")), row("a  b", (2, 3, "PER")), by="text")
    assert found(tagger, "whatever", "a b") == [("a", "NE", "LOC")]


def test_a_sentence_nobody_tagged_is_unmatched_and_not_without_entities(tmp_path: Path) -> None:
    by_id, by_text = (load(tmp_path, row("a", id="1"), by=by) for by in ("id", "text"))
    file = tmp_path / "a.jsonl"
    assert by_id.tag([Sentence("1", "a"), Sentence("2", "a")]) == [
        [],
        SetAside(f"its id has no tags in {file}, where ids are like '1'"),
    ]
    assert by_text.tag([Sentence("1", "b")]) == [SetAside(f"its text has no tags in {file}")]


@pytest.mark.parametrize("other", ["ab!", "A b", "a\u200db", "a\u0301b"])
def test_a_text_that_differs_by_more_than_white_space_is_refused(tmp_path: Path, other: str) -> None:
    (one,) = load(tmp_path, row("a b", (0, 1, "LOC"), id="1")).tag([Sentence("1", other)])
    assert isinstance(one, SetAside)
    assert "its id has tags in" in one.reason
    assert "differs by more than white space" in one.reason


def test_a_span_of_white_space_alone_marks_nothing(tmp_path: Path) -> None:
    assert found(load(tmp_path, row("a b", (1, 2, "LOC"), id="1")), "1", "ab") == []


def test_only_tags_that_count_in_the_tag_set_are_kept(tmp_path: Path) -> None:
    rows = [row("he saw Ella", (0, 2, "PRP"), (3, 6, "VBD"), (7, 11, "NNP"), id="1")]
    tagger = load(tmp_path, *rows, tags="penn")
    assert found(tagger, "1", "he saw Ella") == [("saw", "VERB", "VBD"), ("Ella", "NOUN", "NNP")]


def test_an_id_that_is_missing_or_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the id '1' twice"):
        load(tmp_path, row("a", id="1"), row("b", id="1"))
    with pytest.raises(InputError, match=r"no id for 'a'.*by: text"):
        load(tmp_path, row("a"))


def test_a_file_without_a_sentence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no sentence"):
        load(tmp_path)


def test_a_recipe_is_named_by_what_the_file_holds(tmp_path: Path) -> None:
    first = named(recipe(tmp_path, row("a", id="1")))
    assert named(recipe(tmp_path, row("a", id="1"))) == first
    assert named(recipe(tmp_path, row("b", id="1"))) != first


def test_problems_are_seen_without_loading(tmp_path: Path) -> None:
    assert recipe(tmp_path, row("a", id="1")).problems() == []
    (problem,) = recipe(tmp_path, "no sentence").problems()
    assert "line 1" in problem
    (problem,) = AnnotatedRecipe(file=str(tmp_path / "none.bio"), tags="ne").problems()
    assert "there is no file" in problem


def test_a_packed_treebank_is_read_as_well(tmp_path: Path) -> None:
    rows = "# sent_id = s1\n1\tபடி\t_\tVERB\t_\t_\t_\t_\t_\tSpaceAfter=No\n2\t.\t_\tPUNCT\t_\t_\t_\t_\t_\t_\n"
    (tmp_path / "a.conllu.gz").write_bytes(gzip.compress(rows.encode()))
    tagger = AnnotatedRecipe(file=str(tmp_path / "a.conllu.gz"), tags="upos").load()
    assert found(tagger, "s1", "படி .") == [("படி", "VERB", "VERB")]
