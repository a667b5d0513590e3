"""How well texts were classified: accuracy and macro-F1 with intervals, and whether one system beats another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from langvec.errors import InputError
from masking.metrics import DRAWS, Counts, Difference, Figures, Interval, compared, interval, paired, share

Classes = npt.NDArray[np.integer]  # numbers of classes from 0

_TOGETHER = 1000  # draws looked at together; with 10,000 items their counts take 80 MB


class OverLanguages(NamedTuple):
    """The first system less the second; `p` of Wilcoxon's signed-rank test that there is no difference (two-sided)."""

    languages: int
    better: int  # languages where the first is better
    mean: float
    median: float
    p: float


def accuracy(gold: Classes, predicted: Classes) -> Interval:
    """Share of texts with the right class, with Wilson's interval."""
    _same_items(gold, predicted)
    return share(np.asarray(gold == predicted))


def macro_f1(gold: Classes, predicted: Classes, seed: int = 1, draws: int = DRAWS) -> Interval:
    """Mean F1 of the classes, with the interval that redrawing the texts gives.

    A class counts if a text has it or was given it, as in scikit-learn. Texts of one class that were given one class
    are alike: so a draw is a multinomial draw of the cells of the confusion matrix.
    """
    _same_items(gold, predicted)
    (true, given), counts = np.unique(np.stack([gold, predicted]), axis=1, return_counts=True)
    classes = int(max(true.max(), given.max())) + 1
    value = _macro_f1(counts[None].astype(np.float64), true, given, classes)[0]
    drawn = [_macro_f1(weights, true, given, classes) for weights in _redrawn(counts, draws, seed)]
    return interval(value, np.concatenate(drawn))


def paired_accuracy(gold: Classes, first: Classes, second: Classes, seed: int = 1, draws: int = DRAWS) -> Difference:
    """Whether one system gets more texts right; predictions have shapes (seeds, items)."""
    _same_items(gold, first[0], second[0])
    return paired((first == gold).astype(np.float64), (second == gold).astype(np.float64), seed, draws)


def paired_macro_f1(gold: Classes, first: Classes, second: Classes, seed: int = 1, draws: int = DRAWS) -> Difference:
    """Whether one system has the higher macro-F1; predictions have shapes (seeds, items).

    As with `paired`, texts are redrawn together for both systems, and the seeds of each on their own.
    """
    _same_items(gold, first[0], second[0])
    answers, counts = np.unique(np.vstack([gold, first, second]), axis=1, return_counts=True)  # texts that are alike
    value = _less(answers, counts[None].astype(np.float64), len(first), None)
    random = np.random.default_rng((seed, 1))  # of the seeds; the texts have their own
    drawn = [_less(answers, weights, len(first), random) for weights in _redrawn(counts, draws, seed)]
    return compared(value[0], np.concatenate(drawn))


def over_languages(first: Mapping[str, float], second: Mapping[str, float]) -> OverLanguages:
    """Whether one system is better in most languages: Wilcoxon's test, which takes each language as one item."""
    from scipy.stats import wilcoxon

    if set(first) != set(second) or not first:
        raise InputError(
            f"Figures of {', '.join(sorted(first)) or 'no language'} and of {', '.join(sorted(second)) or 'none'}. "
            f"Expected those of the same languages, one or more."
        )
    less = np.array([first[code] - second[code] for code in sorted(first)])
    p = float(wilcoxon(less).pvalue) if less.any() else 1.0
    return OverLanguages(len(less), int((less > 0).sum()), float(less.mean()), float(np.median(less)), p)


def numbered(labels: Sequence[str], classes: Sequence[str]) -> Classes:
    """Numbers of labels in a list of classes."""
    numbers = {label: number for number, label in enumerate(classes)}
    unknown = sorted({label for label in labels if label not in numbers})
    if unknown:
        raise InputError(f"Labels {', '.join(unknown[:8])}. Expected some of {', '.join(classes)}.")
    return np.array([numbers[label] for label in labels], np.int64)


def _redrawn(counts: Counts, draws: int, seed: int) -> Iterator[Figures]:
    """How often each kind of text is in each draw, shape (some draws, kinds)."""
    random, items = np.random.default_rng(seed), int(counts.sum())
    for start in range(0, draws, _TOGETHER):
        yield random.multinomial(items, counts / items, size=min(_TOGETHER, draws - start)).astype(np.float64)


def _less(answers: Classes, weights: Figures, seeds: int, random: np.random.Generator | None) -> Figures:
    """Macro-F1 of the first seeds less that of the others, for each row of weights; seeds redrawn if `random`."""
    gold, systems = answers[0], (answers[1 : seeds + 1], answers[seeds + 1 :])
    classes = int(answers.max()) + 1
    means = []
    for predicted in systems:
        scores = np.stack([_macro_f1(weights, gold, one, classes) for one in predicted], axis=1)  # (draws, seeds)
        count = len(predicted)
        times = random.multinomial(count, np.full(count, 1 / count), size=len(weights)) if random else np.ones(count)
        means.append((scores * times).sum(axis=1) / count)
    return np.asarray(means[0] - means[1])


def _macro_f1(weights: Figures, gold: Classes, predicted: Classes, classes: int) -> Figures:
    """Of each row of weights (draws, kinds of text), where texts of a kind have one gold and one predicted class."""
    right, true, given = (
        _summed(weights, column, classes) for column in (np.where(gold == predicted, gold, classes), gold, predicted)
    )
    of_class = 2 * right / np.maximum(true + given, 1)
    counted = (true + given > 0).sum(axis=1)
    return np.asarray(of_class.sum(axis=1) / np.maximum(counted, 1))


def _summed(weights: Figures, column: Classes, classes: int) -> Figures:
    """The weights of the texts in each class; what is in none has the number `classes`."""
    from scipy.sparse import csr_array

    member = csr_array((np.ones(len(column)), (np.arange(len(column)), column)), shape=(len(column), classes + 1))
    return np.asarray((weights @ member)[:, :classes])


def _same_items(gold: Classes, *others: Classes) -> None:
    if not len(gold) or any(other.shape != gold.shape for other in others):
        shapes = ", ".join(str(other.shape) for other in others)
        raise InputError(f"Classes of {gold.shape} texts and predictions of {shapes}. Expected the same texts, some.")
