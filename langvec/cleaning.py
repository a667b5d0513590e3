"""From raw texts to clean lines, and from a line to the split it belongs to."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
from pydantic import Field

from langvec.config import Strict

SPLITS = ("train", "validation", "test")
FOLDS = 64  # resampling units for intervals and bootstrap: a sentence, or all sentences of a passage, is in one fold

_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")  # Unicode Cc but the line feed, which separates lines
# Direction marks, soft hyphens and byte-order marks are no text; joiners are, in Sinhala and Persian spelling.
# Lone surrogates, which JSON can smuggle in, stand for nothing.
_INVISIBLE = re.compile("[\u00ad\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")

Romaniser = Literal["uroman", "anyascii"]


class Cleaning(Strict):
    """What happens to a text before it counts."""

    min_chars: int = Field(10, ge=1, description="shorter lines are dropped (length after cleaning)")
    max_lines: int | None = Field(
        1_000_000, ge=1, description="reading stops when this many lines are kept; null keeps all (paper: 1,000,000)"
    )
    romanise: Romaniser | None = Field(
        None, description="write every language in Latin letters: uroman (spelling rules, slow) or anyascii (fast)"
    )

    def tools(self) -> dict[str, str]:
        """Libraries whose version decides the text."""
        return {self.romanise: version(self.romanise)} if self.romanise else {}


class Split(Strict):
    """Shares of the three splits; the paper's by default."""

    train: int = Field(7, ge=1, le=1000)
    validation: int = Field(2, ge=1, le=1000)
    test: int = Field(1, ge=1, le=1000)

    def of(self, keys: np.ndarray) -> np.ndarray:
        """Index into SPLITS for 64-bit keys. A key decides alone, so adding text moves no old line."""
        shares = np.array([self.train, self.validation, self.test], np.uint64)
        slots = ((keys >> np.uint64(32)) * shares.sum()) >> np.uint64(32)
        return np.asarray(np.searchsorted(np.cumsum(shares), slots, side="right"))


def folds(keys: np.ndarray) -> np.ndarray:
    """The fold of each key, from the low bits: independent of its split, which the high bits decide."""
    return (keys % np.uint64(FOLDS)).astype(np.uint8)


def keys(texts: Iterable[str]) -> np.ndarray:
    """A 64-bit hash of each text, the same on every machine."""
    blake2b = hashlib.blake2b
    return np.frombuffer(b"".join([blake2b(text.encode(), digest_size=8).digest() for text in texts]), "<u8")


def clean(text: str, romanise: Romaniser | None = None) -> list[str]:
    """The lines of a text: NFC, no control characters, single spaces, in Latin letters if asked for.

    Works on many lines at once: one call for a whole batch joined by line feeds costs a tenth of a call per line.
    """
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", _CONTROLS.sub(" ", text)))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    if romanise is None:
        return lines
    in_latin = _romanisers()[romanise]
    return [" ".join(in_latin(line).split()) for line in lines]


@cache
def _romanisers() -> dict[str, Callable[[str], str]]:
    from anyascii import anyascii

    return {"anyascii": anyascii, "uroman": _uroman_line}


def _uroman_line(line: str) -> str:
    return " ".join(map(_uroman_word, line.split(" ")))


@lru_cache(maxsize=200_000)
def _uroman_word(word: str) -> str:
    # Word by word and remembered: uroman takes 20 microseconds a character, and most words come again.
    return word if word.isascii() else str(_uroman().romanize_string(word))


@cache
def _uroman() -> Any:
    from uroman import Uroman

    return Uroman()
