"""Code-mixed sentences: what is replaced, how much of it, and what stays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from masking.draws import Draws
from masking.mixing import Mixing, mixed, swaps
from masking.tagging.wordalign import WordAligner
from masking.tagging.words import words

MATRIX = "The old film was really good, wasn't it?"
EMBEDDED = "der alte Film war wirklich gut, oder nicht?"
ONE_FOR_ONE = [(place, place) for place in range(8)]


def of(links, share=0.5, seed=1, written=str):
    return mixed(MATRIX, EMBEDDED, links, share, Draws.of(seed), written)


def test_everything_else_of_the_sentence_stays_as_it_was():
    assert of([(2, 2)], share=1).text == "The old Film was really good, wasn't it?"
    assert of([(5, 5), (7, 7)], share=1).text == "The old film was really gut, wasn't nicht?"
    assert of(ONE_FOR_ONE, share=1) == ("der alte Film war wirklich gut, oder nicht?", 8, 8)


def test_a_sentence_without_links_is_not_changed():
    assert of([], share=1) == (MATRIX, 8, 0)
    assert mixed("", "", [], 1.0, Draws.of(1)) == ("", 0, 0)


@given(
    links=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 9)), max_size=15),
    share=st.floats(0.05, 1),
    seed=st.integers(0, 99),
)
def test_no_more_words_are_replaced_than_the_share_and_all_words_come_from_one_of_the_two(links, share, seed):
    matrix, embedded = (
        " ".join(f"{mark}{number}" for number in range(count)) for mark, count in (("m", 12), ("e", 10))
    )
    found = mixed(matrix, embedded, links, share, Draws.of(seed))
    there = found.text.split()
    assert found.replaced <= np.ceil(share * 12)
    assert len([word for word in there if word[0] == "m"]) == 12 - found.replaced
    assert len(set(there)) == len(there)  # no word is put in twice
    gone = {int(word[1:]) for word in matrix.split() if word not in there}
    come = {int(word[1:]) for word in there if word[0] == "e"}
    assert all((i in gone) == (j in come) for i, j in links)  # no link is cut in two


@pytest.mark.parametrize("share", [0.1, 0.35, 0.8])
def test_the_mean_share_is_that_of_the_recipe_also_in_short_sentences(share):
    replaced = [of(ONE_FOR_ONE[:8], share, seed).replaced for seed in range(800)]
    assert np.mean(replaced) / 8 == pytest.approx(share, abs=0.02)
    assert set(replaced) == {int(share * 8), int(share * 8) + 1}


def test_words_linked_to_one_word_alone_go_first_and_those_with_gaps_never():
    links = [(0, 0), (0, 1), (2, 2), (3, 3), (3, 5), (6, 6), (7, 6)]
    assert [(list(swap.out), list(swap.put)) for swap in swaps(links)] == [([2], [2]), ([0], [0, 1]), ([6, 7], [6])]
    assert {of(links, 1 / 8, seed).text for seed in range(20)} == {"The old Film was really good, wasn't it?"}
    assert of(links, 1).text == "der alte old Film was really good, oder?"


def test_the_same_seed_gives_the_same_text_whatever_is_mixed_beside_it():
    recipe, pairs = Mixing(matrix="eng_Latn", embedded="deu_Latn", share=0.4), [(MATRIX, EMBEDDED)] * 6
    ids = [f"s{number}" for number in range(6)]
    together = recipe.mixed(ids, pairs, [ONE_FOR_ONE] * 6)
    assert together[::-1] == recipe.mixed(ids[::-1], pairs, [ONE_FOR_ONE] * 6)
    assert together[4:5] == recipe.mixed(["s4"], pairs[:1], [ONE_FOR_ONE])
    assert len({one.text for one in together}) > 1
    other = recipe.model_copy(update={"seed": 2})
    assert together != other.mixed(ids, pairs, [ONE_FOR_ONE] * 6)


def test_only_the_words_put_in_are_romanised():
    assert of([(2, 2)], share=1, written=str.upper).text == "The old FILM was really good, wasn't it?"


def test_links_of_an_aligner_put_in_the_translations():
    numbers = {"one": "eka", "two": "deka", "three": "tuna", "four": "hatara", "five": "paha"}
    random = np.random.default_rng(1)
    drawn = [random.permutation(list(numbers))[:4] for _ in range(200)]
    pairs = [(" ".join(some), " ".join(numbers[word] for word in some)) for some in drawn]
    recipe = Mixing(matrix="eng_Latn", embedded="sin_Sinh", share=0.5)
    links = WordAligner.train(pairs, recipe.aligner).align_texts(pairs[:20])
    found = recipe.mixed([str(number) for number in range(20)], pairs[:20], links)
    for one, (matrix, _) in zip(found, pairs, strict=False):
        assert one.replaced == 2
        for new, old in zip(words(one.text), words(matrix), strict=True):
            assert new.text in (old.text, numbers[old.text])


def test_a_language_cannot_be_mixed_with_itself():
    with pytest.raises(ValidationError, match="expected two languages"):
        Mixing(matrix="eng_Latn", embedded="eng_Latn")
