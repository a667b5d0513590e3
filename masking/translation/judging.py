"""chrF and BLEU as sacreBLEU has them, with intervals: sentences are drawn again, and their counts added up anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from langvec.errors import InputError
from langvec.languages import find
from masking.metrics import Difference, compared, interval

Counts = npt.NDArray[np.float64]
Figures = npt.NDArray[np.float64]

DRAWS = 1000
_BETA = 2  # recall counts so many times as much as precision
_ORDERS = 4  # of BLEU's n-grams

_CHINESE = frozenset({"Hans", "Hant", "Hani"})
_WITHOUT_SPACES = frozenset({"Jpan", "Khmr", "Laoo", "Mymr", "Thai", "Tibt"})


class Counted(NamedTuple):
    """What a metric has to know of each sentence, shape (sentences, counts), and how it scores their sums."""

    metric: str
    counts: Counts
    score: Callable[[Counts], Figures]
    signature: str


def judged(
    hypotheses: Sequence[str], references: Sequence[str], target_code: str, seed: int = 1
) -> list[dict[str, Any]]:
    """chrF and BLEU of translations, each with its 95% interval and sacreBLEU's signature."""
    found = (chrf_counts(hypotheses, references), bleu_counts(hypotheses, references, target_code))
    return [_row(counted, seed) for counted in found]


def paired(
    first: Sequence[str], second: Sequence[str], references: Sequence[str], seed: int = 1, draws: int = DRAWS
) -> Difference:
    """The chrF of one system less that of another on the same redrawn sentences; `p` that there is none (two-sided)."""
    a, b = chrf_counts(first, references), chrf_counts(second, references)
    weights = _weights(len(references), seed, draws)
    drawn = chrf_score(weights @ a.counts) - chrf_score(weights @ b.counts)
    return compared(chrf_score(a.counts.sum(axis=0)) - chrf_score(b.counts.sum(axis=0)), drawn)


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """chrF2 of a corpus, from 0 to 100."""
    return float(chrf_score(chrf_counts(hypotheses, references).counts.sum(axis=0)))


def bleu_tokenizer(code: str) -> str:
    """How BLEU finds words in a language; by characters where no spaces part them, since nothing is downloaded."""
    script = find(code).script
    if script in _CHINESE:
        return "zh"
    return "char" if script in _WITHOUT_SPACES else "13a"


def chrf_counts(hypotheses: Sequence[str], references: Sequence[str]) -> Counted:
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF()
    return Counted("chrf", _counts(metric, hypotheses, references), chrf_score, str(metric.get_signature()))


def bleu_counts(hypotheses: Sequence[str], references: Sequence[str], target_code: str) -> Counted:
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(tokenize=bleu_tokenizer(target_code))
    return Counted("bleu", _counts(metric, hypotheses, references), bleu_score, str(metric.get_signature()))


def _counts(metric: Any, hypotheses: Sequence[str], references: Sequence[str]) -> Counts:
    """For each sentence, what sacreBLEU adds up over a corpus before it scores it."""
    if len(hypotheses) != len(references) or not references:
        raise InputError(
            f"{len(hypotheses)} translations and {len(references)} references. Expected one for each, and at least one."
        )
    return np.array(metric._extract_corpus_statistics(list(hypotheses), [list(references)]), np.float64)


def chrf_score(sums: Counts) -> Figures:
    """From n-grams of 1 to 6 characters in hypotheses, references and both, shape (..., 18)."""
    hypothesis, reference, both = np.moveaxis(sums.reshape(*sums.shape[:-1], -1, 3), -1, 0)
    used = (hypothesis > 0) & (reference > 0)
    orders = np.maximum(used.sum(axis=-1), 1)
    precision = (both / np.maximum(hypothesis, 1) * used).sum(axis=-1) / orders
    recall = (both / np.maximum(reference, 1) * used).sum(axis=-1) / orders
    weight = _BETA**2
    return np.asarray(100 * (1 + weight) * precision * recall / np.maximum(weight * precision + recall, 1e-16))


def bleu_score(sums: Counts) -> Figures:
    """From lengths of hypotheses and references, n-grams found and all n-grams of 1 to 4 words, shape (..., 10)."""
    length, reference = sums[..., 0], sums[..., 1]
    right, every = sums[..., 2 : 2 + _ORDERS], sums[..., 2 + _ORDERS :]
    nothing = np.cumsum(right == 0, axis=-1)  # the first order without a match counts as 1/2, the next as 1/4, ...
    smoothed = np.where(right > 0, right, 0.5**nothing) / np.maximum(every, 1)
    brevity = np.exp(np.minimum(0, 1 - reference / np.maximum(length, 1)))
    score = 100 * brevity * np.exp(np.log(smoothed).mean(axis=-1))
    return np.asarray(np.where((right > 0).any(axis=-1) & (every > 0).all(axis=-1), score, 0.0))


def _row(counted: Counted, seed: int) -> dict[str, Any]:
    items = len(counted.counts)
    drawn = counted.score(_weights(items, seed, DRAWS) @ counted.counts)
    value = interval(counted.score(counted.counts.sum(axis=0)), drawn)
    return {"metric": counted.metric, **value._asdict(), "signature": counted.signature, "items": items}


def _weights(items: int, seed: int, draws: int) -> Counts:
    """How often each draw has each sentence."""
    drawn = np.random.default_rng(seed).multinomial(items, np.full(items, 1 / items), size=draws)
    return np.asarray(drawn, np.float64)
