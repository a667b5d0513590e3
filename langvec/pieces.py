"""Sentences cut to the length that a decoder sees at once, and laid end to end for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from langvec.encoded import EncodedSplit, spans

if TYPE_CHECKING:
    import torch

    from langvec.decoder import Row


@dataclass(frozen=True)
class Pieces:
    """Pieces of sentences. Position 0 of a sentence is its boundary, position i its i-th symbol."""

    text: EncodedSplit
    sentence: np.ndarray  # its number in the text
    place: np.ndarray  # and among the sentences that were asked for
    start: np.ndarray  # position of the first symbol that goes in
    length: np.ndarray  # symbols that go in, and as many that come out, one further on
    skip: np.ndarray  # of those that come out, how many at the start are context only

    @classmethod
    def cut(cls, text: EncodedSplit, sentences: np.ndarray, context: int, overlap: int = 0) -> Pieces:
        """Pieces of at most `context` symbols; each but a sentence's first begins with `overlap` that came before."""
        stride = context - overlap
        outputs = text.offsets[sentences + 1].astype(np.int64) - text.offsets[sentences].astype(np.int64) + 1
        count = np.maximum(1, -(-(outputs - overlap) // stride))
        start = spans(np.zeros_like(count), count) * stride
        length = np.minimum(context, np.repeat(outputs, count) - start)
        place = np.repeat(np.arange(sentences.size), count)
        return cls(text, sentences[place], place, start, length, np.where(start > 0, overlap, 0))

    def __len__(self) -> int:
        return self.sentence.size

    def take(self, indices: np.ndarray) -> Pieces:
        columns = (self.sentence, self.place, self.start, self.length, self.skip)
        return Pieces(self.text, *(column[indices] for column in columns))

    def batches(self, order: np.ndarray, symbols: int) -> Iterator[Pieces]:
        """The pieces in an order, as many at a time as have so many symbols together, at least one."""
        ends = np.cumsum(self.length[order])
        first = 0
        while first < order.size:
            before = ends[first - 1] if first else 0
            stop = max(first + 1, int(np.searchsorted(ends, before + symbols, side="right")))
            yield self.take(order[first:stop])
            first = stop

    def row(self, device: torch.device) -> Row:
        """The pieces as what a decoder takes, in their order, which must be by length."""
        from langvec.decoder import Row

        boundary, offsets = self.text.alphabet.boundary, self.text.offsets.astype(np.int64)
        position = spans(self.start, self.length)
        at = np.repeat(offsets[self.sentence], self.length) + position
        last = np.repeat(offsets[self.sentence + 1], self.length)
        inputs, outputs = np.full(at.size, boundary), np.full(at.size, boundary)
        inside, unfinished = position > 0, at < last
        inputs[inside] = self.text.ids[at[inside] - 1]
        outputs[unfinished] = self.text.ids[at[unfinished]]
        return Row.of(inputs, outputs, self.length, device)
