"""Alphabets lose nothing: not the rare character, not the emoji, not the line that is empty."""

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.alphabet import (
    Alphabet,
    BpeRecipe,
    ByteAlphabet,
    CharAlphabet,
    CharRecipe,
    load_alphabet,
    save_alphabet,
)
from langvec.corpus import Corpus
from langvec.encoded import EncodedSplit, encode_corpus
from langvec.sources import Files

SENTENCES = [f"Satz {i}: alle Menschen sind frei und gleich an Würde, {i * 7919} mal" for i in range(300)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "deu.txt").write_text("\n".join([*SENTENCES, "ein einziges seltenes Zeichen: 丂"]), encoding="utf-8")
    Corpus(code="deu_Latn", source=Files(files={"deu": str(folder / "deu.txt")})).write(folder)
    return folder


@pytest.fixture(scope="module")
def alphabets(corpus: Path) -> list[Alphabet]:
    recipes = (CharRecipe(), BpeRecipe(size=400))
    return [ByteAlphabet(), *(recipe.fit({"deu_Latn": corpus}) for recipe in recipes)]


@given(texts=st.lists(st.text(), max_size=8))
def test_decoding_gives_back_any_unicode_text(alphabets: list[Alphabet], texts: list[str]) -> None:
    for alphabet in alphabets:
        encoded = alphabet.encode(pa.array(texts, pa.string()))
        assert alphabet.decode(encoded) == texts
        assert encoded.ids.size == encoded.lengths.sum()
        assert not (encoded.ids >= alphabet.symbols).any()


@given(texts=st.lists(st.text(), min_size=3, max_size=8))
def test_a_slice_of_an_arrow_array_is_encoded_as_its_own_text(alphabets: list[Alphabet], texts: list[str]) -> None:
    for alphabet in alphabets:
        assert alphabet.decode(alphabet.encode(pa.array(texts, pa.string())[1:-1])) == texts[1:-1]


def test_saved_alphabets_encode_as_before(alphabets: list[Alphabet], tmp_path: Path) -> None:
    text = pa.array(["Würde und Freiheit 丂"])
    for alphabet in alphabets:
        save_alphabet(alphabet, tmp_path / "alphabet.json")
        again = load_alphabet(tmp_path / "alphabet.json")
        assert again.encode(text).ids.tolist() == alphabet.encode(text).ids.tolist()
        assert (again.symbols, again.boundary) == (alphabet.symbols, alphabet.boundary)


def test_byte_ids_are_the_utf8_bytes() -> None:
    assert ByteAlphabet().encode(pa.array(["Würde", "丂"])).ids.tolist() == list("Würde丂".encode())


def test_char_ids_number_the_characters_in_code_point_order() -> None:
    alphabet = CharAlphabet("abc")
    assert alphabet.encode(pa.array(["cab"])).ids.tolist() == [2, 0, 1]


def test_a_character_outside_the_inventory_is_unk_and_remembered_with_its_sentence() -> None:
    encoded = CharAlphabet("abc").encode(pa.array(["ab", "", "xb", "😀"]))
    assert encoded.ids.tolist() == [0, 1, 3, 1, 3]
    assert encoded.unknown.tolist() == [(2, ord("x")), (3, ord("😀"))]


def test_unk_is_charged_for_choosing_blindly_among_all_other_unicode_characters() -> None:
    every_other = 0x110000 - (0xE000 - 0xD800) - 3
    assert CharAlphabet("abc").unknown_nats == pytest.approx(math.log(every_other))


def test_the_inventory_holds_what_stands_often_enough_in_training_text(corpus: Path) -> None:
    alphabet = CharRecipe(min_count=2).fit({"deu_Latn": corpus})
    assert "ü" in alphabet.characters
    assert "丂" not in alphabet.characters
    assert list(alphabet.characters) == sorted(set(alphabet.characters))


def test_a_bpe_fitted_twice_is_the_same(corpus: Path) -> None:
    recipe = BpeRecipe(size=350)
    assert recipe.fit({"a": corpus, "b": corpus}).to_json() == recipe.fit({"b": corpus, "a": corpus}).to_json()


def test_bpe_writes_common_words_with_fewer_symbols_than_bytes(alphabets: list[Alphabet]) -> None:
    text = pa.array(["alle Menschen sind frei"])
    assert alphabets[2].encode(text).ids.size < ByteAlphabet().encode(text).ids.size / 2


@pytest.mark.parametrize("index", [0, 1, 2], ids=["byte", "char", "bpe"])
def test_encoded_corpora_give_back_the_lines_of_the_corpus(
    corpus: Path, alphabets: list[Alphabet], index: int, tmp_path: Path
) -> None:
    save_alphabet(alphabets[index], tmp_path / "alphabet.json")
    counts = encode_corpus(corpus, tmp_path / "alphabet.json", tmp_path)
    texts = []
    for split in ("train", "validation", "test"):
        encoded = EncodedSplit.open(tmp_path, split, alphabets[index])
        assert len(encoded) == counts[split]["sentences"] == encoded.offsets.size - 1
        assert encoded.ids.size == counts[split]["symbols"]
        texts += [line for start in range(len(encoded)) for line in encoded.text(start, start + 1)]
    assert sorted(texts) == sorted([*SENTENCES, "ein einziges seltenes Zeichen: 丂"])


def test_encoded_symbols_are_mapped_not_loaded_and_as_small_as_the_alphabet_allows(
    corpus: Path, alphabets: list[Alphabet], tmp_path: Path
) -> None:
    save_alphabet(alphabets[2], tmp_path / "alphabet.json")
    encode_corpus(corpus, tmp_path / "alphabet.json", tmp_path)
    ids = EncodedSplit.open(tmp_path, "train", alphabets[2]).ids
    assert isinstance(ids, np.memmap)
    assert ids.dtype == np.uint16
    assert json.loads((tmp_path / "encoded.json").read_text())["dtype"] == "<u2"
