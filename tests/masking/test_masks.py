"""What is hidden, by every strategy: properties that hold for any sentence, and laws that hold on average."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from langvec.errors import InputError
from masking.draws import Draws
from masking.masks import (
    LemMasks,
    Masking,
    RandomWordMasks,
    RareWordMasks,
    StretchMasks,
    TokenMasks,
    WordMasks,
    choose_masks,
)
from masking.original import original_masks
from masking.tokens import BITS, NONE, Sample, Tokens

COUNTS = np.ones(1000, np.int64)
OTHERS = [TokenMasks(), WordMasks(), StretchMasks(), RandomWordMasks(), RareWordMasks()]

lems = st.builds(
    LemMasks,
    rate=st.sampled_from([0.05, 0.15, 0.5]),
    kinds=st.sampled_from([("NE",), ("NOUN", "VERB"), ("NE", "NOUN", "VERB")]),
    unit=st.sampled_from(["word", "span"]),
    per_entity=st.sampled_from([1, 2, 3, "all"]),
    fill=st.sampled_from(["random", "none"]),
)
strategies = lems | st.sampled_from(OTHERS)


def sample(words: list[tuple[int, int]], number: int, names: list[int] | None = None) -> Sample:
    """A sentence of words given by (tokens, kinds), between two special tokens; kinds below 0 are the first token's."""
    sizes = [size for size, _ in words]
    of_tokens = [kind if kind >= 0 else -kind * (not place) for size, kind in words for place in range(size)]
    of_words = (
        names if names is not None else [place if abs(kind) & 1 else NONE for place, (_, kind) in enumerate(words)]
    )
    kinds = np.array([0, *of_tokens, 0])
    return {
        "ids": np.arange(len(kinds)) + 10,
        "words": np.array([NONE, *np.repeat(np.arange(len(words)), sizes), NONE]),
        "kinds": kinds,
        "names": np.where(kinds & 1, np.array([NONE, *np.repeat(of_words, sizes), NONE]), NONE),
        "sample": number,
    }


sentences = st.lists(st.tuples(st.integers(1, 5), st.sampled_from([0, 0, 1, 2, 4, 5, -1, -2, -5])), max_size=30)


@st.composite
def batches(draw: st.DrawFn) -> Tokens:
    return Tokens.of([sample(words, number) for number, words in enumerate(draw(st.lists(sentences, min_size=1)))])


def budget(tokens: Tokens, rate: float, row: int) -> int:
    size = int((tokens[row]["words"] != NONE).sum())
    return min(size, max(1, round(rate * size)))


def units(part: Sample, how: LemMasks) -> list[tuple[str, int]]:
    """The unit of each token, by its definition."""
    by_name = how.unit == "span" and "NE" in how.kinds
    pairs = zip(part["words"].tolist(), part["names"].tolist(), strict=True)
    return [("name", name) if by_name and name != NONE else ("word", word) for word, name in pairs]


@given(tokens=batches(), how=strategies, seed=st.integers(0, 99))
def test_masks_keep_to_the_budget_and_to_ordinary_tokens(tokens: Tokens, how: Masking, seed: int) -> None:
    hidden = choose_masks(tokens, how, Draws.of(seed), COUNTS)
    assert not hidden[tokens.words == NONE].any()
    for row in range(len(tokens)):
        assert hidden[tokens.rows == row].sum() <= budget(tokens, how.rate, row)


