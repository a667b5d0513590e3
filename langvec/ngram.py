"""The n-gram model: interpolated Kneser-Ney with three discounts a level (Chen & Goodman, 1999), all in arrays.

It learns ten thousand characters in milliseconds and is hard to beat on so few: the baseline of every neural model.
Level k holds the strings of k + 1 symbols as one sorted array of keys (context, last symbol), where the context is an
index into level k - 1. A sentence starts with a boundary, which is only ever context, and ends with one, which is
predicted like any symbol.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from langvec.config import Strict
from langvec.encoded import EncodedSplit, spans
from langvec.lesson import Lesson

FILE = "ngram.safetensors"
NONE = -1  # no such string


class NgramRecipe(Strict):
    """A Kneser-Ney n-gram model."""

    actor: ClassVar[bool] = False  # trains in less time than an actor takes to start
    kind: Literal["ngram"] = "ngram"
    order: int = Field(6, ge=1, le=8, description="symbols of an n-gram: the one predicted and its context")
    max_symbols: int | None = Field(
        20_000_000, ge=1, description="training stops reading there, at about 150 bytes of memory a symbol; null: never"
    )

    def train(self, lesson: Lesson, folder: Path) -> dict[str, Any]:
        """Write the model of a text into a folder and return an account of it."""
        from safetensors.numpy import save_file

        text = lesson.train
        sentences = np.arange(len(text))
        if self.max_symbols:
            sentences = sentences[: max(1, int(np.searchsorted(text.offsets, np.uint64(self.max_symbols))))]
        levels = list(_fit(_Layout.of(text, sentences), self.order, text.alphabet.boundary + 1))
        save_file(
            {f"{k}.{name}": array for k, level in enumerate(levels) for name, array in vars(level).items()},
            folder / FILE,
        )
        return {"sentences": len(sentences), "ngrams": sum(level.keys.size for level in levels)}

    def load(self, folder: Path) -> NgramModel:
        from safetensors.numpy import load_file

        arrays = load_file(folder / FILE)
        names = ("keys", "share", "rest")
        return NgramModel(tuple(Level(*(arrays[f"{k}.{name}"] for name in names)) for k in range(self.order)))


@dataclass(frozen=True)
class Level:
    """Strings of one length."""

    keys: np.ndarray  # (strings,) context * choices + last symbol, sorted
    share: np.ndarray  # (strings,) discounted count / count of the context
    rest: np.ndarray  # (contexts,) what the discounts have freed: the shorter context says where it goes


@dataclass(frozen=True)
class NgramModel:
    levels: tuple[Level, ...]

    def nats(self, text: EncodedSplit, sentences: np.ndarray) -> np.ndarray:
        """Nats of each of some sentences of a text, their ends and unknown characters included."""
        return np.asarray(self.nats_by_order(text, sentences)[:, -1])

    def nats_by_order(self, text: EncodedSplit, sentences: np.ndarray) -> np.ndarray:
        """The same under this model and under each of the shorter ones inside it, (sentences, orders)."""
        layout = _Layout.of(text, sentences)
        chances = self.chances(layout, text.alphabet.boundary + 1)
        costs = [np.bincount(layout.sentence, -np.log(found), sentences.size) for found in chances]
        return np.asarray(np.stack(costs, axis=1) + text.unknown_nats(sentences)[:, None])

    def chances(self, layout: _Layout, choices: int) -> Iterator[np.ndarray]:
        """Of every symbol, given those before it: with no context first, then mended by each longer one.

        Boundaries at the start of a sentence are not predicted: they have probability one.
        """
        chances, strings = np.full(layout.symbols.size, 1 / choices), np.zeros(0, np.int64)
        for length, level in enumerate(self.levels):
            contexts = layout.contexts(strings, length)
            strings = _find(level.keys, np.where(contexts == NONE, NONE, contexts * choices + layout.symbols))
            known = np.flatnonzero(contexts != NONE)
            shares = np.where(strings[known] == NONE, 0, level.share[strings[known]])
            chances[known] = shares + level.rest[contexts[known]] * chances[known]
            chances[layout.starts] = 1
            yield chances


@dataclass(frozen=True)
class _Layout:
    """Sentences end to end, a boundary on both sides of each."""

    symbols: np.ndarray
    starts: np.ndarray  # where the first boundaries are
    sentence: np.ndarray  # of every position

    @classmethod
    def of(cls, text: EncodedSplit, sentences: np.ndarray) -> _Layout:
        ids, lengths = text.gather(sentences)
        starts = np.cumsum(lengths + 2) - lengths - 2
        symbols = np.full(ids.size + 2 * lengths.size, text.alphabet.boundary, np.int64)
        symbols[spans(starts + 1, lengths)] = ids
        return cls(symbols, starts, np.repeat(np.arange(lengths.size), lengths + 2))

    @property
    def age(self) -> np.ndarray:
        """How many symbols of its sentence come before each position."""
        return np.asarray(np.arange(self.symbols.size) - self.starts[self.sentence])

    def contexts(self, strings: np.ndarray, length: int) -> np.ndarray:
        """For every position the string just before it: that of no symbols is always there."""
        if length == 0:
            return np.zeros(self.symbols.size, np.int64)
        shifted = np.roll(strings, 1)
        shifted[self.starts] = NONE
        return shifted


def _find(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The index of each wanted key, NONE where there is no such key."""
    if not keys.size:  # no training sentence is as long as that
        return np.full(wanted.size, NONE)
    at = np.searchsorted(keys, wanted)
    at[at == keys.size] = 0
    return np.asarray(np.where(keys[at] == wanted, at, NONE))


