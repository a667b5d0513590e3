"""Exact nearest neighbours of unit vectors by cosine, in tiles that fit the memory one allows.

No matrix of all cosines is ever held: each tile is computed, used and overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

MEMORY_MB = 64.0  # more is no faster: smaller tiles stay in the caches
TIE = np.float32(1e-6)  # float32 sums of the same products differ by about 1e-7 from tile to tile
LEAST = np.float32(1e-6)  # of the mean cosine that divides a margin

_TILES = 5  # in memory at once: cosines, their transpose or divisors, and what choosing the largest takes
_GROUP = 64  # neighbouring cosines of which only the largest is looked at first


class Side(NamedTuple):
    """Vectors, shape (N, D), and for each the mean cosine to its nearest on the other side."""

    vectors: Floats
    mean: Floats


class _Tile(NamedTuple):
    """Some sources by some targets."""

    rows: slice
    columns: slice
    cosines: Floats
    spare: Floats  # as many numbers as the cosines, to write over


def mean_of_nearest(src: Floats, tgt: Floats, k: int, memory_mb: float = MEMORY_MB) -> tuple[Floats, Floats]:
    """For each vector the mean cosine to its `k` nearest on the other side, or to all where there are fewer."""
    top_src = np.full((len(src), min(k, len(tgt))), -np.inf, np.float32)
    top_tgt = np.full((len(tgt), min(k, len(src))), -np.inf, np.float32)
    for tile in _tiles(src, tgt, memory_mb):
        turned = _transposed(tile.cosines, tile.spare)
        _merge(top_src[tile.rows], tile.cosines, turned)
        _merge(top_tgt[tile.columns], turned, tile.cosines)
    return np.sort(top_src, axis=1).mean(axis=1), np.sort(top_tgt, axis=1).mean(axis=1)


def best_by_margin(src: Side, tgt: Side, memory_mb: float = MEMORY_MB) -> tuple[Ints, Ints]:
    """The place of the best target of each source, and of the best source of each target, by ratio margin."""
    best_tgt, best_src = _Best(len(src.mean)), _Best(len(tgt.mean))
    for tile in _tiles(src.vectors, tgt.vectors, memory_mb):
        by = tile.spare.reshape(tile.cosines.shape)
        np.add(src.mean[tile.rows, None], tgt.mean[None, tile.columns], out=by)
        np.divide(tile.cosines, divisor(by), out=tile.cosines)
        best_tgt.see(tile.rows, tile.columns.start, tile.cosines)
        best_src.see(tile.columns, tile.rows.start, _transposed(tile.cosines, tile.spare))
    return best_tgt.place, best_src.place


def best_by_cosine(src: Floats, tgt: Floats, memory_mb: float = MEMORY_MB) -> tuple[Ints, Ints]:
    """The place of the nearest target of each source, and of the nearest source of each target; the first of equals."""
    best_tgt, best_src = _Best(len(src)), _Best(len(tgt))
    for tile in _tiles(src, tgt, memory_mb):
        best_tgt.see(tile.rows, tile.columns.start, tile.cosines)
        best_src.see(tile.columns, tile.rows.start, _transposed(tile.cosines, tile.spare))
    return best_tgt.place, best_src.place


def divisor(sums: Floats) -> Floats:
    """What divides a cosine, from the sum of the means of both neighbourhoods; written over the sums.

    Where a neighbourhood is not similar at all, the mean may be 0 or less, and a ratio to it means nothing: then it
    counts as LEAST, so that the sign of the cosine decides.
    """
    np.multiply(sums, np.float32(0.5), out=sums)
    return np.asarray(np.maximum(sums, LEAST, out=sums))


class _Best:
    """The best so far of each row, as tiles pass from the first to the last."""

    def __init__(self, rows: int) -> None:
        self.place = np.full(rows, -1, np.int64)
        self._score = np.full(rows, -np.inf, np.float32)

    def see(self, rows: slice, first: int, score: Floats) -> None:
        """Scores within TIE count as equal, so that of two copies the first is chosen wherever tiles end."""
        best = score.max(axis=1)
        place = (score >= (best - TIE)[:, None]).argmax(axis=1) + first
        better = best > self._score[rows] + TIE
        self.place[rows][better] = place[better]
        self._score[rows][better] = best[better]


def _tiles(src: Floats, tgt: Floats, memory_mb: float) -> Iterator[_Tile]:
    """All cosines, some sources by some targets at a time; for each row, and for each column, in ascending order."""
    numbers = max(1, int(memory_mb * 2**20 / np.float32().nbytes / _TILES))
    height = max(1, min(len(src), isqrt(numbers)))
    width = max(1, min(len(tgt), numbers // height))
    height = max(1, min(len(src), numbers // width))
    given, spare = np.empty(height * width, np.float32), np.empty(height * width, np.float32)
    for row in range(0, len(src), height):
        rows = slice(row, min(row + height, len(src)))
        for column in range(0, len(tgt), width):
            columns = slice(column, min(column + width, len(tgt)))
            shape = (rows.stop - row, columns.stop - column)
            cosines = given[: shape[0] * shape[1]].reshape(shape)
            np.matmul(src[rows], tgt[columns].T, out=cosines)
            yield _Tile(rows, columns, cosines, spare[: cosines.size])


def _transposed(of: Floats, into: Floats) -> Floats:
    """A copy, since both choosing the best and the largest go through rows several times faster than columns."""
    turned = into.reshape(of.shape[::-1])
    np.copyto(turned, of.T)
    return turned


def _merge(top: Floats, rows: Floats, turned: Floats) -> None:
    """Put the K largest of each row of both into the first; `turned` are the same rows as columns."""
    k = top.shape[1]
    both = np.concatenate([top, _candidates(rows, turned, k)], axis=1)
    top[:] = np.partition(both, both.shape[1] - k, axis=1)[:, -k:]


def _candidates(rows: Floats, turned: Floats, k: int) -> Floats:
    """Numbers of each row, its K largest among them.

    They lie in the K groups with the largest maxima: a number elsewhere has K in other groups that are no smaller.
    Maxima are found in columns, many at a time; the groups are then taken from rows, where they lie together.
    """
    count, width = rows.shape
    groups = width // _GROUP
    if groups <= 4 * k:
        return rows
    largest = turned[: groups * _GROUP].reshape(groups, _GROUP, count).max(axis=1)
    chosen = np.argpartition(largest.T, groups - k, axis=1)[:, -k:]
    grouped = rows[:, : groups * _GROUP].reshape(count, groups, _GROUP)
    found = grouped[np.arange(count)[:, None], chosen].reshape(count, k * _GROUP)
    return np.concatenate([found, rows[:, groups * _GROUP :]], axis=1)
