"""How well pairs were mined: against gold pairs, with intervals; and how well sentences find their translations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from langvec.errors import InputError
from masking.neighbours import MEMORY_MB, Floats, best_by_cosine

Pair = tuple[str | int, str | int]
Measure = Literal["recall", "precision", "f1"]
Counts = npt.NDArray[np.int64]
Figures = npt.NDArray[np.float64]

DRAWS = 10_000
_ENDS = (2.5, 97.5)  # percentiles of a 95% interval
_Z = 1.959964  # and how many standard deviations it is wide to either side


class Interval(NamedTuple):
    """A figure, and the 95% interval that redrawing the gold pairs gives."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


class Quality(NamedTuple):
    """What the mined pairs are worth. Where gold is a sample of the true pairs, recall alone means something."""

    gold: int
    mined: int
    found: int
    recall: Interval
    precision: Interval
    f1: Interval


class Difference(NamedTuple):
    """The first system less the second, on the same gold pairs; `p` that there is none (two-sided)."""

    value: Interval
    p: float


def quality(mined: Iterable[Pair], gold: Iterable[Pair], seed: int = 1, draws: int = DRAWS) -> Quality:
    """Recall, precision and F1 of mined pairs.

    Gold pairs are redrawn with replacement, the mined pairs that are not gold stay: so the interval of precision is
    that of a system with so many wrong pairs.
    """
    proposed, wanted = set(mined), _wanted(gold)
    found = len(proposed & wanted)
    others = len(proposed) - found
    drawn = _drawn([found, len(wanted) - found], seed, draws)[:, 0]

    def judged(measure: Measure) -> Interval:
        return interval(*(_figure(measure, some, others, len(wanted)) for some in (np.array(found), drawn)))

    return Quality(len(wanted), len(proposed), found, judged("recall"), judged("precision"), judged("f1"))


def difference(
    first: Iterable[Pair],
    second: Iterable[Pair],
    gold: Iterable[Pair],
    measure: Measure = "recall",
    seed: int = 1,
    draws: int = DRAWS,
) -> Difference:
    """Whether one system is better than another: both are judged on the same redrawn gold pairs."""
    wanted, mined = _wanted(gold), (set(first), set(second))
    a, b = (pairs & wanted for pairs in mined)
    kinds = [len(a & b), len(a - b), len(b - a), len(wanted - a - b)]  # all that a draw has to tell apart
    others = [len(pairs - wanted) for pairs in mined]

    def less(counts: Counts) -> Figures:
        both, only_a, only_b, _ = counts.T
        of_first = _figure(measure, both + only_a, others[0], len(wanted))
        return of_first - _figure(measure, both + only_b, others[1], len(wanted))

    drawn = less(_drawn(kinds, seed, draws))
    return compared(less(np.array(kinds)), drawn)


def share(correct: npt.NDArray[np.bool_]) -> Interval:
    """How many of the items are right, with Wilson's interval: it has a width also where none or all are."""
    items = len(correct)
    if not items:
        raise InputError("There is nothing to judge. Expected at least one item.")
    value = float(np.mean(correct))
    middle = (value + _Z**2 / (2 * items)) / (1 + _Z**2 / items)
    half = _Z * np.sqrt(value * (1 - value) / items + _Z**2 / (4 * items**2)) / (1 + _Z**2 / items)
    return Interval(value, float(max(0.0, middle - half)), float(min(1.0, middle + half)))


def paired(first: Figures, second: Figures, seed: int = 1, draws: int = DRAWS) -> Difference:
    """Whether one way of training is better than another, by the items that each got right; shapes (seeds, items).

    Items are redrawn together for both, and the seeds of each on their own: so a difference has to hold for other texts
    and for other seeds. With one seed it is one of these two models, and of no others.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape[1:] != b.shape[1:] or not a.size or not b.size:
        raise InputError(f"Results of shapes {a.shape} and {b.shape}. Expected (seeds, items) of the same items.")
    random, items = np.random.default_rng(seed), a.shape[1]
    weights = random.multinomial(items, np.full(items, 1 / items), size=draws) / items  # (draws, items)
    drawn = _of_seeds(a, weights, random) - _of_seeds(b, weights, random)
    return compared(a.mean() - b.mean(), drawn)


def _of_seeds(right: Figures, weights: Figures, random: np.random.Generator) -> Figures:
    """The mean over redrawn seeds, for each draw of items."""
    seeds = len(right)
    drawn = random.multinomial(seeds, np.full(seeds, 1 / seeds), size=len(weights)) / seeds
    return np.asarray(((weights @ right.T) * drawn).sum(axis=1))


def retrieval_accuracy(src: Floats, tgt: Floats, memory_mb: float = MEMORY_MB) -> tuple[float, float]:
    """R@1: the share of sources whose nearest target by cosine is their own, row for row; and of targets.

    Of equal targets only the first is found, so that an encoder with one vector for all gets no credit.
    """
    if len(src) != len(tgt) or not len(src):
        raise InputError(f"{len(src)} sources and {len(tgt)} targets. Expected translations row for row, one or more.")
    own = np.arange(len(src))
    of_src, of_tgt = best_by_cosine(src, tgt, memory_mb)
    return float((of_src == own).mean()), float((of_tgt == own).mean())


def _wanted(gold: Iterable[Pair]) -> set[Pair]:
    wanted = set(gold)
    if not wanted:
        raise InputError("There are no gold pairs. Expected at least one to judge by.")
    return wanted


def _drawn(kinds: list[int], seed: int, draws: int) -> Counts:
    """How many gold pairs of each kind each draw has. Their order plays no part: so it is a multinomial draw."""
    total = sum(kinds)
    return np.random.default_rng(seed).multinomial(total, np.array(kinds) / total, size=draws)


def _figure(measure: Measure, found: Counts, others: int, gold: int) -> Figures:
    """From gold pairs found, mined pairs that are not gold, and gold pairs; 0 where nothing was mined."""
    if measure == "recall":
        return found / gold
    if measure == "precision":
        return found / np.maximum(found + others, 1)
    return 2 * found / (found + others + gold)


def compared(value: Figures, drawn: Figures) -> Difference:
    """A difference with its interval and p, from the differences of the draws."""
    beyond = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return Difference(interval(value, drawn), min(1.0, 2 * (beyond + 1) / (len(drawn) + 1)))


def interval(value: Figures, drawn: Figures) -> Interval:
    """A figure with the interval that the draws give."""
    low, high = np.percentile(drawn, _ENDS)
    return Interval(float(value), float(low), float(high))
