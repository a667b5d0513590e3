"""A score without any encoder: how well the words of a pair explain each other, by a lexicon of the corpus itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import Field

from langvec.config import Strict
from masking.tagging.ibm1 import NULL, Lexicon
from masking.tagging.wordalign import WordAligner, WordAlignment
from masking.tagging.words import words

Floats = npt.NDArray[np.float64]
FOLDS = 2  # no pair is scored by a lexicon that has learnt from it
_LEAST = 1e-7


class WordScore(Strict):
    """IBM model 1 in both directions, learnt from one half of the pairs to score the other."""

    pairs: int = Field(100_000, ge=1, description="pairs that each half learns from at most")
    alignment: WordAlignment = Field(WordAlignment(), description="how words are aligned")


def explained(aligner: WordAligner, sources: Sequence[str], targets: Sequence[str]) -> Floats:
    """Mean over the words of both sides of log p(word | other side) - log p(word | nothing); 0 for unknown words."""
    return np.array([_score(aligner, source, target) for source, target in zip(sources, targets, strict=True)])


def _score(aligner: WordAligner, source: str, target: str) -> float:
    a, b = ([word.text for word in words(text)] for text in (source, target))
    if not a or not b:
        return float("nan")
    left, right = aligner.source.find(a), aligner.target.find(b)
    return (_gain(aligner.forward, left, right) + _gain(aligner.backward, right, left)) / 2


def _gain(lexicon: Lexicon, given: Sequence[int], made: Sequence[int]) -> float:
    """Nats that a word costs less, on average, since the other side is known."""
    from_given = np.array(given)
    of_words = np.array(made)
    chances = lexicon.of(np.repeat(from_given[None, :], len(of_words), 0), np.repeat(of_words[:, None], len(given), 1))
    alone = np.maximum(lexicon.of(np.full(len(of_words), NULL), of_words), _LEAST)
    together = np.maximum(chances.sum(axis=1) + alone, _LEAST) / (len(given) + 1)
    return float(np.where(of_words > 0, np.log(together) - np.log(alone), 0).mean())
