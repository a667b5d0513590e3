"""What a ranking is worth where it is known which pairs are good: precision and recall all the way down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from masking.metrics import Interval

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)  # of recall, at which precision is told
DRAWS = 300  # redrawn sets of pairs
_ENDS = (2.5, 97.5)
_BINS = 40


def best_first(scores: Floats, last: Flags | None = None) -> Ints:
    """Places by score, highest first; equal ones in their order, nan behind all, and behind these what is `last`."""
    known = np.where(np.isnan(scores), -np.inf, scores)
    behind = np.zeros(len(scores), bool) if last is None else last
    return np.lexsort((np.arange(len(scores)), -known, np.isnan(scores), behind)).astype(np.int64)


def figures(good: Flags, seed: int = 1, draws: int = DRAWS) -> Iterator[dict[str, Any]]:
    """Figures of a ranking with their 95% intervals; `good` says of each pair, best first, whether it is.

    Pairs are redrawn with replacement and keep their order.
    """
    if good.all() or not good.any():
        return
    random, whole = np.random.default_rng(seed), np.ones(len(good), np.int64)
    drawn = [_all_figures(good, random.multinomial(len(good), np.full(len(good), 1 / len(good)))) for _ in range(draws)]
    for name, value in _all_figures(good, whole).items():
        low, high = np.nanpercentile([one[name] for one in drawn], _ENDS)
        yield {"metric": name, **Interval(value, float(low), float(high))._asdict(), "pairs": len(good)}


def average_precision(good: Flags, weights: Ints) -> float:
    """Mean over the good pairs of the precision down to each; each pair counts `weights` times."""
    right, every = np.cumsum(good * weights), np.cumsum(weights)
    return float(np.sum(good * weights * right / np.maximum(every, 1)) / max(1, right[-1]))


def precision_at(good: Flags, weights: Ints, recall: float) -> float:
    """Precision of the shortest top that holds this share of the good pairs."""
    right, every = np.cumsum(good * weights), np.cumsum(weights)
    place = int(np.searchsorted(right, recall * right[-1] - 1e-9))
    return float(right[place] / max(1, every[place]))


def r_precision(good: Flags, weights: Ints) -> float:
    """Precision of as many pairs as there are good ones."""
    right, every = np.cumsum(good * weights), np.cumsum(weights)
    place = min(int(np.searchsorted(every, right[-1])), len(good) - 1)
    return float(right[place] / max(1, every[place]))


def auc(good: Flags, weights: Ints) -> float:
    """How often a good pair stands before one that is not."""
    bad = ~good * weights
    below = bad.sum() - np.cumsum(bad)
    return float((good * weights * below).sum() / max(1, (good * weights).sum() * bad.sum()))


def _all_figures(good: Flags, weights: Ints) -> dict[str, float]:
    found: dict[str, Callable[[Flags, Ints], float]] = {
        "average_precision": average_precision,
        "r_precision": r_precision,
        "auc": auc,
    }
    at = {f"precision_at_recall_{level:g}": precision_at(good, weights, level) for level in LEVELS}
    return {name: figure(good, weights) for name, figure in found.items()} | at


def curve(good: Flags, points: int = 100) -> list[dict[str, float]]:
    """Precision at each hundredth of recall."""
    weights = np.ones(len(good), np.int64)
    return [
        {"recall": place / points, "precision": precision_at(good, weights, place / points)}
        for place in range(1, points + 1)
    ]


def histogram(scores: Floats, kinds: Ints) -> list[dict[str, float]]:
    """How many pairs of each kind have about such a score; 0 are good ones, 1 noise, where that is known."""
    known = ~np.isnan(scores) & ~np.isinf(scores)
    if not known.any():
        return []
    edges = np.histogram_bin_edges(scores[known], _BINS)
    bins = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    rows: list[dict[str, float]] = []
    for kind in np.unique(kinds).tolist():
        found = np.histogram(scores[known & (kinds == kind)], edges)[0].tolist()
        rows += [
            {"kind": kind, "low": low, "high": high, "pairs": count}
            for (low, high), count in zip(bins, found, strict=True)
        ]
    return rows
