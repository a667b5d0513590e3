"""Metrics of mining, against scikit-learn, scipy, and a bootstrap written as a loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import precision_recall_fscore_support

from langvec.errors import InputError
from masking.metrics import difference, quality, retrieval_accuracy

pairs = st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)))
GOLD = [(number, number) for number in range(300)]
GOOD = GOLD[:270] + [(number, number + 1) for number in range(270, 300)]
WORSE = GOLD[:10] + GOLD[40:280] + [(number, number + 1) for number in range(200)]


@settings(max_examples=50)
@given(pairs, pairs)
def test_recall_precision_and_f1_are_those_of_scikit_learn(mined, gold):
    if not gold:
        return
    every = sorted(mined | gold)
    expected = precision_recall_fscore_support(
        [pair in gold for pair in every], [pair in mined for pair in every], average="binary", zero_division=0.0
    )
    found = quality(mined, gold, draws=10)
    assert [found.precision.value, found.recall.value, found.f1.value] == pytest.approx(expected[:3])
    assert (found.gold, found.mined, found.found) == (len(gold), len(mined), len(mined & gold))


def slow_bootstrap(mined, gold, draws: int = 3000) -> dict[str, np.ndarray]:
    """Draws gold pairs themselves, and judges each draw by counting."""
    rng, others = np.random.default_rng(5), len(set(mined) - set(gold))
    hits = np.array([pair in set(mined) for pair in gold])
    found = np.array([hits[rng.integers(len(gold), size=len(gold))].sum() for _ in range(draws)])
    precision, recall = found / (found + others), found / len(gold)
    return {"recall": recall, "precision": precision, "f1": 2 * precision * recall / (precision + recall)}


@pytest.mark.parametrize("measure", ["recall", "precision", "f1"])
def test_intervals_are_those_of_a_bootstrap_of_the_gold_pairs(measure):
    interval = getattr(quality(WORSE, GOLD), measure)
    expected = np.percentile(slow_bootstrap(WORSE, GOLD)[measure], [2.5, 97.5])
    assert interval[1:] == pytest.approx(expected, abs=0.006)
    assert interval.low < interval.value < interval.high


def test_the_same_seed_gives_the_same_intervals_and_another_gives_others():
    assert quality(GOOD, GOLD, seed=3) == quality(GOOD, GOLD, seed=3)
    drawn = {quality(GOOD, GOLD, seed=seed, draws=100).recall.low for seed in range(8)}
    assert len(drawn) > 1


def test_three_hundred_pairs_at_ninety_per_cent_are_known_within_about_three_points():
    recall = quality(GOOD, GOLD).recall
    assert recall.value == 0.9
    assert recall[1:] == pytest.approx(binomtest(270, 300).proportion_ci(), abs=0.01)
    assert str(recall).startswith("0.900 (0.86")


def test_a_difference_is_that_of_the_figures_and_its_p_is_near_that_of_an_exact_test():
    first, second = GOLD[:270], [*GOLD[:240], *GOLD[270:282]]
    found = difference(first, second, GOLD)
    assert found.value.value == pytest.approx(18 / 300)
    exact = binomtest(30, 42).pvalue  # of the pairs that only one of the two has found
    assert found.p == pytest.approx(exact, abs=0.006)
    assert found.value.low > 0
    opposite = difference(second, first, GOLD)
    assert opposite.value.value == -found.value.value and opposite.p == pytest.approx(found.p, abs=0.003)


@pytest.mark.parametrize("measure", ["recall", "precision", "f1"])
def test_a_difference_has_the_figures_of_both_systems_in_it(measure):
    expected = getattr(quality(GOOD, GOLD), measure).value - getattr(quality(WORSE, GOLD), measure).value
    found = difference(GOOD, WORSE, GOLD, measure)
    assert found.value.value == pytest.approx(expected)
    assert found.value.low < expected < found.value.high and found.p < 0.05


def test_a_system_does_not_differ_from_itself_and_few_pairs_prove_little():
    assert difference(GOOD, GOOD, GOLD) == ((0, 0, 0), 1)
    assert difference(GOLD[:3], GOLD[:2], GOLD[:4]).p > 0.3


def test_pairing_makes_a_difference_surer_than_two_intervals_do():
    first, second = GOLD[:270], GOLD[:255]
    paired = difference(first, second, GOLD).value
    assert paired.low > 0
    assert quality(first, GOLD).recall.low < quality(second, GOLD).recall.high


def test_retrieval_accuracy_counts_rows_nearest_to_their_own():
    src = np.eye(4, dtype=np.float32)
    assert retrieval_accuracy(src, src) == (1, 1)
    assert retrieval_accuracy(src, src[[0, 0, 2, 3]]) == (0.75, 0.75)
    assert retrieval_accuracy(src, src[[1, 0, 2, 3]]) == (0.5, 0.5)
    same = np.repeat(src[:1], 5, axis=0)
    assert retrieval_accuracy(same, same) == (0.2, 0.2)  # one vector for all is no skill


@given(st.integers(0, 1000))
@settings(max_examples=10)
def test_retrieval_accuracy_equals_that_of_the_whole_matrix(seed):
    rng = np.random.default_rng(seed)
    src = rng.standard_normal((40, 5)).astype(np.float32)
    tgt = src + rng.standard_normal(src.shape).astype(np.float32) / 2
    src, tgt = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (src, tgt))
    cosines, own = src @ tgt.T, np.arange(40)
    expected = (cosines.argmax(axis=1) == own).mean(), (cosines.argmax(axis=0) == own).mean()
    assert retrieval_accuracy(src, tgt, memory_mb=0.01) == pytest.approx(expected)


def test_without_gold_or_translations_there_is_nothing_to_judge():
    with pytest.raises(InputError, match="no gold pairs"):
        quality(GOOD, [])
    with pytest.raises(InputError, match="no gold pairs"):
        difference(GOOD, WORSE, [])
    with pytest.raises(InputError, match="3 sources and 2 targets"):
        retrieval_accuracy(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)[:2])