@given(tokens=batches(), how=lems, seed=st.integers(0, 99))
def test_an_entity_has_at_most_its_share_and_another_word_at_most_one(tokens: Tokens, how: LemMasks, seed: int) -> None:
    hidden = choose_masks(tokens, how, Draws.of(seed))
    bits = sum(BITS[kind] for kind in how.kinds)
    most = 99 if how.per_entity == "all" else how.per_entity
    for row in range(len(tokens)):
        part, mine = tokens[row], hidden[tokens.rows == row]
        tagged = (part["kinds"] & bits) != 0
        keys = units(part, how)
        entities = {key for key, entity in zip(keys, tagged, strict=True) if entity}
        masked = Counter(key for key, mask in zip(keys, mine, strict=True) if mask)
        assert all(count <= (most if key in entities else 1) for key, count in masked.items())
        assert not any(
            mask and key in entities and not entity for key, mask, entity in zip(keys, mine, tagged, strict=True)
        )
        if how.fill == "none":
            assert not (mine & ~tagged).any()


@given(tokens=batches(), how=lems, seed=st.integers(0, 99))
def test_the_budget_is_spent_where_there_are_words_enough(tokens: Tokens, how: LemMasks, seed: int) -> None:
    hidden = choose_masks(tokens, how, Draws.of(seed))
    bits = sum(BITS[kind] for kind in how.kinds)
    most = 99 if how.per_entity == "all" else how.per_entity
    for row in range(len(tokens)):
        part = tokens[row]
        tagged = (part["kinds"] & bits) != 0
        keys = [key for key, word in zip(units(part, how), part["words"], strict=True) if word != NONE]
        of_entity = Counter(key for key, entity in zip(units(part, how), tagged, strict=True) if entity)
        room = sum(min(count, most) for count in of_entity.values())
        fillers = len(set(keys) - set(of_entity)) if how.fill == "random" else 0
        found = hidden[tokens.rows == row]
        assert found.sum() == min(budget(tokens, how.rate, row), room + fillers)
        assert (found & tagged).sum() == min(budget(tokens, how.rate, row), room)


@given(tokens=batches(), how=strategies, seed=st.integers(0, 99))
def test_the_masks_of_a_sentence_do_not_depend_on_its_batch(tokens: Tokens, how: Masking, seed: int) -> None:
    together = choose_masks(tokens, how, Draws.of(seed), COUNTS)
    alone = [choose_masks(Tokens.of([tokens[row]]), how, Draws.of(seed), COUNTS) for row in range(len(tokens))]
    assert (np.concatenate(alone) == together).all()


@given(tokens=batches(), seed=st.integers(0, 99))
def test_whole_words_are_hidden_whole_and_stretches_have_no_holes(tokens: Tokens, seed: int) -> None:
    hidden = choose_masks(tokens, WordMasks(rate=0.4), Draws.of(seed))
    for row in range(len(tokens)):
        words, mine = tokens[row]["words"], hidden[tokens.rows == row]
        assert all(len(set(mine[words == word].tolist())) == 1 for word in set(words.tolist()))


def many(words: list[tuple[int, int]], count: int = 4000) -> Tokens:
    return Tokens.of([sample(words, number) for number in range(count)])


def of_words(tokens: Tokens, hidden: np.ndarray) -> np.ndarray:
    """How many masks each word of a sentence gets, over all sentences."""
    return np.bincount(tokens.words[hidden], minlength=int(tokens.words.max()) + 1)


@pytest.mark.parametrize("how", [TokenMasks(), StretchMasks()], ids=lambda how: how.strategy)
def test_plain_masking_hides_every_token_equally_often(how: Masking) -> None:
    tokens = many([(4, 1), (1, 0), (3, 2), (1, 0), (91, 0)], 1500)
    hidden = choose_masks(tokens, how, Draws.of(1))
    share = np.bincount(tokens.places[hidden], minlength=102)[1:-1] / len(tokens)
    assert share == pytest.approx(0.15, abs=0.045)


def test_random_words_get_one_mask_each_whatever_their_length() -> None:
    tokens = many([(8, 1), (1, 0), (1, 2), (10, 0)])
    hidden = choose_masks(tokens, RandomWordMasks(), Draws.of(1))
    assert of_words(tokens, hidden) / len(tokens) == pytest.approx(3 / 4, abs=0.03)


