"""Pairs as `curate` reads them: clean, with text on both sides, each with a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from langvec.cleaning import clean
from langvec.sources.bitext import AnyBitext


class Pair(NamedTuple):
    id: str
    source: str
    target: str
    given: float


def identities(bitexts: Mapping[str, AnyBitext]) -> dict[str, str]:
    named = [(name, one.identity() | {"languages": "-".join(one.languages)}) for name, one in bitexts.items()]
    return {f"{name} {what}": which for name, found in named for what, which in found.items()}


def read_pairs(name: str, bitext: AnyBitext, counts: Counter[str]) -> Iterator[list[Pair]]:
    """Clean pairs with text on both sides, batch by batch; the others are counted."""
    number = 0
    for batch in bitext.read():
        sides = [_one_line_each(texts) for texts in (batch.sources, batch.targets)]
        ids = batch.ids or [str(number + place) for place in range(1, len(batch.sources) + 1)]
        scores = batch.scores or [float("nan")] * len(ids)
        number += len(ids)
        every = [Pair(f"{name}:{id}", *row) for id, *row in zip(ids, *sides, scores, strict=True)]
        counts["read"] += len(every)
        counts["no source"] += sum(not pair.source for pair in every)
        counts["no target"] += sum(bool(pair.source) and not pair.target for pair in every)
        yield [pair for pair in every if pair.source and pair.target]


def _one_line_each(texts: Sequence[str]) -> list[str]:
    return clean("\n".join(text.replace("\n", " ") for text in texts)) if texts else []
