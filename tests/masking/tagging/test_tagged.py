"""Tags on one division into words carried over to another."""

from masking.tagging.tagged import TaggedSentence, TagSpan, counted, labels_of, spans_of
from masking.tagging.words import pieces, words


def test_only_what_counts_becomes_a_span_with_its_kind_and_label() -> None:
    spans = [TagSpan(0, 1, "PROPN"), TagSpan(2, 3, "DET"), TagSpan(4, 5, "VERB")]
    assert counted(spans, "upos") == [(0, 1, "NOUN", "PROPN"), (4, 5, "VERB", "VERB")]
    assert counted([TagSpan(0, 1, "B-PER"), TagSpan(2, 3, "CARDINAL")], "ne") == [(0, 1, "NE", "PER")]


def test_a_word_with_several_tags_takes_the_first_that_counts() -> None:
    text = "um-Haus don't"
    spans = (TagSpan(0, 2, "ADP"), TagSpan(2, 3, "PUNCT"), TagSpan(3, 7, "NOUN"), TagSpan(8, 10, "AUX"))
    assert labels_of(words(text), TaggedSentence(None, text, spans), "upos") == ["NOUN", "AUX"]


def test_of_tags_that_lie_over_each_other_the_one_that_counts_is_taken() -> None:
    for spans in ((TagSpan(0, 4, "PART"), TagSpan(0, 4, "VERB")), (TagSpan(0, 4, "VERB"), TagSpan(0, 4, "PART"))):
        assert labels_of(words("எழுத"), TaggedSentence(None, "எழுத", spans), "upos") == ["VERB"]


def test_names_become_labels_and_labels_the_same_names() -> None:
    text = "In New York, Kandy Colombo."
    spans = (TagSpan(3, 11, "LOC"), TagSpan(13, 18, "LOC"), TagSpan(19, 26, "LOC"))
    labels = labels_of(pieces(text), TaggedSentence(None, text, spans), "ne")
    assert labels == ["O", "B-LOC", "I-LOC", "O", "B-LOC", "B-LOC", "O"]
    assert spans_of(pieces(text), labels, "ne") == spans


def test_words_without_a_tag_are_said_to_have_none() -> None:
    sentence = TaggedSentence(None, "a b", ())
    assert labels_of(words("a b"), sentence, "upos") == ["_", "_"]
    assert labels_of(words("a b"), sentence, "ne") == ["O", "O"]
    assert spans_of(words("a b"), ["_", "X"], "upos") == ((2, 3, "X"),)
