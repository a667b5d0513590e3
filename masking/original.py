"""The masks of an early revision of the authors' code, shortfall included. For comparison, never for training.

Its second walk spends its quota on words that are already covered, so fewer tokens are hidden than the budget allows.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from masking.masks import LemMasks
from masking.tokens import BITS, NONE, Tokens


@dataclass(frozen=True)
class _Word:
    places: list[int]
    kinds: int


def original_masks(tokens: Tokens, how: LemMasks, seed: int) -> np.ndarray:
    """Whether each token is hidden; a sentence at a time, as the original does it."""
    draw = random.Random(seed)  # noqa: S311 - not for secrets
    hidden = np.zeros(len(tokens.ids), bool)
    for start, end in zip(tokens.starts[:-1].tolist(), tokens.starts[1:].tolist(), strict=True):
        words = _words(tokens, start, end)
        draw.shuffle(words)
        hidden[_walked(words, end - start, how, draw)] = True
    return hidden


def _words(tokens: Tokens, start: int, end: int) -> list[_Word]:
    of_word: dict[int, _Word] = {}
    for place in range(start, end):
        if (number := int(tokens.words[place])) != NONE:
            word = of_word.setdefault(number, _Word([], 0))
            of_word[number] = _Word([*word.places, place], word.kinds | int(tokens.kinds[place]))
    return list(of_word.values())


def _walked(words: Sequence[_Word], size: int, how: LemMasks, draw: random.Random) -> list[int]:
    budget = max(1, round(how.rate * size))  # special tokens count
    kinds = sum(BITS[kind] for kind in how.kinds)
    entities = [word for word in words if word.kinds & kinds][:budget]
    covered = {id(word): draw.choice(word.places) for word in entities}
    quota = budget - len(covered)
    for word in words[:quota]:  # the defect: also over words that are covered
        covered.setdefault(id(word), draw.choice(word.places))
    return list(covered.values())
