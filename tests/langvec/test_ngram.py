"""The n-gram model is Kneser-Ney as the textbook has it, symbol by symbol, whatever the text."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langvec.alphabet import Alphabet, ByteAlphabet, CharAlphabet
from langvec.encoded import EncodedSplit
from langvec.lesson import Lesson
from langvec.ngram import NgramModel, NgramRecipe, _Layout
from langvec.sources.udhr import Udhr

BYTES = ByteAlphabet()
ABC = CharAlphabet("abc")
LANGUAGES = ("ind_Latn", "deu_Latn", "tam_Taml")
Sentence = tuple[int, ...]


class Textbook:
    """Interpolated Kneser-Ney with three discounts (Chen & Goodman, 1999, section 4.3), one string at a time."""

    def __init__(self, sentences: Sequence[Sentence], order: int, boundary: int) -> None:
        self.order, self.boundary, self.choices = order, boundary, boundary + 1
        padded = [(boundary, *sentence, boundary) for sentence in sentences]
        counts = [self._counts(padded, length) for length in range(1, order + 1)]
        self.discounts = [self._discounts(Counter(level.values())) for level in counts]
        self.followers: list[dict[Sentence, dict[int, int]]] = [defaultdict(dict) for _ in counts]
        for followers, level in zip(self.followers, counts, strict=True):
            for string, count in level.items():
                followers[string[:-1]][string[-1]] = count

    def _counts(self, padded: Sequence[Sentence], length: int) -> dict[Sentence, int]:
        often, before = Counter[Sentence](), defaultdict(set)
        for sentence in padded:
            for start in range(len(sentence) - length + 1):
                string = sentence[start : start + length]
                if (start, length) != (0, 1):  # the first boundary is never predicted
                    often[string] += 1
                if start:
                    before[string].add(sentence[start - 1])
        if length == self.order:
            return dict(often)
        begins_a_sentence = {string for string in often if length > 1 and string[0] == self.boundary}
        return {s: often[s] if s in begins_a_sentence else len(before[s]) for s in often}

    @staticmethod
    def _discounts(n: Counter[int]) -> tuple[float, ...]:
        if not (n[1] and n[2] and n[3] and n[4]):  # the formulas divide by these
            return (0, 0.5, 1, 1.5)
        y = n[1] / (n[1] + 2 * n[2])
        estimates = (k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3))
        return (0, *(max(estimate, 0.1) for estimate in estimates))

    def chance(self, before: Sentence, symbol: int, order: int | None = None) -> float:
        """Of a symbol after all that stands before it in its sentence, the boundary first."""
        longest = (order or self.order) - 1
        return self._chance(before[-longest:] if longest else (), symbol)

    def _chance(self, context: Sentence, symbol: int) -> float:
        shorter = self._chance(context[1:], symbol) if context else 1 / self.choices
        counts = self.followers[len(context)].get(context)
        if not counts:
            return shorter
        off = {follower: self.discounts[len(context)][min(count, 3)] for follower, count in counts.items()}
        total = sum(counts.values())
        own = counts[symbol] - off[symbol] if symbol in counts else 0
        return own / total + sum(off.values()) / total * shorter

    def sentence(self, sentence: Sentence, order: int | None = None) -> list[float]:
        whole = (self.boundary, *sentence, self.boundary)
        return [self.chance(whole[:i], whole[i], order) for i in range(1, len(whole))]


def udhr(code: str) -> list[str]:
    return [text for batch in Udhr(languages=(code,)).read(code) for text in batch.texts]


def text_of(lines: Sequence[str], alphabet: Alphabet = BYTES) -> EncodedSplit:
    return EncodedSplit.of_lines(lines, alphabet)


def ids_of(lines: Sequence[str], alphabet: Alphabet) -> list[Sentence]:
    return [tuple(alphabet.encode(pa.array([line], pa.string())).ids.tolist()) for line in lines]


def lesson(text: EncodedSplit) -> Lesson:
    return Lesson(text, text, seed=1, language="deu_Latn")


def trained(lines: Sequence[str], alphabet: Alphabet = BYTES, **recipe: Any) -> NgramModel:
    """The model after a trip through its file."""
    with TemporaryDirectory() as folder:
        NgramRecipe(**recipe).train(lesson(text_of(lines, alphabet)), Path(folder))
        return NgramRecipe(**recipe).load(Path(folder))


def stored(lines: Sequence[str], folder: Path, alphabet: Alphabet = BYTES, **recipe: Any) -> dict[str, bytes]:
    folder.mkdir()
    NgramRecipe(**recipe).train(lesson(text_of(lines, alphabet)), folder)
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def costs(model: NgramModel, lines: Sequence[str], alphabet: Alphabet = BYTES) -> np.ndarray:
    return model.nats(text_of(lines, alphabet), np.arange(len(lines)))


def chances(model: NgramModel, text: EncodedSplit) -> list[list[np.ndarray]]:
    """For each order and each sentence the chance of every symbol, the end of the sentence last."""
    layout = _Layout.of(text, np.arange(len(text)))
    found = map(np.copy, model.chances(layout, text.alphabet.boundary + 1))
    return [[part[1:] for part in np.split(each, layout.starts[1:])] for each in found]


def assert_as_in_the_textbook(train: Sequence[str], held_out: Sequence[str], alphabet: Alphabet, order: int) -> None:
    textbook = Textbook(ids_of(train, alphabet), order, alphabet.boundary)
    found = chances(trained(train, alphabet, order=order), text_of(held_out, alphabet))
    for shorter in range(order):
        for sentence, mine in zip(ids_of(held_out, alphabet), found[shorter], strict=True):
            assert mine == pytest.approx(textbook.sentence(sentence, shorter + 1), rel=2e-6)


def random_lines(seed: int, lines: int, letters: str = "abc") -> list[str]:
    draw = np.random.default_rng(seed)
    weights = draw.dirichlet(np.full(len(letters), 0.5))
    return ["".join(draw.choice(list(letters), int(draw.integers(0, 12)), p=weights)) for _ in range(lines)]


@pytest.mark.parametrize("order", [1, 2, 3, 6])
@pytest.mark.parametrize("seed", range(4))
def test_every_symbol_of_random_text_has_the_chance_of_the_textbook(order: int, seed: int) -> None:
    train, held_out = random_lines(seed, 150, "aabcdefgh"), random_lines(seed + 100, 30, "abcdefghx")
    assert_as_in_the_textbook(train, held_out, CharAlphabet("abcdefgh"), order)


@pytest.mark.parametrize("order", [1, 2, 3, 6])
@pytest.mark.parametrize("code", LANGUAGES)
def test_every_symbol_of_real_text_has_the_chance_of_the_textbook(order: int, code: str) -> None:
    lines = udhr(code)
    for alphabet in (BYTES, CharAlphabet("".join(sorted(set("".join(lines[:20])) - {"e", "a"})))):
        assert_as_in_the_textbook(lines[:40], lines[40:52], alphabet, order)


def test_the_real_text_is_long_enough_for_the_formulas_of_the_discounts() -> None:
    """So that more than stopgaps is compared above. Bytes alone are too few kinds for them."""
    _, *discounts = Textbook(ids_of(udhr("deu_Latn")[:40], BYTES), 6, BYTES.boundary).discounts
    assert len({each for each in discounts if each != (0, 0.5, 1, 1.5)}) == 5


@settings(max_examples=150)
@given(
    train=st.lists(st.text("abx", max_size=5), min_size=1, max_size=8),
    held_out=st.lists(st.text("abcx", max_size=6), min_size=1, max_size=4),
    order=st.integers(1, 8),
)
def test_the_smallest_texts_have_the_chances_of_the_textbook_too(
    train: list[str], held_out: list[str], order: int
) -> None:
    assert_as_in_the_textbook(train, held_out, ABC, order)


@pytest.mark.parametrize("order", [1, 3, 6])
def test_nats_are_the_logarithms_of_the_textbook_chances_plus_the_price_of_each_unknown_character(order: int) -> None:
    train, held_out = random_lines(1, 100, "abcxy"), ["", "a", "cab", "xaxb", "丂😀", "bbbbb"]
    textbook = Textbook(ids_of(train, ABC), order, ABC.boundary)
    model, text = trained(train, ABC, order=order), text_of(held_out, ABC)
    chosen = np.array([3, 0, 5, 3, 4, 1, 2])
    unknown = np.array([0, 0, 0, 2, 2, 0])
    expected = [
        [-sum(map(math.log, textbook.sentence(s, shorter + 1))) for shorter in range(order)]
        for s in ids_of(held_out, ABC)
    ]
    expected_so = np.array(expected) + ABC.unknown_nats * unknown[:, None]
    by_order = model.nats_by_order(text, chosen)
    assert by_order.shape == (chosen.size, order)
    assert by_order == pytest.approx(expected_so[chosen], rel=1e-6)
    assert np.array_equal(model.nats(text, chosen), by_order[:, -1])


def test_characters_outside_the_alphabet_differ_in_nothing_but_cost_more_than_those_inside() -> None:
    model = trained(["abcab", "cabab", "abba"] * 5, ABC)
    known, one, other, two = costs(model, ["aba", "axa", "a丂a", "axx"], ABC)
    assert one == other > known + ABC.unknown_nats
    assert two > one + ABC.unknown_nats


@settings(max_examples=60)
@given(
    train=st.lists(st.text("abcx", max_size=9), min_size=1, max_size=12),
    before=st.text("abcx", max_size=9),
    order=st.integers(1, 6),
)
def test_chances_of_all_choices_sum_to_one_after_any_beginning(train: list[str], before: str, order: int) -> None:
    model = trained(train, ABC, order=order)
    choices = [*(before + symbol for symbol in "abcx"), before]  # the last one ends here
    for found in chances(model, text_of(choices, ABC)):
        assert sum(sentence[len(before)] for sentence in found) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("before", ["", "Alle Menschen sind fr", "qqq", "Alle Menschen qqq", "இந்த"])
def test_chances_of_all_bytes_sum_to_one_after_real_text_seen_or_not(before: str) -> None:
    for found in chances(trained(udhr("deu_Latn")), followed_by_every_byte(before)):
        of_choices = np.array([sentence[len(before.encode())] for sentence in found])
        assert of_choices.size == 257 and of_choices.min() > 0
        assert of_choices.sum() == pytest.approx(1, abs=1e-6)


def followed_by_every_byte(before: str) -> EncodedSplit:
    """257 sentences: a beginning and one more byte, which need not be UTF-8, and one that ends there."""
    start = np.frombuffer(before.encode(), np.uint8)
    pieces = [*(np.append(start, np.uint8(byte)) for byte in range(256)), start]
    offsets = np.cumsum([0, *map(len, pieces)]).astype(np.uint64)
    text = text_of([""] * 257)
    return EncodedSplit(
        BYTES, np.concatenate(pieces), offsets, text.folds, text.unknown, chars=text.chars, bytes=np.diff(offsets)
    )


def test_sentences_cost_the_same_alone_together_and_in_any_order() -> None:
    model, held_out = trained(udhr("deu_Latn")[:40]), [*udhr("deu_Latn")[40:], "", "a", ""]
    text, order = text_of(held_out), np.random.default_rng(1).permutation(len(held_out))
    together = model.nats(text, np.arange(len(held_out)))
    assert together.tolist() == pytest.approx([costs(model, [line])[0] for line in held_out], rel=1e-12)
    assert model.nats(text, order) == pytest.approx(together[order], rel=1e-12)
    assert model.nats(text, np.array([2, 2])) == pytest.approx(together[[2, 2]], rel=1e-12)
    assert model.nats(text, np.array([], np.int64)).shape == (0,)


@pytest.mark.parametrize("order", [2, 3, 6])
def test_nothing_is_predicted_from_the_sentence_before(order: int) -> None:
    """Not even where the next sentence follows from it."""
    model = trained(["aaa", "bbb"] * 20, ABC, order=order)
    for found in chances(model, text_of(["aaa", "bbb", "bbb", "", "bbb"], ABC)):
        assert found[1].tolist() == found[2].tolist() == found[4].tolist()
    first = [sentence[0] for sentence in chances(model, text_of(["aaa", "aaa", "bbb", "bbb"], ABC))[-1]]
    assert first == pytest.approx([first[0]] * 4) and 0.4 < first[0] < 0.5


def test_the_order_of_training_sentences_does_not_matter_and_the_same_text_gives_the_same_bytes(tmp_path: Path) -> None:
    lines = udhr("ind_Latn")
    shuffled = np.random.default_rng(1).permutation(lines).tolist()
    once = stored(lines, tmp_path / "once")
    assert stored(lines, tmp_path / "twice") == once
    assert stored(shuffled, tmp_path / "shuffled") == once
    assert stored(lines[1:], tmp_path / "less") != once


def test_a_folder_that_was_moved_loads_as_the_same_model(tmp_path: Path) -> None:
    lines = udhr("deu_Latn")
    stored(lines[:40], tmp_path / "here")
    before = NgramRecipe().load(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    after = NgramRecipe().load(tmp_path / "there")
    assert costs(before, lines).tolist() == costs(after, lines).tolist()


@pytest.mark.parametrize(("max_symbols", "sentences"), [(1, 1), (4, 1), (5, 2), (8, 2), (9, 3), (15, 3), (16, 4)])
def test_training_reads_the_first_sentences_until_they_have_max_symbols(
    max_symbols: int, sentences: int, tmp_path: Path
) -> None:
    lines = ["abca", "cccb", "abcabca", "b", "ba", "caca"]  # 4, 8, 15, 16 symbols and more
    (tmp_path / "capped").mkdir()
    account = NgramRecipe(max_symbols=max_symbols).train(lesson(text_of(lines)), tmp_path / "capped")
    assert account["sentences"] == sentences
    alone = stored(lines[:sentences], tmp_path / "alone", max_symbols=None)
    assert alone == {f.name: f.read_bytes() for f in (tmp_path / "capped").iterdir()}


@pytest.mark.parametrize("max_symbols", [None, 22, 23, 10**9])
def test_all_sentences_are_read_where_max_symbols_does_not_bind(max_symbols: int | None, tmp_path: Path) -> None:
    lines = ["abca", "cccb", "abcabca", "b", "ba", "caca"]
    account = NgramRecipe(max_symbols=max_symbols, order=3).train(lesson(text_of(lines)), tmp_path)
    assert account["sentences"] == 6
    padded = [f"<{line}>" for line in lines]
    strings = {line[i : i + n] for line in padded for n in (1, 2, 3) for i in range(len(line) - n + 1)}
    assert account["ngrams"] == len(strings) - 1  # both boundaries are one symbol


@pytest.mark.parametrize("train", [[""], ["a"], ["aaaaaaaaaaaa"], ["", "", "b"], ["x"]])
@pytest.mark.parametrize("order", [1, 2, 6, 8])
def test_a_text_shorter_than_a_context_makes_a_model_that_knows_it(train: list[str], order: int) -> None:
    model = trained(train, ABC, order=order)
    found = costs(model, [train[-1], "cbcb"], ABC)
    assert 0 < found[0] < 13 * math.log(5) + ABC.unknown_nats and np.isfinite(found[1])
    assert found[0] < costs(trained(["cccccccc"], ABC, order=order), [train[-1]], ABC)[0]


@pytest.mark.parametrize("code", LANGUAGES)
def test_more_text_of_the_same_language_makes_held_out_text_cheaper(code: str) -> None:
    lines = udhr(code)
    held_out, rest = lines[::4], [line for i, line in enumerate(lines) if i % 4]
    found = [costs(trained(rest[:size]), held_out).sum() for size in (5, 10, 20, len(rest))]
    assert all(more < 1.005 * less for less, more in pairwise(found))
    assert found[-1] < 0.95 * found[0]


@pytest.mark.parametrize("whose", [BYTES, None], ids=["byte", "char"])
def test_every_language_is_cheapest_under_its_own_model(whose: Alphabet | None) -> None:
    texts = {code: udhr(code) for code in LANGUAGES}
    alphabet = whose or CharAlphabet("".join(sorted({c for lines in texts.values() for c in "".join(lines)})))
    models = {code: trained([x for i, x in enumerate(lines) if i % 4], alphabet) for code, lines in texts.items()}
    for code, lines in texts.items():
        found = {other: costs(model, lines[::4], alphabet).sum() for other, model in models.items()}
        assert all(found[code] < 0.8 * found[other] for other in LANGUAGES if other != code)


def test_a_longer_context_makes_real_text_cheaper_up_to_what_the_text_can_teach() -> None:
    lines = udhr("deu_Latn")
    text = text_of(lines[::4])
    by_order = trained([x for i, x in enumerate(lines) if i % 4]).nats_by_order(text, np.arange(len(text))).sum(axis=0)
    assert by_order[0] > 1.1 * by_order[1] > 1.2 * by_order[2]
    assert by_order[-1] < by_order[2]
