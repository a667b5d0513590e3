"""Taggers trained and judged in one go."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from langvec.errors import InputError
from masking.tagging.base import Sentence, SetAside, Span
from masking.tagging.quality import judge
from masking.tagging.several import Several
from masking.tagging.tagged import TaggedSentence, TagSpan
from masking.tagging.training import train


def sentence(noun: str, verb: str) -> TaggedSentence:
    text = f"the {noun} {verb}."
    spans = (TagSpan(0, 3, "DET"), TagSpan(4, 4 + len(noun), "NOUN"), TagSpan(5 + len(noun), len(text) - 1, "VERB"))
    return TaggedSentence(None, text, spans)


SENTENCES = [sentence(noun, verb) for noun in ("dog", "cat", "man") for verb in ("sees", "runs", "eats", "sits")] * 3


class Fixed:
    """Says the same of every sentence."""

    def __init__(self, *found: list[Span] | SetAside) -> None:
        self.found = found

    def tag(self, sentences: Sequence[Sentence]) -> list[list[Span] | SetAside]:
        return list(self.found[: len(sentences)])


def test_words_are_counted_by_kind_and_a_sentence_set_aside_counts_as_untagged() -> None:
    gold = [sentence("dog", "sees"), sentence("cat", "runs")]
    tagger = Fixed([Span(4, 7, "NOUN", "x"), Span(8, 12, "NOUN", "x")], SetAside("too long"))
    noun, verb = judge(tagger, gold, "upos")
    assert (noun.gold, noun.found, noun.right) == (2, 2, 1)
    assert (noun.precision, noun.recall, noun.f1) == (0.5, 0.5, 0.5)
    assert (verb.gold, verb.found, verb.right, verb.precision, verb.f1) == (2, 0, 0, 0, 0)


@pytest.mark.parametrize("kind", ["crf", "lexicon"])
def test_every_tenth_sentence_is_held_out_and_judged_on(kind: str, tmp_path: Path) -> None:
    lesson = train(kind, SENTENCES, "upos", tmp_path / "model", "xx")
    assert (lesson.learnt, lesson.held_out) == (33, 3)
    assert [(quality.kind, quality.gold, quality.f1) for quality in lesson.quality] == [("NOUN", 3, 1), ("VERB", 3, 1)]


def test_a_lexicon_knows_nothing_of_words_that_were_held_out(tmp_path: Path) -> None:
    strange = [sentence("yak", "moos") if number % 10 == 9 else one for number, one in enumerate(SENTENCES)]
    assert [quality.right for quality in train("lexicon", strange, "upos", tmp_path / "m", "xx").quality] == [0, 0]


def test_too_few_sentences_to_hold_one_out_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="9 tagged sentences to train on"):
        train("crf", SENTENCES[:9], "upos", tmp_path / "m", "xx")


def test_several_taggers_give_the_spans_of_all_and_set_aside_what_all_set_aside() -> None:
    noun, name = Span(0, 3, "NOUN", "x"), Span(0, 3, "NE", "y")
    one, other = Fixed([noun], SetAside("a"), SetAside("b")), Fixed([name], [name], SetAside("c"))
    sentences = [Sentence(str(number), "the dog") for number in range(3)]
    assert Several([one, other]).tag(sentences) == [[noun, name], [name], SetAside("b")]


def test_a_model_that_does_not_load_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tag set upos"):
        train("crf", [one._replace(spans=(TagSpan(0, 3, "B-PER"),)) for one in SENTENCES], "upos", tmp_path / "m", "xx")
    assert not list(tmp_path.iterdir())
