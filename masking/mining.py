"""Translations found among sentences by their vectors: ratio margins over exact nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from langvec.errors import InputError
from masking.neighbours import MEMORY_MB, Floats, Ints, Side, best_by_margin, divisor, mean_of_nearest

How = Literal["forward", "backward", "intersection"]
Groups = Sequence[Any] | npt.NDArray[Any]

NEIGHBOURS = 4  # as Artetxe & Schwenk (2019)
_AT_ONCE = 1000  # pairs whose cosines are computed together
_UNIT = 0.01  # how far from 1 the length of a vector may be; bfloat16 rounds


@dataclass(frozen=True)
class Pairs:
    """Places of sources and of their targets, best first, with margin and cosine."""

    src: Ints
    tgt: Ints
    score: Floats
    cosine: Floats

    def __len__(self) -> int:
        return len(self.src)

    def above(self, threshold: float) -> Pairs:
        """Those whose margin is `threshold` or more."""
        kept = self.score.astype(np.float64) >= threshold
        return Pairs(self.src[kept], self.tgt[kept], self.score[kept], self.cosine[kept])

    def best_first(self) -> Pairs:
        """Equal margins by the place of the source, then of the target."""
        order = np.lexsort((self.tgt, self.src, -self.score))
        return Pairs(self.src[order], self.tgt[order], self.score[order], self.cosine[order])


def mine(
    src: Floats,
    tgt: Floats,
    k: int = NEIGHBOURS,
    how: How = "intersection",
    documents: tuple[Groups, Groups] | None = None,
    memory_mb: float = MEMORY_MB,
) -> Pairs:
    """Pairs whose ratio margin is the best of the source (forward), of the target (backward), or of both.

    The margin is the cosine divided by the mean cosine to the `k` nearest on both sides (Artetxe & Schwenk, 2019), so
    hub sentences stop winning everything. Every source is compared with every target, not with its nearest alone.

    Args:
        src: unit-length vectors, shape (S, D).
        tgt: unit-length vectors, shape (T, D).
        k: neighbours on each side; where there are fewer sentences, all of them.
        how: `intersection` finds fewer pairs and surer ones.
        documents: for each source, and for each target, the document that it is from. Only sentences of a document
            that both sides have can be pairs, and only they are neighbours. None: all sentences are.
        memory_mb: how much to use beside the vectors and what is found; it changes the speed, not the pairs.

    Returns:
        The pairs, best first; equal ones by place. Of equal candidates the first wins.
    """
    src, tgt = _checked(src, "source"), _checked(tgt, "target")
    _check_widths(src, tgt, k)
    parts = _parts(len(src), len(tgt), documents)
    found = [_mined(src, tgt, part, k, how, memory_mb) for part in parts]
    return _joined(found).best_first()


def score_pairs(src: Floats, tgt: Floats, k: int = NEIGHBOURS, memory_mb: float = MEMORY_MB) -> Pairs:
    """Margin and cosine of row i of the sources with row i of the targets, in the order given.

    The neighbours are among all sentences of the other side, the partner included.
    """
    src, tgt = _checked(src, "source"), _checked(tgt, "target")
    _check_widths(src, tgt, k)
    if len(src) != len(tgt):
        raise InputError(f"{len(src)} sources and {len(tgt)} targets. Expected pairs: as many of one as other.")
    if not len(src):
        return _joined([])
    places = np.arange(len(src))
    return _scored(*_sides(src, tgt, k, memory_mb), places, places)


def best_threshold(scores: npt.ArrayLike, is_gold: npt.ArrayLike, gold: int | None = None) -> float:
    """The threshold with the highest F1: halfway between the last score that is kept and the first that is not.

    Choose it on development pairs and use it on others: on the pairs it was chosen on, F1 is too good to be true.

    Args:
        scores: of mined pairs, shape (P,).
        is_gold: whether each is a gold pair, shape (P,).
        gold: how many gold pairs there are, found or not; None: all were found.
    """
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    score, right = np.asarray(scores, np.float64)[order], np.cumsum(np.asarray(is_gold, bool)[order])
    if not len(right) or not right[-1]:
        raise InputError(f"None of {len(right)} mined pairs is a gold pair. Expected some, to choose a threshold by.")
    last = np.append(score[1:] < score[:-1], True)  # equal scores are kept or dropped together
    f1 = 2 * right / (np.arange(1, len(score) + 1) + (right[-1] if gold is None else gold))
    best = int(np.where(last, f1, -1).argmax())
    return float(score[best : best + 2].mean())


def _parts(sources: int, targets: int, documents: tuple[Groups, Groups] | None) -> Iterator[tuple[Ints, Ints]]:
    """Places of the sources and of the targets that compete with each other, document by document."""
    if documents is None:
        documents = np.zeros(sources, np.int64), np.zeros(targets, np.int64)
    src, tgt = (np.asarray(side) for side in documents)
    if (len(src), len(tgt)) != (sources, targets):
        raise InputError(
            f"Documents of {len(src)} sources and {len(tgt)} targets for vectors of {sources} and {targets}. "
            f"Expected a document for each vector."
        )
    names, numbers = np.unique(np.concatenate([src, tgt]), return_inverse=True)
    of_src, of_tgt = _members(numbers[:sources], len(names)), _members(numbers[sources:], len(names))
    yield from ((a, b) for a, b in zip(of_src, of_tgt, strict=True) if len(a) and len(b))


def _members(numbers: Ints, groups: int) -> list[Ints]:
    ends = np.cumsum(np.bincount(numbers, minlength=groups))
    return np.split(np.argsort(numbers, kind="stable"), ends[:-1])


def _mined(src: Floats, tgt: Floats, part: tuple[Ints, Ints], k: int, how: How, memory_mb: float) -> Pairs:
    """The pairs of sentences that compete with each other."""
    whole = len(part[0]) == len(src) and len(part[1]) == len(tgt)  # then a copy would cost memory
    sides = _sides(*((src, tgt) if whole else (src[part[0]], tgt[part[1]])), k, memory_mb)
    of_src, of_tgt = best_by_margin(*sides, memory_mb)
    forward = np.stack([np.arange(len(of_src)), of_src])
    backward = np.stack([of_tgt, np.arange(len(of_tgt))])
    mutual = forward[:, of_tgt[of_src] == forward[0]]
    places = {"forward": forward, "backward": backward, "intersection": mutual}[how]
    scored = _scored(*sides, *places)
    return Pairs(part[0][scored.src], part[1][scored.tgt], scored.score, scored.cosine)


def _sides(src: Floats, tgt: Floats, k: int, memory_mb: float) -> tuple[Side, Side]:
    of_src, of_tgt = mean_of_nearest(src, tgt, k, memory_mb)
    return Side(src, of_src), Side(tgt, of_tgt)


def _scored(src: Side, tgt: Side, at_src: Ints, at_tgt: Ints) -> Pairs:
    """Margin and cosine of pairs by their places."""
    cosine = np.empty(len(at_src), np.float32)
    for start in range(0, len(at_src), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        np.einsum("pd,pd->p", src.vectors[at_src[part]], tgt.vectors[at_tgt[part]], out=cosine[part])
    return Pairs(at_src, at_tgt, cosine / divisor(src.mean[at_src] + tgt.mean[at_tgt]), cosine)


def _joined(parts: Sequence[Pairs]) -> Pairs:
    none = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.float32)
    columns = zip(none, *((part.src, part.tgt, part.score, part.cosine) for part in parts), strict=True)
    return Pairs(*(np.concatenate(column) for column in columns))


def _checked(vectors: Floats, side: str) -> Floats:
    vectors = np.ascontiguousarray(vectors, np.float32)
    if vectors.ndim != 2:  # noqa: PLR2004
        raise InputError(f"Vectors of the {side} have shape {vectors.shape}. Expected (sentences, dimensions).")
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    wrong = np.flatnonzero(~((abs(lengths - 1) < _UNIT) | (lengths == 0)))  # NaN is wrong, too
    if len(wrong):
        raise InputError(
            f"Vector {wrong[0]} of the {side} has length {lengths[wrong[0]]:.3g}. Expected 1, or 0 for an empty text: "
            f"divide each vector by its length."
        )
    return vectors


def _check_widths(src: Floats, tgt: Floats, k: int) -> None:
    if src.shape[1] != tgt.shape[1]:
        raise InputError(
            f"Vectors of the source have {src.shape[1]} dimensions, those of the target {tgt.shape[1]}. "
            f"Expected both from one encoder."
        )
    if k < 1:
        raise InputError(f"k is {k}. Expected at least one neighbour.")
