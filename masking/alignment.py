"""Spans of characters onto sub-word tokens, by the offsets that fast tokenizers give."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from langvec.errors import InputError
from masking.tagging.base import Span
from masking.tokens import BITS, NONE, Tokens

_SPACES = np.array([code for code in range(0x3001) if chr(code).isspace()], np.uint32)
MAX_TOKENS = 256  # the paper cuts at 100, which takes the end off long pairs


class Tagged(NamedTuple):
    """A text and its spans."""

    text: str
    spans: Sequence[Span]


def encode(tokenizer: Any, texts: Sequence[Tagged], max_tokens: int = MAX_TOKENS) -> Tokens:
    """The tokens of each text, special tokens included, cut at `max_tokens`."""
    encoded = _encoded(tokenizer, [tagged.text for tagged in texts], None, max_tokens)
    return _tokens([_Layout(encoding, (tagged,)) for encoding, tagged in zip(encoded, texts, strict=True)])


def encode_pairs(
    tokenizer: Any, pairs: Sequence[tuple[Tagged, Tagged]], max_tokens: int = MAX_TOKENS, separated: bool = True
) -> Tokens:
    """Translation pairs as one sample each: with the tokenizer's separators between the sides, or joined by a space."""
    if not separated:
        return encode(tokenizer, [_joined(*pair) for pair in pairs], max_tokens)
    first, second = ([pair[side].text for pair in pairs] for side in (0, 1))
    encoded = _encoded(tokenizer, first, second, max_tokens)
    return _tokens([_Layout(encoding, pair) for encoding, pair in zip(encoded, pairs, strict=True)])


def refuse_slow(tokenizer: Any) -> None:
    """Only fast tokenizers know which characters a token stands for."""
    if not getattr(tokenizer, "is_fast", False):
        raise InputError(
            f"The tokenizer {getattr(tokenizer, 'name_or_path', '') or type(tokenizer).__name__} is a slow one, which "
            f"does not say which characters a token stands for. Expected a fast one: a folder with tokenizer.json, or "
            f"a model on the hub that has it."
        )


def _joined(first: Tagged, second: Tagged) -> Tagged:
    shift = len(first.text) + 1
    moved = [span._replace(start=span.start + shift, end=span.end + shift) for span in second.spans]
    return Tagged(f"{first.text} {second.text}", [*first.spans, *moved])


def _encoded(tokenizer: Any, texts: list[str], others: list[str] | None, max_tokens: int) -> list[Any]:
    refuse_slow(tokenizer)
    if not texts:
        return []
    return list(tokenizer(texts, others, truncation=True, max_length=max_tokens, verbose=False).encodings)


class _Layout(NamedTuple):
    """What the tokenizer made of a text, or of the two texts of a pair."""

    encoding: Any
    sides: tuple[Tagged, ...]


def _tokens(layouts: Sequence[_Layout]) -> Tokens:
    """All texts lie end to end, a space between them, so that one pass over the characters does for all."""
    characters = _Characters([side for layout in layouts for side in layout.sides])
    ids = np.concatenate([np.zeros(0, np.int32), *(np.array(layout.encoding.ids, np.int32) for layout in layouts)])
    starts = np.concatenate([[0], np.cumsum([len(layout.encoding.ids) for layout in layouts], dtype=np.int64)])
    begins, ends = _places(layouts, characters.begins)
    words, kinds, names = characters.of_tokens(begins, ends)
    rows = np.repeat(np.arange(len(layouts)), np.diff(starts))
    words = _with_spaces(words, ends > begins, rows) if len(rows) else words
    return Tokens(starts, ids, _renumbered(words, rows), kinds, _renumbered(names, rows), np.arange(len(layouts)))


