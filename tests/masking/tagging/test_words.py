"""Words by characters, tidy spans, and what counts as what."""

import unicodedata
from itertools import dropwhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.errors import InputError
from masking.tagging.base import Span
from masking.tagging.kinds import kind_of, number_like
from masking.tagging.tidy import tidied
from masking.tagging.words import pieces, words

TEXTS = st.text(st.sampled_from("ab1 \t\u00a0.,-'()\u200dශ්රීங்é\u0301“”$%"), max_size=30)


@given(TEXTS)
def test_words_are_runs_between_spaces_without_the_marks_at_their_ends(text: str) -> None:
    def mark(character: str) -> bool:
        return unicodedata.category(character)[0] in "PSC" and character != "\u200d"

    runs = ["".join(dropwhile(mark, run)) for run in text.split()]
    stripped = ["".join(dropwhile(mark, run[::-1]))[::-1] for run in runs]
    assert [word.text for word in words(text)] == [run for run in stripped if run]
    assert all(text[word.start : word.end] == word.text for word in words(text))


@given(TEXTS)
def test_pieces_cover_every_character_but_white_space_once(text: str) -> None:
    covered = [place for piece in pieces(text) for place in range(piece.start, piece.end)]
    assert covered == [place for place, character in enumerate(text) if not character.isspace()]
    assert set(words(text)) <= set(pieces(text))


def test_conjuncts_hold_together_and_hyphens_stay_inside() -> None:
    assert [word.text for word in words("(ශ්\u200dරී ලංකා-වේ)… d'Oslo, U.S.")] == ["ශ්\u200dරී", "ලංකා-වේ", "d'Oslo", "U.S"]


@pytest.mark.parametrize("text", ["7", "-3.5", "$1,000", "(12%)", "€5", "1948-1950", "१२", "12:30", "−7", "90 000"])
def test_numbers_with_what_goes_with_them_are_no_names(text: str) -> None:
    assert number_like(text)


@pytest.mark.parametrize("text", ["A4", "7-Eleven", "Oslo", "1984 novel", "G-8", "B2B", "$", ""])
def test_names_with_digits_stay_names(text: str) -> None:
    assert not number_like(text)


def test_the_tag_sets_agree_on_what_a_noun_and_a_verb_are() -> None:
    nouns = [("PROPN", "upos"), ("NOUN", "upos"), ("NNPS", "penn"), ("NNP", "sinhala"), ("NNC", "sinhala")]
    verbs = [("VERB", "upos"), ("VBG", "penn"), ("VFM", "sinhala"), ("VNN", "sinhala")]
    others = [("AUX", "upos"), ("MD", "penn"), ("JJ", "sinhala"), ("O", "ne"), ("B-CARDINAL", "ne"), ("DATE", "ne")]
    assert {kind_of(*tag) for tag in nouns} == {"NOUN"}
    assert {kind_of(*tag) for tag in verbs} == {"VERB"}
    assert {kind_of(*tag) for tag in others} == {None}
    assert {kind_of(tag, "ne") for tag in ("B-PER", "I-LOC", "S-ORG", "GPE", "MISC")} == {"NE"}


def test_spans_lose_marks_numbers_and_doubles_and_come_in_order() -> None:
    text = "In “Oslo” lived 12 men."
    spans = [
        Span(10, 15, "VERB", "VBD"),
        Span(3, 9, "NE", "GPE"),
        Span(4, 8, "NE", "LOC"),
        Span(4, 8, "NOUN", "PROPN"),
        Span(16, 18, "NE", "X"),
        Span(22, 23, "NOUN", "PUNCT"),
    ]
    assert [(text[s.start : s.end], s.kind, s.label) for s in tidied(text, spans)] == [
        ("Oslo", "NE", "LOC"),
        ("Oslo", "NOUN", "PROPN"),
        ("lived", "VERB", "VBD"),
    ]


def test_a_span_outside_its_text_is_refused() -> None:
    with pytest.raises(InputError, match="from 3 to 9 in a sentence of 5 characters"):
        tidied("short", [Span(3, 9, "NE", "x")])
