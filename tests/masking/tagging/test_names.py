"""Words of one name are one span, in BIO, in BIOES and without either."""

import pytest

from masking.tagging.base import Span
from masking.tagging.names import Tagged, spans_of


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        ("B-PER I-PER O", [(0, 3, "PER")]),
        ("B-PER B-PER I-LOC", [(0, 1, "PER"), (2, 3, "PER"), (4, 5, "LOC")]),
        ("I-PER I-PER I-LOC", [(0, 3, "PER"), (4, 5, "LOC")]),
        ("S-PER S-PER O", [(0, 1, "PER"), (2, 3, "PER")]),
        ("B-PER E-PER I-PER", [(0, 3, "PER"), (4, 5, "PER")]),
        ("PER PER LOC", [(0, 3, "PER"), (4, 5, "LOC")]),
        ("B-DATE I-DATE O", []),
    ],
)
def test_words_of_one_name_are_one_span(tags, names):
    words = [Tagged(2 * i, 2 * i + 1, tag) for i, tag in enumerate(tags.split())]
    assert [(span.start, span.end, span.label) for span in spans_of(words, "ne")] == names


def test_nouns_and_verbs_side_by_side_stay_two_spans():
    words = [Tagged(0, 1, "NOUN"), Tagged(2, 3, "NOUN"), Tagged(4, 5, "ADP"), Tagged(6, 7, "VERB")]
    assert spans_of(words, "upos") == [
        Span(0, 1, "NOUN", "NOUN"),
        Span(2, 3, "NOUN", "NOUN"),
        Span(6, 7, "VERB", "VERB"),
    ]
