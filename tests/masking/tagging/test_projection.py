"""Tags carried over links, on cases made by hand and as properties of any text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from langvec.errors import InputError
from masking.tagging.base import Sentence, SetAside, Span, named, settings
from masking.tagging.kinds import KINDS
from masking.tagging.projection import ProjectedTagger, ProjectionRecipe, project
from masking.tagging.wordalign import WordAligner, WordAlignment
from masking.tagging.words import words

PAIRS = [
    ("the house", "la maison"),
    ("the blue house", "la maison bleue"),
    ("the flower", "la fleur"),
    ("a flower", "une fleur"),
    ("a blue flower", "une fleur bleue"),
]

SRI, LANKA = "\u0dc1\u0dca\u200d\u0dbb\u0dd3", "\u0dbd\u0d82\u0d9a\u0dcf\u0dc0"
GAME, WON = "\u0d9a\u0dca\u200d\u0dbb\u0dd3\u0da9\u0dcf\u0dc0", "\u0daf\u0dd2\u0db1\u0dd3\u0dba"
EVERYONE = "\u0b85\u0ba9\u0bc8\u0bb5\u0bb0\u0bc1\u0b95\u0bcd\u0b95\u0bc1\u0bae\u0bcd"
RIGHTS, ARE = "\u0b89\u0bb0\u0bbf\u0bae\u0bc8\u0b95\u0bb3\u0bcd", "\u0b89\u0ba3\u0bcd\u0b9f\u0bc1"


def span(text: str, part: str, kind: str, label: str = "X") -> Span:
    start = text.index(part)
    return Span(start, start + len(part), kind, label)


def texts(target: str, spans: list[Span]) -> list[tuple[str, str]]:
    return [(target[one.start : one.end], one.kind) for one in spans]


def test_tags_follow_the_links_when_words_change_places():
    source, target = "She bought a white house.", "Elle acheta une maison blanche."
    spans = [span(source, "bought", "VERB", "VBD"), span(source, "house", "NOUN", "NN")]
    found = project(source, spans, target, [(0, 0), (1, 1), (2, 2), (3, 4), (4, 3)])
    assert found == [span(target, "acheta", "VERB", "VBD"), span(target, "maison", "NOUN", "NN")]


def test_each_of_several_words_linked_to_one_noun_is_a_noun_of_its_own():
    source, target = "the railway", "le chemin de fer"
    found = project(source, [span(source, "railway", "NOUN")], target, [(0, 0), (1, 1), (1, 2), (1, 3)])
    assert texts(target, found) == [("chemin", "NOUN"), ("de", "NOUN"), ("fer", "NOUN")]


def test_neighbouring_words_of_one_name_become_one_name_and_others_another():
    source, target = "the United Nations met", "les Nations Unies, réunies, Nations"
    name = span(source, "United Nations", "NE", "ORG")
    found = project(source, [name], target, [(0, 0), (1, 2), (2, 1), (2, 4), (3, 3)])
    assert found == [Span(4, 17, "NE", "ORG"), Span(28, 35, "NE", "ORG")]
    assert texts(target, found) == [("Nations Unies", "NE"), ("Nations", "NE")]


def test_two_names_side_by_side_stay_two():
    source = target = "Paris London"
    spans = [span(source, "Paris", "NE", "LOC"), span(source, "London", "NE", "LOC")]
    assert project(source, spans, target, [(0, 0), (1, 1)]) == spans


def test_a_name_that_is_also_a_noun_stays_both():
    source, target = "Geneva agreed", "Genève accepta"
    spans = [span(source, "Geneva", "NE", "GPE"), span(source, "Geneva", "NOUN"), span(source, "agreed", "VERB")]
    found = project(source, spans, target, [(0, 0), (1, 1)])
    assert texts(target, found) == [("Genève", "NE"), ("Genève", "NOUN"), ("accepta", "VERB")]


def test_the_kind_that_most_links_support_wins_and_of_equals_the_first_in_the_table():
    source, target = "house building works", "chantier"
    spans = [span(source, "house", "NOUN"), span(source, "building", "NOUN"), span(source, "works", "VERB")]
    assert texts(target, project(source, spans, target, [(0, 0), (1, 0), (2, 0)])) == [("chantier", "NOUN")]
    as_verbs = [one._replace(kind="VERB") if one.start else one for one in spans]
    assert texts(target, project(source, as_verbs, target, [(0, 0), (1, 0), (2, 0)])) == [("chantier", "VERB")]
    assert texts(target, project(source, spans, target, [(2, 0), (0, 0)])) == [("chantier", "NOUN")]


def test_a_word_without_a_link_and_a_number_get_nothing():
    source, target = "houses in 1948 there", "maisons 1948 là-bas"
    spans = [span(source, "houses", "NOUN"), span(source, "1948", "NOUN"), span(source, "there", "NOUN")]
    assert texts(target, project(source, spans, target, [(0, 0), (2, 1)])) == [("maisons", "NOUN")]


def test_a_span_that_is_part_of_a_word_counts_for_the_word():
    source, target = "the U.N.-led talks", "les pourparlers onusiens"
    assert texts(target, project(source, [span(source, "U.N.", "NE")], target, [(1, 2)])) == [("onusiens", "NE")]


def test_a_word_is_never_noun_and_verb_although_both_are_in_the_word_it_is_linked_to():
    source, target = "decision-making", "décider"
    spans = [span(source, "decision", "NOUN"), span(source, "making", "VERB"), span(source, source, "SALIENT")]
    assert texts(target, project(source, spans, target, [(0, 0)])) == [("décider", "NOUN"), ("décider", "SALIENT")]


def test_sinhala_words_with_joiners_are_tagged_whole_and_without_punctuation():
    source = "Sri Lanka won the game."
    target = f"{SRI} {LANKA} {GAME} {WON}."
    spans = [span(source, "Sri Lanka", "NE", "GPE"), span(source, "won", "VERB"), span(source, "game", "NOUN")]
    found = project(source, spans, target, [(0, 0), (1, 1), (2, 3), (4, 2)])
    assert texts(target, found) == [(f"{SRI} {LANKA}", "NE"), (GAME, "NOUN"), (WON, "VERB")]


def test_tamil_words_with_vowel_signs_are_tagged_whole():
    source, target = "everyone has rights", f"{EVERYONE} {RIGHTS} {ARE}!"
    spans = [span(source, "has", "VERB"), span(source, "rights", "NOUN")]
    found = project(source, spans, target, [(0, 0), (1, 2), (2, 1)])
    assert texts(target, found) == [(RIGHTS, "NOUN"), (ARE, "VERB")]


@st.composite
def projections(draw):
    text = st.text("abc \u0d9a\u0dca\u200d\u0dbb\u0b95\u0bbf.,-1'", max_size=25)
    source, target = draw(text), draw(text)
    places = st.tuples(st.integers(0, max(len(source) - 1, 0)), st.integers(1, 8), st.sampled_from(KINDS))
    spans = [Span(a, min(a + n, len(source)), kind, "X") for a, n, kind in draw(st.lists(places, max_size=6))]
    all_links = [(i, j) for i in range(len(words(source))) for j in range(len(words(target)))]
    return source, spans, target, draw(st.lists(st.sampled_from(all_links))) if all_links else []


@given(projections())
def test_projected_spans_begin_and_end_with_linked_words_and_have_kinds_of_the_source(case):
    source, spans, target, links = case
    linked = {j for _, j in links}
    begins = {word.start for j, word in enumerate(words(target)) if j in linked}
    ends = {word.end for j, word in enumerate(words(target)) if j in linked}
    found = project(source, spans, target, links)
    assert {(one.start in begins, one.end in ends) for one in found} <= {(True, True)}
    assert {one.kind for one in found} <= {one.kind for one in spans}
    assert found == sorted(found, key=lambda one: (one.start, one.end, KINDS.index(one.kind)))
    of_one_word = [(one.start, one.end) for one in found if one.kind in ("NOUN", "VERB")]
    assert len(of_one_word) == len(set(of_one_word))
    for kind in KINDS:
        of_kind = [one for one in found if one.kind == kind]
        assert all(a.end <= b.start for a, b in pairwise(of_kind))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("aligner")
    RECIPE.train(PAIRS, target)
    return target


RECIPE = ProjectionRecipe(of="eng_Latn", aligner=WordAlignment(iterations=10, diagonal=None, smoothing=None))
LOOKUP = {
    "1": (PAIRS[1][0], [span(PAIRS[1][0], "house", "NOUN", "NN"), span(PAIRS[1][0], "blue", "SALIENT")]),
    "2": (PAIRS[2][0], [span(PAIRS[2][0], "flower", "NOUN", "NN")]),
}


def test_a_recipe_trains_its_aligner_and_tags_by_the_ids_of_the_partners(folder):
    sentences = [Sentence("2", PAIRS[2][1]), Sentence("1", PAIRS[1][1])]
    found = RECIPE.between(LOOKUP, RECIPE.load_aligner(folder)).tag(sentences)
    assert [texts(one.text, spans) for one, spans in zip(sentences, found, strict=True)] == [
        [("fleur", "NOUN")],
        [("maison", "NOUN"), ("bleue", "SALIENT")],
    ]
    nouns = RECIPE.model_copy(update={"kinds": ("NOUN",)}).between(LOOKUP, RECIPE.load_aligner(folder)).tag(sentences)
    assert texts(sentences[1].text, nouns[1]) == [("maison", "NOUN")]


def test_a_sentence_without_a_partner_is_set_aside(folder):
    tagger = ProjectedTagger(LOOKUP, WordAligner.load(folder), "eng_Latn")
    first, second = tagger.tag([Sentence("1", "la"), Sentence("3", "la")])
    assert isinstance(first, list)
    assert second == SetAside("no partner in eng_Latn")


def test_a_projection_cannot_be_loaded_without_its_other_side(folder):
    with pytest.raises(InputError, match="parallel corpus"):
        RECIPE.load()


def test_the_aligner_is_chosen_by_its_kind_and_checked_before_it_is_loaded(tmp_path):
    given = {"of": "eng_Latn", "aligner": {"kind": "encoder", "model": str(tmp_path), "layer": 4}}
    assert "no encoder" in ProjectionRecipe.model_validate(given).problems()[0]
    assert ProjectionRecipe(of="eng_Latn").problems() == []
    with pytest.raises(ValidationError):
        ProjectionRecipe.model_validate({"of": "eng_Latn", "aligner": {"kind": "giza"}})


def test_projections_that_may_differ_have_different_names():
    others = [{"of": "tam_Taml"}, {"kinds": ("NE",)}, {"aligner": WordAlignment(letters=4)}]
    names = {named(RECIPE), *(named(RECIPE.model_copy(update=other)) for other in others)}
    assert len(names) == 4


def test_an_encoder_is_known_by_its_content_wherever_it_lies(tmp_path):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    given = [{"of": "eng_Latn", "aligner": {"kind": "encoder", "model": str(tmp_path / n)}} for n in ("here", "there")]
    here, there = (ProjectionRecipe.model_validate(one) for one in given)
    assert here.identity() == there.identity()
    assert settings(here) == settings(there)
    (tmp_path / "there/config.json").write_text('{"x": 1}')
    assert here.identity() != there.identity()
