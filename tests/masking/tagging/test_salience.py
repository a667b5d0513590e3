"""Salient words against scores written out by hand."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.errors import InputError
from masking.tagging.base import Sentence, named
from masking.tagging.salience import SalienceRecipe, statistics
from masking.tagging.words import words

CORPUS = [
    "the cat sat on the mat",
    "the dog sat on the cat",
    "a zebra and the zebra sat",
    "on the mat a dog sat in 1948",
]


def tagged(text: str, corpus: list[str] = CORPUS, **recipe) -> list[str]:
    tagger = SalienceRecipe(**recipe).load_with(statistics(corpus))
    return [text[span.start : span.end] for span in tagger.tag([Sentence("1", text)])[0]]


def test_the_rarest_words_are_taken_in_the_order_of_the_text():
    assert tagged("The zebra sat on the mat.", by="rarity", share=0.34) == ["zebra", "mat"]


def test_of_equally_rare_words_the_first_counts():
    assert tagged("mat dog cat zebra", by="rarity", share=0.5) == ["mat", "dog"]


def test_a_word_the_corpus_has_not_is_the_rarest_unless_rare_words_are_passed_over():
    assert tagged("the mat Unheard", by="rarity", share=0.3) == ["Unheard"]
    assert tagged("the mat Unheard", by="rarity", share=0.3, min_count=2) == ["mat"]


@pytest.mark.parametrize("by", ["rarity", "tfidf"])
def test_numbers_and_punctuation_never_count(by):
    assert tagged("on the mat, in 1948 ... 99%", by=by, share=1) == ["on", "the", "mat", "in"]


@pytest.mark.parametrize("text", CORPUS)
@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_tfidf_equals_the_definition(text, share):
    own = text.split()
    holding = {word: sum(word in other.split() for other in CORPUS) for word in own}
    score = {word: Counter(own)[word] * log(len(CORPUS) / holding[word]) for word in own if not word.isdigit()}
    places = sorted((i for i, word in enumerate(own) if word in score), key=lambda i: -score[own[i]])
    expected = sorted(places[: max(1, int(share * len(own) + 0.5))])
    assert tagged(text, by="tfidf", share=share) == [own[i] for i in expected]


COLLOCATIONS = [*["we met in sri lanka today"] * 6, *["we met in new york city today"] * 6, *["we met in today"] * 30]


def test_words_that_come_together_more_than_by_chance_are_one_span():
    text = "In Sri Lanka we met, in New York City today"
    assert tagged(text, COLLOCATIONS, by="pmi", share=1, least_pmi=2) == ["Sri Lanka", "New York City"]


def test_collocations_are_taken_only_as_long_as_there_is_room():
    text = "in sri lanka we met in new york city today"
    assert tagged(text, COLLOCATIONS, by="pmi", share=0.2, least_pmi=2) == ["sri lanka"]
    assert tagged("sri lanka", COLLOCATIONS, by="pmi", share=0.1, least_pmi=2) == ["sri lanka"]


def test_a_pair_seen_too_seldom_is_no_collocation():
    assert tagged("sri lanka", COLLOCATIONS, by="pmi", least_pmi=2, min_count=7) == []
    assert tagged("sri lanka", COLLOCATIONS, by="pmi", least_pmi=20) == []


@given(
    st.text("ab .-1\u0d9a\u0dca\u200d\u0dbb", max_size=30),
    st.sampled_from(["tfidf", "pmi", "rarity"]),
    st.floats(0.01, 1),
)
def test_spans_are_whole_words_in_order_and_no_more_than_the_share(text, by, share):
    counts = statistics([text, "a b a b", "a b"])
    spans = (
        SalienceRecipe(by=by, share=share, min_count=1, least_pmi=-9).load_with(counts).tag([Sentence("1", text)])[0]
    )
    found = words(text)
    assert {span.start for span in spans} <= {word.start for word in found}
    assert {span.end for span in spans} <= {word.end for word in found}
    assert all(a.end <= b.start for a, b in pairwise(spans))
    covered = sum(any(span.start <= word.start < span.end for span in spans) for word in found)
    assert covered <= max(1, int(share * len(found) + 0.5)) or (by == "pmi" and len(spans) == 1)


def test_the_same_sentences_get_the_same_tags_whatever_was_tagged_before():
    tagger = SalienceRecipe(by="tfidf").load_with(statistics(CORPUS))
    once = tagger.tag([Sentence(str(number), text) for number, text in enumerate(CORPUS)])
    assert [tagger.tag([Sentence("x", text)])[0] for text in reversed(CORPUS)] == once[::-1]
    assert {span.kind for spans in once for span in spans} == {"SALIENT"}


def test_a_sentence_without_words_has_no_spans():
    assert tagged("", by="rarity") == tagged("... !", by="pmi") == []


def test_salience_cannot_be_loaded_without_counts():
    with pytest.raises(InputError, match="counts of a corpus"):
        SalienceRecipe().load()


def test_recipes_that_may_differ_have_different_names():
    assert len({named(SalienceRecipe(**given)) for given in ({}, {"share": 0.2}, {"by": "pmi"})}) == 3
