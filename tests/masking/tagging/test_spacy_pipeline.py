"""Pipelines of spaCy: its own tags at the right characters, and what is said when one is missing."""

import pytest
import spacy

from langvec.errors import InputError
from masking.tagging.base import Sentence, named
from masking.tagging.spacy_pipeline import SpacyRecipe, idle_components
from tests.masking.tagging.conftest import ENGLISH, FRENCH, declaration, sentences_of

VALUES = {"CARDINAL", "DATE", "MONEY", "ORDINAL", "PERCENT", "QUANTITY", "TIME"}


def parts(text, spans):
    return {(text[span.start : span.end], span.kind, span.label) for span in spans}


def test_english_names_nouns_and_verbs_are_found(english):
    text = "Angela Merkel visited the old harbour of London in 2015."
    (spans,) = english.tag([Sentence("s", text)])
    found = parts(text, spans)
    assert ("Angela Merkel", "NE", "PERSON") in found
    assert ("London", "NE", "GPE") in found
    assert ("visited", "VERB", "VERB") in found
    assert ("harbour", "NOUN", "NOUN") in found
    assert not any(label in VALUES for _, _, label in found)


def test_french_names_nouns_and_verbs_are_found(french):
    text = "Le président Emmanuel Macron visite l'hôpital de Marseille."
    (spans,) = french.tag([Sentence("s", text)])
    found = parts(text, spans)
    assert ("Emmanuel Macron", "NE", "PER") in found
    assert ("Marseille", "NE", "LOC") in found
    assert ("hôpital", "NOUN", "NOUN") in found
    assert ("visite", "VERB", "VERB") in found


@pytest.mark.parametrize(("model", "code"), [("english", "eng_Latn"), ("french", "fra_Latn")])
def test_spans_are_those_of_the_whole_pipeline_one_sentence_at_a_time(model, code, request):
    whole = spacy.load({"english": ENGLISH, "french": FRENCH}[model])
    texts = [*declaration(code, 60), "", "  \n ", "ශ්‍රී ලංකා தமிழ்‌நாடு 🙂"]
    for text, spans in zip(texts, request.getfixturevalue(model).tag(sentences_of(texts)), strict=True):
        document = whole(text)
        words = [t for t in document if t.pos_ in ("NOUN", "PROPN", "VERB")]
        names = [e for e in document.ents if e.label_ not in VALUES]
        assert [(s.start, s.end, s.label) for s in spans if s.kind != "NE"] == [
            (t.idx, t.idx + len(t.text), t.pos_) for t in words
        ]
        assert [(s.start, s.end, s.label) for s in spans if s.kind == "NE"] == [
            (e.start_char, e.end_char, e.label_) for e in names
        ]


def test_text_of_another_language_has_spans_in_it_and_no_error(english):
    texts = declaration("sin_Sinh", 20) + declaration("tam_Taml", 20)
    for text, spans in zip(texts, english.tag(sentences_of(texts)), strict=True):
        assert all(text[span.start : span.end].strip() for span in spans)


def test_a_text_longer_than_spacy_takes_is_refused_with_its_length(english):
    with pytest.raises(ValueError, match="1000001"):
        english.tag([Sentence("long", "a" * 1_000_001)])


def test_lemmatizers_are_left_out_unless_something_may_ask_for_lemmas():
    pipeline = spacy.load(ENGLISH)
    assert idle_components(pipeline) == ["lemmatizer"]
    pipeline.add_pipe("entity_ruler")
    assert idle_components(pipeline) == []


def test_a_missing_pipeline_is_named_with_the_command_that_installs_it():
    (problem,) = SpacyRecipe(model="xx_no_such_model").problems()
    assert "xx_no_such_model" in problem
    assert "python -m spacy download xx_no_such_model" in problem
    with pytest.raises(InputError, match="xx_no_such_model"):
        SpacyRecipe(model="xx_no_such_model").load()


def test_a_package_that_is_no_pipeline_does_not_load():
    with pytest.raises(InputError, match="does not load"):
        SpacyRecipe(model="numpy").load()


def test_a_missing_folder_is_named(tmp_path):
    (problem,) = SpacyRecipe(model=str(tmp_path / "none")).problems()
    assert str(tmp_path / "none") in problem


def test_a_pipeline_of_ones_own_loads_from_its_folder_and_is_named_by_its_content(tmp_path, monkeypatch):
    pipeline = spacy.blank("en")
    pipeline.add_pipe("entity_ruler").add_patterns([{"label": "LOC", "pattern": "Oslo"}])
    pipeline.to_disk(tmp_path / "own")
    monkeypatch.chdir(tmp_path)
    recipe = SpacyRecipe(model="./own")
    first = named(recipe)
    monkeypatch.chdir("/")
    (spans,) = recipe.load().tag([Sentence("s", "To Oslo")])
    assert [tuple(span) for span in spans] == [(3, 7, "NE", "LOC")]
    pipeline.get_pipe("entity_ruler").add_patterns([{"label": "LOC", "pattern": "Bergen"}])
    pipeline.to_disk(tmp_path / "own")
    assert named(recipe) != first


def test_the_name_of_an_installed_pipeline_has_both_versions():
    assert named(SpacyRecipe(model=ENGLISH)) == f"spacy (spacy {spacy.__version__}, model {ENGLISH} 3.8.0)"
