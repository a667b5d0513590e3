"""The word aligner on a toy corpus, symmetrisation against loops, and what is kept on disk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.errors import InputError
from langvec.sources.udhr import Udhr
from masking.tagging.wordalign import WordAligner, WordAlignment, symmetrised
from masking.tagging.words import words

PAIRS = [
    ("the house", "la maison"),
    ("The blue house.", "La maison bleue."),
    ("the flower", "la fleur"),
    ("a flower", "une fleur"),
    ("a blue flower", "une fleur bleue"),
]
PLAIN = WordAlignment(iterations=10, diagonal=None, smoothing=None)


@pytest.fixture(scope="module")
def aligner() -> WordAligner:
    return WordAligner.train(PAIRS, PLAIN)


def declaration(code: str) -> list[str]:
    return [text for batch in Udhr(languages=[code]).read(code) for text in batch.texts]


def test_words_that_change_places_are_linked(aligner):
    assert aligner.align(["a", "blue", "house"], ["une", "maison", "bleue"]) == [(0, 0), (1, 2), (2, 1)]


def test_case_and_the_ends_of_words_do_not_matter():
    cut = WordAligner.train(PAIRS, PLAIN.model_copy(update={"letters": 4}))
    assert cut.align(["Flowering"], ["FLEURS"]) == [(0, 0)]
    whole = WordAligner.train(PAIRS, PLAIN.model_copy(update={"letters": None}))
    assert whole.align(["Flower"], ["FLEUR"]) == [(0, 0)]
    assert whole.align(["Flowering"], ["FLEURS"]) == []


def test_letters_that_are_composed_differently_are_the_same_word():
    aligner = WordAligner.train([("caf\u00e9", "kahawa"), ("tea", "chai")] * 3, PLAIN)
    assert aligner.align(["cafe\u0301"], ["kahawa"]) == [(0, 0)]


def test_a_name_never_seen_is_its_own_translation_and_another_new_word_has_none(aligner):
    assert aligner.align(["the", "Geneva", "castle"], ["la", "GENEVA", "forteresse"]) == [(0, 0), (1, 1)]


@pytest.mark.parametrize("sides", [([], []), (["a"], []), ([], ["une"])])
def test_an_empty_side_has_no_links(aligner, sides):
    assert aligner.align(*sides) == []


def test_texts_are_aligned_by_their_words_without_punctuation(aligner):
    assert aligner.align_texts([("A (blue) house!", "\u00ab une maison bleue \u00bb"), ("", "la")]) == [
        [(0, 0), (1, 2), (2, 1)],
        [],
    ]


def test_a_saved_aligner_is_the_same_and_its_bytes_do_not_change(aligner, tmp_path):
    aligner.save(tmp_path / "one")
    WordAligner.train(PAIRS, PLAIN).save(tmp_path / "two")
    loaded = WordAligner.load(tmp_path / "one")
    loaded.save(tmp_path / "three")
    assert all(loaded.align(s.split(), t.split()) == aligner.align(s.split(), t.split()) for s, t in PAIRS)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
        assert file.read_bytes() == (tmp_path / "three" / file.name).read_bytes()


@pytest.mark.parametrize("missing", ["recipe.json", "source.parquet", "backward.parquet"])
def test_a_folder_without_an_aligner_is_named(aligner, tmp_path, missing):
    aligner.save(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(InputError, match="holds no word aligner"):
        WordAligner.load(tmp_path)


def test_pairs_without_words_or_far_too_long_are_passed_over():
    odd = [("", "la"), ("the", "\u2014"), ("the " * 101, "la")]
    with_odd = WordAligner.train([*PAIRS, *odd], PLAIN)
    assert with_odd.forward.chances.tolist() == WordAligner.train(PAIRS, PLAIN).forward.chances.tolist()
    with pytest.raises(InputError, match="1 to 100 words"):
        WordAligner.train(odd)


def test_a_translation_that_the_declaration_repeats_is_found():
    english, indonesian = declaration("eng_Latn"), declaration("ind_Latn")
    pairs = list(zip(english, indonesian, strict=False))[:60]
    aligner = WordAligner.train(pairs)
    source = ["Everyone", "has", "the", "right", "to", "education"]
    target = ["Setiap", "orang", "berhak", "memperoleh", "pendidikan"]
    assert (source.index("education"), target.index("pendidikan")) in aligner.align(source, target)


links = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=12)


@given(links, links)
def test_the_intersection_is_what_both_directions_say(forward, backward):
    expected = [(i, j) for i in range(5) for j in range(5) if (i, j) in forward and (i, j) in backward]
    assert symmetrised(forward, backward, "intersection") == expected


@given(links, links)
def test_grow_diag_lies_between_intersection_and_union_and_nothing_more_can_be_added(forward, backward):
    grown = set(symmetrised(forward, backward, "grow-diag"))
    assert set(forward) & set(backward) <= grown <= set(forward) | set(backward)
    for i, j in (set(forward) | set(backward)) - grown:
        beside = any(abs(i - a) <= 1 and abs(j - b) <= 1 for a, b in grown)
        assert not beside or (i in {a for a, _ in grown} and j in {b for _, b in grown})


@given(links, links)
def test_grow_diag_adds_only_beside_a_link_and_only_for_a_word_without_one(forward, backward):
    grown, agreed = symmetrised(forward, backward, "grow-diag"), set(forward) & set(backward)
    reached, more = set(agreed), True
    while more:
        more = {(i, j) for i, j in set(grown) - reached if any(abs(i - a) <= 1 and abs(j - b) <= 1 for a, b in reached)}
        reached |= more
    assert reached == set(grown)
    for i, j in set(grown) - agreed:
        assert [a for a, _ in agreed].count(i) == 0 or [b for _, b in agreed].count(j) == 0


@given(st.text(), st.text())
def test_links_are_places_of_words(source, target):
    aligner = WordAligner.train([*PAIRS, (source, target)])
    for i, j in aligner.align_texts([(source, target)])[0]:
        assert 0 <= i < len(words(source)) and 0 <= j < len(words(target))
