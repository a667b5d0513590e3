"""Spans of characters and the tokens that cover them."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertTokenizerFast

from langvec.errors import InputError
from masking.alignment import Tagged, encode, encode_pairs
from masking.tagging.base import Span
from masking.tagging.words import words
from masking.tokens import BITS, NONE, Tokens

KINDS = ["unigram", "wordpiece", "bytes"]
# Conjuncts with zero-width joiners, vowel signs, a decomposed accent, punctuation that sticks, an emoji of four parts.
SINHALA = "ශ්‍රී ලංකාව, ක්‍රීඩාව"
PARTS = ["ශ්‍රී", "ලංකාව", "க்ஷேத்ரம்", "நாடு", "e\u0301tat", "Oslo", ".", ",", "-", "(", "👩‍👩‍👧", " ", "  ", "\u00a0", "ไทย"]


@st.composite
def tagged_texts(draw: st.DrawFn) -> Tagged:
    text = "".join(draw(st.lists(st.sampled_from(PARTS), max_size=12)))
    ends = draw(st.lists(st.tuples(st.integers(0, len(text)), st.integers(0, len(text))), max_size=4))
    pairs = [(min(pair), max(pair)) for pair in ends if pair[0] != pair[1]]
    kinds = draw(st.lists(st.sampled_from(["NOUN", "VERB", "SALIENT"]), min_size=len(pairs), max_size=len(pairs)))
    return Tagged(text, [Span(a, b, kind, "x") for (a, b), kind in zip(pairs, kinds, strict=True)])


def kinds_by_definition(text: str, spans: list[Span], begin: int, end: int) -> int:
    """A token is part of a span if they share a character that is not white space."""
    shared = [s for s in spans if any(not text[i].isspace() for i in range(max(begin, s.start), min(end, s.end)))]
    return sum({BITS[span.kind] for span in shared})


@pytest.mark.parametrize("kind", KINDS)
@given(texts=st.lists(tagged_texts(), min_size=1, max_size=4))
def test_tokens_are_part_of_the_spans_they_share_a_letter_with(tokenizers, kind: str, texts: list[Tagged]) -> None:
    tokens = encode(tokenizers[kind], texts, 64)
    for place, (text, spans) in enumerate(texts):
        (encoding,) = tokenizers[kind]([text], truncation=True, max_length=64).encodings
        sample = tokens[place]
        assert sample["ids"].tolist() == encoding.ids
        expected = [
            0 if special else kinds_by_definition(text, spans, *offsets)
            for offsets, special in zip(encoding.offsets, encoding.special_tokens_mask, strict=True)
        ]
        assert sample["kinds"].tolist() == expected
        if text.strip():
            assert ((sample["words"] == NONE) == (np.array(encoding.special_tokens_mask) == 1)).all()


@pytest.mark.parametrize("kind", KINDS)
@given(texts=st.lists(tagged_texts(), min_size=1, max_size=3))
def test_without_tags_words_are_what_white_space_divides(tokenizers, kind: str, texts: list[Tagged]) -> None:
    tokens = encode(tokenizers[kind], [Tagged(text, []) for text, _ in texts], 64)
    for place, (text, _) in enumerate(texts):
        (encoding,) = tokenizers[kind]([text], truncation=True, max_length=64).encodings
        pairs = set()
        for word, (begin, end) in zip(tokens[place]["words"].tolist(), encoding.offsets, strict=True):
            runs = [len(text[: i + 1].split()) for i in range(begin, end) if not text[i].isspace()]
            pairs |= {(word, runs[-1])} if runs else set()
        assert len(pairs) == len({word for word, _ in pairs}) == len({run for _, run in pairs})


@pytest.mark.parametrize("kind", KINDS)
def test_entities_map_to_the_right_subwords_when_sinhala_letters_combine(tokenizers, kind: str) -> None:
    first, second = words(SINHALA)[:2]
    spans = [Span(first.start, second.end, "NE", "LOC")]
    sample = encode(tokenizers[kind], [Tagged(SINHALA, spans)])[0]
    (encoding,) = tokenizers[kind]([SINHALA]).encodings
    inside = {i for i in range(first.start, second.end) if not SINHALA[i].isspace()}
    for name, word, (begin, end), special in zip(
        sample["names"], sample["words"], encoding.offsets, encoding.special_tokens_mask, strict=True
    ):
        assert (name == 0) == bool(not special and inside & set(range(begin, end)))
        assert special or word == SINHALA[:end].count(" ")


def test_punctuation_that_sticks_to_a_word_does_not_hide_its_tag(tokenizers) -> None:
    text = "We saw the road."
    tokens = encode(tokenizers["wordpiece"], [Tagged(text, [Span(11, 15, "NOUN", "NN")])])
    pieces = tokenizers["wordpiece"].convert_ids_to_tokens(tokens[0]["ids"])
    tagged = [piece for piece, kinds in zip(pieces, tokens[0]["kinds"], strict=True) if kinds]
    assert "".join(tagged).replace("##", "") == "road"


def test_a_language_without_spaces_has_the_words_that_its_tagger_found(tokenizers) -> None:
    text = "มนุษย์ทั้งหลายเกิดมา"
    spans = [Span(0, 6, "NOUN", "x"), Span(13, 20, "VERB", "x")]
    sample = encode(tokenizers["bytes"], [Tagged(text, spans)])[0]
    of_kind = {kind: set(sample["words"][sample["kinds"] == BITS[kind]].tolist()) for kind in ("NOUN", "VERB")}
    between = set(sample["words"][sample["kinds"] == 0].tolist()) - {NONE}
    assert [of_kind["NOUN"], between, of_kind["VERB"]] == [{0}, {1}, {2}]


def test_names_are_told_apart_though_they_touch(tokenizers) -> None:
    text = "Oslo Bergen Oslo"
    spans = [Span(0, 4, "NE", "LOC"), Span(5, 11, "NE", "LOC"), Span(12, 16, "NE", "LOC")]
    sample = encode(tokenizers["unigram"], [Tagged(text, spans)])[0]
    inside = sample["kinds"] > 0
    assert sample["names"][inside].tolist() == sample["words"][inside].tolist()
    assert set(sample["names"].tolist()) == {NONE, 0, 1, 2}


@pytest.mark.parametrize("separated", [True, False])
def test_both_sides_of_a_pair_keep_their_tags(tokenizers, separated: bool) -> None:
    english, tamil = "Nimal lives in Oslo.", "நிமல் ஒஸ்லோவில் வாழ்கிறார்"
    there, here = Span(15, 19, "NE", "LOC"), Span(6, 15, "NE", "LOC")
    pair = Tagged(english, [there]), Tagged(tamil, [here])
    tokens = encode_pairs(tokenizers["unigram"], [pair, pair], separated=separated)
    alone = [encode(tokenizers["unigram"], [side])[0] for side in pair]
    of_names = [sample["ids"][sample["names"] == 0].tolist() for sample in alone]
    for sample in (tokens[0], tokens[1]):
        assert [sample["ids"][sample["names"] == name].tolist() for name in (0, 1)] == of_names
        assert len(set(sample["words"].tolist()) - {NONE}) == 7
        assert (sample["ids"] == 2).sum() == (3 if separated else 1)


def test_what_is_cut_off_takes_its_tags_along(tokenizers) -> None:
    text = "word " * 100 + "Oslo"
    spans = [Span(0, 4, "NOUN", "x"), Span(500, 504, "NE", "LOC")]
    tokens = encode(tokenizers["unigram"], [Tagged(text, spans)], max_tokens=20)
    assert len(tokens.ids) == 20
    assert set(tokens.kinds.tolist()) == {0, BITS["NOUN"]}


def test_texts_may_be_empty_or_nothing_but_space(tokenizers) -> None:
    tokens = encode(tokenizers["unigram"], [Tagged("", []), Tagged(" \n ", []), Tagged("Oslo", [])])
    assert len(tokens) == 3
    assert (tokens[0]["words"] == NONE).all()
    assert len(encode(tokenizers["unigram"], [])) == 0


def test_a_slow_tokenizer_is_refused_in_one_paragraph(tokenizers) -> None:
    class Slow:
        is_fast = False
        name_or_path = "some/model"

    with pytest.raises(InputError, match=r"some/model is a slow one.*Expected a fast one"):
        encode(Slow(), [Tagged("Oslo", [])])


def test_tokens_survive_the_way_through_a_table(tokenizers, declaration: Callable[[str], list[str]]) -> None:
    texts = [Tagged(line, [Span(0, 3, "NE", "x")]) for line in declaration("tam")[:20]]
    tokens = encode(tokenizers["unigram"], texts)
    again = Tokens.from_table(tokens.to_table().slice(5))
    for place in range(len(again)):
        one, other = again[place], tokens[place + 5]
        assert all((one[name] == other[name]).all() for name in ("ids", "words", "kinds", "names"))
    together = Tokens.of([tokens[place] for place in range(len(tokens))])
    assert (together.ids == tokens.ids).all()
    assert (together.starts == tokens.starts).all()


def test_a_tokenizer_of_transformers_own_make_serves_as_well(tmp_path) -> None:
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "os", "##lo", "."]))
    sample = encode(BertTokenizerFast(str(tmp_path / "vocab.txt")), [Tagged("Oslo.", [Span(0, 4, "NE", "LOC")])])[0]
    assert sample["kinds"].tolist() == [0, 1, 1, 0, 0]