def test_rare_words_come_first_in_proportion_to_their_rarity() -> None:
    tokens = many([(1, 0)] * 6)
    counts = np.ones(1000, np.int64)
    counts[tokens[0]["ids"][1:-1]] = [1, 10, 10, 10, 10, 10]
    found = of_words(tokens, choose_masks(tokens, RareWordMasks(), Draws.of(1), counts)) / len(tokens)
    assert found == pytest.approx([1 / 1.5] + [0.1 / 1.5] * 5, abs=0.03)


def test_rare_words_without_counts_are_refused() -> None:
    with pytest.raises(InputError, match="Give it the counts"):
        choose_masks(many([(1, 0)], 1), RareWordMasks(), Draws.of(1))


def test_stretches_have_the_length_that_was_asked_for() -> None:
    tokens = many([(1, 0)] * 400, 60)
    hidden = choose_masks(tokens, StretchMasks(mean_length=5), Draws.of(1))
    lengths = [
        len(run)
        for part in np.split(hidden, tokens.starts[1:-1])
        for run in "".join("x" if m else " " for m in part).split()
    ]
    assert np.mean(lengths) == pytest.approx(5.4, abs=0.8)  # longer by those that touch
    assert hidden.sum() / len(tokens) == 60


def test_a_name_of_three_words_gets_three_masks_or_one() -> None:
    words = [(2, 1), (2, 1), (2, 1), *[(1, 0)] * 20]
    tokens = Tokens.of([sample(words, number, [0, 0, 0, *[NONE] * 20]) for number in range(200)])
    for unit, count in (("word", 3), ("span", 1)):
        hidden = choose_masks(tokens, LemMasks(unit=unit), Draws.of(1))
        assert (np.add.reduceat(hidden & (tokens.kinds > 0), tokens.starts[:-1]) == count).all()


def test_masks_are_new_in_every_epoch_and_the_same_for_the_same_draws() -> None:
    tokens = many([(2, 1), (3, 0), (1, 4), (9, 0), (2, 2)], 200)
    first, second, again = (choose_masks(tokens, LemMasks(), Draws.of(7, "epoch", epoch)) for epoch in (1, 2, 1))
    assert (first == again).all()
    assert 0 < (first != second).mean() < 0.5


def test_a_sentence_without_entities_falls_back_as_asked() -> None:
    tokens = many([(1, 0)] * 20, 50)
    assert choose_masks(tokens, LemMasks(fill="random"), Draws.of(1)).sum() == 50 * 3
    assert choose_masks(tokens, LemMasks(fill="none"), Draws.of(1)).sum() == 0
    assert (choose_masks(tokens, LemMasks(), Draws.of(1)) == choose_masks(tokens, RandomWordMasks(), Draws.of(1))).all()


@pytest.mark.parametrize(
    ("words", "size", "entities", "shortfall"), [(20, 2, 1, 0.04), (20, 2, 3, 0.08), (12, 3, 2, 0.11)]
)
def test_the_original_falls_short_of_its_budget_as_simulated_and_ours_does_not(
    words: int, size: int, entities: int, shortfall: float
) -> None:
    tokens = many([(size, 1)] * entities + [(size, 0)] * (words - entities), 3000)
    expected = max(1, round(0.15 * (words * size + 2))) * len(tokens)  # special tokens count in the original
    assert 1 - original_masks(tokens, LemMasks(), 1).sum() / expected == pytest.approx(shortfall, abs=0.015)
    ours = choose_masks(tokens, LemMasks(), Draws.of(1)).sum()
    assert ours == round(0.15 * words * size) * len(tokens)


def test_the_kinds_of_a_strategy_have_one_spelling_and_are_never_none() -> None:
    assert LemMasks(kinds=("VERB", "NE")) == LemMasks(kinds=("NE", "VERB"))
    for kinds in ((), ("NE", "NE")):
        with pytest.raises(ValidationError, match="at least one kind and each once"):
            LemMasks(kinds=kinds)