def _places(layouts: Sequence[_Layout], begins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each token begins and ends among all characters; both 0 for special tokens."""
    places, first = [np.zeros((0, 2), np.int64)], 0
    for layout in layouts:
        offsets = np.array(layout.encoding.offsets, np.int64).reshape(-1, 2)
        special = np.array(layout.encoding.special_tokens_mask, bool)
        side = np.array([number or 0 for number in layout.encoding.sequence_ids], np.int64)
        places.append(np.where(special[:, None], 0, offsets + begins[first + side][:, None]))
        first += len(layout.sides)
    together = np.concatenate(places)
    return together[:, 0], together[:, 1]


class _Characters:
    """For every character of all texts: its word, what it is part of, and its named entity."""

    def __init__(self, texts: Sequence[Tagged]) -> None:
        whole = "".join(f" {tagged.text}" for tagged in texts) + " "
        sizes = [len(tagged.text) + 1 for tagged in texts]
        self.begins = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])[: len(texts)] + 1
        self._space = np.isin(np.frombuffer(whole.encode("utf-32-le"), np.uint32), _SPACES)
        self._kinds = np.zeros(len(whole), np.uint8)
        self._names = np.full(len(whole), NONE, np.int64)
        self._opens = np.zeros(len(whole), np.int64)
        self._closes = np.zeros(len(whole), np.int64)
        for begin, tagged in zip(self.begins.tolist(), texts, strict=True):
            for span in tagged.spans:
                self._mark(begin + span.start, begin + span.end, span)
        self._kinds[self._space] = 0
        self._words = self._numbered()

    def _mark(self, start: int, end: int, span: Span) -> None:
        self._kinds[start:end] |= BITS[span.kind]
        if span.kind == "NE":
            self._names[start:end] = start
        else:
            self._opens[start] = self._closes[end] = 1

    def _numbered(self) -> np.ndarray:
        """Words are what white space divides; where a tagger found several words in one, what those divide."""
        runs = np.cumsum(self._space)
        several = np.bincount(runs, self._opens)[runs] > 1
        cuts = several & ((self._opens | self._closes) > 0)
        return np.where(self._space, NONE, np.cumsum(self._space | cuts))

    def of_tokens(self, begins: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Words, kinds and names of tokens that cover these characters; NONE, 0 and NONE for those that cover none."""
        if not len(begins):
            return np.zeros(0, np.int64), np.zeros(0, np.uint8), np.zeros(0, np.int64)
        covers = ends > begins
        bounds = np.stack([begins, np.maximum(ends, begins + 1)], axis=1).ravel()
        words = np.where(covers, np.maximum.reduceat(self._words, bounds)[::2], NONE)
        kinds = np.where(covers, np.bitwise_or.reduceat(self._kinds, bounds)[::2], 0).astype(np.uint8)
        names = np.where(covers, np.maximum.reduceat(self._names, bounds)[::2], NONE)
        return words, kinds, np.where(kinds & BITS["NE"], names, NONE)


def _with_spaces(words: np.ndarray, covers: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """A token of white space alone opens the word after it; at the end of a text it closes the one before."""
    places, found = np.arange(len(words)), words != NONE
    after = np.minimum.accumulate(np.where(found, places, len(words) - 1)[::-1])[::-1]
    before = np.maximum.accumulate(np.where(found, places, 0))
    near = np.where(found[after] & (rows[after] == rows), after, before)
    return np.where(covers & (rows[near] == rows), words[near], NONE)


def _renumbered(numbers: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Numbers from 0 in each sentence, in the order in which they come; NONE stays."""
    found = numbers != NONE
    new = np.zeros(len(numbers), bool)
    kept = np.flatnonzero(found)
    new[kept] = [True, *(a != b for a, b in pairwise(numbers[kept].tolist()))][: len(kept)]
    count = np.cumsum(new)
    before = np.zeros(int(rows.max()) + 2 if len(rows) else 1, np.int64)
    np.add.at(before, rows[new] + 1, 1)
    return np.where(found, count - 1 - np.cumsum(before)[rows], NONE).astype(np.int32)
