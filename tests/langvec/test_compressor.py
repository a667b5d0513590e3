"""What zstandard says of a sentence once it has seen a text: a length in bits that could be decompressed again."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from langvec.alphabet import Alphabet, ByteAlphabet, CharAlphabet
from langvec.compressor import FILE, CompressorModel, CompressorRecipe
from langvec.encoded import EncodedSplit
from langvec.lesson import Lesson
from langvec.sources.udhr import Udhr

LANGUAGES = ("ind_Latn", "deu_Latn", "tam_Taml")
BYTE = 8 * math.log(2)


def udhr(code: str) -> list[str]:
    return [text for batch in Udhr(languages=(code,)).read(code) for text in batch.texts]


def text_of(lines: Sequence[str], alphabet: Alphabet | None = None) -> EncodedSplit:
    return EncodedSplit.of_lines(lines, alphabet or ByteAlphabet())


def stored(lines: Sequence[str], folder: Path, **recipe: Any) -> dict[str, Any]:
    text = text_of(lines)
    return CompressorRecipe(**recipe).train(Lesson(text, text, seed=1, language="deu_Latn"), folder)


def trained(lines: Sequence[str], **recipe: Any) -> CompressorModel:
    """The model after a trip through its file."""
    with TemporaryDirectory() as folder:
        stored(lines, Path(folder), **recipe)
        return CompressorRecipe(**recipe).load(Path(folder))


def costs(model: CompressorModel, lines: Sequence[str], alphabet: Alphabet | None = None) -> np.ndarray:
    return model.nats(text_of(lines, alphabet), np.arange(len(lines)))


def random_lines(seed: int, lines: int, chars: int = 100) -> list[str]:
    draw = np.random.default_rng(seed).integers(ord("a"), ord("z") + 1, (lines, chars))
    return ["".join(map(chr, line)) for line in draw]


def test_every_language_is_cheapest_under_its_own_model() -> None:
    texts = {code: udhr(code) for code in LANGUAGES}
    models = {code: trained([x for i, x in enumerate(lines) if i % 4]) for code, lines in texts.items()}
    for code, lines in texts.items():
        found = {other: costs(model, lines[::4]).sum() for other, model in models.items()}
        assert all(found[code] < 0.9 * found[other] for other in LANGUAGES if other != code)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_sentence_is_cheaper_once_it_was_in_the_training_text(code: str) -> None:
    lines = udhr(code)
    new, seen = costs(trained(lines[:30]), lines[30:]), costs(trained(lines), lines[30:])
    assert (seen <= new).all()
    assert seen.sum() < 0.25 * new.sum()


def test_a_sentence_from_anywhere_in_a_mebibyte_of_text_is_a_reference_of_a_few_bytes() -> None:
    lines = random_lines(1, 10_300)  # 1,040,299 bytes with the line feeds: the default takes them all
    model = trained(lines)
    assert (costs(model, lines[::1000]) <= 16 * BYTE).all()
    new = costs(model, random_lines(2, 10))
    assert (new >= 100 * math.log(26) - BYTE).all()  # by Shannon nothing writes random letters shorter
    assert (new <= 100 * BYTE).all()


@pytest.mark.parametrize("max_bytes", [1024, 1050, 3000])
def test_no_more_than_max_bytes_are_kept_and_no_fewer_while_there_is_text(max_bytes: int, tmp_path: Path) -> None:
    lines = udhr("tam_Taml")
    assert stored(lines, tmp_path, max_bytes=max_bytes) == {"bytes": max_bytes}
    kept = zstandard.decompress((tmp_path / FILE).read_bytes())
    assert kept == "\n".join(lines).encode()[:max_bytes]
    model = CompressorRecipe(max_bytes=max_bytes).load(tmp_path)
    first, last = costs(model, [lines[0][:40], lines[-1][:40]])
    assert first < 0.5 * last


def test_a_text_shorter_than_max_bytes_is_kept_whole(tmp_path: Path) -> None:
    lines = udhr("deu_Latn")
    whole = "\n".join(lines).encode()
    assert stored(lines, tmp_path) == {"bytes": len(whole)}
    assert zstandard.decompress((tmp_path / FILE).read_bytes()) == whole


def test_the_same_text_gives_the_same_bytes(tmp_path: Path) -> None:
    kept = []
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
        stored(udhr("deu_Latn"), tmp_path / name)
        kept.append({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()})
    assert kept[0] == kept[1] and list(kept[0]) == [FILE]


def test_sentences_cost_the_same_alone_together_and_in_any_order() -> None:
    lines = [*udhr("ind_Latn"), "", "a", ""]
    model, text = trained(lines[:30]), text_of(lines)
    order = np.random.default_rng(1).permutation(len(lines))
    together = model.nats(text, np.arange(len(lines)))
    assert np.array_equal(model.nats(text, order), together[order])
    assert np.array_equal(model.nats(text, np.array([5, 5, 2])), together[[5, 5, 2]])
    assert np.array_equal([costs(model, [line])[0] for line in lines], together)
    assert model.nats(text, np.array([], np.int64)).shape == (0,)


def test_the_alphabet_a_text_is_stored_in_does_not_change_its_cost() -> None:
    lines = [*udhr("deu_Latn")[40:], "丂😀", ""]
    model = trained(udhr("deu_Latn")[:40])
    assert np.array_equal(costs(model, lines, CharAlphabet("aenr")), costs(model, lines))


@settings(max_examples=60)
@given(train=st.lists(st.text(max_size=30), max_size=5), lines=st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_the_tiniest_texts_make_models_and_no_sentence_costs_less_than_a_byte(
    train: list[str], lines: list[str]
) -> None:
    found = costs(trained(train, level=3), lines)
    assert np.isfinite(found).all() and (found >= BYTE).all()
    assert found / BYTE == pytest.approx(np.round(found / BYTE))


@pytest.mark.parametrize("train", [[], [""], ["", ""], ["a"], ["丂"], ["Würde"]])
def test_under_a_model_of_next_to_no_text_a_sentence_costs_what_it_does_without_a_dictionary(train: list[str]) -> None:
    lines = [*udhr("deu_Latn")[:30], "a", "a" * 28]
    plain = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters.from_level(
            19, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_content_size=0
        )
    )
    alone = np.array([len(plain.compress(line.encode())) - len(plain.compress(b"")) for line in lines])
    assert costs(trained(train), lines) == pytest.approx(BYTE * alone)


def test_what_is_counted_can_be_decompressed_with_nothing_but_the_training_text(tmp_path: Path) -> None:
    lines = udhr("deu_Latn")
    stored(lines[:30], tmp_path)
    model = CompressorRecipe().load(tmp_path)
    dictionary = zstandard.ZstdCompressionDict("\n".join(lines[:30]).encode(), dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    reader = zstandard.ZstdDecompressor(dict_data=dictionary, format=zstandard.FORMAT_ZSTD1_MAGICLESS)
    for line, cost in zip(lines, costs(model, lines), strict=True):
        written = model.compressor.compress(line.encode())
        assert reader.decompress(written, max_output_size=10_000).decode() == line
        assert 0 <= len(written) - cost / BYTE <= 8  # what is taken off is what an empty frame takes


def test_a_model_that_unpacks_to_more_than_was_learnt_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(zstandard.compress(b"a line\n" * (1 << 21)))
    tracemalloc.start()
    CompressorRecipe(max_bytes=1 << 10).load(tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()
