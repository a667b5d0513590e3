"""Which language a text is in, by n-gram models of the bundled Declaration: light, offline, and for sentences.

Each language has a model of its own characters from some ten thousand letters; a text is in the language that explains
it at the lowest cost. What that is worth is in docs/curation.md.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from langvec.alphabet import CharAlphabet
from langvec.cleaning import clean
from langvec.encoded import EncodedSplit
from langvec.lesson import Lesson
from langvec.ngram import NgramModel, NgramRecipe
from langvec.sources.udhr import Udhr

Floats = npt.NDArray[np.float64]
ORDER = 5
_LEAST = 2  # times that a character occurs in all texts together


@dataclass(frozen=True)
class Identifier:
    """Models of some languages over one alphabet."""

    codes: tuple[str, ...]
    alphabet: CharAlphabet
    models: tuple[NgramModel, ...]

    def nats_per_char(self, texts: Sequence[str]) -> Floats:
        """What a character costs, end of the text included, shape (texts, languages)."""
        split = EncodedSplit.of_lines([text.lower() for text in texts], self.alphabet)
        every = np.arange(len(split))
        nats = [model.nats(split, every) for model in self.models]
        return np.asarray(np.stack(nats, axis=1) / (split.chars[:, None] + 1.0))

    def margins(self, texts: Sequence[str], code: str) -> Floats:
        """By how much a language is cheaper than the cheapest of the others; below 0 it is another."""
        costs = self.nats_per_char(texts)
        own = self.codes.index(code)
        return np.asarray(np.delete(costs, own, axis=1).min(axis=1) - costs[:, own])


@cache
def identifier(codes: tuple[str, ...]) -> Identifier:
    """Learnt in a second for twenty languages; kept, for a worker asks often."""
    lines = {code: _lines(code) for code in codes}
    counts = Counter(char for some in lines.values() for line in some for char in line)
    alphabet = CharAlphabet("".join(sorted(char for char, count in counts.items() if count >= _LEAST)))
    return Identifier(codes, alphabet, tuple(_model(some, alphabet) for some in lines.values()))


def _lines(code: str) -> list[str]:
    (batch,) = Udhr(languages=(code,)).read(code)
    return [line.lower() for line in clean("\n".join(batch.texts)) if line]


def _model(lines: Sequence[str], alphabet: CharAlphabet) -> NgramModel:
    split = EncodedSplit.of_lines(lines, alphabet)
    how = NgramRecipe(order=ORDER)
    with tempfile.TemporaryDirectory() as folder:
        how.train(Lesson(split, split, 1, ""), Path(folder))
        return how.load(Path(folder))