def _fit(layout: _Layout, order: int, choices: int) -> Iterator[Level]:
    """Levels from short to long. All but the longest count in how many ways a string is extended to the left."""
    tables = list(_strings(layout, order, choices))
    age, contexts = layout.age, 1
    for length, (keys, strings) in enumerate(tables, 1):
        counts = np.bincount(strings[age >= max(1, length - 1)], minlength=keys.size)
        if length < order:
            longer = tables[length][1]
            _, one_of_each = np.unique(longer[age >= length], return_index=True)
            extended = np.bincount(strings[age >= length][one_of_each], minlength=keys.size)
            begins = strings[age == length - 1] if length > 1 else []  # these nothing can extend
            extended[begins] = counts[begins]
            counts = extended
        yield _level(keys, counts, contexts, choices)
        contexts = keys.size


def _strings(layout: _Layout, order: int, choices: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each length the sorted keys, and for every position the string that ends there."""
    strings, age = np.zeros(layout.symbols.size, np.int64), layout.age
    for length in range(order):
        whole = age >= length
        contexts = layout.contexts(strings, length)[whole]
        strings = np.full(layout.symbols.size, NONE)
        keys, strings[whole] = np.unique(contexts * choices + layout.symbols[whole], return_inverse=True)
        yield keys, strings


def _level(keys: np.ndarray, counts: np.ndarray, contexts: int, choices: int) -> Level:
    context = keys // choices
    kept = np.maximum(counts - _discounts(counts)[np.minimum(counts, 3)], 0)
    total = np.bincount(context, counts, contexts)
    rest = np.bincount(context, counts - kept, contexts) / np.maximum(total, 1)
    return Level(keys, (kept / np.maximum(total, 1)[context]).astype(np.float32), rest.astype(np.float32))


def _discounts(counts: np.ndarray) -> np.ndarray:
    """What is taken off a count of 0, 1, 2, and 3 or more."""
    n1, n2, n3, n4 = np.bincount(counts, minlength=5)[1:5]
    if not min(n1, n2, n3, n4):  # a text of a few sentences
        return np.array([0, 0.5, 1, 1.5])
    y = n1 / (n1 + 2 * n2)
    return np.asarray(
        np.clip([0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3], [0, 0.1, 0.1, 0.1], [0, 1, 2, 3])
    )
