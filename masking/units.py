"""Runs of tokens that are masked together or apart: a word, a name, a stretch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_PASSES = 3  # in which words that do not fit are passed over; what then is left of a budget stays


@dataclass(frozen=True)
class Units:
    """Neighbouring tokens of one sentence under one key. The sentences of a batch lie end to end."""

    starts: np.ndarray  # the first token of each unit
    of_token: np.ndarray  # the unit of each token
    rows: np.ndarray  # the sentence of each unit

    @classmethod
    def of(cls, rows: np.ndarray, keys: np.ndarray) -> Units:
        new = np.ones(len(rows), bool)
        new[1:] = (rows[1:] != rows[:-1]) | (keys[1:] != keys[:-1])
        starts = np.flatnonzero(new)
        return cls(starts, np.cumsum(new) - 1, rows[starts])

    def any(self, of_token: np.ndarray) -> np.ndarray:
        """Whether it holds for any token of each unit."""
        return np.asarray(np.logical_or.reduceat(of_token, self.starts))

    def least(self, of_token: np.ndarray) -> np.ndarray:
        return np.asarray(np.minimum.reduceat(of_token, self.starts))

    def one_each(self, numbers: np.ndarray) -> np.ndarray:
        """Whether a token has the least number of its unit."""
        return np.asarray(numbers == self.least(numbers)[self.of_token])

    def ranks(self, numbers: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        """The place of each candidate among those of its unit by its number (below 1); others come after."""
        order = np.argsort(self.of_token * 3 + np.where(candidates, numbers, 2))
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order)) - self.starts[self.of_token]
        return ranks

    def taken(
        self, wanted: np.ndarray, order: np.ndarray, budgets: np.ndarray, within: np.ndarray | None = None
    ) -> np.ndarray:
        """The wanted tokens that the budget of their sentence lasts for, unit by unit in order.

        `within` orders the tokens of a unit; where it is left out there may be one wanted token in each.
        """
        tokens = np.flatnonzero(wanted)
        units = self.of_token[tokens]
        keys = [order[units], self.rows[units]]
        chosen = tokens[np.lexsort(keys if within is None else [within[tokens], *keys])]
        rows = self.rows[self.of_token[chosen]]
        return np.asarray(chosen[_counted(rows) < budgets[rows]])

    def taken_whole(self, order: np.ndarray, budgets: np.ndarray) -> np.ndarray:
        """All tokens of the units that fit into what is left of their sentence's budget, in order."""
        sizes = np.diff(np.append(self.starts, len(self.of_token)))
        waiting = np.lexsort([order, self.rows])
        left, fits = budgets.copy(), np.zeros(len(self.starts), bool)
        for _ in range(_PASSES):
            waiting = waiting[~fits[waiting] & (sizes[waiting] <= left[self.rows[waiting]])]
            now = waiting[_running(sizes[waiting], self.rows[waiting]) <= left[self.rows[waiting]]]
            fits[now] = True
            np.subtract.at(left, self.rows[now], sizes[now])
        return np.flatnonzero(fits[self.of_token])


def _counted(rows: np.ndarray) -> np.ndarray:
    """0, 1, 2 and so on in each row; the rows come sorted."""
    return np.asarray(np.arange(len(rows)) - np.searchsorted(rows, rows))


def _running(sizes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Sums of the sizes so far in each row; the rows come sorted."""
    total = np.cumsum(sizes)
    first = np.searchsorted(rows, rows)
    return np.asarray(total - total[first] + sizes[first])
