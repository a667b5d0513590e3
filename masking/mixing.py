"""Code-mixed text made of parallel sentences: some words of one language stand in a sentence of the other.

A stand-in for comments that people write in two languages at once. What is replaced, how much and where is drawn; how
people choose is another matter, and figures on such text are to be read with that in mind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from langvec.config import Strict
from masking.draws import Draws
from masking.tagging.embedding_align import EncoderAlignment
from masking.tagging.wordalign import Link, WordAlignment
from masking.tagging.words import Word, words

_ORDER, _BUDGET = 0, 1  # streams of draws


class Mixing(Strict):
    """Which language gives the sentence, and how many of its words become another's."""

    matrix: str = Field(min_length=1, description="code of the language whose sentences these stay, e.g. eng_Latn")
    embedded: str = Field(min_length=1, description="code of the language whose words are put in, e.g. sin_Sinh")
    share: float = Field(0.3, gt=0, le=1, description="share of words replaced, if so many are linked")
    romanise: Literal["uroman", "anyascii"] | None = Field(
        None, description="write the words put in in Latin letters, as in most comments"
    )
    aligner: Annotated[WordAlignment | EncoderAlignment, Field(discriminator="kind")] = WordAlignment()
    seed: int = Field(1, ge=0, description="which words are replaced")

    @model_validator(mode="after")
    def _two_languages(self) -> Mixing:
        if self.matrix == self.embedded:
            raise ValueError(f"matrix and embedded are both {self.matrix}; expected two languages")
        return self

    def mixed(
        self,
        ids: Sequence[str],
        pairs: Sequence[tuple[str, str]],
        links: Sequence[Sequence[Link]],
        written: Callable[[str], str] = str,
    ) -> list[Mixed]:
        """Sentence by sentence, so labels stay where they are; the draws of a sentence depend on its id alone.

        Args:
            pairs: a sentence of the matrix language and its translation.
            links: of each pair, number of a matrix word, number of an embedded word, as an aligner gives them.
            written: how the words put in are written, such as the romaniser that `romanise` names.
        """
        return [
            mixed(*pair, of_pair, self.share, Draws.of(self.seed, "mixing", name), written)
            for name, pair, of_pair in zip(ids, pairs, links, strict=True)
        ]


class Mixed(NamedTuple):
    """A code-mixed sentence; how many words the matrix sentence has, and how many of them were replaced."""

    text: str
    words: int
    replaced: int


class Swap(NamedTuple):
    """Matrix words and the embedded words that are linked to them and to no others; each a range of numbers."""

    out: range
    put: range


def mixed(
    matrix: str,
    embedded: str,
    links: Iterable[Link],
    share: float,
    draws: Draws,
    written: Callable[[str], str] = str,
) -> Mixed:
    """A sentence with some of its words replaced by their translations; without links it stays as it is."""
    mine, theirs = words(matrix), words(embedded)
    chosen = _chosen(swaps(links), len(mine), share, draws)
    parts, end = [], 0
    for swap in sorted(chosen, key=lambda swap: swap.out.start):
        parts += [matrix[end : mine[swap.out.start].start], written(_text(embedded, theirs, swap.put))]
        end = mine[swap.out.stop - 1].end
    return Mixed("".join([*parts, matrix[end:]]), len(mine), sum(len(swap.out) for swap in chosen))


def swaps(links: Iterable[Link]) -> list[Swap]:
    """What can be exchanged: linked words without a gap on either side. One word for one first, then by place."""
    found = []
    for out, put in _groups(links):
        if max(out) - min(out) < len(out) and max(put) - min(put) < len(put):
            found.append(Swap(range(min(out), max(out) + 1), range(min(put), max(put) + 1)))
    return sorted(found, key=lambda swap: (not _single(swap), swap.out.start))


def _groups(links: Iterable[Link]) -> Iterator[tuple[set[int], set[int]]]:
    """Words that are linked to one another, directly or through others."""
    groups: list[tuple[set[int], set[int]]] = []
    for mine, theirs in links:
        joined = ({mine}, {theirs})
        apart = []
        for group in groups:
            if mine in group[0] or theirs in group[1]:
                joined = (joined[0] | group[0], joined[1] | group[1])
            else:
                apart.append(group)
        groups = [*apart, joined]
    yield from groups


def _chosen(found: Sequence[Swap], total: int, share: float, draws: Draws) -> list[Swap]:
    """Swaps in drawn order, single words first, until the share is reached; no swap goes beyond it.

    The share of a short sentence falls between two numbers of words: which one is drawn, so that the mean is right.
    """
    if not found:
        return []
    order = draws.uniform(_ORDER, np.zeros(1), np.array([swap.out.start for swap in found]))
    left = int(share * total + draws.uniform(_BUDGET, np.zeros(1), np.zeros(1))[0])
    chosen = []
    for _, _, swap in sorted(
        zip((not _single(swap) for swap in found), order, found, strict=True), key=lambda one: one[:2]
    ):
        if len(swap.out) <= left:
            chosen.append(swap)
            left -= len(swap.out)
    return chosen


def _single(swap: Swap) -> bool:
    return len(swap.out) == len(swap.put) == 1


def _text(text: str, of: Sequence[Word], some: range) -> str:
    return text[of[some.start].start : of[some.stop - 1].end]
