"""Which kinds of entity the words of a text are part of."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from masking.tagging.base import Span
from masking.tagging.kinds import KINDS, Kind
from masking.tagging.words import Word


def kinds_of_words(words: Sequence[Word], spans: Sequence[Span]) -> list[set[Kind]]:
    """For each word the kinds of the spans that share a character with it; in time even for endless texts."""
    found: list[set[Kind]] = [set() for _ in words]
    for kind in KINDS:
        mine = sorted((span.start, span.end) for span in spans if span.kind == kind)
        starts = [start for start, _ in mine]
        farthest = list(accumulate((end for _, end in mine), max))
        for word, kinds in zip(words, found, strict=True):
            before = bisect_left(starts, word.end)  # spans that begin before the word ends
            if before and farthest[before - 1] > word.start:
                kinds.add(kind)
    return found
