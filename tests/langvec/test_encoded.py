"""Encoded text: what is gathered, counted and charged is what the sentences say, on disk as in memory."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.alphabet import Alphabet, BpeRecipe, ByteAlphabet, CharAlphabet, save_alphabet
from langvec.cleaning import FOLDS
from langvec.corpus import Corpus
from langvec.encoded import EncodedSplit, encode_corpus, spans
from langvec.sources import Files

INVENTORY = "01abcdefghijklmnopqrstuvwxyz äü"
TEXTS = st.lists(st.text("abü x丂😀\n") | st.text(), max_size=8)


def lines_of(count: int) -> list[str]:
    """One in seven ends in characters outside the inventory."""
    words = ["alle", "menschen", "sind", "frei", "würde", "hören"]  # ö is not in the inventory either
    draw = np.random.default_rng(1)
    texts = [" ".join(draw.choice(words, int(n))) for n in draw.integers(2, 9, count)]
    return [f"{text} {'丂😀'[: i % 3] if i % 7 == 0 else 'x'} {i:b}" for i, text in enumerate(texts)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So many lines that its training split is encoded in several batches."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "deu.txt").write_text("\n".join(lines_of(60_000)), encoding="utf-8")
    Corpus(code="deu_Latn", source=Files(files={"deu": str(folder / "deu.txt")})).write(folder)
    return folder


@pytest.fixture(scope="module")
def alphabets(corpus: Path) -> dict[str, Alphabet]:
    bpe = BpeRecipe(size=400, lines_per_language=500).fit({"deu_Latn": corpus})
    return {"byte": ByteAlphabet(), "char": CharAlphabet(INVENTORY), "bpe": bpe}


@pytest.mark.parametrize("kind", ["byte", "char", "bpe"])
def test_lines_in_no_run_are_encoded_as_the_same_lines_of_a_run(
    kind: str, corpus: Path, alphabets: dict[str, Alphabet], tmp_path: Path
) -> None:
    alphabet = alphabets[kind]
    save_alphabet(alphabet, tmp_path / "alphabet.json")
    counts = encode_corpus(corpus, tmp_path / "alphabet.json", tmp_path)
    assert counts["train"]["sentences"] > 40_000  # three batches
    for split, count in counts.items():
        on_disk = EncodedSplit.open(tmp_path, split, alphabet)
        in_memory = EncodedSplit.of_lines(on_disk.text(0, len(on_disk)), alphabet)
        assert len(in_memory) == count["sentences"]
        for column in (field.name for field in fields(EncodedSplit) if field.name != "alphabet"):
            stored, made = getattr(on_disk, column), getattr(in_memory, column)
            assert np.array_equal(stored, made), column
            assert stored.dtype == made.dtype, column


@given(texts=TEXTS)
def test_any_lines_come_back_with_the_counts_python_makes_of_them(
    alphabets: dict[str, Alphabet], texts: list[str]
) -> None:
    for alphabet in alphabets.values():
        text = EncodedSplit.of_lines(texts, alphabet)
        assert text.text(0, len(text)) == texts
        assert text.chars.tolist() == [len(line) for line in texts]
        assert text.bytes.tolist() == [len(line.encode()) for line in texts]
        assert text.lengths.tolist() == [text[i].size for i in range(len(texts))]
        assert text.lengths.sum() == text.ids.size
        assert text.folds.size == len(texts) and not (text.folds >= FOLDS).any()


def test_symbols_are_bytes_or_characters_of_the_line() -> None:
    lines = ["abü", "", "😀"]
    assert EncodedSplit.of_lines(lines, ByteAlphabet()).lengths.tolist() == [4, 0, 4]
    assert EncodedSplit.of_lines(lines, CharAlphabet("ab")).lengths.tolist() == [3, 0, 1]


@given(texts=TEXTS.filter(len), data=st.data())
def test_sentences_are_gathered_in_the_order_asked_for_however_often(
    alphabets: dict[str, Alphabet], texts: list[str], data: st.DataObject
) -> None:
    wanted = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=12))
    for alphabet in alphabets.values():
        ids, lengths = EncodedSplit.of_lines(texts, alphabet).gather(np.array(wanted, np.int64))
        alone = [alphabet.encode(pa.array([texts[i]], pa.string())).ids.tolist() for i in wanted]
        assert ids.tolist() == [symbol for sentence in alone for symbol in sentence]
        assert lengths.tolist() == [len(sentence) for sentence in alone]


@given(texts=TEXTS.filter(len), data=st.data())
def test_every_character_outside_the_inventory_is_charged_to_the_sentence_it_stands_in(
    texts: list[str], data: st.DataObject
) -> None:
    alphabet = CharAlphabet(INVENTORY)
    wanted = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=12))
    found = EncodedSplit.of_lines(texts, alphabet).unknown_nats(np.array(wanted, np.int64))
    outside = [sum(character not in INVENTORY for character in texts[i]) for i in wanted]
    assert found.tolist() == pytest.approx([alphabet.unknown_nats * count for count in outside])


def test_unknown_characters_are_charged_to_the_right_sentences_of_a_corpus_of_many_batches(
    corpus: Path, alphabets: dict[str, Alphabet], tmp_path: Path
) -> None:
    alphabet = alphabets["char"]
    save_alphabet(alphabet, tmp_path / "alphabet.json")
    encode_corpus(corpus, tmp_path / "alphabet.json", tmp_path)
    text = EncodedSplit.open(tmp_path, "train", alphabet)
    wanted = np.random.default_rng(1).integers(0, len(text), 2000)
    outside = [sum(character not in INVENTORY for character in text.text(i, i + 1)[0]) for i in wanted.tolist()]
    assert {0, 1, 2} < set(outside)
    assert text.unknown_nats(wanted) == pytest.approx(alphabet.unknown_nats * np.array(outside))


@pytest.mark.parametrize("kind", ["byte", "bpe"])
def test_alphabets_that_know_everything_charge_nothing(kind: str, alphabets: dict[str, Alphabet]) -> None:
    text = EncodedSplit.of_lines(["丂😀", "", "abc"], alphabets[kind])
    assert text.unknown_nats(np.array([2, 0, 1])).tolist() == [0, 0, 0]


@given(spans_=st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 9)), max_size=9))
def test_spans_are_the_ranges_one_after_the_other(spans_: list[tuple[int, int]]) -> None:
    starts, lengths = np.array(spans_, np.int64).reshape(-1, 2).T
    assert spans(starts, lengths).tolist() == [i for start, length in spans_ for i in range(start, start + length)]


def test_the_fold_of_a_line_is_its_own_wherever_it_stands() -> None:
    lines = lines_of(2000)
    there, backwards = (EncodedSplit.of_lines(each, ByteAlphabet()).folds for each in (lines, lines[::-1]))
    assert there.tolist() == backwards[::-1].tolist()
    assert len(set(there.tolist())) == FOLDS
