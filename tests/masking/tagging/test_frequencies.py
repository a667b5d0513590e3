"""Counts of a corpus against counts made by hand, and what bounded memory may forget."""

from __future__ import annotations

from collections import Counter
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.errors import InputError
from masking.tagging import frequencies
from masking.tagging.frequencies import Statistics, neighbours, statistics
from masking.tagging.words import words

CORPUS = ["The cat, the dog.", "the DOG barks loudly", "", "cafe\u0301 \u2014 caf\u00e9"]


def test_words_are_counted_without_case_or_punctuation_and_in_one_spelling():
    counts = statistics(CORPUS)
    assert counts.counts == {"the": 3, "cat": 1, "dog": 2, "barks": 1, "loudly": 1, "caf\u00e9": 2}
    assert counts.holding == {"the": 2, "cat": 1, "dog": 2, "barks": 1, "loudly": 1, "caf\u00e9": 1}
    assert (counts.sentences, counts.words, counts.unseen) == (4, 10, 0)


def test_phrases_are_words_with_only_space_between_them():
    assert statistics(CORPUS).phrases == {
        "the cat": 1, "the dog": 2, "dog barks": 1, "barks loudly": 1, "the dog barks": 1, "dog barks loudly": 1,
    }  # fmt: skip
    assert not statistics(CORPUS, phrases=False).phrases


@given(st.text("ab ,", max_size=20))
def test_neighbours_equal_the_definition_written_as_loops(text):
    found = words(text)
    expected = []
    for a in range(len(found)):
        for b in (a + 2, a + 3):
            between = [text[x.end : y.start] for x, y in zip(found[a:b], found[a + 1 : b], strict=False)]
            if b <= len(found) and not any(gap.strip() for gap in between):
                expected.append((a, b))
    assert sorted(neighbours(text, found)) == expected


@given(st.lists(st.text("abcdefgh ", max_size=12), max_size=40), st.integers(4, 12))
def test_what_is_forgotten_is_never_more_than_is_said(corpus, limit):
    true = Counter(word for text in corpus for word in text.split())
    counts = Statistics()
    for text in corpus:
        counts.add(text, phrases=False)
        counts.forget(limit)
        assert len(counts.counts) <= limit
    assert all(count - counts.unseen <= counts.counts[word] <= count for word, count in true.items())
    assert set(counts.holding) <= set(true)


def test_a_corpus_larger_than_the_limit_keeps_its_frequent_words(monkeypatch):
    monkeypatch.setattr(frequencies, "_BATCH", 10)
    counts = statistics((f"often seen {number}x" for number in range(500)), phrases=False, limit=50)
    assert len(counts.counts) <= 50 + 3 * 10 and counts.unseen > 0
    assert counts.counts["often"] == counts.counts["seen"] == 500


def test_saved_counts_are_the_same_and_their_bytes_do_not_depend_on_the_order_of_the_corpus(tmp_path):
    statistics(CORPUS).save(tmp_path / "one")
    statistics(reversed(CORPUS)).save(tmp_path / "two")
    assert Statistics.load(tmp_path / "one") == statistics(CORPUS)
    for name in ("words.parquet", "phrases.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_folder_without_counts_is_named(tmp_path):
    with pytest.raises(InputError, match="holds no counts"):
        Statistics.load(tmp_path)


def test_the_information_of_a_triple_is_that_of_its_weakest_cut():
    counts = statistics([*["we met in new york city today"] * 6, *["we met in york today"] * 30])
    p = {entry: count / counts.words for entry, count in (counts.counts + counts.phrases).items()}
    whole = p["new york city"]
    cuts = [whole / (p["new"] * p["york city"]), whole / (p["new york"] * p["city"])]
    cuts.append(whole / (p["new"] * p["york"] * p["city"]))
    assert counts.pmi("new york city") == pytest.approx(log(min(cuts)))
    assert counts.pmi("new york") == pytest.approx(log(p["new york"] / (p["new"] * p["york"])))
