"""No sentence stops the tagging of others, whatever it does to the tagger."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.errors import InputError
from masking.tagging.base import Sentence, SetAside, Span
from masking.tagging.careful import STARTS, Limits, begun, tag_all

BAD, FATAL = "boom", "kill"


class Memory:
    """Kept in a file, or nowhere."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file

    def load(self) -> bytes | None:
        return self.file.read_bytes() if self.file and self.file.exists() else None

    def save(self, state: bytes) -> None:
        if self.file:
            self.file.write_bytes(state)


class FirstWords:
    """The first word of a sentence is a noun; some sentences are too much for it."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def tag(self, sentences: Sequence[Sentence]) -> list[list[Span]]:
        self.batches.append([sentence.text for sentence in sentences])
        for _, text in sentences:
            if BAD in text:
                raise RuntimeError(f"no such word\nas {BAD}")
            if FATAL in text:
                os._exit(9)
        return [[Span(0, len(text.split()[0]), "NOUN", "x")] for _, text in sentences]


def sentences(texts: Sequence[str]) -> list[Sentence]:
    return [Sentence(str(place), text) for place, text in enumerate(texts)]


def tagged(texts: Sequence[str], limits: Limits | None = None, memory: Memory | None = None) -> list:
    memory = memory or Memory()
    return tag_all(sentences(texts), FirstWords(), memory, begun(memory), limits or Limits())


@given(st.lists(st.sampled_from(["a b", "c", "long one here", f"{BAD} x", ""]), max_size=40), st.integers(1, 9))
def test_each_sentence_gets_its_own_result_whatever_its_neighbours_do(texts: list[str], size: int) -> None:
    found = tagged(texts, Limits(size)) if not texts or any(BAD not in text for text in texts) else []
    for text, result in zip(texts, found, strict=False):
        if BAD in text:
            assert result == SetAside("the tagger failed with RuntimeError: no such word as boom")
        else:
            assert result == [Span(0, len(text.split()[0]), "NOUN", "x")] if text else result == []


def test_batches_hold_sentences_of_like_length_and_bounded_size() -> None:
    tagger = FirstWords()
    texts = ["x" * length for length in (50, 1, 40, 2, 3, 41, 400)]
    tag_all(sentences(texts), tagger, Memory(), begun(Memory()), Limits(3, chars=100))
    assert [[len(text) for text in batch] for batch in tagger.batches] == [[1, 2, 3], [40, 41], [50], [400]]


def test_a_megabyte_in_one_line_is_set_aside_and_empty_lines_have_no_tags() -> None:
    found = tagged(["a b", "x " * 500_000, "", "  \t"])
    assert found[1] == SetAside("1,000,000 characters, more than max_chars (10,000)")
    assert found[2:] == [[], []]


def test_a_tagger_that_fails_for_all_is_the_users_to_mend() -> None:
    with pytest.raises(InputError, match=r"failed for all of 3 sentences.*no such word"):
        tagged([BAD, f"{BAD} 2", f"{BAD} 3"])


def attempt(texts: list[str], file: Path, out: Path) -> None:
    found = tagged(texts, memory=Memory(file))
    out.write_text(repr([one.reason if isinstance(one, SetAside) else len(one) for one in found]))


def test_a_sentence_that_ends_the_process_is_found_and_set_aside(tmp_path: Path) -> None:
    texts = [f"word {place}" for place in range(100)]
    texts[17] = texts[80] = FATAL
    attempts, context = 0, multiprocessing.get_context("fork")
    while not (tmp_path / "out").exists():
        process = context.Process(target=attempt, args=(texts, tmp_path / "memory", tmp_path / "out"))
        process.start()
        process.join()
        attempts += 1
        assert attempts < 20
    expected = [1] * 100
    expected[17] = expected[80] = "ended the process of the tagger, each time that it was tried"
    assert (tmp_path / "out").read_text() == repr(expected)


def test_a_process_that_ended_once_by_chance_costs_no_sentence(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory")
    for rows in ((), (3,), (0, 1, 2, 3, 4)):
        begun(memory).to(memory, rows)  # where an attempt was when its node went away
    assert tagged(["a b"] * 5, memory=memory) == [[Span(0, 1, "NOUN", "x")]] * 5


def test_a_tagger_that_never_gets_loaded_is_not_tried_for_ever(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory")
    for _ in range(STARTS):
        begun(memory)
    with pytest.raises(InputError, match=r"ended its process 6 times while it was loaded.*memory"):
        begun(memory)
